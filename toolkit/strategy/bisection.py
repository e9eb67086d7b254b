"""Where a rising function reaches a value, for whole arrays at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_HALVINGS = 200
_PRECISE = 1e-12


def smallest(
    rising: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    target: float,
    upper: ArrayLike,
    *,
    lower: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return where a rising function reaches a target, by halving; missing where it does not do so by ``upper``.

    Parameters
    ----------
    rising
        Takes and returns arrays of the shape of ``upper``.
    target
        The value to be reached.
    upper, lower
        Where to look; ``lower`` itself where the function is there already.

    Examples
    --------
    >>> smallest(lambda x: x**2, 2.0, np.array([1.0, 9.0])).round(4).tolist()
    [nan, 1.4142]
    """
    low, high = np.broadcast_arrays(np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64))
    found = rising(high) >= target
    high = np.where(rising(low) >= target, low, high)
    for _ in range(_HALVINGS):
        if not np.any((high - low > _PRECISE * np.abs(high))[found]):
            break
        middle = (low + high) / 2
        there = rising(middle) >= target
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return np.where(found, high, np.nan)
