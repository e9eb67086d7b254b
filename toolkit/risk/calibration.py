"""Does a forecast of 30 % come true three times in ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from toolkit.intervals import Z, share_interval
from toolkit.risk.metrics import CLIP, known_outcomes
from toolkit.risk.smoothing import loess, pooled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from toolkit.risk.product_limit import Floats, Ints

_STEPS = 100
_TENTHS = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True, repr=False, eq=False)
class Calibration:
    """How forecast and observed risk agree; see `calibration`.

    Attributes
    ----------
    n, events
        Rows with a known outcome, and how many of them came true.
    predicted, observed
        Mean risk and share that came true (weighted).
    slope, slope_lower, slope_upper, slope_se
        1 where risks are spread as they should be; below 1 where they are too extreme. Missing where all outcomes or
        all risks are the same, or a cut separates the outcomes.
    intercept, intercept_lower, intercept_upper, intercept_se
        Calibration in the large, on the scale of log-odds: 0 where the mean is right, above 0 where risks are too low.
        Missing where all outcomes are the same.
    ici
        Mean absolute difference between risk and smoothed outcome, in probability. For its interval, redraw customers.
    curve
        One row per ``bin`` of forecast risk, from the lowest: ``n``, ``predicted``, ``observed``, ``lower``, ``upper``.
    smooth
        ``predicted`` and ``observed``: the smoothed curve behind ``ici``.
    """

    n: int
    events: int
    predicted: float
    observed: float
    slope: float
    slope_lower: float
    slope_upper: float
    slope_se: float
    intercept: float
    intercept_lower: float
    intercept_upper: float
    intercept_se: float
    ici: float
    curve: pd.DataFrame
    smooth: pd.DataFrame

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        if not self.n:
            return "No outcome is known."
        return (
            f"{self.predicted:.1%} were expected and {self.observed:.1%} came true ({self.events:,} of {self.n:,});"
            f" slope {_with(self.slope, self.slope_lower, self.slope_upper)},"
            f" intercept {_with(self.intercept, self.intercept_lower, self.intercept_upper)}, ICI {self.ici:.3f}."
        )

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.curve.to_string(float_format='{:.3f}'.format)}"

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence}</p>{self.curve.to_html(float_format='{:.3f}'.format, border=0)}"


def calibration(bad: ArrayLike, risk: ArrayLike, weight: ArrayLike | None = None) -> Calibration:
    """Compare forecast risk with what came true.

    Parameters
    ----------
    bad
        Whether the bad event came true within the horizon, shape (rows,), one row per customer.
    risk
        Forecast probability of the BAD event.
    weight
        From `toolkit.risk.metrics.outcomes_at`; 1 each by default.

    Returns
    -------
    Calibration
        Curve by tenths, slope, intercept, ICI.

    Raises
    ------
    ArgumentError
        Lengths differ, or a risk is missing or outside [0, 1].

    Notes
    -----
    Slope: logistic regression of the outcome on logit(risk). Intercept: the same with the slope held at 1 (an offset).
    Cox (1958), "Two further applications of a model for binary regression", Biometrika 45; Van Calster et al. (2019),
    "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17. Standard errors are robust (sandwich);
    risks nearer to 0 or 1 than 1e-6 are taken as that. ICI: Austin, Steyerberg (2019), "The Integrated Calibration
    Index", Stat. Med. 38, with a local quadratic (span .75) over at most 200 points of equal weight, so that a million
    rows take no longer than their sort. Bins are cut at tenths of the risk; equal risks are never parted, so there may
    be fewer. Intervals of bins are Wilson's; with weights, of the effective number of rows.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> risk = rng.random(20_000)
    >>> found = calibration(rng.random(20_000) < risk, risk)
    >>> round(found.slope, 1), round(found.ici, 2)
    (1.0, 0.0)
    >>> calibration([True, True], [0.2, 0.4]).slope
    nan
    """
    happened, score, mass = known_outcomes(bad, risk, weight, probability=True)
    x, y = logit(np.clip(score, CLIP, 1 - CLIP)), happened.astype(np.float64)
    ones = np.ones((len(x), 1))
    slope, slope_se = _slope(x, y, mass)
    intercept, intercept_se = _logistic(ones, x, y, mass) if _both(y) else (np.nan, np.nan)
    points, values, held = pooled(score, y, mass)
    fitted = np.clip(loess(points, values, held), 0, 1)
    total = mass.sum()
    return Calibration(
        n=len(score),
        events=int(happened.sum()),
        predicted=float(mass @ score / total) if total > 0 else np.nan,
        observed=float(mass @ y / total) if total > 0 else np.nan,
        slope=slope,
        slope_lower=slope - Z * slope_se,
        slope_upper=slope + Z * slope_se,
        slope_se=slope_se,
        intercept=intercept,
        intercept_lower=intercept - Z * intercept_se,
        intercept_upper=intercept + Z * intercept_se,
        intercept_se=intercept_se,
        ici=float(held @ np.abs(fitted - points) / total) if total > 0 else np.nan,
        curve=_by_bin(_tenths(score), score, y, mass),
        smooth=pd.DataFrame({"predicted": points, "observed": fitted}),
    )


def _tenths(score: Floats) -> Ints:
    """Return the tenth of each score, from 0, the lowest; equal scores together, empty tenths left out."""
    cuts = np.unique(np.quantile(score, _TENTHS)) if len(score) else np.empty(0)
    return np.unique(np.searchsorted(cuts, score, side="left"), return_inverse=True)[1].astype(np.int64)


def _by_bin(group: Ints, score: Floats, y: Floats, mass: Floats) -> pd.DataFrame:
    weight = np.bincount(group, mass)
    observed = np.bincount(group, mass * y) / weight
    lower, upper = share_interval(np.clip(observed, 0, 1), weight**2 / np.bincount(group, mass**2))
    return pd.DataFrame(
        {
            "n": np.bincount(group),
            "predicted": np.bincount(group, mass * score) / weight,
            "observed": observed,
            "lower": lower,
            "upper": upper,
        },
        index=pd.RangeIndex(1, len(weight) + 1, name="bin"),
    )


def _both(y: Floats) -> bool:
    return bool(len(y) and 0 < y.mean() < 1)


def _slope(x: Floats, y: Floats, mass: Floats) -> tuple[float, float]:
    """Return slope and standard error; missing where no finite slope is likeliest (Albert, Anderson, 1984)."""
    if not _both(y):
        return np.nan, np.nan
    bad, good = x[y == 1], x[y == 0]
    if x.min() == x.max() or bad.min() >= good.max() or bad.max() <= good.min():
        return np.nan, np.nan
    return _logistic(np.column_stack([np.ones(len(x)), x]), np.zeros(len(x)), y, mass)


def _logistic(columns: Floats, offset: Floats, y: Floats, mass: Floats) -> tuple[float, float]:
    """Fit by Newton's method with halved steps; return the last coefficient and its robust standard error."""
    beta = np.zeros(columns.shape[1])
    value = _likelihood(columns @ beta + offset, y, mass)
    for _ in range(_STEPS):
        fitted = expit(columns @ beta + offset)
        slack = columns.T @ (mass * (y - fitted))
        inverse = np.linalg.inv((columns * (mass * fitted * (1 - fitted))[:, None]).T @ columns)
        step = inverse @ slack
        while (new := _likelihood(columns @ (beta + step) + offset, y, mass)) < value and np.abs(step).max() > 1e-12:
            step = step / 2
        beta, value = beta + step, new
        if slack @ inverse @ slack < 1e-20 * max(1.0, abs(value)):
            break
    scores = columns * (mass * (y - expit(columns @ beta + offset)))[:, None]
    spread = inverse @ (scores.T @ scores) @ inverse
    return float(beta[-1]), float(np.sqrt(spread[-1, -1]))


def _likelihood(eta: NDArray[np.float64], y: Floats, mass: Floats) -> float:
    return float(mass @ (y * eta - np.logaddexp(0, eta)))


def _with(value: float, lower: float, upper: float) -> str:
    return "not estimable" if np.isnan(value) else f"{value:.2f} ({lower:.2f} to {upper:.2f})"
