"""Pictures of stages and of the hours of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.ticker import FuncFormatter, PercentFormatter

from toolkit.report.frame import at_bar_end, bars_down, headline
from toolkit.report.look import EDGE, INK, MUTED, SEQUENCE, canvas
from toolkit.report.plots_tiers import tier_colours
from toolkit.report.stage_tables import KEY_FIGURES, hidden_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from toolkit.report.frame import Frame
    from toolkit.segments.stages import StageFigures


def hour_heat(table: pd.DataFrame, names: Sequence[str], ax: Axes | None = None, *, index: bool, frame: Frame) -> Axes:
    """Draw the hours of the day: one row per thing or tier, darker where more is done.

    Parameters
    ----------
    table
        One row per thing, columns the hours 0 to 23: shares of its acts, or an index against everybody.
    names
        Names of the rows.
    ax
        Where to draw; a new figure where None.
    index
        Whether it holds an index; missing cells are left white.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the title says the busiest hour.
    """
    ax = canvas(ax, rows=max(len(table) + 4.5, 9))
    values = table.to_numpy(dtype=np.float64)
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
    colours: dict[str, Any] = {"cmap": SEQUENCE, "norm": Normalize(0, top)}
    if index:
        colours = {"cmap": "PuOr_r", "norm": TwoSlopeNorm(100, min(99.0, _least(values)), max(top, 101.0))}
    mesh = ax.pcolormesh(np.ma.masked_invalid(values), edgecolor="white", linewidth=1, **colours)
    ax.set_yticks(np.arange(len(names)) + 0.5, names, color=INK)
    ax.set_xticks(np.arange(0, 24, 3) + 0.5, [f"{hour}:00" for hour in range(0, 24, 3)])
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(frame.say("axis_hour"))
    form = FuncFormatter(lambda value, _: f"{value:,.0f}") if index else PercentFormatter(1, decimals=0)
    bar = ax.figure.colorbar(mesh, ax=ax, format=form, aspect=24)
    bar.set_label(frame.say("axis_hour_index" if index else "axis_hour_share"), color=MUTED)
    bar.outline.set_visible(False)
    headline(ax, _hour_finding(table, names, frame, index=index))
    return ax


def stage_bars(figures: StageFigures, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw how many customers stand in each stage, and beside it its key figure with its interval.

    Parameters
    ----------
    figures
        Output of ``stage_figures``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The axes of the customers; those of the key figures stand inside it.
    """
    words = frame.words
    stages = [str(stage) for stage in figures.customers.index]
    ax = canvas(ax, rows=1.5 * len(stages) + 3.5)
    colours = tier_colours("stage", stages)
    counts = figures.customers.to_numpy(dtype=np.float64)
    shown = np.array([0.0 if frame.small(count) else count for count in counts.tolist()])
    ax.barh(np.arange(len(stages)), shown, 0.62, color=list(colours.values()), edgecolor=EDGE, linewidth=0.5)
    for place, (length, count) in enumerate(zip(shown.tolist(), counts.tolist(), strict=True)):
        at_bar_end(ax, length, place, frame.count(count))
    bars_down(ax, [words.tier("stage", stage) for stage in stages])
    ax.set_xlim(0, 2.5 * max(1.0, shown.max()))
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel(frame.say("axis_stages", day=words.date(figures.start)), loc="left")
    beside = ax.inset_axes((0.52, 0, 0.48, 1))
    hidden = hidden_figures(figures, frame=frame)
    for place, stage in enumerate(stages):
        figure = KEY_FIGURES.get(stage, "active_share")
        row = figures.table.T[stage, figure]
        few = (stage, figure) in hidden
        known = pd.notna(row["value"]) and not few
        text = f"{words.label(f'figure_{figure}')}  "
        if known:
            beside.plot(
                [row["lower"], row["upper"]], [place, place], color=MUTED, linewidth=3, solid_capstyle="butt", zorder=2
            )
            beside.plot([row["value"]], [place], "o", color=INK, markersize=7, zorder=3)
            text += words.percent(float(row["value"]))
        else:
            text += words.say("fewer", n=str(frame.min_cell)) if few else words.label("not_known")
        beside.text(0, place - 0.3, text, va="center", fontsize=9.5, color=INK)
    beside.set_ylim(len(stages) - 0.5, -0.6)
    beside.set_xlim(0, 1)
    beside.set_yticks([])
    beside.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    beside.grid(axis="x")
    beside.spines["left"].set_visible(False)
    beside.set_xlabel(frame.say("axis_key_figure", day=words.date(figures.as_of)))
    headline(ax, _stage_finding(figures, frame))
    return ax


def _least(values: NDArray[np.float64]) -> float:
    return float(np.nanmin(values)) if np.isfinite(values).any() else 0.0


def _hour_finding(table: pd.DataFrame, names: Sequence[str], frame: Frame, *, index: bool) -> str:
    if not index:
        mean = table.mean()
        return frame.say("title_hours", hour=f"{int(mean.idxmax())}:00")
    values = table.to_numpy(dtype=np.float64)
    if np.isnan(values).all():
        return frame.say("title_small", n=str(frame.min_cell))
    row, hour = divmod(int(np.nanargmax(values)), values.shape[1])
    times = frame.words.number(float(values[row, hour]) / 100)
    return frame.say("title_tier_hours", tier=names[row], hour=f"{table.columns[hour]}:00", times=times)


def _stage_finding(figures: StageFigures, frame: Frame) -> str:
    words = frame.words
    biggest = str(figures.customers.idxmax())
    count = int(figures.customers.max())
    if frame.small(count):
        return frame.say("title_small", n=str(frame.min_cell))
    share = words.percent(count / int(figures.customers.sum()))
    return frame.say("title_stages", stage=words.tier("stage", biggest), share=share)
