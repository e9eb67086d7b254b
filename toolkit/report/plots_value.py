"""Pictures of value: who to save first, what is at risk, who is still alive, and whether the model keeps track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator, PercentFormatter

from toolkit.report.frame import at_bar_end, bars_down, count_axis, date_axis, day_numbers, headline
from toolkit.report.look import EDGE, INK, LINE, MUTED, SEQUENCE, canvas
from toolkit.report.moves_cells import count_text, number_of
from toolkit.report.plots_tiers import tier_colours
from toolkit.report.risk_tables import band_name
from toolkit.report.small_cells import HIDDEN, Mark
from toolkit.report.words import TOTAL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

_ACTUAL, _EXPECTED = INK, "#2c67ae"
_INK_FROM = 0.55


def save_grid(counts: pd.DataFrame, money: pd.DataFrame, ax: Axes | None = None, *, horizon: int, frame: Frame) -> Axes:
    """Draw risk against value: money at risk in each cell, and how many buyers it is of.

    Parameters
    ----------
    counts
        Output of ``toolkit.report.value_tables.save_counts``: buyers by band of value (rows, the most valuable first)
        and band of risk, with totals; hidden counts are marked.
    money
        Money at risk of the same cells, without totals; hidden ones are marked.
    ax
        Where to draw; a new figure where None.
    horizon
        In days.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture: the darker, the more money at risk. The title names the cell to start with.
    """
    rows, bands = ([str(name) for name in axis] for axis in (money.index, money.columns))
    ax = canvas(ax, rows=1.75 * len(rows) + 5.5)
    words = frame.words
    size = np.array([[number_of(money.loc[row, band]) for band in bands] for row in rows])
    scale = Normalize(0, float(size.max()) or 1.0)
    ax.pcolormesh(size, cmap=SEQUENCE, norm=scale, edgecolor="white", linewidth=2)
    for i, row in enumerate(rows):
        for j, band in enumerate(bands):
            count, worth = counts.loc[row, band], money.loc[row, band]
            if not isinstance(count, Mark) and not count:
                continue
            ink = "white" if scale(size[i, j]) > _INK_FROM else INK
            told: dict[str, Any] = {"ha": "center", "color": ink, "textcoords": "offset points"}
            middle = (j + 0.5, i + 0.5)
            if not isinstance(worth, Mark):
                ax.annotate(
                    frame.money(number_of(worth)), middle, (0, 1), va="bottom", fontsize=11.5, fontweight="bold", **told
                )
            said = words.say("people", n=count_text(count, frame))
            below, side = (0, "center") if isinstance(worth, Mark) else (-2, "top")
            ax.annotate(said, middle, (0, below), va=side, fontsize=9.5, **told)
    ax.set_xticks([n + 0.5 for n in range(len(bands))], [band_name(band, frame) for band in bands])
    ax.set_yticks([n + 0.5 for n in range(len(rows))], rows)
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    ax.set_xlabel(frame.say("axis_grid_risk", n=str(horizon)))
    ax.set_ylabel(frame.say("axis_grid_value", n=str(horizon)))
    if not size.any():
        headline(ax, frame.say("title_save_hidden", n=str(frame.min_cell)))
        return ax
    i, j = (int(place) for place in np.unravel_index(size.argmax(), size.shape))
    told_in = {"n": count_text(counts.loc[rows[i], bands[j]], frame), "money": frame.money(float(size[i, j]))}
    headline(ax, frame.say("title_save", **told_in))
    return ax


def money_bars(table: pd.DataFrame, ax: Axes | None = None, *, by: str, horizon: int, frame: Frame) -> Axes:
    """Draw money at risk by tier, with what its buyers are expected to spend if they stay active.

    Parameters
    ----------
    table
        Output of ``toolkit.report.value_tables.by_tier``: ``money_at_risk expected_spend_given_active`` and more by
        tier, with the total; hidden figures are marked.
    ax
        Where to draw; a new figure where None.
    by
        The scheme of the tiers.
    horizon
        In days.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture: colour is at risk, pale grey what is expected if all stay active. The title names the tier with
        most.
    """
    rows = table.drop(index=TOTAL, errors="ignore")
    tiers = [str(tier) for tier in rows.index]
    colours = tier_colours(by, tiers)
    ax = canvas(ax, rows=1.05 * len(tiers) + 4)
    risked, active = (
        [number_of(cell) for cell in rows[name]] for name in ("money_at_risk", "expected_spend_given_active")
    )
    for place, tier in enumerate(tiers):
        hidden = isinstance(rows["money_at_risk"].iloc[place], Mark)
        ax.barh(place, active[place], 0.68, color="#e3e3e3", edgecolor=EDGE, linewidth=0.5)
        ax.barh(place, risked[place], 0.68, color=colours[tier], edgecolor=EDGE, linewidth=0.5)
        share = frame.words.percent(risked[place] / active[place]) if active[place] else ""
        said = (
            str(HIDDEN)
            if hidden
            else f"{frame.money(risked[place])} ({share})"
            if share
            else frame.money(risked[place])
        )
        at_bar_end(ax, active[place], place, said, bold=place == int(np.argmax(risked)))
    bars_down(ax, [frame.words.tier(by, tier) for tier in tiers])
    ax.set_xlim(0, 1.22 * max([*active, 1e-9]))
    ax.xaxis.set_major_formatter(frame.money_ticks())
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.grid(axis="x")
    ax.set_xlabel(frame.say("axis_money_at_risk", n=str(horizon)))
    if not any(risked):
        headline(ax, frame.say("title_save_hidden", n=str(frame.min_cell)))
        return ax
    top = int(np.argmax(risked))
    whole = number_of(table["money_at_risk"].loc[TOTAL]) if TOTAL in table.index else sum(risked)
    told = {
        "tier": frame.words.tier(by, tiers[top]),
        "money": frame.money(risked[top]),
        "share": frame.words.percent(risked[top] / whole),
    }
    headline(ax, frame.say("title_money_at_risk", **told))
    return ax


def spend_dots(table: pd.DataFrame, ax: Axes | None = None, *, by: str, horizon: int, frame: Frame) -> Axes:
    """Draw what a buyer of each tier is expected to spend, with its interval.

    Parameters
    ----------
    table
        Output of ``toolkit.report.value_tables.by_tier``: ``mean_spend mean_spend_lower mean_spend_upper`` by tier.
    ax
        Where to draw; a new figure where None.
    by
        The scheme of the tiers.
    horizon
        In days.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title compares the tier that is worth most with the mean of all.
    """
    rows = table.drop(index=TOTAL, errors="ignore")
    rows = rows[[not isinstance(cell, Mark) for cell in rows["mean_spend"]]]
    tiers = [str(tier) for tier in rows.index]
    colours = tier_colours(by, [str(tier) for tier in table.index if tier != TOTAL])
    ax = canvas(ax, rows=0.95 * len(tiers) + 4)
    reach = max([0.0, *(number_of(cell) for cell in rows["mean_spend_upper"])]) or 1.0
    for place, tier in enumerate(tiers):
        mean, lower, upper = (
            number_of(rows[name].iloc[place]) for name in ("mean_spend", "mean_spend_lower", "mean_spend_upper")
        )
        ax.plot([lower, upper], [place, place], color=EDGE, linewidth=2.6, solid_capstyle="butt", zorder=2)
        ax.plot([mean], [place], "o", color=colours[tier], markeredgecolor=EDGE, markersize=9, zorder=3)
        at_bar_end(ax, max(upper, mean + 0.008 * reach), place, frame.money(mean))
    bars_down(ax, [frame.words.tier(by, tier) for tier in tiers])
    ax.set_xlim(-0.02 * reach, 1.2 * reach)
    ax.xaxis.set_major_formatter(frame.money_ticks())
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.grid(axis="x")
    ax.set_xlabel(frame.say("axis_mean_spend_ahead", n=str(horizon)))
    if not tiers:
        headline(ax, frame.say("title_save_hidden", n=str(frame.min_cell)))
        return ax
    top = max(tiers, key=lambda tier: number_of(rows["mean_spend"].loc[tier]))
    told = {"tier": frame.words.tier(by, top), "money": frame.money(number_of(rows["mean_spend"].loc[top]))}
    headline(ax, frame.say("title_spend_ahead", n=str(horizon), **told))
    return ax


def tracking_lines(weeks: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw repeat orders as they came and as the model expects them, both added up.

    Parameters
    ----------
    weeks
        ``actual expected lower upper forecast``, as ``toolkit.risk.tracking.track`` gives them, indexed by ``day``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture, with a line at the last day that the model knows; the title says how far off it is after it.
    """
    ax = canvas(ax, rows=11)
    words = frame.words
    at = day_numbers(weeks.index)
    later = weeks["forecast"].to_numpy(dtype=bool)
    ax.fill_between(at, weeks["lower"], weeks["upper"], color=_EXPECTED, alpha=0.2, linewidth=0)
    ax.plot(at, weeks["actual"], color=_ACTUAL, linewidth=2.2)
    ax.plot(at, weeks["expected"], color=_EXPECTED, linewidth=2.2, linestyle=(0, (5, 2)))
    last = float(at[~later][-1])
    ax.axvline(last, color=LINE, linewidth=1.4)
    ax.annotate(words.label("fitted_to"), (last, 1), (-4, -2), xycoords=ax.get_xaxis_transform(),
                textcoords="offset points", ha="right", va="top", color=MUTED, fontsize=9.5)  # fmt: skip
    ends = {"tracked_actual": float(weeks["actual"].iloc[-1]), "tracked_expected": float(weeks["expected"].iloc[-1])}
    close = abs(ends["tracked_actual"] - ends["tracked_expected"]) < 0.09 * max(*ends.values(), 1.0)
    for name, value in ends.items():
        shift = (8 if value == max(ends.values()) else -8) if close else 0
        colour = _ACTUAL if name == "tracked_actual" else _EXPECTED
        ax.annotate(f"{words.label(name)} {value:,.0f}", (at[-1], value), (7, shift), textcoords="offset points",
                    va="center", color=colour, annotation_clip=False)  # fmt: skip
    date_axis(ax, frame=frame)
    ax.set_xlim(float(at[0]), float(at[-1]))
    count_axis(ax, words.label("cumulative_repeats"))
    since = weeks[["actual", "expected"]].iloc[-1] - weeks[["actual", "expected"]][~later].iloc[-1]
    actual = float(since["actual"])
    if not actual:
        headline(ax, frame.say("title_tracking_none"))
        return ax
    apart = float(since["expected"]) / actual - 1
    sign = "even" if abs(apart) < 0.0005 else "over" if apart > 0 else "under"
    headline(ax, frame.say(f"title_tracking_{sign}", share=words.percent(abs(apart))))
    return ax


def alive_bars(table: pd.DataFrame, ax: Axes | None = None, *, by: str, frame: Frame) -> Axes:
    """Draw the mean chance that repeat buyers of each tier are still active.

    Parameters
    ----------
    table
        Output of ``toolkit.report.value_tables.by_tier``: ``mean_p_alive`` by tier; hidden and unknown ones are left
        out.
    ax
        Where to draw; a new figure where None.
    by
        The scheme of the tiers.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title compares the highest with the lowest.
    """
    rows = table.drop(index=TOTAL, errors="ignore")
    alive = {str(tier): number_of(cell) for tier, cell in rows["mean_p_alive"].items() if not isinstance(cell, Mark)}
    alive = {tier: share for tier, share in alive.items() if np.isfinite(share)}
    colours = tier_colours(by, [str(tier) for tier in rows.index])
    ax = canvas(ax, rows=0.95 * len(alive) + 4)
    for place, (tier, share) in enumerate(alive.items()):
        ax.barh(place, share, 0.66, color=colours[tier], edgecolor=EDGE, linewidth=0.5)
        at_bar_end(ax, share, place, frame.words.percent(share))
    bars_down(ax, [frame.words.tier(by, tier) for tier in alive])
    ax.set_xlim(0, 1.08)
    ax.set_xticks(np.linspace(0, 1, 6))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="x")
    ax.set_xlabel(frame.say("axis_alive"))
    if not alive:
        headline(ax, frame.say("title_save_hidden", n=str(frame.min_cell)))
        return ax
    ends = {"most": max(alive, key=lambda tier: alive[tier]), "least": min(alive, key=lambda tier: alive[tier])}
    told = {name: frame.words.tier(by, tier) for name, tier in ends.items()}
    shares = {f"{name}_share": f"{100 * alive[tier]:.0f}%" for name, tier in ends.items()}
    headline(ax, frame.say("title_alive", **told, **shares))
    return ax


def expected_pareto(curve: pd.DataFrame, ax: Axes | None = None, *, horizon: int, frame: Frame) -> Axes:
    """Draw the cumulated share of expected spend over buyers, those of whom most is expected first.

    Parameters
    ----------
    curve
        Output of ``toolkit.report.value_tables.concentration``: ``share_of_customers share_of_spend``.
    ax
        Where to draw; a new figure where None.
    horizon
        In days.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title says what a fifth of the buyers are expected to bring.
    """
    ax = canvas(ax, rows=11)
    share, spend = (curve[name].to_numpy(dtype=float) for name in ("share_of_customers", "share_of_spend"))
    fifth = float(np.interp(0.2, share, spend))
    ax.plot(share, spend, color="#0b2f5e", linewidth=2.4)
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(frame.words.label("all_worth_alike"), (0.62, 0.6), color=MUTED, va="top")
    ax.vlines(0.2, 0, fifth, color=INK, linewidth=1, linestyle=":")
    ax.plot([0.2], [fifth], "o", color=INK, markersize=7)
    said = f"20% → {frame.words.percent(fifth)}"
    ax.annotate(said, (0.2, fifth), (10, -14), textcoords="offset points", fontweight="bold")
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="both")
    ax.set_xlabel(frame.words.label("share_of_buyers_worth_most_first"))
    ax.set_ylabel(frame.say("axis_share_of_expected", n=str(horizon)))
    headline(ax, frame.say("title_expected_pareto", spend=frame.words.percent(fifth), n=str(horizon)))
    return ax
