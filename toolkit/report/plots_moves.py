"""Pictures of moves: streams between tiers, and the matrix of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from toolkit.report.frame import headline
from toolkit.report.look import EDGE, INK, MUTED, SEGMENT_COLOURS, SEQUENCE, canvas
from toolkit.report.moves_cells import count_text, name_of, number_of
from toolkit.report.small_cells import Mark
from toolkit.report.words import TOTAL
from toolkit.segments.moved import GONE, NEW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame

_BESIDE = {NEW: "#ffffff", GONE: "#bdbdbd"}
_GAP, _NODE = 0.012, 0.035
_LINE = 0.031
_FAINT = 0.01
_LEFT, _RIGHT = 0.0, 1.0


def alluvial(cells: pd.DataFrame, ax: Axes | None = None, *, by: str, since: date, frame: Frame) -> Axes:
    """Draw where customers came from and where they are: streams between two columns of tiers.

    Parameters
    ----------
    cells
        Output of ``toolkit.report.moves_cells.crosstab``.
    ax
        Where to draw; a new figure where None.
    by
        The scheme.
    since
        The earlier day.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture: who stayed is drawn pale, who moved in the colour of the tier left; streams under 1 % of all are
        faint, hidden ones are left out. The title names the largest stream.
    """
    ax = canvas(ax, rows=19)
    words = frame.words
    counts = cells.map(number_of)
    rows, columns = ([str(name) for name in axis if name != TOTAL] for axis in (counts.index, counts.columns))
    inner = counts.loc[rows, columns]
    whole = float(max(counts.loc[TOTAL, TOTAL], inner.to_numpy().sum())) or 1.0
    sides = {
        _LEFT: _stack(inner.sum(axis="columns").clip(lower=counts[TOTAL].loc[rows]) / whole),
        _RIGHT: _stack(inner.sum().clip(lower=counts.T[TOTAL].loc[columns]) / whole),
    }
    colours = tier_colours([name for name in rows if name != NEW]) | _BESIDE
    starts, ends = (dict(sides[side]) for side in (_LEFT, _RIGHT))
    for origin in rows:
        for target in columns:
            width = float(inner[target][origin]) / whole
            if not width:
                continue
            top, bottom = starts[origin][0], ends[target][0]
            starts[origin] = (top + width, starts[origin][1])
            ends[target] = (bottom + width, ends[target][1])
            stays = origin == target
            alpha = 0.25 if stays or width < _FAINT else 0.72
            face = "#cfd4da" if stays else "#a0a0a0" if origin == NEW else colours[origin]
            ax.add_patch(_stream(top, bottom, width, facecolor=face, alpha=alpha))
    for side, nodes, margin in ((_LEFT, rows, cells[TOTAL]), (_RIGHT, columns, cells.loc[TOTAL])):
        shown = [name for name in nodes if sides[side][name][1] > sides[side][name][0]]
        for name in shown:
            top, bottom = sides[side][name]
            x = side - _NODE if side == _LEFT else side
            ax.add_patch(
                Rectangle((x, top), _NODE, bottom - top, facecolor=colours[name], edgecolor=EDGE, linewidth=0.5)
            )
        middles = [sum(sides[side][name]) / 2 for name in shown]
        for name, middle, place in zip(shown, middles, _apart(middles), strict=True):
            said = f"{name_of(name, by, words)}  {count_text(margin[name], frame)}"
            _beside(ax, side, middle, place, said)
    low = max([1.0, *(bottom for nodes in sides.values() for _, bottom in nodes.values())])
    ax.set(xlim=(-0.45, 1.45), ylim=(low + 0.02, -0.07))
    ax.set_axis_off()
    for side, day in ((_LEFT, since), (_RIGHT, frame.as_of)):
        x, ha = (side - _NODE - 0.02, "right") if side == _LEFT else (side + _NODE + 0.02, "left")
        ax.text(x, -0.025, words.date(day), ha=ha, va="bottom", color=MUTED, fontweight="bold")
    _alluvial_title(ax, inner, by, frame)
    return ax


def matrix_heat(cells: pd.DataFrame, ax: Axes | None = None, *, by: str, since: date, frame: Frame) -> Axes:
    """Draw which share of each tier went where, with the counts.

    Parameters
    ----------
    cells
        Output of ``toolkit.report.moves_cells.crosstab``.
    ax
        Where to draw; a new figure where None.
    by
        The scheme.
    since
        The earlier day.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture: the share of the row as colour and figure, the count under it; empty rows and columns are left
        out. The title names the tier that held best.
    """
    numbers = cells.map(number_of)
    rows = [str(name) for name in cells.index if name != TOTAL and cells.loc[name, TOTAL] != 0]
    columns = [str(name) for name in cells.columns if name != TOTAL and cells.loc[TOTAL, name] != 0]
    ax = canvas(ax, rows=1.3 * len(rows) + 5)
    of = np.array([number_of(cells.loc[name, TOTAL]) for name in rows])[:, None]
    shares = numbers.loc[rows, columns].to_numpy() / np.where(of > 0, of, np.nan)
    ax.pcolormesh(np.nan_to_num(shares), cmap=SEQUENCE, vmin=0, vmax=1, edgecolor="white", linewidth=2)
    for i, origin in enumerate(rows):
        for j, target in enumerate(columns):
            cell = cells.loc[origin, target]
            if cell == 0:
                continue
            ink = "white" if np.nan_to_num(shares[i, j]) > 0.55 else INK
            told: dict[str, Any] = {"ha": "center", "color": ink, "textcoords": "offset points"}
            middle = (j + 0.5, i + 0.5)
            if isinstance(cell, Mark):
                ax.annotate(str(cell), middle, (0, 0), va="center", fontsize=9.5, **told)
                continue
            if np.isfinite(shares[i, j]):
                ax.annotate(frame.words.percent(shares[i, j]), middle, (0, 0), va="bottom", fontsize=11, **told)
            ax.annotate(f"{number_of(cell):,.0f}", middle, (0, -2), va="top", fontsize=9, **told)
    ax.set_xticks(
        [n + 0.5 for n in range(len(columns))], [_wrapped(name_of(name, by, frame.words)) for name in columns]
    )
    ax.set_yticks([n + 0.5 for n in range(len(rows))], [name_of(name, by, frame.words) for name in rows])
    ax.tick_params(length=0, labelsize=9.5, colors=INK)
    ax.xaxis.set_label_position("top")
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    ax.invert_yaxis()
    ax.set(xlabel=frame.say("axis_matrix_to"), ylabel=frame.say("axis_matrix_from", since=frame.words.date(since)))
    _matrix_title(ax, cells, by, frame)
    return ax


def tier_colours(tiers: Sequence[str]) -> dict[str, str]:
    """Return the colours of a scheme's tiers: those of the eight types, or as many steps from dark to pale."""
    if set(tiers) <= set(SEGMENT_COLOURS):
        return {tier: SEGMENT_COLOURS[tier] for tier in tiers}
    steps = list(SEGMENT_COLOURS.values())
    places = np.linspace(0, len(steps) - 1, max(len(tiers), 2)).round().astype(int)
    return {tier: steps[place] for tier, place in zip(tiers, places, strict=False)}


def _stack(shares: pd.Series[float]) -> dict[str, tuple[float, float]]:
    """Return from where to where each node reaches, top down; nodes that hold nobody take no room."""
    found, top = {}, 0.0
    for name, share in shares.items():
        found[str(name)] = (top, top + float(share))
        top += float(share) + (_GAP if share else 0.0)
    return found


def _stream(top: float, bottom: float, width: float, **look: Any) -> PathPatch:
    points = [
        (_LEFT, top), (0.5, top), (0.5, bottom), (_RIGHT, bottom),
        (_RIGHT, bottom + width), (0.5, bottom + width), (0.5, top + width), (_LEFT, top + width), (_LEFT, top),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path(points, codes), linewidth=0, **look)


def _apart(middles: Sequence[float]) -> list[float]:
    """Move names apart until each has its own line, as little as possible."""
    places = list(middles)
    for n in range(1, len(places)):
        places[n] = max(places[n], places[n - 1] + _LINE)
    limit = 1.0 + _GAP * len(places)
    for n in range(len(places) - 1, -1, -1):
        places[n] = min(places[n], limit)
        limit = places[n] - _LINE
    return places


def _beside(ax: Axes, side: float, middle: float, place: float, said: str) -> None:
    out = -1 if side == _LEFT else 1
    edge = side + out * _NODE
    ax.plot([edge, edge + out * 0.018, edge + out * 0.03], [middle, place, place], color=MUTED, linewidth=0.7)
    ax.text(edge + out * 0.038, place, said, ha="right" if out < 0 else "left", va="center", color=INK, fontsize=10.5)


def _alluvial_title(ax: Axes, inner: pd.DataFrame, by: str, frame: Frame) -> None:
    known = inner.drop(index=NEW, columns=GONE, errors="ignore")
    moves = {(str(a), str(b)): float(known[b][a]) for a in known.index for b in known.columns if a != b}
    largest = max(moves, key=lambda pair: moves[pair], default=None)
    if largest is None or not moves[largest]:
        headline(ax, frame.say("title_alluvial_calm"))
        return
    origin, target = (name_of(name, by, frame.words) for name in largest)
    told = frame.say("title_alluvial", n=f"{moves[largest]:,.0f}", origin=origin, target=target)
    headline(ax, told)


def _matrix_title(ax: Axes, cells: pd.DataFrame, by: str, frame: Frame) -> None:
    """Say of the best tier that is shown how many stayed, and where most of the others went."""
    others = [name for name in cells.columns if name != TOTAL]
    for tier in cells.index[:-1]:
        row = cells.loc[tier]
        if tier == NEW or isinstance(row[TOTAL], Mark) or not row[TOTAL] or isinstance(row[tier], Mark):
            continue
        away = {name: number_of(row[name]) for name in others if name != tier}
        most = max(away, key=lambda name: away[name])
        told = {"stayed": row[tier] / row[TOTAL], "went": away[most] / row[TOTAL]}
        shares = {name: frame.words.percent(float(share)) for name, share in told.items()}
        target = name_of(most, by, frame.words)
        headline(ax, frame.say("title_matrix", tier=name_of(tier, by, frame.words), target=target, **shares))
        return
    headline(ax, frame.say("title_matrix_hidden", n=str(frame.min_cell)))


def _wrapped(name: str) -> str:
    return name.replace(" ", "\n", 1)
