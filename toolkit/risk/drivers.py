"""What drives the risk: hazard ratios by feature, and what makes one customer differ from the typical one."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from toolkit.risk.episode_rows import numbers
from toolkit.risk.separation import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from toolkit.risk.covariates import Design

    Floats = NDArray[np.float64]

_Z = 1.959963984540054
_DRIVERS = ("hazard_ratio", "lower", "upper", "p_value", "raises_risk", "contrast")
_COEFFICIENTS = ("coef", "se", "se_plain", "lower", "upper", "p_value")
_SHARES = (0.0, 0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 1.0)


def quantiles(design: Design, frame: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return two values of each feature between which it is told.

    Returns
    -------
    dict
        A named feature is told from its median to one more; one of the defaults from its 25th to its 75th percentile,
        or further out where these are equal.
    """
    if design.strict:
        return {name: (design.typical[name], design.typical[name] + 1) for name in design.features}
    return {name: _apart(numbers(frame, name)) for name in design.features}


def _apart(column: Floats) -> tuple[float, float]:
    found = np.nanquantile(column, _SHARES)
    for place in range(len(found) // 2 - 1, -1, -1):
        low, high = float(found[place]), float(found[-1 - place])
        if high > low:
            break
    return low, high


def contrasts(design: Design, quantiles: Mapping[str, tuple[float, float]]) -> tuple[Floats, list[str]]:
    """Return the step of the design's columns that each feature is told by, and the words for it.

    Parameters
    ----------
    design
        The learned columns.
    quantiles
        Low and high value of each feature.

    Returns
    -------
    steps, words
        Shape (features, columns); a named feature is told per unit, one of the defaults from low to high with the
        others at their training median.
    """
    rows, words = [], []
    for name in design.features:
        low, high = quantiles[name]
        words.append("per unit" if design.strict else f"{high:.4g} against {low:.4g}")
        ends = {other: np.full(2, design.typical[other]) for other in design.features}
        ends[name] = np.array([low, high])
        values = ends | {f"? {other}": np.zeros(2) for other in design.features}
        matrix = design.matrix(values)
        rows.append(matrix[1] - matrix[0])
    return np.array(rows).reshape(len(rows), len(design.forms)), words


def driver_table(
    design: Design, beta: Floats, covariance: Floats, quantiles: Mapping[str, tuple[float, float]], *, bad: bool
) -> pd.DataFrame:
    """Return hazard ratios by feature; see `ChurnModel.drivers`.

    Parameters
    ----------
    design, beta, covariance
        The fitted model.
    quantiles
        Low and high value of each feature.
    bad
        Whether the modelled event is the bad one.
    """
    steps, words = contrasts(design, quantiles)
    effect = steps @ beta
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", steps, covariance, steps), 0.0))
    p_values = [
        _wald(beta, covariance, [place for place, form in enumerate(design.forms) if name in form.sources])
        for name in design.features
    ]
    table = pd.DataFrame(
        {
            "hazard_ratio": np.exp(effect),
            "lower": np.exp(effect - _Z * error),
            "upper": np.exp(effect + _Z * error),
            "p_value": np.array(p_values, dtype=np.float64),
            "raises_risk": (effect > 0) == bad,
            "contrast": words,
        },
        columns=list(_DRIVERS),
        index=pd.Index(design.features, name="feature", dtype=object),
    )
    order = sorted(range(len(table)), key=lambda place: (-abs(float(effect[place])), design.features[place]))
    return table.iloc[order]


def no_drivers() -> pd.DataFrame:
    """Return the table of `driver_table` without rows."""
    return pd.DataFrame(columns=list(_DRIVERS), index=pd.Index([], name="feature", dtype=object))


def no_coefficients() -> pd.DataFrame:
    """Return the table of `coefficient_table` without rows."""
    return pd.DataFrame(columns=list(_COEFFICIENTS), index=pd.Index([], name="covariate", dtype=object))


def coefficient_table(design: Design, beta: Floats, plain: Floats, covariance: Floats) -> pd.DataFrame:
    """Return log hazard ratios per unit of each column, with errors, interval and p."""
    coef = beta / design.spread
    error = np.sqrt(np.diag(covariance)) / design.spread
    return pd.DataFrame(
        {
            "coef": coef,
            "se": error,
            "se_plain": np.sqrt(np.diag(plain)) / design.spread,
            "lower": coef - _Z * error,
            "upper": coef + _Z * error,
            "p_value": 2 * stats.norm.sf(np.abs(coef / error)),
        },
        index=pd.Index([form.name for form in design.forms], name="covariate", dtype=object),
    )


def contributions(
    log_hazard: Callable[[Mapping[str, Floats]], Floats],
    groups: Sequence[Sequence[str]],
    customer: Mapping[str, float],
    typical: Mapping[str, float],
) -> dict[str, float]:
    """Share out the distance of a customer's log hazard from the typical one.

    Parameters
    ----------
    log_hazard
        Log relative hazard of features as `Design.values` gives them.
    groups
        All features; those that share a column stand together.
    customer, typical
        Their values; missing ones of the customer stand as missing.

    Returns
    -------
    dict
        One number per feature; they add up to the distance.

    Notes
    -----
    Shapley values (Shapley 1953): the mean over all orders in which a group's features move from typical to the
    customer's, exact because a group is small.
    """
    found = {}
    everything = [name for group in groups for name in group]
    for group in groups:
        sets = [chosen for size in range(len(group) + 1) for chosen in combinations(group, size)]
        values: dict[str, Floats] = {}
        for name in everything:
            missing = np.array([name in chosen and np.isnan(customer[name]) for chosen in sets])
            own = np.array([name in chosen for chosen in sets]) & ~missing
            values[name] = np.where(own, customer[name], typical[name])
            values[f"? {name}"] = missing.astype(np.float64)
        level = dict(zip(sets, log_hazard(values), strict=True))
        for name in group:
            found[name] = sum(
                _shapley(len(without), len(group))
                * float(level[tuple(one for one in group if one in without or one == name)] - level[without])
                for without in sets
                if name not in without
            )
    return found


def explanation(
    own: Mapping[str, float],
    typical: Mapping[str, float],
    shares: Mapping[str, float],
    *,
    bad: bool,
    risk: float,
    horizon: float,
) -> pd.DataFrame:
    """Return the table of `ChurnModel.explain` from the contributions to the log hazard, the largest first."""
    sign = 1.0 if bad else -1.0
    names = sorted(own, key=lambda name: -abs(shares[name]))
    table = pd.DataFrame(
        {
            "value": [own[name] for name in names],
            "typical": [typical[name] for name in names],
            "contribution": [sign * shares[name] for name in names],
            "risk": risk,
        },
        index=pd.Index(names, name="feature", dtype=object),
        dtype=np.float64,
    )
    table.attrs["horizon"] = horizon
    return table


def feature_groups(design: Design) -> list[list[str]]:
    """Return the features, those that share a column together."""
    found = []
    for places in blocks(design.forms):
        sources = {name for place in places for name in design.forms[place].sources}
        found.append([name for name in design.features if name in sources])
    return found


def _shapley(before: int, size: int) -> float:
    return factorial(before) * factorial(size - before - 1) / factorial(size)


def _wald(beta: Floats, covariance: Floats, places: list[int]) -> float:
    """Return the p-value of all columns of a feature being 0 together."""
    part = beta[places]
    statistic = float(part @ np.linalg.pinv(covariance[np.ix_(places, places)]) @ part)
    return float(stats.chi2.sf(statistic, len(places)))
