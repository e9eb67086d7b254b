"""Clusters: known truth is found, clouds without groups are told, labels hold still, and every fault is named."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

import toolkit as tk
from tests.builders.profiles import THOROUGH, examples, several
from toolkit.errors import ArgumentError, Check
from toolkit.segments.cluster_match import matched
from toolkit.segments.cluster_models import fit as fit_model
from toolkit.segments.cluster_reference import Reference, one_peak
from toolkit.segments.cluster_rules import rounded, rules

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("clusters")

FIVE = ["recency_days", "window_order_days", "window_spend", "mean_order_value", "tenure_days"]
SEEDS = range(several(3, 20))
Numbers = np.ndarray[Any, Any]
slow = partial(pytest.param, marks=pytest.mark.slow)


def snapshot(columns: dict[str, Any], count: Any = 1) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([f"C{i:05d}" for i in range(len(frame))], name="customer_id", dtype="string[pyarrow]")
    return frame.assign(order_count=count)


def planted(seed: int, n: int = 1_000) -> tuple[pd.DataFrame, Numbers]:
    """Four kinds of buyers, unequal in size, that differ in days, counts and orders of magnitude of money."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, n, p=[0.45, 0.3, 0.15, 0.1])
    recency, tenure, days, spend, value = np.array(
        [[30, 300, 60, 200], [600, 500, 120, 400], [20, 2, 3, 8], [8000, 300, 900, 150], [400, 150, 300, 19]],
        dtype=float,
    )[:, kind]
    frame = snapshot(
        {
            "recency_days": np.maximum(0, np.round(recency + 15 * rng.standard_normal(n))),
            "window_order_days": np.maximum(1, rng.poisson(days)),
            "window_spend": spend * np.exp(0.3 * rng.standard_normal(n)),
            "mean_order_value": value * np.exp(0.3 * rng.standard_normal(n)),
            "tenure_days": np.round(tenure + 30 * rng.standard_normal(n)),
        }
    )
    return frame, kind


@cache
def found(seed: int) -> tuple[tk.Clusters, pd.DataFrame, Numbers]:
    """Clusters of planted buyers, fitted once: nobody may change them."""
    snap, kind = planted(seed, several(400, 1_000))
    return tk.Clusters(seed=seed).fit(snap), snap, kind


@pytest.fixture(scope="module")
def few() -> tuple[pd.DataFrame, tk.Clusters]:
    snap, _ = planted(1, 100)
    return snap, tk.Clusters(k=2).fit(snap)


def gaussian(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return {name: 300 + 40 * rng.standard_normal(n) for name in FIVE}


def uniform(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return {name: 1000 * rng.random(n) for name in FIVE}


def correlated(rng: np.random.Generator, n: int) -> dict[str, Any]:
    common = rng.standard_normal(n)
    return {name: 400 + 60 * (common + 0.7 * rng.standard_normal(n)) for name in FIVE[:4]}


def lognormal(rng: np.random.Generator, n: int) -> dict[str, Any]:
    common = rng.standard_normal(n)
    return {
        name: np.exp(5 + common + 0.8 * rng.standard_normal(n))
        for name in ("window_spend", "mean_order_value", "spend")
    }


def skewed_days(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return {name: np.round(rng.lognormal(4, 1, n)) for name in ("recency_days", "tenure_days")}


def tied_counts(rng: np.random.Generator, n: int) -> dict[str, Any]:
    days = np.round(rng.exponential(90, n))
    return {"window_order_days": rng.geometric(0.6, n), "order_days": 1 + rng.poisson(1, n), "recency_days": days}


CLOUDS: dict[Callable[[np.random.Generator, int], dict[str, Any]], tuple[int | Literal["auto"], int]] = {
    gaussian: (4, 20), uniform: (4, 20), correlated: (2, 5), lognormal: ("auto", 5), skewed_days: (4, 5),
    tied_counts: ("auto", 5),
}  # fmt: skip
"""Buyers without groups; how many clusters a quick look asks for, and with how many seeds a thorough one looks."""


def check(clusters: tk.Clusters, code: str) -> Check:
    return next(one for one in clusters.checks_ if one.code == code)


def same(one: pd.Series[Any], other: pd.Series[Any]) -> float:
    """Share of the customers of both that have the same label in both."""
    both = one.dropna().index.intersection(other.dropna().index)
    return float((one[both].astype(str).to_numpy() == other[both].astype(str).to_numpy()).mean())


# truth


@pytest.mark.parametrize("seed", SEEDS)
def test_four_planted_clusters_are_found_without_a_banner(seed: int) -> None:
    clusters, _, kind = found(seed)
    assert clusters.k_ == 4
    assert adjusted_rand_score(kind, clusters.labels_.cat.codes) >= 0.95
    assert clusters.banner_ == ""
    assert clusters.stability_["ari"].min() > 0.95
    assert (clusters.rules_[["precision", "recall"]] > 0.95).all(axis=None)


@pytest.mark.parametrize("seed", range(several(1, 3)))
def test_a_mixture_finds_them_too(seed: int) -> None:
    snap, kind = planted(seed, several(79, 1_000))
    features = None if THOROUGH else ["recency_days", "window_spend"]
    clusters = tk.Clusters(seed=seed, method="mixture", features=features).fit(snap)
    assert adjusted_rand_score(kind, clusters.labels_.cat.codes) >= 0.95
    assert clusters.banner_ == ""
    assert clusters.choice_["bic"].idxmin() == 4


@pytest.mark.fault(92)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_without_groups_has_the_banner(cloud: Callable[[np.random.Generator, int], dict[str, Any]]) -> None:
    """At most one of many seeds may take a cloud for groups; the first does not."""
    k, seeds = CLOUDS[cloud]
    told = []
    for seed in range(several(1, seeds)):
        columns = cloud(np.random.default_rng(seed), 500)
        clusters = tk.Clusters(k="auto" if THOROUGH else k, seed=seed, features=list(columns)).fit(snapshot(columns))
        told.append("No stable clusters" in clusters.banner_)
    assert sum(told) >= len(told) - THOROUGH


@pytest.mark.fault(92)
def test_a_banner_does_not_take_the_labels_away() -> None:
    snap = snapshot(gaussian(np.random.default_rng(1), 300))
    clusters = tk.Clusters(k=3).fit(snap)
    assert check(clusters, "cluster_structure").status == "failed"
    assert clusters.labels_.notna().all()
    assert clusters.profile_["customers"]["total"] == 300


@pytest.mark.fault(91)
def test_groups_that_a_feature_cannot_separate_are_not_stable() -> None:
    rng = np.random.default_rng(3)
    snap = snapshot({"recency_days": rng.normal(200, 40, 400), "tenure_days": rng.normal(400, 40, 400)})
    clusters = tk.Clusters(k=9, features=["recency_days", "tenure_days"]).fit(snap)
    assert check(clusters, "cluster_stability").status == "failed"
    assert "halves agree" in clusters.banner_


def test_the_reference_keeps_ties_range_and_correlation_but_has_one_peak() -> None:
    rng = np.random.default_rng(5)
    common = rng.standard_normal(4_000)
    two_peaks = np.where(rng.random(4_000) < 0.5, 0.0, 10.0) + rng.standard_normal(4_000)
    rows = np.column_stack([np.floor(2 * common), common + rng.standard_normal(4_000), two_peaks])
    drawn = Reference.of(rows).draw(4_000, rng)
    assert set(drawn[:, 0]) <= set(rows[:, 0])
    assert (drawn.min(axis=0) >= rows.min(axis=0)).all()
    assert (drawn.max(axis=0) <= rows.max(axis=0)).all()
    correlations = [np.corrcoef(table[:, 0], table[:, 1])[0, 1] for table in (drawn, rows)]
    assert correlations[0] == pytest.approx(correlations[1], abs=0.05)
    middle, before = (((table[:, 2] > 4) & (table[:, 2] < 6)).mean() for table in (drawn, rows))
    assert middle > 10 * before


@examples(dev=30, ci=100)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_the_nearest_heap_rises_and_then_falls(counts: list[int]) -> None:
    for series in (counts, sorted(counts)):
        fit = one_peak(np.array(series, dtype=float))
        peak = int(fit.argmax())
        assert (np.diff(fit[: peak + 1]) >= -1e-9).all()
        assert (np.diff(fit[peak:]) <= 1e-9).all()
    assert fit.tolist() == sorted(counts)


# labels that hold still


@pytest.fixture(scope="module")
def months() -> tuple[pd.DataFrame, pd.DataFrame]:
    study = tk.Study.demo(customers=several(800, 5_000))
    columns = ["order_count", *FIVE, *(["active_days"] if THOROUGH else [])]
    before, after = (study.snapshot(day, columns=columns) for day in ("2026-09-30", "2026-10-31"))
    return before, after


@pytest.mark.fault(91)
@pytest.mark.parametrize("k", [5, slow("auto"), slow(8)])
def test_next_month_keeps_the_labels_of_those_who_did_not_move(
    months: tuple[pd.DataFrame, pd.DataFrame], k: Any
) -> None:
    before, after = months
    earlier = tk.Clusters(k=k).fit(before)
    later = tk.Clusters(k=k).fit(after, previous=earlier)
    assert later.k_ == earlier.k_
    old, seen = earlier.labels_.dropna(), earlier.predict(after)
    still = old.index[old.astype(str).to_numpy() == seen[old.index].astype(str).to_numpy()]
    assert len(still) > 0.8 * len(old)
    assert same(old[still], later.labels_) >= 0.95
    assert not later.steps_.equals(earlier.steps_)


@pytest.mark.fault(91)
@pytest.mark.parametrize("k", [6, slow("auto")])
def test_one_more_customer_keeps_the_labels(months: tuple[pd.DataFrame, pd.DataFrame], k: Any) -> None:
    after = months[1]
    more = pd.concat([after, after.nlargest(1, "window_spend").rename(index=lambda _: "new")])
    alone = tk.Clusters(k=k).fit(after)
    assert same(alone.labels_, tk.Clusters(k=k).fit(more).labels_) >= 0.95
    assert same(alone.labels_, tk.Clusters(k=k).fit(more, previous=alone).labels_) >= 0.99


@pytest.mark.fault(91)
def test_names_are_by_value_and_stay_when_values_turn() -> None:
    rng = np.random.default_rng(2)
    rich = np.repeat([True, False], 100)
    recency = np.where(rich, 20.0, 300.0) + rng.integers(0, 10, 200)
    spend = np.where(rich, 900.0, 90.0) * rng.uniform(0.9, 1.1, 200)
    snap = snapshot({"recency_days": recency, "window_spend": spend})
    first = tk.Clusters(k=2, features=["recency_days"]).fit(snap)
    assert set(first.labels_[rich]) == {"1"}
    turned = snap.assign(window_spend=1000 - spend)
    assert set(tk.Clusters(k=2, features=["recency_days"]).fit(turned).labels_[rich]) == {"2"}
    assert set(tk.Clusters(k=2, features=["recency_days"]).fit(turned, previous=first).labels_[rich]) == {"1"}


def test_auto_keeps_the_number_of_the_earlier_period_and_says_so() -> None:
    snap, _ = planted(0, 45)
    later = tk.Clusters().fit(snap, previous=tk.Clusters(k=3).fit(snap))
    assert later.k_ == 3
    assert "would take 4" in check(later, "k_kept").message


def test_matching_takes_the_largest_overlap_and_gives_free_names_by_value() -> None:
    labels, before = np.array([0, 0, 0, 1, 1, 2]), np.array([2, 2, 0, 0, 0, 1])
    assert matched(labels, 3, before, 3, np.array([0, 1, 2])).tolist() == [1, 2, 0]
    assert matched(labels, 3, np.zeros(6, dtype=np.int64), 1, np.array([2, 1, 0])).tolist() == [0, 2, 1]


# what must not matter


@pytest.mark.parametrize(
    ("method", "seed", "unit"),
    [
        ("kmeans", 1, 7.1),
        ("mixture", 2, 0.01),
        slow("kmeans", 3, 100.0),
        slow("kmeans", 4, 0.01),
        slow("mixture", 5, 7.1),
    ],
)
def test_neither_order_nor_ids_nor_the_unit_of_money_matter(method: Any, seed: int, unit: float) -> None:
    snap, _ = planted(seed, 200)
    kept = snap.copy()
    other = snap.sample(frac=1, random_state=seed)
    other.index = pd.Index(np.random.default_rng(seed).permutation(len(other)).astype(str))
    other[["window_spend", "mean_order_value"]] *= unit
    one, two = (tk.Clusters(k=5, method=method, seed=3).fit(frame) for frame in (snap, other))
    days = ["recency_days", "tenure_days", "window_order_days"]
    ours, theirs = (
        dict(zip(map(tuple, frame[days].to_numpy()), clusters.labels_, strict=True))
        for frame, clusters in ((snap, one), (other, two))
    )
    assert ours == theirs
    assert one.stability_.equals(two.stability_)
    one.transform(snap)
    pd.testing.assert_frame_equal(snap, kept)


def test_fit_is_repeatable_and_predict_repeats_fit() -> None:
    snap = planted(0, several(45, 1_000))[0]
    options: list[dict[str, Any]] = [{}, {"k": 4, "method": "mixture"}]
    for one, two in ([tk.Clusters(**option).fit(snap) for _ in range(2)] for option in options):
        assert one.labels_.equals(two.labels_)
        assert one.choice_.equals(two.choice_)
        assert one.predict(snap).equals(one.labels_)
        assert one.transform(snap)["cluster"].equals(one.labels_)
        assert one.predict(snap.iloc[::-1])[snap.index].equals(one.labels_)


def test_more_threads_give_the_same_labels() -> None:
    snap, _ = planted(8, several(600, 2_000))
    labels = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            labels.append(tk.Clusters(k=6).fit(snap).labels_)
    assert labels[0].equals(labels[1])


def test_never_buyers_teach_nothing_and_have_no_cluster(few: tuple[pd.DataFrame, tk.Clusters]) -> None:
    snap, alone = few
    never = snapshot({**dict.fromkeys(FIVE, [np.nan] * 50)}, 0).rename(index=lambda name: f"N{name}")
    clusters = tk.Clusters(k=2).fit(pd.concat([never, snap]))
    assert clusters.labels_[never.index].isna().all()
    assert same(clusters.labels_, alone.labels_) == 1
    assert clusters.steps_.equals(alone.steps_)
    assert clusters.transform(never)["cluster"].isna().all()


def test_it_clones_and_refuses_to_predict_before_it_is_fitted() -> None:
    options: dict[str, Any] = {"k": 3, "seed": 1, "method": "mixture", "features": ["recency_days"], "n_init": 5}
    copy = clone(tk.Clusters(**options))
    assert copy.get_params() == options
    with pytest.raises(NotFittedError):
        copy.predict(planted(1, 40)[0])


# steps


@pytest.mark.fault(90)
def test_steps_are_logarithm_winsor_and_scale_learned_once() -> None:
    spend = np.concatenate([np.linspace(-50, 149, 200), [1e9]])
    snap = snapshot({"window_spend": spend, "recency_days": np.arange(201.0)})
    prepared = tk.Clusters(k=2, features=["window_spend", "recency_days"]).fit(snap).preparation_
    money, days = prepared.steps
    assert (money.transform, days.transform) == ("log", "as it is")
    assert money.unit == np.median(np.abs(spend[spend != 0]))
    assert (money.low, money.high, money.beyond) == (-48.0, 148.0, 4)
    rows = prepared.apply(snap, np.ones(201, dtype=bool))
    assert rows.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert rows.std(axis=0) == pytest.approx([1, 1])
    assert rows[-1, 0] == rows[198, 0]
    two = snapshot({"window_spend": [0.0, -20.0], "recency_days": [100.0, 100.0]})
    expected = (np.array([0, -np.log1p(20 / money.unit)]) - money.centre) / money.scale
    assert prepared.apply(two, np.ones(2, dtype=bool))[:, 0] == pytest.approx(expected)


@pytest.mark.fault(90)
def test_a_whale_makes_no_cluster_of_its_own() -> None:
    snap, kind = planted(5, several(300, 1_000))
    snap.loc["C00000", "window_spend"] = 1e12
    clusters = tk.Clusters(k="auto" if THOROUGH else 4).fit(snap)
    assert clusters.k_ == 4
    assert adjusted_rand_score(kind[1:], clusters.labels_.cat.codes[1:]) >= 0.95
    assert check(clusters, "drawn_in").count > 0


def test_default_features_are_those_of_the_snapshot(few: tuple[pd.DataFrame, tk.Clusters]) -> None:
    snap, clusters = few
    assert clusters.features_ == tuple(FIVE)
    assert tk.Clusters(k=2).fit(snap.drop(columns="tenure_days")).features_ == tuple(FIVE[:4])
    active = snap.assign(active_days=np.arange(100), interactions=np.arange(100))
    assert tk.Clusters(k=2).fit(active).features_ == (*FIVE, "active_days")


@pytest.mark.fault(89)
def test_constant_columns_are_dropped_and_named() -> None:
    snap = planted(1, 300)[0].assign(tenure_days=5.0)
    clusters = tk.Clusters(k=3).fit(snap)
    assert "tenure_days" not in clusters.features_
    assert check(clusters, "constant_features").subject == "tenure_days"
    assert clusters.predict(snap.drop(columns="tenure_days")).equals(clusters.labels_)


# faults


@pytest.mark.fault(89)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_missing_and_infinite_values_stop_and_are_named(few: tuple[pd.DataFrame, tk.Clusters], bad: float) -> None:
    snap = few[0].copy()
    snap.loc["C00003", "window_spend"] = bad
    for call in (tk.Clusters().fit, few[1].predict):
        with pytest.raises(ArgumentError, match=r"E-not-finite column window_spend.*n=1"):
            call(snap)


def test_columns_that_are_not_point_in_time_stop(few: tuple[pd.DataFrame, tk.Clusters]) -> None:
    snap = few[0].assign(followers=1.0)
    snap.attrs["not_point_in_time"] = ("followers",)
    with pytest.raises(ArgumentError, match="E-not-point-in-time: followers"):
        tk.Clusters(features=["recency_days", "followers"]).fit(snap)
    assert tk.Clusters(k=2).fit(snap).k_ == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"k": 1}, "k"), ({"k": 101}, "k"), ({"k": "many"}, "k"), ({"k": 2.5}, "k"), ({"method": "hdbscan"}, "method"),
        ({"n_init": 0}, "n_init"), ({"features": []}, "features"), ({"features": ["order_count"] * 2}, "features"),
        ({"features": ["nothing"]}, "missing-column"), ({"features": ["persona"]}, "features"),
    ],
)  # fmt: skip
def test_wrong_options_stop(few: tuple[pd.DataFrame, tk.Clusters], options: dict[str, Any], code: str) -> None:
    with pytest.raises(ArgumentError, match=rf"E-{code}[ :]"):
        tk.Clusters(**options).fit(few[0].assign(persona="student"))


def test_nobody_has_bought(few: tuple[pd.DataFrame, tk.Clusters]) -> None:
    with pytest.raises(ArgumentError, match="E-no-buyers"):
        tk.Clusters().fit(few[0].assign(order_count=0))


@pytest.mark.fault(70, 88)
@pytest.mark.parametrize("n", [1, 2, 29])
def test_a_handful_of_buyers_is_one_cluster_with_a_banner(n: int) -> None:
    snap, _ = planted(1, n)
    clusters = tk.Clusters().fit(snap)
    assert clusters.k_ == 1
    assert set(clusters.labels_) == {"1"}
    assert clusters.predict(snap).equals(clusters.labels_)
    assert "too few to model" in clusters.banner_
    assert clusters.rules_["rule"].tolist() == ["everybody"]
    assert clusters.stability_.empty
    assert clusters.choice_.empty


def test_few_buyers_are_not_cut_into_crumbs() -> None:
    clusters = tk.Clusters().fit(snapshot(gaussian(np.random.default_rng(4), 60)))
    assert "No stable clusters" in clusters.banner_
    assert clusters.choice_.index.max() == 6
    assert clusters.choice_["stability"].max() < 0.8
    assert clusters.k_ == clusters.choice_["stability"].idxmax()
    assert tk.Clusters().fit(planted(1, 30)[0]).k_ in {2, 3}


@pytest.mark.fault(71, 88)
@pytest.mark.parametrize("n", [1, 50])
def test_one_distinct_point_is_one_cluster_or_a_stop(n: int) -> None:
    snap = snapshot(dict.fromkeys(FIVE, [3.0] * n))
    assert "all buyers are alike" in tk.Clusters().fit(snap).banner_
    with pytest.raises(ArgumentError, match=r"E-one-point: all buyers are alike"):
        tk.Clusters(k=3).fit(snap)


@pytest.mark.fault(88)
@pytest.mark.parametrize("n", [4, 60])
def test_k_is_capped_at_the_number_of_distinct_points(n: int) -> None:
    snap = snapshot({"recency_days": np.tile([10.0, 200.0], n // 2), "window_spend": np.tile([5.0, 9.0], n // 2)})
    clusters = tk.Clusters(k=5).fit(snap)
    assert clusters.k_ == 2
    assert check(clusters, "k_capped").message == "5 clusters were asked for, but there are only 2 different customers"


@pytest.mark.fault(90)
@pytest.mark.parametrize(("some", "status"), [(8, "failed"), (40, "passed")])
def test_a_cluster_under_one_percent_is_told(some: int, status: str) -> None:
    rng = np.random.default_rng(1)
    sizes = [500, 500, some]
    recency, tenure = np.repeat([0.0, 900.0, 0.0], sizes), np.repeat([0.0, 900.0, 900.0], sizes)
    noise = rng.uniform(0, 30, (2, len(recency)))
    clusters = tk.Clusters(k=3).fit(snapshot({"recency_days": recency + noise[0], "tenure_days": tenure + noise[1]}))
    assert sorted(clusters.labels_.value_counts()) == sorted(sizes)
    assert check(clusters, "small_clusters").status == status


# rules, profile, agreement


def test_rules_are_in_natural_units_and_leave_nobody_out() -> None:
    clusters, snap, _ = found(0)
    told = np.zeros((len(snap), clusters.k_), dtype=bool)
    for number, rule in enumerate(clusters.conditions_.values()):
        for conjunction in rule:
            every = [(snap[one.column] > one.above) & (snap[one.column] <= one.up_to) for one in conjunction]
            told[:, number] |= np.logical_and.reduce(every)
    assert (told.sum(axis=1) == 1).all()
    assert clusters.rules_["customers"].tolist() == told.sum(axis=0).tolist()
    assert all(any(name in rule for name in FIVE) for rule in clusters.rules_["rule"])
    for number, name in enumerate(clusters.rules_.index):
        own = (clusters.labels_ == name).to_numpy()
        both = (told[:, number] & own).sum()
        assert clusters.rules_["recall"][name] == pytest.approx(both / own.sum())
        assert clusters.rules_["precision"][name] == pytest.approx(both / told[:, number].sum())


def test_a_rule_that_is_known_comes_back() -> None:
    rng = np.random.default_rng(1)
    spend, recency = rng.uniform(0, 1000, 2_000), np.floor(rng.uniform(0, 365, 2_000))
    truth = np.where((spend > 600) & (recency <= 90), 0, 1)
    told, said = rules({"window_spend": spend, "recency_days": recency}, truth, ["1", "2"], 7)
    bounds = {condition.column: condition for condition in told["1"][0]}
    assert bounds["window_spend"].above == pytest.approx(600, abs=5)
    assert bounds["recency_days"].up_to == pytest.approx(90, abs=2)
    assert (said == truth).mean() > 0.99


def test_cuts_are_round_numbers() -> None:
    assert rounded(12.5, np.array([12.0, 13.0])) == 12
    assert rounded(1234.5, np.array([1200.5, 1300.0])) == 1230
    assert rounded(0.123456, np.array([0.1, 0.2])) == 0.123


def test_the_profile_adds_up() -> None:
    clusters, snap, _ = found(1)
    profile = clusters.profile_
    groups = profile.drop(index="total")
    assert groups["customers"].sum() == profile["customers"]["total"] == len(snap)
    assert groups["spend"].sum() == pytest.approx(snap["window_spend"].sum())
    assert groups["share_of_spend"].sum() == pytest.approx(1)
    assert profile["median_recency_days"]["total"] == snap["recency_days"].median()
    means = groups["spend"] / groups["customers"]
    assert means.is_monotonic_decreasing


def test_agreement_counts_everybody_once() -> None:
    clusters, snap, kind = found(2)
    scored = tk.RFM().fit(snap).transform(snap)
    crossed = clusters.agreement(scored)
    assert crossed.table.index[-1] == crossed.table.columns[-1] == "total"
    assert crossed.table.loc["total", "total"] == len(snap)
    assert crossed.table.iloc[:-1, :-1].to_numpy().sum() == len(snap)
    truth = clusters.agreement(snap.assign(kind=kind.astype(str)), by="kind")
    assert truth.ari >= 0.95
    assert truth.ami >= 0.9
    assert "ARI" in repr(truth)
    assert "<table" in truth._repr_html_()
    with pytest.raises(ArgumentError, match="E-missing-column"):
        clusters.agreement(snap)
    with pytest.raises(ArgumentError, match="E-nobody-shared"):
        clusters.agreement(scored.iloc[:0])


def test_choice_shows_all_criteria_together() -> None:
    choice = found(0)[0].choice_
    assert choice.index.tolist() == list(range(2, 11))
    assert set(choice.columns) >= {
        "inertia", "silhouette", "calinski_harabasz", "davies_bouldin", "gap", "stability", "smallest_share", "votes",
    }  # fmt: skip
    assert choice["votes"].sum() == 5
    assert choice["inertia"].is_monotonic_decreasing


# scale


@pytest.mark.fault(75)
@pytest.mark.parametrize("kind", ["cloud", "groups"])
def test_starts_on_a_sample_lose_nothing(kind: str) -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((several(60_000, 120_000), 4))
    if kind == "groups":
        rows += 4 * rng.standard_normal((6, 4))[rng.integers(6, size=len(rows))]
    ours = fit_model(rows, 6, 7, method="kmeans", starts=5)
    theirs = KMeans(6, n_init=5, random_state=1).fit(rows)
    assert ours.inertia <= 1.0001 * theirs.inertia_
    assert ours.assign(rows).shape == (len(rows),)
