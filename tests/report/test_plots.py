"""Pictures of scores, segments and rows: the finding in the title, what stands where, seasons, few people, colours."""

from __future__ import annotations

import base64
import io
from datetime import date
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from tests.builders.pictures import (
    AS_OF,
    SEASONAL,
    apart,
    bars,
    draw,
    figures,
    fits,
    framed,
    laid_down,
    orders_by_day,
    scored,
    texts,
    title,
)
from toolkit.data.seasons import seasons
from toolkit.report import look, plots
from toolkit.report.look import DIMENSION_COLOURS, SEGMENT_COLOURS
from toolkit.report.seasons import SEASON_COLOURS, shade
from toolkit.report.words import Language, words
from toolkit.schema import PROSPECT, SEGMENTS
from toolkit.segments.core import core_gap, shortest_table
from toolkit.segments.rfm import DIMENSIONS, RFM
from toolkit.segments.summary import pareto_curve, score_table, segment_summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

pytestmark = pytest.mark.usefixtures("closed")
FRAME = framed(min_cell=10)


def distribution(values: list[float], dimension: str, cuts: list[float], split: float) -> Axes:
    return plots.distribution(pd.Series(values), dimension=dimension, cuts=cuts, split=split, frame=FRAME)  # type: ignore[arg-type]  # one of three


# seasons


@pytest.mark.parametrize(("language", "years"), [("zh", 1), ("en", 2), ("en", 5), ("zh", 12)])
def test_names_of_seasons_never_overlap_and_each_stands_at_least_once(language: Language, years: int) -> None:
    plots.use_look(language)
    days = pd.date_range(f"{2026 - years}-11-02", AS_OF, freq="W-MON")
    found = seasons(days[0].date(), days[-1].date(), SEASONAL)
    ax = plots.orders_by_week(pd.Series(5, index=days), frame=framed(language), seasons=found)
    names = {words(language).label(name) for name in found.loc[found["kind"] != "own", "name"]} | {"$own$ <b>"}
    laid_down(ax)
    named = [text for text in ax.texts if text.get_text() in names]
    assert {text.get_text() for text in named} == names
    assert apart(named)
    assert fits(ax)


def test_a_calendar_of_many_years_has_room_also_for_its_seasons() -> None:
    plots.use_look("en")
    for years, seasonal in ((1, True), (3, True), (6, False)):
        days = pd.date_range(f"{2027 - years}-01-01", "2026-12-31")
        found = seasons(days[0].date(), days[-1].date(), SEASONAL)
        names = {words("en").label(name) for name in found.loc[found["kind"] != "own", "name"]}
        lines = pd.Series(3, index=days).drop(days[40])
        ax = plots.coverage(lines, frame=plots.Frame("2026-12-31"), seasons=found if seasonal else None)
        laid_down(ax)
        assert apart(text for text in ax.texts if text.get_text() in names) == (4 * years if seasonal else 0)
        assert fits(ax)


def test_shading_covers_the_days_of_a_season_and_changes_no_limits() -> None:
    _, (ax, bare) = plt.subplots(1, 2)
    ax.set_xlim(np.datetime64("2026-10-05"), np.datetime64("2026-11-30"))
    limits = ax.get_xlim()
    assert shade(ax, seasons(date(2026, 1, 1), date(2026, 12, 31), SEASONAL), frame=FRAME) > 0
    assert ax.get_xlim() == limits
    double_11, national_day = ((band.get_x(), band.get_x() + band.get_width()) for band in bars(ax))
    first = limits[0]
    assert national_day == (first, first + 3)
    assert double_11 == (first + 27, first + 38)
    assert to_rgb(SEASON_COLOURS["sale"]) == bars(ax)[0].get_facecolor()[:3]
    assert shade(bare, seasons(date(2026, 7, 1), date(2026, 7, 31), SEASONAL), frame=FRAME) == 0
    assert not bare.patches


# findings


def test_titles_carry_the_finding() -> None:
    curve = pareto_curve(pd.DataFrame({"order_count": [1] * 5, "window_spend": [60.0, 10, 10, 10, 10]}))
    weeks = pd.Series([10, 30, 20], index=pd.to_datetime(["2026-06-01", "2026-06-08", "2026-06-15"]))
    busiest = plots.orders_by_week(weeks, frame=FRAME, seasons=seasons(date(2026, 6, 1), date(2026, 6, 21), SEASONAL))
    used = plots.ledger_bars({"used": 98, "quarantined": 2}, frame=FRAME)
    drawn = {
        "recency": distribution([10.0, 20.0, 30.0, 40.0], "recency", [25.0], 25),
        "frequency": distribution([1.0, 1.0, 1.0, 4.0], "frequency", [1.0], 1),
        "pareto": plots.pareto(curve, frame=FRAME),
        "weeks": busiest,
        "rows": used,
        "gaps": plots.coverage(orders_by_day(), frame=FRAME),
        "whole": plots.coverage(orders_by_day().iloc[:10], frame=FRAME),
    }
    assert {name: figures(title(ax)) for name, ax in drawn.items()} == {
        "recency": ["50%", "25"], "frequency": ["25%"], "pareto": ["20%", "60%"], "weeks": ["20", "30"],
        "rows": ["98%", "100", "2"], "gaps": ["3", "363", "31", "2026"], "whole": ["10", "12", "2025"],
    }  # fmt: skip
    assert "week from 8 June 2026" in texts(busiest)
    assert "98 · 98%" in texts(used)
    (crosses,) = drawn["gaps"].get_lines()
    assert len(np.asarray(crosses.get_xdata())) == 3


def test_each_score_zone_and_cut_is_named() -> None:
    ax = distribution(list(np.arange(0.0, 101.0)), "recency", [75.0, 50.0, 25.0], 40)
    places = {text.get_text(): text.get_position()[0] for text in ax.texts}
    assert places["R4"] < places["R3"] < places["R2"] < places["R1"]
    assert {"25", "50", "75"} <= set(places)
    assert {"← high", "low →"} <= set(places)


def test_skewed_money_says_whom_it_cannot_draw() -> None:
    money = [-5.0, 0.0, 1.0, 2.0, 3.0, 1_000.0]
    skewed = distribution(money, "monetary", [2.0], 1.5)
    assert skewed.get_xscale() == "log"
    assert "2 buyers at zero or below are not drawn" in skewed.get_xlabel()
    assert distribution([min(4.0, value) for value in money], "monetary", [2.0], 1.5).get_xscale() == "linear"


def test_a_day_stands_in_its_week_and_weekday() -> None:
    """2026-01-01 is a Thursday; Monday the 5th opens the second week."""
    days = pd.Series([1, 1], index=pd.to_datetime(["2026-01-01", "2026-01-06"]))
    (crosses,) = plots.coverage(days, frame=FRAME).get_lines()
    places = np.column_stack([np.asarray(crosses.get_xdata()), np.asarray(crosses.get_ydata())]) - 0.5
    assert places.tolist() == [[0, 4], [0, 5], [0, 6], [1, 0]]


# few people


@pytest.mark.fault(134)
def test_small_counts_are_written_as_such_and_not_drawn() -> None:
    index = pd.MultiIndex.from_tuples([(1, 1), (2, 2)], names=["r_score", "f_score"])
    table = pd.DataFrame({"customers": [50, 3], "mean_window_spend": [10.0, 777.0]}, index=index)
    ax = plots.score_grid(table, frame=FRAME)
    assert "<10" in texts(ax)
    assert not any("777" in text for text in texts(ax))
    assert figures(title(ax)) == ["10"]
    assert "¥777" in texts(plots.score_grid(table, frame=framed()))
    gaps = pd.DataFrame({"recency": [2], "frequency": [3], "monetary": [0]}, index=["lost"])
    assert sum(bar.get_width() for bar in bars(plots.gap_bars(gaps, frame=FRAME))) == 0


def test_a_business_of_a_few_customers_can_be_drawn() -> None:
    snap = pd.DataFrame(
        {"order_count": [1, 1], "recency_days": [3.0, 9.0], "window_order_days": [1, 1], "window_spend": [5.0, -8.0]},
        index=["A", "B"],
    ).assign(last_order_date=pd.Timestamp("2026-10-01"))
    two = RFM().fit(snap).transform(snap)
    gaps = shortest_table(core_gap(two))
    segments = plots.segment_bars(segment_summary(two), frame=FRAME)
    shown = [segments, plots.gap_bars(gaps, frame=FRAME)]
    empty = [plots.gap_bars(gaps.iloc[:0], frame=FRAME), plots.ledger_bars({}, frame=FRAME)]
    alike = [distribution([5.0] * 9, name, [], 5) for name in DIMENSIONS]
    for ax in (plots.score_grid(score_table(two), frame=FRAME), *shown, *empty, *alike):
        laid_down(ax)
    assert [figures(title(ax)) for ax in shown] == [["10"], ["10"]]
    assert not figures(title(empty[0]))
    assert texts(segments).count("<10 customers") == 2
    own = plots.segment_bars(segment_summary(two), frame=framed())
    assert title(own).startswith("Big occasional: 50%")
    assert "–" in title(own)


# colours


def lightness(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(116 * np.dot([0.2126, 0.7152, 0.0722], linear) ** (1 / 3) - 16)


def test_every_segment_has_its_colour_and_grey_print_keeps_the_order_of_value() -> None:
    assert tuple(SEGMENT_COLOURS) == (*SEGMENTS, PROSPECT)
    assert np.diff([lightness(colour) for colour in SEGMENT_COLOURS.values()]).min() > 5
    assert np.diff([lightness(colour) for colour in DIMENSION_COLOURS.values()]).min() > 20


def test_segments_wear_their_colours_in_the_order_of_value() -> None:
    ax = draw("segment_bars", "zh")
    names = [name for name in segment_summary(scored()).index if name != "total"]
    assert [label.get_text() for label in ax.get_yticklabels()] == [words("zh").segment(name) for name in names]
    wide = bars(ax)[len(names) :]
    assert [bar.get_facecolor()[:3] for bar in wide] == [to_rgb(SEGMENT_COLOURS[name]) for name in names]


# the look


def test_show_publishes_one_sharp_picture_with_its_text_and_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def publish(data: dict[str, Any], *, metadata: dict[str, Any], raw: bool) -> None:
        assert raw
        shown.append((data, metadata))

    monkeypatch.setattr("IPython.display.display", publish)
    alt = "20% of buyers bring 74% of spend"
    plots.show(draw("pareto"), alt=alt)
    ((data, metadata),) = shown
    assert metadata["image/png"] == {"alt": alt, "width": 840}
    assert data["text/plain"] == alt
    png = base64.b64decode(data["image/png"])
    assert imread(io.BytesIO(png), format="png").shape[1] == 2 * 840
    assert not plt.get_fignums()


def test_without_a_chinese_font_the_look_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "_CHINESE", ())
    monkeypatch.setattr(look, "find_spec", lambda _: None)
    check = plots.use_look("zh")
    assert check.status == "failed"
    assert "toolkit[zh]" in check.message
    assert plots.use_look("en").status == "passed"
