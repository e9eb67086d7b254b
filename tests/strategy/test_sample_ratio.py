"""Sample ratio: by hand, against R, and where it must not be silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.errors import ArgumentError
from toolkit.strategy.sample_ratio import sample_ratio

ORACLE = Path(__file__).parents[1] / "oracles" / "sample_ratio.csv"


def cell(scope: str, value: str, n: list[float], share: list[float]) -> pd.DataFrame:
    arms = [f"arm {place}" for place in range(len(n))]
    return pd.DataFrame({"scope": scope, "value": value, "arm": arms, "n": n, "expected": sum(n) * np.asarray(share)})


def overall(*n: float, share: list[float] | None = None) -> pd.DataFrame:
    return cell("overall", "", list(n), share or [1 / len(n)] * len(n))


def p_of(found: Any, scope: str, value: str, column: str = "p_value") -> float:
    table = found.table[(found.table["scope"] == scope) & (found.table["value"] == value)]
    values = set(table[column].fillna(-1))
    assert len(values) == 1
    return float(table[column].iloc[0])


def test_by_hand() -> None:
    """60 and 40 of 100: (10**2 + 10**2) / 50 = 4 on one degree of freedom."""
    found = sample_ratio(overall(60, 40))
    assert p_of(found, "overall", "") == pytest.approx(0.0455002638963584)
    assert (found.status, [check.status for check in found.checks]) == ("green", ["passed"])


def test_cookie_cats_is_amber() -> None:
    """The published counts of the two gates: chi-square 6.9, p = 0.0086."""
    found = sample_ratio(overall(44_700, 45_489))
    assert p_of(found, "overall", "") == pytest.approx(0.008608, abs=1e-6)
    (check,) = found.checks
    assert (found.status, check.status, check.subject) == ("amber", "failed", "amber")
    assert "44,700 where 45,094 were expected" in check.message


def test_few_units_are_tested_exactly() -> None:
    """8 heads of 10: 2 x (45 + 10 + 1) / 1024."""
    assert p_of(sample_ratio(overall(8, 2)), "overall", "") == pytest.approx(112 / 1024)


def test_against_r() -> None:
    for case, rows in pd.read_csv(ORACLE).groupby("case"):
        counts = cell("overall", "", rows["n"].tolist(), rows["share"].tolist())
        known = rows["binom" if counts["expected"].min() < 50 else "chisq"].iloc[0]
        assert p_of(sample_ratio(counts), "overall", "") == pytest.approx(known, rel=1e-9), case


def test_holm_against_r() -> None:
    """All cells large enough for a chi-square, one family."""
    oracle = pd.read_csv(ORACLE)
    large = oracle.groupby("case").filter(lambda rows: (rows["n"].sum() * rows["share"]).min() >= 50)
    parts = [cell("day", str(case), rows["n"].tolist(), rows["share"].tolist()) for case, rows in large.groupby("case")]
    found = sample_ratio(pd.concat([overall(1_000, 1_000), *parts]))
    tests = found.table.drop_duplicates(["scope", "value"])
    p = np.sort(tests["p_value"].to_numpy())
    stepped = np.minimum(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), 1)
    assert np.sort(tests["p_adjusted"].to_numpy()) == pytest.approx(stepped)
    assert len(tests) == 1 + large["case"].nunique() > 10


def test_one_broken_day_is_red_though_the_whole_is_green() -> None:
    day = [cell("day", "d1", [900, 700], [0.5, 0.5]), cell("day", "d2", [700, 900], [0.5, 0.5])]
    found = sample_ratio(pd.concat([overall(1_600, 1_600), *day]))
    assert p_of(found, "overall", "") == 1
    assert found.status == "red"
    assert "day d1" in found.checks[0].message


def test_holm_pays_for_looking_often() -> None:
    """A day of p = 0.0004 is red alone and not among forty."""
    odd = cell("day", "odd", [1_112, 952], [0.5, 0.5])
    even = [cell("day", str(place), [500, 500], [0.5, 0.5]) for place in range(40)]
    alone = sample_ratio(pd.concat([overall(1_000, 1_000), odd]))
    among = sample_ratio(pd.concat([overall(1_000, 1_000), odd, *even]))
    assert 0.0001 < p_of(alone, "day", "odd") < 0.0010 / 2
    assert (alone.status, among.status) == ("red", "green")
    assert p_of(among, "day", "odd", "p_adjusted") == pytest.approx(42 * p_of(among, "day", "odd"))


def test_small_days_are_listed_and_not_tested() -> None:
    counts = pd.concat(
        [overall(500, 500), cell("day", "d1", [99, 0], [0.5, 0.5]), cell("day", "d2", [0, 100], [0.5, 0.5])]
    )
    found = sample_ratio(counts)
    assert np.isnan(p_of(found, "day", "d1"))
    assert np.isnan(p_of(found, "day", "d1", "p_adjusted"))
    assert p_of(found, "day", "d2") < 1e-6
    assert len(found.table) == len(counts)


@pytest.mark.fault(93)
def test_an_empty_arm_is_red_whatever_the_counts() -> None:
    for n in (3, 40, 5_000):
        found = sample_ratio(overall(n, 0))
        assert found.status == "red"
        first = found.checks[0]
        assert (first.code, first.status, first.subject, first.count) == ("empty_arm", "failed", "arm 1", 1)


def test_nobody_at_all_is_red() -> None:
    found = sample_ratio(pd.DataFrame({"scope": "overall", "value": "", "arm": ["a", "b"], "n": 0, "expected": 1e-9}))
    assert found.status == "red"
    assert p_of(found, "overall", "") == 1


@pytest.mark.parametrize(
    ("counts", "what"),
    [
        (cell("tier", "t", [50, 50], [0.5, 0.5]), "no counts of scope 'overall'"),
        (overall(50, 50, share=[0.5, 0.6]), "add up"),
        (overall(50, 50, share=[1.0, 0.0]), "above 0"),
    ],
)
def test_counts_that_make_no_sense_are_refused(counts: pd.DataFrame, what: str) -> None:
    with pytest.raises(ArgumentError, match=what):
        sample_ratio(counts)


@examples(15, 100)
@given(st.lists(st.integers(0, 300), min_size=2, max_size=4).filter(lambda n: sum(n) > 0), st.randoms())
def test_the_order_of_rows_changes_nothing(n: list[int], random: Any) -> None:
    counts = pd.concat([overall(*n), cell("tier", "t", [float(one) for one in n], [1 / len(n)] * len(n))])
    places = list(range(len(counts)))
    random.shuffle(places)
    one, other = sample_ratio(counts), sample_ratio(counts.iloc[places])
    keys = ["scope", "value", "arm"]
    pd.testing.assert_frame_equal(
        one.table.sort_values(keys, ignore_index=True), other.table.sort_values(keys, ignore_index=True)
    )
    assert one.status == other.status
