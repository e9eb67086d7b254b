"""Intervals of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Z = 1.959963984540054
"""Quantile of the normal distribution of a two-sided 95 % interval."""


def wilson(hits: ArrayLike, of: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % Wilson score interval of each share ``hits / of``.

    Parameters
    ----------
    hits, of
        Counts, of one shape, 0 <= ``hits`` <= ``of``.

    Returns
    -------
    lower, upper : array
        Shares in [0, 1]; missing where ``of`` is 0.

    Notes
    -----
    Wilson (1927), "Probable inference, the law of succession, and statistical inference", J. Am. Stat. Assoc. 22.

    Examples
    --------
    >>> lower, upper = wilson([0, 5], [10, 10])
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([0.0, 0.237], [0.278, 0.763])
    """
    n = np.asarray(of, dtype=np.float64)
    n = np.where(n > 0, n, np.nan)
    return share_interval(np.asarray(hits, dtype=np.float64) / n, n)


def share_interval(
    share: ArrayLike, rows: ArrayLike, *, z: float = Z
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the same of shares that are known as well as by so many independent rows.

    Parameters
    ----------
    share
        Shares in [0, 1].
    rows
        Independent rows behind each, of the same shape; need not be whole: rows over the design effect.
    z
        Quantile of the normal distribution; that of 95 % by default.

    Returns
    -------
    lower, upper : array
        In [0, 1]; missing where there are no rows.

    Notes
    -----
    The effective sample size is that of Kish (1965), "Survey Sampling".

    Examples
    --------
    >>> lower, upper = share_interval(0.5, 4.5)
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    (0.161, 0.839)
    """
    n = np.asarray(rows, dtype=np.float64)
    n = np.where(n > 0, n, np.nan)
    mean = np.asarray(share, dtype=np.float64)
    middle = mean + z**2 / (2 * n)
    half = z * np.sqrt(mean * (1 - mean) / n + (z / (2 * n)) ** 2)
    whole = 1 + z**2 / n
    return np.clip((middle - half) / whole, 0.0, mean), np.clip((middle + half) / whole, mean, 1.0)


def difference_interval(shares: tuple[float, float], rows: tuple[float, float], *, z: float = Z) -> tuple[float, float]:
    """Return the interval of the first share less the second, of independent samples; few or no hits do no harm.

    Parameters
    ----------
    shares, rows
        As in `share_interval`, one of each sample.
    z
        Quantile of the normal distribution; that of 95 % by default.

    Returns
    -------
    lower, upper : float
        In [-1, 1].

    Notes
    -----
    Newcombe (1998), "Interval estimation for the difference between independent proportions", Stat. Med. 17,
    method 10.

    Examples
    --------
    >>> [round(end, 4) for end in difference_interval((56 / 70, 48 / 80), (70, 80))]
    [0.0524, 0.3339]
    """
    one, other = shares
    lower, upper = share_interval(shares, rows, z=z)
    apart = one - other
    below, above = np.hypot(one - lower[0], upper[1] - other), np.hypot(upper[0] - one, other - lower[1])
    return float(apart - below), float(apart + above)
