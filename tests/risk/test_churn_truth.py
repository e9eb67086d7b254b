"""Churn models against a simulator of known truth: episodes in whole days, late entry, repeated customers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import toolkit as tk
from tests.builders.churn_data import BETA, FEATURES, hazards
from tests.builders.profiles import several

ROWS = several(60_000, 200_000)
SHAPE, SCALE = 0.9, 80.0
HORIZONS = (7, 30, 90)


def members(rows: int, seed: int, *, frailty: float = 0.0, whole: bool = True) -> pd.DataFrame:
    """Make memberships with a Weibull baseline, two rows a customer, half of them seen from a later day on only.

    They end on whole days, or at once where not ``whole``.
    """
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal(rows), rng.integers(0, 2, rows), rng.random(rows)])
    factor = np.ones(rows)
    if frailty:
        x[1::2] = x[::2]
        factor = np.repeat(rng.gamma(1 / frailty, frailty, rows // 2), 2)
    entry = np.where(rng.random(rows) < 0.5, rng.integers(1, 60, rows), 0).astype(float)
    before = factor * np.exp(x @ BETA) * (entry / SCALE) ** SHAPE
    hazard = before + rng.exponential(1, rows)
    day = SCALE * (hazard / (factor * np.exp(x @ BETA))) ** (1 / SHAPE)
    day = np.ceil(day) if whole else day
    end = entry + rng.integers(40, 121, rows)
    frame = pd.DataFrame(x, columns=list(FEATURES), index=pd.Index(np.arange(rows) // 2, name="customer_id"))
    return frame.assign(
        duration_days=np.minimum(day, end), event=(day <= end).astype(int), entry_days=entry, day=day - entry
    )


def truth(frame: pd.DataFrame, days: float) -> Any:
    entry = frame["entry_days"].to_numpy()
    grown = ((entry + days) / SCALE) ** SHAPE - (entry / SCALE) ** SHAPE
    return 1 - np.exp(-grown * np.exp(frame[list(FEATURES)].to_numpy() @ BETA))


def slope(risk: Any, happened: Any) -> float:
    """Return the slope of a logistic regression of what happened on the log odds of the risk."""
    odds = np.log(risk / (1 - risk))

    def loss(line: Any) -> Any:
        return np.logaddexp(0, -np.where(happened, 1, -1) * (line[0] + line[1] * odds)).mean()

    return float(minimize(loss, [0.0, 1.0], method="BFGS").x[1])


@pytest.fixture(scope="module")
def trained() -> pd.DataFrame:
    return members(ROWS, 1)


@pytest.mark.parametrize("kind", ["cox", "weibull"])
def test_the_truth_is_found(trained: pd.DataFrame, kind: str) -> None:
    episodes = trained if kind == "cox" else members(several(30_000, ROWS), 1, whole=False)
    model = tk.ChurnModel(kind, outcome="end", features=FEATURES).fit(episodes)  # type: ignore[arg-type]  # of parametrize
    assert model.served_ == kind
    found = model.coef_.loc[list(FEATURES)]
    assert (np.abs(found["coef"].to_numpy() - BETA) < 3 * found["se"].to_numpy()).all()
    fresh = members(60_000, 2)
    risk = model.risk(fresh, HORIZONS)
    for days in HORIZONS:
        known = truth(fresh, days)
        ours = risk[f"risk_{days}d"].to_numpy()
        tenth = np.digitize(known, np.quantile(known, np.arange(1, 10) / 10))
        apart = [abs(ours[tenth == part].mean() - known[tenth == part].mean()) for part in range(10)]
        assert max(apart) < 0.01
        assert np.abs(ours - known).mean() < 0.01
        if kind == "cox":
            assert np.abs(ours - known).max() < 0.03
        assert abs(slope(ours, fresh["day"].to_numpy() <= days) - 1) < several(7, 5) / 100
    if kind == "cox":
        drift = next(check for check in model.checks_ if check.code == "proportional_hazards")
        assert drift.status == "passed"


@pytest.mark.fault(82)
def test_entry_ignored_overstates_survival(trained: pd.DataFrame) -> None:
    """Who is still there at the landmark has lasted; followed as if seen from day 0, all look loyal."""
    some = trained.iloc[:20_000]
    fresh = some.assign(entry_days=0.0)
    known = truth(fresh, 30).mean()
    late, naive = (
        tk.ChurnModel(outcome="end", features=FEATURES).fit(some, entry=entry).risk(fresh, (30,)).to_numpy().mean()
        for entry in ("entry_days", None)
    )
    assert abs(late - known) < 0.01
    assert naive < known - 0.05


def test_shared_frailty_shows_in_robust_errors_and_only_there(trained: pd.DataFrame) -> None:
    """Over 40 samples the robust error is as large as the estimates scatter, the plain one too small."""
    found = [
        tk.ChurnModel(outcome="end", features=FEATURES).fit(members(1_500, seed, frailty=1.0)).coef_.loc["x1"]
        for seed in range(40)
    ]
    table = pd.DataFrame(found)
    scatter = float(table["coef"].std())
    assert 0.75 < float(table["se"].mean()) / scatter < 1.3
    assert float(table["se_plain"].mean()) < 0.85 * float(table["se"].mean())
    alone = tk.ChurnModel(outcome="end", features=FEATURES).fit(trained.iloc[:50_000]).coef_
    assert alone["se"].to_numpy() == pytest.approx(alone["se_plain"].to_numpy(), rel=0.05)


def test_competing_deletion_is_not_counted_as_an_order() -> None:
    """Hazards 1/60 x exp(x beta) of the order and 1/80 of deletion: the incidence has a closed form."""
    episodes = hazards(several(20_000, 60_000), seed=4, deletion=1 / 80)
    model = tk.ChurnModel(features=FEATURES).fit(episodes)
    relative = np.exp(episodes[list(FEATURES)].to_numpy() @ BETA) / 60
    both = relative + 1 / 80
    known = 1 - relative / both * (1 - np.exp(-both * 30))
    risk = model.risk(episodes, (30,))["risk_30d"].to_numpy()
    assert np.abs(risk - known).mean() < 0.01
    assert np.abs(risk - known).max() < 0.03


def test_deletion_goes_by_the_same_covariates() -> None:
    """Those with a high x1 delete soon and order like the others."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal(20_000)
    order, gone = rng.exponential(60, len(x)), rng.exponential(80 * np.exp(-0.8 * x))
    last = np.minimum(np.minimum(order, gone), 90)
    episodes = pd.DataFrame(
        {"x1": x, "duration_days": np.ceil(last), "event": np.select([last == order, last == gone], [1, 2], 0)}
    )
    both = 1 / 60 + np.exp(0.8 * x) / 80
    known = 1 - (1 - np.exp(-both * 30)) / 60 / both
    risk = tk.ChurnModel(features=("x1",)).fit(episodes).risk(episodes, (30,))["risk_30d"].to_numpy()
    assert np.abs(risk - known).mean() < 0.01
