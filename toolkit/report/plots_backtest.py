"""Pictures of the back-test: whether predicted risks come true, and whether the riskiest are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import PercentFormatter

from toolkit.report.frame import headline
from toolkit.report.look import BAR, EDGE, INK, MUTED, canvas

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

_MODEL = "#15498b"
_CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}


def calibration_curve(bins: pd.DataFrame, ax: Axes | None = None, *, slope: float, horizon: int, frame: Frame) -> Axes:
    """Draw the share that did not order against the risk that was predicted, with intervals.

    Parameters
    ----------
    bins
        ``predicted observed lower upper n`` of one model, small counts left out.
    ax
        Where to draw; a new figure where None.
    slope
        Of the calibration: 1 where risks spread as they should, under 1 where they spread too far.
    horizon
        Of the risk, in days.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; dots on the dashed line are right.
    """
    ax = canvas(ax, rows=13)
    words = frame.words
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(words.label("as_predicted"), (0.9, 0.86), color=MUTED, va="top", ha="left", fontsize=10)
    predicted, observed = (bins[name].to_numpy(dtype=float) for name in ("predicted", "observed"))
    ax.vlines(predicted, bins["lower"], bins["upper"], color=EDGE, linewidth=1.6)
    ax.plot(predicted, observed, color=_MODEL, linewidth=1.4)
    ax.plot(predicted, observed, "o", color=_MODEL, markeredgecolor=EDGE, markersize=7, linestyle="none")
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="both")
    ax.set_xlabel(frame.say("axis_predicted", n=str(horizon)))
    ax.set_ylabel(frame.say("axis_observed", n=str(horizon)))
    if bins.empty:
        headline(ax, frame.say("title_calibration_hidden", n=str(frame.min_cell)))
        return ax
    key = (
        "title_calibration"
        if 0.9 <= slope <= 1.1
        else "title_calibration_steep"
        if slope > 1.1
        else "title_calibration_flat"
    )
    headline(ax, frame.say(key, slope=f"{slope:.2f}"))
    return ax


def lift_bars(lift: pd.DataFrame, ax: Axes | None = None, *, mean: float, horizon: int, frame: Frame) -> Axes:
    """Draw the share that did not order in each tenth of buyers, the riskiest first.

    Parameters
    ----------
    lift
        Output of ``toolkit.report.backtest_tables.lift_tenths``, the riskiest first.
    ax
        Where to draw; a new figure where None.
    mean
        The share among all buyers.
    horizon
        Of the risk, in days.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title compares the first and the last tenth.
    """
    ax = canvas(ax, rows=12)
    words = frame.words
    places = np.arange(len(lift))
    shares = lift["observed"].to_numpy(dtype=float)
    ax.bar(places, np.nan_to_num(shares), 0.72, color=BAR, edgecolor=EDGE, linewidth=0.5)
    told = [str(said) for said in lift["told"]]
    for place, (share, said) in enumerate(zip(shares, told, strict=True)):
        ax.annotate(said, (place, float(np.nan_to_num(share))), (0, 3), textcoords="offset points", ha="center",
                    va="bottom", color=INK, fontsize=10, bbox=_CLEAR, zorder=3)  # fmt: skip
    ax.axhline(mean, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    ax.annotate(words.say("line_all_buyers", share=words.percent(mean)), (1, mean), (4, 0),
                xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="center", color=MUTED,
                annotation_clip=False)  # fmt: skip
    ax.set_xticks(places, [str(decile) for decile in lift.index])
    ax.tick_params(axis="both", length=0)
    ax.set_ylim(0, 1.1)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set(xlabel=words.label("axis_tenths"), ylabel=frame.say("axis_observed", n=str(horizon)))
    headline(ax, frame.say("title_lift", first=told[0], last=told[-1]))
    return ax
