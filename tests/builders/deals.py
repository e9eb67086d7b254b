"""Every possible deal of few units, and the statistics of one as a textbook has them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ONE = np.ones(1)


def alone(n: int) -> NDArray[np.intp]:
    return np.zeros(n, dtype=np.intp)


def welch(values: Floats, treated: NDArray[np.bool_]) -> tuple[float, float]:
    """Return difference of means and its unpooled variance, as a textbook has it."""
    a, b = values[treated], values[~treated]
    return float(a.mean() - b.mean()), float(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


def ratio(y: Floats, x: Floats, treated: NDArray[np.bool_]) -> tuple[float, float]:
    """Return difference of ratios and its linearised variance."""
    found, variance = [], 0.0
    for arm in (treated, ~treated):
        r = y[arm].sum() / x[arm].sum()
        found.append(r)
        variance += float(((y[arm] - r * x[arm]) / x[arm].mean()).var(ddof=1)) / arm.sum()
    return float(found[0] - found[1]), variance


def every_deal(n: int, many: int) -> list[NDArray[np.bool_]]:
    deals = []
    for chosen in combinations(range(n), many):
        deal = np.zeros(n, dtype=np.bool_)
        deal[list(chosen)] = True
        deals.append(deal)
    return deals


def as_often(found: Floats, possible: list[float]) -> float:
    """Return the p-value of a chi-squared test that each possible statistic comes as often as it should."""
    kinds, due = np.unique(np.round(possible, 6), return_counts=True)
    seen, counts = np.unique(np.round(found, 6), return_counts=True)
    assert set(seen) <= set(kinds), "a statistic that no deal gives"
    observed = np.zeros(len(kinds))
    observed[np.searchsorted(kinds, seen)] = counts
    return float(stats.chisquare(observed, due / due.sum() * len(found)).pvalue)
