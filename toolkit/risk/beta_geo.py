"""BG/NBD: who is still a customer, and how many order days lie ahead."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from toolkit.errors import ArgumentError
from toolkit.intervals import Z
from toolkit.risk.beta_geo_checks import converged, not_converged, orders_reproduced, repeat_buyers
from toolkit.risk.beta_geo_forecast import BetaGeoForecast
from toolkit.risk.beta_geo_likelihood import PARAMETERS, BetaGeoLikelihood
from toolkit.risk.cohort_value import cohort_table
from toolkit.risk.histories import day_of, histories
from toolkit.risk.maximum import maximise

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from toolkit.errors import Check
    from toolkit.risk.cohort_value import CohortTable
    from toolkit.risk.histories import Histories
    from toolkit.risk.maximum import Maximum

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MODEL, COHORTS = "bg_nbd", "cohort table"


class BetaGeo(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Fit BG/NBD to order days, and say what it expects of each buyer.

    Parameters
    ----------
    unit_days
        Days in one unit of time of ``alpha``; no forecast depends on it.

    Attributes
    ----------
    params_ : DataFrame, index ``parameter``: r alpha a b
        ``value standard_error lower upper`` (95 %, from the observed information of the logarithms). Missing where
        the fit did not converge.
    covariance_ : DataFrame
        Covariance of the logarithms of the parameters.
    log_likelihood_ : float
        Of all buyers, in units of time. Where the fit did not converge, where the search ended.
    gradient_norm_ : float
        Largest entry of the gradient of the mean log-likelihood by the logarithms, there.
    served_ : str
        ``bg_nbd``, or ``cohort table`` where the fit did not converge: then no forecast is the model's.
    table_ : DataFrame or None
        That table (`toolkit.risk.cohort_value.cohort_table`).
    as_of_ : str or None
        Day of the snapshot or landmark, ISO text, where the frame says it.
    n_customers_, longest_tenure_ : int
        Buyers, and days since the first order day of the first of them.
    checks_ : tuple of Check
        ``bg_nbd_converged``, ``repeat_buyers`` and ``orders_reproduced``.

    Notes
    -----
    Fader, Hardie and Lee (2005), "Counting your customers the easy way", Marketing Science 24. While a customer, one
    orders at random at an own rate (gamma: ``r``, ``alpha``), and after each repeat order leaves with an own chance
    (beta: ``a``, ``b``). So one who has not ordered again cannot have left: P(alive) is 1. Orders of one day are one
    order; the first day is no repeat. The history of each buyer enters; their order, ids and money do not.

    Intervals are of what is expected, by uncertainty of the parameters. What one customer does scatters far wider.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> rate, leave = rng.gamma(0.6, 1 / 40, 3_000), rng.beta(0.8, 2.5, 3_000)
    >>> times = np.ceil((rng.exponential(1, (60, 3_000)) / rate).cumsum(axis=0))
    >>> leaves = rng.random((60, 3_000)) < leave
    >>> made = (times <= 300) & (leaves.cumsum(axis=0) - leaves == 0)
    >>> last = np.where(made, times, 0).max(axis=0)
    >>> snap = pd.DataFrame({"order_days": np.minimum(made.sum(axis=0), last) + 1, "recency_days": 300 - last,
    ...                      "tenure_days": 300})
    >>> model = BetaGeo().fit(snap)
    >>> model.served_, [check.status for check in model.checks_]
    ('bg_nbd', ['passed', 'passed', 'passed'])
    >>> ahead = pd.DataFrame({"order_days": [1, 4, 4], "recency_days": [300, 10, 250], "tenure_days": [300, 300, 300]})
    >>> model.expected_orders(ahead, days=90).round(2).tolist()
    [0.15, 0.74, 0.04]
    """

    def __init__(self, unit_days: float = 7) -> None:
        self.unit_days = unit_days

    def fit(self, snap: pd.DataFrame, y: None = None, *, earlier: pd.DataFrame | None = None) -> Self:  # noqa: ARG002  # scikit-learn passes y
        """Learn the parameters from the buyers of a snapshot.

        Parameters
        ----------
        snap
            One row per customer: ``order_days tenure_days``, and ``recency_days`` or both ``first_order_date`` and
            ``last_order_date``.
        y
            Ignored.
        earlier
            The snapshot of an earlier day, for the table that serves where the fit does not converge.

        Returns
        -------
        BetaGeo
            Itself, fitted.

        Raises
        ------
        ArgumentError
            ``unit_days`` is not above 0, there is no buyer, the frame has several landmarks, or a history cannot be
            (`toolkit.risk.histories.histories`).
        """
        if not (np.isfinite(self.unit_days) and self.unit_days > 0):
            raise ArgumentError("unit_days", f"unit_days is {self.unit_days!r}, not above 0", hint="unit_days=7")
        found = histories(snap)
        self.n_customers_ = len(found.repeats)
        if not self.n_customers_:
            hint = "a later as_of"
            raise ArgumentError("no-buyers", "no customer has an order, so there is nothing to learn from", hint=hint)
        self.as_of_ = day_of(snap)
        end = self._maximum(found)
        self.params_ = end.table(PARAMETERS)
        self.covariance_ = pd.DataFrame(end.covariance, self.params_.index, self.params_.index)
        self.log_likelihood_, self.gradient_norm_ = end.log_likelihood, end.gradient_norm
        starts, customers = np.unique(found.tenure.max() - found.tenure, return_counts=True)
        self._starts: tuple[Ints, Ints] = (starts, customers.astype(np.int64))
        self.longest_tenure_ = int(found.tenure.max())
        served = self._serve(end, snap, earlier)
        expected = float(self.expected_orders_to([self.longest_tenure_])["expected"].iloc[0])
        repeaters, orders = int((found.repeats > 0).sum()), int(found.repeats.sum())
        self.checks_ = (served, repeat_buyers(repeaters), orders_reproduced(orders, expected))
        return self

    def p_alive(self, snap: pd.DataFrame) -> pd.Series[float]:
        """Return the probability of still being a customer: missing for never-buyers, and where a table serves."""
        return self._each(snap, "p_alive", self._served().p_alive)

    def expected_orders(self, snap: pd.DataFrame, days: float = 90, *, given_active: bool = False) -> pd.Series[float]:
        """Return the order days expected within the next ``days``, missing for never-buyers.

        Parameters
        ----------
        snap
            As for `fit`; any customers.
        days
            Horizon, in days after the day of the snapshot.
        given_active
            Whether to take it as known that the customer is still one.
        """
        served, ahead = self._served(), _horizon(days)
        return self._each(snap, "expected_orders", partial(served.orders, days=ahead, given_active=given_active))

    def orders_probability(
        self, snap: pd.DataFrame, days: float = 90, *, given_active: bool = False
    ) -> pd.Series[float]:
        """Return the probability of at least one order within the next ``days``, missing for never-buyers.

        Parameters
        ----------
        snap
            As for `fit`; any customers.
        days
            Horizon, in days after the day of the snapshot.
        given_active
            Whether to take it as known that the customer is still one.

        Notes
        -----
        P(alive) * (1 - ((alpha+T) / (alpha+T+days)) ** (r+x)): one who is active leaves only after an order.
        """
        served, ahead = self._served(), _horizon(days)
        return self._each(
            snap, "orders_probability", partial(served.probability, days=ahead, given_active=given_active)
        )

    def forecast(self, snap: pd.DataFrame, days: float = 90) -> pd.DataFrame:
        """Return all that is expected within the next ``days``, with 95 % intervals.

        Parameters
        ----------
        snap
            As for `fit`; any customers.
        days
            Horizon, in days after the day of the snapshot.

        Returns
        -------
        DataFrame
            Index of ``snap``; ``p_alive``, ``expected_orders`` and ``expected_orders_given_active``, each followed by
            its ``_lower`` and ``_upper``; missing for never-buyers.

        Notes
        -----
        Delta method: on the log-odds of P(alive), on the logarithm of expected orders.
        """
        ahead, served = _horizon(days), self._served()

        def columns(found: Histories) -> Floats:
            rows = [served.p_alive(found), *served.p_alive_bounds(found)]
            for given_active in (False, True):
                expected = served.orders(found, ahead, given_active=given_active)
                factor = np.exp(Z * served.orders_error(found, ahead, given_active=given_active))
                rows += [expected, expected / factor, expected * factor]
            return np.array(rows)

        names = ("p_alive", "expected_orders", "expected_orders_given_active")
        values = self._expanded(snap, columns, 3 * len(names))
        ends = [f"{name}{end}" for name in names for end in ("", "_lower", "_upper")]
        return pd.DataFrame(values.T, snap.index, ends)

    def expected_total(
        self, snap: pd.DataFrame, days: float = 90, *, weights: pd.Series[float] | None = None
    ) -> tuple[float, float]:
        """Return the expected orders of all buyers together, and the standard error of the logarithm.

        Parameters
        ----------
        snap
            As for `fit`; any customers.
        days
            Horizon, in days after the day of the snapshot.
        weights
            What an order of each customer counts, such as its expected value; 1 by default.
        """
        served, ahead = self._served(), _horizon(days)
        found = histories(snap)
        if not len(found.buyers):
            return 0.0, 0.0
        each = np.ones(len(snap)) if weights is None else weights.to_numpy(dtype=np.float64)
        different, which = found.distinct()
        summed = np.bincount(which, each[found.buyers], len(different.repeats)).astype(np.float64)
        return served.total(different, summed, ahead)

    def expected_orders_to(self, days: ArrayLike) -> pd.DataFrame:
        """Return the repeat order days that the fitted buyers are expected to have made up to each day.

        Parameters
        ----------
        days
            Whole days since the first order day of the first of them.

        Returns
        -------
        DataFrame
            Index ``days``; ``expected lower upper`` (95 %, by uncertainty of the parameters); missing where a table
            serves.

        Notes
        -----
        Sum of Fader, Hardie and Lee (2005), equation 9, over the buyers: from each one's first order day, as if
        nothing were known of the orders that followed.
        """
        served = self._served()
        given = np.asarray(days, dtype=np.float64).ravel()
        if not (np.isfinite(given) & (given >= 0) & (given == np.floor(given))).all():
            raise ArgumentError("whole-days", "the days are no whole numbers from 0 on", hint="np.arange(0, 365, 7)")
        whole = given.astype(np.int64)
        expected, error = served.cumulative(*self._starts, whole)
        columns = {"expected": expected, "lower": expected * np.exp(-Z * error), "upper": expected * np.exp(Z * error)}
        return pd.DataFrame(columns, index=pd.Index(whole, name="days"))

    def _maximum(self, found: Histories) -> Maximum:
        """Search with mean tenure as the unit of time, so that the user's unit changes nothing; return in that one."""
        own = max(float(found.tenure.mean()), 1.0)
        likelihood = BetaGeoLikelihood(*found.counted(), own)
        end = maximise(likelihood, likelihood.starts(), self.n_customers_)
        longer = np.log(own / self.unit_days)
        logs = end.logs + np.array([0.0, longer, 0.0, 0.0])
        return replace(end, logs=logs, log_likelihood=end.log_likelihood - float(found.repeats.sum()) * longer)

    def _serve(self, end: Maximum, snap: pd.DataFrame, earlier: pd.DataFrame | None) -> Check:
        """Let the model serve where it converged, else the table, and say so."""
        self._forecast: BetaGeoForecast | CohortTable
        if end.converged:
            self.served_, self.table_ = MODEL, None
            self._forecast = BetaGeoForecast(end.logs, end.covariance, self.unit_days)
            return converged(end)
        table = cohort_table(snap, earlier)
        self.served_, self.table_, self._forecast = COHORTS, table.table, table
        return not_converged(end, self.n_customers_, observed=table.observed)

    def _served(self) -> BetaGeoForecast | CohortTable:
        check_is_fitted(self, "served_")
        return self._forecast

    def _each(self, snap: pd.DataFrame, name: str, value: Callable[[Histories], Floats]) -> pd.Series[float]:
        return pd.Series(self._expanded(snap, lambda found: value(found)[None, :], 1)[0], snap.index, name=name)

    def _expanded(self, snap: pd.DataFrame, value: Callable[[Histories], Floats], rows: int) -> Floats:
        """Evaluate each different history once, and give every buyer the columns of the own one."""
        found = histories(snap)
        different, which = found.distinct()
        values = np.full((rows, len(snap)), np.nan)
        for all_rows, own in zip(values, value(different), strict=True):
            all_rows[found.buyers] = own[which]
        return values


def _horizon(days: float) -> float:
    if not (np.isfinite(days) and days > 0):
        raise ArgumentError("horizon", f"the horizon is {days!r}, not above 0", column="days", hint="days=90")
    return float(days)
