"""Pictures of clusters: what marks each of them, and how their number was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize

from toolkit.report.frame import headline
from toolkit.report.look import BAR, INK, MUTED, canvas

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from toolkit.report.clustering import Heat
    from toolkit.report.frame import Frame

BELOW_AND_ABOVE = LinearSegmentedColormap.from_list("below_and_above", ["#c98429", "#ffffff", "#15498b"])
"""Orange under the median of all buyers, blue over it."""
_STRONGEST = 2.0
_LETTERS = {"zh": 7, "en": 13}


def cluster_heat(found: Heat, ax: Axes | None = None, *, best: str, frame: Frame) -> Axes:
    """Draw each cluster's medians in natural units, coloured by how far they are from those of all buyers.

    Parameters
    ----------
    found
        Output of ``toolkit.report.clustering.heat``.
    ax
        Where to draw; a new figure where None.
    best
        The cluster of which the title speaks.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture, clusters from the top down, features from the left.
    """
    groups, words = found.groups, frame.words
    if found.distances.empty:
        return _only_said(ax, frame.say("title_heat_alike"))
    ax = canvas(ax, rows=2.2 * len(groups) + 5)
    distances = found.distances.to_numpy()
    ax.pcolormesh(BELOW_AND_ABOVE(Normalize(-_STRONGEST, _STRONGEST)(distances)), edgecolor="white", linewidth=2)
    for (row, column), distance in np.ndenumerate(distances):
        text, shade = str(found.written.iloc[row, column]), "white" if distance > 0.6 * _STRONGEST else INK
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=12.5, color=shade)
    names = [
        words.say("heat_row_hidden" if name in found.hidden else "heat_row", n=str(name), **_size(count, share, frame))
        for name, count, share in zip(groups.index, groups["customers"], groups["share_of_customers"], strict=True)
    ]
    features = [_wrapped(words.label(str(name)), frame) for name in found.distances]
    ax.set_yticks(np.arange(len(groups)) + 0.5, names, color=INK)
    ax.set_xticks(np.arange(len(features)) + 0.5, features, color=INK)
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(frame.say("axis_heat"))
    _heat_title(ax, found, best, frame)
    return ax


def choice_lines(choice: pd.DataFrame, ax: Axes | None = None, *, k: int, verdict: str, ari: str, frame: Frame) -> Axes:
    """Draw how separate clusters are for each number of them, beside those of a cloud without groups.

    Parameters
    ----------
    choice
        ``Clusters.choice_``.
    ax
        Where to draw; a new figure where None.
    k
        The number that was taken.
    verdict
        Output of ``toolkit.report.clustering.verdict_key``.
    ari
        How far random halves agree on the final clusters, as text.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture; the agreement of halves stands under each number. Without numbers to compare it only says so.
    """
    if choice.empty:
        return _only_said(ax, frame.say("title_choice_empty"))
    ax = canvas(ax, rows=11)
    words = frame.words
    places = choice.index.to_numpy()
    own, cloud = choice["separation"], choice["separation_reference"]
    ax.fill_between(
        places, cloud, own, where=(own > cloud).tolist(), interpolate=True, color=BAR, alpha=0.25, linewidth=0
    )
    ax.plot(places, own, color=INK, marker="o", markersize=6, linewidth=2)
    ax.plot(places, cloud, color=MUTED, marker="o", markersize=4, linewidth=1.2, linestyle=(0, (4, 3)))
    shift = 9 if own.iloc[-1] >= cloud.iloc[-1] else -15
    for line, label, up, colour in ((own, "our_customers", shift, INK), (cloud, "a_cloud", -6 - shift, MUTED)):
        ax.annotate(
            words.label(label),
            (places[-1], line.iloc[-1]),
            xytext=(0, up),
            textcoords="offset points",
            ha="right",
            color=colour,
        )
    if k in choice.index:
        ax.plot(
            [k], [own[k]], marker="o", markersize=14, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=2
        )
    ticks = [f"{size}\n{share:.2f}" for size, share in choice["stability"].items()]
    ax.set_xticks(places, ticks, color=INK)
    ax.set_ylim(0, max(0.1, 1.2 * float(max(own.max(), cloud.max()))))
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set(xlabel=frame.say("axis_choice_k"), ylabel=frame.say("axis_separation"))
    titles = {"verdict_no_structure": "title_choice_none", "verdict_not_stable": "title_choice_unstable"}
    headline(ax, frame.say(titles.get(verdict, "title_choice"), k=str(k), ari=ari))
    return ax


def _only_said(ax: Axes | None, finding: str) -> Axes:
    ax = canvas(ax, rows=3)
    ax.set_axis_off()
    headline(ax, finding)
    return ax


def _heat_title(ax: Axes, found: Heat, best: str, frame: Frame) -> None:
    groups = found.groups
    spend = float(groups["share_of_spend"][best]) if "share_of_spend" in groups else float("nan")
    if best in found.hidden or np.isnan(spend):
        headline(ax, frame.say("title_heat_plain", k=str(len(groups))))
        return
    share = frame.words.percent(float(groups["share_of_customers"][best]))
    headline(ax, frame.say("title_heat", n=best, customers=share, spend=frame.words.percent(spend)))


def _size(count: float, share: float, frame: Frame) -> dict[str, str]:
    return {"customers": frame.count(count), "share": frame.words.percent(share)}


def _wrapped(label: str, frame: Frame) -> str:
    """Break a label into lines that fit over a column."""
    width = _LETTERS[frame.language]
    if frame.language == "zh":
        return "\n".join(label[start : start + width] for start in range(0, len(label), width))
    lines = [""]
    for word in label.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
