"""A customer's life in one picture: orders, messages and engagement, a lane each, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.report.frame import date_axis, day_numbers, headline
from toolkit.report.look import ALERT, BAR, DIMENSION_COLOURS, EDGE, INK, LINE, MUTED, SEGMENT_COLOURS, canvas
from toolkit.report.seasons import free_row, shade

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

_LANES = ("orders", "contacts", "events")
_HALF = 0.4
_BIGGEST, _SMALLEST = 620.0, 14.0
_NAMED = 4
_AT_LEAST_DAYS = 60


def customer_timeline(
    timeline: pd.DataFrame,
    by_week: pd.Series[int],
    ax: Axes | None = None,
    *,
    tables: tuple[str, ...],
    seasons: pd.DataFrame,
    as_of: date,
    title: str,
    frame: Frame,
) -> Axes:
    """Draw what a customer did and what was sent to them.

    Parameters
    ----------
    timeline
        Output of ``toolkit.data.timeline.timeline``.
    by_week
        Acts of engagement per week, by its Monday.
    ax
        Where to draw; a new figure where None.
    tables
        Tables that the study has: a lane for each of ``orders contacts events``.
    seasons
        Output of ``toolkit.data.seasons.seasons``.
    as_of
        Last day.
    title
        The finding.
    frame
        Language and currency.

    Returns
    -------
    Axes
        The picture: the area of a circle is money, a hollow one a refund; a dark stroke is a message that was opened.
    """
    lanes = [lane for lane in _LANES if lane in tables]
    ax = canvas(ax, rows=3 + 2.2 * len(lanes))
    place = {lane: len(lanes) - 1 - number for number, lane in enumerate(lanes)}
    end = day_numbers(as_of)[0] + 1
    start = min([end - _AT_LEAST_DAYS, *day_numbers(timeline["moment"])])
    pad = 0.02 * (end - start)
    ax.set_xlim(start - pad, end + pad)
    ax.set_ylim(-0.55, len(lanes) - 0.45)
    rise = shade(ax, seasons, frame=frame)
    ax.hlines(
        [place[lane] for lane in lanes if lane != "events"], start - pad, end + pad, color=LINE, linewidth=0.8, zorder=1
    )
    _orders(ax, timeline[timeline["table"] == "orders"], place["orders"], frame)
    if "contacts" in place:
        _messages(ax, timeline[timeline["table"] == "contacts"], place["contacts"])
    if "events" in place:
        _engagement(ax, by_week, place["events"])
    top = f"{by_week.max():,}" if len(by_week) else ""
    for lane in lanes:
        if not (timeline["table"] == lane).any():
            middle, said = (start + end) / 2, frame.say("lane_empty")
            ax.text(middle, place[lane] + 0.04, said, ha="center", va="bottom", color=MUTED, fontsize=9.5)
    names = [
        frame.say("lane_events_none") if lane == "events" and by_week.empty else frame.say(f"lane_{lane}", top=top)
        for lane in lanes
    ]
    ax.set_yticks([place[lane] for lane in lanes], names, fontsize=9.5, linespacing=1.4)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    date_axis(ax, frame=frame)
    headline(ax, title, rise=10 + rise)
    return ax


def _orders(ax: Axes, orders: pd.DataFrame, lane: int, frame: Frame) -> None:
    if orders.empty:
        return
    money = orders["amount"].abs().to_numpy()
    area = np.maximum(_BIGGEST * money / max(money.max(), 1e-9), _SMALLEST)
    days = day_numbers(orders["moment"])
    bought = (orders["kind"] == "order").to_numpy()
    ax.scatter(
        days[bought], np.full(bought.sum(), lane), area[bought],
        color=SEGMENT_COLOURS["champions"], alpha=0.75, edgecolor="white", linewidth=0.6, zorder=3,
    )  # fmt: skip
    ax.scatter(
        days[~bought], np.full((~bought).sum(), lane), area[~bought],
        facecolor="none", edgecolor=ALERT, linewidth=1.6, zorder=4,
    )  # fmt: skip
    taken: list[tuple[float, float]] = []
    for number in np.argsort(-money, kind="stable")[:_NAMED]:
        text = ax.annotate(
            frame.exact(float(orders["amount"].iloc[number])), (days[number], lane),
            xytext=(0, np.sqrt(area[number]) / 2 + 2), textcoords="offset points", ha="center", va="bottom",
            fontsize=9, color=INK, zorder=5,
        )  # fmt: skip
        if free_row(text, [taken]) is None:
            text.remove()


def _messages(ax: Axes, messages: pd.DataFrame, lane: int) -> None:
    days = day_numbers(messages["moment"])
    opened = (messages["kind"] == "opened").to_numpy()
    gone = (messages["kind"] == "opted_out").to_numpy()
    quiet = ~opened & ~gone
    ax.vlines(days[quiet], lane - 0.2, lane + 0.2, color=BAR, linewidth=1.4, zorder=2)
    ax.vlines(days[opened], lane - 0.3, lane + 0.3, color=INK, linewidth=1.8, zorder=3)
    ax.plot(days[gone], np.full(gone.sum(), lane), "x", color=ALERT, markersize=8, markeredgewidth=2, zorder=4)


def _engagement(ax: Axes, by_week: pd.Series[int], lane: int) -> None:
    ax.hlines(lane - _HALF, *ax.get_xlim(), color=LINE, linewidth=0.8, zorder=1)
    if by_week.empty:
        return
    heights = 2 * _HALF * by_week.to_numpy() / by_week.max()
    mondays = day_numbers(by_week.index)
    ax.bar(
        mondays,
        heights,
        7,
        bottom=lane - _HALF,
        align="edge",
        color=DIMENSION_COLOURS["frequency"],
        edgecolor=EDGE,
        linewidth=0.3,
        zorder=2,
    )
