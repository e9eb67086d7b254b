"""Tier effects drawn toward the overall effect, as far as they do not differ by more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FEWEST = 3
"""Fewest tiers from which the spread of their effects is estimated."""
_ROUNDS, _CLOSE = 200, 1e-12


@dataclass(frozen=True, eq=False)
class Shrunken:
    """Effects of tiers after shrinkage; missing where nothing could be shrunk.

    Attributes
    ----------
    value, lower, upper
        One per tier.
    tau2
        Variance of the true effects between tiers; missing where fewer than three could be estimated.
    """

    value: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    tau2: float


def paule_mandel(effects: ArrayLike, variances: ArrayLike) -> float:
    """Estimate the variance of true effects from estimates and their variances.

    Parameters
    ----------
    effects, variances
        One per tier, at least two; variances above 0.

    Returns
    -------
    float
        The tau squared at which the weighted squares around the weighted mean add up to their expectation, the number
        of tiers less one; 0 where they are smaller even at 0.

    Notes
    -----
    Paule and Mandel (1982), "Consensus values and weighting factors", J. Res. NBS 87; the step is Newton's of
    DerSimonian and Kacker (2007), equation 8.

    Examples
    --------
    >>> round(paule_mandel([0.1, 0.5, 0.9], [0.01, 0.01, 0.01]), 3)
    0.15
    """
    d, v = np.asarray(effects, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    tau2 = 0.0
    for _ in range(_ROUNDS):
        w = 1 / (v + tau2)
        squares = (d - w @ d / w.sum()) ** 2
        excess = w @ squares - (len(d) - 1)
        if excess <= 0:  # the sum falls and is convex in tau2: from below, Newton never steps past the root
            break
        step = excess / (w**2 @ squares)
        tau2 += step
        if step <= _CLOSE * tau2:
            break
    return float(tau2)


def shrink(
    effects: ArrayLike, variances: ArrayLike, overall: float, overall_variance: float, *, alpha: float = 0.05
) -> Shrunken:
    """Draw the effects of tiers toward the overall effect.

    Parameters
    ----------
    effects, variances
        One per tier; tiers with a missing effect or no variance stay missing.
    overall, overall_variance
        What they are drawn toward.
    alpha
        The intervals cover with 1 - ``alpha``.

    Returns
    -------
    Shrunken
        All missing where fewer than three tiers can be estimated.

    Notes
    -----
    Normal-normal model (Efron and Morris 1975, "Data analysis using Stein's estimator", J. Am. Stat. Assoc. 70):
    ``(1 - B) effect + B overall`` with ``B = v / (v + tau2)``, variance ``(1 - B) v + B^2 overall_variance``, and the
    tau2 of `paule_mandel` taken as known: with a handful of tiers the intervals are too short rather than too long.

    Examples
    --------
    >>> shrink([0.1, 0.5, 0.9], [0.01, 0.01, 0.01], 0.5, 0.003).value.round(3).tolist()
    [0.125, 0.5, 0.875]
    """
    d, v = np.asarray(effects, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    missing = np.full(len(d), np.nan)
    there = np.isfinite(d) & (v > 0)
    if there.sum() < FEWEST or not np.isfinite(overall):
        return Shrunken(missing, missing, missing, np.nan)
    tau2 = paule_mandel(d[there], v[there])
    pull = np.where(there, v / (v + tau2), np.nan)
    value = (1 - pull) * d + pull * overall
    half = -ndtri(alpha / 2) * np.sqrt((1 - pull) * v + pull**2 * overall_variance)
    return Shrunken(value, value - half, value + half, tau2)
