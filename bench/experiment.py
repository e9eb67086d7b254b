"""How fast `evaluate_units` is beside tea-tasting: ``python -m bench.experiment [--rounds 5]``.

Ten tiers, two arms, one Parquet file; a mean with CUPED and a proportion. tea-tasting is called once per tier on the
same file, on each of its backends; ours reads it once, and adds the weighted overall, the interaction, families,
shrinkage, the sample ratio and the verdict. Every contestant reads only the columns it needs, in a fresh process, in
turn, round after round. Seconds are from imports done until effects stand; ``process`` is from start to end. The file
has no customer ids: tea-tasting does not look for repeated ones.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.snapshot import FOLDER, say

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = {
    "tea": ("tea-tasting==1.14.0", "statsmodels==0.15.0", "polars==2.1.0", "pandas", "pyarrow"),
    "tea-duckdb": ("tea-tasting==1.14.0", "ibis-framework[duckdb]==12.0.0", "duckdb<2"),
}
ENVIRONMENT = {
    "toolkit": None,
    "tea-polars-lazy": "tea",
    "tea-polars": "tea",
    "tea-pandas": "tea",
    "tea-duckdb": "tea-duckdb",
}
FASTER, SAME, PEAK_GIB = 4, 1e-9, 2
TIERS, ROWS = 10, 1_000_000


def data_file(units: int, compression: str, seed: int = 7) -> Path:
    """Write units in tiers of falling size, money in cents, most of it nothing; as pandas lays a file out."""
    file = FOLDER / f"units_{units}_{compression}.parquet"
    if file.exists():
        return file
    say(f"making {file.name} ...")
    rng = np.random.default_rng(seed)
    schema = pa.schema([
        ("tier", pa.string()), ("arm", pa.string()), ("before", pa.float64()), ("spend", pa.float64()),
        ("bought", pa.int8()),
    ])  # fmt: skip
    with pq.ParquetWriter(file, schema, compression=compression) as writer:
        for start in range(0, units, ROWS):
            n = min(ROWS, units - start)
            tier = rng.choice(TIERS, n, p=np.arange(TIERS, 0, -1) / (TIERS * (TIERS + 1) / 2))
            treated = rng.integers(0, 2, n)
            before = np.round(np.where(rng.random(n) < 0.6, rng.gamma(2, 20 + 3 * tier), 0), 2)
            bought = rng.random(n) < 0.3 + 0.02 * tier + 0.004 * treated
            spend = np.round(bought * (0.6 * before + rng.gamma(2, 15, n) + 0.1 * tier * treated), 2)
            names = np.array([f"tier_{number:02d}" for number in range(TIERS)])[tier]
            arms = np.array(["control", "treatment"])[treated]
            columns = [pa.array(names), pa.array(arms), before, spend, bought.astype(np.int8)]
            writer.write_table(pa.table(columns, schema=schema))
    return file


def python_of(environment: str | None) -> str:
    """Return the interpreter of an environment, made and filled if it is not there; None is our own."""
    if environment is None:
        return sys.executable
    folder = FOLDER / "peers" / environment
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"installing {environment} into an environment of its own ...")
        venv.create(folder, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *ENVIRONMENTS[environment]]
        subprocess.run(pip, check=True)
    return str(python)


def run(name: str, file: Path) -> dict[str, Any]:
    """Run one contestant in a fresh process."""
    command = [python_of(ENVIRONMENT[name]), "-W", "ignore", str(HERE / "experiment_contestants.py"), name, str(file)]
    start = time.perf_counter()
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent).stdout
    facts: dict[str, Any] = json.loads(said.splitlines()[-1])
    return facts | {"process": time.perf_counter() - start}


def apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the largest relative difference of effects, interval ends and p-values."""
    pairs = [(value, other["effects"][key][name]) for key, row in one["effects"].items() for name, value in row.items()]
    return float(max(abs(a - b) / max(abs(a), abs(b), 1e-3) for a, b in pairs))


def report(runs: dict[str, list[dict[str, Any]]]) -> None:
    """Print medians, and the median over the rounds of each peer's time divided by ours in that round."""
    ours = runs["toolkit"]
    say(f"{'contestant':<18}{'seconds':>9}{'x ours':>8}{'process':>9}{'x ours':>8}{'peak MB':>9}{'apart':>10}")
    ratios = {}
    for name, rounds in runs.items():
        cells = []
        for clock in ("seconds", "process"):
            ratio = median(facts[clock] / our[clock] for facts, our in zip(rounds, ours, strict=True))
            ratios[name, clock] = ratio
            cells.append(f"{median(facts[clock] for facts in rounds):>9.3f}{ratio:>8.2f}")
        peak = median(facts["peak_mb"] for facts in rounds)
        say(f"{name:<18}{''.join(cells)}{peak:>9,.0f}{apart(ours[-1], rounds[-1]):>10.1e}")
    peers = [name for name in runs if name != "toolkit"]
    for clock in ("seconds", "process"):
        fastest = min(peers, key=lambda name: ratios[name, clock])
        ratio = ratios[fastest, clock]
        verdict = "reached" if ratio >= FASTER else "MISSED"
        say(f"  {clock}: fastest peer {fastest} / ours: {ratio:.2f}; wanted {FASTER}: {verdict}")
    off = max(apart(ours[-1], runs[name][-1]) for name in peers)
    say(f"  effects apart by {off:.1e} at most; wanted {SAME:.0e}: {'reached' if off <= SAME else 'MISSED'}")
    peak = max(facts["peak_mb"] for facts in ours) / 1024
    say(f"  our peak {peak:.2f} GiB; wanted under {PEAK_GIB}: {'reached' if peak < PEAK_GIB else 'MISSED'}")


def main() -> None:
    """Make the data, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compression", nargs="+", default=["snappy", "zstd"])
    parser.add_argument("--contestants", nargs="+", default=list(ENVIRONMENT), choices=list(ENVIRONMENT))
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    names = dict.fromkeys(["toolkit", *options.contestants])
    for compression in options.compression:
        file = data_file(options.units, compression)
        say(f"{options.units:,} units, {compression}, {file.stat().st_size / 1e6:,.0f} MB")
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for number in range(1, options.rounds + 1):
            for name, done in runs.items():
                done.append(run(name, file))
                say(f"round {number}: {name:<18}{done[-1]['seconds']:>9.3f} s{done[-1]['process']:>9.3f} s")
        report(runs)


if __name__ == "__main__":
    main()
