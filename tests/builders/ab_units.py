"""Units of an experiment as tests need them, and the usual questions to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import toolkit as tk

ARMS: dict[str, Any] = {"arm": "arm", "control": "none"}
FRAMES = ("overall", "interaction", "tiers", "guardrails", "profit")


def made_up(n: int = 600, seed: int = 1, arms: tuple[str, ...] = ("none", "coupon")) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"tier": rng.choice(["new", "old", "top"], n), "arm": np.resize(arms, n)})
    before = rng.normal(50, 10, n)
    lifted = (frame["arm"] != "none").to_numpy()
    return frame.assign(
        before=before,
        spend=before * 0.8 + rng.normal(10, 8, n) + 2 * lifted,
        visit=(rng.random(n) < 0.4 + 0.1 * lifted).astype(int),
        orders=rng.poisson(3, n),
    )


def ask(frame: pd.DataFrame, **options: Any) -> Any:
    asked = {"tier": "tier", "metrics": {"spend": "mean", "visit": "proportion", "per": ("spend", "orders")}}
    return tk.evaluate_units(frame, **ARMS, **(asked | options))


def same(one: Any, other: Any, *, rtol: float = 1e-9, frames: tuple[str, ...] = FRAMES) -> None:
    for name in frames:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), rtol=rtol, atol=1e-11, obj=name)


def assert_withheld(found: Any, shown: Any) -> None:
    """Assert that no table, draw or text holds an estimate of what the evaluation comes to where it is shown."""
    for name in FRAMES:
        table = getattr(found, name)
        assert len(table) == len(getattr(shown, name))
        estimates = table.select_dtypes("number").columns.difference(["n", "control_n", "weight", "margin", "cost"])
        assert table[estimates].isna().all(axis=None), name
        assert "status" not in table or set(table["status"]) <= {"not_known"}
    assert found.draws.empty
    assert [finding.code for finding in found.verdict] == ["withheld"]
    effect = f"{shown.overall['lift'].iloc[0]:.3g}"
    assert effect not in repr(found) + found._repr_html_()
