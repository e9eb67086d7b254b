"""Guardrails of rare events: too few for an estimate, yet the harm is bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import toolkit as tk
from toolkit.intervals import difference_interval, share_interval


def units(left: int, control_left: int, n: int = 2_000, control_n: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "arm": np.repeat(["offer", "none"], [n, control_n]),
            "tier": np.tile(["a", "b"], (n + control_n) // 2),
            "left": 0,
            "spend": rng.normal(10, 1, n + control_n),
        }
    )
    frame.loc[: left - 1, "left"] = 1
    frame.loc[n : n + control_left - 1, "left"] = 1
    return frame


def guardrail(frame: pd.DataFrame, **options: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "tier": "tier", "metrics": {"spend": "mean", "left": "proportion"}, "guardrails": {"left": (0.01, "higher")},
        "despite": ("sample_ratio",), "test": "welch",
    }  # fmt: skip
    found = tk.evaluate_units(frame, arm="arm", control="none", **(asked | options))
    (row,) = found.guardrails.to_dict("records")
    assert ("at most" in str(found.verdict)) == bool(np.isnan(row["lift"]) and np.isfinite(row["harm_bound"]))
    return {str(name): value for name, value in row.items()}


@pytest.mark.parametrize(
    ("shares", "rows", "ends"),
    [
        ((56 / 70, 48 / 80), (70, 80), (0.0524, 0.3339)),
        ((9 / 10, 3 / 10), (10, 10), (0.1705, 0.8090)),
        ((5 / 56, 0 / 29), (56, 29), (-0.0381, 0.1926)),
        ((0 / 10, 0 / 20), (10, 20), (-0.1611, 0.2775)),
        ((10 / 10, 0 / 10), (10, 10), (0.6075, 1.0)),
    ],
)
def test_the_interval_is_that_of_newcombe(
    shares: tuple[float, float], rows: tuple[float, float], ends: tuple[float, float]
) -> None:
    """Newcombe (1998), table II, method 10, cases a, b, d, f and h."""
    assert difference_interval(shares, rows) == pytest.approx(ends, abs=6e-5)


def test_no_event_at_all_bounds_the_harm_by_wilsons_ends() -> None:
    row = guardrail(units(0, 0))
    upper = share_interval(0.0, 2_000.0)[1]
    assert np.isnan(row["lift"])
    assert row["harm_bound"] == pytest.approx(float(upper))
    assert row["status"] == "holds"


def test_few_events_hold_break_or_say_nothing() -> None:
    cases = {(2, 3, 2_000): "holds", (1, 0, 100): "not_known", (60, 0, 2_000): "broken", (0, 4, 40): "not_known"}
    assert {case: guardrail(units(*case))["status"] for case in cases} == cases


def test_lower_may_be_the_harm() -> None:
    frame = units(1, 3)
    frame["left"] = 1 - frame["left"]
    row = guardrail(frame, metrics={"spend": "mean", "left": "retention"}, guardrails={"left": (0.01, "lower")})
    mirrored = guardrail(units(1, 3))
    assert row["harm_bound"] == pytest.approx(mirrored["harm_bound"], rel=0.02)
    assert row["status"] == mirrored["status"] == "holds"


def test_groups_have_no_such_bound() -> None:
    row = guardrail(units(0, 0).assign(group=np.arange(4_000) // 20), cluster="group", tier=None)
    assert np.isnan(row["harm_bound"])
    assert row["status"] == "not_known"


def test_a_guardrail_that_is_broken_by_its_margin_is_seldom_called_whole() -> None:
    """Harm at the margin: called whole in 2.5 % of experiments, or in fewer; counted out over all pairs of counts."""
    n, base, margin = 2_000, 0.001, 0.01
    called = sum(
        binom.pmf(left, n, base + margin) * binom.pmf(control_left, n, base)
        for left in range(80)
        for control_left in range(20)
        if difference_interval((left / n, control_left / n), (n, n))[1] < margin
    )
    assert 0 < called <= 0.025
