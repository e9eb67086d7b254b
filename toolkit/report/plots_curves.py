"""Pictures of survival curves: how long until the next order, and how long members stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects
from matplotlib.ticker import FixedLocator, FuncFormatter, PercentFormatter

from toolkit.report.frame import headline
from toolkit.report.look import EDGE, INK, LINE, MUTED, canvas
from toolkit.report.plots_tiers import tier_colours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

_ROW_POINTS = 14.0
_LABEL_STEP = 0.052
_BESIDE = 0.011


def curve_lines(
    curves: pd.DataFrame, at_risk: pd.DataFrame, ax: Axes | None = None, *, by: str, since: str, frame: Frame
) -> Axes:
    """Draw the share of each tier that has not ordered again, day by day, with intervals and who is still looked at.

    Parameters
    ----------
    curves
        ``group time survival lower upper at_risk``, as ``toolkit.survival_curves`` gives them, tiers in their order.
    at_risk
        Output of ``toolkit.report.risk_tables.at_risk``: a row per tier, a column per day that the axis names.
    ax
        Where to draw; a new figure where None.
    by
        The scheme of the tiers.
    since
        The landmark, ISO.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title compares the tier that comes back most with the one that does least.
    """
    tiers = [str(tier) for tier in at_risk.index]
    if not tiers:
        return _only_said(ax, frame.say("title_curves_hidden", n=str(frame.min_cell)))
    ax = canvas(ax, rows=12.5 + 0.62 * len(tiers))
    colours = tier_colours(by, tiers)
    last: dict[str, float] = {}
    end = max(float(str(day)) for day in at_risk.columns)
    rim = [patheffects.Stroke(linewidth=2.9, foreground=EDGE), patheffects.Normal()]
    for place, tier in enumerate(tiers):
        rows = curves[curves["group"].astype(str) == tier]
        days, share = rows["time"].to_numpy(dtype=float), rows["survival"].to_numpy(dtype=float)
        last[tier] = float(share[-1])
        steps = np.append(days, end), np.append(share, last[tier])
        ax.step(*steps, where="post", color=colours[tier], linewidth=2.0, path_effects=rim)
        for day in [float(str(day)) for day in at_risk.columns][1:]:
            beside = day - end * _BESIDE * (len(tiers) - place - (0 if day == end else len(tiers) / 2))
            row = rows.iloc[max(int(np.searchsorted(days, beside, side="right")) - 1, 0)]
            ax.vlines(
                [beside], row["lower"], row["upper"], color=colours[tier], linewidth=2.2, path_effects=rim, zorder=3
            )
    names = {tier: f"{frame.words.tier(by, tier)} {frame.words.percent(share)}" for tier, share in last.items()}
    _names_at_the_ends(ax, last, names, end)
    _at_risk_below(ax, at_risk, [frame.words.tier(by, tier) for tier in tiers], frame)
    ax.set(xlim=(0, end), ylim=(0, 1.02))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y")
    ax.set_ylabel(frame.words.label("not_ordered_yet"))
    ax.set_xlabel(frame.say("axis_since_landmark", since=frame.words.date(since)), labelpad=2)
    ends = {"most": min(last, key=lambda tier: last[tier]), "least": max(last, key=lambda tier: last[tier])}
    told = {name: frame.words.tier(by, tier) for name, tier in ends.items()}
    shares = {f"{name}_share": f"{100 * (1 - last[tier]):.0f}%" for name, tier in ends.items()}
    headline(ax, frame.say("title_curves" if len(last) > 1 else "title_curve", n=f"{end:,.0f}", **told, **shares))
    return ax


def member_curve(curve: pd.DataFrame, ax: Axes | None = None, *, naive: pd.DataFrame, frame: Frame) -> Axes:
    """Draw which share of members is still one so many days after the start, with its interval.

    Parameters
    ----------
    curve
        ``time survival lower upper``, with members entering on the day since which they are looked at.
    ax
        Where to draw; a new figure where None.
    naive
        The same as if all had been looked at from their start: what late entry corrects.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title says how long half of the members stay, or what share is left at the end.
    """
    ax = canvas(ax, rows=11)
    days, share = curve["time"].to_numpy(), curve["survival"].to_numpy()
    ax.fill_between(
        days, curve["lower"], curve["upper"], step="post", color=tier_colours("", ["a"])["a"], alpha=0.2, linewidth=0
    )
    ax.step(days, share, where="post", color=tier_colours("", ["a"])["a"], linewidth=2.4)
    ax.step(naive["time"], naive["survival"], where="post", color=MUTED, linewidth=1.3, linestyle=(0, (4, 3)))
    ends = [float(share[-1]), float(naive["survival"].iloc[-1])]
    for place, (at, name, colour) in enumerate(
        zip(
            _apart(ends), (frame.words.label("late_entry"), frame.words.label("naive_entry")), (INK, MUTED), strict=True
        )
    ):
        said = f"{name} {frame.words.percent(ends[place])}"
        ax.annotate(said, (float(days[-1]), at), (6, 0), textcoords="offset points",
                    va="center", color=colour, annotation_clip=False)  # fmt: skip
    ax.set(xlim=(0, float(days[-1])), ylim=(0, 1.02), xlabel=frame.words.label("days_of_membership"))
    ax.set_ylabel(frame.words.label("still_member"))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y")
    half = days[share <= 0.5]
    if len(half):
        headline(ax, frame.say("title_members_half", n=f"{float(half[0]):,.0f}"))
    else:
        headline(ax, frame.say("title_members", n=f"{float(days[-1]):,.0f}", share=frame.words.percent(ends[0])))
    return ax


def _names_at_the_ends(ax: Axes, last: Mapping[str, float], names: Mapping[str, str], end: float) -> None:
    for tier, place in zip(last, _apart(list(last.values())), strict=True):
        ax.annotate(
            names[tier],
            (end, last[tier]),
            xytext=(1.025, place),
            textcoords=("axes fraction", "data"),
            va="center",
            color=INK,
            fontsize=10,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": LINE, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 1},
        )


def _at_risk_below(ax: Axes, at_risk: pd.DataFrame, names: Sequence[str], frame: Frame) -> None:
    """Write a line per tier under the axis: how many have not ordered yet on the days that the axis names."""
    ax.xaxis.set_major_locator(FixedLocator([float(day) for day in at_risk.columns]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for line, name in enumerate([frame.words.label("still_looked_at"), *names]):
        down = -44.0 - _ROW_POINTS * line
        told: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9, "color": MUTED, "annotation_clip": False}
        ax.annotate(name, (0, 0), (-28, down), xycoords="axes fraction", ha="right", va="top", **told)
        if line == 0:
            continue
        for day, cell in at_risk.iloc[line - 1].items():
            place = (float(str(day)), 0)
            ax.annotate(str(cell), place, (0, down), xycoords=ax.get_xaxis_transform(), ha="center", va="top", **told)


def _apart(places: Sequence[float]) -> list[float]:
    """Move labels apart until each has its own line, as little as possible and never under the axis."""
    order = np.argsort(places, kind="stable")
    found = np.array(places, dtype=np.float64)[order]
    for n in range(1, len(found)):
        found[n] = max(found[n], found[n - 1] + _LABEL_STEP)
    limit = 1.03
    for n in range(len(found) - 1, -1, -1):
        found[n] = min(found[n], limit)
        limit = found[n] - _LABEL_STEP
    back = np.empty(len(found))
    back[order] = found
    return [float(place) for place in back]


def _only_said(ax: Axes | None, finding: str) -> Axes:
    ax = canvas(ax, rows=3)
    ax.set_axis_off()
    headline(ax, finding)
    return ax
