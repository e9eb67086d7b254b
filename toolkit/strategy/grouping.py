"""How much less is known where whole groups are assigned, because their members are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def icc(values: ArrayLike, groups: ArrayLike) -> float:
    """Return the intraclass correlation by one-way analysis of variance.

    Parameters
    ----------
    values
        Outcome of each member, shape (n,).
    groups
        Its group, as a whole number, shape (n,).

    Returns
    -------
    float
        At most 1; negative where members differ more than strangers; missing where there are fewer than two groups, no
        group of two, or nothing varies.

    Notes
    -----
    Donner and Klar (2000), "Design and analysis of cluster randomization trials in health research", section 6.2.

    Examples
    --------
    >>> round(icc([1.0, 2.0, 5.0, 6.0], [0, 0, 1, 1]), 4)
    0.9394
    """
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    y = np.asarray(values, dtype=np.float64)
    size = np.bincount(place).astype(np.float64)
    n, k = size.sum(), len(size)
    if k < 2 or n <= k:
        return float("nan")
    mean = np.bincount(place, weights=y) / size
    between = (size * (mean - y.mean()) ** 2).sum() / (k - 1)
    within = ((y - mean[place]) ** 2).sum() / (n - k)
    usual = (n - (size**2).sum() / n) / (k - 1)
    total = between + (usual - 1) * within
    return float((between - within) / total) if total > 0 else float("nan")


def design_effect(correlation: float, sizes: ArrayLike) -> float:
    """Return by how much groups of these sizes multiply the variance of a mean.

    Parameters
    ----------
    correlation
        Intraclass correlation; below 0 and missing count as 0.
    sizes
        Members of each group, above 0.

    Notes
    -----
    Eldridge, Ashby and Kerry (2006), "Sample size for cluster randomized trials: effect of coefficient of variation of
    cluster size and analysis method", Int. J. Epidemiology 35: ``1 + ((1 + cv**2) * mean size - 1) * icc``.

    Examples
    --------
    >>> round(design_effect(0.05, [10, 10, 10]), 4), round(design_effect(0.05, [5, 15]), 4)
    (1.45, 1.575)
    """
    size: NDArray[np.float64] = np.asarray(sizes, dtype=np.float64)
    if not len(size) or not correlation > 0:
        return 1.0
    cv2 = size.var() / size.mean() ** 2
    return float(1 + ((1 + cv2) * size.mean() - 1) * correlation)
