"""What a unit did over a window of its own, by hand; assignments."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import toolkit as tk
from toolkit.data.measures import Measure
from toolkit.errors import ArgumentError, StudyFileError

if TYPE_CHECKING:
    from collections.abc import Callable


def business(**tables: Any) -> tk.Study:
    orders = tables.pop("orders", [{"customer_id": "C1", "ordered_at": "2026-01-05", "amount": 10}])
    frames = {name: pd.DataFrame(rows) for name, rows in {"orders": orders, **tables}.items()}
    return tk.Study.from_frames(
        timezone="Asia/Shanghai", currency="CNY", policies={"negative_amounts": "refund"}, **frames
    )


def test_the_window_starts_at_the_moment_and_ends_before_the_same_moment() -> None:
    times = ["2026-02-01 09:59:59", "2026-02-01 10:00:00", "2026-02-08 09:59:59", "2026-02-08 10:00:00"]
    study = business(orders=[{"customer_id": "C1", "ordered_at": at, "amount": 10**n} for n, at in enumerate(times)])
    starts = pd.Series(pd.Timestamp("2026-02-01 10:00"), index=["C1"])
    assert study.outcomes(starts, "2026-03-01", {"x": Measure("spend")}, last_day=7)["x"].tolist() == [110.0]
    assert study.outcomes(starts, "2026-03-01", {"x": Measure("spend")}, first_day=-7, last_day=0)["x"].tolist() == [
        1.0
    ]


def test_a_refund_inside_the_window_is_taken_off() -> None:
    rows = [("2026-01-20", 100), ("2026-02-03", -40), ("2026-02-04", 15.5)]
    study = business(orders=[{"customer_id": "C1", "ordered_at": at, "amount": amount} for at, amount in rows])
    starts = pd.Series(pd.Timestamp("2026-02-01"), index=["C1"])
    assert study.outcomes(starts, "2026-03-01", {"x": Measure("spend")})["x"].tolist() == [-24.5]


def test_messages_of_a_campaign() -> None:
    contacts = [
        {"customer_id": "C1", "sent_at": "2026-02-02", "campaign_id": name, "delivered": told}
        for name, told in [("A", "yes"), ("A", "no"), ("B", "yes"), (None, "yes")]
    ]
    study = business(contacts=contacts)
    starts = pd.Series(pd.Timestamp("2026-02-01"), index=["C1"])
    measures = {"a": Measure("messages", ("A",)), "every": Measure("messages")}
    assert study.outcomes(starts, "2026-03-01", measures).to_numpy().tolist() == [[1.0, 3.0]]


def test_assignments_are_seen_up_to_the_day_and_two_ids_are_one_person() -> None:
    rows = [("C1", "a", "2026-02-01 10:00"), ("U1", "b", "2026-02-02"), ("C2", "a", "2026-02-03 00:00:00")]
    study = business(
        assignments=[
            {"experiment_id": "E", "customer_id": who, "arm": arm, "assigned_at": at} for who, arm, at in rows
        ],
        identities=[{"customer_id": "C1", "id_kind": "openid", "id_value": "U1"}],
    )
    found = study.assignments("E", "2026-02-02")
    assert found[["customer_id", "arm"]].to_numpy().tolist() == [["C1", "a"], ["C1", "b"]]
    assert found["assigned_at"].tolist() == [pd.Timestamp("2026-02-01 10:00"), pd.Timestamp("2026-02-02")]
    assert len(study.assignments("E", "2026-02-03")) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda study: study.assignments("coupons", "2026-03-01"), "did you mean 'coupon'"),
        (lambda study: study.assignments("coupon", "2026-01-31"), "nobody was assigned"),
        (lambda _: business().assignments("coupon", "2026-03-01"), "no table assignments"),
        (lambda study: study.outcomes(pd.Series([1], index=["C1"]), "2026-03-01", {}), "moments of local time"),
        (
            lambda study: study.outcomes(pd.Series([pd.NaT], index=["C1"], dtype="datetime64[s]"), "2026-03-01", {}),
            "none missing",
        ),
        (
            lambda study: study.outcomes(
                pd.Series(pd.Timestamp("2026-02-01", tz="UTC"), index=["C1"]), "2026-03-01", {}
            ),
            "time zone",
        ),
        (
            lambda study: study.outcomes(pd.Series(pd.Timestamp("2026-02-01"), index=["C1", "C1"]), "2026-03-01", {}),
            "more than once",
        ),
        (
            lambda study: study.outcomes(
                pd.Series(pd.Timestamp("2026-02-01"), index=["C1"]), "2026-03-01", {}, last_day=0
            ),
            "is empty",
        ),
        (
            lambda study: study.outcomes(
                pd.Series(pd.Timestamp("2026-02-01"), index=["C1"]), "2026-03-01", {"x": Measure("opt_outs")}
            ),
            "contacts or events",
        ),
        (lambda _: Measure("spent"), "did you mean 'spend'"),  # type: ignore[arg-type]  # that is what is refused
        (lambda _: Measure("events"), "kinds"),
        (lambda _: Measure("spend", ("x",)), "kinds"),
    ],
)
def test_what_cannot_be_measured_is_refused(call: Callable[[tk.Study], object], message: str) -> None:
    row = {"experiment_id": "coupon", "customer_id": "C1", "arm": "a", "assigned_at": "2026-02-01"}
    with pytest.raises(ArgumentError, match=message):
        call(business(assignments=[row]))


def test_the_study_file_names_its_experiments(tmp_path: Any) -> None:
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\nC1,2026-01-05,10\n")
    head = "name: shop\ntimezone: Asia/Shanghai\ncurrency: CNY\ntables: {orders: {files: orders.csv}}\n"
    (tmp_path / "study.yaml").write_text(head + "experiments: [coupon.yaml, gift.yaml]\n")
    study = tk.Study.open(tmp_path / "study.yaml")
    assert study.experiments == (tmp_path / "coupon.yaml", tmp_path / "gift.yaml")
    before = study.input_hashes()
    (tmp_path / "coupon.yaml").write_text("experiment: coupon\n")
    assert set(study.input_hashes()) - set(before) == {"experiments/coupon.yaml"}
    (tmp_path / "study.yaml").write_text(head + "experiments: [7]\n")
    with pytest.raises(StudyFileError, match="experiments"):
        tk.Study.open(tmp_path / "study.yaml")


def test_the_demo_experiment_is_measured_as_it_was_made() -> None:
    study = tk.Study.demo(customers=600, seed=3)
    assigned = study.assignments("checkin_cashback", "2026-10-31").set_index("customer_id")
    days = pd.to_datetime(assigned["assigned_at"]).dt.date
    assert (min(days), max(days)) == (date(2026, 8, 23), date(2026, 8, 29))
    done = study.outcomes(
        assigned["assigned_at"], "2026-10-31", {"x": Measure("events", ("lesson_complete",))}, last_day=28
    )["x"]
    assert set(done.unique()) <= {0.0, 1.0, 2.0, 3.0}
    assert 0.02 < (done > 0).mean() < 0.15
