"""How fast `Clusters` is beside scikit-learn's own `KMeans`: ``python bench/clusters.py [--customers 1000000]``.

The same customers (five columns), the same k, the same number of starts. Ours takes a snapshot in natural units and
prepares it: "fit alone" is preparation, starts and final fit; "everything" is `Clusters.fit`, with criteria, reference
clouds, stability on 20 subsamples and rules. scikit-learn gets rows that are prepared already. Rounds alternate.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from toolkit.segments import cluster_models
from toolkit.segments.cluster_features import DEFAULT_FEATURES, buyers_of, learn
from toolkit.segments.clusters import Clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIVE = list(DEFAULT_FEATURES[:5])
WANTED = {"fit alone": 1.3, "everything": 5.0}


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def customers(n: int, kind: str, seed: int = 7) -> pd.DataFrame:
    """Make buyers: one smooth cloud, or eight groups of them."""
    rng = np.random.default_rng(seed)
    group = rng.integers(8, size=n) if kind == "groups" else np.zeros(n, dtype=np.int64)
    middle = rng.normal(0, 3, (8, 5)) if kind == "groups" else np.zeros((8, 5))
    rows = middle[group] + rng.standard_normal((n, 5))
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


def timed(work: Any) -> tuple[float, Any]:
    """Return seconds and result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def ours(snap: pd.DataFrame, k: int, starts: int) -> float:
    """Prepare and fit; return the inertia."""
    with cluster_models.one_thread():
        return cluster_models.fit(prepared(snap), k, 7, method="kmeans", starts=starts).inertia


def main() -> None:
    """Run the rounds and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--starts", type=int, default=20)
    options = parser.parse_args()
    k, starts = options.k, options.starts
    for kind in ("groups", "cloud"):
        snap = customers(options.customers, kind)
        rows = prepared(snap)
        seconds: dict[str, list[float]] = {"scikit-learn": [], "fit alone": [], "everything": []}
        worse = []
        for number in range(options.rounds):
            took, peer = timed(partial(KMeans(k, n_init=starts, random_state=number).fit, rows))
            seconds["scikit-learn"].append(took)
            took, inertia = timed(partial(ours, snap, k, starts))
            seconds["fit alone"].append(took)
            seconds["everything"].append(timed(partial(Clusters(k=k, n_init=starts).fit, snap))[0])
            worse.append(inertia / peer.inertia_ - 1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(f"{kind}: {options.customers:,} customers x 5, k = {k}, {starts} starts; peak memory so far {peak:,.0f} MB")
        for name, spent in seconds.items():
            ratio = median(one / other for one, other in zip(spent, seconds["scikit-learn"], strict=True))
            verdict = "reached" if ratio <= WANTED.get(name, np.inf) else "MISSED"
            wanted = f"wanted {WANTED[name]}: {verdict}" if name in WANTED else ""
            say(f"  {name:<14}{median(spent):>9.2f} s{ratio:>8.2f} x  {wanted}")
        say(f"  inertia against scikit-learn: {max(worse):+.5%} at worst; wanted +0.01%")


if __name__ == "__main__":
    main()
