"""One person behind many ids: who is joined, who is refused, and that no row and no cent is made or lost by it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.profiles import examples
from toolkit.data.identity import people
from toolkit.data.synthetic import course_seller
from toolkit.errors import InputError
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("identity")

AS_OF = "2026-10-31"
STATED: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "zero_orders": "exclude"},
}

Link = tuple[str, str | None, str]


def linked(*links: Link) -> pd.DataFrame:
    return pd.DataFrame(list(links), columns=["customer_id", "id_kind", "id_value"], dtype=object)


def behind(*links: Link, **options: Any) -> dict[str, str]:
    found = people(linked(*links), **options)
    assert found["id"].is_monotonic_increasing
    assert found["id"].is_unique
    return dict(zip(found["id"], found["person"], strict=True))


# who is behind which id


JOINED: list[tuple[list[Link], dict[str, str]]] = [
    ([("C1", "openid", "o1")], {"o1": "C1"}),
    ([("C1", "openid", "o1"), ("C1", "external_userid", "w1")], {"o1": "C1", "w1": "C1"}),
    ([("C1", "openid", "o1"), ("o1", "unionid", "u1")], {"o1": "C1", "u1": "C1"}),
    ([("C1", "openid", "o1"), ("o1", "openid", "o2"), ("o2", "openid", "o3")], {"o1": "C1", "o2": "C1", "o3": "C1"}),
    ([("C1", "unionid", "u"), ("w1", "unionid", "u")], {"u": "C1", "w1": "C1"}),
    ([("C2", "unionid", "u"), ("C1", "unionid", "u")], {"u": "C1", "C2": "C1"}),
    ([("C2", "phone", "p"), ("C3", "phone", "p"), ("C3", "openid", "o"), ("C1", "openid", "o")],
     {"p": "C1", "o": "C1", "C2": "C1", "C3": "C1"}),
    ([("Z", "openid", "C1"), ("C1", "openid", "o")], {"C1": "Z", "o": "Z"}),
    ([("C1", "openid", "o"), ("C1", "openid", "o"), ("C1", None, "o")], {"o": "C1"}),
    ([("C1", "openid", "C1")], {}),
    ([("C1", "openid", "C1"), ("C1", "openid", "o")], {"o": "C1"}),
    ([("C1", "openid", "x"), ("C1", "unionid", "x")], {"x": "C1"}),
    ([("C1", "openid", "o1"), ("C2", "openid", "o2")], {"o1": "C1", "o2": "C2"}),
    ([("客户", "openid", "零")], {"零": "客户"}),
    ([("C1", None, "x"), ("C2", None, "x")], {"x": "C1", "C2": "C1"}),
    ([("C9", "openid", "A1"), ("A1", "unionid", "u"), ("C8", "unionid", "u")], {"A1": "C8", "u": "C8", "C9": "C8"}),
    ([("10", "phone", "p"), ("9", "phone", "p")], {"9": "10", "p": "10"}),
]  # fmt: skip
"""Links -> who is behind which id: the smallest customer that is nobody's other id."""


def test_linked_ids_are_one_person() -> None:
    for links, expected in JOINED:
        assert behind(*links) == expected == behind(*links[::-1]), links


def refusal(*links: Link, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        people(linked(*links), **options)
    return str(caught.value)


def test_ids_linked_in_a_circle_stop_with_their_sizes() -> None:
    told = refusal(("A", "x", "B"), ("B", "x", "A"))
    assert told.startswith("E-identity-circle identities column id_value: ")
    assert "(ids per circle: 2) (n=1" in told
    three = [("A", "x", "B"), ("B", "y", "D"), ("D", "x", "A"), ("D", "x", "outside"), ("C1", "x", "A")]
    assert "(ids per circle: 3) (n=1" in refusal(*three)
    assert "(ids per circle: 2, 3) (n=2" in refusal(("P", "x", "Q"), ("Q", "x", "P"), *three[:3]).replace(
        "3, 2", "2, 3"
    )
    seven = [(f"{n}{a}", "x", f"{n}{b}") for n in range(7) for a, b in ("pq", "qp")]
    assert "(ids per circle: 2, 2, 2, 2, 2, ...) (n=7" in refusal(*seven)


def test_persons_with_too_many_ids_stop_with_their_sizes() -> None:
    till = [(f"C{n:02}", "phone", "13800138000") for n in range(20)]
    told = refusal(*till)
    assert told.startswith("E-identity-large identities column id_value: links merge more than 12 ids into one person")
    assert "(ids per person: 21) (n=1, e.g. 1***0)" in told
    assert "max_ids: 21" in told
    family = [(f"D{n}", "phone", "139") for n in range(13)]
    assert "(ids per person: 21, 14) (n=2" in refusal(*family, *till)
    assert len(behind(*till, max_ids=21)) == 20
    assert len(behind(*[("C1", "openid", f"o{n}") for n in range(11)])) == 11
    refusal(*[("C1", "openid", f"o{n}") for n in range(12)])


def test_an_id_that_is_a_customer_and_a_value_counts_once_for_the_limit() -> None:
    chain = [("C1", "openid", "w1"), ("w1", "unionid", "u1")]
    assert behind(*chain, max_ids=3) == {"w1": "C1", "u1": "C1"}
    assert "more than 2 ids" in refusal(*chain, max_ids=2)


def test_one_text_of_two_persons_in_two_kinds_stops() -> None:
    told = refusal(("C1", "phone", "777"), ("C2", "openid", "777"), ("C1", "openid", "o1"))
    assert told.startswith("E-identity-ambiguous identities column id_value: ")
    assert "(n=1, e.g. ***)" in told
    assert behind(("C1", "phone", "777"), ("C1", "openid", "777")) == {"777": "C1"}


def test_no_id_stands_in_a_message_unmasked() -> None:
    links = [("13800138000", "x", "13900139000"), ("13900139000", "x", "13800138000")]
    for told in (refusal(*links), refusal(("C1", "p", "13800138000"), ("C2", "o", "13800138000"))):
        assert "138001" not in told
        assert "139001" not in told


def test_nothing_linked_is_nothing_found() -> None:
    for links in (linked(), linked(("C1", "openid", "C1"))):
        assert people(links).shape == (0, 2)
        assert list(people(links).columns) == ["id", "person"]


def plainly(links: Sequence[Link], max_ids: int) -> dict[str, str] | str:
    """Join by hand, one link at a time; the code of the refusal where there is none."""
    told = [(one, kind or "", other) for one, kind, other in links if one != other]
    customers, values = {one for one, _, _ in told}, {other for _, _, other in told}
    below = {one: {other for first, _, other in told if first == one and other in customers} for one in customers}
    while leaves := {one for one, others in below.items() if not others}:
        below = {one: others - leaves for one, others in below.items() if one not in leaves}
    if below:
        return "identity-circle"

    group: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for one, kind, other in told:
        nodes = [("", one), ("" if other in customers else f"kind {kind}", other)]
        joined = set(nodes).union(*(group.get(node, ()) for node in nodes))
        group |= dict.fromkeys(joined, joined)
    texts = [{text for _, text in joined} for joined in group.values()]
    if any(len(ids) > max_ids for ids in texts):
        return "identity-large"
    found: dict[str, str] = {}
    for ids in texts:
        person = min(ids & customers - values)
        if any(found.get(one, person) != person for one in ids):
            return "identity-ambiguous"
        found |= dict.fromkeys(ids, person)
    return {one: person for one, person in found.items() if one != person}


ID = st.sampled_from("ABCDEFGHIJ零")
LINKS = st.lists(st.tuples(ID, st.sampled_from(["phone", "openid", None]), ID), max_size=14)
FORWARD = st.lists(
    st.tuples(
        st.sampled_from(["C1", "C2", "C3", "C4", "w1", "w2"]),
        st.sampled_from(["phone", "openid"]),
        st.sampled_from(["u1", "u2", "u3", "u4", "u5", "x"]),
    )
    | st.tuples(st.sampled_from(["C1", "C2", "C3"]), st.just("openid"), st.sampled_from(["w1", "w2", "w3"])),
    max_size=20,
)


@pytest.mark.parametrize("max_ids", [4, 12])
@examples(dev=60, ci=300)
@given(links=LINKS | FORWARD)
def test_joined_is_what_a_plain_union_joins_whatever_the_order_of_rows(max_ids: int, links: list[Link]) -> None:
    expected = plainly(links, max_ids)
    for order in (links, sorted(links, key=str)):
        if isinstance(expected, str):
            with pytest.raises(InputError) as caught:
                behind(*order, max_ids=max_ids)
            assert caught.value.code == expected
        else:
            assert behind(*order, max_ids=max_ids) == expected


# through the study


def study(orders: Mapping[str, Sequence[object]], *links: Link, **more: Any) -> tk.Study:
    """Make a study of columns; ``orders`` gives amounts by customer, all ordered on one day."""
    lines = pd.DataFrame(
        [(who, "2026-01-05", paid) for who, amounts in orders.items() for paid in amounts],
        columns=["customer_id", "ordered_at", "amount"],
        dtype=object,
    )
    tables: dict[str, Any] = {
        name: pd.DataFrame(rows, dtype=object) if name in TABLES else rows for name, rows in more.items()
    }
    return tk.Study.from_frames(lines, **(STATED | tables | ({"identities": linked(*links)} if links else {})))


def money(made: tk.Study, fate: str = "used") -> Decimal:
    book = made.ledger
    return sum(book.loc[(book["table"] == "orders") & (book["fate"] == fate), "money"], Decimal(0))


def counted(made: tk.Study, table: str) -> dict[str, int]:
    book = made.ledger[made.ledger["table"] == table]
    return dict(zip(book["reason"], book["rows"], strict=True))


TWO = (("C1", "openid", "o1"), ("C1", "external_userid", "w1"))


def test_a_person_spends_what_all_ids_spent() -> None:
    made = study({"C1": ["0.10"], "o1": ["0.20", "-0.05"], "w1": ["1000000.01"], "C2": ["7"]}, *TWO)
    apart = made.apart()
    assert made.snapshot(AS_OF)["spend"].to_dict() == {"C1": 1000000.26, "C2": 7.0}
    assert apart.snapshot(AS_OF)["spend"].to_dict() == {"C1": 0.1, "C2": 7.0, "o1": 0.15, "w1": 1000000.01}
    assert money(made) == money(apart) == Decimal("1000007.31")
    assert money(made, "refund") == money(apart, "refund") == Decimal("-0.05")


def test_a_person_who_never_used_the_own_id_stands_under_it_and_a_link_alone_is_nobody() -> None:
    assert study({"w1": ["5"], "C2": ["7"]}, *TWO).snapshot(AS_OF)["spend"].to_dict() == {"C1": 5.0, "C2": 7.0}
    assert list(study({"C2": ["7"]}, *TWO).snapshot(AS_OF).index) == ["C2"]


def test_ids_of_every_table_lead_to_the_person() -> None:
    made = study(
        {"C1": ["5"], "C2": ["1"]},
        *TWO,
        events=[{"customer_id": "w1", "occurred_at": "2026-10-30", "kind": "open"}],
        contacts=[{"customer_id": "o1", "sent_at": "2026-10-30"}, {"customer_id": "w1", "sent_at": "2026-10-30"}],
        surveys=[{"customer_id": "w1", "answered_at": "2026-10-30", "kind": "nps", "score": 9}],
        memberships=[{"customer_id": "o1", "starts_at": "2026-10-30"}],
    )
    found = made.snapshot(AS_OF)
    assert list(found.index) == ["C1", "C2"]
    row = dict(found.loc["C1"])
    assert (row["opens"], row["contacts_7d"], row["last_nps"], row["membership_state"]) == (1, 2, 9.0, "member")


def test_a_day_under_two_ids_is_one_day() -> None:
    events = [{"customer_id": who, "occurred_at": "2026-10-30", "kind": "view"} for who in ("C1", "w1")]
    row = study({"C1": ["5"], "w1": ["6"]}, *TWO, events=events).snapshot(AS_OF).loc["C1"]
    assert (row["order_days"], row["order_count"], row["active_days"]) == (1, 2, 1)


def test_links_are_repaired_and_folded_like_ids() -> None:
    made = study({"C1": ["1"], "Ｗ1 ": ["2"]}, (" C1", "openid", "W１"))
    assert made.snapshot(AS_OF)["spend"].to_dict() == {"C1": 3.0}
    folded = study({"c1": ["1"], "OPEN": ["2"]}, ("C1", "openid", "oPen"), fold_case=True)
    assert folded.snapshot(AS_OF)["spend"].to_dict() == {"c1": 3.0}
    assert list(study({"c1": ["1"], "OPEN": ["2"]}, ("C1", "openid", "oPen")).snapshot(AS_OF).index) == ["OPEN", "c1"]


THREE = [(f"C{n}", kind, f"{kind[0]}{n}") for n in (1, 2, 3) for kind in ("openid", "wecom")]
"""Three persons C1, C2, C3, each with two other ids: o1, w1, ..."""


def test_a_customer_is_excluded_by_any_id() -> None:
    orders = {f"{of}{n}": [str(paid)] for n in (1, 2, 3) for of, paid in (("C", 1), ("o", 2), ("w", 4))}
    events = [{"customer_id": who, "occurred_at": "2026-10-30"} for who in ("C1", "w1", "C2", "o3", "C9")]
    made = study(orders | {"C9": ["8"]}, *THREE, exclude_customers=["C1", "o2", "w3"], events=events)
    assert made.snapshot(AS_OF)["spend"].to_dict() == {"C9": 8.0}
    assert counted(made, "orders") == {"order": 1, "excluded_customer": 9}
    assert counted(made, "events") == {"event": 1, "excluded_customer": 4}
    assert money(made, "excluded") == 21


def person(who: str, **more: object) -> dict[str, object]:
    return {"customer_id": who, "joined_at": None, "region": None, "referred_by": None, "opted_out": None} | more


def test_a_person_described_under_two_ids_is_described_once_by_the_id_seen_first() -> None:
    rows = [person("C1", joined_at="2026-03-01", region="own"), person("w1", joined_at="2026-02-01", region="wecom"),
            person("o1", joined_at="2026-05-01", region="late")]  # fmt: skip
    for order in (rows, rows[::-1]):
        made = study({"C1": ["1"], "w1": ["1"]}, *TWO, customers=order)
        assert made.snapshot(AS_OF)["region"].to_dict() == {"C1": "wecom"}
        assert counted(made, "customers") == {"customer": 1, "other_id": 2}
    same_day = [row | {"joined_at": "2026-03-01"} for row in rows]
    assert study({"C1": ["1"]}, *TWO, customers=same_day).snapshot(AS_OF)["region"].tolist() == ["own"]


def test_rows_of_another_id_that_come_later_change_nothing_before() -> None:
    first = person("C1", joined_at="2026-03-01", region="own")
    later = [
        person("w1", joined_at="2026-04-01", region="wecom", opted_out="yes"),
        person("o1", joined_at="2026-05-01", region="late", referred_by="C2"),
    ]
    one = study({"C1": ["1"], "C2": ["1"]}, *TWO, customers=[first])
    both = study({"C1": ["1"], "C2": ["1"]}, *TWO, customers=[*later, first])
    pd.testing.assert_frame_equal(one.snapshot("2026-03-31"), both.snapshot("2026-03-31"))
    assert both.snapshot("2026-05-01")["region"].dropna().to_dict() == {"C1": "own"}


def test_changes_of_the_id_seen_first_are_followed() -> None:
    rows = [
        person("w1", valid_from="2026-02-01", region="a"),
        person("w1", valid_from="2026-06-01", region="c"),
        person("C1", valid_from="2026-03-01", region="b"),
    ]
    made = study({"C1": ["1"]}, *TWO, customers=rows)
    regions = [made.snapshot(day)["region"].loc["C1"] for day in ("2026-02-28", "2026-03-31", "2026-06-01")]
    assert regions == ["a", "a", "c"]


def test_who_opted_out_under_any_id_has_opted_out() -> None:
    orders = {f"C{n}": ["1"] for n in (1, 2, 3, 4)}
    out = ("C1", "o2", "w3")
    rows = [
        person(who, joined_at="2026-01-01", opted_out="yes" if who in out else "no")
        for who in (*(f"{of}{n}" for n in (1, 2, 3) for of in "Cow"), "C4")
    ]
    messages = [{"customer_id": who, "sent_at": "2026-01-01", "opted_out": "yes"} for who in out]
    for made in (study(orders, *THREE, customers=rows), study(orders, *THREE, contacts=messages)):
        found = made.snapshot(AS_OF)["opted_out"]
        assert found.index[found.fillna(value=False)].tolist() == ["C1", "C2", "C3"]


def test_a_referrer_is_found_by_any_id_and_nobody_refers_themselves() -> None:
    rows = [
        person("C1", referred_by="w1"),
        person("C2", referred_by="w1"),
        person("C3", referred_by="o1"),
        person("C4", referred_by="C1"),
    ]
    found = study({"C1": ["1"]}, *TWO, customers=rows).snapshot(AS_OF)["referrals"]
    assert found.to_dict() == {"C1": 3, "C2": 0, "C3": 0, "C4": 0}


def test_an_arm_given_to_two_ids_of_a_person_is_given_once() -> None:
    given_arm = {"experiment_id": "E", "arm": "new", "assigned_at": "2026-02-01"}
    rows = [
        given_arm | {"customer_id": "w1"},
        given_arm | {"customer_id": "C1", "assigned_at": "2026-02-02"},
        given_arm | {"customer_id": "o1", "arm": "old"},
        given_arm | {"customer_id": "C2"},
    ]
    made = study({"C1": ["1"]}, *TWO, assignments=rows)
    assert counted(made, "assignments") == {"assignment": 3, "repeated_assignment": 1}
    two_arms = next(check for check in made.checks(AS_OF) if check.code == "two_arms")
    assert two_arms.count == 1


STUDY = """\
name: shop
timezone: Asia/Shanghai
currency: CNY
tables:
  orders: {files: "orders_*.csv"}
  events: {files: "events_*.csv"}
"""


@pytest.fixture
def two_exports(tmp_path: Path) -> Path:
    """Write two exports that overlap; the second one names the customer by another id."""
    header = "customer_id,ordered_at,amount,order_id\n"
    (tmp_path / "orders_1.csv").write_text(f"{header}C1,2026-01-05,10,A\nC2,2026-01-06,5,B\n", encoding="utf-8")
    (tmp_path / "orders_2.csv").write_text(f"{header}w1,2026-01-05,10,A\nC2,2026-02-06,7,D\n", encoding="utf-8")
    events = "customer_id,occurred_at,kind\n{},2026-01-05 09:00,open\nC2,2026-0{}-06,open\n"
    (tmp_path / "events_1.csv").write_text(events.format("C1", 1), encoding="utf-8")
    (tmp_path / "events_2.csv").write_text(events.format("w1", 1), encoding="utf-8")
    (tmp_path / "identities.csv").write_text("customer_id,id_kind,id_value\nC1,openid,w1\n", encoding="utf-8")
    (tmp_path / "apart.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(f"{STUDY}  identities: {{files: identities.csv}}\n", encoding="utf-8")
    return tmp_path


def test_an_order_that_two_files_give_to_two_ids_of_a_person_is_taken_once(two_exports: Path) -> None:
    made = tk.Study.open(two_exports / "study.yaml")
    found = made.snapshot(AS_OF)
    assert found["spend"].to_dict() == {"C1": 10.0, "C2": 12.0}
    assert found["opens"].to_dict() == {"C1": 1, "C2": 1}
    assert counted(made, "orders") == {"order": 3, "other_file": 1}
    assert counted(made, "events") == {"event": 2, "other_file": 2}
    with pytest.raises(InputError, match="files-disagree"):
        tk.Study.open(two_exports / "apart.yaml").check(AS_OF)


# on the demo, whose truth is known

CUSTOMERS, SEED = 600, 11
DAYS = ("2025-06-30", "2026-03-31", "2026-10-31")


@pytest.fixture(scope="module")
def business() -> Any:
    return course_seller(customers=CUSTOMERS, seed=SEED)


@pytest.fixture(scope="module")
def demo(business: Any) -> tk.Study:
    return tk.Study.from_frames(**business.tables, **STATED)


@pytest.fixture(scope="module")
def apart(demo: tk.Study) -> tk.Study:
    return demo.apart()


def test_the_demo_plants_ids_worth_merging_and_every_link_is_merged(business: Any) -> None:
    for table in ("orders", "events", "contacts"):
        ids = business.tables[table]["customer_id"]
        assert ids.isin(business.owners.index).sum() > len(ids) / 50, table
    assert set(business.tables["identities"]["id_kind"]) == {"openid", "external_userid", "unionid"}
    found = people(business.tables["identities"])
    assert dict(zip(found["id"], found["person"], strict=True)) == business.owners.to_dict()


def test_merging_the_demo_conserves_rows_and_money_to_the_digit(demo: tk.Study, apart: tk.Study) -> None:
    for day in (None, *DAYS):
        book = demo.ledger_at(day)
        joined = book[book["table"] != "identities"].reset_index(drop=True)
        pd.testing.assert_frame_equal(joined, apart.ledger_at(day))


def test_the_merged_demo_is_the_demo_with_true_ids(business: Any, demo: tk.Study) -> None:
    tables = {name: frame for name, frame in business.tables.items() if name != "identities"}
    for name, frame in tables.items():
        if "customer_id" in frame:
            ids = frame["customer_id"].astype(object)
            owned = ids.map(business.owners).where(ids.isin(business.owners.index), ids)
            tables[name] = frame.assign(customer_id=owned)
    true = tk.Study.from_frames(**tables, **STATED)
    for day in DAYS:
        pd.testing.assert_frame_equal(demo.snapshot(day), true.snapshot(day))


def test_each_person_of_the_demo_spent_what_the_ids_spent(business: Any, demo: tk.Study, apart: tk.Study) -> None:
    for day in DAYS:
        joined, ids = (made.snapshot(day, columns=["spend", "refund_amount"]) for made in (demo, apart))
        owner = pd.Series(ids.index, index=ids.index).map(lambda one: business.owners.get(one, one))
        summed = ids.groupby(owner.to_numpy()).sum().reindex(joined.index)
        pd.testing.assert_frame_equal(summed.round(4), joined.round(4), check_index_type=False)
        assert exactly(ids["spend"]) == exactly(joined["spend"])
        assert len(ids) > len(joined)


def exactly(amounts: pd.Series[float]) -> Decimal:
    return sum((Decimal(repr(round(amount, 4))) for amount in amounts.tolist()), Decimal(0))
