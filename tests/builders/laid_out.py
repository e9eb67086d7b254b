"""Evaluations and plans of a made-up experiment, as frames laid out by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from toolkit.strategy.evaluation import Evaluation
from toolkit.strategy.experiment import Experiment
from toolkit.strategy.plan import Plan
from toolkit.strategy.verdict import verdict

TIERS = ("none", "lead_in", "entry", "premium")
SIZES = {"none": 338, "lead_in": 498, "entry": 1_182, "premium": 247}
"""Units of one arm."""
LIFTS = {"none": 0.021, "lead_in": 0.081, "entry": 0.038, "premium": -0.011}


def spec(**changed: Any) -> Experiment:
    content = {
        "experiment": "cashback", "question": "Does cash-back bring people back?", "tier": "top_layer",
        "arms": {"control": 0.5, "cashback": 0.5}, "control": "control",
        "assigned": {"first": "2026-08-23", "last": "2026-08-29"}, "window_days": 28, "primary": "completed",
        "metrics": {
            "completed": {"kind": "proportion", "of": {"events": ["lesson_complete"]}},
            "paid": {"kind": "mean", "of": "spend"},
        },
        "guardrails": {"opted_out": {"kind": "proportion", "of": "opt_outs", "margin": 0.01, "worse": "higher"}},
        "smallest_effect": 0.03, "profit": {"of": "paid", "offer_cost": {"cashback": 2}}, "covariate": {"days": 90},
    }  # fmt: skip
    return Experiment.parse(content | changed)


def two_arms(**changed: Any) -> Experiment:
    return spec(**({"arms": {"control": 0.4, "cash $5 back": 0.3, "coupon": 0.3}, "profit": None} | changed))


def arms_of(promise: Experiment) -> list[str]:
    return [arm for arm in promise.arms if arm != promise.control]


def row(lift: float, n: int, base: float) -> dict[str, Any]:
    """Lay out the effect of an arm of ``n`` units on a share."""
    se = float(np.sqrt(2 * base * (1 - base) / n))
    p = float(min(1.0, 2 * np.exp(-0.717 * abs(lift / se) - 0.416 * (lift / se) ** 2)))
    status = ("better" if lift > 0 else "worse") if p < 0.0125 else "not_known"
    return {
        "n": n, "control_n": n, "value": base + lift, "control_value": base, "lift": lift, "lower": lift - 2 * se,
        "upper": lift + 2 * se, "relative_lift": lift / base, "relative_lower": (lift - 2 * se) / base,
        "relative_upper": (lift + 2 * se) / base, "se": se, "df": 2.0 * n - 2, "p_value": p,
        "p_adjusted": min(1.0, 4 * p), "test": "welch", "variance_ratio": 0.93, "status": status, "why": "",
    }  # fmt: skip


def evaluation(promise: Experiment | None = None, *, draws: int = 0, **changed: Any) -> Evaluation:
    """Lay out an evaluation; every further arm does a little worse than the one before."""
    promise = promise or spec()
    arms = arms_of(promise)
    overall, tiers = [], []
    for place, arm in enumerate(arms):
        for tier, n in SIZES.items():
            made = row(LIFTS[tier] - 0.02 * place, n, 0.3)
            shrunken = 0.6 * made["lift"] + 0.4 * 0.04
            half = 0.7 * (made["upper"] - made["lift"])
            tiers.append(
                {"metric": "completed", "arm": arm, "tier": tier, "weight": n / sum(SIZES.values()), **made,
                 "lift_shrunken": shrunken, "lower_shrunken": shrunken - half, "upper_shrunken": shrunken + half}
            )  # fmt: skip
        size = sum(SIZES.values())
        overall.append({"metric": "completed", "arm": arm, **row(0.041 - 0.02 * place, size, 0.3)})
        overall.append({"metric": "paid", "arm": arm, **row(0.2, size, 0.5), "value": 50.2, "control_value": 50.0})
    guards = [
        {"metric": "opted_out", "arm": arm, "value": 0.021, "control_value": 0.02, "lift": 0.001, "lower": -0.004,
         "upper": 0.006, "margin": 0.01, "worse": "higher", "harm_bound": 0.006, "p_value": 0.001, "status": "holds"}
        for arm in arms
    ]  # fmt: skip
    profit = [
        {"arm": arm, "tier": tier, "n": n, "value_lift": 1.0, "cost": 2.0, "lift": -1.0, "lower": -3.0, "upper": 1.0,
         "total": -1.0 * n}
        for arm in arms for tier, n in {**SIZES, "total": sum(SIZES.values())}.items()
    ]  # fmt: skip
    rng = np.random.default_rng(5)
    drawn = pd.DataFrame(
        {"arm": np.repeat(arms, draws), "draw": np.tile(np.arange(draws), len(arms)),
         "statistic": rng.standard_normal(draws * len(arms))}
    )  # fmt: skip
    frames = {
        "overall": pd.DataFrame(overall), "tiers": pd.DataFrame(tiers), "guardrails": pd.DataFrame(guards),
        "profit": pd.DataFrame(profit), "draws": drawn, "sample_ratio": ratio([promise.control, *arms]),
        "interaction": pd.DataFrame(
            {"metric": "completed", "arm": arms, "statistic": 2.1, "df_num": 3.0, "df_den": 1_200.0, "p_value": 0.098}
        ),
    }  # fmt: skip
    known: dict[str, Any] = {
        "experiment": promise.experiment, "question": promise.question, "control": promise.control, "arms": tuple(arms),
        "tier_order": TIERS, "primary": "completed", "alpha": 0.05, "smallest_effect": 0.03, "units": 4_530,
        "kinds": {"completed": "proportion", "paid": "mean", "opted_out": "proportion"}, "as_of": "2026-10-31",
        "checks": (), "sample_ratio_status": "green", "withheld": (), **frames,
        "write_verdict": partial(verdict, window_days=28, currency="CNY"),
    }  # fmt: skip
    return Evaluation(**(known | changed))


def ratio(arms: list[str], sizes: dict[str, int] | None = None) -> pd.DataFrame:
    """Lay out the counts of arms that got just what was planned."""
    counts = sizes or SIZES
    whole = ("overall", "", sum(counts.values()))
    cells = [whole, *(("tier", tier, n) for tier, n in counts.items()), ("day", "2026-08-23", 300)]
    columns = ["scope", "value", "arm", "n", "expected", "p_value", "p_adjusted"]
    rows = [(scope, value, arm, n, float(n), 0.8, 1.0) for scope, value, n in cells for arm in arms]
    return pd.DataFrame(rows, columns=columns)


def plan_frames(promise: Experiment | None = None) -> dict[str, pd.DataFrame]:
    """Lay out the tiers and the overall row of a plan."""
    promise = promise or spec()
    powers = {"none": 0.14, "lead_in": 0.83, "entry": 0.66, "premium": 0.12}
    tiers = [
        {"tier": tier, "arm": arm, "units": 2 * SIZES[tier], "weight": 0.25, "treated": SIZES[tier],
         "control": SIZES[tier], "baseline": 0.3, "sd": 0.46, "rho": 0.3, "mde": 2.8 / SIZES[tier] ** 0.5,
         "mde_unadjusted": 2.9 / SIZES[tier] ** 0.5, "power": power, "power_simulated": power + 0.01,
         "units_needed": 2_400.0, "learn": "no" if power < 0.5 else "yes", "why": ""}
        for arm in arms_of(promise) for tier, power in powers.items()
    ]  # fmt: skip
    overall = pd.DataFrame(
        {"units": 4_530, "mde": 0.037, "mde_unadjusted": 0.039, "power": 0.62, "power_simulated": 0.61},
        index=pd.Index(arms_of(promise), name="arm"),
    )
    return {"tiers": pd.DataFrame(tiers).set_index("tier"), "overall": overall}


def plan(promise: Experiment | None = None, **changed: Any) -> Plan:
    promise = promise or spec()
    known: dict[str, Any] = {
        "experiment": promise.experiment, "as_of": "2026-08-22", "spec_sha256": promise.sha256, "seed": 0,
        "allocation": pd.DataFrame(), "design_effect": 1.0, "icc": float("nan"), "days": 35, "weeks_to_fill": 0.0,
        "checks": (), **plan_frames(promise),
    }  # fmt: skip
    return Plan(**(known | changed))
