"""How many clusters: several criteria side by side, one rule, and whether there are any at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from toolkit.segments import cluster_models
from toolkit.segments.cluster_reference import Reference
from toolkit.segments.cluster_stability import distinct, stability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.segments.cluster_models import Method

    Floats = NDArray[np.float64]

RANGE = range(2, 11)
SMALLEST_SHARE = 0.01
STABLE = 0.8
CLEARLY = 3.0
"""Standard deviations by which clusters must be better separated than those of a cloud without groups."""
_CHOICE_ROWS, _SILHOUETTE_ROWS, _REFERENCE_ROWS = 10_000, 2_000, 1_000
_CLOUDS, _CLOUD_STARTS, _DRAWS, _STARTS = 20, 2, 10, 8


@dataclass(frozen=True)
class Choice:
    """Criteria of each number of clusters, and what follows.

    Attributes
    ----------
    table
        Index ``k``; see `choose`.
    best
        The number that the rule takes.
    surplus
        Largest ``separation`` less that of the reference.
    deviations
        The same in standard deviations of what clouds without groups reach.
    """

    table: pd.DataFrame
    best: int
    surplus: float
    deviations: float

    @property
    def structured(self) -> bool:
        """Whether clusters are clearly better separated than those of a cloud without groups."""
        return self.deviations > CLEARLY


def choose(rows: Floats, seed: int, *, method: Method, sizes: Sequence[int]) -> Choice:
    """Compute all criteria for each number of clusters, and apply the rule.

    Parameters
    ----------
    rows
        Customers x features, prepared, in an order that depends on their values only.
    seed
        Seed of samples, starts and reference clouds.
    method
        How clusters are fitted.
    sizes
        Numbers of clusters to look at, each at least 2 and at most the number of distinct rows.

    Returns
    -------
    Choice
        Its table has ``inertia`` (per row), ``silhouette`` (high is good), ``calinski_harabasz`` (high),
        ``davies_bouldin`` (low), ``gap`` and ``gap_error``, ``separation`` and ``separation_reference``, ``stability``
        (mean ARI of halves), ``smallest_share``, ``bic`` (mixture only, low), and ``votes``.

    Notes
    -----
    **Rule.** A number is admissible when its smallest cluster has at least 1 % and its halves agree (mean ARI of .8 or
    more; the idea of Tibshirani and Walther 2005); if none is, the one whose halves agree best is. Among the
    admissible, five criteria name one each: the highest silhouette (Rousseeuw 1987), the highest Calinski-Harabasz
    (1974), the lowest Davies-Bouldin (1979), the gap statistic (Tibshirani et al. 2001: the smallest k within one error
    of the next; for a mixture the lowest BIC), and the largest surplus of ``separation`` over the reference. Most votes
    win, then the larger surplus.

    **Structure.** ``separation`` is the mean of (b - a) / b, with a and b the distances to the nearest and the second
    nearest centre (the simplified silhouette of Hruschka et al. 2006), for k-means on at most 1,000 rows; 20 reference
    clouds (`Reference`) of as many rows give what no groups would reach. The largest surplus over all k, compared with
    the largest surplus of each cloud, must exceed 3 standard deviations. At a thousand rows this is also a size: a
    surplus under about .02 never passes.
    """
    rng = np.random.default_rng(seed)
    sample = rows if len(rows) <= _CHOICE_ROWS else rows[np.sort(rng.choice(len(rows), _CHOICE_ROWS, replace=False))]
    table = pd.DataFrame(
        {k: _criteria(sample, k, seed, method) for k in sizes if k <= distinct(sample, k)}
    ).T.rename_axis("k")
    surplus, deviations = _against_clouds(sample, table, rng)
    ahead = table["separation"] - table["separation_reference"]
    named = _votes(table, ahead)
    table["votes"] = [named.count(k) for k in table.index]
    best = max(table.index, key=lambda k: (table["votes"][k], ahead[k]))
    return Choice(table, int(best), surplus, deviations)


def _criteria(rows: Floats, k: int, seed: int, method: Method) -> dict[str, float]:
    model = cluster_models.fit(rows, k, seed, method=method, starts=_STARTS)
    labels = model.assign(rows)
    part = np.random.default_rng(seed).permutation(len(rows))[:_SILHOUETTE_ROWS]
    halves = stability(rows, labels, k, seed, method=method, draws=_DRAWS)
    whole = {"labels": labels, "X": rows}
    many = len(np.unique(labels)) > 1
    found = {
        "inertia": model.inertia / len(rows),
        "silhouette": silhouette_score(rows[part], labels[part]) if _some(labels[part]) else -1.0,
        "calinski_harabasz": calinski_harabasz_score(**whole) if many else 0.0,
        "davies_bouldin": davies_bouldin_score(**whole) if many else np.inf,
        "stability": float(halves["ari"].mean()),
        "smallest_share": float(np.bincount(labels, minlength=k).min()) / len(rows),
    }
    return found | ({"bic": float(model.mixture.bic(rows))} if model.mixture is not None else {})


def _some(labels: NDArray[np.int64]) -> bool:
    return 1 < len(np.unique(labels)) < len(labels)


def _against_clouds(sample: Floats, table: pd.DataFrame, rng: np.random.Generator) -> tuple[float, float]:
    """Add gap and separation to the table; return the largest surplus, raw and in standard deviations."""
    few = sample if len(sample) <= _REFERENCE_ROWS else sample[rng.choice(len(sample), _REFERENCE_ROWS, replace=False)]
    reference = Reference.of(few)
    sizes = [int(k) for k in table.index]
    own = _dispersion_and_separation(few, sizes, rng)
    clouds = np.stack([_dispersion_and_separation(reference.draw(len(few), rng), sizes, rng) for _ in range(_CLOUDS)])
    usual, error = clouds.mean(axis=0), clouds.std(axis=0, ddof=1) * np.sqrt(1 + 1 / _CLOUDS)
    table["gap"], table["gap_error"] = usual[:, 0] - own[:, 0], error[:, 0]
    table["separation"], table["separation_reference"] = own[:, 1], usual[:, 1]
    surplus = float((own[:, 1] - usual[:, 1]).max())
    theirs = (clouds[:, :, 1] - usual[:, 1]).max(axis=1)
    spread = float(theirs.std(ddof=1)) * np.sqrt(1 + 1 / _CLOUDS)
    return surplus, (surplus - float(theirs.mean())) / max(spread, 1e-6)


def _dispersion_and_separation(rows: Floats, sizes: Sequence[int], rng: np.random.Generator) -> Floats:
    found = []
    for k in sizes:
        fewer = min(k, distinct(rows, k))
        fitted = KMeans(fewer, n_init=_CLOUD_STARTS, random_state=int(rng.integers(2**31))).fit(rows)
        near = np.partition(fitted.transform(rows), 1, axis=1) if fewer > 1 else np.ones((len(rows), 2))
        apart = 1 - near[:, 0] / np.maximum(near[:, 1], 1e-12)
        found.append((np.log(max(fitted.inertia_ / len(rows), 1e-12)), apart.mean()))
    return np.array(found)


def _votes(table: pd.DataFrame, ahead: pd.Series[float]) -> list[int]:
    fair = table.loc[(table["smallest_share"] >= SMALLEST_SHARE) & (table["stability"] >= STABLE)]
    fair = table.loc[[table["stability"].idxmax()]] if fair.empty else fair
    return [
        int(fair["silhouette"].idxmax()),
        int(fair["calinski_harabasz"].idxmax()),
        int(fair["davies_bouldin"].idxmin()),
        int(fair["bic"].idxmin()) if "bic" in fair else _gap(fair),
        int(ahead[fair.index].idxmax()),
    ]


def _gap(table: pd.DataFrame) -> int:
    enough = table["gap"] >= (table["gap"] - table["gap_error"]).shift(-1)
    return int(enough.idxmax() if enough.any() else table["gap"].idxmax())
