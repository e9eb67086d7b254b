"""Gamma-Gamma: what an order of each buyer is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from toolkit.errors import ArgumentError, Check
from toolkit.intervals import Z
from toolkit.risk.cohort_value import FEWEST, FREQUENCY, frequency_class
from toolkit.risk.gamma_gamma_likelihood import PARAMETERS, GammaGammaLikelihood
from toolkit.risk.histories import whole_numbers
from toolkit.risk.maximum import Maximum, maximise
from toolkit.schema import ORDER_DAYS, REPEAT_SPEND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MODEL, COHORTS = "gamma_gamma", "cohort table"
_WEAK = 0.2


class GammaGamma(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Fit Gamma-Gamma to what repeat buyers paid, and say what an order day of each buyer is worth.

    Attributes
    ----------
    params_ : DataFrame, index ``parameter``: p q v
        ``value standard_error lower upper`` (95 %, from the observed information of the logarithms); ``v`` in
        currency. Missing where the fit did not converge.
    covariance_ : DataFrame
        Covariance of the logarithms of the parameters.
    log_likelihood_ : float
        Of the mean order values, per unit of currency.
    served_ : str
        ``gamma_gamma``, or ``cohort table`` where the fit did not converge or has no mean: then the expected value is
        the mean of those who bought as often.
    n_customers_ : int
        Customers it was learned from: repeat buyers who paid something on their repeat days.
    correlation_ : tuple of float
        Rank correlation of orders and order value among them, with its 95 % interval.
    independence_ : Check
        What that says of the model, which holds them for independent.
    checks_ : tuple of Check
        ``gamma_gamma_converged``, ``free_repeats`` and `independence_`.

    Notes
    -----
    Fader and Hardie (2013), "The Gamma-Gamma model of monetary value", equations 1a and 5. Order values of a customer
    are gamma (shape ``p``) around an own mean; rates of customers are gamma (``q``, ``v``). The mean value of x repeat
    order days is ``repeat_spend / x``: the first order day is left out, as its value differs, and so are refunds.
    Money is divided by its mean before fitting, so that its unit changes nothing but ``v``.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> days = rng.integers(2, 9, 2_000)
    >>> spend = rng.gamma(5 * (days - 1), 1 / rng.gamma(4, 1 / 30, 2_000))
    >>> model = GammaGamma().fit(pd.DataFrame({"order_days": days, "repeat_spend": spend}))
    >>> model.params_["value"].round(1).tolist()
    [5.8, 3.9, 24.4]
    >>> someone = pd.DataFrame({"order_days": [1, 5], "repeat_spend": [0.0, 400.0]})
    >>> model.expected_value(someone).round(1).tolist()
    [49.3, 94.4]
    """

    def fit(self, snap: pd.DataFrame, y: None = None) -> Self:  # noqa: ARG002  # scikit-learn passes y
        """Learn the parameters from the repeat buyers of a snapshot.

        Parameters
        ----------
        snap
            One row per customer: ``order_days``, and ``repeat_spend``: paid on order days after the first, currency.
        y
            Ignored.

        Returns
        -------
        GammaGamma
            Itself, fitted.

        Raises
        ------
        ArgumentError
            A column is missing, or a buyer's value is missing, infinite or below 0.
        """
        repeats, spend = _repeats(snap)
        free = int(((repeats > 0) & (spend == 0)).sum())
        paying = (repeats > 0) & (spend > 0)
        x, spend = repeats[paying], spend[paying]
        self.n_customers_ = len(x)
        scale = float(np.mean(spend / x)) if len(x) else 1.0
        likelihood = GammaGammaLikelihood(x, spend / scale)
        end = maximise(likelihood, likelihood.starts(), max(len(x), 1)) if len(x) > 1 else _NOTHING
        has_mean = end.converged and end.logs[1] > 0
        units = np.array([1.0, 1.0, scale])
        self.params_ = end.table(PARAMETERS, units)
        self.covariance_ = pd.DataFrame(end.covariance, self.params_.index, self.params_.index)
        self.log_likelihood_ = end.log_likelihood - len(x) * np.log(scale)
        self.served_ = MODEL if has_mean else COHORTS
        self._logs = end.logs + np.log(units)
        self._means, errors = _class_means(x, spend)
        self._covariance = end.covariance if has_mean else np.outer(errors, errors)
        self.correlation_ = _rank_correlation(x, spend / x)
        self.independence_ = _independence(self.correlation_, len(x))
        self.checks_ = (_converged(end, len(x), has_mean=has_mean), _free(free, len(x)), self.independence_)
        return self

    def expected_value(self, snap: pd.DataFrame) -> pd.Series[float]:
        """Return the expected value of an order day of each buyer, in currency; missing for never-buyers.

        Parameters
        ----------
        snap
            As for `fit`; any customers.

        Notes
        -----
        p (v + spend) / (p x + q - 1): the own mean value, drawn to that of all, the less the more orders there are.
        """
        return self.forecast(snap)["expected_value"]

    def forecast(self, snap: pd.DataFrame) -> pd.DataFrame:
        """Return the expected value of an order day with its 95 % interval (delta method on the logarithm).

        Parameters
        ----------
        snap
            As for `fit`; any customers.

        Returns
        -------
        DataFrame
            Index of ``snap``; ``expected_value``, ``expected_value_lower``, ``expected_value_upper``.
        """
        check_is_fitted(self, "served_")
        repeats, spend = _repeats(snap)
        value, slopes = self._value(repeats, spend)
        factor = np.exp(Z * np.sqrt(np.maximum(np.einsum("in,ij,jn->n", slopes, self._covariance, slopes), 0.0)))
        value = np.where(repeats >= 0, value, np.nan)
        columns = {
            "expected_value": value,
            "expected_value_lower": value / factor,
            "expected_value_upper": value * factor,
        }
        return pd.DataFrame(columns, index=snap.index)

    def total_error(self, snap: pd.DataFrame, weights: pd.Series[float]) -> float:
        """Return the standard error of the logarithm of the weighted sum of expected values of all buyers.

        Parameters
        ----------
        snap
            As for `fit`; any customers.
        weights
            Orders of each customer, such as the expected ones.
        """
        check_is_fitted(self, "served_")
        repeats, spend = _repeats(snap)
        value, slopes = self._value(repeats, spend)
        parts = np.where(repeats >= 0, value * weights.to_numpy(dtype=np.float64), 0.0)
        if not (repeats >= 0).any():
            return 0.0
        slope = slopes @ (parts / parts.sum())
        return float(np.sqrt(slope @ self._covariance @ slope))

    def _value(self, repeats: Ints, spend: Floats) -> tuple[Floats, Floats]:
        """Return expected values, and their derivatives on the logarithm by what is estimated: one row per figure."""
        if self.served_ == COHORTS:
            classes = frequency_class(np.maximum(repeats, 0))
            return self._means[classes], np.eye(len(FREQUENCY))[:, classes]
        p, q, v = np.exp(self._logs)
        x = np.maximum(repeats, 0)
        left = p * x + q - 1
        slopes = np.array([1 - p * x / left, -q / left, v / (v + spend)])
        return p * (v + spend) / left, slopes


_NOTHING = Maximum(
    np.zeros(3), np.nan, np.nan, np.nan, np.full((3, 3), np.nan), "fewer than two repeat buyers paid anything"
)


def _repeats(snap: pd.DataFrame) -> tuple[Ints, Floats]:
    """Return repeat order days (-1 for never-buyers) and what was paid on them (0 there), checked."""
    absent = [name for name in (ORDER_DAYS, REPEAT_SPEND) if name not in snap.columns]
    if absent:
        what = f"the frame has no column {', '.join(absent)}"
        if REPEAT_SPEND in absent:
            what += f"; {REPEAT_SPEND} is what was paid on order days after the first, before refunds"
        hint = f'study.snapshot(as_of, columns=["{ORDER_DAYS}", "{REPEAT_SPEND}"])'
        raise ArgumentError("no-column", what, hint=hint)
    repeats = whole_numbers(snap[ORDER_DAYS], ORDER_DAYS) - 1
    spend = snap[REPEAT_SPEND].to_numpy(dtype=np.float64, na_value=np.nan)
    kinds = (
        ("missing-value", "a buyer's value is missing or infinite", (repeats >= 0) & ~np.isfinite(spend)),
        ("negative", "a value is below 0, and refunds are no part of it", (repeats >= 0) & (spend < 0)),
        ("first-order", "one order day only, so the first is counted", (repeats == 0) & (spend > 0)),
    )
    for code, what, wrong in kinds:
        if wrong.any():
            hint = f"{REPEAT_SPEND} is what was paid on order days after the first, before refunds"
            raise ArgumentError(code, what, column=REPEAT_SPEND, count=int(wrong.sum()), hint=hint)
    return repeats, np.where(repeats >= 0, spend, 0.0)


def _class_means(x: Ints, spend: Floats) -> tuple[Floats, Floats]:
    """Return mean order value and standard error of its logarithm by class of order days; all where one has few."""
    value = spend / x
    mean, error = np.full(len(FREQUENCY), np.nan), np.full(len(FREQUENCY), np.nan)
    classes = frequency_class(x)
    for place in range(len(FREQUENCY)):
        own = value[classes == place]
        own = own if len(own) >= FEWEST else value
        if len(own):
            mean[place] = own.mean()
            error[place] = own.std(ddof=1) / own.mean() / np.sqrt(len(own)) if len(own) > 1 else np.nan
    return mean, error


def _rank_correlation(x: Ints, value: Floats) -> tuple[float, float, float]:
    """Return Spearman's rank correlation with its 95 % interval; missing under four customers or where one is flat.

    Bonett and Wright (2000), "Sample size requirements for estimating Pearson, Kendall and Spearman correlations",
    Psychometrika 65: Fisher's z with variance (1 + rho**2 / 2) / (n - 3).
    """
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(value) == 0:
        return np.nan, np.nan, np.nan
    rho = float(np.corrcoef(rankdata(x), rankdata(value))[0, 1])
    half = Z * np.sqrt((1 + rho**2 / 2) / (len(x) - 3))
    middle = np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12))
    return rho, float(np.tanh(middle - half)), float(np.tanh(middle + half))


def _independence(correlation: tuple[float, float, float], n: int) -> Check:
    """Say whether orders and order value are independent, as the model holds."""
    code = "orders_and_value_independent"
    rho, lower, upper = correlation
    if np.isnan(rho):
        return Check(code, "informational", f"{n:,} paying repeat buyers show no rank correlation", n)
    message = f"rank correlation of order days and order value is {rho:.2f} (95 % interval {lower:.2f} to {upper:.2f})"
    if lower > _WEAK or upper < -_WEAK:
        who = "frequent buyers pay more an order" if rho > 0 else "frequent buyers pay less an order"
        return Check(code, "failed", f"{message}: {who}, so spend of the frequent is misjudged", n)
    return Check(code, "passed" if lower >= -_WEAK and upper <= _WEAK else "informational", message, n)


def _converged(end: Maximum, n: int, *, has_mean: bool) -> Check:
    code = "gamma_gamma_converged"
    if has_mean:
        message = f"the maximum is found: gradient {end.gradient_norm:.1g}, information positive definite"
        return Check(code, "passed", message)
    reason = end.reason or "q is at most 1, so the mean value is infinite"
    message = f"Gamma-Gamma did not converge ({reason}): the mean value of those who bought as often serves"
    return Check(code, "failed", message, n)


def _free(free: int, paying: int) -> Check:
    message = f"{free:,} repeat buyers paid nothing on their repeat days; the other {paying:,} teach the model"
    return Check("free_repeats", "informational" if free else "passed", message, free)
