"""Write value_beta_geo.json: BG/NBD as published, with its hypergeometric function, in 60 digits.

Fader, Hardie and Lee (2005): log-likelihood (equation 6), P(alive) and conditional expectation (equation 10); time in
weeks. Run with Python and mpmath 1.4, which the toolkit does not need: ``python tests/oracles/value_beta_geo.py``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

EXTREME: list[dict[str, float]] = [
    {"r": 0.05, "alpha": 0.05, "a": 0.1, "b": 0.1, "x": 0, "last_days": 0, "tenure_days": 0, "time": 52},
    {"r": 0.2, "alpha": 0.02, "a": 0.01, "b": 0.5, "x": 0, "last_days": 0, "tenure_days": 0, "time": 30},
    {"r": 20, "alpha": 50, "a": 50, "b": 500, "x": 3, "last_days": 70, "tenure_days": 630, "time": 300},
    {"r": 0.25, "alpha": 4.4, "a": 0.999999, "b": 2.4, "x": 2, "last_days": 210, "tenure_days": 266, "time": 39},
    {"r": 0.25, "alpha": 4.4, "a": 1, "b": 2.4, "x": 2, "last_days": 210, "tenure_days": 266, "time": 39},
    {"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4, "x": 1200, "last_days": 1085, "tenure_days": 1092, "time": 52},
    {"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4, "x": 40, "last_days": 7, "tenure_days": 1092, "time": 52},
    {"r": 0.01, "alpha": 0.5, "a": 3, "b": 0.01, "x": 1, "last_days": 1, "tenure_days": 2800, "time": 500},
    {"r": 5, "alpha": 2000, "a": 1e-4, "b": 1, "x": 5, "last_days": 560, "tenure_days": 700, "time": 0.1},
]


def drawn() -> list[dict[str, float]]:
    """Draw ordinary and wide cases."""
    rng = random.Random(20050205)  # noqa: S311 - cases of a test
    cases = []
    for _ in range(60):
        tenure = rng.choice([0, rng.randint(1, 40), rng.randint(40, 1400)])
        x = min(rng.choice([0, 0, 1, 2, rng.randint(3, 12), rng.randint(12, 300)]), tenure)
        cases.append({
            "r": 10 ** rng.uniform(-1.2, 1.2),
            "alpha": 10 ** rng.uniform(-1, 2),
            "a": 10 ** rng.uniform(-1, 1.5),
            "b": 10 ** rng.uniform(-1, 2.5),
            "x": x,
            "last_days": rng.randint(x, tenure) if x else 0,
            "tenure_days": tenure,
            "time": 10 ** rng.uniform(-0.7, 2.2),
        })  # fmt: skip
    return cases


def answers(case: dict[str, float]) -> dict[str, Any]:
    """Evaluate the published formulas; at a = 1, where they have a pole, the mean of both sides."""
    import mpmath as mp  # type: ignore[import-not-found]  # only who makes the numbers anew has it

    mp.mp.dps = 60
    if case["a"] == 1:
        sides = [answers({**case, "a": mp.mpf(1) + mp.mpf(10) ** -20 * sign}) for sign in (-1, 1)]
        return {name: (sides[0][name] + sides[1][name]) / 2 for name in sides[0]}
    r, alpha, a, b, time = (mp.mpf(case[name]) for name in ("r", "alpha", "a", "b", "time"))
    last, tenure = (mp.mpf(case[name]) / 7 for name in ("last_days", "tenure_days"))
    x = int(case["x"])
    odds = a / (b + x - 1) * ((alpha + tenure) / (alpha + last)) ** (r + x) if x else mp.mpf(0)
    stays = mp.beta(a, b + x) / mp.beta(a, b) * mp.rf(r, x) * alpha**r / (alpha + tenure) ** (r + x)
    leaves = mp.beta(a + 1, b + x - 1) / mp.beta(a, b) * mp.rf(r, x) * alpha**r / (alpha + last) ** (r + x) if x else 0
    factor = (a + b + x - 1) / (a - 1)
    drop = ((alpha + tenure) / (alpha + tenure + time)) ** (r + x)
    hyper = mp.hyp2f1(r + x, b + x, a + b + x - 1, time / (alpha + tenure + time), maxterms=10**6)
    return {
        "log_likelihood": mp.log(stays + leaves),
        "p_alive": 1 / (1 + odds),
        "orders_if_active": factor * (1 - drop * hyper),
    }


if __name__ == "__main__":
    rows = [{**case, **{name: float(value) for name, value in answers(case).items()}} for case in [*EXTREME, *drawn()]]
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    Path(__file__).with_suffix(".json").write_text(text, encoding="ascii")
