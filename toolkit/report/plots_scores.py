"""Pictures of scores: how buyers spread over a dimension, and over recency by frequency."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator, NullFormatter

from toolkit.report.frame import count_axis, headline
from toolkit.report.look import BAR, INK, MUTED, SEQUENCE, canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame
    from toolkit.report.words import Words
    from toolkit.segments.rfm import Dimension

_CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_SKEWED = 20


def distribution(
    values: pd.Series[float],
    ax: Axes | None = None,
    *,
    dimension: Dimension,
    cuts: Sequence[float],
    split: float,
    frame: Frame,
) -> Axes:
    """Draw how buyers spread over a dimension, with the score of each stretch and the split of low and high.

    Parameters
    ----------
    values
        One raw value per buyer: days, order days or currency.
    ax
        Where to draw; a new figure where None.
    dimension
        Which of the three it is.
    cuts
        Its learned cut points, in the order of rising scores.
    split
        Its learned split.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture. Money is drawn on a logarithmic axis where it is skewed; who is not above 0 is then counted
        in a note.
    """
    ax = canvas(ax)
    shown = values.to_numpy(dtype=np.float64)
    better = -1 if dimension == "recency" else 1
    share = float(np.mean(better * shown > better * split))
    notes: list[str] = []
    positive = shown[shown > 0]
    half = 0.0
    if dimension == "frequency":
        half, last = 0.5, max(2, int(np.quantile(shown, 0.99)))
        shown = np.minimum(shown, last)
        edges = np.arange(np.floor(shown.min()), last + 2) - 0.5
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        notes += [frame.say("and_more", n=str(last))] if values.max() > last else []
    elif dimension == "monetary" and len(positive) and positive.max() > _SKEWED * np.median(positive):
        edges = np.geomspace(positive.min(), positive.max(), 41)
        notes += [frame.say("not_drawn", n=f"{len(shown) - len(positive):,}")] if len(positive) < len(shown) else []
        shown = positive
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        edges = np.histogram_bin_edges(shown, bins=40)
    ax.hist(shown, bins=edges.tolist(), color=BAR, edgecolor="white", linewidth=0.6)
    ax.set_xlim(edges[0], edges[-1])
    ax.margins(y=0.3)
    write = frame.money if dimension == "monetary" else frame.words.number
    _score_zones(ax, {cut + half: write(cut) for cut in cuts}, split + half, dimension[0].upper(), better)
    _split_line(ax, split + half, better, frame.words)
    if dimension == "monetary":
        ax.xaxis.set_major_formatter(frame.money_ticks())
    ax.set_xlabel("\n".join([frame.say(f"axis_{dimension}"), *notes]))
    count_axis(ax, frame.words.label("buyers"))
    title = "title_frequency_one" if dimension == "frequency" and split == 1 else f"title_{dimension}"
    headline(ax, frame.say(title, share=frame.words.percent(share), split=write(split)), rise=26)
    return ax


def score_grid(table: pd.DataFrame, ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw buyers by recency and frequency score: the count in the cell, mean spend as its colour.

    Parameters
    ----------
    table
        Output of ``score_table``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; combinations that nobody has are left blank.
    """
    ax = canvas(ax, rows=13)
    known = table.reset_index().astype({"r_score": "int64", "f_score": "int64"})
    enough = known.loc[[not frame.small(customers) for customers in known["customers"]]]
    rows, columns = range(1, known["r_score"].max() + 1), range(1, known["f_score"].max() + 1)
    spend = np.full((len(rows), len(columns)), np.nan)
    spend[enough["r_score"] - 1, enough["f_score"] - 1] = enough["mean_window_spend"]
    means = [0.0, *enough["mean_window_spend"]]
    scale = Normalize(min(means), max(means) or 1.0)
    mesh = ax.pcolormesh(spend, cmap=SEQUENCE, norm=scale, edgecolor="white", linewidth=2)
    for r, f, customers in zip(known["r_score"], known["f_score"], known["customers"], strict=True):
        mean = float(spend[r - 1, f - 1])
        told: dict[str, Any] = {
            "ha": "center",
            "color": "white" if scale(mean) > 0.55 else INK,
            "textcoords": "offset points",
        }
        middle = (f - 0.5, r - 0.5)
        ax.annotate(frame.count(customers), middle, (0, 2), va="bottom", fontsize=12.5, fontweight="bold", **told)
        if not np.isnan(mean):
            ax.annotate(frame.money(mean), middle, (0, -2), va="top", fontsize=10, **told)
    ax.set_xticks([score - 0.5 for score in columns], [str(score) for score in columns])
    ax.set_yticks([score - 0.5 for score in rows], [str(score) for score in rows])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel=frame.say("axis_f_score"), ylabel=frame.say("axis_r_score"))
    bar = ax.figure.colorbar(mesh, ax=ax, format=frame.money_ticks(), aspect=30)
    bar.set_label(frame.say("axis_mean_spend"), color=MUTED)
    bar.outline.set_visible(False)
    best = enough.loc[(enough["r_score"] == rows[-1]) & (enough["f_score"] == columns[-1])]
    for customers, mean in zip(best["customers"], best["mean_window_spend"], strict=True):
        headline(ax, frame.say("title_grid", n=frame.count(customers), money=frame.money(mean)))
    if best.empty:
        headline(ax, frame.say("title_grid_empty", n=str(frame.min_cell)))
    return ax


def _score_zones(ax: Axes, cuts: Mapping[float, str], split: float, letter: str, better: int) -> None:
    """Dash the cuts and write their values over them; name the score of each stretch that has room for a name."""
    low, high = ax.get_xlim()
    inside = sorted(cut for cut in cuts if low < cut < high)
    beneath = sum(better * cut <= better * (low if better > 0 else high) for cut in cuts)
    scores = list(range(beneath + 1, beneath + len(inside) + 2))[::better]
    last = -1.0
    for cut in inside:
        ax.axvline(cut, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        place = _across(ax, cut)
        if place - last > 0.04:
            ax.text(place, 1.01, cuts[cut], transform=ax.transAxes, ha="center", va="bottom", color=MUTED, fontsize=9.5)
            last = place
    for left, right, score in zip([low, *inside], [*inside, high], scores, strict=True):
        parts = [left, split, right] if left < split < right else [left, right]
        places = [_across(ax, part) for part in parts]
        width, middle = max((b - a, (a + b) / 2) for a, b in pairwise(places))
        if width > 0.03:
            ax.text(
                middle,
                0.97,
                f"{letter}{score}",
                transform=ax.transAxes,
                ha="center",
                va="top",
                color=MUTED,
                bbox=_CLEAR,
            )


def _across(ax: Axes, value: float) -> float:
    return float(ax.transAxes.inverted().transform(ax.transData.transform((value, 0)))[0])


def _split_line(ax: Axes, at: float, better: int, words: Words) -> None:
    ax.axvline(at, color=INK, linewidth=2)
    sides = [words.label("low"), words.label("high")][::better]
    place = ax.get_xaxis_transform()
    for text, shift, ha in ((f"← {sides[0]}", -6, "right"), (f"{sides[1]} →", 6, "left")):
        ax.annotate(
            text,
            (at, 0.84),
            xycoords=place,
            xytext=(shift, 0),
            textcoords="offset points",
            ha=ha,
            fontweight="bold",
            bbox=_CLEAR,
            annotation_clip=True,
        )
