"""Whether the same clusters come back when half of the customers are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from toolkit.segments import cluster_models

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.segments.cluster_models import Method

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DRAWS = 20
MOST_ROWS = 20_000
_STARTS = 4


def stability(
    rows: Floats, labels: Ints, k: int, seed: int, *, method: Method, draws: int = DRAWS, most: int = MOST_ROWS
) -> pd.DataFrame:
    """Fit again on random halves, and compare with the labels that the rows have.

    Parameters
    ----------
    rows
        Customers x features, prepared.
    labels
        Their clusters, from 0 to k - 1.
    k
        Number of clusters.
    seed
        Seed of the halves.
    method
        How clusters are fitted.
    draws
        How many halves.
    most
        A half has at most so many rows.

    Returns
    -------
    DataFrame
        Index ``draw`` from 1. ``ari``: adjusted Rand index of the two labellings of the half, 1 where they are the same
        and around 0 where they agree by chance; then one column per cluster, ``"1"`` to ``"k"``: Jaccard similarity
        with the most similar cluster of the half.

    Notes
    -----
    Hennig (2007), "Cluster-wise assessment of cluster stability", with halves in place of bootstrap samples: a cluster
    under .6 should not be trusted, one of .75 or more is a pattern that comes back.

    Examples
    --------
    >>> rows = np.repeat([[0.0, 0.0], [9.0, 9.0]], 50, axis=0) + np.random.default_rng(1).random((100, 2))
    >>> found = stability(rows, np.repeat([0, 1], 50), 2, 7, method="kmeans", draws=3)
    >>> found.round(2).values.tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    rng = np.random.default_rng(seed)
    size = min(most, max(len(rows) // 2, 1))
    found = []
    for _ in range(draws):
        half = np.sort(rng.choice(len(rows), size, replace=False))
        part, own = rows[half], labels[half]
        fewer = min(k, distinct(part, k))
        again = cluster_models.fit(part, fewer, int(rng.integers(2**31)), method=method, starts=_STARTS).assign(part)
        found.append([adjusted_rand_score(own, again), *_jaccard(own, again, k)])
    columns = ["ari", *(str(cluster + 1) for cluster in range(k))]
    return pd.DataFrame(found, index=pd.RangeIndex(1, draws + 1, name="draw"), columns=columns)


def distinct(rows: Floats, enough: int) -> int:
    """Count different rows, and stop counting at ``enough`` where the first thousands have them."""
    first = len(np.unique(rows[:: max(len(rows) // 4_000, 1)], axis=0))
    return first if first >= enough else len(np.unique(rows, axis=0))


def _jaccard(own: Ints, again: Ints, k: int) -> list[float]:
    both = np.zeros((k, k))
    np.add.at(both, (own, again), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    alike = np.divide(both, either, out=np.zeros_like(both), where=either > 0).max(axis=1)
    return [float(value) for value in np.where(both.any(axis=1), alike, np.nan)]
