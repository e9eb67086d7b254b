"""Sums of the Cox partial likelihood under ties and late entry, without a loop over rows or days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Who is at risk at which event time, within one stratum.

    Attributes
    ----------
    times
        Distinct event times, rising, shape (m,).
    dead
        Positions of the rows with an event.
    at
        For each of them, the position of its time in `times`.
    deaths
        Number of them at each time.
    last
        For each row, how many event times it lives to see.
    first
        For each row, how many event times had passed at its entry; None where nobody enters late.
    weights
        Weight of each row.
    """

    times: Floats
    dead: Ints
    at: Ints
    deaths: Ints
    last: Ints
    first: Ints | None
    weights: Floats

    def total(self, values: Floats) -> Floats:
        """Sum a value per row over those at risk at each event time: shape (m,) or (m, columns)."""
        size = len(self.times) + 1
        summed = _by_bin(self.last, values, size)
        if self.first is not None:
            summed -= _by_bin(self.first, values, size)
        return np.cumsum(summed[::-1], axis=0)[::-1][1:]

    def of_dead(self, values: Floats) -> Floats:
        """Sum a value per row over the events at each time."""
        return _by_bin(self.at, values[self.dead], len(self.times))

    def lived(self, rates: Floats) -> Floats:
        """Sum a rate per event time over the times at which each row is at risk: shape (n,) or (n, columns)."""
        grown = np.concatenate([np.zeros((1, *rates.shape[1:])), np.cumsum(rates, axis=0)])
        return grown[self.last] - grown[self.first] if self.first is not None else grown[self.last]


def risk_sets(duration: Floats, event: Bools, entry: Floats | None, weights: Floats) -> RiskSets:
    """Arrange the rows of one stratum.

    Parameters
    ----------
    duration, entry
        Times of leaving and of entering, shape (n,); at risk at t are those with ``entry < t <= duration``.
    event
        Whether the event is seen at ``duration``.
    weights
        Weights, above 0.
    """
    dead = np.flatnonzero(event)
    times, at, deaths = np.unique(duration[dead], return_inverse=True, return_counts=True)
    late = entry is not None and bool((entry > 0).any())
    return RiskSets(
        times=times,
        dead=dead,
        at=at,
        deaths=deaths,
        last=np.searchsorted(times, duration, side="right"),
        first=np.searchsorted(times, entry, side="right") if late and entry is not None else None,
        weights=weights,
    )


@dataclass(frozen=True, eq=False)
class EfronSums:
    """What all figures of the model are made of, at given coefficients; see `efron_sums`.

    Attributes
    ----------
    relative
        exp(linear predictor) of each row, up to the factor ``exp(shift)``.
    shift
        The largest linear predictor.
    mean_weight
        Mean weight of those with the event, at each time.
    risk, risk_x
        Sums of weight x `relative` (x the columns) over those at risk.
    tied_x
        The same over those with the event.
    rate, tied_rate
        Sums over the tied events of the hazard, and of the hazard times the share of the tied already gone.
    square, tied_square, twice_tied_square
        The same with the squared denominator, the share to the powers 0, 1 and 2.
    log_likelihood
        Of the stratum.
    """

    relative: Floats
    shift: float
    mean_weight: Floats
    risk: Floats
    risk_x: Floats
    tied_x: Floats
    rate: Floats
    tied_rate: Floats
    square: Floats
    tied_square: Floats
    twice_tied_square: Floats
    log_likelihood: float

    @property
    def mean_x(self) -> Floats:
        """Weighted sum over the tied events of the mean of the columns among those at risk: shape (m, columns)."""
        return self.risk_x * self.rate[:, None] - self.tied_x * self.tied_rate[:, None]

    @property
    def rate_x(self) -> Floats:
        """Hazard times mean of the columns, summed over the tied events."""
        return self.risk_x * self.square[:, None] - self.tied_x * self.tied_square[:, None]

    @property
    def tied_rate_x(self) -> Floats:
        """The same, times the share of the tied already gone."""
        return self.risk_x * self.tied_square[:, None] - self.tied_x * self.twice_tied_square[:, None]


def efron_sums(sets: RiskSets, x: Floats, beta: Floats) -> EfronSums:
    """Compute the sums at coefficients ``beta`` for columns ``x``, shape (n, columns).

    Notes
    -----
    Efron (1977), "The efficiency of Cox's likelihood function for censored data", J. Am. Stat. Assoc. 72: of d tied
    events the k-th meets the risk set less the share k/d of all d. The sums over k need the columns only once per
    event time, because the columns stand outside them.
    """
    linear = x @ beta
    shift = float(linear.max(initial=0.0))
    relative = np.exp(linear - shift)
    weighted = sets.weights * relative
    tied = sets.of_dead(weighted)
    risk = np.maximum(sets.total(weighted), tied)
    mean_weight = sets.of_dead(sets.weights) / sets.deaths
    group = np.repeat(np.arange(len(sets.times)), sets.deaths)
    starts = np.cumsum(sets.deaths) - sets.deaths
    share = (np.arange(len(group)) - starts[group]) / sets.deaths[group]
    left = risk[group] - share * tied[group]
    rate = mean_weight[group] / left
    square = rate / left
    size = len(sets.times)
    x_weighted = x * weighted[:, None]
    seen = sets.weights[sets.dead] * (linear[sets.dead] - shift)
    return EfronSums(
        relative=relative,
        shift=shift,
        mean_weight=mean_weight,
        risk=risk,
        risk_x=sets.total(x_weighted),
        tied_x=sets.of_dead(x_weighted),
        rate=_by_bin(group, rate, size),
        tied_rate=_by_bin(group, share * rate, size),
        square=_by_bin(group, square, size),
        tied_square=_by_bin(group, share * square, size),
        twice_tied_square=_by_bin(group, share**2 * square, size),
        log_likelihood=float(seen.sum() - (mean_weight[group] * np.log(left)).sum()),
    )


def gradient(sets: RiskSets, sums: EfronSums, x: Floats, at: Floats | None = None) -> Floats:
    """Return the slope of the log partial likelihood, shape (columns,).

    Parameters
    ----------
    sets, sums, x
        As of `efron_sums`.
    at
        Factor at each event time, shape (m,): the slope by a column that is multiplied by a function of time.
    """
    factor = np.ones(len(sets.times)) if at is None else at
    seen: Floats = (sets.weights[sets.dead] * factor[sets.at]) @ x[sets.dead]
    return seen - factor @ sums.mean_x


def information(sets: RiskSets, sums: EfronSums, x: Floats, at: Floats | None = None) -> Floats:
    """Return the observed information, shape (columns, columns).

    Parameters
    ----------
    sets, sums, x
        As of `efron_sums`.
    at
        Factor at each event time, shape (m,): the information is then weighted by it.
    """
    factor = np.ones(len(sets.times)) if at is None else at
    weighted = sets.weights * sums.relative
    lived = weighted * sets.lived(sums.rate * factor)
    lived[sets.dead] -= weighted[sets.dead] * (sums.tied_rate * factor)[sets.at]
    squares = x.T @ (x * lived[:, None])
    cross = sums.risk_x.T @ (sums.tied_x * (sums.tied_square * factor)[:, None])
    means = sums.risk_x.T @ (sums.risk_x * (sums.square * factor)[:, None]) - cross - cross.T
    means += sums.tied_x.T @ (sums.tied_x * (sums.twice_tied_square * factor)[:, None])
    found: Floats = squares - means
    return found


def score_residuals(sets: RiskSets, sums: EfronSums, x: Floats, at: Floats | None = None) -> Floats:
    """Return what each row adds to the slope, weight included: shape (n, columns).

    Parameters
    ----------
    sets, sums, x
        As of `efron_sums`.
    at
        Factor at each event time, shape (m,): a column that is multiplied by a function of time.

    Notes
    -----
    Lin and Wei (1989), "The robust inference for the Cox proportional hazards model", J. Am. Stat. Assoc. 84, with the
    hazard of Efron's ties; at risk from the entry on. Equals the residuals of R's ``coxph``.
    """
    factor = np.ones(len(sets.times)) if at is None else at
    found = -(x * sets.lived(sums.rate * factor)[:, None] - sets.lived(sums.rate_x * factor[:, None]))
    found *= sums.relative[:, None]
    dead, time = sets.dead, sets.at
    mean = sums.mean_x / (sums.mean_weight * sets.deaths)[:, None]
    found[dead] += (x[dead] - mean[time]) * factor[time, None]
    tied = x[dead] * sums.tied_rate[time, None] - sums.tied_rate_x[time]
    found[dead] += sums.relative[dead, None] * tied * factor[time, None]
    found *= sets.weights[:, None]
    return found


def hazard_steps(sets: RiskSets, sums: EfronSums) -> Floats:
    """Return the baseline hazard at each event time: events over the sum of relative hazards at risk (Breslow 1974)."""
    steps: Floats = sums.mean_weight * sets.deaths / sums.risk * np.exp(-sums.shift)
    return steps


def _by_bin(bins: Ints, values: Floats, size: int) -> Floats:
    """Sum rows by bin: shape (size,) or (size, columns)."""
    if values.ndim == 1:
        return np.bincount(bins, values, minlength=size).astype(np.float64)
    columns = [np.bincount(bins, column, minlength=size) for column in values.T]
    return np.column_stack(columns) if columns else np.zeros((size, 0))
