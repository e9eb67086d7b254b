"""Pictures of risk: how it spreads over tiers, and what goes along with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, PercentFormatter

from toolkit.report.frame import bars_down, headline, key
from toolkit.report.look import EDGE, INK, LINE, MUTED, SEQUENCE, canvas
from toolkit.report.moves_cells import count_text, number_of
from toolkit.report.risk_tables import band_name, contrast_text, driver_name
from toolkit.report.small_cells import HIDDEN, Mark
from toolkit.report.words import TOTAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

_PALE, _DARK = 0.08, 0.92
_DARK_FROM = 3
_LEAST_WIDTH = 0.075
_RATIOS = (1.0, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4)


def risk_bars(
    cells: pd.DataFrame, means: Mapping[str, str], ax: Axes | None = None, *, by: str, horizon: int, frame: Frame
) -> Axes:
    """Draw how each tier's buyers spread over bands of risk.

    Parameters
    ----------
    cells
        Output of ``toolkit.report.risk_tables.risk_bands``: tiers by bands, with totals, hidden counts marked.
    means
        Mean risk of each tier, as text.
    ax
        Where to draw; a new figure where None.
    by
        The scheme of the tiers.
    horizon
        Of the risk, in days.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture: darker is riskier; bands whose counts are hidden are one white piece. The number of buyers and
        their mean risk stand behind each bar.
    """
    words = frame.words
    tiers = [
        str(tier)
        for tier in cells.index
        if number_of(cells.loc[tier, TOTAL]) or isinstance(cells.loc[tier, TOTAL], Mark)
    ]
    bands = [str(band) for band in cells.columns if band != TOTAL]
    shades = {
        band: to_hex(colormaps[SEQUENCE](shade))
        for band, shade in zip(bands, np.linspace(_PALE, _DARK, len(bands)), strict=True)
    }
    ax = canvas(ax, rows=0.92 * len(tiers) + 4.6)
    for place, tier in enumerate(tiers):
        row = dict(zip(map(str, cells.columns), cells.loc[[tier]].to_numpy()[0], strict=True))
        widths = dict(zip(bands, shares_of(row, bands), strict=True))
        shown = [band for band in bands if not isinstance(row[band], Mark)]
        pieces = [(shades[band], widths[band], words.percent(widths[band])) for band in shown]
        if len(shown) < len(bands):
            pieces.append(("white", sum(widths.values()) - sum(piece[1] for piece in pieces), str(HIDDEN)))
        left = 0.0
        for colour, width, said in pieces:
            ax.barh(place, width, 0.68, left=left, color=colour, edgecolor=EDGE, linewidth=0.5)
            if width >= (_LEAST_WIDTH if colour != "white" else _LEAST_WIDTH / 3):
                dark = colour in list(shades.values())[_DARK_FROM:]
                ax.text(left + width / 2, place, said, ha="center", va="center", color="white" if dark else INK,
                        fontsize=9.5, fontweight="bold" if tier == TOTAL else "normal")  # fmt: skip
            left += width
        ax.text(1.01, place, count_text(row[TOTAL], frame), va="center", color=MUTED)
        ax.text(1.15, place, means.get(tier, ""), va="center", color=MUTED)
    ax.text(1.15, -0.42, words.label("mean_risk_short"), va="bottom", color=MUTED, fontsize=9.5)
    ax.text(1.01, -0.42, words.label("buyers"), va="bottom", color=MUTED, fontsize=9.5)
    bars_down(ax, [words.tier(by, tier) for tier in tiers])
    ax.set(xlim=(0, 1), ylim=(len(tiers) - 0.4, -1.0))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_xlabel(frame.say("axis_risk_bands", n=str(horizon)))
    key(ax, {band_name(band, frame): colour for band, colour in shades.items()})
    _bands_title(ax, cells, tiers, by, frame)
    return ax


def drivers_forest(drivers: pd.DataFrame, ax: Axes | None = None, *, outcome: str, frame: Frame) -> Axes:
    """Draw what raises risk to the right and what lowers it to the left, with intervals.

    Parameters
    ----------
    drivers
        Output of ``toolkit.report.risk_tables.by_risk``: ``times lower upper sure contrast`` by feature, strongest
        first.
    ax
        Where to draw; a new figure where None.
    outcome
        ``order`` or ``end``.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; what may be nothing at all is drawn hollow. The title names the strongest.
    """
    ax = canvas(ax, rows=0.95 * len(drivers) + 5)
    ax.set_xscale("log")
    for place, (times, lower, upper, sure) in enumerate(
        drivers[["times", "lower", "upper", "sure"]].itertuples(index=False)
    ):
        ax.plot(
            [lower, upper], [place, place], color=EDGE if sure else LINE, linewidth=2.4, solid_capstyle="butt", zorder=2
        )
        face, size = (_side(times), 8) if sure else ("white", 6)
        ax.plot([times], [place], "o", color=INK, markerfacecolor=face, markersize=size,
                markeredgecolor=EDGE, zorder=3)  # fmt: skip
    contrasts = [contrast_text(str(name), str(said), frame) for name, said in drivers["contrast"].items()]
    bars_down(
        ax, [f"{driver_name(str(name), frame)}  ({said})" for name, said in zip(drivers.index, contrasts, strict=True)]
    )
    ax.lines[-1].remove()
    ax.axvline(1, color=MUTED, linewidth=1)
    _ratio_axis(ax, drivers)
    for text, edge, side in (("lowers_risk", 0.0, "left"), ("raises_risk", 1.0, "right")):
        arrow = f"← {frame.words.label(text)}" if side == "left" else f"{frame.words.label(text)} →"
        ax.text(edge, 1.01, arrow, transform=ax.transAxes, ha=side, va="bottom", color=MUTED, fontsize=10)
    ax.set_xlabel(frame.say(f"axis_drivers_{outcome}"))
    sure = drivers[drivers["sure"].astype(bool)]
    if sure.empty:
        headline(ax, frame.say("title_drivers_none"), rise=26)
        return ax
    name, way = driver_name(str(sure.index[0]), frame), "raises" if float(sure["times"].iloc[0]) > 1 else "lowers"
    headline(ax, frame.say(f"title_drivers_{way}", name=name), rise=26)
    return ax


def shares_of(row: Mapping[str, object], bands: Sequence[str]) -> list[float]:
    """Return how wide each band is drawn; what is hidden shares what the others leave."""
    counts = [number_of(row[band]) for band in bands]
    hidden = [isinstance(row[band], Mark) for band in bands]
    whole = max(number_of(row[TOTAL]), sum(counts))
    if not whole:
        return [hide / max(sum(hidden), 1) for hide in hidden]
    rest = max(0.0, 1.0 - sum(counts) / whole) / max(sum(hidden), 1)
    return [rest if hide else count / whole for hide, count in zip(hidden, counts, strict=True)]


def _side(times: float) -> str:
    return "#c98429" if times > 1 else "#2c67ae"


def _bands_title(ax: Axes, cells: pd.DataFrame, tiers: Sequence[str], by: str, frame: Frame) -> None:
    """Say which tier holds the largest share of the riskiest, and which the smallest."""
    riskiest = str([band for band in cells.columns if band != TOTAL][-1])
    known = {
        tier: number_of(cells.loc[tier, riskiest]) / number_of(cells.loc[tier, TOTAL])
        for tier in tiers
        if tier != TOTAL
        and not isinstance(cells.loc[tier, riskiest], Mark)
        and not isinstance(cells.loc[tier, TOTAL], Mark)
        and number_of(cells.loc[tier, TOTAL])
    }
    if not known:
        headline(ax, frame.say("title_bands_hidden", n=str(frame.min_cell)), rise=34)
        return
    if len(known) == 1:
        only, share = next(iter(known.items()))
        told = {"tier": frame.words.tier(by, only), "share": frame.words.percent(share)}
        headline(ax, frame.say("title_bands_one", band=band_name(riskiest, frame), **told), rise=34)
        return
    most, least = max(known, key=lambda tier: known[tier]), min(known, key=lambda tier: known[tier])
    told = {"most": frame.words.tier(by, most), "least": frame.words.tier(by, least)}
    shares = {"most_share": frame.words.percent(known[most]), "least_share": frame.words.percent(known[least])}
    headline(ax, frame.say("title_bands", band=band_name(riskiest, frame), **told, **shares), rise=34)


def _ratio_axis(ax: Axes, drivers: pd.DataFrame) -> None:
    reach = max(1.3, float(drivers["upper"].max()), 1 / float(drivers["lower"].min())) if len(drivers) else 2.0
    reach = min(reach, _RATIOS[-1]) * 1.08
    ax.set_xlim(1 / reach, reach)
    apart = np.log(reach) / 4
    ticks = [_RATIOS[0]]
    for tick in _RATIOS[1:]:
        if tick <= reach and np.log(tick / ticks[-1]) >= apart:
            ticks.append(tick)
    ax.xaxis.set_major_locator(FixedLocator(sorted({*ticks, *(1 / tick for tick in ticks)})))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"×{value:,.0f}" if value >= 10 else f"×{value:.2g}"))
    ax.grid(axis="x")
