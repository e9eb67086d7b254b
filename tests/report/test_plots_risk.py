"""Pictures of risk and value: what they say, what they hide, and that nothing leaves its canvas."""

from __future__ import annotations

import logging
import re
import warnings
from datetime import date
from typing import TYPE_CHECKING, get_args

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from toolkit.report import (
    clock_tables,
    plots_backtest,
    plots_clock,
    plots_curves,
    plots_risk,
    plots_value,
    risk_tables,
    value_tables,
)
from toolkit.report.frame import Frame
from toolkit.report.look import use_look
from toolkit.report.small_cells import Mark
from toolkit.report.words import TOTAL, Language
from toolkit.schema import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

AS_OF = "2026-10-31"
LANGUAGES = get_args(Language)
RATES = dict(zip(SEGMENTS, (0.02, 0.012, 0.006, 0.003, 0.014, 0.008, 0.004, 0.0002), strict=True))
SIZES = dict(zip(SEGMENTS, (320, 60, 180, 40, 700, 500, 150, 6), strict=True))


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")


def framed(language: Language = "en", min_cell: int = 0) -> Frame:
    return Frame(AS_OF, 365, language, "CNY", min_cell)


def curves() -> pd.DataFrame:
    parts = []
    for tier, rate in RATES.items():
        days = np.arange(0, 91.0)
        left = np.exp(-rate * days)
        half = 1.96 * np.sqrt(left * (1 - left) / SIZES[tier])
        parts.append(
            pd.DataFrame(
                {
                    "group": tier, "time": days, "survival": left, "lower": (left - half).clip(0),
                    "upper": (left + half).clip(None, 1), "at_risk": np.round(SIZES[tier] * left).astype(int),
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def buyers(n: int = 2_000) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(3)
    share = np.array([SIZES[name] for name in SEGMENTS]) / sum(SIZES.values())
    tiers = pd.Series(pd.Categorical(rng.choice(SEGMENTS, n, p=share), SEGMENTS, ordered=True), name="segment")
    risk = np.exp(-90 * tiers.astype(object).map(RATES).astype(float) * rng.gamma(4, 0.25, n))
    active = rng.lognormal(5, 1, n)
    table = pd.DataFrame({"risk": risk, "p_alive": 1 - risk**2, "expected_spend_given_active": active})
    table["expected_spend"] = table["p_alive"] * active
    table["money_at_risk"] = table["risk"] * active
    return table, tiers


def totals(table: pd.DataFrame, tiers: pd.Series) -> dict[str, pd.DataFrame]:
    parts = {name: table["expected_spend"][tiers == name].sum() for name in SEGMENTS}
    sums = {**parts, TOTAL: table["expected_spend"].sum()}
    return {
        name: pd.DataFrame({"expected": [spend], "lower": [0.8 * spend], "upper": [1.2 * spend]}, index=["spend"])
        for name, spend in sums.items()
    }


def drivers() -> pd.DataFrame:
    ratios = {
        "recency_days": (0.03, 0.02, 0.05, 0.0),
        "order_days": (1.7, 1.5, 1.9, 0.0),
        "window_spend": (1.05, 0.97, 1.14, 0.2),
    }
    table = pd.DataFrame.from_dict(ratios, orient="index", columns=["hazard_ratio", "lower", "upper", "p_value"])
    return table.assign(contrast=["311 against 43", "4 against 1", "1498 against 9.9"])


def candidates() -> pd.DataFrame:
    days = np.arange(30, 361, 30)
    lost = (3_000 * np.exp(-days / 60)).round()
    table = pd.DataFrame({"called_lost": lost.astype(int), "lost_but_ordered": 0.35 * np.exp(-days / 90)}, index=days)
    table["alive_but_silent"] = 0.25 + 0.35 * (1 - np.exp(-days / 150))
    for name in plots_clock.ERRORS:
        table[f"{name}_lower"], table[f"{name}_upper"] = table[name] * 0.9, table[name] * 1.1
    return table.rename_axis("window_days")


def weeks(after: float = 3.0) -> pd.DataFrame:
    days = pd.date_range("2025-01-05", periods=50, freq="14D").as_unit("s")
    made = np.arange(50.0) * 20
    later = np.arange(50) > 40
    expected = np.where(later, made[40] + after * (made - made[40]), made)
    table = {"actual": made, "expected": expected, "lower": 0.9 * expected, "upper": 1.1 * expected, "forecast": later}
    return pd.DataFrame(table, index=days)


def bins() -> pd.DataFrame:
    told = np.linspace(0.05, 0.95, 10)
    return pd.DataFrame({"predicted": told, "observed": told, "lower": told - 0.04, "upper": told + 0.04, "n": 300})


def tenths() -> pd.DataFrame:
    observed = np.linspace(0.99, 0.1, 10)
    told = [">99.1%", *(f"{100 * share:.0f}%" for share in observed[1:-1]), "*"]
    return pd.DataFrame({"observed": observed, "told": told}, index=pd.RangeIndex(1, 11, name="decile"))


def _curves(frame: Frame) -> Axes:
    left = risk_tables.at_risk(curves(), [0, 30, 60, 90], frame=frame)
    return plots_curves.curve_lines(curves(), left, by="segment", since="2026-08-02", frame=frame)


def _members(frame: Frame) -> Axes:
    one = curves().query("group == 'newcomers'")
    return plots_curves.member_curve(one, naive=one.assign(survival=np.sqrt(one["survival"])), frame=frame)


def _bands(frame: Frame) -> Axes:
    table, tiers = buyers()
    cells = risk_tables.risk_bands(table["risk"], tiers, frame=frame)
    means = risk_tables.mean_risks(table["risk"], tiers, frame=frame)
    return plots_risk.risk_bars(cells, means, by="segment", horizon=90, frame=frame)


def _forest(frame: Frame) -> Axes:
    return plots_risk.drivers_forest(risk_tables.by_risk(drivers(), "order"), outcome="order", frame=frame)


def _clock(frame: Frame) -> Axes:
    cells = clock_tables.clock_cells(candidates(), 3_000, frame=frame)
    return plots_clock.clock_lines(cells, recommended=120, horizon=90, frame=frame)


def _grid(frame: Frame) -> Axes:
    table, _ = buyers()
    counts = value_tables.save_counts(table, frame=frame)
    return plots_value.save_grid(counts, value_tables.save_money(table, counts, frame=frame), horizon=90, frame=frame)


def _tiers(frame: Frame) -> pd.DataFrame:
    table, tiers = buyers()
    return value_tables.by_tier(table, tiers, totals(table, tiers), frame=frame)


DRAWN: dict[str, Callable[[Frame], Axes]] = {
    "curves": _curves,
    "members": _members,
    "bands": _bands,
    "forest": _forest,
    "clock": _clock,
    "calibration": lambda frame: plots_backtest.calibration_curve(bins(), slope=0.98, horizon=90, frame=frame),
    "lift": lambda frame: plots_backtest.lift_bars(tenths(), mean=0.6, horizon=90, frame=frame),
    "grid": _grid,
    "money": lambda frame: plots_value.money_bars(_tiers(frame), by="segment", horizon=90, frame=frame),
    "spend": lambda frame: plots_value.spend_dots(_tiers(frame), by="segment", horizon=90, frame=frame),
    "alive": lambda frame: plots_value.alive_bars(_tiers(frame), by="segment", frame=frame),
    "tracking": lambda frame: plots_value.tracking_lines(weeks(), frame=frame),
    "pareto": lambda frame: plots_value.expected_pareto(
        value_tables.concentration(buyers()[0]["expected_spend"]), horizon=90, frame=frame
    ),
}


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.figure.findobj(Text)]


@pytest.mark.parametrize("min_cell", [0, 10])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DRAWN)
def test_every_picture_speaks_its_language_and_stays_on_its_canvas(
    name: str, language: Language, min_cell: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert use_look(language).status == "passed"
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        ax = DRAWN[name](framed(language, min_cell))
        ax.figure.canvas.draw()
    assert not caplog.records
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    box = figure.get_tightbbox()
    assert min(box.min) >= -0.01
    assert (box.max <= figure.get_size_inches() + 0.01).all()
    assert ax.get_title(loc="left")
    assert bool(re.search(r"[\u4e00-\u9fff]", "".join(texts(ax)))) == (language == "zh")
    assert not any("�" in text or "{" in text for text in texts(ax))


@pytest.mark.parametrize("name", ["money", "alive", "lift", "bands"])
def test_bars_start_at_zero(name: str) -> None:
    ax = DRAWN[name](framed())
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    lying = name != "lift"
    starts = {round(bar.get_x() if lying else bar.get_y(), 9) for bar in bars}
    assert 0.0 in starts
    assert (ax.get_xlim() if lying else ax.get_ylim())[0] == 0.0


def test_names_at_the_ends_of_curves_never_overlap() -> None:
    use_look("en")
    ax = _curves(framed())
    ax.figure.canvas.draw()
    drawn = [text.get_window_extent() for text in ax.texts if text.get_text().endswith("%")]
    assert len(drawn) == len(SEGMENTS)
    assert not any(one.overlaps(other) for place, one in enumerate(drawn) for other in drawn[:place])


def test_curves_compare_the_tier_that_comes_back_most_with_the_one_that_does_least() -> None:
    assert _curves(framed()).get_title(loc="left") == "Back within 90 days: Champions 83%, Lost 2%"
    assert _curves(framed(min_cell=10)).get_title(loc="left") == "Back within 90 days: Champions 83%, Slipping big 24%"


def test_what_slows_the_next_order_stands_to_the_right() -> None:
    table = risk_tables.by_risk(drivers(), "order")
    ends = table[["lower", "times", "upper"]]
    assert (ends.loc[["recency_days"]] > 1).to_numpy().all()
    assert (ends.loc[["order_days"]] < 1).to_numpy().all()
    assert (table["lower"] < table["times"]).all()
    assert (table["times"] < table["upper"]).all()
    assert _forest(framed()).get_title(loc="left") == "What raises risk most: Days since last order"
    of_an_end = risk_tables.by_risk(drivers(), "end")
    assert (of_an_end["times"] == drivers()["hazard_ratio"]).all()


def test_hidden_bands_are_one_white_piece() -> None:
    row: dict[str, object] = {"0.0": 30, "0.2": Mark("<10"), "0.4": 20, "0.6": Mark("≥10"), "0.8": 0, TOTAL: 100}
    assert plots_risk.shares_of(row, ["0.0", "0.2", "0.4", "0.6", "0.8"]) == pytest.approx([0.3, 0.25, 0.2, 0.25, 0.0])


def test_the_clock_marks_its_recommendation_and_leaves_out_what_rests_on_few() -> None:
    ax = _clock(framed(min_cell=10))
    assert "120 days" in texts(ax)
    line = np.asarray(ax.lines[0].get_ydata())
    assert np.isfinite(line[0])
    assert np.isnan(line[-1])


@pytest.mark.parametrize(("slope", "told"), [(1.0, "come true"), (0.7, "too far"), (1.3, "too little")])
def test_the_slope_decides_what_the_calibration_says(slope: float, told: str) -> None:
    ax = plots_backtest.calibration_curve(bins(), slope=slope, horizon=90, frame=framed())
    assert told in ax.get_title(loc="left")


@pytest.mark.parametrize(("after", "told"), [(3.0, "200% more"), (0.5, "50% fewer"), (1.0, "as many")])
def test_tracking_is_judged_after_the_day_that_the_model_knows(after: float, told: str) -> None:
    assert told in plots_value.tracking_lines(weeks(after), frame=framed()).get_title(loc="left")


def test_the_cell_with_most_money_at_risk_is_where_to_start() -> None:
    frame = framed()
    table, _ = buyers()
    counts = value_tables.save_counts(table, frame=frame)
    money = value_tables.save_money(table, counts, frame=frame)
    sizes = money.to_numpy(dtype=float)
    i, j = np.unravel_index(sizes.argmax(), sizes.shape)
    row, band = str(money.index[int(i)]), str(money.columns[int(j)])
    title = plots_value.save_grid(counts, money, horizon=90, frame=frame).get_title(loc="left")
    assert title == f"Start here: {counts.loc[row, band]} buyers with {frame.money(float(sizes[i, j]))} at risk"


def test_a_business_of_a_few_buyers_can_be_drawn() -> None:
    frame = framed(min_cell=10)
    table, tiers = buyers(8)
    cells = risk_tables.risk_bands(table["risk"], tiers, frame=frame)
    assert plots_risk.risk_bars(cells, {}, by="segment", horizon=90, frame=frame).get_title(loc="left")
    few = curves().assign(at_risk=5)
    left = risk_tables.at_risk(few, [0, 30], frame=frame)
    told = plots_curves.curve_lines(few, left, by="segment", since=str(date(2026, 8, 2)), frame=frame)
    assert "Too few" in told.get_title(loc="left")
    shown = value_tables.by_tier(table, tiers, totals(table, tiers), frame=frame)
    assert "Too few" in plots_value.money_bars(shown, by="segment", horizon=90, frame=frame).get_title(loc="left")
    assert "Too few" in plots_value.spend_dots(shown, by="segment", horizon=90, frame=frame).get_title(loc="left")


def test_a_picture_is_drawn_where_it_is_asked_to_be() -> None:
    ax = plt.subplots()[1]
    assert plots_backtest.lift_bars(tenths(), ax, mean=0.6, horizon=90, frame=framed()) is ax
