"""Pictures: what the title says, what the axes start at, what is written where, and in which font."""

from __future__ import annotations

import base64
import io
import logging
import re
import subprocess
import sys
import warnings
from datetime import date
from typing import TYPE_CHECKING, Any, get_args

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from toolkit.data.seasons import seasons
from toolkit.report import look, plots
from toolkit.report.look import DIMENSION_COLOURS, SEGMENT_COLOURS
from toolkit.report.seasons import SEASON_COLOURS, shade
from toolkit.report.words import Language, words
from toolkit.schema import PROSPECT, SEGMENTS
from toolkit.segments.core import core_gap, shortest_table
from toolkit.segments.rfm import DIMENSIONS, RFM
from toolkit.segments.summary import pareto_curve, score_table, segment_summary
from toolkit.study import parse_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

LANGUAGES = get_args(Language)
PICTURES = [
    "recency", "frequency", "monetary", "score_grid", "segment_bars", "pareto", "gap_bars", "coverage", "ledger_bars",
    "orders_by_week",
]  # fmt: skip


SHOP = parse_study(
    {
        "name": "shop",
        "timezone": "Asia/Shanghai",
        "currency": "CNY",
        "tables": {"orders": {"files": "orders.csv"}},
        "calendar": [{"name": "$own$ <b>", "first": "2026-02-20", "last": "2026-02-25"}],
    }
)


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def scored() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 900
    days = np.where(rng.random(n) < 0.1, 0, 1 + rng.poisson(rng.gamma(0.6, 3, n)))
    recency = np.where(days > 0, np.round(rng.exponential(120, n)), np.nan)
    snap = pd.DataFrame(
        {
            "order_count": days,
            "recency_days": recency,
            "window_order_days": days,
            "window_spend": np.round(days * rng.lognormal(4.6, 1.1, n) - 20 * (days == 1), 2),
            "last_order_date": pd.Timestamp("2026-10-31") - pd.to_timedelta(recency, unit="D"),
        },
        index=pd.Index([f"C{i}" for i in range(n)], name="customer_id"),
    )
    snap.loc[snap["order_count"] == 0, "window_spend"] = 0.0
    return RFM().fit(snap).transform(snap)


@pytest.fixture(scope="module")
def orders() -> pd.Series[int]:
    days = pd.date_range("2025-11-03", "2026-10-31")
    counts = pd.Series(5, index=days)
    return counts.drop(days[20:23])


@pytest.fixture
def draw(scored: pd.DataFrame, orders: pd.Series[int]) -> Callable[[str, Language], Axes]:
    rfm = RFM().fit(scored)
    buyers = scored.loc[scored["order_count"] > 0]

    def _draw(name: str, language: Language) -> Axes:
        frame = plots.Frame("2026-10-31", 365, language, "CNY")
        if name in {"recency", "frequency", "monetary"}:
            column = rfm.description()[name]
            cuts = rfm.cut_points_[column].dropna().tolist()
            split = rfm.description()[f"{name}_split"]
            return plots.distribution(buyers[column], dimension=name, cuts=cuts, split=split, frame=frame)  # type: ignore[arg-type]
        results: dict[str, Any] = {
            "score_grid": score_table(scored),
            "segment_bars": segment_summary(scored),
            "pareto": pareto_curve(scored),
            "gap_bars": shortest_table(core_gap(scored)),
            "coverage": orders,
            "ledger_bars": {"used": 41_234, "refund": 812, "quarantined": 37},
            "orders_by_week": orders.resample("W-MON", label="left", closed="left").sum(),
        }
        shaded = {"seasons": seasons(date(2025, 11, 3), date(2026, 10, 31), SHOP)}
        more = shaded if name in {"coverage", "orders_by_week"} else {}
        drawn: Axes = getattr(plots, name)(results[name], frame=frame, **more)
        return drawn

    return _draw


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.figure.findobj(Text)]


def on_canvas(ax: Axes) -> bool:
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    box = figure.get_tightbbox()
    return bool(min(box.min) >= -0.01 and (box.max <= figure.get_size_inches() + 0.01).all())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_speaks_its_language_and_stays_on_its_canvas(
    name: str, language: Language, draw: Callable[[str, Language], Axes], caplog: pytest.LogCaptureFixture
) -> None:
    assert plots.use_look(language).status == "passed"
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        ax = draw(name, language)
        ax.figure.canvas.draw()
    assert not caplog.records
    assert on_canvas(ax)
    assert re.search(r"\d", ax.get_title(loc="left"))
    chinese = bool(re.search(r"[\u4e00-\u9fff]", "".join(texts(ax))))
    assert chinese == (language == "zh")
    assert not any("�" in text or "{" in text for text in texts(ax))


def boxes(ax: Axes, names: set[str]) -> list[Any]:
    ax.figure.canvas.draw()
    return [text.get_window_extent() for text in ax.texts if text.get_text() in names]


@pytest.mark.parametrize("years", [1, 2, 5, 12])
@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_seasons_never_overlap_and_each_stands_at_least_once(language: Language, years: int) -> None:
    plots.use_look(language)
    frame = plots.Frame("2026-10-31", language=language)
    days = pd.date_range(f"{2026 - years}-11-02", "2026-10-31", freq="W-MON")
    found = seasons(days[0].date(), days[-1].date(), SHOP)
    ax = plots.orders_by_week(pd.Series(5, index=days), frame=frame, seasons=found)
    names = {words(language).label(name) for name in found.loc[found["kind"] != "own", "name"]} | {"$own$ <b>"}
    assert names == {text.get_text() for text in ax.texts} & names
    drawn = boxes(ax, names)
    assert not any(one.overlaps(other) for i, one in enumerate(drawn) for other in drawn[:i])
    assert on_canvas(ax)


@pytest.mark.parametrize("years", [1, 3])
def test_names_of_seasons_under_the_weeks_never_overlap(years: int) -> None:
    plots.use_look("en")
    days = pd.date_range(f"{2027 - years}-01-01", "2026-12-31")
    found = seasons(days[0].date(), days[-1].date(), SHOP)
    ax = plots.coverage(pd.Series(3, index=days), frame=plots.Frame("2026-12-31"), seasons=found)
    names = {words("en").label(name) for name in found.loc[found["kind"] != "own", "name"]}
    drawn = boxes(ax, names)
    assert len(drawn) == 4 * years
    assert not any(one.overlaps(other) for i, one in enumerate(drawn) for other in drawn[:i])
    assert on_canvas(ax)


def test_shading_covers_the_days_of_a_season_and_changes_no_limits() -> None:
    _, ax = plt.subplots()
    ax.set_xlim(np.datetime64("2026-10-05"), np.datetime64("2026-11-30"))  # type: ignore[arg-type]
    limits = ax.get_xlim()
    found = seasons(date(2026, 1, 1), date(2026, 12, 31), SHOP)
    rise = shade(ax, found, frame=plots.Frame("2026-10-31"))
    assert ax.get_xlim() == limits
    assert rise > 0
    bands = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    double_11, national_day = ((band.get_x(), band.get_x() + band.get_width()) for band in bands)
    first = limits[0]
    assert national_day == (first, first + 3)
    assert double_11 == (first + 27, first + 38)
    assert to_rgb(SEASON_COLOURS["sale"]) == bands[0].get_facecolor()[:3]


def test_without_seasons_nothing_is_shaded() -> None:
    _, ax = plt.subplots()
    assert shade(ax, seasons(date(2026, 7, 1), date(2026, 7, 31), SHOP), frame=plots.Frame("2026-10-31")) == 0
    assert not ax.patches


@pytest.mark.parametrize("name", ["recency", "frequency", "segment_bars", "gap_bars", "ledger_bars"])
def test_bars_start_at_zero(name: str, draw: Callable[[str, Language], Axes]) -> None:
    ax = draw(name, "en")
    upright = name in {"recency", "frequency"}
    low, high = ax.get_ylim() if upright else ax.get_xlim()
    assert low == 0 < high
    assert (ax.get_yscale() if upright else ax.get_xscale()) == "linear"


def test_units_and_window_stand_at_the_axes(draw: Callable[[str, Language], Axes]) -> None:
    assert draw("recency", "en").get_xlabel() == "Days since the last order, as of 31 October 2026"
    assert draw("frequency", "zh").get_xlabel().startswith("近 365 天内下单的天数")
    assert draw("monetary", "en").get_xlabel().startswith("Spend in the last 365 days, ¥")
    assert draw("pareto", "en").get_ylabel() == "Share of spend in the last 365 days"


def test_titles_carry_the_finding() -> None:
    frame = plots.Frame("2026-10-31")
    spread = pd.Series([10.0, 20.0, 30.0, 40.0])
    ax = plots.distribution(spread, dimension="recency", cuts=[25.0], split=25, frame=frame)
    assert ax.get_title(loc="left") == "50% of buyers ordered less than 25 days ago"
    ax = plots.distribution(pd.Series([1.0, 1.0, 1.0, 4.0]), dimension="frequency", cuts=[1.0], split=1, frame=frame)
    assert ax.get_title(loc="left") == "25% of buyers ordered on more than one day"
    curve = pareto_curve(pd.DataFrame({"order_count": [1] * 5, "window_spend": [60.0, 10, 10, 10, 10]}))
    assert plots.pareto(curve, frame=frame).get_title(loc="left") == "20% of buyers bring 60% of spend"
    weeks = pd.Series([10, 30, 20], index=pd.to_datetime(["2026-06-01", "2026-06-08", "2026-06-15"]))
    ax = plots.orders_by_week(weeks, frame=frame, seasons=seasons(date(2026, 6, 1), date(2026, 6, 21), SHOP))
    assert ax.get_title(loc="left") == "A usual week brings 20 order lines, the busiest 30"
    assert "week from 8 June 2026" in texts(ax)
    ax = plots.ledger_bars({"used": 98, "quarantined": 2}, frame=frame)
    assert ax.get_title(loc="left") == "98% of 100 rows are used, 2 quarantined"
    assert "98 · 98%" in texts(ax)


def test_each_score_zone_and_cut_is_named() -> None:
    values = pd.Series(np.arange(0.0, 101.0))
    frame = plots.Frame("2026-10-31")
    ax = plots.distribution(values, dimension="recency", cuts=[75.0, 50.0, 25.0], split=40, frame=frame)
    places = {text.get_text(): text.get_position()[0] for text in ax.texts}
    assert places["R4"] < places["R3"] < places["R2"] < places["R1"]
    assert {"25", "50", "75"} <= set(places)
    assert {"← high", "low →"} <= set(places)


def test_skewed_money_says_whom_it_cannot_draw() -> None:
    money = pd.Series([-5.0, 0.0, 1.0, 2.0, 3.0, 1_000.0])
    ax = plots.distribution(money, dimension="monetary", cuts=[2.0], split=1.5, frame=plots.Frame("2026-10-31"))
    assert ax.get_xscale() == "log"
    assert "2 buyers at zero or below are not drawn" in ax.get_xlabel()
    even = plots.distribution(
        money.clip(upper=4), dimension="monetary", cuts=[2.0], split=1.5, frame=plots.Frame("2026-10-31")
    )
    assert even.get_xscale() == "linear"


def test_buyers_who_are_all_alike_can_be_drawn() -> None:
    for name in DIMENSIONS:
        ax = plots.distribution(pd.Series([5.0] * 9), dimension=name, cuts=[], split=5, frame=plots.Frame("2026-10-31"))
        ax.figure.canvas.draw()


def test_small_counts_are_written_as_such_and_not_drawn() -> None:
    index = pd.MultiIndex.from_tuples([(1, 1), (2, 2)], names=["r_score", "f_score"])
    table = pd.DataFrame({"customers": [50, 3], "mean_window_spend": [10.0, 777.0]}, index=index)
    ax = plots.score_grid(table, frame=plots.Frame("2026-10-31"))
    assert "<10" in texts(ax)
    assert not any("777" in text for text in texts(ax))
    assert ax.get_title(loc="left") == "Fewer than 10 buyers score highest on both R and F"
    own = plots.score_grid(table, frame=plots.Frame("2026-10-31", min_cell=1))
    assert "¥777" in texts(own)
    gaps = pd.DataFrame({"recency": [2], "frequency": [3], "monetary": [0]}, index=["lost"])
    bars = [
        patch for patch in plots.gap_bars(gaps, frame=plots.Frame("2026-10-31")).patches if isinstance(patch, Rectangle)
    ]
    assert sum(bar.get_width() for bar in bars) == 0


def test_a_business_of_a_few_customers_can_be_drawn() -> None:
    snap = pd.DataFrame(
        {"order_count": [1, 1], "recency_days": [3.0, 9.0], "window_order_days": [1, 1], "window_spend": [5.0, -8.0]},
        index=["A", "B"],
    ).assign(last_order_date=pd.Timestamp("2026-10-01"))
    scored = RFM().fit(snap).transform(snap)
    frame = plots.Frame("2026-10-31")
    drawn = [
        plots.score_grid(score_table(scored), frame=frame),
        plots.segment_bars(segment_summary(scored), frame=frame),
        plots.gap_bars(shortest_table(core_gap(scored)), frame=frame),
        plots.gap_bars(shortest_table(core_gap(scored)).iloc[:0], frame=frame),
        plots.ledger_bars({}, frame=frame),
    ]
    for ax in drawn:
        ax.figure.canvas.draw()
    titles = [ax.get_title(loc="left") for ax in drawn]
    assert titles[1:4] == [*["No segment has 10 customers"] * 2, "Every customer is in the core"]
    assert texts(drawn[1]).count("<10 customers") == 2
    own = plots.segment_bars(segment_summary(scored), frame=plots.Frame("2026-10-31", min_cell=1))
    assert own.get_title(loc="left") == "Big occasional: 50% of customers, – of spend"


def test_missing_days_are_counted_and_marked(orders: pd.Series[int]) -> None:
    frame = plots.Frame("2026-10-31")
    ax = plots.coverage(orders, frame=frame)
    assert ax.get_title(loc="left") == "3 of 363 days up to 31 October 2026 have no orders"
    (crosses,) = ax.get_lines()
    assert len(np.asarray(crosses.get_xdata())) == 3
    full = plots.coverage(orders.iloc[:10], frame=frame)
    assert full.get_title(loc="left") == "All 10 days up to 12 November 2025 have orders"


@pytest.mark.parametrize("years", [1, 2, 6])
def test_a_calendar_of_many_years_has_room(years: int) -> None:
    plots.use_look("en")
    days = pd.date_range("2020-01-01", f"{2019 + years}-12-31")
    ax = plots.coverage(pd.Series(3, index=days).drop(days[40]), frame=plots.Frame("2026-10-31"))
    ax.figure.canvas.draw()
    assert on_canvas(ax)


def test_a_day_stands_in_its_week_and_weekday() -> None:
    """2026-01-01 is a Thursday; Monday the 5th opens the second week."""
    days = pd.Series([1, 1], index=pd.to_datetime(["2026-01-01", "2026-01-06"]))
    (crosses,) = plots.coverage(days, frame=plots.Frame("2026-10-31")).get_lines()
    places = np.column_stack([np.asarray(crosses.get_xdata()), np.asarray(crosses.get_ydata())]) - 0.5
    assert places.tolist() == [[0, 4], [0, 5], [0, 6], [1, 0]]


def lightness(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(116 * np.dot([0.2126, 0.7152, 0.0722], linear) ** (1 / 3) - 16)


def test_every_segment_has_its_colour_and_grey_print_keeps_the_order_of_value() -> None:
    assert tuple(SEGMENT_COLOURS) == (*SEGMENTS, PROSPECT)
    assert np.diff([lightness(colour) for colour in SEGMENT_COLOURS.values()]).min() > 5
    assert np.diff([lightness(colour) for colour in DIMENSION_COLOURS.values()]).min() > 20


def test_segments_wear_their_colours_in_the_order_of_value(
    draw: Callable[[str, Language], Axes], scored: pd.DataFrame
) -> None:
    ax = draw("segment_bars", "zh")
    names = [name for name in segment_summary(scored).index if name != "total"]
    assert [label.get_text() for label in ax.get_yticklabels()] == [words("zh").segment(name) for name in names]
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)][len(names) :]
    assert [bar.get_facecolor()[:3] for bar in bars] == [to_rgb(SEGMENT_COLOURS[name]) for name in names]


def test_a_picture_is_drawn_where_it_is_asked_to_be() -> None:
    _, (left, right) = plt.subplots(1, 2)
    ax = plots.ledger_bars({"used": 1}, right, frame=plots.Frame("2026-10-31"))
    assert ax is right
    assert not left.patches


def test_show_publishes_one_sharp_picture_with_its_text_and_closes_it(
    monkeypatch: pytest.MonkeyPatch, draw: Callable[[str, Language], Axes]
) -> None:
    shown: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def publish(data: dict[str, Any], *, metadata: dict[str, Any], raw: bool) -> None:
        assert raw
        shown.append((data, metadata))

    monkeypatch.setattr("IPython.display.display", publish)
    plots.use_look("en")
    plots.show(draw("pareto", "en"), alt="20% of buyers bring 74% of spend")
    ((data, metadata),) = shown
    assert metadata["image/png"] == {"alt": "20% of buyers bring 74% of spend", "width": 840}
    assert data["text/plain"] == "20% of buyers bring 74% of spend"
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


def test_the_words_need_no_drawing_library() -> None:
    code = "import sys, toolkit.report.words; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
