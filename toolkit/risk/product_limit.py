"""Who was at risk on which day, and the product-limit curves that follow from it, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Rows = tuple[Floats, Ints, Floats]


@dataclass(frozen=True, eq=False)
class Days:
    """What happened on each day on which somebody left; arrays of one length.

    Attributes
    ----------
    time
        Days, increasing.
    at_risk
        Rows that entered before the day and had not left before it.
    events, others, censored
        Rows that left on the day with event 1, event 2, and without.
    """

    time: Floats
    at_risk: Floats
    events: Floats
    others: Floats
    censored: Floats

    @property
    def free(self) -> Floats:
        """Share that has had neither event."""
        return np.cumprod(1 - _share(self.events + self.others, self.at_risk), dtype=np.float64)

    @property
    def incidence(self) -> Floats:
        """Cumulative incidence of event 1 (Aalen-Johansen); one minus Kaplan-Meier where event 2 never happens."""
        return np.cumsum(self.free_before * _share(self.events, self.at_risk))

    @property
    def survival(self) -> Floats:
        """Share that has not had event 1: `free`, and those who had event 2; exactly 0 where nobody is left."""
        return self.free + np.cumsum(self.free_before * _share(self.others, self.at_risk))

    @property
    def free_before(self) -> Floats:
        """Share that had neither event when the day began."""
        return np.concatenate([[1.0], self.free])[:-1]

    @property
    def incidence_variance(self) -> Floats:
        """Variance of `incidence`; Greenwood's where event 2 never happens.

        Notes
        -----
        With q the share of those at risk with event 1 and r with either, each day's counts are multinomial and move
        F(t) by S(t-) - (F(t) - F(s)) / (1 - r) and - (F(t) - F(s)) / (1 - r): Marubini, Valsecchi (1995), "Analysing
        Survival Data from Clinical Trials and Observational Studies", eq. 10.12.
        """
        f, y = self.incidence, self.at_risk
        either, one = self.events + self.others, _share(self.events, y)
        leaving = _share(either, y * (y - either))
        paired = self.free_before * _share(one, y)
        own = self.free_before**2 * one * _share(y - self.events, y * y)
        sums = [np.cumsum(part) for part in (leaving, leaving * f, leaving * f * f, own, paired, paired * f)]
        return np.maximum(f * f * sums[0] - 2 * f * sums[1] + sums[2] + sums[3] - 2 * f * sums[4] + 2 * sums[5], 0.0)

    def restricted_mean(self, horizon: float) -> tuple[float, float]:
        """Mean days before event 1 up to the horizon, and its variance; missing beyond the end of follow-up.

        Parameters
        ----------
        horizon
            Days.

        Notes
        -----
        Area under one minus the incidence. Variance as for the incidence, integrated; Greenwood's form of Klein,
        Moeschberger (2003), "Survival Analysis", eq. 4.5.2, where event 2 never happens.
        """
        if not self.reaches(horizon):
            return np.nan, np.nan
        upto = self.time <= horizon
        time, f, y = self.time[upto], self.incidence[upto], self.at_risk[upto]
        area = np.cumsum((f * np.diff(np.append(time, horizon)))[::-1])[::-1]
        one, two = _share(self.events[upto], y), _share(self.others[upto], y)
        stay = 1 - one - two
        later = np.divide(area - f * (horizon - time), stay, out=np.zeros(len(f)), where=stay > 0)
        with_one, with_two = self.free_before[upto] * (horizon - time) - later, -later
        spread = with_one**2 * one * (1 - one) + with_two**2 * two * (1 - two) - 2 * with_one * with_two * one * two
        return float(horizon - (area[0] if len(area) else 0.0)), float(_share(spread, y).sum())

    def reaches(self, horizon: float) -> bool:
        """Whether follow-up lasts to the horizon, or everybody had an event before it."""
        return bool(len(self.time) and (horizon <= self.time[-1] or self.free[-1] <= 0))


def observed(duration: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None) -> tuple[Floats, Ints, Floats]:
    """Take durations, event codes and entries as arrays of one length.

    Parameters
    ----------
    duration
        Days to the event or to the end of follow-up.
    event
        0 censored, 1 the event, 2 another that makes it impossible.
    entry
        Day from which a row was under observation; minus infinity (from the start) by default.

    Raises
    ------
    ArgumentError
        Lengths differ, a value is missing, a duration is negative or before its entry, or an event is another number.

    Examples
    --------
    >>> observed([3, 4], [1, 0])
    (array([3., 4.]), array([1, 0]), array([-inf, -inf]))
    """
    days, code = np.asarray(duration, dtype=np.float64), np.asarray(event, dtype=np.float64)
    start = np.full(len(days), -np.inf) if entry is None else np.asarray(entry, dtype=np.float64)
    if not len(days) == len(code) == len(start):
        what = f"{len(days)} durations, {len(code)} events, {len(start)} entries"
        raise ArgumentError("length", what, hint="one of each per row")
    for bad, name, what, hint in (
        (~np.isfinite(days), "duration-missing", "a duration is missing or infinite", "leave these rows out"),
        (days < 0, "duration-negative", "a duration is negative", "the order of dates"),
        (~np.isin(code, (0, 1, 2)), "event", "an event is none of 0, 1, 2", "event 1 where it happened, else 0"),
        (np.isnan(start), "entry-missing", "an entry is missing", "0 where a row was followed from the start"),
        (start > days, "entry-late", "a row enters after it has left", "entry and duration from one origin"),
    ):
        if bad.any():
            raise ArgumentError(name, what, count=int(bad.sum()), hint=hint)
    return days, code.astype(np.int64), start


def days_of(days: Floats, code: Ints, start: Floats) -> Days:
    """Count, for each day on which somebody left, who was at risk and who left how; takes what `observed` returns.

    Examples
    --------
    >>> days_of(*observed([1, 2, 2, 3], [1, 1, 0, 0], [0, 0, 1, 2])).at_risk
    array([2., 2., 1.])
    """
    there = start < days
    days, code, start = days[there], code[there], start[there]
    time, place = np.unique(days, return_inverse=True)
    counts = [np.bincount(place[code == kind], minlength=len(time)).astype(np.float64) for kind in (1, 2, 0)]
    entered = np.searchsorted(np.sort(start), time, side="left")
    left = np.searchsorted(np.sort(days), time, side="left")
    return Days(time, (entered - left).astype(np.float64), *counts)


def followed_to(days: Floats, code: Ints, moments: Floats) -> Floats:
    """Probability of not being censored before each moment: ``G(t-)``.

    Parameters
    ----------
    days, code
        As `observed` returns them.
    moments
        Days.

    Notes
    -----
    Kaplan-Meier with censoring as the event. Events of a day leave before those censored on it, so that a row
    censored on day t is known to be free of the event up to t.

    Examples
    --------
    >>> followed_to(np.array([1.0, 2.0, 3.0]), np.array([1, 0, 1]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 1.0, 0.5]
    """
    table = days_of(days, code, np.full(len(days), -np.inf))
    stay = np.cumprod(1 - _share(table.censored, table.at_risk - table.events - table.others))
    return np.concatenate([[1.0], stay])[np.searchsorted(table.time, moments, side="left")]


def at(time: Floats, values: Floats, moments: ArrayLike, *, start: float) -> Floats:
    """Read a step function that takes ``values`` from ``time`` on, and ``start`` before.

    Examples
    --------
    >>> at(np.array([1.0, 5.0]), np.array([0.9, 0.4]), [0, 1, 7], start=1.0).tolist()
    [1.0, 0.9, 0.4]
    """
    place = np.searchsorted(time, np.asarray(moments, dtype=np.float64), side="right")
    return np.concatenate([[start], values])[place]


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
