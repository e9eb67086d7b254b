"""How fast `Study.snapshot` is beside its peers: ``python bench/snapshot.py [--rounds 5]``, or ``make bench``.

Ten million order lines of a million customers with text ids, one Parquet file. Every contestant reads the same file in
a fresh process, in turn, round after round; every result is compared with ours.
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

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".bench"
ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "polars": ("polars==2.1.0", "pyarrow", "pandas"),
    "lifetimes": ("lifetimes==0.11.3", "pandas<2", "numpy<2", "pyarrow<15", "setuptools"),
    "pymc-marketing": ("pymc-marketing==0.19.2", "pyarrow"),
}
"""Peers that do not share our environment: name of their own one -> what is installed in it."""
PYTHON_OF = {
    "toolkit": None,
    "duckdb": None,
    "polars": "polars",
    "pandas": None,
    "rfm_summary": "pymc-marketing",
    "rfm_summary_sorted": "pymc-marketing",
    "lifetimes": "lifetimes",
}
WANTED = {"polars": 2, "pandas": 2, "rfm_summary": 6, "lifetimes": 6}
"""How many times faster than this peer we want to be."""
Facts = dict[str, float]


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def data_file(lines: int, customers: int) -> Path:
    """Return the file of order lines, made if it is not there."""
    file = FOLDER / f"orders_{lines}_{customers}.parquet"
    if not file.exists():
        say(f"making {file.name} ...")
        subprocess.run([sys.executable, str(HERE / "orders.py"), str(file), str(lines), str(customers)], check=True)
    return file


def python_of(environment: str | None) -> str:
    """Return the interpreter of an environment, made and filled if it is not there; None is our own."""
    if environment is None:
        return sys.executable
    folder = FOLDER / "peers" / environment
    python, ready = folder / "bin" / "python", folder / ".ready"
    wanted = "\n".join(ENVIRONMENTS[environment])
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        say(f"installing {environment} into an environment of its own ...")
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *ENVIRONMENTS[environment]]
        subprocess.run(pip, check=True)
        ready.write_text(wanted, encoding="utf-8")
    return str(python)


def run(name: str, file: Path) -> Facts:
    """Run one contestant in a fresh process: seconds inside it, seconds of the whole process, peak memory."""
    result = FOLDER / f"result_{name}.parquet"
    command = [python_of(PYTHON_OF[name]), "-W", "ignore", str(HERE / "contestants.py"), name, str(file), str(result)]
    start = time.perf_counter()
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    facts: Facts = json.loads(said.splitlines()[-1])
    return facts | {"process": time.perf_counter() - start}


def differences(name: str) -> list[str]:
    """Compare a contestant's last result with ours: customers and days exactly, money to a millionth."""
    ours, theirs = (
        pd.read_parquet(FOLDER / f"result_{who}.parquet").set_index("customer_id").sort_index()
        for who in ("toolkit", name)
    )
    if list(ours.index) != list(theirs.index):
        return [f"{len(theirs):,} customers, not the same as our {len(ours):,}"]
    found = []
    for column in theirs.columns:
        left, right = (frame[column].to_numpy(dtype=float) for frame in (ours, theirs))
        same = np.isclose(left, right, rtol=1e-9, atol=1e-6) if column == "spend" else left == right
        wrong = int((~same).sum())
        if wrong:
            found.append(f"{column} differs for {wrong:,} customers")
    return found


def report(runs: dict[str, list[Facts]]) -> str:
    """Make the table: medians, and the median over the rounds of each peer's time divided by ours in that round."""
    head = f"{'contestant':<20}{'seconds':>9}{'fastest':>9}{'process':>9}{'peak MB':>9}{'x ours':>8}  wanted"
    lines = [head, "-" * len(head)]
    ours = runs["toolkit"]
    for name, rounds in runs.items():
        seconds, process, peak = (median(facts[key] for facts in rounds) for key in ("seconds", "process", "peak_mb"))
        ratio = median(facts["seconds"] / our["seconds"] for facts, our in zip(rounds, ours, strict=True))
        wanted = f"{WANTED[name]} {'reached' if ratio >= WANTED[name] else 'MISSED'}" if name in WANTED else ""
        fastest = min(facts["seconds"] for facts in rounds)
        lines.append(f"{name:<20}{seconds:>9.2f}{fastest:>9.2f}{process:>9.2f}{peak:>9,.0f}{ratio:>8.2f}  {wanted}")
    gate = median(our["gate"] for our in ours)
    share = median(our["gate"] / our["seconds"] for our in ours)
    again = median(our["again"] for our in ours)
    lines.append(f"the gate alone (open, and a fate for every row): {gate:.2f} s, {share:.0%} of our time")
    lines.append(f"a second snapshot of the same study, at another day: {again:.2f} s")
    return "\n".join(lines)


def main() -> None:
    """Make what is missing, run the rounds, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    file = data_file(options.lines, options.customers)
    for environment in ENVIRONMENTS:
        python_of(environment)
    runs: dict[str, list[Facts]] = {name: [] for name in PYTHON_OF}
    for number in range(1, options.rounds + 1):
        for name, done in runs.items():
            done.append(run(name, file))
            say(f"round {number}: {name:<20}{done[-1]['seconds']:>8.2f} s")
            for difference in differences(name):
                say(f"  NOT THE SAME RESULT: {difference}")
    say(report(runs))


if __name__ == "__main__":
    main()
