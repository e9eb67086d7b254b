"""Assignment: the same for the same id whatever else is there, in the promised shares, and never moving anybody."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import toolkit as tk
from tests.builders.profiles import examples, several
from toolkit.errors import ArgumentError
from toolkit.strategy.assign import assign
from toolkit.strategy.experiment import Experiment
from toolkit.strategy.pool import COLUMNS, uniform

PROMISE: dict[str, Any] = {
    "experiment": "coupon",
    "arms": {"none": 0.5, "coupon": 0.5},
    "control": "none",
    "tier": "stage",
    "assigned": {"first": "2026-09-01", "last": "2026-09-07"},
    "window_days": 28,
    "primary": "bought",
    "metrics": {"bought": {"kind": "proportion", "of": "orders"}},
    "smallest_effect": 0.02,
}
TIERS = ("new", "loyal", "lost")
NOT_BY_CHANCE = 1e-3
"""Share of tests of a true statement that may fail: seeds are never chosen."""


def spec_of(**changes: Any) -> Experiment:
    return Experiment.parse(PROMISE | changes)


def customers(n: int, *, first: int = 0, groups: int = 0) -> pd.DataFrame:
    number = np.arange(first, first + n)
    ids = pd.Index([f"C{one:05d}" for one in number], name="customer_id", dtype="string[pyarrow]")
    frame = pd.DataFrame({"stage": np.array(TIERS, dtype=object)[number % 3]}, index=ids)
    return frame.assign(household=[f"H{one % groups}" for one in number]) if groups else frame


def by_id(rows: pd.DataFrame, column: str = "arm") -> dict[str, str]:
    return dict(zip(rows["customer_id"], rows[column], strict=True))


def refused(*words: Any, **options: Any) -> ArgumentError:
    with pytest.raises(ArgumentError, match=r"^E-[a-z-]+( column \w+)?: .+[.?] Try: .+") as caught:
        assign(*words, **options)
    return caught.value


def test_the_rule_is_the_one_that_is_documented() -> None:
    spec = spec_of(arms={"none": 0.2, "a": 0.3, "b": 0.5}, holdout=0.25, salt="pepper")
    found = by_id(assign(customers(300), spec))

    def u(purpose: str, name: str) -> float:
        return int(hashlib.sha256(f"{purpose}:pepper:{name}".encode()).hexdigest()[:13], 16) / 16**13

    for name, arm in found.items():
        place = u("arm", name)
        own = "a" if place < 0.3 else "b" if place < 0.8 else "none"
        assert arm == ("holdout" if u("holdout", name) < 0.25 else own)
    assert set(found.values()) == {"none", "a", "b", "holdout"}


def test_the_order_of_the_file_is_of_no_account() -> None:
    one, other = spec_of(arms={"none": 0.3, "coupon": 0.7}), spec_of(arms={"coupon": 0.7, "none": 0.3})
    assert one.sha256 == other.sha256
    assert by_id(assign(customers(200), one)) == by_id(assign(customers(200), other))


def test_it_is_the_table_assignments() -> None:
    found = assign(customers(5), spec_of())
    assert tuple(found.columns) == COLUMNS
    assert found["customer_id"].tolist() == customers(5).index.tolist()
    assert found["tier"].tolist() == ["new", "loyal", "lost", "new", "loyal"]
    assert (found["experiment_id"] == "coupon").all()
    assert (found["assigned_at"] == pd.Timestamp("2026-09-01")).all()
    assert found["cluster_id"].isna().all()


def test_it_changes_nothing_of_what_it_is_given() -> None:
    tiered = customers(50, groups=9)
    before = tiered.copy(deep=True)
    first = assign(tiered, spec_of(unit="cluster", cluster="household"))
    kept = first.copy(deep=True)
    assign(customers(80, groups=9), spec_of(unit="cluster", cluster="household"), earlier=first)
    pd.testing.assert_frame_equal(tiered, before)
    pd.testing.assert_frame_equal(first, kept)


@examples(dev=20, ci=100)
@given(
    n=st.integers(1, 60),
    more=st.integers(0, 60),
    seed=st.integers(0, 2**32 - 1),
    holdout=st.sampled_from([0.0, 0.3]),
    by_tier=st.booleans(),
)
def test_neither_order_nor_others_move_anybody(n: int, more: int, seed: int, *, holdout: float, by_tier: bool) -> None:
    shares = {"loyal": {"none": 0.9, "coupon": 0.1}} if by_tier else {}
    spec = spec_of(holdout=holdout, shares_by_tier=shares)
    some = by_id(assign(customers(n), spec))
    everybody = assign(customers(n + more).sample(frac=1, random_state=seed % 2**31), spec)
    assert some.items() <= by_id(everybody).items()
    alone = assign(customers(n).iloc[[seed % n]], spec)
    assert by_id(alone).items() <= some.items()


@examples(dev=20, ci=100)
@given(n=st.integers(1, 60), more=st.integers(0, 60), groups=st.integers(1, 12), seed=st.integers(0, 2**31 - 1))
def test_groups_stay_together_whoever_joins_them(n: int, more: int, groups: int, seed: int) -> None:
    spec = spec_of(unit="cluster", cluster="household", holdout=0.2)
    some = assign(customers(n, groups=groups), spec)
    everybody = assign(customers(n + more, groups=groups).sample(frac=1, random_state=seed), spec)
    assert not everybody.drop_duplicates(["cluster_id", "arm"])["cluster_id"].duplicated().any()
    assert by_id(some).items() <= by_id(everybody).items()
    assert by_id(some, "cluster_id") == dict(customers(n, groups=groups)["household"])


def test_a_group_has_the_shares_of_its_commonest_tier() -> None:
    everything_in_one = {"none": 1e-9, "coupon": 1 - 1e-9}
    spec = spec_of(unit="cluster", cluster="household", shares_by_tier={"loyal": everything_in_one})
    names = [f"H{number}" for number in range(60)]
    common = pd.DataFrame(
        {"stage": ["loyal", "new", "loyal"] * 60, "household": np.repeat(names, 3)},
        index=pd.Index([f"C{number}" for number in range(180)]),
    )
    assert set(assign(common, spec)["arm"]) == {"coupon"}
    # with one of each, the first in the order of tiers decides: by name, or as the categories say
    tied = common[common.groupby("household").cumcount() < 2]
    assert set(assign(tied, spec)["arm"]) == {"coupon"}
    ordered = tied.assign(stage=pd.Categorical(tied["stage"], ["new", "loyal"], ordered=True))
    assert set(assign(ordered, spec)["arm"]) == {"none", "coupon"}


def test_shares_are_kept_in_every_tier_over_many_salts() -> None:
    shares = {"loyal": {"none": 0.1, "coupon": 0.9}}
    tiered, runs = customers(600), several(60, 200)
    counts = pd.Series(
        0, index=pd.MultiIndex.from_product([TIERS, ["none", "coupon", "holdout"]], names=["tier", "arm"])
    )
    inside = 0
    for salt in range(runs):
        rows = assign(tiered, spec_of(salt=f"s{salt}", shares_by_tier=shares, holdout=0.2))
        counts += rows.groupby(["tier", "arm"]).size().reindex(counts.index, fill_value=0)
        part = int((rows.loc[rows["tier"] == "new", "arm"] == "coupon").sum())
        inside += stats.binom.ppf(0.025, 200, 0.4) <= part <= stats.binom.ppf(0.975, 200, 0.4)
    for tier, coupon in (("new", 0.4), ("lost", 0.4), ("loyal", 0.72)):
        for arm, share in (("coupon", coupon), ("holdout", 0.2)):
            low, high = stats.binom.ppf([NOT_BY_CHANCE / 2, 1 - NOT_BY_CHANCE / 2], 200 * runs, share)
            assert low <= counts[(tier, arm)] <= high, (tier, arm)
    # and a single assignment is no more even, and no less, than a coin
    assert stats.binom.ppf(NOT_BY_CHANCE / 2, runs, 0.95) <= inside


def test_numbers_of_ids_are_uniform() -> None:
    names = [f"{number:08d}" for number in range(100_000)]
    for purpose in ("arm", "holdout", "place"):
        found = uniform(names, "coupon", purpose)
        assert ((found >= 0) & (found < 1)).all()
        counts = np.histogram(found, bins=100, range=(0, 1))[0]
        assert stats.chisquare(counts).pvalue > NOT_BY_CHANCE
        pairs = np.histogram2d(found[:-1], found[1:], bins=10, range=[(0, 1), (0, 1)])[0]
        assert stats.chisquare(pairs.ravel()).pvalue > NOT_BY_CHANCE


def test_two_salts_and_two_purposes_know_nothing_of_each_other() -> None:
    names = [f"C{number}" for number in range(50_000)]
    drawn = [uniform(names, *pair) for pair in (("a", "arm"), ("b", "arm"), ("a", "holdout"), ("a", "place"))]
    for one in range(len(drawn)):
        for other in range(one):
            table = np.histogram2d(drawn[one], drawn[other], bins=8, range=[(0, 1), (0, 1)])[0]
            assert stats.chi2_contingency(table).pvalue > NOT_BY_CHANCE
    arms = [assign(customers(6_000), spec_of(experiment=name))["arm"].to_numpy() for name in ("coupon", "gift")]
    assert stats.chi2_contingency(pd.crosstab(arms[0], arms[1])).pvalue > NOT_BY_CHANCE


def test_the_salt_is_the_id_of_the_experiment_unless_given() -> None:
    own = by_id(assign(customers(200), spec_of(experiment="gift")))
    assert own == by_id(assign(customers(200), spec_of(experiment="other", salt="gift")))
    assert own != by_id(assign(customers(200), spec_of(experiment="other")))


def test_earlier_rows_come_first_and_as_they_were() -> None:
    spec = spec_of(shares_by_tier={"loyal": {"none": 0.01, "coupon": 0.99}})
    first = assign(customers(40), spec)
    later = customers(60).assign(stage="loyal")  # everybody has moved on since
    found = assign(later, spec, assigned_at="2026-09-05 10:30", earlier=first)
    pd.testing.assert_frame_equal(found.iloc[:40], first)
    assert found["customer_id"].is_unique
    assert len(found) == 60
    assert set(found["tier"].iloc[40:]) == {"loyal"}
    assert set(found["assigned_at"].iloc[40:]) == {pd.Timestamp("2026-09-05 10:30")}


def test_earlier_rows_may_be_read_from_a_file() -> None:
    first = assign(customers(20), spec_of(holdout=0.2), assigned_at="2026-09-03 08:00")
    read = pd.read_csv(io.StringIO(first.to_csv(index=False)), dtype=str)
    pd.testing.assert_frame_equal(assign(customers(20), spec_of(holdout=0.2), earlier=read), first)


def test_who_has_left_since_still_stands_in_the_table() -> None:
    first = assign(customers(10), spec_of())
    found = assign(customers(5, first=8), spec_of(), earlier=first)
    assert found["customer_id"].tolist() == customers(13).index.tolist()


def test_newcomers_to_a_group_get_its_arm() -> None:
    spec = spec_of(unit="cluster", cluster="household")
    first = assign(customers(10, groups=10), spec)
    turned = first.assign(arm=np.where(first["arm"] == "none", "coupon", "none"))  # by hand, against the hash
    found = assign(customers(30, groups=10), spec, earlier=turned)
    assert not found.drop_duplicates(["cluster_id", "arm"])["cluster_id"].duplicated().any()
    assert by_id(turned).items() <= by_id(found).items()


def test_rows_of_other_experiments_are_not_of_this_one() -> None:
    other = assign(customers(10), spec_of(experiment="gift"))
    first = assign(customers(4), spec_of())
    found = assign(customers(10), spec_of(), earlier=pd.concat([other, first]))
    assert by_id(found) == by_id(assign(customers(10), spec_of()))
    assert set(found["experiment_id"]) == {"coupon"}


@pytest.mark.parametrize("capacity", [1, 7, 100, 250])
def test_a_capacity_is_filled_and_never_passed(capacity: int) -> None:
    whole = by_id(assign(customers(600), spec_of(holdout=0.1)))
    found = assign(customers(600).sample(frac=1, random_state=3), spec_of(holdout=0.1, capacity=capacity))
    assert (found["arm"] == "coupon").sum() == min(capacity, sum(arm == "coupon" for arm in whole.values()))
    assert by_id(found).items() <= whole.items()
    assert (found["arm"] == "holdout").sum() == sum(arm == "holdout" for arm in whole.values())
    # control is cut with the others, so that shares stay what they were
    low, high = stats.nbinom.ppf([NOT_BY_CHANCE / 2, 1 - NOT_BY_CHANCE / 2], capacity, 0.5)
    assert low <= (found["arm"] == "none").sum() <= high


def test_a_capacity_that_does_not_bind_leaves_nobody_out() -> None:
    whole = by_id(assign(customers(100), spec_of()))
    for capacity in (100, sum(arm == "coupon" for arm in whole.values())):
        assert by_id(assign(customers(100), spec_of(capacity=capacity))) == whole


def test_later_batches_get_what_is_left_of_the_capacity() -> None:
    spec = spec_of(capacity=120)
    first = assign(customers(150), spec)
    second = assign(customers(400), spec, earlier=first)
    third = assign(customers(900), spec, earlier=second)
    assert (first["arm"] == "coupon").sum() < 120 == (second["arm"] == "coupon").sum()
    pd.testing.assert_frame_equal(second.iloc[: len(first)], first)
    pd.testing.assert_frame_equal(third, second)


def test_quotas_are_kept_by_tier() -> None:
    quotas = {"new": 10, "loyal": 0, "lost": 1_000}
    found = assign(customers(600), spec_of(), quotas=quotas)
    counts = found[found["arm"] == "coupon"].groupby("tier").size()
    whole = assign(customers(600), spec_of())
    assert counts["new"] == 10
    assert "loyal" not in set(found["tier"])
    assert counts["lost"] == ((whole["tier"] == "lost") & (whole["arm"] == "coupon")).sum()
    again = assign(customers(900), spec_of(), quotas=quotas | {"loyal": 5}, earlier=found)
    assert (again[again["arm"] == "coupon"].groupby("tier").size()[["new", "loyal"]] == [10, 5]).all()


def test_a_capacity_of_groups_counts_groups() -> None:
    spec = spec_of(unit="cluster", cluster="household", capacity=5)
    found = assign(customers(300, groups=30), spec)
    assert found.loc[found["arm"] == "coupon", "cluster_id"].nunique() == 5
    assert (found.groupby("cluster_id").size() == 10).all()


def test_the_table_is_read_by_a_study_as_it_was_written() -> None:
    tiered = customers(30, groups=7)
    orders = pd.DataFrame({"customer_id": tiered.index.astype(object), "ordered_at": "2026-08-01", "amount": 10})
    for spec in (spec_of(holdout=0.2), spec_of(unit="cluster", cluster="household")):
        rows = assign(tiered, spec, assigned_at=datetime(2026, 9, 2, 9, 5))  # noqa: DTZ001  # local time
        text = rows.to_csv(index=False)
        for table in (rows, pd.read_csv(io.StringIO(text), dtype=str)):
            study = tk.Study.from_frames(orders=orders, assignments=table, timezone="Asia/Shanghai", currency="CNY")
            read = study.assignments("coupon", "2026-09-30").set_index("customer_id")
            wanted = rows.set_index("customer_id")
            for name in ("arm", "tier", "cluster_id"):
                seen = (
                    read[name].reindex(wanted.index)
                    if name in read
                    else wanted[name].astype(object).mask(wanted[name].notna())
                )
                assert seen.fillna("").tolist() == wanted[name].fillna("").tolist(), name
            assert (read["assigned_at"] == pd.Timestamp("2026-09-02 09:05")).all()
            again = assign(tiered, spec, earlier=study.assignments("coupon", "2026-09-30"))
            assert by_id(again) == by_id(rows)


@pytest.mark.parametrize("moment", ["2026-08-31", "2026-09-08", "soon", None, pd.NaT, datetime(2026, 9, 2, tzinfo=UTC)])
def test_a_moment_outside_the_promised_days_stops(moment: Any) -> None:
    if moment is None:
        assert (assign(customers(1), spec_of(), assigned_at=None)["assigned_at"] == "2026-09-01").all()
        return
    error = refused(customers(3), spec_of(), assigned_at=moment)
    assert error.code == "assigned-at"
    assert "2026-09-01 to 2026-09-07" in str(error)


@pytest.mark.parametrize("moment", ["2026-09-07 23:59", date(2026, 9, 7), pd.Timestamp("2026-09-07")])
def test_the_last_promised_day_counts(moment: Any) -> None:
    assert assign(customers(1), spec_of(), assigned_at=moment)["assigned_at"].dt.date.tolist() == [date(2026, 9, 7)]


def test_no_column_of_tiers_stops_with_the_nearest() -> None:
    error = refused(customers(3).rename(columns={"stage": "stages"}), spec_of())
    assert error.code == "no-tier"
    assert "did you mean 'stages'?" in str(error)


def test_two_columns_of_tiers_stop() -> None:
    twice = pd.concat([customers(3), customers(3)], axis=1)
    assert "several columns are called stage" in str(refused(twice, spec_of()))


def test_an_empty_tier_is_the_tier_none_as_in_plan_and_evaluation() -> None:
    tiered = customers(9)
    tiered.loc[["C00003", "C00004"], "stage"] = None
    wanted = assign(tiered.assign(stage=tiered["stage"].astype(object).fillna("none")), spec_of())
    assert set(wanted.loc[wanted["customer_id"].isin(["C00003", "C00004"]), "tier"]) == {"none"}
    for dtype in (object, "category", "string[pyarrow]"):
        pd.testing.assert_frame_equal(assign(tiered.assign(stage=tiered["stage"].astype(dtype)), spec_of()), wanted)


def test_repeated_and_missing_ids_stop_and_are_not_shown() -> None:
    twice = pd.concat([customers(5), customers(2)])
    error = refused(twice, spec_of())
    assert (error.code, error.count) == ("twice", 2)
    assert "C00000" not in str(error)
    nobody = customers(3).set_axis(pd.Index(["A", None, "B"], dtype="object"))
    assert refused(nobody, spec_of()).code == "no-id"


@pytest.mark.parametrize("ids", [[1, 2, 3], [1.0, 2.0, 3.0], ["A", 2, "C"], pd.date_range("2026-01-01", periods=3)])
def test_ids_that_are_no_text_stop(ids: Any) -> None:
    error = refused(customers(3).set_axis(pd.Index(ids)), spec_of())
    assert error.code == "id"
    assert "customer_id" in error.hint


def test_leading_zeros_and_odd_letters_are_part_of_an_id() -> None:
    ids = ["007", "7", "07", "客户1", "é", "a b", "'; DROP", "x" * 300]
    found = assign(customers(8).set_axis(pd.Index(ids)), spec_of())
    assert found["customer_id"].tolist() == ids
    assert len(set(uniform(ids, "coupon", "arm"))) == 8


def test_groups_that_are_not_there_stop() -> None:
    grouped = spec_of(unit="cluster", cluster="household")
    assert refused(customers(3), grouped).code == "no-group"
    assert refused(customers(3), spec_of(unit="cluster")).code == "no-cluster"
    some = customers(5, groups=2)
    some.loc["C00001", "household"] = None
    error = refused(some, grouped)
    assert (error.code, error.count) == ("no-group", 1)
    numbers = customers(3).assign(household=[1.0, 2.0, 2.0])
    assert refused(numbers, grouped).code == "group"
    whole = assign(customers(3).assign(household=[1, 2, 2]), grouped)
    assert whole["cluster_id"].tolist() == ["1", "2", "2"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows.assign(arm="cuopon"), "did you mean 'coupon'?"),
        (lambda rows: pd.concat([rows, rows]), "n=6"),
        (lambda rows: rows.drop(columns="arm"), "no column arm"),
        (lambda rows: rows.assign(arm=None), "n=6"),
        (lambda rows: rows.assign(customer_id=range(6)), "are no text"),
    ],
)
def test_earlier_rows_that_cannot_be_stop(change: Any, says: str) -> None:
    error = refused(customers(9), spec_of(), earlier=change(assign(customers(6), spec_of())))
    assert error.code == "earlier"
    assert says in str(error)


def test_a_group_in_two_arms_of_earlier_stops() -> None:
    spec = spec_of(unit="cluster", cluster="household")
    rows = assign(customers(6, groups=2), spec)
    split = rows.assign(arm=["none", "none", "coupon", "none", "none", "none"])
    error = refused(customers(9, groups=2), spec, earlier=split)
    assert (error.code, error.count) == ("earlier", 1)


def test_quotas_that_cannot_be_stop() -> None:
    assert "did you mean 'loyals'?" in str(refused(customers(9), spec_of(), quotas={"new": 1, "loyals": 1, "lost": 1}))
    full = {"new": 1, "loyal": 1, "lost": 9}
    assert "above the capacity of 10" in str(refused(customers(9), spec_of(capacity=10), quotas=full))
    grouped = spec_of(unit="cluster", cluster="household")
    assert refused(customers(9, groups=2), grouped, quotas=full).code == "quotas"


def test_nobody_is_assigned_where_nobody_is() -> None:
    found = assign(customers(0), spec_of(holdout=0.1, capacity=3))
    assert found.empty
    assert tuple(found.columns) == COLUMNS
    grouped = assign(customers(0, groups=2).assign(household=""), spec_of(unit="cluster", cluster="household"))
    assert grouped.empty


def test_the_demo_is_assigned_by_a_tier_of_the_snapshot() -> None:
    study = tk.Study.demo(customers=500, seed=7)
    spec = tk.Experiment.open(study.experiments[0])
    snap = study.snapshot("2026-08-22", ["top_layer"])
    found = tk.assign(snap, spec)
    assert len(found) == len(snap)
    assert set(found["tier"]) == {"none", "lead_in", "entry", "premium"}
