"""Where the truth is known: the demo's buying process, which the survival model does not assume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.profiles import THOROUGH, several
from toolkit.data.synthetic import course_seller
from toolkit.risk.calibration import Calibration, calibration

if TYPE_CHECKING:
    from numpy.typing import NDArray

CUSTOMERS, SEED = several(8_000, 40_000), 21
ORIGINS = ["2026-07-31"]
HORIZON = 90
ENOUGH = several(70, 200)


pytestmark = pytest.mark.xdist_group("known buyers")


@pytest.fixture(scope="module")
def study() -> tk.Study:
    return tk.Study.demo(customers=CUSTOMERS, seed=SEED)


@pytest.fixture(scope="module")
def found(study: tk.Study) -> Any:
    return tk.backtest(study, tk.ChurnModel(), origins=ORIGINS, horizon=HORIZON, tiers=tk.RFM())


@pytest.fixture(scope="module")
def ours(found: Any) -> Any:
    return found.scores[found.scores["model"] == "churn_model"]


def test_risks_come_true_overall(ours: Any) -> None:
    overall = ours[ours["tier"] == "all"]
    assert len(overall) == len(ORIGINS)
    assert overall["slope"].between(0.9, 1.1).all(), overall["slope"].tolist()
    assert (overall["mean_risk"] - overall["observed"]).abs().max() < 0.02
    assert overall["ici"].max() < 0.02
    assert overall["use_here"].all()


def test_risks_come_true_in_every_tier_with_enough_events(ours: Any) -> None:
    tiers = ours[(ours["scheme"] == "segment") & (ours["events"] >= ENOUGH)].set_index(["origin", "tier"])
    assert len(tiers) >= 4
    assert ((tiers["slope_lower"] < 1.1) & (tiers["slope_upper"] > 0.9)).all(), tiers["slope"].to_string()
    assert not THOROUGH or tiers["slope"].between(0.9, 1.1).all(), tiers["slope"].to_string()
    far = (tiers["mean_risk"] - tiers["observed"]).abs()
    assert far.max() < several(4, 2) / 100, tiers[["mean_risk", "observed"]].to_string()
    assert tiers["use_here"].all()


def test_risks_are_near_the_true_probabilities(found: Any, ours: Any, study: tk.Study) -> None:
    """Not what came, but the process's own probability of what could come: overall and in the same tiers."""
    truth = course_seller(customers=CUSTOMERS, seed=SEED).truth
    rows = found.risks[found.risks["model"] == "churn_model"]
    for origin in ORIGINS:
        risk = rows[rows["origin"] == pd.Timestamp(origin)].set_index("customer_id")["risk"]
        true = true_risk(truth.loc[risk.index], pd.Timestamp(origin) + pd.Timedelta(days=1))
        snap = study.snapshot(origin)
        segment = tk.RFM().fit(snap).transform(snap)["segment"].loc[risk.index]
        here = ours[(ours["origin"] == pd.Timestamp(origin)) & (ours["events"] >= ENOUGH)]
        for tier in here["tier"]:
            of_it = np.full(len(risk), fill_value=True) if tier == "all" else (segment == tier).to_numpy()
            compared = against(risk.to_numpy()[of_it], true[of_it])
            assert abs(compared.slope - 1) < several(15, 10) / 100, (tier, compared)
            assert abs(compared.predicted - compared.observed) < 0.02, (tier, compared)


def against(risk: NDArray[np.float64], true: NDArray[np.float64]) -> Calibration:
    """Calibrate against probabilities: each buyer is there twice, with the bad event and without."""
    bad = np.repeat([True, False], len(risk))
    return calibration(bad, np.tile(risk, 2), np.concatenate([true, 1 - true]))


def true_risk(truth: pd.DataFrame, midnight: pd.Timestamp) -> NDArray[np.float64]:
    """Probability of no purchase within the horizon: gone already, or gone or idle until then at the own rates."""
    rate, leaving = (truth[name].to_numpy() for name in ("purchase_rate", "dropout_rate"))
    idle = np.exp(-(rate + leaving) * HORIZON)
    gone: NDArray[np.bool_] = (truth["drop_out_at"] < midnight).to_numpy()
    return np.where(gone, 1.0, idle + (1 - idle) * leaving / (rate + leaving))


def test_better_than_what_it_has_to_beat(found: Any) -> None:
    """Engagement tells who is still there; order dates alone do not."""
    loss = found.means[found.means["metric"].isin(["brier", "log_loss"])]
    beaten = loss[loss["model"].isin(["bg_nbd", "recency_rule", "kaplan_meier"])]
    assert len(beaten) == 6
    assert (beaten["difference_lower"] > 0).all(), beaten.to_string()


def test_no_false_alarm(found: Any) -> None:
    status = {check.code: check.status for check in found.checks}
    for code in ("leak_suspected", "too_good_in_training", "few_events", "calibration_slope", "beats_kaplan_meier"):
        assert status[code] == "passed", code
