"""How fast the randomisation test is: ``python -m bench.rerandomise [--units 1000000] [--rounds 3]``.

A twentieth of the units is treated; outcomes are heavy-tailed (Pareto 1.5), or spend of which 5 % have any. The peer
is ``scipy.stats.permutation_test`` of the same statistic, Welch's t by vectorised sums, ``batch=1``, its fastest here
(20 took 1.8 times as long). Each runs in a fresh process, in turn, round after round; the clock runs from arrays in
memory, and imports done, until the statistics of all draws stand. Then what is drawn is held against a plain loop:
p on the same units, the ends of the interval on fewer units with so many draws that their own noise allows it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.snapshot import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[1]
FASTER, DEVIATIONS, ENDS = 50, 3, 0.02
SHARE = 0.05
NAMES = ("heavy-tailed", "5 % buyers")


def outcomes(name: str, n: int) -> Floats:
    """Make the outcomes of the units; the first twentieth is treated."""
    rng = np.random.default_rng(7)
    if name == "heavy-tailed":
        return rng.pareto(1.5, n)
    return np.where(rng.random(n) < 0.05, rng.lognormal(3, 1.2, n), 0.0)


def welch(x: Any, y: Any, axis: int = -1) -> Any:
    """Return Welch's t along an axis."""
    v = x.var(axis=axis, ddof=1) / x.shape[axis] + y.var(axis=axis, ddof=1) / y.shape[axis]
    return (x.mean(axis=axis) - y.mean(axis=axis)) / np.sqrt(v)


def toolkit(values: Floats, many: int, draws: int) -> dict[str, Any]:
    """Run this toolkit, with p and the critical values."""
    module = import_module("toolkit.strategy.rerandomise")
    treated, strata = np.arange(len(values)) < many, np.zeros(len(values), dtype=np.intp)
    start = time.perf_counter()
    dealt = module.rerandomise(values, treated, strata, np.ones(1), draws=draws, seed=0).overall
    ends = module.critical(dealt, 0.05)
    p = module.equal_tailed(float(welch(values[:many], values[many:])), dealt)
    return {"seconds": time.perf_counter() - start, "p": p, "ends": ends}


def scipy(values: Floats, many: int, draws: int) -> dict[str, Any]:
    """Run ``permutation_test``; only its p is of use."""
    test = import_module("scipy.stats").permutation_test
    arms = values[:many], values[many:]
    start = time.perf_counter()
    found = test(arms, welch, vectorized=True, n_resamples=draws, batch=1, rng=0)
    return {"seconds": time.perf_counter() - start, "p": float(found.pvalue)}


def loop(values: Floats, many: int, draws: int) -> dict[str, Any]:
    """Shuffle the units again and again."""
    module = import_module("toolkit.strategy.rerandomise")
    rng = np.random.default_rng(0)
    t = float(welch(values[:many], values[many:]))
    start = time.perf_counter()
    dealt = np.empty(draws)
    for number in range(draws):
        mixed = rng.permutation(values)
        dealt[number] = welch(mixed[:many], mixed[many:])
    p, ends = module.equal_tailed(t, dealt), module.critical(dealt, 0.05)
    return {"seconds": time.perf_counter() - start, "p": p, "ends": ends}


CONTESTS = {"toolkit": toolkit, "scipy": scipy, "loop": loop}


def run(contest: str, name: str, units: int, draws: int) -> dict[str, Any]:
    """Run one contestant in a fresh process."""
    command = [sys.executable, "-m", "bench.rerandomise", "--run", contest, name]
    command += ["--units", str(units), "--draws", str(draws)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    facts: dict[str, Any] = json.loads(said.splitlines()[-1])
    return facts


def race(name: str, units: int, draws: int, rounds: int) -> None:
    """Print medians, and the median over the rounds of scipy's time divided by ours."""
    runs: dict[str, list[dict[str, Any]]] = {"toolkit": [], "scipy": []}
    for number in range(1, rounds + 1):
        for contest, done in runs.items():
            done.append(run(contest, name, units, draws))
            say(f"round {number}: {contest:<10}{done[-1]['seconds']:>9.3f} s  p {done[-1]['p']:.4f}")
    for contest, done in runs.items():
        seconds, peak = (median(facts[key] for facts in done) for key in ("seconds", "peak_mb"))
        say(f"{name}, {contest}: median {seconds:.3f} s, peak {peak:,.0f} MB")
    ratio = median(b["seconds"] / a["seconds"] for a, b in zip(runs["toolkit"], runs["scipy"], strict=True))
    say(f"  scipy / ours: {ratio:.0f}; wanted {FASTER}: {'reached' if ratio >= FASTER else 'MISSED'}")


def agree(name: str, units: int, draws: int, small: int, many_draws: int) -> None:
    """Print how far p and the ends of the interval are from those of a plain loop."""
    ours, plain = (run(contest, name, units, draws) for contest in ("toolkit", "loop"))
    tail = (ours["p"] + plain["p"]) / 4
    noise = 2 * np.sqrt(2 * tail * (1 - tail) / draws)
    off = abs(ours["p"] - plain["p"]) / noise
    say(f"{name}, {units:,} units: p {ours['p']:.4f}, of a loop {plain['p']:.4f}: {off:.2f} Monte-Carlo deviations;")
    say(f"  wanted at most {DEVIATIONS}: {'reached' if off <= DEVIATIONS else 'MISSED'}")
    ours, plain = (run(contest, name, small, many_draws) for contest in ("toolkit", "loop"))
    half = (plain["ends"][1] - plain["ends"][0]) / 2
    apart = max(abs(a - b) for a, b in zip(ours["ends"], plain["ends"], strict=True)) / half
    say(
        f"{name}, {small:,} units, {many_draws:,} draws: ends {np.round(ours['ends'], 4)}, {np.round(plain['ends'], 4)}"
    )
    say(f"  apart {apart:.2%} of half the interval; wanted {ENDS:.0%}: {'reached' if apart <= ENDS else 'MISSED'}")


def main() -> None:
    """Race, then compare; or run one contestant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=20_000, help="units where the ends of the interval are compared")
    parser.add_argument("--many-draws", type=int, default=100_000, help="draws there")
    parser.add_argument("--run", nargs=2, metavar=("CONTESTANT", "OUTCOMES"))
    options = parser.parse_args()
    if options.run:
        contest, name = options.run
        values = outcomes(name, options.units)
        facts = CONTESTS[contest](values, int(SHARE * options.units), options.draws)
        facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(json.dumps(facts))
        return
    for name in NAMES:
        race(name, options.units, options.draws, options.rounds)
        agree(name, options.units, options.draws, options.small, options.many_draws)


if __name__ == "__main__":
    main()
