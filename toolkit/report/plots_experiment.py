"""Pictures of experiments: what each tier can learn, what it learned, and what chance alone would give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Patch, Polygon
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from scipy.stats import t as student

from toolkit.report.frame import headline
from toolkit.report.look import BAR, EDGE, INK, LINE, MUTED, canvas
from toolkit.report.plot_texts import at_edge, fitting, legend, mark, plainly_written, short
from toolkit.report.trial_words import CLAUSE, arm_looks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from toolkit.report.trial_words import Names

_STEP, _BETWEEN = 0.8, 1.15
_WIDEST = 3.0
"""How many times the median length an interval may be before it is cut at the edge."""


def effect_forest(
    tiers: pd.DataFrame, overall: pd.DataFrame, ax: Axes | None = None, *, names: Names, smallest: float | None
) -> Axes:
    """Draw the effect in every tier, alone and drawn to the overall effect, with intervals, and overall.

    Parameters
    ----------
    tiers
        Rows of the primary metric of an evaluation's ``tiers``: ``tier arm lift lower upper lift_shrunken
        lower_shrunken upper_shrunken status told``; ``told`` is written at the right edge, and lifts that are not to
        be seen are missing.
    overall
        Its rows of ``overall``: ``arm lift lower upper told``.
    ax
        Where to draw; a new figure where None.
    names
        How tiers, arms and figures are written.
    smallest
        The smallest effect worth acting on, shaded around no effect; None where there is none.

    Returns
    -------
    Axes
        The picture; the title names the tiers in which the arm is surely better or worse.
    """
    words, scale = names.frame.words, names.scale(names.spec.primary)
    looks = arm_looks(names.arms)
    order = list(dict.fromkeys(tiers["tier"]))
    height = _BETWEEN + _STEP * (len(looks) - 1)
    ax = canvas(ax, rows=(1.15 * height) * (len(order) + 1) + 5.4)
    reach = _reach(tiers, overall, smallest)
    if smallest:
        ax.axvspan(-smallest, smallest, color="#efefef", zorder=0)
    ax.axvline(0, color=MUTED, linewidth=1)
    for place, arm in enumerate(looks):
        colour, shape = looks[arm]
        for _, row in tiers[tiers["arm"] == arm].iterrows():
            at = height * order.index(row["tier"]) + _STEP * place
            _interval(ax, row, "", at - 0.14, reach, color=LINE, linewidth=1.6)
            _dot(ax, row["lift"], at - 0.14, shape, color="white", markeredgecolor=colour, markersize=6)
            _interval(ax, row, "_shrunken", at + 0.14, reach, color=colour, linewidth=3)
            _dot(ax, row["lift_shrunken"], at + 0.14, shape, color=colour, markeredgecolor=EDGE, markersize=7)
            at_edge(ax, at, str(row["told"]), bold=row["status"] in ("better", "worse"))
        for _, row in overall[overall["arm"] == arm].iterrows():
            at = height * len(order) + 0.35 + _STEP * place
            _diamond(ax, row, at, colour)
            at_edge(ax, at, str(row["told"]), bold=True)
            if np.isfinite(row["lift"]):
                ax.axvline(row["lift"], color=colour, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    middle = _STEP * (len(looks) - 1) / 2
    spots = [height * at + middle for at in range(len(order))] + [height * len(order) + 0.35 + middle]
    labels = [short(names.tier(tier)) for tier in order] + [words.label("all_tiers")]
    ax.set_yticks(spots, labels, color=INK, fontsize=11)
    ax.get_yticklabels()[-1].set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=reach, ylim=(spots[-1] + height / 2 + 0.2, -0.95))
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(7))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: scale.tick(value)))
    told = {"control": short(names.spec.control), "metric": names.describe(names.spec.primary)}
    ax.set_xlabel(names.frame.say("axis_forest_points" if scale.unit else "axis_forest", **told))
    ax.text(1.02, -0.62, words.label("tier_alone"), transform=ax.get_yaxis_transform(), color=MUTED, fontsize=9.5)
    rows = _forest_key(ax, looks, smallest, names, shrunken=bool(tiers["lift_shrunken"].notna().any()))
    headline(ax, _forest_title(tiers, names), rise=12 + 20 * rows)
    plainly_written(ax)
    return ax


def power_bars(tiers: pd.DataFrame, overall: pd.DataFrame, ax: Axes | None = None, *, names: Names) -> Axes:
    """Draw how likely each tier is to show the smallest effect worth acting on, by formula and by simulation.

    Parameters
    ----------
    tiers
        A plan's ``tiers``: ``tier arm power power_simulated learn told``; hidden ones are missing.
    overall
        Its ``overall`` with ``arm``.
    ax
        Where to draw; a new figure where None.
    names
        How tiers, arms and figures are written.

    Returns
    -------
    Axes
        The picture; bars are the formula, diamonds the simulation, the dashed line the power that is wanted. What the
        tier can see stands at the right edge; the title says which tiers are worth testing.
    """
    words, spec = names.frame.words, names.spec
    scale = names.scale(spec.primary)
    looks = arm_looks(names.arms)
    order = list(dict.fromkeys(tiers["tier"]))
    height = _BETWEEN + _STEP * (len(looks) - 1)
    ax = canvas(ax, rows=1.1 * height * (len(order) + 1) + 5)
    for place, arm in enumerate(looks):
        colour = looks[arm][0]
        for _, row in tiers[tiers["arm"] == arm].iterrows():
            at = height * order.index(row["tier"]) + _STEP * place
            _power(ax, row, at, colour if row["learn"] == "yes" else _pale(colour))
            at_edge(ax, at, str(row["told"]))
        for _, row in overall[overall["arm"] == arm].iterrows():
            at = height * len(order) + 0.3 + _STEP * place
            _power(ax, row, at, colour)
            at_edge(ax, at, str(row["told"]), bold=True)
    middle = _STEP * (len(looks) - 1) / 2
    spots = [height * at + middle for at in range(len(order))] + [height * len(order) + 0.3 + middle]
    ax.set_yticks(
        spots, [*(short(names.tier(tier)) for tier in order), words.label("all_tiers")], color=INK, fontsize=11
    )
    ax.get_yticklabels()[-1].set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1), ylim=(spots[-1] + height / 2 + 0.1, -0.95))
    ax.spines["left"].set_visible(False)
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.axvline(spec.power, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    ax.text(1.02, -0.62, words.label("can_see"), transform=ax.get_yaxis_transform(), color=MUTED, fontsize=9.5)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="x")
    ax.set_xlabel(names.frame.say("axis_power", effect=scale.promised(spec.smallest_effect)))
    handles: list[Any] = [
        Patch(facecolor=colour, edgecolor=EDGE, linewidth=0.5, label=short(arm)) for arm, (colour, _) in looks.items()
    ]
    handles.append(mark("D", "white", INK, words.label("by_simulation")))
    rows = legend(ax, handles if len(looks) > 1 else [*_first(handles[0], words.label("by_formula")), handles[-1]])
    headline(ax, _power_title(tiers, overall, names), rise=12 + 20 * rows)
    plainly_written(ax)
    return ax


def redraw_bars(
    draws: NDArray[np.float64], row: pd.Series[Any], ax: Axes | None = None, *, names: Names, alpha: float
) -> Axes:
    """Draw what chance alone gives, and where the result stands in it.

    Parameters
    ----------
    draws
        Studentised statistics under re-randomisation; none where a t-test served, whose curve is drawn then.
    row
        The primary's row of ``overall``: ``arm lift se df p_value``.
    ax
        Where to draw; a new figure where None.
    names
        How tiers, arms and figures are written.
    alpha
        Level of the test.

    Returns
    -------
    Axes
        The picture; what lies outside the pale middle would count as an effect. The title says how often chance alone
        gives a difference as large.
    """
    frame, words = names.frame, names.frame.words
    ax = canvas(ax, rows=11)
    observed, df = float(row["lift"]) / float(row["se"]), float(row["df"])
    reach = max(4.0, 1.12 * abs(observed), *(np.abs(draws) if len(draws) else [0.0]))
    edges = np.linspace(-reach, reach, 49)
    if len(draws):
        low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
        heights = np.histogram(draws, bins=edges)[0] / len(draws)
        middles = (edges[1:] + edges[:-1]) / 2
        shades = [BAR if low <= middle <= high else EDGE for middle in middles]
        ax.bar(middles, heights, width=0.94 * (edges[1] - edges[0]), color=shades)
        top = float(heights.max())
        ax.set_ylabel(words.label("share_of_draws"))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: words.percent(share)))
        ax.grid(axis="y")
    else:
        low, high = student.ppf([alpha / 2, 1 - alpha / 2], df)
        grid = np.linspace(-reach, reach, 401)
        curve = student.pdf(grid, df)
        ax.fill_between(grid, curve, color=EDGE, linewidth=0)
        ax.fill_between(grid, curve, where=(low <= grid) & (grid <= high), color=BAR, linewidth=0)
        top = float(curve.max())
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    ax.axvline(observed, color=INK, linewidth=2.2)
    side = -1 if observed > 0 else 1
    told = frame.say("this_result", lift=names.scale(names.spec.primary).lift(float(row["lift"])))
    ax.annotate(told, (observed, 1.06 * top), (6 * side, 0), textcoords="offset points", va="center",
                ha="right" if side < 0 else "left", fontweight="bold")  # fmt: skip
    ax.set(xlim=(-reach, reach), ylim=(0, 1.16 * top))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    ax.set_xlabel(frame.say("axis_draws", n=f"{len(draws):,}") if len(draws) else words.label("axis_curve"))
    key = "title_draws" if float(row["p_value"]) < alpha else "title_draws_usual"
    headline(ax, frame.say(key, p=words.percent(float(row["p_value"]))), rise=14)
    plainly_written(ax)
    return ax


def _reach(tiers: pd.DataFrame, overall: pd.DataFrame, smallest: float | None) -> tuple[float, float]:
    """Return the ends of the axis: all dots and all intervals but the few that are far longer than others."""
    known = tiers.dropna(subset=["lift"])
    ends = [0.0, *overall[["lower", "upper"]].to_numpy(dtype=float).ravel(), *known["lift"]]
    ends += [-1.3 * smallest, 1.3 * smallest] if smallest else []
    if len(known):
        longest = _WIDEST * float(np.median(known["upper"] - known["lower"]))
        inside = known[(known["upper"] - known["lower"]) <= longest]
        ends += [*inside["lower"], *inside["upper"]]
    ends = [end for end in ends if np.isfinite(end)]
    low, high = min(ends), max(ends)
    pad = 0.06 * (high - low) or 1.0
    return low - pad, high + pad


def _interval(ax: Axes, row: pd.Series[Any], kind: str, at: float, reach: tuple[float, float], **line: Any) -> None:
    low, high = float(row[f"lower{kind}"]), float(row[f"upper{kind}"])
    if not (np.isfinite(low) and np.isfinite(high)):
        return
    ax.plot(np.clip([low, high], *reach), [at, at], solid_capstyle="butt", zorder=2, **line)
    for end, edge, arrow in ((low, reach[0], "<"), (high, reach[1], ">")):
        if not reach[0] <= end <= reach[1]:
            ax.plot([edge], [at], arrow, color=line["color"], markersize=7, clip_on=False, zorder=2)


def _dot(ax: Axes, value: float, at: float, shape: str, **look: Any) -> None:
    if np.isfinite(value):
        ax.plot([value], [at], shape, linestyle="none", zorder=3, **look)


def _diamond(ax: Axes, row: pd.Series[Any], at: float, colour: str) -> None:
    low, middle, high = (float(row[name]) for name in ("lower", "lift", "upper"))
    if np.isfinite([low, middle, high]).all():
        corners = [(low, at), (middle, at - 0.26), (high, at), (middle, at + 0.26)]
        ax.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor=EDGE, linewidth=0.6, zorder=3))


def _power(ax: Axes, row: pd.Series[Any], at: float, colour: str) -> None:
    if np.isfinite(row["power"]):
        ax.barh(at, row["power"], 0.62, color=colour, edgecolor=EDGE, linewidth=0.5)
    if np.isfinite(row["power_simulated"]):
        ax.plot([row["power_simulated"]], [at], "D", color="white", markeredgecolor=INK, markersize=6, zorder=3)


def _pale(colour: str) -> str:
    red, green, blue = (1 - 0.3 * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def _first(handle: Patch, label: str) -> list[Patch]:
    handle.set_label(label)
    return [handle]


def _forest_key(
    ax: Axes, looks: dict[str, tuple[str, str]], smallest: float | None, names: Names, *, shrunken: bool
) -> int:
    words = names.frame.words
    colour, shape = next(iter(looks.values()))
    handles: list[Any] = (
        [mark(shape, colour, EDGE, short(arm), colour) for arm, (colour, shape) in looks.items()]
        if len(looks) > 1
        else []
    )
    handles.append(mark(shape, "white", MUTED, words.label("tier_alone"), LINE))
    if shrunken:
        handles.append(mark(shape, colour if len(looks) == 1 else MUTED, EDGE, words.label("drawn_to_all"),
                               colour if len(looks) == 1 else MUTED))  # fmt: skip
    if smallest:
        told = names.frame.say("too_small_to_act", effect=names.scale(names.spec.primary).promised(smallest))
        handles.append(Patch(facecolor="#efefef", edgecolor=LINE, linewidth=0.5, label=told))
    return legend(ax, handles)


def _forest_title(tiers: pd.DataFrame, names: Names) -> str:
    say = names.frame.say
    sure = {way: list(dict.fromkeys(tiers.loc[tiers["status"] == way, "tier"])) for way in ("better", "worse")}
    known = tiers.dropna(subset=["lift"])
    if known.empty:
        return say("title_forest_few")
    if not any(sure.values()):
        return say("title_forest_none")
    total = str(tiers["tier"].nunique())
    parts = [(way, names.listed(found), str(len(found))) for way, found in sure.items() if found]
    comma = CLAUSE[names.frame.language]
    full = comma.join(say(f"title_forest_{way}", tiers=listed) for way, listed, _ in parts)
    return fitting(full, comma.join(say(f"title_forest_{way}_n", n=count, all=total) for way, _, count in parts))


def _power_title(tiers: pd.DataFrame, overall: pd.DataFrame, names: Names) -> str:
    say, spec = names.frame.say, names.spec
    effect = names.scale(spec.primary).promised(spec.smallest_effect)
    order = list(dict.fromkeys(tiers["tier"]))
    able = [tier for tier in order if (tiers.loc[tiers["tier"] == tier, "power"] >= spec.power).any()]
    blind = [tier for tier in order if (tiers.loc[tiers["tier"] == tier, "learn"] == "no").all()]
    if able and len(able) == len(order):
        return say("title_power_all", effect=effect)
    if able:
        full = say("title_power_some", tiers=names.listed(able), effect=effect)
        return fitting(full, say("title_power_n", n=str(len(able)), all=str(len(order)), effect=effect))
    if (overall["power"] >= spec.power).any():
        return say("title_power_overall", effect=effect)
    return say("title_power_blind" if len(blind) == len(order) else "title_power_none", effect=effect)
