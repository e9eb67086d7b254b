"""Several tests at once: Holm for contrasts that decide, Benjamini and Hochberg for those that only suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust the p-values of one family so that the chance of any false hit is at most alpha.

    Parameters
    ----------
    p_values
        Of any shape; missing ones were not tested: they stay missing and do not count.

    Returns
    -------
    array
        Adjusted p-values in [0, 1], of the same shape: below alpha where the step-down procedure rejects.

    Notes
    -----
    Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6. Holds under any
    dependence.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p, order = _ascending(p_values)
    stepped = np.maximum.accumulate(p.ravel()[order] * np.arange(len(order), 0, -1))
    return _back(p, order, stepped)


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust the p-values of one family so that at most a share alpha of the hits is expected to be false.

    Parameters
    ----------
    p_values
        Of any shape; missing ones were not tested: they stay missing and do not count.

    Returns
    -------
    array
        Adjusted p-values in [0, 1], of the same shape.

    Notes
    -----
    Benjamini and Hochberg (1995), "Controlling the false discovery rate", J. R. Stat. Soc. B 57. Holds for independent
    tests and for those that depend positively.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.04, 0.04]
    """
    p, order = _ascending(p_values)
    many = len(order)
    raised = p.ravel()[order] * many / np.arange(1, many + 1)
    return _back(p, order, np.minimum.accumulate(raised[::-1])[::-1])


def _ascending(p_values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    p = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    return p, tested[np.argsort(p.ravel()[tested], kind="stable")]


def _back(p: NDArray[np.float64], order: NDArray[np.intp], adjusted: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.full(p.size, np.nan)
    found[order] = np.minimum(adjusted, 1.0)
    return found.reshape(p.shape)
