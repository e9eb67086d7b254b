"""Clusters: known truth is found, clouds without groups are told, labels hold still, and every fault is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

import toolkit as tk
from toolkit.errors import ArgumentError, Check
from toolkit.segments.cluster_features import DEFAULT_FEATURES, buyers_of, learn
from toolkit.segments.cluster_match import matched
from toolkit.segments.cluster_models import METHODS, one_thread
from toolkit.segments.cluster_models import fit as fit_model
from toolkit.segments.cluster_reference import Reference, one_peak
from toolkit.segments.cluster_rules import covers, rounded, rules
from toolkit.segments.clusters import Clusters
from toolkit.segments.rfm import RFM

if TYPE_CHECKING:
    from collections.abc import Callable

FIVE = list(DEFAULT_FEATURES[:5])
SEEDS = range(20)


def snapshot(columns: dict[str, Any], count: Any = 1) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([f"C{i:05d}" for i in range(len(frame))], name="customer_id", dtype="string[pyarrow]")
    return frame.assign(order_count=count)


def planted(seed: int, n: int = 1_000) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
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


CLOUDS: dict[str, Callable[[np.random.Generator, int], dict[str, Any]]] = {
    "gaussian": gaussian, "uniform": uniform, "correlated": correlated, "lognormal": lognormal,
    "skewed_days": skewed_days, "tied_counts": tied_counts,
}  # fmt: skip


def check(clusters: Clusters, code: str) -> Check:
    return next(found for found in clusters.checks_ if found.code == code)


def same(one: pd.Series[Any], other: pd.Series[Any]) -> float:
    """Share of the customers of both that have the same label in both."""
    both = one.dropna().index.intersection(other.dropna().index)
    return float((one[both].astype(str).to_numpy() == other[both].astype(str).to_numpy()).mean())


# truth


@pytest.mark.parametrize("seed", SEEDS)
def test_four_planted_clusters_are_found_without_a_banner(seed: int) -> None:
    snap, kind = planted(seed)
    clusters = Clusters(seed=seed).fit(snap)
    assert clusters.k_ == 4
    assert adjusted_rand_score(kind, clusters.labels_.cat.codes) >= 0.95
    assert clusters.banner_ == ""
    assert clusters.stability_["ari"].min() > 0.95
    assert (clusters.rules_[["precision", "recall"]] > 0.95).all(axis=None)


@pytest.mark.parametrize("seed", range(3))
def test_a_mixture_finds_them_too(seed: int) -> None:
    snap, kind = planted(seed)
    clusters = Clusters(seed=seed, method="mixture").fit(snap)
    assert adjusted_rand_score(kind, clusters.labels_.cat.codes) >= 0.95
    assert clusters.banner_ == ""
    assert clusters.choice_["bic"].idxmin() == 4


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_without_groups_has_the_banner(cloud: str) -> None:
    """At most one seed of twenty may take a cloud for groups; Gaussian and uniform are looked at with all twenty."""
    seeds = SEEDS if cloud in {"gaussian", "uniform"} else range(5)
    told = []
    for seed in seeds:
        columns = CLOUDS[cloud](np.random.default_rng(seed), 500)
        told.append(Clusters(seed=seed, features=list(columns)).fit(snapshot(columns)).banner_)
    assert sum("No stable clusters" in one for one in told) >= len(seeds) - 1


def test_a_banner_does_not_take_the_labels_away() -> None:
    snap = snapshot(gaussian(np.random.default_rng(1), 300))
    clusters = Clusters(k=3).fit(snap)
    assert check(clusters, "cluster_structure").status == "failed"
    assert clusters.labels_.notna().all()
    assert clusters.profile_["customers"]["total"] == 300


def test_groups_that_a_feature_cannot_separate_are_not_stable() -> None:
    rng = np.random.default_rng(3)
    snap = snapshot({"recency_days": rng.normal(200, 40, 400), "tenure_days": rng.normal(400, 40, 400)})
    clusters = Clusters(k=9, features=["recency_days", "tenure_days"]).fit(snap)
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
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(
        np.corrcoef(rows[:, 0], rows[:, 1])[0, 1], abs=0.05
    )
    middle = ((drawn[:, 2] > 4) & (drawn[:, 2] < 6)).mean()
    assert middle > 10 * ((rows[:, 2] > 4) & (rows[:, 2] < 6)).mean()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_the_nearest_heap_rises_and_then_falls(counts: list[int]) -> None:
    fit = one_peak(np.array(counts, dtype=float))
    peak = int(fit.argmax())
    assert (np.diff(fit[: peak + 1]) >= -1e-9).all()
    assert (np.diff(fit[peak:]) <= 1e-9).all()
    if counts == sorted(counts):
        assert fit.tolist() == counts


# labels that hold still


@pytest.fixture(scope="module")
def months() -> tuple[pd.DataFrame, pd.DataFrame]:
    study = tk.Study.demo()
    columns = ["order_count", *DEFAULT_FEATURES]
    return study.snapshot("2026-09-30", columns=columns), study.snapshot("2026-10-31", columns=columns)


@pytest.mark.parametrize("k", ["auto", 5, 8])
def test_next_month_keeps_the_labels_of_those_who_did_not_move(
    months: tuple[pd.DataFrame, pd.DataFrame], k: Any
) -> None:
    before, after = months
    earlier = Clusters(k=k).fit(before)
    later = Clusters(k=k).fit(after, previous=earlier)
    assert later.k_ == earlier.k_
    old, seen = earlier.labels_.dropna(), earlier.predict(after)
    still = old.index[old.astype(str).to_numpy() == seen[old.index].astype(str).to_numpy()]
    assert len(still) > 0.8 * len(old)
    assert same(old[still], later.labels_) >= 0.95
    assert not later.steps_.equals(earlier.steps_)


@pytest.mark.parametrize("k", ["auto", 6])
def test_one_more_customer_keeps_the_labels(months: tuple[pd.DataFrame, pd.DataFrame], k: Any) -> None:
    after = months[1]
    more = pd.concat([after, after.nlargest(1, "window_spend").rename(index=lambda _: "new")])
    alone = Clusters(k=k).fit(after)
    assert same(alone.labels_, Clusters(k=k).fit(more).labels_) >= 0.95
    assert same(alone.labels_, Clusters(k=k).fit(more, previous=alone).labels_) >= 0.99


def test_names_are_by_value_and_stay_when_values_turn() -> None:
    rng = np.random.default_rng(2)
    rich = np.repeat([True, False], 100)
    recency = np.where(rich, 20.0, 300.0) + rng.integers(0, 10, 200)
    spend = np.where(rich, 900.0, 90.0) * rng.uniform(0.9, 1.1, 200)
    snap = snapshot({"recency_days": recency, "window_spend": spend})
    first = Clusters(k=2, features=["recency_days"]).fit(snap)
    assert set(first.labels_[rich]) == {"1"}
    turned = snap.assign(window_spend=1000 - spend)
    assert set(Clusters(k=2, features=["recency_days"]).fit(turned).labels_[rich]) == {"2"}
    assert set(Clusters(k=2, features=["recency_days"]).fit(turned, previous=first).labels_[rich]) == {"1"}


def test_auto_keeps_the_number_of_the_earlier_period_and_says_so() -> None:
    snap, _ = planted(4)
    later = Clusters().fit(snap, previous=Clusters(k=3).fit(snap))
    assert later.k_ == 3
    assert "would take 4" in check(later, "k_kept").message


def test_matching_takes_the_largest_overlap_and_gives_free_names_by_value() -> None:
    labels, before = np.array([0, 0, 0, 1, 1, 2]), np.array([2, 2, 0, 0, 0, 1])
    assert matched(labels, 3, before, 3, np.array([0, 1, 2])).tolist() == [1, 2, 0]
    assert matched(labels, 3, np.zeros(6, dtype=np.int64), 1, np.array([2, 1, 0])).tolist() == [0, 2, 1]


# what must not matter


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**20), st.sampled_from([0.01, 7.1, 100.0]), st.sampled_from(["kmeans", "mixture"]))
def test_neither_order_nor_ids_nor_the_unit_of_money_matter(seed: int, unit: float, method: Any) -> None:
    snap, _ = planted(seed % 7, 200)
    rng = np.random.default_rng(seed)
    other = snap.sample(frac=1, random_state=seed)
    other.index = pd.Index(rng.permutation(len(other)).astype(str))
    other[["window_spend", "mean_order_value"]] *= unit
    one, two = (Clusters(k=5, method=method, seed=3).fit(frame) for frame in (snap, other))
    ours = dict(
        zip(map(tuple, snap[["recency_days", "tenure_days", "window_order_days"]].to_numpy()), one.labels_, strict=True)
    )
    theirs = dict(
        zip(
            map(tuple, other[["recency_days", "tenure_days", "window_order_days"]].to_numpy()), two.labels_, strict=True
        )
    )
    assert ours == theirs
    assert one.stability_.equals(two.stability_)


def test_fit_is_repeatable_and_predict_repeats_fit() -> None:
    snap, _ = planted(3)
    for method in METHODS:
        one, two = (Clusters(k="auto" if method == "kmeans" else 4, method=method).fit(snap) for _ in range(2))
        assert one.labels_.equals(two.labels_)
        assert one.choice_.equals(two.choice_)
        assert one.predict(snap).equals(one.labels_)
        assert one.transform(snap)["cluster"].equals(one.labels_)
        assert one.predict(snap.iloc[::-1])[snap.index].equals(one.labels_)


def test_never_buyers_teach_nothing_and_have_no_cluster() -> None:
    snap, _ = planted(1, 300)
    never = snapshot({**dict.fromkeys(FIVE, [np.nan] * 50)}, 0).rename(index=lambda name: f"N{name}")
    both = pd.concat([never, snap])
    clusters = Clusters(k=4).fit(both)
    assert clusters.labels_[never.index].isna().all()
    assert same(clusters.labels_, Clusters(k=4).fit(snap).labels_) == 1
    assert clusters.transform(never)["cluster"].isna().all()


def test_it_clones_and_refuses_to_predict_before_it_is_fitted() -> None:
    copy = clone(Clusters(k=3, seed=1, method="mixture", features=["recency_days"], n_init=5))
    assert copy.get_params() == {
        "k": 3, "seed": 1, "method": "mixture", "features": ["recency_days"], "n_init": 5,
    }  # fmt: skip
    with pytest.raises(NotFittedError):
        copy.predict(planted(1, 40)[0])


def test_the_snapshot_is_left_as_it_was() -> None:
    snap, _ = planted(1, 100)
    copy = snap.copy()
    Clusters(k=2).fit(snap).transform(snap)
    pd.testing.assert_frame_equal(snap, copy)


# steps


def test_steps_are_logarithm_winsor_and_scale_learned_once() -> None:
    spend = np.concatenate([np.linspace(-50, 149, 200), [1e9]])
    snap = snapshot({"window_spend": spend, "recency_days": np.arange(201.0)})
    steps = learn(snap, ["window_spend", "recency_days"], buyers_of(snap))
    money, days = steps.steps
    assert (money.transform, days.transform) == ("log", "as it is")
    assert money.unit == np.median(np.abs(spend[spend != 0]))
    assert (money.low, money.high, money.beyond) == (-48.0, 148.0, 4)
    rows = steps.apply(snap, buyers_of(snap))
    assert rows.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert rows.std(axis=0) == pytest.approx([1, 1])
    assert rows[-1, 0] == rows[198, 0]
    one = snapshot({"window_spend": [0.0, -20.0], "recency_days": [100.0, 100.0]})
    expected = (np.array([0, -np.log1p(20 / money.unit)]) - money.centre) / money.scale
    assert steps.apply(one, buyers_of(one))[:, 0] == pytest.approx(expected)


def test_a_whale_makes_no_cluster_of_its_own() -> None:
    snap, kind = planted(5)
    snap.loc["C00000", "window_spend"] = 1e12
    clusters = Clusters().fit(snap)
    assert clusters.k_ == 4
    assert adjusted_rand_score(kind[1:], clusters.labels_.cat.codes[1:]) >= 0.95
    assert check(clusters, "drawn_in").count > 0


def test_default_features_are_those_of_the_snapshot() -> None:
    snap, _ = planted(1, 100)
    assert Clusters(k=2).fit(snap).features_ == tuple(FIVE)
    assert Clusters(k=2).fit(snap.drop(columns="tenure_days")).features_ == tuple(FIVE[:4])
    active = snap.assign(active_days=np.arange(100), interactions=np.arange(100))
    assert Clusters(k=2).fit(active).features_ == DEFAULT_FEATURES


def test_constant_columns_are_dropped_and_named() -> None:
    snap = planted(1, 300)[0].assign(tenure_days=5.0)
    clusters = Clusters(k=3).fit(snap)
    assert "tenure_days" not in clusters.features_
    assert check(clusters, "constant_features").subject == "tenure_days"
    assert clusters.predict(snap.drop(columns="tenure_days")).equals(clusters.labels_)


# faults


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_missing_and_infinite_values_stop_and_are_named(bad: float) -> None:
    snap, _ = planted(1, 100)
    good = Clusters(k=2).fit(snap)
    snap.loc["C00003", "window_spend"] = bad
    for call in (Clusters().fit, good.predict):
        with pytest.raises(ArgumentError, match=r"E-not-finite column window_spend.*n=1"):
            call(snap)


def test_columns_that_are_not_point_in_time_stop() -> None:
    snap = planted(1, 100)[0].assign(followers=1.0)
    snap.attrs["not_point_in_time"] = ("followers",)
    with pytest.raises(ArgumentError, match="E-not-point-in-time: followers"):
        Clusters(features=["recency_days", "followers"]).fit(snap)
    assert Clusters(k=2).fit(snap).k_ == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"k": 1}, "k"), ({"k": 101}, "k"), ({"k": "many"}, "k"), ({"k": 2.5}, "k"), ({"method": "hdbscan"}, "method"),
        ({"n_init": 0}, "n_init"), ({"features": []}, "features"), ({"features": ["order_count"] * 2}, "features"),
        ({"features": ["nothing"]}, "missing-column"), ({"features": ["persona"]}, "features"),
    ],
)  # fmt: skip
def test_wrong_options_stop(options: dict[str, Any], code: str) -> None:
    snap = planted(1, 100)[0].assign(persona="student")
    with pytest.raises(ArgumentError, match=rf"E-{code}[ :]"):
        Clusters(**options).fit(snap)


def test_nobody_has_bought() -> None:
    with pytest.raises(ArgumentError, match="E-no-buyers"):
        Clusters().fit(planted(1, 40)[0].assign(order_count=0))


@pytest.mark.parametrize("n", [1, 2, 29])
def test_a_handful_of_buyers_is_one_cluster_with_a_banner(n: int) -> None:
    snap, _ = planted(1, n)
    clusters = Clusters().fit(snap)
    assert clusters.k_ == 1
    assert set(clusters.labels_) == {"1"}
    assert clusters.predict(snap).equals(clusters.labels_)
    assert "too few to model" in clusters.banner_
    assert clusters.rules_["rule"].tolist() == ["everybody"]
    assert clusters.stability_.empty
    assert clusters.choice_.empty


def test_few_buyers_are_not_cut_into_crumbs() -> None:
    columns = gaussian(np.random.default_rng(4), 60)
    clusters = Clusters().fit(snapshot(columns))
    assert clusters.choice_.index.max() == 6
    assert clusters.choice_["stability"].max() < 0.8
    assert clusters.k_ == clusters.choice_["stability"].idxmax()


@pytest.mark.parametrize("n", [1, 50])
def test_one_distinct_point_is_one_cluster_or_a_stop(n: int) -> None:
    snap = snapshot(dict.fromkeys(FIVE, [3.0] * n))
    assert "all buyers are alike" in Clusters().fit(snap).banner_
    with pytest.raises(ArgumentError, match=r"E-one-point: all buyers are alike"):
        Clusters(k=3).fit(snap)


@pytest.mark.parametrize("n", [4, 60])
def test_k_is_capped_at_the_number_of_distinct_points(n: int) -> None:
    snap = snapshot({"recency_days": np.tile([10.0, 200.0], n // 2), "window_spend": np.tile([5.0, 9.0], n // 2)})
    clusters = Clusters(k=5).fit(snap)
    assert clusters.k_ == 2
    assert check(clusters, "k_capped").message == "5 clusters were asked for, but there are only 2 different customers"
    assert Clusters().fit(planted(1, 60)[0]).k_ >= 2


@pytest.mark.parametrize(("few", "status"), [(8, "failed"), (40, "passed")])
def test_a_cluster_under_one_percent_is_told(few: int, status: str) -> None:
    rng = np.random.default_rng(1)
    sizes = [500, 500, few]
    recency, tenure = np.repeat([0.0, 900.0, 0.0], sizes), np.repeat([0.0, 900.0, 900.0], sizes)
    noise = rng.uniform(0, 30, (2, len(recency)))
    clusters = Clusters(k=3).fit(snapshot({"recency_days": recency + noise[0], "tenure_days": tenure + noise[1]}))
    assert sorted(clusters.labels_.value_counts()) == sorted(sizes)
    assert check(clusters, "small_clusters").status == status


# rules, profile, agreement


def test_rules_are_in_natural_units_and_leave_nobody_out() -> None:
    snap, _ = planted(6)
    clusters = Clusters().fit(snap)
    columns = {name: snap[name].to_numpy(dtype=float) for name in clusters.features_}
    told = np.column_stack([covers(rule, columns, len(snap)) for rule in clusters.conditions_.values()])
    assert (told.sum(axis=1) == 1).all()
    assert clusters.rules_["customers"].sum() == len(snap)
    assert all(any(name in rule for name in FIVE) for rule in clusters.rules_["rule"])
    for number, name in enumerate(clusters.rules_.index):
        own = (clusters.labels_ == name).to_numpy()
        assert clusters.rules_["recall"][name] == pytest.approx((told[:, number] & own).sum() / own.sum())
        assert clusters.rules_["precision"][name] == pytest.approx(
            (told[:, number] & own).sum() / told[:, number].sum()
        )


def test_a_rule_that_is_known_comes_back() -> None:
    rng = np.random.default_rng(1)
    spend, recency = rng.uniform(0, 1000, 2_000), np.floor(rng.uniform(0, 365, 2_000))
    truth = np.where((spend > 600) & (recency <= 90), 0, 1)
    found, said = rules({"window_spend": spend, "recency_days": recency}, truth, ["1", "2"], 7)
    bounds = {condition.column: condition for condition in found["1"][0]}
    assert bounds["window_spend"].above == pytest.approx(600, abs=5)
    assert bounds["recency_days"].up_to == pytest.approx(90, abs=2)
    assert (said == truth).mean() > 0.99


def test_cuts_are_round_numbers() -> None:
    assert rounded(12.5, np.array([12.0, 13.0])) == 12
    assert rounded(1234.5, np.array([1200.5, 1300.0])) == 1230
    assert rounded(0.123456, np.array([0.1, 0.2])) == 0.123


def test_the_profile_adds_up() -> None:
    snap, _ = planted(1)
    profile = Clusters().fit(snap).profile_
    groups = profile.drop(index="total")
    assert groups["customers"].sum() == profile["customers"]["total"] == len(snap)
    assert groups["spend"].sum() == pytest.approx(snap["window_spend"].sum())
    assert groups["share_of_spend"].sum() == pytest.approx(1)
    assert profile["median_recency_days"]["total"] == snap["recency_days"].median()
    means = groups["spend"] / groups["customers"]
    assert means.is_monotonic_decreasing


def test_agreement_counts_everybody_once() -> None:
    snap, kind = planted(2)
    clusters = Clusters().fit(snap)
    scored = RFM().fit(snap).transform(snap)
    found = clusters.agreement(scored)
    assert found.table.index[-1] == found.table.columns[-1] == "total"
    assert found.table.loc["total", "total"] == len(snap)
    assert found.table.iloc[:-1, :-1].to_numpy().sum() == len(snap)
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
    choice = Clusters().fit(planted(3)[0]).choice_
    assert choice.index.tolist() == list(range(2, 11))
    assert set(choice.columns) >= {
        "inertia", "silhouette", "calinski_harabasz", "davies_bouldin", "gap", "stability", "smallest_share", "votes",
    }  # fmt: skip
    assert choice["votes"].sum() == 5
    assert choice["inertia"].is_monotonic_decreasing


# scale


@pytest.mark.parametrize("kind", ["cloud", "groups"])
def test_starts_on_a_sample_lose_nothing(kind: str) -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((120_000, 4))
    if kind == "groups":
        rows += 4 * rng.standard_normal((6, 4))[rng.integers(6, size=len(rows))]
    with one_thread():
        ours = fit_model(rows, 6, 7, method="kmeans", starts=5)
        theirs = KMeans(6, n_init=5, random_state=1).fit(rows)
    assert ours.inertia <= 1.0001 * theirs.inertia_
    assert ours.assign(rows).shape == (120_000,)


def test_more_threads_give_the_same_labels() -> None:
    from threadpoolctl import threadpool_limits

    snap, _ = planted(8, 2_000)
    labels = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            labels.append(Clusters(k=6).fit(snap).labels_)
    assert labels[0].equals(labels[1])
