"""How fast the randomisation test is: ``python -m bench.rerandomise [--units 1000000] [--rounds 3]``.

A twentieth of the units is treated; outcomes are heavy-tailed (Pareto 1.5), or spend of which 5 % have any. The peer
is ``scipy.stats.permutation_test`` of the same statistic, Welch's t by vectorised sums, ``batch=1``, its fastest here
(20 took 1.8 times as long). The clock runs from arrays in memory, and imports done, until the statistics of all draws
stand. Then what is drawn is held against a plain loop: p on the same units, the ends of the interval on fewer units
with so many draws that their own noise allows it.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from bench.harness import Facts, alone, race, ratio, say, table, timed, wanted

FASTER, DEVIATIONS, ENDS = 50, 3, 0.02
SHARE = 0.05
OUTCOMES = ("heavy-tailed", "5 % buyers")


def outcomes(name: str, n: int) -> tuple[Any, int]:
    """Make the outcomes of the units, and how many of them, the first, are treated."""
    rng = np.random.default_rng(7)
    buyers = name == "5 % buyers"
    values = np.where(rng.random(n) < 0.05, rng.lognormal(3, 1.2, n), 0.0) if buyers else rng.pareto(1.5, n)
    return values, int(SHARE * n)


def welch(x: Any, y: Any, axis: int = -1) -> Any:
    """Return Welch's t along an axis."""
    v = x.var(axis=axis, ddof=1) / x.shape[axis] + y.var(axis=axis, ddof=1) / y.shape[axis]
    return (x.mean(axis=axis) - y.mean(axis=axis)) / np.sqrt(v)


def toolkit(name: str, units: int, draws: int) -> Facts:
    """Run this toolkit, with p and the critical values."""
    from toolkit.strategy.rerandomise import critical, equal_tailed, rerandomise

    values, many = outcomes(name, units)
    treated, strata = np.arange(units) < many, np.zeros(units, dtype=np.intp)

    def work() -> tuple[float, Any]:
        dealt = rerandomise(values, treated, strata, np.ones(1), draws=draws, seed=0).overall
        return equal_tailed(float(welch(values[:many], values[many:])), dealt), critical(dealt, 0.05)

    seconds, (p, ends) = timed(work)
    return {"seconds": seconds, "p": p, "ends": ends}


def scipy(name: str, units: int, draws: int) -> Facts:
    """Run ``permutation_test``; only its p is of use."""
    from scipy.stats import permutation_test

    values, many = outcomes(name, units)
    arms = values[:many], values[many:]
    options = {"vectorized": True, "n_resamples": draws, "batch": 1}
    seconds, found = timed(lambda: permutation_test(arms, welch, **options, rng=0))
    return {"seconds": seconds, "p": float(found.pvalue)}


def loop(name: str, units: int, draws: int) -> Facts:
    """Shuffle the units again and again."""
    from toolkit.strategy.rerandomise import critical, equal_tailed

    values, many = outcomes(name, units)
    rng = np.random.default_rng(0)

    def deal() -> float:
        mixed = rng.permutation(values)
        return float(welch(mixed[:many], mixed[many:]))

    seconds, dealt = timed(lambda: np.array([deal() for _ in range(draws)]))
    p = equal_tailed(float(welch(values[:many], values[many:])), dealt)
    return {"seconds": seconds, "p": p, "ends": critical(dealt, 0.05)}


CONTESTANTS = {"toolkit": toolkit, "scipy": scipy, "loop": loop}


def agree(name: str, units: int, draws: int, small: int, many_draws: int) -> None:
    """Print how far p and the ends of the interval are from those of a plain loop."""
    here = {"name": name, "units": units, "draws": draws}
    ours, plain = (alone("bench.rerandomise", contestant, here) for contestant in ("toolkit", "loop"))
    tail = (ours["p"] + plain["p"]) / 4
    noise = 2 * np.sqrt(2 * tail * (1 - tail) / draws)
    say(f"{name}, {units:,} units: p {ours['p']:.4f}, of a loop {plain['p']:.4f}")
    wanted("Monte-Carlo deviations apart", abs(ours["p"] - plain["p"]) / noise, most=DEVIATIONS)
    here |= {"units": small, "draws": many_draws}
    ours, plain = (alone("bench.rerandomise", contestant, here) for contestant in ("toolkit", "loop"))
    half = (plain["ends"][1] - plain["ends"][0]) / 2
    say(f"{name}, {small:,} units, {many_draws:,} draws: ends {np.round([ours['ends'], plain['ends']], 4).tolist()}")
    apart = max(abs(a - b) for a, b in zip(ours["ends"], plain["ends"], strict=True)) / half
    wanted("ends apart, of half the interval", apart, most=ENDS)


def main() -> None:
    """Race, then compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--draws", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=20_000, help="units where the ends of the interval are compared")
    parser.add_argument("--many-draws", type=int, default=100_000, help="draws there")
    options = parser.parse_args()
    for name in OUTCOMES:
        arguments = {"name": name, "units": options.units, "draws": options.draws}
        runs = race("bench.rerandomise", dict.fromkeys(("toolkit", "scipy")), options.rounds, **arguments)
        say(name)
        table(runs, "toolkit")
        wanted("scipy / ours", ratio(runs, "scipy", "toolkit"), least=FASTER)
        agree(name, options.units, options.draws, options.small, options.many_draws)


if __name__ == "__main__":
    main()
