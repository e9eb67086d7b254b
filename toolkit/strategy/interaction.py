"""Whether the lifts of tiers differ by more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import fdtrc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    FTest = tuple[float, float, float, float]
"""Statistic, degrees of freedom above and below, p-value."""
NOT_TESTED = (np.nan, np.nan, np.nan, np.nan)


def welch(lift: Floats, variance: Floats, df: Floats) -> FTest:
    """Compare lifts of tiers that share no unit.

    Parameters
    ----------
    lift, variance, df
        One per tier: lift, its variance (above 0) and the degrees of freedom of that.

    Returns
    -------
    tuple of float
        F, its degrees of freedom (two), p-value; missing where there are fewer than two tiers.

    Notes
    -----
    Welch (1951), "On the comparison of several mean values", Biometrika 38, with lifts for means.

    Examples
    --------
    >>> [round(one, 3) for one in welch(np.array([0.1, 0.5]), np.array([0.01, 0.01]), np.array([98.0, 98.0]))]
    [8.0, 1.0, 196.0, 0.005]
    """
    k = len(lift)
    if k < 2:
        return NOT_TESTED
    weight = 1 / variance
    middle = weight @ lift / weight.sum()
    spread = ((1 - weight / weight.sum()) ** 2 / df).sum()
    statistic = weight @ (lift - middle) ** 2 / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    return _f(statistic, k - 1, (k**2 - 1) / (3 * spread))


def wald(lift: Floats, covariances: Sequence[Floats], groups: NDArray[np.int64]) -> FTest:
    """Compare lifts of tiers that share groups.

    Parameters
    ----------
    lift
        One per tier.
    covariances
        Of the values of each arm between tiers, two of shape (T, T).
    groups
        Groups in each arm.

    Returns
    -------
    tuple of float
        As `welch`; missing too where groups are too few to tell so many tiers apart.

    Notes
    -----
    Wald's statistic of the contrasts between tiers, as Hotelling's T squared with the degrees of freedom of
    Krishnamoorthy and Yu (2004), "Modified Nel and Van der Merwe test for the multivariate Behrens-Fisher problem",
    Stat. Probab. Lett. 66.

    Examples
    --------
    >>> parts = [np.diag([0.005, 0.005])] * 2
    >>> [round(one, 3) for one in wald(np.array([0.1, 0.5]), parts, np.array([50, 50]))]
    [8.0, 1.0, 98.0, 0.006]
    """
    k = len(lift)
    if k < 2:
        return NOT_TESTED
    contrast = np.eye(k)[1:] - np.eye(k)[:1]
    parts = [contrast @ part @ contrast.T for part in covariances]
    whole, p = parts[0] + parts[1], k - 1
    if np.linalg.matrix_rank(whole, hermitian=True) < p:
        return NOT_TESTED
    inverse, apart = np.linalg.inv(whole), contrast @ lift
    used = 0.0
    for part, many in zip(parts, groups, strict=True):
        ratio = part @ inverse
        used += (np.trace(ratio @ ratio) + np.trace(ratio) ** 2) / (many - 1)
    nu = (p + p**2) / used
    below = nu - p + 1
    return _f(float(apart @ inverse @ apart) * below / (nu * p), p, below) if below > 0 else NOT_TESTED


def _f(statistic: float, above: float, below: float) -> FTest:
    return float(statistic), float(above), float(below), float(fdtrc(above, below, statistic))
