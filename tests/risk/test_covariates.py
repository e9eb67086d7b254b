"""Forms of features by hand, and which of them enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import toolkit as tk
from tests.builders.churn_data import shoppers
from toolkit.risk.covariates import DEFAULT_FEATURES
from toolkit.risk.forms import AsIs, Bend, Cross, Log, Missed, Missing, OwnGaps, OwnRate
from toolkit.schema import SNAPSHOT

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.risk.forms import Form

VALUES = {
    "recency_days": np.array([20.0, 20.0, 0.0]),
    "tenure_days": np.array([80.0, 20.0, 0.0]),
    "order_days": np.array([4.0, 1.0, 1.0]),
    "idle_days": np.array([10.0, 5.0, 0.0]),
    "spend": np.array([-5.0, 10.0, 90.0]),
    "? spend": np.array([0.0, 1.0, 0.0]),
}


FORMS: list[tuple[Form, list[float]]] = [
    (AsIs("spend"), [-5, 10, 90]),
    (Missing("spend"), [0, 1, 0]),
    (Log("spend", unit=10, highest=30), [0, np.log(2), np.log(4)]),
    (OwnGaps(20), [np.log(1 + 20 / 20), np.log(1 + 20 / 20), 0]),
    (OwnGaps(20, highest=0.5), [np.log(1.5), np.log(1.5), 0]),
    (OwnGaps(20, since="idle_days"), [np.log(1.5), np.log(1 + 5 / 20), 0]),
    (OwnRate(20), [np.log(3.25 / 100), np.log(0.25 / 40), np.log(0.25 / 20)]),
    (Missed(20, odds=False), [np.log1p(3 * np.log(100 / 80)), 0, 0]),
    (Missed(20, odds=True), [np.log1p((100 / 80) ** 3 / 4), 0, 0]),
    (Cross(AsIs("spend"), AsIs("order_days"), (10, 1)), [-45, 0, 0]),
]


def test_forms_by_hand() -> None:
    for form, found in FORMS:
        assert form.of(VALUES) == pytest.approx(np.array(found, dtype=float)), form
        assert set(form.sources) <= set(VALUES)


def test_a_bend_is_nothing_below_straight_beyond_and_smooth_between() -> None:
    bend = Bend(AsIs("x"), (1.0, 2.0, 4.0), 0)
    x = np.array([-3.0, 0.0, 1.0, 4.0, 5.0, 6.0, 9.0])
    found = bend.of({"x": x})
    assert found[:3].tolist() == [0, 0, 0]
    assert np.diff(found[3:6]) == pytest.approx([np.diff(found)[3]] * 2)
    assert found[6] - found[5] == pytest.approx(3 * (found[5] - found[4]))
    step = 1e-4
    at = np.array([1.0, 2.0, 4.0])
    before, here, after = (bend.of({"x": at + move}) for move in (-step, 0, step))
    assert (after - here) / step == pytest.approx((here - before) / step, abs=1e-3)


def test_default_features_are_in_the_snapshot_and_do_not_change_undated() -> None:
    known = {column.name: column for column in SNAPSHOT}
    assert set(DEFAULT_FEATURES) <= set(known)
    assert {known[name].dtype for name in DEFAULT_FEATURES} <= {"int64", "float64"}


def enter(frame: pd.DataFrame) -> tuple[str, ...]:
    return tuple(tk.ChurnModel().fit(frame).coef_.index)


def test_order_days_of_the_window_enter_where_the_window_has_left_orders_behind() -> None:
    """While they are those ever for most buyers, what they say is only where the window's edge happens to be."""
    frame = shoppers(600)
    whole = frame.assign(window_order_days=frame["order_days"])
    assert "log window_order_days" not in enter(whole)
    rng = np.random.default_rng(1)
    lost = rng.binomial(frame["order_days"], 0.5)
    edge = rng.random(len(frame)) < 0.1
    assert "log window_order_days" not in enter(
        frame.assign(window_order_days=np.where(edge, lost, frame["order_days"]))
    )
    assert "log window_order_days" in enter(frame.assign(window_order_days=lost))


def test_silence_without_any_act_is_told_beside_silence_without_an_order_where_it_differs() -> None:
    frame = shoppers(600)
    assert not [name for name in enter(frame.assign(idle_days=frame["recency_days"])) if "idle" in name]
    idle = np.minimum(frame["recency_days"], np.random.default_rng(1).integers(0, 90, len(frame)))
    assert [name for name in enter(frame.assign(idle_days=idle)) if "idle" in name] == [
        "log idle_days in own gaps",
        "log idle_days",
        "log idle_days, bend 1",
        "log idle_days, bend 2",
    ]


@pytest.mark.fault(77)
def test_ten_events_buy_a_column_in_order_of_priority() -> None:
    frame = shoppers(600)
    everything = enter(frame)
    assert everything[:3] == ("log recency_days", "log own rate", "log order_days")
    for events in (10, 19, 45):
        assert enter(frame.assign(event=np.arange(len(frame)) < events)) == everything[: events // 10]


def test_shrinkage_of_default_features_is_ten_events_and_fades() -> None:
    """Drawn by ten events more: the risks of a small shop lie closer together, those of a large one hardly do."""
    for customers, most in ((60, np.inf), (4_000, 0.06)):
        frame = shoppers(customers, seed=4)
        spread = [
            np.log(-np.log(tk.ChurnModel(penalizer=ridge / len(frame)).fit(frame).risk(frame, (90,)))).std().iloc[0]
            for ridge in (0, 10)
        ]
        assert 0 < spread[0] / spread[1] - 1 < most
