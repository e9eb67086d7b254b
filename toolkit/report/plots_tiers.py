"""Pictures of tiers: all schemes in one grid, and who is in a tier beside everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, PercentFormatter

from toolkit.report.frame import bars_down, headline
from toolkit.report.look import EDGE, INK, LINE, MUTED, SEGMENT_COLOURS, SEQUENCE, canvas
from toolkit.report.portrait_tables import value_name
from toolkit.report.small_cells import Mark
from toolkit.schema import SEGMENT
from toolkit.segments.scheme_summary import SCHEME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from toolkit.report.frame import Frame
    from toolkit.segments.portrait import Portrait

_DARKEST, _PALEST = 0.95, 0.12
_IN_A_ROW = 4
_NOBODY = "#ededed"
_HIDDEN = "#ffffff"


def tier_colours(scheme: str, tiers: Sequence[str]) -> dict[str, str]:
    """Return one colour per class, the more valuable the darker.

    Examples
    --------
    >>> tier_colours("purchase_habit", ["frequent", "potential"])
    {'frequent': '#083c7d', 'potential': '#dfecf7'}
    """
    if scheme == SEGMENT:
        return {tier: SEGMENT_COLOURS.get(tier, _NOBODY) for tier in tiers}
    shades = np.linspace(_DARKEST, _PALEST, max(len(tiers), 2))
    return {tier: to_hex(colormaps[SEQUENCE](shade)) for tier, shade in zip(tiers, shades, strict=False)}


def scheme_grid(table: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw every scheme as one bar of customers, with a thin one of spend beneath.

    Parameters
    ----------
    table
        Output of ``toolkit.report.tiering.schemes``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; hidden classes are left white. The title says what the best payers bring.
    """
    names = list(dict.fromkeys(str(scheme) for scheme in table.index.get_level_values(SCHEME)))
    ax = canvas(ax, rows=1.75 * len(names) + 3)
    texts = []
    for place, scheme in enumerate(names):
        part = table.xs(scheme, level=SCHEME)
        colours = tier_colours(scheme, [str(tier) for tier in part.index])
        for column, at, height in (("share_of_customers", place - 0.12, 0.5), ("share_of_spend", place + 0.24, 0.16)):
            left = 0.0
            for tier, width in zip(colours, _widths(part[column]), strict=True):
                shown = not isinstance(part[column][tier], Mark)
                colour = colours[tier] if shown else _HIDDEN
                ax.barh(at, width, height, left=left, color=colour, edgecolor=EDGE, linewidth=0.4)
                if column == "share_of_customers" and width > 0:
                    ink = "white" if _dark(colour) else INK
                    told = frame.words.tier(scheme, tier) if shown else frame.words.say("fewer", n=str(frame.min_cell))
                    texts.append(
                        (width, ax.text(left + width / 2, at, told, ha="center", va="center", color=ink, fontsize=9))
                    )
                left += width
    bars_down(ax, [frame.words.scheme(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.6)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel(frame.say("axis_grid"))
    _drop_what_does_not_fit(ax, texts)
    headline(ax, _grid_finding(table, frame))
    return ax


def index_dots(told: Portrait, attribute: str, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw how often each value of an attribute occurs in a tier, as an index against everybody, with intervals.

    Parameters
    ----------
    told
        A portrait.
    attribute
        One of its attributes.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture, on a logarithmic axis around 100; values that few customers of a tier have are left out. Big
        dots are surely above or below everybody.
    """
    words = frame.words
    people = told.people[told.people.index.get_level_values("attribute") == attribute].droplevel("attribute")
    people = people[people["customers"] >= max(frame.min_cell, told.min_cell)]
    values = [
        str(value) for value in people.groupby(level="value")["customers"].sum().sort_values(ascending=False).index
    ]
    tiers = [str(tier) for tier in told.customers.index]
    colours = tier_colours(told.by, tiers)
    ax = canvas(ax, rows=3.5 + len(values) * max(1.6, 0.34 * len(tiers)))
    ax.set_xscale("log")
    ax.axvline(100, color=MUTED, linewidth=1)
    step = 0.8 / max(len(tiers), 1)
    keys = [(str(value), str(tier)) for value, tier in people.index]
    for (value, tier), row in zip(keys, people.to_dict("records"), strict=True):
        at = values.index(value) - 0.4 + step * (tiers.index(tier) + 0.5)
        sure = row["lower"] > 100 or row["upper"] < 100
        ends = [max(row["lower"], 1), row["upper"]]
        for colour, width in ((EDGE, 3.0), (colours[tier], 2.0)):
            ax.plot(ends, [at, at], color=colour, linewidth=width, solid_capstyle="butt", zorder=2)
        face = colours[tier] if sure else "white"
        ax.plot(
            [row["index"]],
            [at],
            "o",
            color=colours[tier],
            markerfacecolor=face,
            markeredgecolor=EDGE,
            markersize=7.5 if sure else 4,
            zorder=3,
        )
    for place in range(len(values) - 1):
        ax.axhline(place + 0.5, color=LINE, linewidth=0.6)
    bars_down(ax, [value_name(attribute, value, words) for value in values])
    ax.lines[-1].remove()
    ax.set_ylim(len(values) - 0.5, -0.5)
    _index_axis(ax, people)
    ax.set_xlabel(frame.say("axis_index", attribute=words.label(attribute)))
    handles = [Patch(facecolor=colours[tier], edgecolor=EDGE, label=words.tier(told.by, tier)) for tier in tiers]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=_IN_A_ROW, frameon=False, fontsize=9.5)
    headline(ax, _index_finding(told, attribute, people, frame), rise=26 + 18 * -(-len(tiers) // _IN_A_ROW))
    return ax


def _widths(shares: pd.Series[float]) -> list[float]:
    """Return how wide each class is drawn; what is hidden shares what the others leave."""
    known = [0.0 if isinstance(share, Mark) or pd.isna(share) else max(float(share), 0.0) for share in shares]
    hidden = [isinstance(share, Mark) for share in shares]
    rest = max(0.0, 1.0 - sum(known)) if any(hidden) else 0.0
    return [rest / sum(hidden) if hide else width for hide, width in zip(hidden, known, strict=True)]


def _dark(colour: str) -> bool:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140


def _drop_what_does_not_fit(ax: Axes, texts: list[tuple[float, Text]]) -> None:
    figure = ax.figure.get_figure(root=True)
    figure.draw_without_rendering()
    unit = float(ax.transData.transform((1, 0))[0] - ax.transData.transform((0, 0))[0])
    for width, text in texts:
        for told in (text.get_text(), text.get_text().replace(" ", "\n")):
            text.set_text(told)
            if text.get_window_extent().width <= 0.97 * width * unit:
                break
        else:
            text.remove()


def _grid_finding(table: pd.DataFrame, frame: Frame) -> str:
    present = [str(scheme) for scheme in table.index.get_level_values(SCHEME)]
    scheme = next((name for name in ("contribution", SEGMENT) if name in present), present[0])
    top = table.xs(scheme, level=SCHEME).iloc[0]
    tier = str(table.xs(scheme, level=SCHEME).index[0])
    if any(isinstance(top[name], Mark) or pd.isna(top[name]) for name in ("share_of_customers", "share_of_spend")):
        return frame.say("title_grid_plain")
    shares = {name: frame.words.percent(float(top[f"share_of_{name}"])) for name in ("customers", "spend")}
    return frame.say("title_segments", segment=frame.words.tier(scheme, tier), **shares)


def _index_axis(ax: Axes, people: pd.DataFrame) -> None:
    low = max(5.0, min(50.0, float(people["lower"].min()) if len(people) else 50.0))
    high = max(200.0, float(people["upper"].max()) if len(people) else 200.0)
    ax.set_xlim(low / 1.1, high * 1.1)
    ticks = [tick for tick in (10, 25, 50, 100, 200, 400, 800, 1600, 3200) if low / 1.1 <= tick <= high * 1.1]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(axis="x")


def _index_finding(told: Portrait, attribute: str, people: pd.DataFrame, frame: Frame) -> str:
    words = frame.words
    sure = people[people["lower"] > 100]
    if sure.empty:
        return frame.say("title_index_none", attribute=words.label(attribute))
    value, tier = list(sure.index)[int(sure["lower"].to_numpy().argmax())]
    times = words.number(float(sure["index"][(value, tier)]) / 100)
    name = value_name(attribute, str(value), words)
    return frame.say("title_index", tier=words.tier(told.by, str(tier)), value=name, times=times)
