"""RFM: scores, eight types, tables and gaps, by hand, by property and against slow references."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from tests.builders.profiles import examples
from toolkit import RFM, core_gap, segment_summary
from toolkit.errors import ArgumentError, Check
from toolkit.segments.core import shortest_table
from toolkit.segments.summary import pareto_curve, score_table

AS_OF = pd.Timestamp("2026-10-31")
SCORES = ["r_score", "f_score", "m_score"]
MANY = examples(dev=20, ci=60)
TYPES = {
    "champions": "111", "big_occasional": "101", "lapsing_core": "011", "slipping_big": "001",
    "loyal_small": "110", "newcomers": "100", "fading_regulars": "010", "lost": "000",
}  # fmt: skip
"""The eight types in their order: whether recency, frequency and spend are high."""


LEVELS: list[tuple[Any, Any]] = [(90, 89), (2, 3), (100.0, 100.01)]
"""Recency, order days and spend that are low and high where the splits are 90, 2 and 100."""


def snapshot(
    recency: list[Any],
    orders: list[int] | None = None,
    spend: list[float] | None = None,
    count: list[int] | None = None,
) -> pd.DataFrame:
    n = len(recency)
    frame = pd.DataFrame(
        {
            "order_count": count or [1] * n,
            "recency_days": np.array(recency, dtype=float),
            "window_order_days": orders or [1] * n,
            "window_spend": np.array(spend or [10.0] * n, dtype=float),
        },
        index=pd.Index([f"C{i}" for i in range(n)], name="customer_id", dtype="string[pyarrow]"),
    )
    frame["last_order_date"] = AS_OF - pd.to_timedelta(frame["recency_days"], unit="D")
    return frame


def scores(snap: pd.DataFrame, column: str, bins: int = 5) -> list[int]:
    return [int(score) for score in RFM(bins=bins).fit_transform(snap)[column]]


def check(rfm: RFM, code: str, column: str = "") -> Check:
    return next(found for found in rfm.checks_ if found.code == code and column in found.message)


people = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 6), st.integers(-50_000, 500_000)), min_size=1, max_size=40
)


def from_people(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    recency, orders, cents = (list(part) for part in zip(*rows, strict=True))
    return snapshot(recency, orders, [cent / 100 for cent in cents])


def test_five_buyers_have_five_scores_and_small_recency_is_good() -> None:
    snap = snapshot([100, 80, 60, 40, 20], [1, 2, 3, 4, 5], [10, 20, 30, 40, 50])
    assert scores(snap, "r_score") == scores(snap, "f_score") == scores(snap, "m_score") == [1, 2, 3, 4, 5]
    two = snapshot([1, 9])
    assert scores(two, "r_score") == scores(two, "r_score", bins=100) == [2, 1]


def test_cut_points_are_type_7_quantiles_in_natural_units_and_a_value_on_a_cut_stays_below_it() -> None:
    rfm = RFM(bins=4).fit(snapshot([10, 20, 30, 40], spend=[1, 2, 3, 4]))
    assert rfm.cut_points_["recency_days"].tolist() == [32.5, 25.0, 17.5]
    assert rfm.cut_points_["window_spend"].tolist() == [1.75, 2.5, 3.25]
    assert rfm.cut_points_.index.tolist() == [2, 3, 4]
    assert scores(snapshot([0] * 5, spend=[0, 1, 2, 3, 4]), "m_score", bins=4) == [1, 1, 2, 3, 4]
    assert scores(snapshot([4, 3, 2, 1, 0]), "r_score", bins=4) == [1, 1, 2, 3, 4]


def test_the_position_of_a_quantile_is_exact() -> None:
    """In floating point 0.29 * 100 is 28.999999999999996: rounding must not lift the value on the cut."""
    values = [float(v) for v in range(101)]
    assert scores(snapshot([0] * 101, spend=values), "m_score", bins=100) == [1, *range(1, 101)]


@pytest.mark.fault(71)
@pytest.mark.parametrize("n", [1, 2, 30])
def test_equal_values_are_one_band_with_a_failed_check(n: int) -> None:
    rfm = RFM().fit(snapshot([5] * n))
    assert scores(snapshot([5] * n), "f_score") == [1] * n
    assert check(rfm, "fewer_scores", "window_spend").status == "failed"
    assert check(rfm, "split_sides", "window_spend") == Check(
        "split_sides", "failed", f"0 of {n} buyers are high on window_spend, better than 10", n, "window_spend"
    )


@pytest.mark.fault(72)
def test_heavy_ties_give_fewer_scores_and_say_how_big_they_are() -> None:
    snap = snapshot([5] * 100, [1] * 80 + [2] * 20)
    assert scores(snap, "f_score") == [1] * 80 + [2] * 20
    found = check(RFM().fit(snap), "fewer_scores", "window_order_days")
    assert (found.status, found.message) == ("informational", "window_order_days has 2 of 5 scores, of 80, 20 buyers")


def test_one_side_over_ninety_percent_fails() -> None:
    assert check(RFM().fit(snapshot([5] * 10, [1] * 9 + [2])), "split_sides", "window_order_days").status == "passed"
    assert check(RFM().fit(snapshot([5] * 11, [1] * 10 + [2])), "split_sides", "window_order_days").status == "failed"


@pytest.mark.fault(70)
def test_a_handful_of_buyers_is_descriptive_only() -> None:
    assert check(RFM().fit(snapshot([1.0] * 29)), "few_buyers").status == "failed"
    assert check(RFM().fit(snapshot([1.0] * 30)), "few_buyers").status == "passed"


@pytest.mark.fault(74)
def test_a_whale_is_told_with_and_without() -> None:
    found = check(RFM().fit(snapshot([1, 1, 1], spend=[10, 20, 970])), "top_customer")
    assert found.status == "informational"
    assert "97.0%" in found.message
    assert "333.33 with and 15.00 without" in found.message


def test_negative_spend_is_scored_like_any_other() -> None:
    snap = snapshot([1] * 4, spend=[-30.0, -10.0, 0.0, 20.0])
    assert scores(snap, "m_score", bins=4) == [1, 2, 3, 4]
    assert segment_summary(RFM().fit_transform(snap))["share_of_spend"].isna().all()


def test_the_eight_types_are_the_bits() -> None:
    """A value on its split is low."""
    split = {"recency": 90, "frequency": 2, "monetary": 100}
    recency, orders, spend = (
        [levels[int(bits[place])] for bits in TYPES.values()] for place, levels in enumerate(LEVELS)
    )
    assert RFM(split=split).fit_transform(snapshot(recency, orders, spend))["segment"].tolist() == list(TYPES)


def test_mean_and_median_split_differ_where_they_should() -> None:
    snap = snapshot([1] * 4, spend=[1, 2, 3, 94])
    assert RFM().fit(snap).splits_["monetary"] == 2.5
    assert RFM(split="mean").fit(snap).splits_["monetary"] == 25.0


def test_never_buyers_teach_nothing_and_are_prospects() -> None:
    snap = snapshot([10, 20, None, None], [1, 2, 0, 0], [5, 6, 0, 0], count=[1, 1, 0, 0])
    rfm = RFM().fit(snap)
    assert rfm.n_buyers_ == 2
    assert rfm.splits_ == RFM().fit(snap.iloc[:2]).splits_
    scored = rfm.transform(snap)
    assert scored["segment"].tolist()[2:] == ["prospect"] * 2
    assert scored[SCORES].iloc[2:].isna().all(axis=None)
    assert scored["segment"].cat.categories.tolist() == [*TYPES, "prospect"]


def test_a_snapshot_of_prospects_or_of_nobody_can_be_scored_but_not_learned_from() -> None:
    rfm = RFM().fit(snapshot([1, 2, 3]))
    nobody = snapshot([None], [0], [0.0], count=[0])
    assert rfm.transform(nobody)["segment"].tolist() == ["prospect"]
    assert rfm.transform(nobody.iloc[:0]).empty
    with pytest.raises(ArgumentError, match="nothing to learn from"):
        RFM().fit(nobody)


@pytest.mark.fault(74)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_buyer_without_a_finite_value_is_refused_with_a_count(bad: float) -> None:
    snap = snapshot([1, 2, 3], spend=[1.0, bad, bad])
    with pytest.raises(ArgumentError, match=r"column window_spend.*n=2"):
        RFM().fit(snap)
    with pytest.raises(ArgumentError, match=r"column window_spend.*n=2"):
        RFM().fit(snapshot([1, 2])).transform(snap)


def test_refusals_say_what_to_do() -> None:
    snap = snapshot([1, 2])
    with pytest.raises(ArgumentError, match=r"no window_order_days, window_spend.*Try: study.snapshot"):
        RFM().fit(snap.drop(columns=["window_order_days", "window_spend"]))
    with pytest.raises(ArgumentError, match="between 2 and 100"):
        RFM(bins=1).fit(snap)
    with pytest.raises(ArgumentError, match='Try: split="median"'):
        RFM(split="mode").fit(snap)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="one finite number for each"):
        RFM(split={"recency": 3}).fit(snap)
    with pytest.raises(NotFittedError):
        RFM().transform(snap)
    with pytest.raises(ArgumentError, match="no segment"):
        segment_summary(snap)


def test_it_is_a_scikit_learn_estimator_and_leaves_its_input_alone() -> None:
    snap = snapshot([1, 2, 3])
    before = snap.copy()
    rfm = RFM(bins=3, split={"recency": 1, "frequency": 1, "monetary": 1})
    pd.testing.assert_frame_equal(clone(rfm).fit_transform(snap), rfm.fit(snap).transform(snap))
    pd.testing.assert_frame_equal(snap, before)
    assert clone(rfm).get_params() == rfm.get_params()


def test_other_columns_can_be_scored() -> None:
    snap = snapshot([1, 2]).assign(order_days=[3, 9], spend=[9.0, 3.0])
    scored = RFM(bins=2, frequency="order_days", monetary="spend").fit_transform(snap)
    assert (scored["f_score"].tolist(), scored["m_score"].tolist()) == ([1, 2], [2, 1])


@pytest.mark.fault(73)
@MANY
@given(people, st.randoms(use_true_random=False), st.integers(2, 12))
def test_row_order_and_ids_change_nothing(rows: list[tuple[int, int, int]], random: Any, bins: int) -> None:
    snap = from_people(rows)
    order = list(range(len(snap)))
    random.shuffle(order)
    shuffled = snap.iloc[order].set_axis([f"other {i}" for i in order])
    there = RFM(bins=bins).fit_transform(shuffled)
    here = RFM(bins=bins).fit_transform(snap).iloc[order]
    assert there[[*SCORES, "segment"]].to_numpy().tolist() == here[[*SCORES, "segment"]].to_numpy().tolist()


@MANY
@given(people, people, st.sampled_from([0.01, 0.1, 7.1, 100.0, 1e6]), st.sampled_from(["median", "mean"]))
def test_the_unit_of_money_changes_nothing(
    learned: list[tuple[int, int, int]], scored: list[tuple[int, int, int]], unit: float, split: Any
) -> None:
    a, b = from_people(learned), from_people(scored)
    in_unit = [frame.assign(window_spend=frame["window_spend"] * unit) for frame in (a, b)]
    here = RFM(split=split).fit(a).transform(b)
    there = RFM(split=split).fit(in_unit[0]).transform(in_unit[1])
    pd.testing.assert_frame_equal(here[[*SCORES, "segment"]], there[[*SCORES, "segment"]])


@MANY
@given(people, st.integers(2, 12))
def test_scores_follow_the_value_and_are_contiguous(rows: list[tuple[int, int, int]], bins: int) -> None:
    scored = RFM(bins=bins).fit_transform(from_people(rows))
    for column, score, sign in zip(
        ["recency_days", "window_order_days", "window_spend"], SCORES, [-1, 1, 1], strict=True
    ):
        by_value = (sign * scored[column]).groupby(scored[column]).first().rename("v").to_frame()
        per_value = scored.groupby(column)[score]
        assert (per_value.min() == per_value.max()).all()
        assert per_value.first().loc[by_value.sort_values("v").index].is_monotonic_increasing
        assert sorted(scored[score].unique()) == list(range(1, scored[score].max() + 1))


@MANY
@given(people, st.integers(2, 12))
def test_scores_equal_a_slow_reference_in_exact_fractions(rows: list[tuple[int, int, int]], bins: int) -> None:
    scored = RFM(bins=bins).fit_transform(from_people(rows))
    for place, score, sign in zip(range(3), SCORES, [-1, 1, 1], strict=True):
        values = [Fraction(sign * row[place]) for row in rows]
        ranked = sorted(values)
        bands = set()
        for k in range(1, bins):
            at = Fraction((len(values) - 1) * k, bins)
            low = int(at)
            cut = ranked[low] + ((ranked[low + 1] - ranked[low]) * (at - low) if at > low else 0)
            bands.add(frozenset(i for i, value in enumerate(values) if value > cut))
        bands.discard(frozenset())
        expected = [1 + sum(i in band for band in bands) for i in range(len(values))]
        assert scored[score].tolist() == expected


def test_cuts_agree_with_numpy_on_continuous_data() -> None:
    rng = np.random.default_rng(7)
    snap = snapshot(rng.uniform(0, 900, 1_001).tolist(), spend=rng.lognormal(5, 1.2, 1_001).tolist())
    cuts = RFM(bins=7).fit(snap).cut_points_
    asked = np.arange(1, 7) / 7
    np.testing.assert_allclose(cuts["window_spend"], np.quantile(snap["window_spend"], asked), rtol=1e-12)
    np.testing.assert_allclose(cuts["recency_days"], np.quantile(snap["recency_days"], asked)[::-1], rtol=1e-12)


def test_the_summary_adds_up_and_keeps_the_order_of_value() -> None:
    snap = snapshot([1, 2, 90, 100, None], [5, 1, 4, 1, 0], [100, 20, 60, 20, 0], count=[5, 1, 4, 1, 0])
    table = segment_summary(RFM().fit_transform(snap))
    assert table.index.tolist() == ["champions", "lapsing_core", "newcomers", "lost", "prospect", "total"]
    figures = table[["customers", "spend", "share_of_spend"]].to_dict("index")
    assert figures["champions"] == {"customers": 1, "spend": 100.0, "share_of_spend": 0.5}
    assert figures["total"] == {"customers": 5, "spend": 200.0, "share_of_spend": 1.0}
    for column in ["customers", "spend", "share_of_customers", "share_of_spend"]:
        assert table[column].iloc[:-1].sum() == pytest.approx(table.loc["total", column])
    assert table.loc["total", "median_recency_days"] == 46.0
    assert table["mean_recency_days"].isna().tolist() == [False] * 4 + [True, False]


def test_the_score_table_counts_each_buyer_once() -> None:
    snap = snapshot([1, 1, 9, None], [2, 2, 1, 0], [10, 30, 5, 0], count=[1, 1, 1, 0])
    table = score_table(RFM(bins=2).fit_transform(snap))
    assert table["customers"].sum() == 3
    assert table.reset_index().to_numpy().tolist() == [[1, 1, 3, 15.0]]


def test_the_pareto_curve_starts_with_the_best() -> None:
    curve = pareto_curve(snapshot([1] * 10, spend=[1.0] * 8 + [46.0, 46.0])).set_index("share_of_customers")
    assert curve["share_of_spend"].loc[[0.0, 0.2, 1.0]].tolist() == [0.0, 0.92, 1.0]
    assert curve["customers"].loc[0.19] == 1
    with pytest.raises(ArgumentError, match="nothing was spent"):
        pareto_curve(snapshot([1], spend=[-5.0]))


def gaps(**split: float) -> pd.DataFrame:
    snap = snapshot([10, 30, 31, None], [3, 2, 1, 0], [500.0, 120.0, 99.5, 0.0], count=[3, 2, 1, 0])
    return core_gap(RFM(split={"recency": 30, "frequency": 2, "monetary": 120, **split}).fit_transform(snap))


def test_gaps_in_natural_units() -> None:
    table = gaps()
    assert table["recency_gap_days"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert table["recency_gap_days"].isna().tolist() == [False, False, False, True]
    assert table["order_days_gap"].tolist() == [0, 1, 2, 3]
    assert table["spend_gap"].tolist() == [0.0, 0.01, 20.51, 120.01]
    assert table["segment"].tolist() == ["champions", "lost", "lost", "prospect"]


def test_a_split_between_whole_days_needs_the_next_whole_one() -> None:
    table = gaps(recency=30.5, frequency=1.5)
    assert table["recency_gap_days"].tolist()[:3] == [0.0, 0.0, 1.0]
    assert table["order_days_gap"].tolist() == [0, 0, 1, 2]


def test_recency_holds_until_the_last_day_it_is_better_than_the_split() -> None:
    table = gaps()
    last_order = AS_OF - pd.Timedelta(days=10)
    assert table["keep_until"].iloc[0] == last_order + pd.Timedelta(days=29)
    assert table["keep_until"].iloc[1:].isna().all()


def test_the_shortest_gap_is_measured_in_spreads() -> None:
    """Quartiles: recency 20..30.5 (10.5), order days 1.5..2.5 (1), spend 109.75..310 (200.25)."""
    table = gaps()
    assert table["shortest"].astype("object").where(table["shortest"].notna(), "").tolist() == [
        "",
        "frequency",
        "frequency",
        "frequency",
    ]
    assert gaps(monetary=900)["shortest"].iloc[2] == "monetary"
    assert gaps(recency=5)["shortest"].iloc[1] == "recency"
    assert shortest_table(table).to_dict("index")["lost"] == {"recency": 0, "frequency": 2, "monetary": 0}


@MANY
@given(people)
def test_filling_every_gap_makes_a_core_customer(rows: list[tuple[int, int, int]]) -> None:
    rfm = RFM().fit(from_people(rows))
    assume(rfm.splits_["recency"] > 0)
    scored = rfm.transform(from_people(rows))
    missing = core_gap(scored)
    filled = scored.assign(
        recency_days=scored["recency_days"] - missing["recency_gap_days"],
        window_order_days=scored["window_order_days"] + missing["order_days_gap"],
        window_spend=scored["window_spend"] + missing["spend_gap"],
    )
    assert (rfm.transform(filled)["segment"] == "champions").all()
    assert ((missing["shortest"].isna()) == (scored["segment"] == "champions")).all()
    less = filled.assign(window_spend=(filled["window_spend"] - 0.01 * (missing["spend_gap"] > 0)).round(2))
    still = rfm.transform(less)["segment"] == "champions"
    assert still.tolist() == (missing["spend_gap"] == 0).tolist()


def test_where_buyers_are_all_alike_a_gap_is_measured_in_its_own_unit() -> None:
    rfm = RFM().fit(snapshot([5] * 3, [1, 1, 4], [0.1] * 3))
    assert rfm.spreads_ == {"recency": 1.0, "frequency": 1.5, "monetary": 1.0}
    assert RFM().fit(snapshot([5] * 5, [1, 1, 1, 1, 6])).spreads_["frequency"] == 2.0


def test_splits_travel_with_the_frame_or_are_asked_for() -> None:
    rfm = RFM().fit(snapshot([1, 2, 3]))
    scored = rfm.transform(snapshot([1, 2, 3]))
    bare = scored.copy()
    bare.attrs = {}
    with pytest.raises(ArgumentError, match="Try: pass rfm="):
        core_gap(bare)
    pd.testing.assert_frame_equal(core_gap(bare, rfm=rfm), core_gap(scored))
    assert all(isinstance(value, str | float) for value in scored.attrs["rfm"].values())
