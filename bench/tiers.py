"""How fast scores and tiers are beside ``pandas.qcut``: ``python bench/tiers.py [--rounds 5]``.

A made-up snapshot of a million customers with every column that the default rules compare. In every round, in turn:
three ``pandas.qcut`` in five, the three scores and eight types, and all of it with every rule scheme. Extra memory is
measured in a fresh process, on Linux: ``python bench/tiers.py --customers 10000000 --memory``.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit.segments.rfm import RFM
from toolkit.segments.tiers import Tiers

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED_FASTER = 5
"""How many times faster than three ``qcut`` the scores must be."""
WANTED_COST = 4
"""How many times three ``qcut`` everything together may take."""
WANTED_MEMORY = 2 * 1024**3


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def texts(rng: np.random.Generator, size: int, *, shares: dict[str | None, float]) -> Any:
    """Draw a column of text."""
    codes = rng.choice(len(shares), size, p=list(shares.values())).astype(np.int32)
    return pd.array(pa.array(list(shares), pa.string()).take(pa.array(codes)), dtype="string[pyarrow]")


def made_up(size: int) -> pd.DataFrame:
    """Make a snapshot: four fifths are buyers, measures are missing as they are in real ones."""
    rng = np.random.default_rng(7)
    buyer = rng.random(size) < 0.8
    days = np.where(buyer, rng.poisson(2, size), 0)

    def where(there: Any, values: Any) -> Any:
        return np.where(there, values, np.nan)

    columns = {
        "order_count": np.where(buyer, 1 + rng.poisson(3, size), 0),
        "order_days": np.where(buyer, 1 + days, 0),
        "recency_days": where(buyer, rng.integers(0, 900, size)),
        "window_order_days": days,
        "window_spend": np.where(days > 0, rng.lognormal(4, 1, size).round(2), 0.0),
        "mean_order_value": where(buyer, rng.lognormal(4, 1, size).round(2)),
        "idle_days": rng.integers(0, 700, size).astype(float),
        "active_days": rng.poisson(20, size),
        "active_days_30d": rng.poisson(2, size),
        "interactions_30d": rng.poisson(1, size),
        "interaction_rate": where(rng.random(size) < 0.7, rng.random(size)),
        "followers": where(rng.random(size) < 0.6, rng.lognormal(4, 2, size).round()),
        "offers": rng.poisson(1, size),
        "lines": 2 * days,
        "high_band_share": where(days > 0, rng.integers(0, 5, size) / 4),
        "low_band_share": where(days > 0, rng.integers(0, 5, size) / 4),
        "discount_share": where(days > 0, rng.random(size).round(2)),
        "last_nps": where(rng.random(size) < 0.3, rng.integers(0, 11, size)),
        "days_since_nps": where(rng.random(size) < 0.3, rng.integers(0, 500, size)),
        "main_price_band": texts(rng, size, shares={"low": 0.3, "mid": 0.3, "high": 0.2, None: 0.2}),
        "top_layer": texts(rng, size, shares={"lead_in": 0.3, "entry": 0.3, "premium": 0.2, None: 0.2}),
        "override": texts(rng, size, shares={"stage=loss": 0.001, "payment_tier=high; stage=loss": 0.001, None: 0.998}),
    }
    ids = pd.array(pa.array(np.arange(10**9, 10**9 + size)).cast(pa.string()), dtype="string[pyarrow]")
    return pd.DataFrame(columns, index=pd.Index(ids, name="customer_id"))


def three_qcuts(snap: pd.DataFrame) -> None:
    """Cut the three measures in five with pandas."""
    for column in ("recency_days", "window_order_days", "window_spend"):
        pd.qcut(snap[column], 5, duplicates="drop")


def scores(snap: pd.DataFrame) -> pd.DataFrame:
    """Learn and give the three scores and the eight types."""
    return RFM().fit(snap).transform(snap)


def everything(snap: pd.DataFrame) -> pd.DataFrame:
    """Learn and give scores, types and every rule scheme."""
    return Tiers().fit(snap).transform(snap)


def seconds(work: Callable[[pd.DataFrame], object], snap: pd.DataFrame) -> float:
    """Time one piece of work."""
    start = time.perf_counter()
    work(snap)
    return time.perf_counter() - start


def verdict(*, reached: bool) -> str:
    """Say whether a figure is what was wanted."""
    return "reached" if reached else "MISSED"


def held(kind: str) -> int:
    """Return bytes of this process from Linux: ``VmRSS`` (now) or ``VmHWM`` (at the peak since it was cleared)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(kind))


def measure_memory(customers: int) -> None:
    """Print by how much the peak of this process rises while everything is computed."""
    snap = made_up(customers)
    everything(snap.iloc[:1000])
    gc.collect()
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = held("VmRSS")
    tiered = everything(snap)
    extra = held("VmHWM") - before
    frame = snap.memory_usage(deep=False).sum()
    say(f"{customers:,} customers, a snapshot of {frame / 1024**3:.2f} GiB and {len(tiered.columns)} columns after it:")
    say(f"extra memory at the peak {extra / 1024**3:.2f} GiB, wanted under 2: {verdict(reached=extra < WANTED_MEMORY)}")


def main() -> None:
    """Run the rounds and print medians and ratios, or the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--memory", action="store_true", help="measure memory in this process instead of time")
    options = parser.parse_args()
    if options.memory:
        measure_memory(options.customers)
        return
    snap = made_up(options.customers)
    works = {"three qcut": three_qcuts, "scores": scores, "everything": everything}
    for work in works.values():
        work(snap.iloc[:1000])
    rounds = [{name: seconds(work, snap) for name, work in works.items()} for _ in range(options.rounds)]
    for name in works:
        say(f"{name:<12}{1000 * median(one[name] for one in rounds):>9.1f} ms")
    faster = median(one["three qcut"] / one["scores"] for one in rounds)
    cost = median(one["everything"] / one["three qcut"] for one in rounds)
    say(f"scores: {faster:.2f} times faster, wanted {WANTED_FASTER}: {verdict(reached=faster >= WANTED_FASTER)}")
    say(f"everything: {cost:.2f} times three qcut, wanted {WANTED_COST}: {verdict(reached=cost <= WANTED_COST)}")
    subprocess.run([sys.executable, __file__, "--customers", str(options.customers), "--memory"], check=True)


if __name__ == "__main__":
    main()
