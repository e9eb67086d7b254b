"""Open University (Kuzilek et al. 2017): enrolments as memberships give stages and cohort retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import toolkit as tk

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = pd.Timestamp("2014-12-31")
ENROLMENTS = 32_593
WITHOUT_A_DATE = 45
MONTH_OF = {"B": "02", "J": "10"}
pytestmark = pytest.mark.xdist_group("oulad")


@pytest.fixture(scope="module")
def enrolments(datasets: Path, registrations: pd.DataFrame) -> pd.DataFrame:
    students = pd.read_parquet(datasets / "oulad" / "student.parquet")
    keys = ["code_module", "code_presentation", "id_student"]
    found = registrations.merge(students, on=keys, validate="one_to_one")
    start = _opens(found["code_presentation"])
    return found.assign(
        customer_id=found["id_student"].astype(str),
        opens=start,
        starts_at=start + pd.to_timedelta(found["date_registration"], unit="D"),
        ends_at=start + pd.to_timedelta(found["module_presentation_length"], unit="D"),
        cancelled_at=start + pd.to_timedelta(found["date_unregistration"], unit="D"),
    )


@pytest.fixture(scope="module")
def handed_in(datasets: Path) -> pd.DataFrame:
    folder = datasets / "oulad"
    found = pd.read_parquet(folder / "student_assessment.parquet").merge(
        pd.read_parquet(folder / "assessment.parquet"), on="id_assessment", validate="many_to_one"
    )
    moment = _opens(found["code_presentation"]) + pd.to_timedelta(found["date_submitted"], unit="D")
    return pd.DataFrame(
        {
            "customer_id": found["id_student"].astype(str),
            "occurred_at": moment,
            "kind": "lesson_complete",
            "content_id": found["id_assessment"].astype(str),
        }
    )


@pytest.fixture(scope="module")
def study(enrolments: pd.DataFrame, handed_in: pd.DataFrame) -> tk.Study:
    columns = ["customer_id", "starts_at", "ends_at", "cancelled_at"]
    orders = enrolments.rename(columns={"starts_at": "ordered_at", "studied_credits": "amount"})
    return tk.Study.from_frames(
        orders[["customer_id", "ordered_at", "amount"]].dropna(),
        memberships=enrolments[columns],
        events=handed_in,
        timezone="Europe/London",
        currency="GBP",
    )


def test_every_enrolment_is_a_period_but_those_without_a_date(study: tk.Study, enrolments: pd.DataFrame) -> None:
    book = study.ledger[study.ledger["table"] == "memberships"].set_index("reason")["rows"]
    broken = (enrolments["ends_at"] < enrolments["starts_at"]).sum()
    assert book.sum() == ENROLMENTS
    assert book["missing_date"] == WITHOUT_A_DATE
    assert book["membership"] == ENROLMENTS - WITHOUT_A_DATE - broken
    assert (enrolments["date_unregistration"] <= 0).sum() == 3_097
    assert enrolments["final_result"].value_counts().to_dict() == {
        "Pass": 12_361, "Withdrawn": 10_156, "Fail": 7_052, "Distinction": 3_024,
    }  # fmt: skip


def test_everybody_has_one_stage_and_it_is_that_of_the_rule(
    study: tk.Study, enrolments: pd.DataFrame, handed_in: pd.DataFrame
) -> None:
    snap = study.snapshot(AS_OF)
    tiered = tk.Tiers(study).fit(snap).transform(snap)
    acts = pd.concat(
        [
            enrolments[["customer_id", "starts_at"]].set_axis(["who", "day"], axis="columns"),
            handed_in[["customer_id", "occurred_at"]].set_axis(["who", "day"], axis="columns"),
        ]
    ).query("day <= @AS_OF")
    idle = (AS_OF - acts.groupby("who")["day"].max()).dt.days.reindex(snap.index)
    bought = enrolments[enrolments["starts_at"] <= AS_OF].groupby("customer_id")["starts_at"].nunique()
    bought = bought.reindex(snap.index, fill_value=0)
    recent = handed_in[handed_in["occurred_at"].between(AS_OF - pd.Timedelta(days=29), AS_OF)]
    busy = recent.groupby("customer_id")["occurred_at"].nunique().reindex(snap.index, fill_value=0)
    expected = np.select(
        [idle > 180, idle > 90, bought >= 2, (bought == 1) | (busy >= 4)],
        ["loss", "dormancy", "maturity", "growth"],
        "introduction",
    )
    assert tiered["stage"].astype(str).tolist() == expected.tolist()
    assert set(tiered["stage"].dropna()) >= {"maturity", "growth", "dormancy", "loss"}
    assert tiered["stage"].notna().all()


def test_cohort_retention_is_the_share_of_members_by_age(study: tk.Study, enrolments: pd.DataFrame) -> None:
    found = tk.cohort_retention(study, AS_OF.date(), cohort="membership", act="membership", unit="month")
    valid = enrolments.dropna(subset=["starts_at"]).query("ends_at >= starts_at and starts_at <= @AS_OF")
    left = (valid["cancelled_at"] - pd.Timedelta(days=1)).where(valid["cancelled_at"] <= AS_OF)
    last = pd.concat([valid["ends_at"], left], axis="columns").min(axis="columns")
    first = valid.groupby("customer_id")["starts_at"].transform("min")
    cohort = first.dt.to_period("M").dt.to_timestamp()
    assert found.customers.sum() == valid["customer_id"].nunique()
    for age in (0, 1, 3, 6, 12):
        reached = first + pd.DateOffset(months=age)
        covers = (valid["starts_at"] <= reached) & (reached <= last)
        active = valid[covers].groupby(cohort[covers])["customer_id"].nunique()
        shown = found.active[age].dropna()
        assert len(shown) > 3
        assert shown.astype(int).to_dict() == active.reindex(shown.index, fill_value=0).to_dict(), age


def test_retention_by_age_falls_and_is_never_a_hundred_percent(study: tk.Study) -> None:
    overall = tk.cohort_retention(study, AS_OF.date(), cohort="membership", act="membership").overall["share"]
    assert overall[1] > overall[6] > overall[12]
    assert overall[1] < 1


def _opens(presentation: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Return the day on which a presentation such as 2013J opens: B in February, J in October."""
    return pd.to_datetime(presentation.str[:4] + "-" + presentation.str[4].map(MONTH_OF) + "-01")
