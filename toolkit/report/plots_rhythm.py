"""Pictures of rhythm: buyers by where they come from, cohorts, and hysteresis with its price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize

from toolkit.report.frame import bars_down, headline, key
from toolkit.report.look import EDGE, INK, MUTED, SEQUENCE, canvas
from toolkit.report.moves_cells import count_text, number_of
from toolkit.report.rhythm_cells import BUYERS
from toolkit.report.small_cells import HIDDEN, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

KIND_COLOURS: dict[str, str] = {
    "retained": "#15498b", "resurrected": "#5085c4", "new": "#8fd0c3", "dormant": "#dea04c",
}  # fmt: skip
_AGES_SHOWN = 13
_COHORTS_SHOWN = 13
_TOP_SHARE = 0.98
_AVOIDED, _DELAYED = "#1d7a6d", "#dea04c"


def accounting_bars(periods: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw buyers per period by where they come from, and below zero who went dormant.

    Parameters
    ----------
    periods
        Output of ``toolkit.report.rhythm_cells.periods_of``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; a period whose split is hidden is one pale bar.
    """
    ax = canvas(ax, rows=12)
    words = frame.words
    places = np.arange(len(periods))
    split = {kind: np.array([number_of(cell) for cell in periods[kind]]) for kind in BUYERS}
    active = np.array([number_of(cell) for cell in periods["active"]])
    hidden = np.array([isinstance(cell, Mark) for cell in periods["new"]], dtype=bool)
    ax.bar(places[hidden], active[hidden], 0.7, color="#e3e3e3", edgecolor=EDGE, linewidth=0.5)
    edge = np.zeros(len(periods))
    for kind in ("retained", "resurrected", "new"):
        ax.bar(places, split[kind], 0.7, bottom=edge, color=KIND_COLOURS[kind], edgecolor=EDGE, linewidth=0.5)
        edge += split[kind]
    ax.bar(places, -split["dormant"], 0.7, color=KIND_COLOURS["dormant"], edgecolor=EDGE, linewidth=0.5)
    for place, cell in enumerate(periods["active"]):
        said: dict[str, Any] = {"ha": "center", "color": MUTED, "fontsize": 9.5, "textcoords": "offset points"}
        ax.annotate(count_text(cell, frame), (place, max(active[place], 0)), (0, 3), va="bottom", **said)
    ax.axhline(0, color=MUTED, linewidth=1)
    months = words.label("months").split(",")
    names = [f"{months[day.month - 1]}\n{day.year}" if n == 0 or day.month == 1 else months[day.month - 1]
             for n, day in enumerate(periods.index)]  # fmt: skip
    ax.set_xticks(places, names)
    ax.tick_params(axis="x", length=0)
    ax.spines["left"].set_visible(False)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    ax.set_ylabel(words.label("active"))
    ax.grid(axis="y")
    key(ax, {words.label(kind): colour for kind, colour in KIND_COLOURS.items()})
    last = periods.iloc[-1]
    told = {name: count_text(last[name], frame) for name in ("active", "resurrected", "dormant")}
    headline(ax, frame.say("title_accounting", **told), rise=34)
    return ax


def cohort_triangle(cells: pd.DataFrame, overall: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw which share of each cohort is active at which age.

    Parameters
    ----------
    cells
        Output of ``toolkit.report.rhythm_cells.cohorts_of``.
    overall
        ``overall`` of ``cohort_retention``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture, the latest cohorts and the first ages; age 0, which is everybody, is left out, and so is what is
        not over yet. The last row is all cohorts together.
    """
    ages = [age for age in cells.columns if age not in {"customers", 0}][: _AGES_SHOWN - 1]
    known = cells[cells[ages].notna().any(axis="columns")].tail(_COHORTS_SHOWN) if ages else cells.iloc[:0]
    ax = canvas(ax, rows=0.85 * len(known) + 6)
    if known.empty:
        ax.set_axis_off()
        headline(ax, frame.say("title_cohorts_none"))
        return ax
    words = frame.words
    told = {age: overall["share"][age] for age in ages if not frame.small(overall["active"][age])}
    rows = [*(list(row) for row in known[ages].to_numpy()), [told.get(age) for age in ages]]
    shares = np.array(
        [[np.nan if cell is None or isinstance(cell, Mark) else cell for cell in row] for row in rows], float
    )
    scale = Normalize(0, float(np.nanquantile(shares, _TOP_SHARE)) if np.isfinite(shares).any() else 1.0)
    ax.pcolormesh(np.ma.masked_invalid(shares), cmap=SEQUENCE, norm=scale, edgecolor="white", linewidth=2)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            middle = (j + 0.5, i + 0.5)
            if isinstance(cell, Mark):
                ax.text(*middle, str(cell), ha="center", va="center", color=MUTED)
            elif np.isfinite(shares[i, j]):
                look: dict[str, Any] = {"fontweight": "bold"} if i == len(known) else {}
                ink = "white" if scale(shares[i, j]) > 0.55 else INK
                ax.text(*middle, f"{100 * shares[i, j]:.0f}%", ha="center", va="center", color=ink, fontsize=10, **look)
    months = words.label("months").split(",")
    year = "{}年" if frame.language == "zh" else "{} "
    starts = pd.DatetimeIndex(known.index)
    names = [
        f"{year.format(day.year)}{months[day.month - 1]}  ({count_text(n, frame)})"
        for day, n in zip(starts, known["customers"], strict=True)
    ]
    ax.set_yticks([n + 0.5 for n in range(len(rows))], [*names, words.label("all_cohorts")])
    ax.set_xticks([n + 0.5 for n in range(len(ages))], [str(age) for age in ages])
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    ax.set(xlabel=words.label("age"), ylabel=words.label("cohort"))
    first = next(iter(told), None)
    if first is None:
        headline(ax, frame.say("title_bridge_hidden", n=str(frame.min_cell)))
    else:
        headline(ax, frame.say("title_cohorts", age=str(first), share=words.percent(float(told[first]))))
    return ax


def hysteresis_bars(table: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw for each setting of hysteresis which share of flaps it avoids and which share of lasting changes it delays.

    Parameters
    ----------
    table
        Output of ``toolkit.report.rhythm_cells.settings_of``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture: avoided to the left, delayed to the right, one row per setting; the setting without hysteresis is
        what they are compared with. The title names the setting that leaves the least spend in the wrong tier.
    """
    settings = [setting for setting in table.index if setting != (0.0, 1)]
    ax = canvas(ax, rows=0.95 * len(settings) + 5.5)
    words = frame.words
    plain = number_of(table.loc[(0.0, 1), "flaps"])
    avoided = {one: _share(table.loc[one, "flaps_avoided"], plain) for one in settings}
    delayed = {one: _share(table.loc[one, "late"], number_of(table.loc[one, "lasting"])) for one in settings}
    for place, setting in enumerate(settings):
        for share, sign, colour in ((avoided[setting], -1, _AVOIDED), (delayed[setting], 1, _DELAYED)):
            length = sign * (share or 0.0)
            ax.barh(place, length, 0.62, color=colour, edgecolor=EDGE, linewidth=0.5)
            text = str(HIDDEN) if share is None else words.percent(share)
            ax.annotate(text, (length, place), (5 * sign, 0), textcoords="offset points", va="center",
                        ha="left" if sign > 0 else "right", color=MUTED)  # fmt: skip
    bars_down(ax, [_named(setting, frame) for setting in settings])
    ax.set_xlim(-1.25, 1.25)
    ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.0%}")
    ax.set_xlabel(frame.say("axis_hysteresis"))
    ax.grid(axis="x")
    key(ax, {words.label("flaps_avoided"): _AVOIDED, words.label("late"): _DELAYED})
    known = [one for one in settings if avoided[one] is not None and delayed[one] is not None]
    if not plain or not known:
        headline(ax, frame.say("title_hysteresis_none"), rise=34)
        return ax
    best = min(known, key=lambda one: number_of(table.loc[one, "misplaced_spend"]))
    told = {"avoided": words.percent(avoided[best] or 0.0), "late": words.percent(delayed[best] or 0.0)}
    headline(ax, frame.say("title_hysteresis", setting=_named(best, frame), **told), rise=34)
    return ax


def _share(part: object, whole: float) -> float | None:
    return None if isinstance(part, Mark) or not whole else number_of(part) / whole


def _named(setting: tuple[float, int], frame: Frame) -> str:
    band, stay = setting
    parts = [frame.say("hysteresis_band", band=frame.words.percent(band))] if band else []
    parts += [frame.say("hysteresis_stay", n=str(stay))] if stay != 1 else []
    said = frame.say("hysteresis_and").join(parts)
    return said[:1].upper() + said[1:]
