"""CDNOW: the published figures of BG/NBD and Gamma-Gamma, sample and master, and our own forecast of the holdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import betaln

import toolkit as tk
from tests.builders.buyers import NEEDED
from tests.builders.profiles import several
from toolkit.risk.holdout import holdout
from toolkit.risk.tracking import track

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALIBRATED, LAST_DAY = "1997-09-30", "1998-06-30"
HOLDOUT_DAYS = 273
pytestmark = pytest.mark.xdist_group("cdnow")


@pytest.fixture(scope="module")
def lines(datasets: Path) -> pd.DataFrame:
    """Return the published sample, one of ten customers of the master, from its own file."""
    names = ["master_id", "customer_id", "ordered_at", "discs", "amount"]
    path = datasets / "cdnow" / "CDNOW_sample.txt"
    found = pd.read_csv(path, sep=r"\s+", names=names, dtype={"customer_id": str})
    return found.assign(ordered_at=pd.to_datetime(found["ordered_at"], format="%Y%m%d"))


@pytest.fixture(scope="module")
def sample(lines: pd.DataFrame) -> tk.Study:
    return tk.Study.from_frames(
        lines[["customer_id", "ordered_at", "amount"]],
        timezone="America/New_York",
        currency="USD",
        policies={"zero_orders": "count"},
    )


@pytest.fixture(scope="module")
def calibrated(sample: tk.Study) -> pd.DataFrame:
    return sample.snapshot(CALIBRATED, NEEDED)


@pytest.fixture(scope="module")
def orders(calibrated: pd.DataFrame) -> tk.BetaGeo:
    return tk.BetaGeo(unit_days=7).fit(calibrated)


@pytest.fixture(scope="module")
def spend(calibrated: pd.DataFrame) -> tk.GammaGamma:
    return tk.GammaGamma().fit(calibrated)


def values(model: tk.BetaGeo | tk.GammaGamma) -> list[float]:
    return [round(value, 4) for value in model.params_["value"]]


def by_hand(lines: pd.DataFrame, end: str) -> pd.DataFrame:
    """Make the four columns with pandas alone, from the file's lines: days of one customer merged."""
    lines = lines[lines["ordered_at"] <= end]
    who, day = lines["customer_id"], lines["ordered_at"]
    first, last = day.groupby(who).min(), day.groupby(who).max()
    return pd.DataFrame(
        {
            "order_days": day.groupby(who).nunique(),
            "recency_days": (pd.Timestamp(end) - last).dt.days,
            "tenure_days": (pd.Timestamp(end) - first).dt.days,
            "repeat_spend": lines["amount"].where(day > who.map(first), 0.0).groupby(who).sum(),
        }
    )


def test_bg_nbd_of_the_sample(orders: tk.BetaGeo) -> None:
    assert orders.n_customers_ == 2_357
    assert values(orders) == [0.2426, 4.4136, 0.7929, 2.4259]
    assert round(orders.log_likelihood_, 4) == -9582.4292
    assert orders.served_ == "bg_nbd"


def test_both_of_the_sample_without_a_study(lines: pd.DataFrame, orders: tk.BetaGeo) -> None:
    frame = by_hand(lines, CALIBRATED)
    model = tk.BetaGeo().fit(frame)
    assert values(model) == [0.2426, 4.4136, 0.7929, 2.4259]
    assert model.log_likelihood_ == pytest.approx(orders.log_likelihood_, rel=1e-12)
    assert values(tk.GammaGamma().fit(frame)) == [6.2496, 3.7442, 15.4435]


def test_gamma_gamma_of_the_repeaters_with_the_mean_of_repeat_days(spend: tk.GammaGamma) -> None:
    """The published figures are those of repeat spend over repeat days: the first order day is in neither."""
    assert spend.n_customers_ == 946
    assert values(spend) == [6.2496, 3.7442, 15.4435]


def test_the_master(cdnow: tk.Study) -> None:
    snap = cdnow.snapshot(CALIBRATED, NEEDED)
    model = tk.BetaGeo(unit_days=7).fit(snap)
    assert model.n_customers_ == 23_570
    assert values(model) == [0.2516, 4.7889, 0.7234, 2.1611]
    assert round(model.log_likelihood_, 2) == -95368.44


def independent_expectation(theta: np.ndarray, x: int, last: float, tenure: float, time: float) -> float:
    """Expected orders by numerical integration over the chance to leave, x orders by ``last`` and silence since.

    Prior times likelihood for both fates, the rate integrated out by hand; given p and active, orders to come are
    (1 - E exp(-lambda p time)) / p.
    """
    r, alpha, a, b = theta
    s = r + x

    def weight(p: float, more_a: float, more_b: float) -> float:
        return float(np.exp((a + more_a - 1) * np.log(p) + (b + more_b - 1) * np.log1p(-p) - betaln(a, b)))

    def ahead(p: float) -> float:
        return weight(p, 0, x) * float(-np.expm1(-s * np.log1p(p * time / (alpha + tenure)))) / p

    def over_chances(value: Callable[[float], float]) -> float:
        options = {"epsabs": 0, "epsrel": 1e-10, "limit": 400}
        return float(sum(quad(value, *part, **options)[0] for part in ((0, 1e-4), (1e-4, 0.1), (0.1, 1))))

    stays = over_chances(lambda p: weight(p, 0, x))
    leaves = over_chances(lambda p: weight(p, 1, x - 1)) if x else 0.0
    odds = leaves / stays * ((alpha + tenure) / (alpha + last)) ** s
    return float(over_chances(ahead) / stays / (1 + odds))


def test_the_holdout_of_39_weeks(
    lines: pd.DataFrame, sample: tk.Study, orders: tk.BetaGeo, spend: tk.GammaGamma
) -> None:
    """Its orders as published; its money is that of the file."""
    found = holdout(sample, orders, spend, days=HOLDOUT_DAYS, as_of=LAST_DAY)
    assert found.totals.loc["orders", "actual"] == 1_882
    assert found.totals.loc["orders", "expected"] == pytest.approx(1_653.4, abs=0.05)
    assert "1,882" in found.sentence
    assert found.by_orders["customers"].tolist() == [1_411, 439, 214, 100, 62, 38, 93]
    paid = lines.loc[(lines["ordered_at"] > CALIBRATED) & (lines["ordered_at"] <= LAST_DAY), "amount"].sum()
    assert found.totals.loc["spend", "actual"] == pytest.approx(paid, abs=1e-6)


def test_the_forecast_is_that_of_an_independent_integration(calibrated: pd.DataFrame, orders: tk.BetaGeo) -> None:
    theta = orders.params_["value"].to_numpy()
    ours = orders.expected_orders(calibrated, HOLDOUT_DAYS)
    different = calibrated.drop_duplicates(NEEDED[:3])
    every = different.sort_values(NEEDED[:3]).iloc[:: several(21, 7)]
    theirs = [
        independent_expectation(
            theta, days - 1, (tenure - recency) / 7 if days > 1 else 0.0, tenure / 7, HOLDOUT_DAYS / 7
        )
        for days, recency, tenure in every[NEEDED[:3]].itertuples(index=False)
    ]
    assert len(every) > several(30, 100)
    assert ours[every.index].to_numpy() == pytest.approx(theirs, rel=1e-7)


def test_tracking_of_the_sample(sample: tk.Study, orders: tk.BetaGeo) -> None:
    """Fader, Hardie and Lee see total orders within a few percent through week 78; ours at the end: within 5 %."""
    table = track(sample, orders, LAST_DAY, every_weeks=13)
    at_fit = table.set_index("day").loc[CALIBRATED]
    assert at_fit["actual"] == 2_457
    last = table.iloc[-1]
    assert (last["day"], last["actual"]) == (pd.Timestamp(LAST_DAY), 2_457 + 1_882)
    assert last["expected"] == pytest.approx(last["actual"], rel=0.05)
