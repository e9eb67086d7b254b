"""Who forecasts in a back-test: the model, and what it has to beat on the same buyers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.risk.covariates import learn_design
from toolkit.schema import EVENT, FIRST_ORDER_DATE, LAST_ORDER_DATE, ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.risk.past import Outcome, Past

    Floats = NDArray[np.float64]

CHURN_MODEL, BG_NBD, RECENCY_RULE, LOGISTIC = "churn_model", "bg_nbd", "recency_rule", "logistic"
HISTORY = (FIRST_ORDER_DATE, LAST_ORDER_DATE, RECENCY_DAYS, TENURE_DAYS, ORDER_DAYS)
"""Columns that the others read."""
BANDS = 10


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a contender says at an origin.

    Attributes
    ----------
    risk
        Probability of the bad event within the horizon, one per buyer, in the order of ``past.buyers``.
    served
        What the figures come from, such as ``cox``.
    fitted
        The fitted model, where there is one.
    """

    risk: Floats
    served: str
    fitted: Any = None


def forecasts(model: Any, past: Past) -> dict[str, Forecast]:
    """Return what each contender says of the same buyers; of a membership's end, only those that can.

    Raises
    ------
    ArgumentError
        A contender has nothing to learn from, or no finite risk for a buyer.
    """
    said = {CHURN_MODEL: churn_model(model, past)}
    said |= {name: ask(past) for name, ask in _OTHERS[past.outcome].items()}
    said[LOGISTIC] = logistic(past, getattr(model, "features", None))
    for name, forecast in said.items():
        odd = ~((forecast.risk >= 0) & (forecast.risk <= 1))
        if odd.any():
            what = f"{name} gives a risk that is missing or not in [0, 1]"
            raise ArgumentError("no-risk", what, count=int(odd.sum()), hint="a model whose risk() is in [0, 1]")
    return said


def churn_model(model: Any, past: Past) -> Forecast:
    """Refit a copy of the model on the training episodes, and read its risk."""
    from sklearn.base import clone  # noqa: PLC0415 - a second of import that only a fit needs

    fitted = clone(model).fit(past.training)
    return Forecast(read_risk(fitted, past.buyers, past.horizon), str(fitted.served_), fitted)


def read_risk(fitted: Any, frame: pd.DataFrame, horizon: int) -> Floats:
    """Return the risk of a fitted churn model within one horizon."""
    found: Floats = fitted.risk(frame, horizons=(horizon,))[f"risk_{horizon}d"].to_numpy(dtype=np.float64)
    return found


def bg_nbd(past: Past) -> Forecast:
    """Fit BG/NBD to what the same buyers had done by the origin: risk is no order within the horizon."""
    from toolkit.risk.value import BetaGeo  # noqa: PLC0415 - scipy's optimisers, which only a fit needs

    fitted = BetaGeo().fit(past.buyers)
    orders = np.asarray(fitted.orders_probability(past.buyers, past.horizon), dtype=np.float64)
    return Forecast(1 - orders, str(fitted.served_), fitted)


def recency_rule(past: Past) -> Forecast:
    """Read the risk off the days since the last order alone.

    Notes
    -----
    "Idle for so long means lost", graded: ten bands of recency with equally many closed training episodes each, and as
    risk the share of each band that did not order (of all bands where a band is empty). A single cut would be a coarser
    rule of the same order, and could not be scored as a probability.
    """
    closed = past.closed
    known, asked = (frame[RECENCY_DAYS].to_numpy(dtype=np.float64) for frame in (closed, past.buyers))
    cuts = np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS))
    band = np.searchsorted(cuts, known, side="left")
    size = np.bincount(band, minlength=len(cuts) + 1)
    bad = np.bincount(band, past.bad(closed), minlength=len(cuts) + 1)
    shares: Floats = np.where(size > 0, bad / np.maximum(size, 1), past.bad(closed).mean())
    return Forecast(shares[np.searchsorted(cuts, asked, side="left")], "recency bands")


def logistic(past: Past, features: Sequence[str] | None = None) -> Forecast:
    """Fit a logistic model to the closed training episodes, on the columns that the churn model makes of its features.

    Notes
    -----
    It sees no episode whose horizon is not over: what a survival model gains from the censored ones shows here. The
    ridge of scikit-learn's default (C = 1, on standardised columns) only keeps separated outcomes finite.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - a second of import that only a fit needs

    closed = past.closed
    bad = past.bad(closed)
    if bad.all() or not bad.any():
        return Forecast(np.full(len(past.buyers), bad.mean()), "mean: all outcomes alike")
    design = learn_design(closed, features, seen=(closed[EVENT] == 1).to_numpy())[0]
    if not design.forms:
        return Forecast(np.full(len(past.buyers), bad.mean()), "mean: no column is left")
    fitted = LogisticRegression(max_iter=1_000).fit(design.matrix(design.values(closed)), bad)
    return Forecast(fitted.predict_proba(design.matrix(design.values(past.buyers)))[:, 1], "logistic", fitted)


_OTHERS: dict[Outcome, Mapping[str, Callable[[Past], Forecast]]] = {
    "order": {BG_NBD: bg_nbd, RECENCY_RULE: recency_rule},
    "end": {},
}
