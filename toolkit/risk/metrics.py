"""How good were forecasts of a horizon: Brier score, log-loss, AUC, weighted where outcomes are not yet known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.risk.concordance import harrell_c, scores, uno_c
from toolkit.risk.product_limit import at, days_of, followed_to, observed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from toolkit.risk.product_limit import Floats

__all__ = ["CLIP", "auc", "brier", "harrell_c", "known_outcomes", "log_loss", "outcomes_at", "reference_risk", "uno_c"]

Bad = Literal["event", "no_event"]

CLIP = 1e-6
"""Forecasts nearer to 0 or 1 than this are taken as this where a logarithm is needed."""


def outcomes_at(
    duration: ArrayLike, event: ArrayLike, horizon: float, *, bad: Bad = "event"
) -> tuple[NDArray[np.bool_], Floats]:
    """Say for whom the bad event came true within the horizon, and how much each row counts.

    Parameters
    ----------
    duration
        Days from the landmark to the event or to the end of follow-up, shape (rows,); with late entry, days since the
        entry (``duration_days - entry_days``).
    event
        0 censored, 1 the modelled event, 2 another (deletion).
    horizon
        Days; an event on that day counts.
    bad
        ``event``: the bad event is the event itself (``outcome="end"``). ``no_event``: it is that the event does not
        come within the horizon (``outcome="order"``).

    Returns
    -------
    bad : array of bool
        Whether it came true; False where not known.
    weight : array
        0 where it is not known (censored before the horizon), else at least 1; all 1 where nobody is censored before
        the horizon; missing everywhere where nobody is left to stand for those who were censored.

    Raises
    ------
    ArgumentError
        A value is missing or impossible.

    Notes
    -----
    Inverse probability of censoring: weight 1/G(T-) for an event on day T up to the horizon, 1/G(h-) for those
    followed to the horizon; G is the Kaplan-Meier curve of censoring over all rows given. It holds when censoring does
    not depend on the risk. A deletion is a known outcome: no event will come. Graf et al. (1999), "Assessment and
    comparison of prognostic classification schemes for survival data", Stat. Med. 18.

    Examples
    --------
    >>> happened, weight = outcomes_at([1, 2, 3, 4, 5], [1, 0, 1, 0, 0], 4)
    >>> happened.tolist(), weight.round(3).tolist()
    ([True, False, True, False, False], [1.0, 0.0, 1.333, 1.333, 1.333])
    """
    if bad not in ("event", "no_event"):
        raise ArgumentError("bad", f"bad is {bad!r}", hint='bad="event"')
    days, code, _ = observed(duration, event)
    happened = (code == 1) & (days <= horizon)
    known = (code > 0) | (days >= horizon)
    followed = followed_to(days, code, np.minimum(days, horizon))
    end = followed_to(days, code, np.array([horizon], dtype=np.float64))[0] if len(days) else 1.0
    weight = np.divide(1.0, followed, out=np.zeros(len(days)), where=known & (followed > 0))
    if end == 0:
        weight[:] = np.nan
    return (happened if bad == "event" else known & ~happened), weight


def auc(bad: ArrayLike, risk: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Probability that one for whom the bad event came true had a higher risk than one for whom it did not.

    Parameters
    ----------
    bad
        Whether it came true within the horizon, shape (rows,).
    risk
        Forecast probability of the BAD event; any increasing function of it gives the same.
    weight
        From `outcomes_at`; 1 each by default.

    Returns
    -------
    float
        In [0, 1], equal risks count a half; missing where all outcomes are the same.

    Raises
    ------
    ArgumentError
        Lengths differ, or a risk is missing.

    Notes
    -----
    Cumulative cases, dynamic controls; with the weights of `outcomes_at` the estimator of Uno, Cai, Tian, Wei (2007),
    "Evaluating prediction rules for t-year survivors with censored regression models", J. Am. Stat. Assoc. 102.

    Examples
    --------
    >>> auc([True, False, True, False], [0.9, 0.5, 0.5, 0.1])
    0.875
    >>> auc([True, True], [0.9, 0.5])
    nan
    """
    happened, score, mass = known_outcomes(bad, risk, weight)
    values, place = np.unique(score, return_inverse=True)
    cases = np.bincount(place, mass * happened, minlength=len(values))
    controls = np.bincount(place, mass * ~happened, minlength=len(values))
    total = cases.sum() * controls.sum()
    return float(cases @ (np.cumsum(controls) - controls / 2) / total) if total > 0 else np.nan


def brier(bad: ArrayLike, risk: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean squared difference between forecast and outcome; 0 is perfect.

    Parameters
    ----------
    bad
        Whether the bad event came true within the horizon, shape (rows,).
    risk
        Forecast probability of the BAD event.
    weight
        From `outcomes_at`; 1 each by default.

    Returns
    -------
    float
        In [0, 1]; missing where no outcome is known.

    Raises
    ------
    ArgumentError
        Lengths differ, or a risk is missing or outside [0, 1].

    Notes
    -----
    Brier (1950), "Verification of forecasts expressed in terms of probability"; weighted as Graf et al. (1999), divided
    by the sum of weights.

    Examples
    --------
    >>> brier([True, False], [0.9, 0.2])
    0.025
    """
    happened, score, mass = known_outcomes(bad, risk, weight, probability=True)
    return _mean((score - happened) ** 2, mass)


def log_loss(bad: ArrayLike, risk: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean negative log-likelihood of the outcome under the forecast, in nats; 0 is perfect.

    Parameters
    ----------
    bad
        Whether the bad event came true within the horizon, shape (rows,).
    risk
        Forecast probability of the BAD event.
    weight
        From `outcomes_at`; 1 each by default.

    Returns
    -------
    float
        At least 0; missing where no outcome is known. A forecast of 0 or 1 is taken as 1e-6 or 1 - 1e-6 (``CLIP``), so
        that a certain forecast that fails costs 13.8.

    Raises
    ------
    ArgumentError
        Lengths differ, or a risk is missing or outside [0, 1].

    Examples
    --------
    >>> round(log_loss([True, False], [0.9, 0.2]), 4), round(log_loss([True], [0.0]), 1)
    (0.1643, 13.8)
    """
    happened, score, mass = known_outcomes(bad, risk, weight, probability=True)
    score = np.clip(score, CLIP, 1 - CLIP)
    return _mean(-np.log(np.where(happened, score, 1 - score)), mass)


def reference_risk(
    duration: ArrayLike,
    event: ArrayLike,
    horizon: float,
    *,
    bad: Bad = "event",
    entry: ArrayLike | None = None,
    given_at: float = 0.0,
) -> float:
    """Forecast everybody alike: the product-limit risk at the horizon, what a model has to beat.

    Parameters
    ----------
    duration, event, entry
        Training episodes, as for `harrell_c`.
    horizon
        Days beyond ``given_at``.
    bad
        As for `outcomes_at`.
    given_at
        Day up to which nothing has happened yet: the risk is of (given_at, given_at + horizon].

    Returns
    -------
    float
        In [0, 1]. Missing where training was not followed to the horizon, or nobody is left at ``given_at``.

    Raises
    ------
    ArgumentError
        A value is missing or impossible.

    Notes
    -----
    One minus Kaplan-Meier, or the cumulative incidence of Aalen and Johansen (1978) where event 2 occurs.

    Examples
    --------
    >>> reference_risk([1, 2, 3, 4], [1, 0, 1, 0], 3), reference_risk([1, 2, 3, 4], [1, 0, 1, 0], 5)
    (0.625, nan)
    """
    table = days_of(*observed(duration, event, entry))
    end = given_at + horizon
    if not table.reaches(end):
        return np.nan
    before, by = at(table.time, table.incidence, [given_at, end], start=0.0)
    free = at(table.time, table.free, given_at, start=1.0)
    if free <= 0:
        return np.nan
    incidence = float((by - before) / free)
    return incidence if bad == "event" else 1 - incidence


def known_outcomes(
    bad: ArrayLike, risk: ArrayLike, weight: ArrayLike | None, *, probability: bool = False
) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Take the rows whose outcome is known: outcome, risk, weight; none where the weights are not estimable.

    Raises
    ------
    ArgumentError
        Lengths differ; a risk is missing, or outside [0, 1] where it must be a ``probability``.

    Examples
    --------
    >>> known_outcomes([True, False], [0.5, 0.2], [1.0, 0.0])
    (array([ True]), array([0.5]), array([1.]))
    """
    happened = np.asarray(bad, dtype=np.bool_)
    score = scores(risk, len(happened))
    mass = np.ones(len(happened)) if weight is None else np.asarray(weight, dtype=np.float64)
    if mass.shape != happened.shape:
        raise ArgumentError("length", f"{len(happened)} rows, but {mass.shape} weights", hint="one weight per row")
    if probability and ((score < 0) | (score > 1)).any():
        count = int(((score < 0) | (score > 1)).sum())
        raise ArgumentError("risk-range", "a risk is not in [0, 1]", count=count, hint="probabilities, not percent")
    counts = mass > 0
    return happened[counts], score[counts], mass[counts]


def _mean(values: Floats, mass: Floats) -> float:
    return float(mass @ values / mass.sum()) if len(mass) else np.nan
