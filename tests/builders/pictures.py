"""Every picture of the pages, drawn from frames laid out by hand or from one demo study; and how to look at one."""

from __future__ import annotations

import logging
import re
import warnings
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import toolkit as tk
from tests.builders import laid_out, laid_out_risk
from toolkit.data.seasons import seasons
from toolkit.report import (
    clock_tables,
    clustering,
    moves,
    plots,
    plots_backtest,
    plots_bridge,
    plots_clock,
    plots_clusters,
    plots_curves,
    plots_experiment,
    plots_moves,
    plots_rhythm,
    plots_risk,
    plots_stages,
    plots_tiers,
    plots_value,
    risk_tables,
    tiering,
    value_tables,
)
from toolkit.report.frame import Frame
from toolkit.report.look import use_look
from toolkit.report.moves_cells import bridge_of, crosstab
from toolkit.report.plan_tables import power_cells
from toolkit.report.rhythm_cells import cohorts_of, periods_of, settings_of
from toolkit.report.trial_words import Names
from toolkit.report.words import Language
from toolkit.segments.core import core_gap, shortest_table
from toolkit.segments.history import compare_hysteresis
from toolkit.segments.summary import pareto_curve, score_table, segment_summary
from toolkit.study import parse_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from toolkit.strategy.experiment import Experiment

AS_OF, DAY = "2026-10-31", date(2026, 10, 31)
LANGUAGES: tuple[Language, ...] = get_args(Language)
SEASONAL = parse_study(
    {
        "name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY", "tables": {"orders": {"files": "orders.csv"}},
        "calendar": [{"name": "$own$ <b>", "first": "2026-02-20", "last": "2026-02-25"}],
    }
)  # fmt: skip


def framed(language: Language = "en", min_cell: int = 0) -> Frame:
    return Frame(AS_OF, 365, language, "CNY", min_cell)


# looking at a picture


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.figure.findobj(Text) if isinstance(text, Text)]


def title(ax: Axes) -> str:
    return ax.get_title(loc="left")


def figures(text: str) -> list[str]:
    """Return the numbers of a sentence as they are written, in their order."""
    return re.findall(r"[¥€]?\d[\d,.]*\d%?|\d%?", text)


def bars(ax: Axes) -> list[Rectangle]:
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def laid_down(ax: Axes) -> Figure:
    """Give everything its place, as drawing does, without painting it."""
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    return figure


def fits(ax: Axes) -> bool:
    """Whether nothing leaves the canvas of a picture, which is laid down."""
    figure = laid_down(ax)
    box = figure.get_tightbbox()
    return bool(min(box.min) >= -0.01 and (box.max <= figure.get_size_inches() + 0.01).all())


def apart(drawn: Iterable[Text]) -> int:
    """Demand that none of these texts overlaps another, and return how many they are."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn]
    crossing = [(one, other) for at, (one, box) in enumerate(boxes) for other, its in boxes[:at] if box.overlaps(its)]
    assert not crossing
    return len(boxes)


def drawn_quietly(draw: Callable[[], Axes], language: Language, caplog: pytest.LogCaptureFixture) -> Axes:
    """Draw in the look of a language, and demand no warning and nothing off the canvas."""
    assert use_look(language).status == "passed"
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        ax = draw()
        assert fits(ax)
    assert not caplog.records
    return ax


def well_drawn(draw: Callable[[], Axes], language: Language, caplog: pytest.LogCaptureFixture) -> Axes:
    """Demand of what is drawn, beside that, a title, words of the language only, and no hole in a sentence."""
    ax = drawn_quietly(draw, language, caplog)
    assert title(ax)
    assert bool(re.search(r"[\u4e00-\u9fff]", "".join(texts(ax)))) == (language == "zh")
    assert not any("�" in text or "{" in text for text in texts(ax))
    return ax


# scores, segments, rows


@cache
def scored() -> pd.DataFrame:
    """Nine hundred customers, one in ten of whom never bought."""
    rng = np.random.default_rng(11)
    n = 900
    days = np.where(rng.random(n) < 0.1, 0, 1 + rng.poisson(rng.gamma(0.6, 3, n)))
    recency = np.where(days > 0, np.round(rng.exponential(120, n)), np.nan)
    snap = pd.DataFrame(
        {
            "order_count": days, "recency_days": recency, "window_order_days": days,
            "window_spend": np.round(days * rng.lognormal(4.6, 1.1, n) - 20 * (days == 1), 2),
            "last_order_date": pd.Timestamp(AS_OF) - pd.to_timedelta(recency, unit="D"),
        },
        index=pd.Index([f"C{i}" for i in range(n)], name="customer_id"),
    )  # fmt: skip
    snap.loc[snap["order_count"] == 0, "window_spend"] = 0.0
    return tk.RFM().fit(snap).transform(snap)


def orders_by_day() -> pd.Series[int]:
    """Five order lines on every day of a year but three."""
    days = pd.date_range("2025-11-03", AS_OF)
    return pd.Series(5, index=days).drop(days[20:23])


def distribution(dimension: str, frame: Frame) -> Axes:
    rfm = tk.RFM().fit(scored())
    column = rfm.description()[dimension]
    return plots.distribution(
        scored().loc[scored()["order_count"] > 0, column], dimension=dimension,  # type: ignore[arg-type]  # one of three
        cuts=rfm.cut_points_[column].dropna().tolist(), split=rfm.description()[f"{dimension}_split"], frame=frame,
    )  # fmt: skip


def coverage(frame: Frame) -> Axes:
    return plots.coverage(orders_by_day(), frame=frame, seasons=seasons(date(2025, 11, 3), DAY, SEASONAL))


def orders_by_week(frame: Frame) -> Axes:
    weeks = orders_by_day().resample("W-MON", label="left", closed="left").sum()
    return plots.orders_by_week(weeks, frame=frame, seasons=seasons(date(2025, 11, 3), DAY, SEASONAL))


# clusters


@cache
def four_groups(n: int = 400) -> pd.DataFrame:
    """Buyers of four kinds, unequal in size, that differ in days, counts and orders of magnitude of money."""
    rng = np.random.default_rng(1)
    kind = rng.choice(4, n, p=[0.45, 0.3, 0.15, 0.1])
    recency, tenure, days, spend, value = np.array(
        [[30, 300, 60, 200], [600, 500, 120, 400], [20, 2, 3, 8], [8000, 300, 900, 150], [400, 150, 300, 19]],
        dtype=float,
    )[:, kind]
    return buyers_with(
        recency_days=np.maximum(0, np.round(recency + 15 * rng.standard_normal(n))),
        window_order_days=np.maximum(1, rng.poisson(days)),
        window_spend=spend * np.exp(0.3 * rng.standard_normal(n)),
        mean_order_value=value * np.exp(0.3 * rng.standard_normal(n)),
        tenure_days=np.round(tenure + 30 * rng.standard_normal(n)),
    )


def buyers_with(**columns: Any) -> pd.DataFrame:
    snap = pd.DataFrame(columns)
    snap.index = pd.Index([f"C{i:05d}" for i in range(len(snap))], name="customer_id", dtype="string[pyarrow]")
    return snap.assign(order_count=1)


clustered = cache(lambda: tk.Clusters().fit(four_groups()))


def cluster_heat(clusters: tk.Clusters, frame: Frame) -> Axes:
    return plots_clusters.cluster_heat(
        clustering.heat(clusters, frame=frame), best=clustering.leader(clusters), frame=frame
    )


def choice_lines(clusters: tk.Clusters, frame: Frame) -> Axes:
    verdict, ari = clustering.verdict_key(clusters), clustering.agreement_of_halves(clusters, frame)
    return plots_clusters.choice_lines(clusters.choice_, k=clusters.k_, verdict=verdict, ari=ari, frame=frame)


# tiers, stages, moves of the demo


demo = cache(lambda: tk.Study.demo(customers=700, seed=5))
tiered = cache(lambda: tiering.tiers_at(demo(), DAY)[1])
portrait = cache(lambda: tk.portrait(tiered(), study=demo()))
stages = cache(lambda: tk.stage_figures(demo(), DAY))
move = cache(lambda: tk.migrate(demo(), "2026-07-31", AS_OF, tiers=tk.RFM()))
accounting = cache(lambda: tk.growth_accounting(demo(), "M", as_of=AS_OF))
cohorts = cache(lambda: tk.cohort_retention(demo(), AS_OF))
hysteresis = cache(lambda: compare_hysteresis(demo(), moves.evaluations(demo(), DAY), tiers=tk.RFM()))


def scheme_grid(frame: Frame) -> Axes:
    table = tiering.schemes(tiered(), ["segment", "purchase_habit", "contribution"], frame=frame)
    return plots_tiers.scheme_grid(table, frame=frame)


def hours(frame: Frame) -> Axes:
    table = pd.DataFrame(0.0, index=["view"], columns=range(24))
    table[21] = 1.0
    return plots_stages.hour_heat(table, ["V"], index=False, frame=frame)


def tier_hours(frame: Frame) -> Axes:
    index = pd.DataFrame(100.0, index=["champions", "lost"], columns=range(24))
    index.loc["lost", 7] = 250.0
    index.loc["champions", 3] = np.nan
    return plots_stages.hour_heat(index, ["C", "L"], index=True, frame=frame)


def of_the_matrix(plot: Callable[..., Axes], frame: Frame) -> Axes:
    return plot(crosstab(move(), frame=frame), by="segment", since=move().before, frame=frame)


def bridge(measure: str, frame: Frame) -> Axes:
    table = bridge_of(move(), measure, frame=frame)
    return plots_bridge.bridge_bars(table, by="segment", measure=measure, since=move().before, frame=frame)


def waterfall(frame: Frame) -> Axes:
    table = bridge_of(move(), "customers", frame=frame)
    return plots_bridge.waterfall(table, tier="champions", by="segment", frame=frame)


# risk and value


def curves(frame: Frame) -> Axes:
    left = risk_tables.at_risk(laid_out_risk.curves(), [0, 30, 60, 90], frame=frame)
    return plots_curves.curve_lines(laid_out_risk.curves(), left, by="segment", since="2026-08-02", frame=frame)


def member_curve(frame: Frame) -> Axes:
    one = laid_out_risk.curves().query("group == 'newcomers'")
    return plots_curves.member_curve(one, naive=one.assign(survival=np.sqrt(one["survival"])), frame=frame)


def risk_bands(frame: Frame) -> Axes:
    table, tiers = laid_out_risk.buyers()
    cells = risk_tables.risk_bands(table["risk"], tiers, frame=frame)
    means = risk_tables.mean_risks(table["risk"], tiers, frame=frame)
    return plots_risk.risk_bars(cells, means, by="segment", horizon=90, frame=frame)


def drivers(frame: Frame) -> Axes:
    return plots_risk.drivers_forest(
        risk_tables.by_risk(laid_out_risk.drivers(), "order"), outcome="order", frame=frame
    )


def clock(frame: Frame) -> Axes:
    cells = clock_tables.clock_cells(laid_out_risk.candidates(), 3_000, frame=frame)
    return plots_clock.clock_lines(cells, recommended=120, horizon=90, frame=frame)


def calibration(frame: Frame, slope: float = 0.98) -> Axes:
    return plots_backtest.calibration_curve(laid_out_risk.bins(), slope=slope, horizon=90, frame=frame)


def save_grid(frame: Frame) -> Axes:
    table, _ = laid_out_risk.buyers()
    counts = value_tables.save_counts(table, frame=frame)
    return plots_value.save_grid(counts, value_tables.save_money(table, counts, frame=frame), horizon=90, frame=frame)


def value_by_tier(frame: Frame, n: int = 2_000) -> pd.DataFrame:
    table, tiers = laid_out_risk.buyers(n)
    return value_tables.by_tier(table, tiers, laid_out_risk.totals(table, tiers), frame=frame)


def expected_pareto(frame: Frame) -> Axes:
    curve = value_tables.concentration(laid_out_risk.buyers()[0]["expected_spend"])
    return plots_value.expected_pareto(curve, horizon=90, frame=frame)


# experiments


def names_of(promise: Experiment | None = None, language: Language = "en", min_cell: int = 0) -> Names:
    return Names(promise or laid_out.spec(), framed(language, min_cell))


def forest(names: Names, **changed: Callable[[pd.DataFrame], pd.DataFrame]) -> Axes:
    """Draw the effects of a laid-out evaluation whose ``tiers`` or ``overall`` are changed."""
    result = laid_out.evaluation(names.spec)
    scale = names.scale("completed")
    parts = {"tiers": result.tiers, "overall": result.overall.query("metric == 'completed'")}
    parts = {name: changed[name](part) if name in changed else part.copy() for name, part in parts.items()}
    for part in parts.values():
        part["told"] = [
            f"{scale.lift(x)} ({scale.span(low, up)})" for x, low, up in part[["lift", "lower", "upper"]].to_numpy()
        ]
    return plots_experiment.effect_forest(parts["tiers"], parts["overall"], names=names, smallest=0.03)


def power(names: Names, **changed: Any) -> Axes:
    tiers, overall = power_cells(laid_out.plan(names.spec, **changed), names)
    return plots_experiment.power_bars(tiers, overall, names=names)


def redraws(names: Names, draws: int, **changed: Any) -> Axes:
    """Draw how often chance alone gives what the first arm's row of ``overall`` gave; its curve without draws."""
    result = laid_out.evaluation(names.spec, draws=draws)
    row = result.overall.iloc[0].copy()
    row.update(pd.Series(changed, dtype=object))
    mine = result.draws.loc[result.draws["arm"] == row["arm"], "statistic"].to_numpy(dtype=float)
    return plots_experiment.redraw_bars(mine, row, names=names, alpha=0.05)


PICTURES: dict[str, Callable[[Frame], Axes]] = {
    "recency": lambda frame: distribution("recency", frame),
    "frequency": lambda frame: distribution("frequency", frame),
    "monetary": lambda frame: distribution("monetary", frame),
    "score_grid": lambda frame: plots.score_grid(score_table(scored()), frame=frame),
    "segment_bars": lambda frame: plots.segment_bars(segment_summary(scored()), frame=frame),
    "pareto": lambda frame: plots.pareto(pareto_curve(scored()), frame=frame),
    "gap_bars": lambda frame: plots.gap_bars(shortest_table(core_gap(scored())), frame=frame),
    "coverage": coverage,
    "ledger_bars": lambda frame: plots.ledger_bars({"used": 41_234, "refund": 812, "quarantined": 37}, frame=frame),
    "orders_by_week": orders_by_week,
    "cluster_heat": lambda frame: cluster_heat(clustered(), frame),
    "choice_lines": lambda frame: choice_lines(clustered(), frame),
    "scheme_grid": scheme_grid,
    "index_dots": lambda frame: plots_tiers.index_dots(portrait(), "gender", frame=frame),
    "hours": hours,
    "tier_hours": tier_hours,
    "stage_bars": lambda frame: plots_stages.stage_bars(stages(), frame=frame),
    "alluvial": lambda frame: of_the_matrix(plots_moves.alluvial, frame),
    "matrix": lambda frame: of_the_matrix(plots_moves.matrix_heat, frame),
    "bridge": lambda frame: bridge("customers", frame),
    "bridge_spend": lambda frame: bridge("spend", frame),
    "waterfall": waterfall,
    "accounting": lambda frame: plots_rhythm.accounting_bars(periods_of(accounting(), frame=frame), frame=frame),
    "cohorts": lambda frame: plots_rhythm.cohort_triangle(
        cohorts_of(cohorts(), frame=frame), cohorts().overall, frame=frame
    ),
    "hysteresis": lambda frame: plots_rhythm.hysteresis_bars(settings_of(hysteresis(), frame=frame), frame=frame),
    "curves": curves,
    "members": member_curve,
    "risk_bands": risk_bands,
    "drivers": drivers,
    "clock": clock,
    "calibration": calibration,
    "lift": lambda frame: plots_backtest.lift_bars(laid_out_risk.tenths(), mean=0.6, horizon=90, frame=frame),
    "save_grid": save_grid,
    "money": lambda frame: plots_value.money_bars(value_by_tier(frame), by="segment", horizon=90, frame=frame),
    "spend": lambda frame: plots_value.spend_dots(value_by_tier(frame), by="segment", horizon=90, frame=frame),
    "alive": lambda frame: plots_value.alive_bars(value_by_tier(frame), by="segment", frame=frame),
    "tracking": lambda frame: plots_value.tracking_lines(laid_out_risk.weeks(), frame=frame),
    "expected_pareto": expected_pareto,
    "forest": lambda frame: forest(Names(laid_out.spec(), frame)),
    "forest_of_two_arms": lambda frame: forest(Names(laid_out.two_arms(), frame)),
    "power": lambda frame: power(Names(laid_out.spec(), frame)),
    "power_of_two_arms": lambda frame: power(Names(laid_out.two_arms(), frame)),
    "redraws": lambda frame: redraws(Names(laid_out.two_arms(), frame), 500),
    "redraw_curve": lambda frame: redraws(Names(laid_out.two_arms(), frame), 0),
}
"""Drawn for an analyst (``min_cell`` 0) or for a published page."""


def draw(name: str, language: Language = "en", min_cell: int = 0) -> Axes:
    use_look(language)
    return PICTURES[name](framed(language, min_cell))
