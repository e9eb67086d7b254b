"""What each customer is worth: expected orders times expected value, within a horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.intervals import Z
from toolkit.risk.beta_geo import BetaGeo
from toolkit.risk.gamma_gamma import GammaGamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["BetaGeo", "GammaGamma", "customer_value", "value_total"]


def customer_value(snap: pd.DataFrame, orders: BetaGeo, spend: GammaGamma, *, days: float = 90) -> pd.DataFrame:
    """Say what each buyer is expected to order and to spend within a horizon.

    Parameters
    ----------
    snap
        One row per customer: ``order_days recency_days tenure_days repeat_spend``.
    orders, spend
        Fitted models.
    days
        Horizon, in days after the day of the snapshot.

    Returns
    -------
    DataFrame
        Index of ``snap``; missing for never-buyers. ``p_alive``; ``expected_orders`` (order days); ``expected_value``
        (currency per order day); ``expected_spend`` and ``expected_spend_given_active`` (currency, before refunds),
        each of these two followed by its ``_lower`` and ``_upper``. ``attrs["served"]`` says what served for orders
        and for value.

    Raises
    ------
    ArgumentError
        As for ``BetaGeo.expected_orders`` and ``GammaGamma.fit``.

    Notes
    -----
    Orders and value are taken as independent (``GammaGamma.independence_``). Intervals, 95 %, are of what is *expected*
    by uncertainty of the parameters (delta method on the logarithm, both models added): what one customer will spend
    scatters far wider. Money at risk is risk times ``expected_spend_given_active``, as ``expected_spend`` already holds
    P(alive). Where the cohort table serves, P(alive) is missing, and "given active" is the latest class of the same
    frequency.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> rate, leave = rng.gamma(0.6, 1 / 40, 3_000), rng.beta(0.8, 2.5, 3_000)
    >>> times = np.ceil((rng.exponential(1, (60, 3_000)) / rate).cumsum(axis=0))
    >>> leaves = rng.random((60, 3_000)) < leave
    >>> made = (times <= 300) & (leaves.cumsum(axis=0) - leaves == 0)
    >>> last = np.where(made, times, 0).max(axis=0)
    >>> x = np.minimum(made.sum(axis=0), last)
    >>> snap = pd.DataFrame({"order_days": x + 1, "recency_days": 300 - last, "tenure_days": 300,
    ...                      "repeat_spend": x * rng.gamma(3, 10, 3_000)})
    >>> value = customer_value(snap, BetaGeo().fit(snap), GammaGamma().fit(snap), days=30)
    >>> value.columns.tolist()
    ['p_alive', 'expected_orders', 'expected_value',
     'expected_spend', 'expected_spend_lower', 'expected_spend_upper',
     'expected_spend_given_active', 'expected_spend_given_active_lower', 'expected_spend_given_active_upper']
    >>> bool((value["expected_spend"] <= value["expected_spend_given_active"]).all())
    True
    """
    ahead, worth = orders.forecast(snap, days), spend.forecast(snap)
    table = ahead[["p_alive", "expected_orders"]].assign(expected_value=worth["expected_value"])
    of_value = _error(worth, "expected_value")
    for given in ("", "_given_active"):
        expected = ahead[f"expected_orders{given}"] * worth["expected_value"]
        factor = np.exp(Z * np.hypot(_error(ahead, f"expected_orders{given}"), of_value))
        name = f"expected_spend{given}"
        table = table.assign(**{name: expected, f"{name}_lower": expected / factor, f"{name}_upper": expected * factor})
    table.attrs = {**snap.attrs, "served": (orders.served_, spend.served_), "days": days}
    return table


def value_total(snap: pd.DataFrame, orders: BetaGeo, spend: GammaGamma, *, days: float = 90) -> pd.DataFrame:
    """Say what all buyers together are expected to order and to spend within a horizon.

    Parameters
    ----------
    snap, orders, spend, days
        As for `customer_value`.

    Returns
    -------
    DataFrame
        Index ``total``: ``orders``, ``spend``; columns ``expected lower upper`` (order days; currency). Intervals as
        for `customer_value`; those of customers do not add up, as all share the parameters.
    """
    value = spend.expected_value(snap)
    one, one_error = orders.expected_total(snap, days)
    other, other_error = orders.expected_total(snap, days, weights=value)
    value_error = spend.total_error(snap, orders.expected_orders(snap, days))
    expected = np.array([one, other])
    factor = np.exp(Z * np.array([one_error, np.hypot(other_error, value_error)]))
    columns = {"expected": expected, "lower": expected / factor, "upper": expected * factor}
    return pd.DataFrame(columns, index=pd.Index(["orders", "spend"], name="total"))


def _error(table: pd.DataFrame, name: str) -> Floats:
    """Return the standard error of a logarithm from its interval."""
    return np.asarray(np.log((table[f"{name}_upper"] / table[f"{name}_lower"]).to_numpy(dtype=np.float64)) / (2 * Z))
