"""How fast `evaluate_units` is beside tea-tasting: ``python -m bench.experiment [--rounds 5]``.

Ten tiers, two arms, one Parquet file; a mean with CUPED and a proportion. tea-tasting is called once per tier on the
same file, on each of its backends; ours reads it once, and adds the weighted overall, the interaction, families,
shrinkage and the sample ratio. Every contestant reads only the columns it needs. Seconds are from imports done until
effects stand. The file has no customer ids: tea-tasting does not look for repeated ones.
"""

from __future__ import annotations

import argparse
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.harness import FOLDER, Facts, race, ratio, say, table, timed, wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENVIRONMENTS = {
    "toolkit": None,
    "tea-polars-lazy": "tea",
    "tea-polars": "tea",
    "tea-pandas": "tea",
    "tea-duckdb": "tea-duckdb",
}
FASTER, SAME, PEAK_MB = 4, 1e-9, 2_048
ROWS = 1_000_000
COLUMNS = ["tier", "arm", "before", "spend", "bought"]
TIERS = [f"tier_{number:02d}" for number in range(10)]
NAMES = {
    "effect_size": "lift", "effect_size_ci_lower": "lower", "effect_size_ci_upper": "upper", "pvalue": "p_value",
    "control": "control_value", "treatment": "value",
}  # fmt: skip


def data_file(units: int, compression: str, seed: int = 7) -> Path:
    """Write units in tiers of falling size, money in cents, most of it nothing; as pandas lays a file out."""
    file = FOLDER / f"units_{units}_{compression}.parquet"
    if file.exists():
        return file
    say(f"making {file.name} ...")
    rng = np.random.default_rng(seed)
    texts = [("tier", pa.string()), ("arm", pa.string())]
    schema = pa.schema([*texts, ("before", pa.float64()), ("spend", pa.float64()), ("bought", pa.int8())])
    many = len(TIERS)
    with pq.ParquetWriter(file, schema, compression=compression) as writer:
        for start in range(0, units, ROWS):
            n = min(ROWS, units - start)
            tier = rng.choice(many, n, p=np.arange(many, 0, -1) / (many * (many + 1) / 2))
            treated = rng.integers(0, 2, n)
            before = np.round(np.where(rng.random(n) < 0.6, rng.gamma(2, 20 + 3 * tier), 0), 2)
            bought = rng.random(n) < 0.3 + 0.02 * tier + 0.004 * treated
            spend = np.round(bought * (0.6 * before + rng.gamma(2, 15, n) + 0.1 * tier * treated), 2)
            arms = np.array(["control", "treatment"])[treated]
            columns = [pa.array(np.array(TIERS)[tier]), pa.array(arms), before, spend, bought.astype(np.int8)]
            writer.write_table(pa.table(columns, schema=schema))
    return file


def toolkit(file: str) -> Facts:
    """Run this toolkit: everything that an `Evaluation` holds."""
    from toolkit import evaluate_units

    import_module("pyarrow.dataset")
    metrics: dict[str, Any] = {"spend": "mean", "bought": "proportion"}
    covariates = {"spend": "before"}
    ask = partial(evaluate_units, arm="arm", control="control", tier="tier", metrics=metrics, covariates=covariates)
    seconds, found = timed(partial(ask, file))
    effects = {
        f"{row['tier']} {row['metric']}": {name: float(row[name]) for name in NAMES.values()}
        for row in found.tiers.to_dict("records")
    }
    return {"seconds": seconds, "effects": effects}


def tea(file: str, of_tier: Callable[[str], Callable[[str], Any]]) -> Facts:
    """Run tea-tasting once per tier: ``of_tier`` opens the file and returns what gives the units of a tier."""
    import tea_tasting as tt  # type: ignore[import-not-found]

    def work() -> dict[str, dict[str, float]]:
        units = of_tier(file)
        experiment = tt.Experiment({"spend": tt.Mean("spend", "before"), "bought": tt.Mean("bought")}, variant="arm")
        return {
            f"{tier} {metric}": {ours: float(getattr(row, theirs)) for theirs, ours in NAMES.items()}
            for tier in TIERS
            for metric, row in experiment.analyze(units(tier), control="control").items()
        }

    seconds, effects = timed(work)
    return {"seconds": seconds, "effects": effects}


def tea_polars_lazy(file: str) -> Facts:
    """Scan the file per tier."""
    import polars as pl  # type: ignore[import-not-found]

    def of_tier(file: str) -> Callable[[str], Any]:
        scan = pl.scan_parquet(file).select(COLUMNS)
        return lambda tier: scan.filter(pl.col("tier") == tier)

    return tea(file, of_tier)


def tea_polars(file: str) -> Facts:
    """Read the file once, split it by tier."""
    import polars as pl

    def of_tier(file: str) -> Callable[[str], Any]:
        parts = pl.read_parquet(file, columns=COLUMNS).partition_by("tier", as_dict=True)
        return lambda tier: parts[tier,]

    return tea(file, of_tier)


def tea_pandas(file: str) -> Facts:
    """Read the file once, split it by tier."""
    import pandas as pd

    def of_tier(file: str) -> Callable[[str], Any]:
        return dict(list(pd.read_parquet(file, columns=COLUMNS).groupby("tier"))).__getitem__

    return tea(file, of_tier)


def tea_duckdb(file: str) -> Facts:
    """Query the file per tier through ibis."""
    import ibis  # type: ignore[import-not-found]

    def of_tier(file: str) -> Callable[[str], Any]:
        units = ibis.duckdb.connect().read_parquet(file).select(COLUMNS)
        return lambda tier: units.filter(units.tier == tier)

    return tea(file, of_tier)


CONTESTANTS = {
    "toolkit": toolkit,
    "tea-polars-lazy": tea_polars_lazy,
    "tea-polars": tea_polars,
    "tea-pandas": tea_pandas,
    "tea-duckdb": tea_duckdb,
}


def apart(one: Facts, other: Facts) -> float:
    """Return the largest relative difference of effects, interval ends and p-values."""
    pairs = [(value, other["effects"][key][name]) for key, row in one["effects"].items() for name, value in row.items()]
    return float(max(abs(a - b) / max(abs(a), abs(b), 1e-3) for a, b in pairs))


def main() -> None:
    """Make the data, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compression", nargs="+", default=["snappy", "zstd"])
    parser.add_argument("--contestants", nargs="+", default=list(ENVIRONMENTS), choices=list(ENVIRONMENTS))
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    names = {name: ENVIRONMENTS[name] for name in dict.fromkeys(["toolkit", *options.contestants])}
    for compression in options.compression:
        file = data_file(options.units, compression)
        say(f"{options.units:,} units, {compression}, {file.stat().st_size / 1e6:,.0f} MB")
        runs = race("bench.experiment", names, options.rounds, file=str(file))
        table(runs, "toolkit")
        peers = [name for name in runs if name != "toolkit"]
        for clock in ("seconds", "process") if peers else ():
            fastest = min(peers, key=lambda name: ratio(runs, name, "toolkit", clock))
            wanted(f"{clock}: {fastest} / ours", ratio(runs, fastest, "toolkit", clock), least=FASTER)
        for name in peers:
            wanted(f"effects of {name} apart by", apart(runs["toolkit"][-1], runs[name][-1]), most=SAME)
        wanted("our peak, MB", max(facts["peak_mb"] for facts in runs["toolkit"]), most=PEAK_MB)


if __name__ == "__main__":
    main()
