"""Columns that tell the event itself: what no honest hazard ratio could do, and no penalty should hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.risk.cox import strata_sums
from toolkit.risk.efron import gradient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.risk.episode_rows import EpisodeRows
    from toolkit.risk.forms import Form

    Floats = NDArray[np.float64]

_MOST_DEVIATION = 5.0
_MOST_RANGE = 10.0
_CLEAR = 0.3


def separating(x: Floats, beta: Floats, forms: Sequence[Form]) -> str:
    """Name what no honest hazard ratio could do; empty where there is nothing.

    Notes
    -----
    The columns that share a feature are judged together, by the standard deviation of what they add to the log hazard
    (over 5: from mean to one deviation above, the hazard grows 148 times); a column of two values also by their
    distance (over 10: 22,000 times).
    """
    for block in blocks(forms):
        part = x[:, block] @ beta[block]
        if part.std() > _MOST_DEVIATION:
            worst = max(block, key=lambda place: abs(float(beta[place])))
            return forms[worst].name
    for place, form in enumerate(forms):
        column = x[:, place]
        low, high = column.min(), column.max()
        two = ((column == low) | (column == high)).all()
        if two and abs(float(beta[place])) * (high - low) > _MOST_RANGE:
            return form.name
    return ""


def blocks(forms: Sequence[Form]) -> list[list[int]]:
    """Return the places of the columns, those that share a feature together."""
    found: list[tuple[set[str], list[int]]] = []
    for place, form in enumerate(forms):
        sources, places = set(form.sources), [place]
        apart = []
        for features, others in found:
            if features & sources:
                sources |= features
                places = others + places
            else:
                apart.append((features, others))
        found = [*apart, (sources, places)]
    return [sorted(places) for _, places in found]


def telling(x: Floats, rows: EpisodeRows, forms: Sequence[Form]) -> str:
    """Name a column on which whoever has the event stands highest, or lowest, of all who then could; empty if none.

    Notes
    -----
    Its coefficient has no maximum (Heinze and Schemper 2001, Biometrics 57), and a penalty only sets where it stops. A
    flag of a few who happened to have no event has none either; so those with the event must stand a good way, .3
    standard deviations, from the mean of those at risk.
    """
    away = np.zeros(x.shape[1])
    for places, sets, sums in strata_sums(x, rows, np.zeros(x.shape[1])):
        away += gradient(sets, sums, x[places])
    away /= (rows.weights * rows.seen).sum()
    order = np.argsort(-rows.duration, kind="stable")
    last = np.searchsorted(-rows.duration[order], -rows.duration[rows.seen], side="right") - 1
    for place in map(int, np.flatnonzero(np.abs(away) > _CLEAR)):
        column = x[:, place] * np.sign(away[place])
        if (column[rows.seen] >= np.maximum.accumulate(column[order])[last]).all():
            return forms[place].name
    return ""
