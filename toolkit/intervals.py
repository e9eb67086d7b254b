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


def share_interval(share: ArrayLike, rows: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the same of shares that are known as well as by so many independent rows.

    Parameters
    ----------
    share
        Shares in [0, 1].
    rows
        Independent rows behind each, of the same shape; need not be whole: rows over the design effect.

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
    middle = mean + Z**2 / (2 * n)
    half = Z * np.sqrt(mean * (1 - mean) / n + (Z / (2 * n)) ** 2)
    whole = 1 + Z**2 / n
    return np.clip((middle - half) / whole, 0.0, mean), np.clip((middle + half) / whole, mean, 1.0)
