"""Pictures of risk and value: who is compared, where to start, what decides a title, what rests on few."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builders.laid_out_risk import buyers, curves, drivers, weeks
from tests.builders.pictures import (
    apart,
    calibration,
    clock,
    draw,
    figures,
    framed,
    laid_down,
    texts,
    title,
    value_by_tier,
)
from toolkit.report import plots_curves, plots_risk, plots_value, risk_tables, value_tables
from toolkit.report.small_cells import Mark
from toolkit.report.words import TOTAL
from toolkit.schema import SEGMENTS

pytestmark = pytest.mark.usefixtures("closed")


def test_curves_name_every_tier_at_its_end_and_compare_the_first_with_the_last() -> None:
    ax = draw("curves")
    laid_down(ax)
    assert apart(text for text in ax.texts if text.get_text().endswith("%")) == len(SEGMENTS)
    assert figures(title(ax)) == ["90", "83%", "2%"]
    assert title(ax).index("Champions 83%") < title(ax).index("Lost 2%")
    published = title(draw("curves", min_cell=10))
    assert published.index("Champions 83%") < published.index("Slipping big 24%")
    assert "Lost" not in published


def test_what_slows_the_next_order_stands_to_the_right() -> None:
    table = risk_tables.by_risk(drivers(), "order")
    ends = table[["lower", "times", "upper"]]
    assert (ends.loc[["recency_days"]] > 1).to_numpy().all()
    assert (ends.loc[["order_days"]] < 1).to_numpy().all()
    assert (table["lower"] < table["times"]).all()
    assert (table["times"] < table["upper"]).all()
    assert title(draw("drivers")).endswith("Days since last order")
    of_an_end = risk_tables.by_risk(drivers(), "end")
    assert (of_an_end["times"] == drivers()["hazard_ratio"]).all()


@pytest.mark.fault(134)
def test_hidden_bands_are_one_white_piece() -> None:
    row: dict[str, object] = {"0.0": 30, "0.2": Mark("<10"), "0.4": 20, "0.6": Mark("≥10"), "0.8": 0, TOTAL: 100}
    assert plots_risk.shares_of(row, ["0.0", "0.2", "0.4", "0.6", "0.8"]) == pytest.approx([0.3, 0.25, 0.2, 0.25, 0.0])


def test_the_clock_marks_its_recommendation_and_leaves_out_what_rests_on_few() -> None:
    ax = clock(framed(min_cell=10))
    assert "120 days" in texts(ax)
    line = np.asarray(ax.lines[0].get_ydata())
    assert np.isfinite(line[0])
    assert np.isnan(line[-1])


def test_what_came_decides_what_a_title_says() -> None:
    """The slope of calibration by 1; orders by those made after the day that the model knows."""
    slopes = {slope: title(calibration(framed(), slope)) for slope in (1.0, 0.7, 1.3)}
    assert {slope: said.partition("too ")[2].split(" ")[0] for slope, said in slopes.items()} == {
        1.0: "", 0.7: "far", 1.3: "little",
    }  # fmt: skip
    tracks = {after: title(plots_value.tracking_lines(weeks(after), frame=framed())) for after in (3.0, 0.5, 1.0)}
    assert "200% more" in tracks[3.0]
    assert "50% fewer" in tracks[0.5]
    assert "as many" in tracks[1.0]


def test_the_cell_with_most_money_at_risk_is_where_to_start() -> None:
    frame = framed()
    table, _ = buyers()
    counts = value_tables.save_counts(table, frame=frame)
    money = value_tables.save_money(table, counts, frame=frame)
    sizes = money.to_numpy(dtype=float)
    i, j = np.unravel_index(sizes.argmax(), sizes.shape)
    most = counts.loc[str(money.index[int(i)]), str(money.columns[int(j)])]
    said = title(plots_value.save_grid(counts, money, horizon=90, frame=frame))
    assert f"{most} buyers" in said
    assert frame.money(float(sizes[i, j])) in said


def test_a_business_of_a_few_buyers_can_be_drawn() -> None:
    frame = framed(min_cell=10)
    table, tiers = buyers(8)
    cells = risk_tables.risk_bands(table["risk"], tiers, frame=frame)
    assert title(plots_risk.risk_bars(cells, {}, by="segment", horizon=90, frame=frame))
    few = curves().assign(at_risk=5)
    left = risk_tables.at_risk(few, [0, 30], frame=frame)
    shown = value_by_tier(frame, 8)
    for ax in (
        plots_curves.curve_lines(few, left, by="segment", since="2026-08-02", frame=frame),
        plots_value.money_bars(shown, by="segment", horizon=90, frame=frame),
        plots_value.spend_dots(shown, by="segment", horizon=90, frame=frame),
    ):
        assert "Too few" in title(ax)
