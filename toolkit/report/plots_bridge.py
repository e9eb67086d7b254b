"""Pictures of the bridge: every tier's change by cause, and one tier's way from start to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.report.frame import at_bar_end, bars_down, headline, key
from toolkit.report.look import EDGE, INK, MUTED, canvas
from toolkit.report.moves_cells import cell_text, name_of, number_of, signed_text
from toolkit.report.small_cells import Mark
from toolkit.report.words import TOTAL
from toolkit.segments.bridge import PARTS
from toolkit.segments.moved import GONE, NEW

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

CAUSE_COLOURS: dict[str, str] = {
    "correction": "#9a9a9a",
    GONE: "#4d4d4d",
    "clock": "#b9a3d4",
    "behaviour": "#1d7a6d",
    NEW: "#8fd0c3",
}


def bridge_bars(
    table: pd.DataFrame, ax: Axes | None = None, *, by: str, measure: str, since: date, frame: Frame
) -> Axes:
    """Draw each tier's change by cause: losses to the left, gains to the right, the net change as a mark.

    Parameters
    ----------
    table
        Output of ``toolkit.report.moves_cells.bridge_of``.
    ax
        Where to draw; a new figure where None.
    by
        The scheme.
    measure
        ``customers`` or ``spend``.
    since
        The earlier day.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; start and end stand behind each bar, tiers whose parts are hidden have none. The title names the
        tier that changed most.
    """
    tiers = [str(name) for name in table.index if name != TOTAL]
    ax = canvas(ax, rows=1.05 * len(tiers) + 5)
    values = table.loc[tiers].map(number_of)
    causes = [cause for cause in PARTS if (values[cause] != 0).any()]
    for sign in (-1, 1):
        edge = np.zeros(len(tiers))
        for cause in causes:
            part = np.where(sign * values[cause] > 0, values[cause], 0.0)
            ax.barh(range(len(tiers)), part, 0.62, left=edge, color=CAUSE_COLOURS[cause], edgecolor=EDGE, linewidth=0.5)
            edge = edge + part
    net = values[list(PARTS)].sum(axis="columns").to_numpy()
    hidden = [isinstance(table.loc[tier, PARTS[0]], Mark) for tier in tiers]
    shown = ~np.array(hidden)
    ax.plot(net[shown], np.arange(len(tiers))[shown], "D", color="white", markeredgecolor=INK, markersize=7, zorder=4)
    gains = np.where(values[list(PARTS)] > 0, values[list(PARTS)], 0.0).sum(axis=1)
    low, high = ax.get_xlim()
    reach = high - low
    for place, tier in enumerate(tiers):
        start, end = (cell_text(table.loc[tier, side], measure, frame) for side in ("start", "end"))
        at_bar_end(ax, float(gains[place]) + 0.01 * reach, place, f"{start} → {end}{' *' if hidden[place] else ''}")
    bars_down(ax, [name_of(tier, by, frame.words) for tier in tiers])
    ax.set_xlim(low - 0.02 * reach, high + 0.3 * reach)
    notes = [frame.say("bridge_parts_hidden", n=str(frame.min_cell))] if any(hidden) else []
    ax.set_xlabel("\n".join([frame.say(f"axis_bridge_{measure}", since=frame.words.date(since)), *notes]))
    ax.xaxis.set_major_formatter(frame.money_ticks() if measure == "spend" else "{x:,.0f}")
    ax.grid(axis="x")
    key(ax, {frame.words.label(f"part_{cause}"): CAUSE_COLOURS[cause] for cause in causes})
    if not shown.any():
        headline(ax, frame.say("title_bridge_hidden", n=str(frame.min_cell)), rise=34)
        return ax
    most = tiers[int(np.argmax(np.where(shown, np.abs(net), -1.0)))]
    figures = {part: signed_text(float(values[part][most]), measure, frame) for part in ("clock", "behaviour")}
    change = signed_text(float(net[tiers.index(most)]), measure, frame)
    said = frame.say(f"title_bridge_{measure}", tier=name_of(most, by, frame.words), change=change, **figures)
    headline(ax, said, rise=34)
    return ax


def waterfall(
    table: pd.DataFrame, ax: Axes | None = None, *, tier: str, by: str, measure: str = "customers", frame: Frame
) -> Axes:
    """Draw one tier's way from start to end, cause by cause.

    Parameters
    ----------
    table
        Output of ``toolkit.report.moves_cells.bridge_of``.
    ax
        Where to draw; a new figure where None.
    tier
        The tier, or ``total``.
    by
        The scheme.
    measure
        ``customers`` or ``spend``.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; causes that change nothing are left out, and all are where they are hidden.
    """
    ax = canvas(ax, rows=9)
    row = table.loc[tier]
    causes = [cause for cause in PARTS if number_of(row[cause]) != 0]
    names = ["start", *causes, "end"]
    level = number_of(row["start"])
    for place, name in enumerate(names):
        value = number_of(row[name])
        ends = name in {"start", "end"}
        bottom = 0.0 if ends else level if value >= 0 else level + value
        colour = "#d5d5d5" if ends else CAUSE_COLOURS[name]
        ax.bar(place, abs(value), 0.62, bottom=bottom, color=colour, edgecolor=EDGE, linewidth=0.5)
        said = cell_text(row[name], measure, frame) if ends else signed_text(value, measure, frame)
        ax.annotate(said, (place, bottom + abs(value)), (0, 4), textcoords="offset points", ha="center", va="bottom")
        level = level if ends else level + value
        if name != "end":
            ax.plot([place + 0.31, place + 0.69], [level, level], color=MUTED, linewidth=0.8)
    ax.set_xticks(range(len(names)), [frame.words.label(f"part_{name}") for name in names], color=INK, fontsize=11)
    ax.tick_params(axis="x", length=0)
    ax.spines["left"].set_visible(False)
    ax.yaxis.set_major_formatter(frame.money_ticks() if measure == "spend" else "{x:,.0f}")
    ax.grid(axis="y")
    ax.margins(y=0.12)
    ax.set_ylabel(frame.say("axis_customers_on" if measure == "customers" else "axis_monetary"))
    told = {side: cell_text(row[side], measure, frame) for side in ("start", "end")}
    headline(ax, frame.say("title_waterfall", tier=name_of(tier, by, frame.words), **told))
    return ax
