"""How fast scores and tiers are beside ``pandas.qcut``: ``python -m bench.tiers [--rounds 5]``.

A made-up snapshot of a million customers with every column that the default rules compare. In every round, in turn:
three ``pandas.qcut`` in five, the three scores and eight types, and all of it with every rule scheme. Extra memory is
measured in a fresh process, on Linux.
"""

from __future__ import annotations

import argparse
import gc
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import toolkit as tk
from bench.harness import Facts, alone, peak_mb, race_here, ratio, say, table, timed, wanted

FASTER = 5
"""How many times faster than three ``qcut`` the scores must be."""
COST = 4
"""How many times three ``qcut`` everything together may take."""
EXTRA_MB = 2_048


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
    return tk.RFM().fit(snap).transform(snap)


def everything(snap: pd.DataFrame) -> pd.DataFrame:
    """Learn and give scores, types and every rule scheme."""
    return tk.Tiers().fit(snap).transform(snap)


def memory(customers: int) -> Facts:
    """Return by how much the peak of this process rises while everything is computed."""
    snap = made_up(customers)
    everything(snap.iloc[:1000])
    gc.collect()
    pa.default_memory_pool().release_unused()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak_mb()
    seconds, _ = timed(lambda: everything(snap))
    frame = float(snap.memory_usage(deep=False).sum()) / 2**20
    return {"seconds": seconds, "extra_mb": peak_mb() - before, "frame_mb": frame}


CONTESTANTS = {"memory": memory}


def main() -> None:
    """Run the rounds and print medians, ratios and the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--customers", type=int, default=1_000_000)
    options = parser.parse_args()
    snap = made_up(options.customers)
    works = {"three qcut": three_qcuts, "scores": scores, "everything": everything}
    for work in works.values():
        work(snap.iloc[:1000])
    runs = race_here({name: partial(work, snap) for name, work in works.items()}, options.rounds)
    table(runs, "everything", ["seconds"])
    wanted("three qcut / scores", ratio(runs, "three qcut", "scores"), least=FASTER)
    wanted("everything / three qcut", ratio(runs, "everything", "three qcut"), most=COST)
    facts = alone("bench.tiers", "memory", {"customers": options.customers})
    say(f"{options.customers:,} customers, a snapshot of {facts['frame_mb']:,.0f} MB")
    wanted("extra memory at the peak, MB", facts["extra_mb"], most=EXTRA_MB)


if __name__ == "__main__":
    main()
