"""Baseline cumulative hazards and the incidence that follows from them, with or without a competing event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_ROWS = 1 << 16


class Curve(Protocol):
    """A baseline cumulative hazard."""

    @property
    def steps(self) -> Floats:
        """Times, rising, between which it is taken as even where causes compete."""

    def at(self, times: Floats) -> Floats:
        """Return the cumulative hazard at each time."""


@dataclass(frozen=True, eq=False)
class StepCurve:
    """A cumulative hazard that jumps at event times and holds in between.

    Attributes
    ----------
    steps
        Event times, rising.
    hazard
        Cumulative hazard from each of them on.
    """

    steps: Floats
    hazard: Floats

    def at(self, times: Floats) -> Floats:
        """Return the cumulative hazard at each time."""
        found: Floats = np.append(0.0, self.hazard)[np.searchsorted(self.steps, times, side="right")]
        return found


@dataclass(frozen=True, eq=False)
class WeibullCurve:
    """A Weibull cumulative hazard ``(time / scale) ** shape``.

    Attributes
    ----------
    scale
        Days.
    shape
        Above 1 the hazard grows with time.
    longest
        Longest time seen.
    """

    scale: float
    shape: float
    longest: float

    @property
    def steps(self) -> Floats:
        """Return whole days up to the longest time seen."""
        return np.arange(1.0, np.ceil(self.longest) + 1)

    def at(self, times: Floats) -> Floats:
        """Return the cumulative hazard at each time."""
        found: Floats = (np.asarray(times, dtype=np.float64) / self.scale) ** self.shape
        return found


@dataclass(frozen=True, eq=False)
class Cause:
    """Hazard of one cause for some customers: a curve times a relative hazard for each.

    Attributes
    ----------
    curve
        Baseline cumulative hazard.
    relative
        Relative hazard of each customer, shape (n,).
    """

    curve: Curve
    relative: Floats


def incidence(event: Sequence[Cause], other: Cause | None, start: Floats | float, days: float) -> Floats:
    """Return the probability of the event within ``days`` after ``start``, given that nothing happened up to it.

    Parameters
    ----------
    event
        Hazard of the event asked for, in parts that add up (such as one for each time of the follow-up).
    other
        Hazard of the event that competes with it; None where there is none.
    start
        Day from which each customer is followed, shape (n,), or one for all.
    days
        Length of the window in days.

    Returns
    -------
    array, shape (n,)
        Cumulative incidences in [0, 1].

    Notes
    -----
    Without a competing event ``1 - exp(-(H(start + days) - H(start)) x relative hazard)``. With one, the sum over the
    steps of survival up to the step, times the share of the event in the step's hazard, times ``1 - exp(-hazard)``:
    the cumulative incidence of cause-specific hazards (Prentice et al. 1978, Biometrics 34), with each step's hazards
    taken as even within it, so that neither of two events of one day comes first.

    Examples
    --------
    >>> order = Cause(StepCurve(np.array([1.0, 2.0]), np.array([0.1, 0.3])), np.array([1.0, 2.0]))
    >>> incidence([order], None, 0.0, 2).round(4).tolist()
    [0.2592, 0.4512]
    >>> deletion = Cause(StepCurve(np.array([2.0]), np.array([0.2])), np.ones(2))
    >>> incidence([order], deletion, 0.0, 2).round(4).tolist()
    [0.2443, 0.4275]
    """
    begin = np.asarray(start, dtype=np.float64)
    if other is None:
        hazard = sum((part.curve.at(begin + days) - part.curve.at(begin)) * part.relative for part in event)
        return -np.expm1(-np.asarray(hazard, dtype=np.float64))
    causes = (*event, other)
    ends = np.unique(np.concatenate([cause.curve.steps for cause in causes]))
    steps = [np.diff(cause.curve.at(ends), prepend=0.0) for cause in causes]
    begins = np.broadcast_to(begin, other.relative.shape)
    found = np.empty(len(other.relative))
    for low in range(0, len(found), _ROWS):
        rows = slice(low, low + _ROWS)
        first = np.searchsorted(ends, begins[rows], side="right")
        last = np.searchsorted(ends, begins[rows] + days, side="right")
        found[rows] = _summed(steps, [cause.relative[rows] for cause in causes], first, last)
    return found


def _summed(steps: Sequence[Floats], relative: Sequence[Floats], first: Ints, last: Ints) -> Floats:
    """Sum the incidence over each customer's own steps; the last cause is the competing one."""
    grown = np.zeros(len(first))
    summed = np.zeros(len(first))
    for number in range(int((last - first).max(initial=0))):
        inside = first + number < last
        here = np.where(inside, first + number, 0)
        *ours, rival = (step[here] * factor * inside for step, factor in zip(steps, relative, strict=True))
        wanted = np.sum(ours, axis=0)
        both = wanted + rival
        share = np.divide(wanted, both, out=np.zeros_like(both), where=both > 0)
        summed += np.exp(-grown) * share * -np.expm1(-both)
        grown += both
    return summed
