"""Names that hold still: clusters in the order of their value, or under the names they had before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from toolkit.errors import ArgumentError
from toolkit.segments.summary import TOTAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CLUSTER = "cluster"


@dataclass(frozen=True, repr=False, eq=False)
class Agreement:
    """Clusters against the classes of a scheme; see `toolkit.segments.clusters.Clusters.agreement`.

    Attributes
    ----------
    by
        Column of the scheme.
    table
        Customers by class (rows) and cluster (columns), ``total`` last in both.
    ari, ami
        Adjusted Rand index and adjusted mutual information: 1 where both say the same, around 0 where one tells
        nothing about the other.
    """

    by: str
    table: pd.DataFrame
    ari: float
    ami: float

    def __repr__(self) -> str:
        return f"clusters and {self.by}: ARI {self.ari:.2f}, AMI {self.ami:.2f}\n{self.table.to_string()}"

    def _repr_html_(self) -> str:
        table = self.table.to_html(border=0)
        return f"<p>clusters and {self.by}: ARI {self.ari:.2f}, AMI {self.ami:.2f}</p>{table}"


def by_value(labels: Ints, k: int, values: list[Floats]) -> Ints:
    """Return the clusters' numbers by falling mean of the first value, ties by the next ones.

    Examples
    --------
    >>> by_value(np.array([0, 0, 1]), 2, [np.array([1.0, 2.0, 9.0])]).tolist()
    [1, 0]
    """
    counts = np.maximum(np.bincount(labels, minlength=k), 1)
    means = [np.bincount(labels, column, minlength=k) / counts for column in values]
    return np.lexsort([-mean for mean in reversed(means)]).astype(np.int64)


def matched(labels: Ints, k: int, before: Ints, k_before: int, order: Ints) -> Ints:
    """Return the clusters' numbers so that as many customers as possible keep the number they had.

    Parameters
    ----------
    labels
        Today's clusters of the customers, 0 to k - 1.
    k, k_before
        How many clusters there are and were.
    before
        Numbers that the earlier clusters give the same customers, from 0.
    order
        Today's clusters by value; in this order those without a predecessor take the free places.

    Returns
    -------
    array
        At place ``i`` the cluster of today that is called ``i + 1``.

    Notes
    -----
    The assignment with the largest overlap (Kuhn 1955, "The Hungarian method").

    Examples
    --------
    >>> matched(np.array([0, 0, 1, 2]), 3, np.array([1, 1, 0, 0]), 2, np.array([2, 1, 0])).tolist()
    [2, 0, 1]
    """
    rank = np.empty(k, dtype=np.int64)
    rank[order] = np.arange(k)
    shared = np.zeros((k, k_before))
    np.add.at(shared, (rank[labels], before), 1)
    rows, places = linear_sum_assignment(shared, maximize=True)
    kept = {int(place): int(order[row]) for row, place in zip(rows, places, strict=True) if place < k}
    free = iter([int(cluster) for cluster in order if int(cluster) not in kept.values()])
    return np.array([kept[place] if place in kept else next(free) for place in range(k)], dtype=np.int64)


def agreement(labels: pd.Series[Any], frame: pd.DataFrame, by: str) -> Agreement:
    """Cross the clusters of customers with the classes that another frame gives the same customers.

    Raises
    ------
    ArgumentError
        The frame has no such column, or none of the customers.
    """
    if by not in frame.columns:
        hint = "tk.RFM().fit(snap).transform(snap)"
        raise ArgumentError("missing-column", f"the frame has no {by}", hint=hint)
    known = labels.dropna()
    classes = frame[by].reindex(known.index).dropna()
    if classes.empty:
        what = f"no customer with a cluster has a {by}"
        raise ArgumentError("nobody-shared", what, hint="frames of the same study and day")
    order = list(classes.cat.categories) if isinstance(classes.dtype, pd.CategoricalDtype) else sorted(set(classes))
    names, numbers = classes.astype(object), known[classes.index].astype(object)
    table = pd.crosstab(names, numbers, margins=True, margins_name=TOTAL)
    rows = [name for name in order if name in table.index]
    columns = [name for name in known.cat.categories if name in table.columns]
    table = table.reindex(index=[*rows, TOTAL], columns=[*columns, TOTAL]).rename_axis(index=by, columns=CLUSTER)
    return Agreement(by, table, adjusted_rand_score(names, numbers), adjusted_mutual_info_score(names, numbers))
