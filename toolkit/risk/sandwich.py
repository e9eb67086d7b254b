"""Cluster-robust covariance: one customer gives several episodes, and they are not independent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def sandwich(residuals: Floats, bread: Floats, clusters: Ints) -> Floats:
    """Return the covariance of estimates from what each row adds to their slope.

    Parameters
    ----------
    residuals
        Score residuals, weights included, shape (n, parameters).
    bread
        Inverse of the information, shape (parameters, parameters).
    clusters
        Number of each row's customer, from 0.

    Returns
    -------
    array, shape (parameters, parameters)

    Notes
    -----
    ``bread (sum over customers of s s') bread`` with s the sum of a customer's residuals (Lin and Wei 1989), without a
    factor for small samples, as R's ``coxph(cluster=)`` and lifelines.

    Examples
    --------
    >>> sandwich(np.array([[1.0], [1.0], [-2.0]]), np.array([[0.5]]), np.array([0, 0, 1]))
    array([[2.]])
    """
    summed = by_cluster(residuals, clusters)
    found: Floats = bread @ (summed.T @ summed) @ bread
    return found


def by_cluster(residuals: Floats, clusters: Ints) -> Floats:
    """Sum the rows of each cluster: shape (clusters, parameters)."""
    size = int(clusters.max(initial=-1)) + 1
    found = np.empty((size, residuals.shape[1]), order="F")
    for place, column in enumerate(residuals.T):
        found[:, place] = np.bincount(clusters, column, minlength=size)
    return found
