"""Open University (Kuzilek et al. 2017): withdrawal since registration, where the log only starts with the course.

The register knows everybody who ever enrolled. An analyst whose log starts on day 0 of the course sees only those who
are still there: 3,097 had left by then. Counting these as if they had been followed from their registration makes
withdrawal look rarer than it was; entering them late mends most of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk

ORACLE = Path(__file__).parents[1] / "oracles" / "km_oulad.csv"
DAYS = [7, 30, 90, 180, 300]
NAMES = ["whole", "late_entry", "naive"]


pytestmark = pytest.mark.xdist_group("oulad")


@pytest.fixture(scope="module")
def enrolments(registrations: pd.DataFrame) -> pd.DataFrame:
    found = registrations.dropna(subset="date_registration")
    end = found["date_unregistration"].fillna(found["module_presentation_length"])
    return pd.DataFrame(
        {
            "duration_days": end - found["date_registration"],
            "event": found["date_unregistration"].notna().astype("int64"),
            "entry_days": (-found["date_registration"]).clip(lower=0),
        }
    )


@pytest.fixture(scope="module")
def estimates(enrolments: pd.DataFrame) -> dict[str, Any]:
    seen = enrolments[enrolments["duration_days"] > enrolments["entry_days"]]
    return {
        "whole": tk.survival_curves(enrolments.drop(columns="entry_days")),
        "late_entry": tk.survival_curves(seen),
        "naive": tk.survival_curves(seen.drop(columns="entry_days")),
    }


def side_by_side(estimates: dict[str, Any]) -> pd.DataFrame:
    """Share still enrolled so many days after registration, with its interval, by estimate."""
    return pd.concat({name: _at(found.curves) for name, found in estimates.items()}, axis="columns")


def test_three_estimates_side_by_side_are_those_of_r(estimates: dict[str, Any]) -> None:
    table = side_by_side(estimates)
    wanted = pd.read_csv(ORACLE).set_index(["estimate", "day"])
    assert table.columns.get_level_values(0).unique().tolist() == NAMES
    for name in NAMES:
        assert table[name].to_numpy() == pytest.approx(wanted.loc[name].loc[DAYS].to_numpy(), abs=1e-9), name


def test_late_entry_mends_most_of_what_the_naive_estimate_misses(estimates: dict[str, Any]) -> None:
    shares = side_by_side(estimates).xs("survival", axis="columns", level=1)
    missed = (shares["naive"] - shares["whole"]).loc[30:]
    left = (shares["late_entry"] - shares["whole"]).abs().loc[30:]
    assert (missed > 0.029).all(), shares.to_string()
    assert (left < 0.031).all(), shares.to_string()
    assert (left < missed).all(), shares.to_string()
    assert shares.iloc[-1].round(3).tolist() == [0.699, 0.683, 0.772]


def test_who_is_in_which_estimate(enrolments: pd.DataFrame, estimates: dict[str, Any]) -> None:
    """Of the 3,097 who left by day 0, 35 have no registration date."""
    unseen = (enrolments["duration_days"] <= enrolments["entry_days"]).sum()
    assert (len(enrolments), unseen) == (32_548, 3_097 - 35)
    for name in ("late_entry", "naive"):
        assert estimates[name].summary.loc["all", ["n", "events"]].tolist() == [32_548 - 3_062, 6_971]
    assert estimates["whole"].summary.loc["all", ["n", "events"]].tolist() == [32_548, 10_033]
    assert np.isnan(estimates["late_entry"].summary.loc["all", "median"])
    assert "not reached" in repr(estimates["late_entry"])


def test_late_entry_is_a_plain_count_day_by_day(enrolments: pd.DataFrame, estimates: dict[str, Any]) -> None:
    days, entry = enrolments["duration_days"].to_numpy(), enrolments["entry_days"].to_numpy()
    gone = enrolments["event"].to_numpy() == 1
    share = 1.0
    for day in range(1, 91):
        at_risk = ((entry < day) & (days >= day)).sum()
        share *= 1 - ((days == day) & gone & (entry < day)).sum() / at_risk
    assert _at(estimates["late_entry"].curves).loc[90, "survival"] == pytest.approx(share, abs=1e-12)


def _at(curve: pd.DataFrame) -> pd.DataFrame:
    place = curve["time"].searchsorted(DAYS, side="right") - 1
    return curve.iloc[place][["survival", "lower", "upper"]].set_index(pd.Index(DAYS, name="day"))
