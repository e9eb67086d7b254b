"""How much of a customer's distance from the others holds at which time of the follow-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from toolkit.risk.cox import FitFailedError, cox_curves, fit_cox

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.risk.cumulative import Curve
    from toolkit.risk.episode_rows import EpisodeRows

    Floats = NDArray[np.float64]

_PARTS = 4
_EVENTS_PER_PART = 100


@dataclass(frozen=True, eq=False)
class Part:
    """A time of the follow-up: hazard = curve's x exp(slope x log hazard).

    Attributes
    ----------
    slope
        Factor of the log hazard; 1 where hazards are proportional.
    curves
        Baseline cumulative hazard of each stratum, and of all; flat outside the part.
    """

    slope: float
    curves: dict[int, Curve]


def learn_parts(log_hazard: Floats, rows: EpisodeRows) -> tuple[Part, ...]:
    """Fit a factor of the log hazard, and the baseline, in up to four times of equally many events.

    Parameters
    ----------
    log_hazard
        Log relative hazard of each training row by the fitted model.
    rows
        Their episodes.

    Returns
    -------
    tuple of Part
        Empty where there are not 100 events for each of two parts, or where a fit fails.

    Notes
    -----
    Customers differ in more than the columns say. The eager order first, those who are left are more alike, and the
    distance that was seen in the first days overstates that of the last: hazards are not proportional. A coefficient of
    the log hazard that changes with time (Therneau and Grambsch 2000, "Modeling Survival Data", section 6.5) keeps
    the risks of a long horizon calibrated, for one number a part.
    """
    seen = np.sort(rows.duration[rows.seen])
    count = min(_PARTS, len(seen) // _EVENTS_PER_PART)
    if count < 2 or not log_hazard.std() > 0:
        return ()
    inner = np.unique(seen[[len(seen) * number // count for number in range(1, count)]])
    edges = [0.0, *inner[inner < seen[-1]], float(rows.duration.max())]
    spread = log_hazard.std()
    parts = []
    for low, high in pairwise(edges):
        inside = np.flatnonzero((rows.duration > low) & (rows.start < high))
        x = log_hazard[inside, None] / spread
        window = _within(rows, inside, low, high)
        try:
            beta, *_ = fit_cox(x, window)
        except FitFailedError:
            return ()
        parts.append(Part(float(beta[0] / spread), {**cox_curves(x, window, beta)}))
    return tuple(parts)


def _within(rows: EpisodeRows, inside: NDArray[np.int64], low: float, high: float) -> EpisodeRows:
    """Return the rows as seen from after ``low`` up to ``high``."""
    duration = rows.duration[inside]
    entry = np.maximum(rows.start[inside], low)
    return replace(
        rows,
        duration=np.minimum(duration, high),
        event=np.where(duration <= high, rows.event[inside], 0),
        entry=entry if entry.any() else None,
        weights=rows.weights[inside],
        clusters=rows.clusters[inside],
        strata=None if rows.strata is None else rows.strata[inside],
    )
