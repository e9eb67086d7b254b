"""How fast `Clusters` is beside scikit-learn's own `KMeans`: ``python -m bench.clusters [--customers 1000000]``.

The same customers (five columns), the same k, the same number of starts. Ours takes a snapshot in natural units and
prepares it: "fit alone" is preparation, starts and final fit; "everything" is `Clusters.fit`, with criteria, reference
clouds, stability on 20 subsamples and rules. scikit-learn gets rows that are prepared already.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

import toolkit as tk
from bench.harness import peak_mb, race_here, ratio, say, table, wanted
from toolkit.segments import cluster_models
from toolkit.segments.cluster_features import DEFAULT_FEATURES, buyers_of, learn

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIVE = list(DEFAULT_FEATURES[:5])


def customers(n: int, kind: str, seed: int = 7) -> pd.DataFrame:
    """Make buyers: one smooth cloud, or eight groups of them."""
    rng = np.random.default_rng(seed)
    group = rng.integers(8, size=n) if kind == "groups" else np.zeros(n, dtype=np.int64)
    center = rng.normal(0, 3, (8, 5)) if kind == "groups" else np.zeros((8, 5))
    rows = center[group] + rng.standard_normal((n, 5))
    rows[:, 2] += 0.7 * rows[:, 1]
    frame = {
        "recency_days": 400 + 40 * rows[:, 0],
        "window_order_days": np.maximum(1, np.round(np.exp(2 + 0.3 * rows[:, 1]))).astype("int64"),
        "window_spend": np.exp(6 + 0.5 * rows[:, 2]),
        "mean_order_value": np.exp(4 + 0.4 * rows[:, 3]),
        "tenure_days": 800 + 80 * rows[:, 4],
        "order_count": np.ones(n, dtype=np.int64),
    }
    return pd.DataFrame(frame, index=pd.RangeIndex(n, name="customer_id"))


def prepared(snap: pd.DataFrame) -> NDArray[np.float64]:
    """Return the rows on which both work, in sorted order."""
    buyers = buyers_of(snap)
    rows = learn(snap, FIVE, buyers).apply(snap, buyers)
    return rows[np.lexsort(rows.T[::-1])]


def fit_alone(snap: pd.DataFrame, k: int, starts: int) -> float:
    """Prepare and fit; return the inertia."""
    with cluster_models.one_thread():
        return cluster_models.fit(prepared(snap), k, 7, method="kmeans", starts=starts).inertia


def contest(kind: str, n: int, k: int, starts: int, rounds: int) -> None:
    """Race on one kind of customers and print medians and ratios."""
    snap = customers(n, kind)
    rows = prepared(snap)
    seeds = iter(range(rounds))
    runs = race_here(
        {
            "scikit-learn": lambda: KMeans(k, n_init=starts, random_state=next(seeds)).fit(rows).inertia_,
            "fit alone": lambda: fit_alone(snap, k, starts),
            "everything": lambda: tk.Clusters(k=k, n_init=starts).fit(snap),
        },
        rounds,
    )
    say(f"{kind}: {n:,} customers x 5, k = {k}, {starts} starts; peak so far {peak_mb():,.0f} MB")
    table(runs, "fit alone", ["seconds"])
    wanted("fit alone / scikit-learn", ratio(runs, "fit alone", "scikit-learn"), most=1.3)
    wanted("everything / scikit-learn", ratio(runs, "everything", "scikit-learn"), most=5)
    pairs = zip(runs["fit alone"], runs["scikit-learn"], strict=True)
    wanted("inertia beside theirs, at worst", max(a["result"] / b["result"] - 1 for a, b in pairs), most=1e-4)


def main() -> None:
    """Race on groups and on one cloud."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--starts", type=int, default=20)
    options = parser.parse_args()
    for kind in ("groups", "cloud"):
        contest(kind, options.customers, options.k, options.starts, options.rounds)


if __name__ == "__main__":
    main()
