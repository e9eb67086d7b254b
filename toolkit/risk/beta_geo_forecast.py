"""What BG/NBD expects of a history: alive, orders within a time, at least one order; with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from toolkit.errors import ArgumentError
from toolkit.intervals import Z

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from toolkit.risk.histories import Histories

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_MOST_TERMS = 1_000_000
_TOGETHER = 1 << 20
_STEP = 1e-4


def log_odds_left(logs: Floats, x: Floats, last: Floats, tenure: Floats) -> Floats:
    """Return u, the log-odds of having left: minus infinity without a repeat order.

    Notes
    -----
    P(alive) = 1 / (1 + exp u); Fader, Hardie and Lee (2008), "Computing P(alive) using the BG/NBD model".
    """
    r, alpha, a, b = np.exp(logs)
    again = np.maximum(x, 1.0)
    u = np.log(a / (b + again - 1)) + (r + x) * np.log((alpha + tenure) / (alpha + last))
    return np.where(x > 0, u, -np.inf)


def p_alive(logs: Floats, x: Floats, last: Floats, tenure: Floats) -> Floats:
    """Return the probability of still being a customer."""
    return np.asarray(expit(-log_odds_left(logs, x, last, tenure)))


def order_if_active(logs: Floats, x: Floats, tenure: Floats, time: float) -> Floats:
    """Return the probability of an order within a time, given active at its start.

    Notes
    -----
    One who is active leaves only after an order, so no order comes with probability E(exp(-lambda time)), where lambda
    is gamma with shape r+x and rate alpha+T: ((alpha+T) / (alpha+T+time)) ** (r+x).
    """
    r, alpha = np.exp(logs[:2])
    return np.asarray(-np.expm1(-(r + x) * np.log1p(time / (alpha + tenure))))


def orders_if_active(logs: Floats, x: Ints, tenure: Floats, time: Floats | float) -> Floats:
    """Return the expected orders within a time, given active at its start.

    Parameters
    ----------
    logs
        Logarithms of ``r alpha a b``.
    x
        Repeat order days.
    tenure, time
        Time since the first order day, and time ahead, in units of the model.

    Returns
    -------
    array
        Expected orders.

    Raises
    ------
    ArgumentError
        The time is far too long for the tenure and ``alpha``: a sum of over a million terms.

    Notes
    -----
    Numerator of Fader, Hardie and Lee (2005), equation 10, without its difference of nearly equal numbers and its
    pole at a = 1. One who never left would make k orders with a negative binomial probability (shape s = r+x,
    success y = time / (alpha+T+time)), and is there for order j+1 with probability B(a, b+x+j) / B(a, b+x), so

        E = sum over k of NB(k; s, y) * sum over j < k of B(a, b+x+j) / B(a, b+x),

    whose terms are all positive. The inner sum depends on x alone. Terms stop where a Bernstein bound of the tail
    falls below exp(-40).
    """
    r, alpha, a, b = np.exp(logs)
    s = r + x
    ratio = np.broadcast_to(np.asarray(time, dtype=np.float64), tenure.shape) / (alpha + tenure)
    mean = s * ratio
    needed = mean + np.sqrt(80 * mean * (1 + ratio)) + 40 * (1 + ratio) + 2
    if needed.max(initial=0) > _MOST_TERMS:
        what = "the horizon is beyond anything the model can say of customers this new"
        raise ArgumentError("horizon", what, column="days", hint="a shorter horizon")
    terms = needed.astype(np.int64)
    log_y, log_rest = np.log(ratio, where=ratio > 0, out=np.full_like(ratio, -np.inf)), -np.log1p(ratio)
    log_y += log_rest
    expected = np.zeros(len(x))
    order = np.lexsort((-terms, x))
    for group in np.split(order, np.flatnonzero(np.diff(x[order])) + 1) if len(order) else ():
        shape, beta = float(r + x[group[0]]), float(b + x[group[0]])
        k = np.arange(1, terms[group[0]] + 1, dtype=np.float64)
        log_ways = np.cumsum(np.log((shape + k - 1) / k))
        there = np.concatenate([[1.0], np.cumprod((beta + k[:-1] - 1) / (a + beta + k[:-1] - 1))])
        made = np.cumsum(there)
        for rows in _alike(group, terms):
            n = int(terms[rows[0]])
            chances = np.outer(log_y[rows], k[:n])
            chances += log_ways[:n]
            chances += (shape * log_rest[rows])[:, None]
            expected[rows] = np.einsum("rk,k->r", np.exp(chances, out=chances), made[:n])
    return expected


def _alike(group: Ints, terms: Ints) -> Iterator[Ints]:
    """Split rows with falling numbers of terms where these halve, and where the table would be large."""
    start = 0
    while start < len(group):
        longest = terms[group[start]]
        halved = int(np.searchsorted(-terms[group], -(longest // 2), side="left"))
        stop = max(min(halved, start + _TOGETHER // int(longest)), start + 1)
        yield group[start:stop]
        start = stop


def gradient(value: Callable[[Floats], Floats], logs: Floats) -> Floats:
    """Return the derivatives of a logarithm of something by the logarithms of the parameters: one row per parameter.

    Central differences: the values are exact to about 1e-13, so these are to about 1e-8.
    """
    steps = np.eye(len(logs)) * _STEP
    with np.errstate(divide="ignore", invalid="ignore"):  # the logarithm of nothing is minus infinity
        slopes = np.array([(value(logs + step) - value(logs - step)) / (2 * _STEP) for step in steps])
    return np.asarray(np.nan_to_num(slopes, nan=0.0))


def spread(slopes: Floats, covariance: Floats) -> Floats:
    """Return the standard error of something with these derivatives (delta method)."""
    return np.asarray(np.sqrt(np.maximum(np.einsum("in,ij,jn->n", slopes, covariance, slopes), 0.0)))


@dataclass(frozen=True)
class BetaGeoForecast:
    """What a fitted BG/NBD expects of histories.

    Parameters
    ----------
    logs, covariance
        Logarithms of ``r alpha a b`` and their covariance.
    unit_days
        Days in one unit of time.
    """

    logs: Floats
    covariance: Floats
    unit_days: float

    def p_alive(self, found: Histories) -> Floats:
        """Return the probability of still being a customer."""
        return p_alive(self.logs, *self._times(found))

    def p_alive_bounds(self, found: Histories) -> tuple[Floats, Floats]:
        """Return its 95 % interval, which is that of the log-odds."""
        times = self._times(found)
        u = log_odds_left(self.logs, *times)
        half = Z * spread(gradient(lambda logs: log_odds_left(logs, *times), self.logs), self.covariance)
        return expit(-u - half), expit(-u + half)

    def orders(self, found: Histories, days: float, *, given_active: bool) -> Floats:
        """Return the expected orders within ``days``."""
        expected = self._if_active(found, days)(self.logs)
        return expected if given_active else expected * self.p_alive(found)

    def orders_error(self, found: Histories, days: float, *, given_active: bool) -> Floats:
        """Return the standard error of the logarithm of the expected orders."""
        if_active, times = self._if_active(found, days), self._times(found)

        def value(logs: Floats) -> Floats:
            expected = np.log(if_active(logs))
            return expected if given_active else expected - np.logaddexp(0, log_odds_left(logs, *times))

        return spread(gradient(value, self.logs), self.covariance)

    def probability(self, found: Histories, days: float, *, given_active: bool) -> Floats:
        """Return the probability of an order within ``days``."""
        x, last, tenure = self._times(found)
        chance = order_if_active(self.logs, x, tenure, days / self.unit_days)
        return chance if given_active else chance * p_alive(self.logs, x, last, tenure)

    def total(self, found: Histories, weights: Floats, days: float) -> tuple[float, float]:
        """Return the weighted sum of expected orders within ``days``, and the standard error of its logarithm."""
        if_active, times = self._if_active(found, days), self._times(found)

        def value(logs: Floats) -> Floats:
            return np.log(np.atleast_1d((if_active(logs) * p_alive(logs, *times)) @ weights))

        return float(np.exp(value(self.logs)[0])), float(spread(gradient(value, self.logs), self.covariance)[0])

    def cumulative(self, starts: Ints, counts: Ints, days: Ints) -> tuple[Floats, Floats]:
        """Return the expected repeat orders of all up to each day, and the standard error of the logarithm.

        Parameters
        ----------
        starts, counts
            Days of the first order, different ones, and the customers of each.
        days
            Days up to which orders are added up, on the same calendar.
        """
        ages = np.maximum(days[:, None] - starts[None, :], 0)
        different, which = np.unique(ages, return_inverse=True)
        nobody, ahead = np.zeros(len(different), dtype=np.int64), different / self.unit_days

        def value(logs: Floats) -> Floats:
            one = orders_if_active(logs, nobody, np.zeros(len(different)), ahead)
            return np.asarray(np.log(one[which.reshape(ages.shape)] @ counts))

        with np.errstate(divide="ignore"):  # nobody has ordered yet: minus infinity
            return np.exp(value(self.logs)), spread(gradient(value, self.logs), self.covariance)

    def _times(self, found: Histories) -> tuple[Floats, Floats, Floats]:
        return found.repeats.astype(np.float64), found.last / self.unit_days, found.tenure / self.unit_days

    def _if_active(self, found: Histories, days: float) -> Callable[[Floats], Floats]:
        """Return what maps parameters to expected orders given active.

        Each different pair of repeats and tenure is evaluated once: the last order day does not matter here.
        """
        width = int(found.tenure.max(initial=0)) + 1
        pairs, which = np.unique(found.repeats * width + found.tenure, return_inverse=True)
        repeats, tenure = np.divmod(pairs, width)
        since, ahead = tenure / self.unit_days, days / self.unit_days
        return lambda logs: orders_if_active(logs, repeats, since, ahead)[which]
