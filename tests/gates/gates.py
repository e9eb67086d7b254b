"""What every gate shares: how many runs, within which counts a rate holds, and how units are made.

Run i uses seed i, and no seed is ever changed. A gate is the 99.9 % band of a binomial count: of a thousand right tools
one fails it. The 200 runs of ``make test`` see a test that errs in 11 % of cases instead of 5 %, the 2,000 of
``make gates`` one of 7 %; ``make simulate`` makes 10,000.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import toolkit as tk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Columns = dict[str, NDArray[Any]]
RUNS = int(os.environ.get("SIMULATION_RUNS", "200"))
DRAWS = 400
"""Arms dealt anew per test: the test is exact for any number of draws, only its power grows with them."""
OUTSIDE = 0.001
WIDE = float(stats.norm.isf(OUTSIDE / 2))
"""Standard errors within which a mean over the runs has to be."""


def off(happened: Any, rate: float, what: object = "", *, side: str = "both") -> list[str]:
    """Say what is wrong unless something happened as often as it should: within the band, ``at most``, ``at least``."""
    seen = np.asarray(happened, dtype=np.bool_)
    counts = stats.binom(len(seen), rate)
    count, low, high = int(seen.sum()), int(counts.ppf(OUTSIDE / 2)), int(counts.isf(OUTSIDE / 2))
    if (side == "at most" or count >= low) and (side == "at least" or count <= high):
        return []
    return [f"{what}: {count} of {len(seen)} = {count / len(seen):.4f}, band of {rate:g}: {low} to {high}"]


def biased(errors: Any, what: object = "") -> list[str]:
    """Say what is wrong unless the mean of errors over the runs is 0 within 3.29 of its standard errors."""
    seen = np.asarray(errors, dtype=np.float64)
    z = seen.mean() / (seen.std(ddof=1) / np.sqrt(len(seen)))
    return [] if abs(z) < WIDE else [f"{what}: mean error {seen.mean():.5g} is {z:.2f} standard errors from 0"]


def passed(*faults: Iterable[str]) -> None:
    """Assert that nothing was said to be wrong, or show all of it."""
    found = [fault for each in faults for fault in each]
    assert not found, "\n".join(found)


def dealt(rng: np.random.Generator, sizes: Mapping[str, int], treated: Mapping[str, int]) -> pd.DataFrame:
    """Make units of tiers of given sizes, given numbers of them treated, in random order within the tier."""
    tier = np.repeat(list(sizes), list(sizes.values()))
    arm = [rng.permutation(np.arange(n) < treated[name]) for name, n in sizes.items()]
    return pd.DataFrame({"tier": tier, "arm": np.where(np.concatenate(arm), "coupon", "none")})


def evaluated(units: pd.DataFrame, metrics: Mapping[str, Any], seed: int, **options: Any) -> Any:
    """Evaluate by tier, with few draws; effects stand whatever the sample ratio, which has gates of its own."""
    plan: dict[str, Any] = {"tier": "tier", "draws": DRAWS, "despite": ("sample_ratio",)} | options
    return tk.evaluate_units(units, arm="arm", control="none", metrics=metrics, seed=seed, **plan)


def effects(units: pd.DataFrame, metrics: Mapping[str, Any], seed: int, wanted: list[str], **options: Any) -> Columns:
    """Evaluate, and return the wanted columns overall and by tier, the overall rows under the tier ``all``."""
    found = evaluated(units, metrics, seed, **options)
    tables = [found.overall.assign(tier="all"), found.tiers]
    return {name: np.concatenate([table[name].to_numpy() for table in tables]) for name in ("metric", "tier", *wanted)}


def of(runs: pd.DataFrame, metric: str, tier: str = "all") -> pd.DataFrame:
    """Return the rows of a metric in a tier, one per run."""
    return runs[(runs["metric"] == metric) & (runs["tier"] == tier)]


def simulated(one: Callable[[int], Columns]) -> pd.DataFrame:
    """Run all seeds and put what they give below each other, with a column ``run``."""
    found = [one(seed) for seed in range(RUNS)]
    columns = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    return pd.DataFrame(columns | {"run": np.repeat(np.arange(RUNS), [len(each["metric"]) for each in found])})


def naive(values: Any, treated: Any, *, pooled: bool = False) -> bool:
    """Say whether somebody who looks no further finds a difference, with the spread of each arm or one for both."""
    mine, y = np.asarray(treated, dtype=np.bool_), np.asarray(values, dtype=np.float64)
    arms = y[mine], y[~mine]
    variance, n = (np.array([how(arm) for arm in arms]) for how in (lambda arm: arm.var(ddof=1), len))
    if pooled:
        variance[:] = (n - 1) @ variance / (n.sum() - 2)
    return bool(abs(arms[0].mean() - arms[1].mean()) > 1.96 * np.sqrt((variance / n).sum()))
