"""One contestant of the experiment benchmark in a process of its own: ``python experiment_contestants.py NAME FILE``.

The clock runs from imports done until effects of all tiers stand. One line of JSON tells seconds, effects by tier and
metric, and peak memory.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Effects = dict[str, dict[str, float]]
    Contest = Callable[[str], Effects]

COLUMNS = ["tier", "arm", "before", "spend", "bought"]
NAMES = {
    "effect_size": "lift", "effect_size_ci_lower": "lower", "effect_size_ci_upper": "upper", "pvalue": "p_value",
    "control": "control_value", "treatment": "value",
}  # fmt: skip
TIERS = [f"tier_{number:02d}" for number in range(10)]


def toolkit() -> Contest:
    """Run this toolkit: everything that an `Evaluation` holds."""
    evaluate_units = import_module("toolkit.strategy.units").evaluate_units
    import_module("pyarrow.dataset")

    def run(file: str) -> Effects:
        found = evaluate_units(
            file,
            arm="arm",
            control="control",
            tier="tier",
            metrics={"spend": "mean", "bought": "proportion"},
            covariates={"spend": "before"},
        )
        rows = found.tiers.to_dict("records")
        return {f"{row['tier']} {row['metric']}": {name: float(row[name]) for name in NAMES.values()} for row in rows}

    return run


def tea(of_tier: Callable[[str], Callable[[str], Any]]) -> Contest:
    """Run tea-tasting once per tier: ``of_tier`` opens the file and returns what gives the units of a tier."""
    tea_tasting = import_module("tea_tasting")

    def run(file: str) -> Effects:
        units = of_tier(file)
        experiment = tea_tasting.Experiment(
            {"spend": tea_tasting.Mean("spend", "before"), "bought": tea_tasting.Mean("bought")}, variant="arm"
        )
        found = {}
        for tier in TIERS:
            for metric, row in experiment.analyze(units(tier), control="control").items():
                found[f"{tier} {metric}"] = {ours: float(getattr(row, theirs)) for theirs, ours in NAMES.items()}
        return found

    return run


def tea_polars_lazy() -> Contest:
    """Scan the file per tier."""
    polars = import_module("polars")

    def of_tier(file: str) -> Callable[[str], Any]:
        scan = polars.scan_parquet(file).select(COLUMNS)
        return lambda tier: scan.filter(polars.col("tier") == tier)

    return tea(of_tier)


def tea_polars() -> Contest:
    """Read the file once, split it by tier."""
    polars = import_module("polars")

    def of_tier(file: str) -> Callable[[str], Any]:
        parts = polars.read_parquet(file, columns=COLUMNS).partition_by("tier", as_dict=True)
        return lambda tier: parts[tier,]

    return tea(of_tier)


def tea_pandas() -> Contest:
    """Read the file once, split it by tier."""
    pandas = import_module("pandas")

    def of_tier(file: str) -> Callable[[str], Any]:
        parts = dict(list(pandas.read_parquet(file, columns=COLUMNS).groupby("tier")))
        return parts.__getitem__

    return tea(of_tier)


def tea_duckdb() -> Contest:
    """Query the file per tier through ibis."""
    ibis = import_module("ibis")

    def of_tier(file: str) -> Callable[[str], Any]:
        table = ibis.duckdb.connect().read_parquet(file).select(COLUMNS)
        return lambda tier: table.filter(table.tier == tier)

    return tea(of_tier)


CONTESTS: dict[str, Callable[[], Contest]] = {
    "toolkit": toolkit,
    "tea-polars-lazy": tea_polars_lazy,
    "tea-polars": tea_polars,
    "tea-pandas": tea_pandas,
    "tea-duckdb": tea_duckdb,
}


def peak_mb() -> float:
    """Return the most memory that this process held, from Linux."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


if __name__ == "__main__":
    name, file = sys.argv[1:]
    contest = CONTESTS[name]()
    start = time.perf_counter()
    effects = contest(file)
    answer = {"seconds": time.perf_counter() - start, "effects": effects, "peak_mb": peak_mb()}
    sys.stdout.write(f"{json.dumps(answer)}\n")
