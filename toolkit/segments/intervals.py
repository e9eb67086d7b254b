"""Intervals of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_Z = 1.959963984540054


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
    share = np.asarray(hits, dtype=np.float64) / n
    middle = share + _Z**2 / (2 * n)
    half = _Z * np.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2)
    whole = 1 + _Z**2 / n
    return np.maximum((middle - half) / whole, 0.0), np.minimum((middle + half) / whole, 1.0)
