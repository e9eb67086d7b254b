"""Every picture of the pages, once in each language: in its words, whole, bars from zero, units at the axes."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.builders import laid_out, laid_out_risk
from tests.builders.pictures import AS_OF, LANGUAGES, PICTURES, bars, framed, names_of, well_drawn
from toolkit.report import plots, plots_backtest, plots_experiment

pytestmark = [pytest.mark.usefixtures("closed"), pytest.mark.xdist_group("pictures")]

FROM_ZERO = {
    "recency": "y", "frequency": "y", "lift": "y", "segment_bars": "x", "gap_bars": "x", "ledger_bars": "x",
    "money": "x", "alive": "x", "risk_bands": "x", "power": "x", "scheme_grid": "x",
}  # fmt: skip
"""Pictures of bars, and along which axis these lie."""
AT_THE_AXES = {"recency": ["{as_of}"], "frequency": ["365"], "monetary": ["365", "¥"], "pareto": ["365"]}


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_speaks_its_language_and_stays_on_its_canvas(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """In Chinese as it is published, with small cells hidden; in English as an analyst sees it."""
    for language, min_cell in zip(LANGUAGES, (10, 0), strict=True):
        frame = framed(language, min_cell)
        ax = well_drawn(lambda: PICTURES[name](frame), language, caplog)  # noqa: B023 - called at once
        for text in AT_THE_AXES.get(name, []):
            assert text.format(as_of=frame.words.date(AS_OF)) in ax.get_xlabel() + ax.get_ylabel()
        if way := FROM_ZERO.get(name):
            low, high = ax.get_xlim() if way == "x" else ax.get_ylim()
            assert low == 0 < high
            assert (ax.get_xscale() if way == "x" else ax.get_yscale()) == "linear"
            assert 0.0 in {round(bar.get_x() if way == "x" else bar.get_y(), 9) for bar in bars(ax)}


def test_a_picture_is_drawn_where_it_is_asked_to_be() -> None:
    _, (other, *rooms) = plt.subplots(1, 4)
    row = laid_out.evaluation().overall.iloc[0]
    drawn = [
        plots.ledger_bars({"used": 1}, rooms[0], frame=framed()),
        plots_backtest.lift_bars(laid_out_risk.tenths(), rooms[1], mean=0.6, horizon=90, frame=framed()),
        plots_experiment.redraw_bars(np.array([]), row, rooms[2], names=names_of(), alpha=0.05),
    ]
    assert drawn == rooms
    assert not other.patches
