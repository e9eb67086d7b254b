"""What every gate shares: how many runs, within which counts a rate holds, and how units are made.

2,000 runs in ``make test``, 10,000 by ``make simulate``; run i uses seed i, and no seed is ever changed. A gate is the
99.9 % band of a binomial count: of a thousand right tools one fails it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from toolkit import evaluate_units

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from toolkit.strategy.evaluation import Evaluation

    Floats = NDArray[np.float64]

RUNS = int(os.environ.get("SIMULATION_RUNS", "200"))
DRAWS = 400
"""Arms dealt anew per test: the test is exact for any number of draws, only its power grows with them."""
OUTSIDE = 0.001
WIDE = float(stats.norm.isf(OUTSIDE / 2))
"""Standard errors within which a mean over the runs has to be."""


def band(rate: float, runs: int = RUNS) -> tuple[int, int]:
    """Return the fewest and the most of ``runs`` that are within the 99.9 % band of a rate."""
    counts = stats.binom(runs, rate)
    return int(counts.ppf(OUTSIDE / 2)), int(counts.isf(OUTSIDE / 2))


def holds(happened: Any, rate: float, what: object = "", *, side: str = "both") -> None:
    """Assert that something happened as often as it should: within the band, ``at most`` or ``at least``."""
    seen = np.asarray(happened, dtype=np.bool_)
    count, (low, high) = int(seen.sum()), band(rate, len(seen))
    said = f"{what}: {count} of {len(seen)} = {count / len(seen):.4f}, band of {rate:g}: {low} to {high}"
    assert side == "at most" or count >= low, said
    assert side == "at least" or count <= high, said


def unbiased(errors: Any, what: object = "") -> None:
    """Assert that the mean of errors over the runs is 0 within 3.29 of its standard errors."""
    seen = np.asarray(errors, dtype=np.float64)
    z = seen.mean() / (seen.std(ddof=1) / np.sqrt(len(seen)))
    assert abs(z) < WIDE, f"{what}: mean error {seen.mean():.5g} is {z:.2f} standard errors from 0"


def dealt(rng: np.random.Generator, sizes: Mapping[str, int], treated: Mapping[str, int]) -> pd.DataFrame:
    """Make units of tiers of given sizes, given numbers of them treated, in random order within the tier."""
    tier = np.repeat(list(sizes), list(sizes.values()))
    arm = [rng.permutation(np.arange(n) < treated[name]) for name, n in sizes.items()]
    return pd.DataFrame({"tier": tier, "arm": np.where(np.concatenate(arm), "coupon", "none")})


def looked(units: pd.DataFrame, metrics: Mapping[str, Any], seed: int, **options: Any) -> Evaluation:
    """Evaluate by tier, with few draws; effects stand whatever the sample ratio, which has gates of its own."""
    plan: dict[str, Any] = {"tier": "tier", "draws": DRAWS, "despite": ("sample_ratio",)} | options
    return evaluate_units(units, arm="arm", control="none", metrics=metrics, seed=seed, **plan)


def kept(found: Evaluation, columns: list[str]) -> pd.DataFrame:
    """Return the wanted columns of the rows overall and by tier, the overall ones under the tier ``all``."""
    whole = found.overall[["metric", *columns]].assign(tier="all")
    return pd.concat([whole, found.tiers[["metric", "tier", *columns]]], ignore_index=True)


def of(runs: pd.DataFrame, metric: str, tier: str = "all") -> pd.DataFrame:
    """Return the rows of a metric in a tier, one per run."""
    return runs[(runs["metric"] == metric) & (runs["tier"] == tier)]


def simulated(one: Callable[[int], pd.DataFrame], runs: int = RUNS) -> pd.DataFrame:
    """Run seeds 0 to ``runs`` - 1 and put what they give below each other, with a column ``run``."""
    return pd.concat([one(seed).assign(run=seed) for seed in range(runs)], ignore_index=True)


def spend(rng: np.random.Generator, n: int) -> Floats:
    """Return the spend of units of which a twentieth buys."""
    return np.where(rng.random(n) < 0.05, rng.lognormal(3, 1, n), 0.0)
