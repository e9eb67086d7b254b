"""Write ab_tea.json: what tea-tasting and statsmodels make of the units below.

Run with a Python that has both (tea-tasting 1.14, statsmodels 0.15; the toolkit needs neither):
``python tests/oracles/ab_tea.py``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd

FILE = Path(__file__).with_suffix(".json")
P_VALUES = [0.001, 0.04, 0.03, 0.2, 0.012, 0.04, 0.9, 0.049, 0.0003, 0.6]
EFFECTS: list[tuple[list[float], list[float]]] = [
    ([0.10, 0.55, 0.90, 0.20], [0.01, 0.04, 0.02, 0.005]),
    ([1.0, 1.1, 0.9], [0.5, 0.4, 0.9]),
    ([-3.0, 8.0, 0.5, 2.0, -1.0, 4.0], [1.0, 2.0, 0.3, 0.1, 5.0, 0.02]),
    ([0.02, 0.08, 0.04, 0.0], [0.0011, 0.0007, 0.0004, 0.0019]),
]


def units() -> pd.DataFrame:
    """Make 1,500 units in three tiers and two arms of unlike size, with a covariate, a share, orders and spend."""
    rng = random.Random(20190730)  # noqa: S311  # cases of a test
    rows = []
    for number in range(1_500):
        tier = rng.choices(["bronze", "silver", "gold"], [5, 3, 2])[0]
        arm = rng.choices(["none", "coupon"], [1, 2 if tier == "gold" else 1])[0]
        level = {"bronze": 0.0, "silver": 1.0, "gold": 3.0}[tier]
        before = level + rng.gauss(5, 2)
        orders = min(rng.randrange(4) + (rng.random() < 0.3 * level), 5)
        spend = 1000 + 2.5 * before + 3 * orders + rng.gauss(0.8 if arm == "coupon" else 0, 3)
        bought = int(rng.random() < 0.3 + 0.05 * level + (0.06 if arm == "coupon" else 0))
        rows.append((number, tier, arm, round(before, 6), orders, round(spend, 6), bought))
    return pd.DataFrame(rows, columns=["number", "tier", "arm", "before", "orders", "spend", "bought"])


def expected() -> dict[str, Any]:
    """Return the numbers that were written."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def made() -> dict[str, Any]:
    """Ask both for their numbers."""
    import tea_tasting as tea  # type: ignore[import-not-found]  # only who makes the numbers anew has it
    from statsmodels.stats.meta_analysis import combine_effects  # type: ignore[import-not-found]  # and this
    from statsmodels.stats.multitest import multipletests  # type: ignore[import-not-found]  # and this

    experiment = tea.Experiment(
        spend=tea.Mean("spend"),
        spend_cuped=tea.Mean("spend", "before"),
        bought=tea.Mean("bought"),
        bought_cuped=tea.Mean("bought", "before"),
        spend_per_order=tea.RatioOfMeans("spend", "orders"),
        spend_per_order_cuped=tea.RatioOfMeans("spend", "orders", "before"),
    )
    names = {
        "control": "control_value", "treatment": "value", "effect_size": "lift", "effect_size_ci_lower": "lower",
        "effect_size_ci_upper": "upper", "pvalue": "p_value",
    }  # fmt: skip
    frame = units()
    tiers = {}
    for tier, mine in [("all", frame), *frame.groupby("tier")]:
        # the arm as 0 and 1: tea-tasting takes the smaller for control
        result = experiment.analyze(
            mine.assign(variant=(mine["arm"] == "coupon").astype(int)).drop(columns=["tier", "arm"])
        )
        tiers[tier] = {
            metric: {ours: float(getattr(found, theirs)) for theirs, ours in names.items()}
            for metric, found in result.items()
        }
    return {
        "tiers": tiers,
        "holm": multipletests(P_VALUES, method="holm")[1].tolist(),
        "benjamini_hochberg": multipletests(P_VALUES, method="fdr_bh")[1].tolist(),
        "paule_mandel": [
            float(
                combine_effects(pd.Series(d).to_numpy(), pd.Series(v).to_numpy(), method_re="iterated", atol=1e-9).tau2
            )
            for d, v in EFFECTS
        ],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")
