"""Intervals of a back-test: customers drawn anew, the same ones for every contender and origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from tests.builders.profiles import several
from toolkit.risk.redraws import redraw
from toolkit.risk.trial import Trial, sooner
from toolkit.risk.weighted_scores import METRICS, WeightedScores, pair_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def made_trial(n: int, seed: int, *, spread: float = 1.0) -> Trial:
    """Days to the next order drawn from known risks; ``tilted`` has the right order but risks too extreme."""
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(0.5, 1.2, n))
    day = np.ceil(rng.exponential(1, n) / -np.log(risk) * 60)
    event = (day <= 60).astype(np.int64)
    came = pd.DataFrame(
        {"days": np.minimum(day, 60.0), "event": event, "bad": event == 0},
        index=pd.Index([f"c{number:06d}" for number in range(n)], name="customer_id"),
    )
    said = {"churn_model": expit(spread * logit(risk)), "tilted": expit(1.4 * logit(risk)), "noise": rng.random(n)}
    return Trial(
        origin=date(2026, 1, 31),
        horizon=60,
        outcome="order",
        came=came,
        risks=pd.DataFrame(said, index=came.index),
        reference=0.6,
        tiers=pd.DataFrame(index=came.index),
        references={},
        served={},
    )


def machine(trial: Trial, model: str) -> WeightedScores:
    score = trial.scores().set_index("model").loc[model]
    risk = trial.risks[model].to_numpy()
    return WeightedScores(
        trial.came["bad"].to_numpy(),
        risk,
        days=trial.came["days"].to_numpy(),
        event=trial.came["event"].to_numpy(),
        early=sooner(risk, "order"),
        score={metric: float(score[metric]) for metric in METRICS},
    )


@pytest.mark.parametrize("model", ["churn_model", "noise"])
def test_weights_of_one_give_the_scores_themselves(model: str) -> None:
    trial = made_trial(800, 1)
    score = trial.scores().set_index("model").loc[model]
    for metric, value in machine(trial, model)(np.ones((2, 800))).items():
        assert value == pytest.approx([score[metric]] * 2, abs=1e-9), metric


@pytest.mark.parametrize("model", ["churn_model", "tilted"])
def test_weights_stand_for_repeated_rows(model: str) -> None:
    """Means exactly; the others to a tenth of how far a redraw moves them."""
    trial = made_trial(3_000, 2)
    asked = machine(trial, model)
    rng = np.random.default_rng(5)
    for _ in range(5):
        weights = rng.poisson(1.0, 3_000)
        rows = np.repeat(np.arange(3_000), weights)
        drawn = replace(trial, came=trial.came.iloc[rows], risks=trial.risks.iloc[rows], tiers=trial.tiers.iloc[rows])
        expected = drawn.scores().set_index("model").loc[model]
        found = asked(weights[None, :].astype(float))
        for metric in ("brier", "log_loss", "mean_risk", "observed"):
            assert found[metric][0] == pytest.approx(expected[metric], rel=1e-12), metric
        for metric, near in {"auc": 6e-4, "harrell_c": 6e-4, "slope": 6e-3, "intercept": 4e-3, "ici": 6e-3}.items():
            assert found[metric][0] == pytest.approx(expected[metric], abs=near), metric


def test_intervals_are_as_wide_as_sampling_is() -> None:
    """Against new samples of the same truth: standard errors agree to a quarter."""
    truth = pd.concat([made_trial(600, 100 + seed).scores().assign(seed=seed) for seed in range(several(60, 120))])
    spread = truth[truth["model"] == "tilted"][list(METRICS)].std()
    apart = truth.pivot_table(index="seed", columns="model", values=["brier", "log_loss"])
    trial = made_trial(600, 7)
    means = redraw([trial], trial.scores(), seed=1).means
    tilted = means[means["model"] == "tilted"].set_index("metric")
    width = (tilted["upper"] - tilted["lower"]) / (2 * 1.96)
    for metric in ("brier", "log_loss", "auc", "harrell_c", "uno_c", "slope", "intercept", "mean_risk", "observed"):
        assert width[metric] == pytest.approx(spread[metric], rel=0.25), metric
    width = (tilted["difference_upper"] - tilted["difference_lower"]) / (2 * 1.96)
    for metric in ("brier", "log_loss"):
        expected = (apart[metric]["tilted"] - apart[metric]["churn_model"]).std()
        assert width[metric] == pytest.approx(expected, rel=0.25), metric


def test_the_same_customers_twice_are_no_more_evidence() -> None:
    trial = made_trial(500, 3)
    later = replace(trial, origin=date(2026, 2, 28))
    once = redraw([trial], trial.scores(), seed=1)
    twice = redraw([trial, later], pd.concat([trial.scores(), later.scores()]), seed=1)
    pd.testing.assert_frame_equal(once.means, twice.means)
    columns = ["model", "bin", "predicted", "observed", "lower", "upper"]
    pd.testing.assert_frame_equal(once.calibration[columns], twice.calibration[columns])
    assert (twice.calibration["n"] == 2 * once.calibration["n"]).all()


def test_origins_may_have_customers_of_their_own() -> None:
    trial, other = made_trial(400, 3), made_trial(300, 4)
    other = replace(other, origin=date(2026, 2, 28), came=other.came.set_axis(other.came.index + "x"))
    other = replace(other, risks=other.risks.set_axis(other.came.index), tiers=other.tiers.set_axis(other.came.index))
    means = redraw([trial, other], pd.concat([trial.scores(), other.scores()]), seed=1).means
    one = redraw([trial], trial.scores(), seed=1).means
    width, alone = (frame["upper"] - frame["lower"] for frame in (means, one))
    brier = means["metric"] == "brier"
    assert (width[brier] < alone[brier]).all()


def test_tenths_hold_everybody_once_and_calibrated_risks_lie_in_their_intervals() -> None:
    trial = made_trial(5_000, 5)
    found = redraw([trial], trial.scores(), seed=1)
    ours = found.calibration[found.calibration["model"] == "churn_model"]
    assert ours["n"].sum() == 5_000
    assert ours["predicted"].is_monotonic_increasing
    assert ours["predicted"].between(ours["lower"], ours["upper"]).sum() >= 8
    assert ours["observed"].between(ours["lower"], ours["upper"]).all()
    loss = found.means[found.means["metric"].isin(["brier", "log_loss"]) & (found.means["model"] != "churn_model")]
    assert (loss["difference_lower"] > 0).all(), "risks that are too extreme, or noise, are not told from right ones"
    assert found.lift["decile"].tolist() == list(range(1, 11))
    assert found.lift["predicted"].is_monotonic_decreasing
    share = found.lift["n"] / found.lift["n"].sum()
    assert (found.lift["lift"] * share).sum() == pytest.approx(1)
    assert found.lift["lift"].between(found.lift["lower"], found.lift["upper"]).all()


def test_equal_risks_share_a_tenth() -> None:
    trial = made_trial(200, 6)
    trial = replace(trial, risks=trial.risks.assign(churn_model=np.where(trial.came["days"] > 30, 0.8, 0.4)))
    found = redraw([trial], trial.scores(), seed=1)
    ours = found.calibration[found.calibration["model"] == "churn_model"]
    assert ours["predicted"].tolist() == pytest.approx([0.4, 0.8])
    assert len(found.lift) == 2


def test_pairs_are_counted_as_by_hand() -> None:
    """A has the event on day 1, B and C on day 2, D is deleted on day 1, E has none by day 3.

    Pairs: A with all four; B and C with D and E, not with each other.
    """
    won, pairs = pair_counts(
        np.array([1.0, 2.0, 2.0, 1.0, 3.0]), np.array([1, 1, 1, 2, 0]), np.array([0.9, 0.8, 0.1, 0.5, 0.5])
    )
    assert pairs.tolist() == [4, 3, 3, 3, 3]
    assert won.tolist() == [4, 3, 1, 2, 2]
