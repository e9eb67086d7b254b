"""The picture of the churn clock: after how many silent days to call a customer lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, PercentFormatter

from toolkit.report.frame import headline
from toolkit.report.look import INK, LINE, MUTED, canvas

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

ERRORS = {"lost_but_ordered": "#c98429", "alive_but_silent": "#15498b"}
"""The two ways in which a window can be wrong, and their colours."""


def clock_lines(
    candidates: pd.DataFrame, ax: Axes | None = None, *, recommended: int, horizon: int, frame: Frame
) -> Axes:
    """Draw the two error rates over the candidate windows, with the recommendation.

    Parameters
    ----------
    candidates
        Output of ``toolkit.report.risk_tables.clock_cells``, indexed by ``window_days``.
    ax
        Where to draw; a new figure where None.
    recommended
        The window that is recommended, in days.
    horizon
        Within how many days an order proves the call wrong or right.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title says what the recommended window means.
    """
    ax = canvas(ax, rows=12)
    words = frame.words
    days = candidates.index.to_numpy(dtype=float)
    for name, colour in ERRORS.items():
        line = candidates[name].to_numpy(dtype=float)
        low, high = (candidates[f"{name}_{side}"].to_numpy(dtype=float) for side in ("lower", "upper"))
        ax.fill_between(days, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(days, line, color=colour, linewidth=2.3, marker="o", markersize=4.5,
                linestyle="-" if name == "lost_but_ordered" else (0, (6, 1.5)))  # fmt: skip
    ax.axvline(recommended, color=INK, linewidth=1.6)
    for part in (0.75, 1.25):
        ax.axvline(part * recommended, color=LINE, linewidth=1.2, linestyle=(0, (4, 3)))
    ax.annotate(
        words.say("n_days_is", n=f"{recommended:,}"), (recommended, 1), (0, 4), xycoords=ax.get_xaxis_transform(),
        textcoords="offset points", ha="center", va="bottom", fontweight="bold", annotation_clip=False,
    )  # fmt: skip
    upper = candidates[[f"{name}_upper" for name in ERRORS]].to_numpy(dtype=float)
    top = float(np.nanmax(upper)) if np.isfinite(upper).any() else 1.0
    known = {name: candidates[name].dropna() for name in ERRORS}
    ends = {name: float(line.iloc[-1]) for name, line in known.items() if len(line)}
    close = bool(ends) and max(ends.values()) - min(ends.values()) < 0.08
    for name, end in ends.items():
        above = end >= max(ends.values())
        shift = (9 if above else -9) if close else 8 if end < 0.06 * top else 0
        ax.annotate(words.say(f"line_{name}", n=str(horizon)), (float(known[name].index[-1]), end), (8, shift),
                    textcoords="offset points", va="center", color=INK, annotation_clip=False)  # fmt: skip
    ax.set_ylim(0, max(0.1, min(1.0, 1.12 * top)))
    ax.xaxis.set_major_locator(FixedLocator(_ticks(days.tolist(), recommended)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(words.label("axis_clock"), color=MUTED)
    error = float(candidates["lost_but_ordered"].get(recommended, np.nan))
    told = {"n": f"{recommended:,}", "horizon": str(horizon), "share": words.percent(error)}
    headline(ax, frame.say("title_clock" if np.isfinite(error) else "title_clock_plain", **told), rise=26)
    return ax


def _ticks(days: list[float], recommended: int) -> list[float]:
    """Return the recommended window and as many of the candidates as the axis has room for."""
    apart = (max(days) - min(days)) / 14
    found = [float(recommended)]
    for day in days:
        if min(abs(day - tick) for tick in found) >= apart:
            found.append(day)
    return found
