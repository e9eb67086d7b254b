"""Result -> Axes: nothing is computed here but where things stand; the title says the finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import PercentFormatter

from toolkit.report.frame import Frame, at_bar_end, bars_down, headline, key
from toolkit.report.look import DIMENSION_COLOURS, EDGE, INK, MUTED, SEGMENT_COLOURS, canvas, show, use_look
from toolkit.report.plots_health import coverage, ledger_bars, orders_by_week
from toolkit.report.plots_scores import distribution, score_grid

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "Frame",
    "coverage",
    "distribution",
    "gap_bars",
    "ledger_bars",
    "orders_by_week",
    "pareto",
    "score_grid",
    "segment_bars",
    "show",
    "use_look",
]

_EDGE: dict[str, Any] = {"edgecolor": EDGE, "linewidth": 0.5}


def segment_bars(summary: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw each segment's share of customers beside its share of spend.

    Parameters
    ----------
    summary
        Output of ``segment_summary``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title names the segment that brings most.
    """
    rows = summary.drop(index="total")
    shares = ["share_of_customers", "share_of_spend"]
    rows.loc[[frame.small(customers) for customers in rows["customers"]], shares] = np.nan
    ax = canvas(ax, rows=1.35 * len(rows) + 3)
    fills = ["#d5d5d5"] * len(rows), [SEGMENT_COLOURS[name] for name in rows.index]
    for column, offset, fill in zip(shares, (-0.2, 0.2), fills, strict=True):
        ax.barh(np.arange(len(rows)) + offset, rows[column].fillna(0.0), 0.36, color=fill, **_EDGE)
        for place, (share, customers) in enumerate(zip(rows[column], rows["customers"], strict=True)):
            few = frame.small(customers)
            text = frame.say("people", n=frame.count(customers)) if few else frame.words.percent(share)
            told = f"{text}  {frame.words.label(column)}" if place == 0 and not few else text
            if offset < 0 or not few:
                at_bar_end(ax, float(np.nan_to_num(share)), place + offset, told, bold=offset > 0)
    bars_down(ax, [frame.words.segment(name) for name in rows.index])
    _share_axis(ax, frame.say("axis_shares"))
    ax.set_xlim(1.1 * min(0.0, rows["share_of_spend"].min()), 1.4 * np.nanmax([0.1, *rows[shares].to_numpy().ravel()]))
    by = "share_of_spend" if rows["share_of_spend"].notna().any() else "share_of_customers"
    if rows[by].isna().all():
        headline(ax, frame.say("title_small", n=str(frame.min_cell)))
        return ax
    top = str(rows[by].idxmax())
    figures = {name: frame.words.percent(float(rows[f"share_of_{name}"][top])) for name in ("customers", "spend")}
    headline(ax, frame.say("title_segments", segment=frame.words.segment(top), **figures))
    return ax


def pareto(curve: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw the cumulated share of spend over buyers, the biggest first.

    Parameters
    ----------
    curve
        Output of ``pareto_curve``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title says what a fifth of the buyers bring.
    """
    ax = canvas(ax)
    fifth = float(curve.loc[np.isclose(curve["share_of_customers"], 0.2), "share_of_spend"].iloc[0])
    ax.plot(curve["share_of_customers"], curve["share_of_spend"], color=SEGMENT_COLOURS["champions"], linewidth=2.4)
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(frame.words.label("all_alike"), (0.62, 0.6), color=MUTED, va="top")
    ax.vlines(0.2, 0, fifth, color=INK, linewidth=1, linestyle=":")
    ax.plot([0.2], [fifth], "o", color=INK, markersize=7)
    ax.annotate(
        f"20% → {frame.words.percent(fifth)}",
        (0.2, fifth),
        xytext=(10, -14),
        textcoords="offset points",
        fontweight="bold",
    )
    _share_axis(ax, frame.words.label("share_of_buyers_best_first"))
    ax.set(
        xlim=(0, 1),
        ylim=(0, max(1.02, 1.02 * float(curve["share_of_spend"].max()))),
        ylabel=frame.say("axis_share_of_spend"),
    )
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="both")
    headline(ax, frame.say("title_pareto", spend=frame.words.percent(fifth)))
    return ax


def gap_bars(table: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw per segment which dimension falls short most, as shares of the segment's customers.

    Parameters
    ----------
    table
        Output of ``shortest_table``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the number of customers stands behind each bar.
    """
    ax = canvas(ax, rows=len(table) + 5)
    if table.empty:
        ax.set_axis_off()
        headline(ax, frame.say("title_no_gap"))
        return ax
    sizes = table.sum(axis=1)
    shown = table.div(sizes, axis=0).astype("float64")
    shown.loc[[frame.small(size) for size in sizes]] = 0.0
    left = np.zeros(len(table))
    for dimension in DIMENSION_COLOURS:
        shares = shown[dimension].to_numpy()
        ax.barh(np.arange(len(table)), shares, 0.66, left=left, color=DIMENSION_COLOURS[dimension], **_EDGE)
        for place, (start, share) in enumerate(zip(left, shares, strict=True)):
            if share >= 0.07:
                ink = "white" if dimension == "recency" else INK
                ax.text(start + share / 2, place, frame.words.percent(share), ha="center", va="center", color=ink)
        left += shares
    for place, size in enumerate(sizes):
        ax.text(1.01, place, frame.count(size), va="center", color=MUTED)
    ax.text(1.01, -0.75, frame.words.label("customers"), va="bottom", color=MUTED, fontsize=9.5)
    bars_down(ax, [frame.words.segment(str(name)) for name in table.index])
    _share_axis(ax, frame.words.label("share_of_segment"))
    ax.set_xlim(0, 1)
    key(ax, {frame.words.label(name): colour for name, colour in DIMENSION_COLOURS.items()})
    whole = table.sum() / sizes.sum()
    worst = str(whole.idxmax())
    share_of_all = frame.words.percent(float(whole[worst]))
    found = frame.say("title_gap", dimension=frame.words.label(worst), share=share_of_all)
    headline(ax, frame.say("title_small", n=str(frame.min_cell)) if not left.any() else found, rise=34)
    return ax


def _share_axis(ax: Axes, label: str) -> None:
    ax.set_xlabel(label)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="x")
