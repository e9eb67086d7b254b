"""How fast `BetaGeo` is beside its peers: ``python -m bench.value [--customers 1000000] [--rounds 5]``.

A million simulated customers in whole days, and the 2,357 of CDNOW where its file is at hand. Every contestant gets
the same arrays in a fresh process, in turn, round after round. lifetimes has no penalty, and its log-likelihood is
compared with ours; pymc-marketing's maximum a posteriori has priors, so only its speed is shown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from bench.snapshot import FOLDER, python_of, say

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "shared" / "datasets" / "cdnow" / "CDNOW_sample.txt"
ENVIRONMENT = {"toolkit": None, "lifetimes": "lifetimes", "pymc-marketing": "pymc-marketing"}
FASTER, SAME, CDNOW_SECONDS = 10, 1e-6, 0.1


def simulated(n: int, seed: int = 7) -> dict[str, Any]:
    """Make histories in whole days of buyers who came within 700 days and are followed to day 730."""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(0.35, 1 / 32.0, n), rng.beta(0.8, 2.4, n)
    start = rng.integers(0, 701, n)
    x, last, now = (np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), start.astype(np.float64))
    there = np.arange(n)
    while len(there):
        now[there] += rng.exponential(1.0, len(there)) / rate[there]
        there = there[now[there] <= 730]
        day = np.ceil(now[there]).astype(np.int64) - start[there]
        x[there] += day > last[there]
        last[there] = day
        there = there[rng.random(len(there)) >= leave[there]]
    return {"x": x, "last": last, "tenure": 730 - start}


def cdnow() -> dict[str, Any]:
    """Read the sample of CDNOW up to 1997-09-30, purchases of a day merged."""
    lines = pd.read_csv(SAMPLE, sep=r"\s+", names=["master", "who", "day", "discs", "dollars"])
    lines["day"] = pd.to_datetime(lines["day"], format="%Y%m%d")
    end = pd.Timestamp("1997-09-30")
    day = lines[lines["day"] <= end].groupby("who")["day"]
    first, last = day.min(), day.max()
    return {
        "x": day.nunique().to_numpy() - 1,
        "last": (last - first).dt.days.to_numpy(),
        "tenure": (end - first).dt.days.to_numpy(),
    }


def run(name: str, file: Path) -> dict[str, Any]:
    """Run one contestant in a fresh process."""
    command = [python_of(ENVIRONMENT[name]), "-W", "ignore", str(HERE / "value_contestants.py"), name, str(file)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent).stdout
    facts: dict[str, Any] = json.loads(said.splitlines()[-1])
    return facts


def report(title: str, runs: dict[str, list[dict[str, Any]]], seconds_wanted: float | None) -> None:
    """Print medians, and the median over the rounds of each peer's time divided by ours in that round."""
    ours = runs["toolkit"]
    say(f"{title}\n{'contestant':<16}{'seconds':>10}{'fastest':>10}{'peak MB':>9}{'x ours':>9}  log-likelihood")
    for name, rounds in runs.items():
        took = [facts["seconds"] for facts in rounds]
        ratio = median(facts["seconds"] / our["seconds"] for facts, our in zip(rounds, ours, strict=True))
        peak = median(facts["peak_mb"] for facts in rounds)
        likelihood = rounds[-1].get("log_likelihood")
        shown = "" if likelihood is None else f"{likelihood:,.4f}"
        say(f"{name:<16}{median(took):>10.4f}{min(took):>10.4f}{peak:>9,.0f}{ratio:>9.1f}  {shown}")
    say(f"  ours: {ours[-1]['served']}, r alpha a b {np.round(ours[-1]['params'], 4).tolist()}")
    for name in ("expected_orders", "with_intervals"):
        say(f"  ours, {name}: {median(facts[name] for facts in ours):.3f} s")
    theirs = runs["lifetimes"]
    ratio = median(their["seconds"] / our["seconds"] for their, our in zip(theirs, ours, strict=True))
    off = max(abs(their["log_likelihood"] / our["log_likelihood"] - 1) for their, our in zip(theirs, ours, strict=True))
    if seconds_wanted is None:
        say(f"  lifetimes / ours: {ratio:.1f}; wanted {FASTER}: {'reached' if ratio >= FASTER else 'MISSED'}")
    say(f"  log-likelihoods apart by {off:.1e}; wanted {SAME:.0e}: {'reached' if off <= SAME else 'MISSED'}")
    if seconds_wanted is not None:
        took_most = max(facts["seconds"] for facts in ours)
        verdict = "reached" if took_most < seconds_wanted else "MISSED"
        say(f"  ours at most {took_most:.3f} s; wanted {seconds_wanted}: {verdict}")


def main() -> None:
    """Make the data, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-map", action="store_true", help="leave pymc-marketing out for the simulated ones")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    contests: list[tuple[str, dict[str, Any], float | None]] = [
        (f"{options.customers:,} simulated customers", simulated(options.customers), None)
    ]
    if SAMPLE.exists():
        contests.insert(0, ("CDNOW, 2,357 customers", cdnow(), CDNOW_SECONDS))
    for title, rows, seconds_wanted in contests:
        file = FOLDER / "value_histories.npz"
        np.savez(file, **rows)
        leave_out = options.without_map and seconds_wanted is None
        runs: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ENVIRONMENT if not (leave_out and name == "pymc-marketing")
        }
        for number in range(1, options.rounds + 1):
            for name, done in runs.items():
                done.append(run(name, file))
                say(f"round {number}: {name:<16}{done[-1]['seconds']:>9.3f} s")
        report(title, runs, seconds_wanted)


if __name__ == "__main__":
    main()
