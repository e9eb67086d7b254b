"""Portraits of tiers: counts by hand and against plain Python, 100 for what is alike, nothing from later rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.profiles import examples, several
from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    from toolkit.segments.portrait import Portrait

AS_OF = "2026-06-30"


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


ORDERS = frame(
    "customer_id ordered_at amount order_id product_id",
    ("A", "2026-06-01 20:10", 100, "o1", "p1"),
    ("A", "2026-06-01 20:10", 20, "o1", "p2"),
    ("A", "2026-06-05 09:00", 30, "o2", "p1"),
    ("A", "2026-06-06 09:00", -30, "o2", "p1"),
    ("B", "2026-05-01 20:59", 50, "o3", "p1"),
    ("C", "2026-04-01 08:00", 40, "o4", "p2"),
    ("D", "2025-06-30 08:00", 99, "o5", "p9"),
    ("D", "2025-07-01 08:00", 10, "o6", None),
    ("A", "2026-07-01 08:00", 999, "o7", "p9"),
)
EVENTS = frame(
    "customer_id occurred_at kind content_id duration_seconds",
    ("A", "2026-06-01 21:00", "view", "a1", 60),
    ("A", "2026-06-02 21:59", "view", "a1", 30.5),
    ("B", "2026-06-02 07:00", "like", "a1", None),
    ("C", "2026-06-02 07:30", "view", "a2", 10),
    ("C", "2026-06-03 10:00", "complaint", None, None),
    ("C", "2026-06-03 09:00", "reply", None, None),
    ("C", "2026-06-03 12:30", "reply", None, None),
    ("C", "2026-06-30 23:00", "complaint", None, None),
    ("C", "2026-07-01 01:00", "reply", None, None),
    ("B", "2026-07-02 07:00", "view", "a9", 9),
    ("B", "2025-06-30 23:59", "view", "a9", 9),
)
SURVEYS = frame(
    "customer_id answered_at kind score",
    ("A", "2026-06-01", "nps", 9),
    ("A", "2026-06-20", "nps", 10),
    ("C", "2026-06-20", "nps", 2),
    ("C", "2026-07-20", "nps", 0),
    ("A", "2025-06-30", "nps", 0),
)
TIER = pd.Series({"A": "top", "B": "top", "C": "rest", "D": "rest"})


def study(**tables: Any) -> tk.Study:
    given = {"orders": ORDERS, "events": EVENTS, "surveys": SURVEYS} | tables
    policies = {"negative_amounts": "refund"}
    return tk.Study.from_frames(**given, timezone="Asia/Shanghai", currency="CNY", policies=policies)


def tiered(business: tk.Study) -> pd.DataFrame:
    snap = business.snapshot(AS_OF)
    names = pd.CategoricalDtype(["top", "middle", "rest"], ordered=True)
    return snap.assign(house=TIER.reindex(snap.index).astype(names))


@pytest.fixture(scope="module")
def business() -> tk.Study:
    return study()


@pytest.fixture(scope="module")
def told(business: tk.Study) -> Portrait:
    return tk.portrait(tiered(business), "house", business)


def cut(table: pd.DataFrame, key: Any) -> Any:
    return table.xs(key)


def by_segment(columns: dict[str, list[Any]], **customers: int) -> pd.DataFrame:
    """Make customers of segments, so many of each."""
    return pd.DataFrame({"segment": [name for name, count in customers.items() for _ in range(count)]} | columns)


def rows(table: Any, *columns: str) -> dict[Any, Any]:
    return {key: tuple(row) for key, row in zip(table.index, table[[*columns]].to_numpy().tolist(), strict=True)}


def test_tiers_stand_in_the_order_of_the_scheme_and_empty_ones_are_left_out(told: Portrait) -> None:
    assert told.customers.to_dict() == {"top": 2, "rest": 2}
    assert list(told.customers.index) == ["top", "rest"]


def test_products_of_the_window_by_hand(told: Portrait) -> None:
    assert rows(told.products, "customers", "of", "spend", "lines") == {
        ("p1", "top"): (2, 2, 180, 3),
        ("p1", "rest"): (0, 1, 0, 0),
        ("p2", "top"): (1, 2, 20, 1),
        ("p2", "rest"): (1, 1, 40, 1),
    }
    product = cut(told.products, "p2")
    assert product["share"].to_dict() == {"top": 0.5, "rest": 1.0}
    assert product["index"].round(9).to_dict() == {"top": 75.0, "rest": 150.0}
    assert product["share_of_spend"].to_dict() == {"top": 0.1, "rest": 1.0}
    assert product["spend_index"].round(9).to_dict() == {"top": 40.0, "rest": 400.0}


def test_contents_and_hours_by_hand(told: Portrait) -> None:
    assert rows(told.content, "customers", "of", "acts", "seconds") == {
        ("a1", "top"): (2, 2, 3, 90.5),
        ("a1", "rest"): (0, 1, 0, 0),
        ("a2", "top"): (0, 2, 0, 0),
        ("a2", "rest"): (1, 1, 1, 10),
    }
    assert rows(cut(told.hours, "order"), "acts", "of") == {
        (8, "top"): (0, 3), (8, "rest"): (2, 2), (9, "top"): (1, 3), (9, "rest"): (0, 2),
        (20, "top"): (2, 3), (20, "rest"): (0, 2),
    }  # fmt: skip
    views = cut(told.hours, "view")
    assert views["index"].xs(21).round(9).to_dict() == {"top": 150.0, "rest": 0.0}
    assert cut(told.content_hours, ("a1", 21))["acts"].to_dict() == {"top": 2, "rest": 0}
    assert "reply" not in told.hours.index.get_level_values("kind")


def test_service_and_surveys_by_hand(told: Portrait) -> None:
    """The first complaint waits two and a half hours; the second is answered only on the day after."""
    counts, waits = (
        ["complaints", "customers", "answered", "complaints_per_100"],
        ["answered_share", "median_reply_hours"],
    )
    assert told.service.T["rest"][[*counts, *waits, "index"]].tolist() == [2, 1, 1, 100.0, 0.5, 2.5, 200.0]
    assert told.service.T["top"][counts].tolist() == [0, 0, 0, 0.0]
    nps = cut(told.surveys, "nps")
    assert nps[["customers", "answers", "mean_score"]].to_dict("index") == {
        "top": {"customers": 1, "answers": 2, "mean_score": 9.5},
        "rest": {"customers": 1, "answers": 1, "mean_score": 2.0},
    }
    assert nps["index"].round(6).to_dict() == {"top": round(950 / 7, 6), "rest": round(200 / 7, 6)}


@pytest.mark.fault(51)
def test_no_later_row_changes_a_portrait(told: Portrait) -> None:
    then = study(
        orders=ORDERS[ORDERS["ordered_at"] < "2026-07"],
        events=EVENTS[EVENTS["occurred_at"] < "2026-07"],
        surveys=SURVEYS[SURVEYS["answered_at"] < "2026-07"],
    )
    other = tk.portrait(tiered(then), "house", then)
    for name in ("people", "numbers", "products", "content", "hours", "content_hours", "service", "surveys"):
        pd.testing.assert_frame_equal(getattr(told, name), getattr(other, name))
    assert repr(told) == repr(other)


def test_interests_count_one_by_one_and_each_once_per_customer() -> None:
    interests = ["music;sport", "sport、 sport，music", "music, ", None]
    found = cut(tk.portrait(by_segment({"interests": interests}, champions=2, lost=2)).people, "interests")
    assert rows(found, "customers", "of") == {
        ("music", "champions"): (2, 2), ("music", "lost"): (1, 1),
        ("sport", "champions"): (2, 2), ("sport", "lost"): (0, 1),
    }  # fmt: skip


def test_measures_are_means_and_medians_of_what_is_known() -> None:
    values = [1.0, 2.0, 9.0, np.nan, 0.0, 4.0]
    told = tk.portrait(by_segment({"completion_rate": values}, champions=4, lost=2))
    assert rows(cut(told.numbers, "completion_rate"), "customers", "mean", "median", "everybody", "index") == {
        "champions": (3, 4.0, 2.0, 3.2, 125.0),
        "lost": (2, 2.0, 2.0, 3.2, 62.5),
    }


PERSON = st.tuples(st.sampled_from("abc"), st.sampled_from(["f", "m", "x", None]), st.sampled_from(["s", "t", None]))


@examples(dev=12, ci=60)
@given(st.lists(PERSON, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_counts_are_those_of_plain_python_whatever_the_order(people: list[Any], random: Any) -> None:
    snap = pd.DataFrame(people, columns=["segment", "gender", "region"])
    told = tk.portrait(snap).people
    for attribute, place in (("gender", 1), ("region", 2)):
        known = [person for person in people if person[place] is not None]
        counts, of = Counter((p[place], p[0]) for p in known), Counter(p[0] for p in known)
        part = told[told.index.get_level_values("attribute") == attribute]
        for key, row in part.to_dict("index").items():
            _, value, tier = list(key)  # type: ignore[call-overload]  # a tuple of the three levels
            assert (row["customers"], row["of"]) == (counts[value, tier], of[tier])
            if of[tier]:
                everybody = sum(p[place] == value for p in known) / len(known)
                assert row["index"] == pytest.approx(100 * counts[value, tier] / of[tier] / everybody)
                assert row["lower"] <= row["index"] + 1e-9
                assert row["index"] <= row["upper"] + 1e-9
        assert part["customers"].sum() == len(known)
        weighted = (part["index"] * part["of"]).groupby("value").sum() / max(len(known), 1)
        assert np.allclose(weighted, 100)
    shuffled = people[:]
    random.shuffle(shuffled)
    again = tk.portrait(pd.DataFrame(shuffled, columns=snap.columns)).people
    pd.testing.assert_frame_equal(told, again)


def test_a_planted_trait_is_found_and_pure_chance_gives_few() -> None:
    rng = np.random.default_rng(5)
    size = several(5_000, 20_000)
    segment = rng.choice(["champions", "lost", "newcomers"], size)
    snap = pd.DataFrame({"segment": segment, "region": rng.integers(0, 40, size).astype(str)})
    by_chance = tk.portrait(snap).traits(each=100)
    assert len(by_chance) <= 0.1 * 40 * 3
    snap["gender"] = np.where(rng.random(size) < np.where(segment == "lost", 0.7, 0.4), "m", "f")
    first = tk.portrait(snap).traits(each=1)
    lost = first.xs("lost", level="tier")
    assert lost.set_index("side").loc["over", "index"] == pytest.approx(140, abs=8)
    assert ("gender", "m") in lost.index


@pytest.mark.fault(70)
def test_few_customers_make_no_trait() -> None:
    few = tk.portrait(by_segment({"gender": ["m"] * 9 + ["f"] * 200}, champions=9, lost=200))
    assert "champions" not in few.traits().index.get_level_values("tier")


def test_what_comes_from_orders_is_no_trait_and_a_scheme_no_attribute_of_itself() -> None:
    snap = by_segment({"need": ["price"] * 90 + ["unknown"] * 90}, champions=90, lost=90)
    assert tk.portrait(snap).traits().empty
    assert len(tk.portrait(snap).people) == 4
    assert tk.portrait(snap, "need").people.empty


def test_a_study_of_orders_with_days_only_says_what_is_missing() -> None:
    days = frame("customer_id ordered_at amount", ("A", "2026-06-01", 10), ("B", "2026-06-02", 5))
    business = tk.Study.from_frames(orders=days, timezone="Asia/Shanghai", currency="CNY")
    snap = business.snapshot(AS_OF)
    told = tk.portrait(tk.Tiers(business).fit(snap).transform(snap), study=business)
    assert set(told.missing) == {"products", "content", "hours", "content_hours", "service", "surveys"}
    assert "days only" in told.missing["hours"]
    assert len(told.numbers)
    assert repr(told)
    assert told._repr_html_()


@pytest.mark.fault(56)
def test_attributes_without_a_past_are_named() -> None:
    people = frame("customer_id persona gender", ("A", "student", "f"), ("B", "worker", "m"))
    for described, undated in ((people, ("persona",)), (people.assign(valid_from="2026-01-01"), ())):
        made = study(customers=described)
        assert tk.portrait(tiered(made), "house", made).undated == undated


def test_wrong_calls_are_refused(business: tk.Study) -> None:
    snap = tiered(business)
    with pytest.raises(ArgumentError, match="no column 'huose'"):
        tk.portrait(snap, "huose")
    with pytest.raises(ArgumentError, match="no customer has a tier"):
        tk.portrait(snap.assign(house=None), "house")
    dayless = snap.copy()
    dayless.attrs = {}
    with pytest.raises(ArgumentError, match="does not say its day"):
        tk.portrait(dayless, "house", business)
    assert tk.portrait(dayless, "house").as_of is None


def test_customers_without_a_tier_are_left_out() -> None:
    snap = pd.DataFrame({"segment": ["lost", None, "lost"], "gender": ["f", "f", "m"]})
    assert tk.portrait(snap).people["of"].tolist() == [2, 2]
