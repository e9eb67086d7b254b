"""One customer's card: what it says, what it must not say, and that nothing later changes it."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.profiles import several
from toolkit.errors import ArgumentError
from toolkit.report import card_words as say
from toolkit.report.frame import Frame
from toolkit.report.results import TOKEN_VARIABLE
from toolkit.report.rule_text import rule_text
from toolkit.schema import SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.report.card import CustomerCard

    Cards = Callable[[str], CustomerCard]

pytestmark = pytest.mark.xdist_group("card")

AS_OF = "2026-10-31"
LIVE = "<script>alert(1)</script>"
CARD_FRAMES = (
    "portrait", "figures", "timeline", "by_week", "scores", "gap", "tiers", "spells", "other_ids", "seasons",
)  # fmt: skip


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


ORDERS = frame(
    "customer_id ordered_at amount order_id product_id status",
    ("A", "2025-03-01 10:00", 100, "o1", "p1", "paid"),
    ("A", "2026-10-19 21:35", 250.5, "o2", "p2", "paid"),
    ("A", "2026-10-19 21:35", 49.5, "o2", "p1", "paid"),
    ("A", "2026-10-21 08:00", -49.5, "o2", "p1", "paid"),
    ("A", "2026-10-22 08:00", 70, "o3", "p1", "cancelled"),
    ("wx-a", "2026-10-25 08:00", 40, "o4", LIVE, "paid"),
    ("B", "2026-01-10", 20, "o5", "p1", "paid"),
    ("D", "2026-09-01", 30, "o6", "p1", "paid"),
    ("D", "2026-09-03", 30, "o7", "p1", "paid"),
    ("E", "2026-11-05", 30, "o8", "p1", "paid"),
    ("A", "2026-11-05", 999, "o9", "p9", "paid"),
)
CUSTOMERS = frame(
    "customer_id joined_at acquisition_channel persona referred_by occupation",
    ("A", "2025-02-01 12:00", f"ads {LIVE}", "office_worker", "B", "nurse"),
    ("C", "2026-08-01", "search", None, None, None),
)
EVENTS = frame(
    "customer_id occurred_at kind content_id",
    ("A", "2026-10-20 20:00", "浏览", "L1"),
    ("A", "2026-10-20 20:05", "抽奖", "L2"),
    ("A", "2026-10-28 20:05", "check_in", "L2"),
    ("A", "2026-11-20 20:05", "check_in", "L2"),
    ("C", "2026-10-20 20:00", "open", "L1"),
)
CONTACTS = frame(
    "customer_id sent_at channel campaign_id delivered opened opted_out",
    ("A", "2026-10-18 09:00", "wecom", "autumn", "是", "是", "否"),
    ("A", "2026-10-23 09:00", "sms", f"=HYPERLINK {LIVE}", "是", "否", "否"),
    ("A", "2026-10-24 09:00", "sms", "late", "否", "否", "否"),
)
SURVEYS = frame("customer_id answered_at kind score", ("A", "2026-10-26", "nps", 9))
MEMBERSHIPS = frame(
    "customer_id starts_at ends_at cancelled_at",
    ("A", "2025-03-01", "2026-02-28", None),
    ("A", "2026-03-01", "2027-02-28", None),
)
IDENTITIES = frame("customer_id id_kind id_value", ("A", "openid", "wx-a"))
ASSIGNMENTS = frame("experiment_id customer_id arm assigned_at", ("cashback", "A", "control", "2026-10-27"))


def study(**changes: Any) -> tk.Study:
    tables = {
        "orders": ORDERS, "customers": CUSTOMERS, "events": EVENTS, "contacts": CONTACTS, "surveys": SURVEYS,
        "memberships": MEMBERSHIPS, "identities": IDENTITIES, "assignments": ASSIGNMENTS,
    }  # fmt: skip
    given = {"timezone": "Asia/Shanghai", "currency": "CNY", "policies": {"negative_amounts": "refund"}}
    return tk.Study.from_frames(**{**tables, **given, **changes})


@pytest.fixture(scope="module")
def shop() -> tk.Study:
    return study()


@pytest.fixture(scope="module")
def card(shop: tk.Study) -> Cards:
    """A customer's card, by id; each is made once."""
    return cache(lambda who: shop.customer(who, AS_OF))


@pytest.fixture(scope="module")
def page(card: Cards) -> Callable[[str], str]:
    """The same as a piece of a page."""
    return cache(lambda who: card(who)._repr_html_())


@pytest.fixture(scope="module")
def changed() -> Cards:
    """Cards of a shop where an order was undone, cuts are older, customers are dated and tiers set by hand."""
    nobody = pd.DataFrame({"customer_id": ["F"]})
    customers = CUSTOMERS.assign(override=["payment_tier=high; stage=loss", ""])
    other = study(
        orders=ORDERS.assign(status=ORDERS["status"].replace("cancelled", "已退款")),
        customers=pd.concat([customers, nobody]).assign(valid_from="2026-01-01"),
        policies={"negative_amounts": "refund", "refunded_rows": "reversed_order"},
        cuts={"learned_at": "2026-09-15"},
    )
    return cache(lambda who: other.customer(who, AS_OF))


def in_chinese(card: CustomerCard) -> CustomerCard:
    return replace(card, frame=replace(card.frame, language="zh"))


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=300, seed=3)


@pytest.fixture(scope="module")
def demo_cards(demo: tk.Study) -> dict[str, CustomerCard]:
    """The first customer of a type, and who got most money back and ordered most often."""
    snap = demo.snapshot(AS_OF)
    scored = tk.RFM().fit(snap).transform(snap)
    firsts = [who for segment in SEGMENTS[:: several(2, 1)] for who in scored.index[scored["segment"] == segment][:1]]
    busiest = snap.sort_values(["refund_amount", "order_count"]).index[-2:]
    assert snap.loc[busiest, "refund_amount"].gt(0).all()
    return {str(who): demo.customer(who, AS_OF) for who in [*firsts, *busiest]}


def test_the_timeline_tells_every_act_that_is_used_and_visible_in_order(card: Cards) -> None:
    told = [
        (f"{moment:%m-%d %H:%M}", kind, detail, None if np.isnan(amount) else amount)
        for moment, _, kind, detail, amount in card("A").timeline.itertuples(index=False, name=None)
        if moment >= pd.Timestamp("2026-03-01")
    ]
    assert told == [
        ("03-01 00:00", "membership_started", None, None),
        ("10-18 09:00", "opened", "autumn · wecom", None),
        ("10-19 21:35", "order", "p1, p2", 300.0),
        ("10-20 20:00", "view", "L1", None),
        ("10-20 20:05", "抽奖", "L2", None),
        ("10-21 08:00", "refund", "p1", -49.5),
        ("10-23 09:00", "sent", f"=HYPERLINK {LIVE} · sms", None),
        ("10-24 09:00", "not_delivered", "late · sms", None),
        ("10-25 08:00", "order", LIVE, 40.0),
        ("10-26 00:00", "nps", "9", None),
        ("10-27 00:00", "assigned", "cashback: control", None),
        ("10-28 20:05", "check_in", "L2", None),
    ]
    assert card("A").timeline["amount"].sum() == card("A").figures["value"]["spend"] == 390.5
    assert card("A").by_week.to_dict() == {pd.Timestamp("2026-10-19"): 2, pd.Timestamp("2026-10-26"): 1}


def test_amounts_of_the_timeline_add_up_to_the_spend_of_the_snapshot(
    demo: tk.Study, demo_cards: dict[str, CustomerCard]
) -> None:
    snapshot = demo.snapshot(AS_OF, columns=["spend", "order_count"])
    for customer, card in demo_cards.items():
        assert card.timeline["amount"].sum() == pytest.approx(snapshot["spend"][customer], abs=1e-6)
        assert (card.timeline["kind"] == "order").sum() == snapshot["order_count"][customer]
        assert card.timeline["moment"].is_monotonic_increasing


def test_an_order_that_was_undone_is_told_without_money(changed: Cards) -> None:
    undone = changed("A")
    assert undone.timeline.set_index("kind").loc["order_undone", "amount"] == 0
    assert undone.timeline["amount"].sum() == undone.figures["value"]["spend"] == 390.5


def test_reasons_name_the_cuts_in_natural_units() -> None:
    """Five buyers; recency 10 to 50 days has its cuts at 18, 26, 34, 42, its median at 30."""
    days = pd.to_datetime(AS_OF) - pd.to_timedelta([10, 20, 30, 40, 50], unit="D")
    orders = pd.DataFrame(
        {"customer_id": list("vwxyz"), "ordered_at": days.strftime("%Y-%m-%d"), "amount": [1, 2, 3, 4, 5000]}
    )
    business = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
    cards = {customer: business.customer(customer, AS_OF) for customer in "vxz"}
    told = {customer: say.reason(card, "recency").replace("\u00a0", " ") for customer, card in cards.items()}
    assert told == {
        "v": "score 5, since under 18 days; high, since under the median of buyers, 30 days",
        "x": "score 3, since under 34 days but not under 26 days; low, since not under the median of buyers, 30 days",
        "z": "score 1, since not under 42 days; low, since not under the median of buyers, 30 days",
    }
    rich = cards["z"]
    assert say.reason(rich, "monetary") == "score 5, since over ¥1,003.20; high, since over the median of buyers, ¥3"
    assert say.reason(rich, "frequency").startswith("score 1: buyers do not differ")
    assert say.gap(rich, "recency") == "21 days too long ago, which one order mends"
    assert say.gap(rich, "frequency") == "1 more order day in the window"
    assert say.gap(rich, "monetary") == "–"


def test_scores_sides_and_tiers_are_those_of_the_frames_and_say_why(
    demo: tk.Study, demo_cards: dict[str, CustomerCard]
) -> None:
    snap = demo.snapshot(AS_OF)
    tiers = tk.Tiers(demo).fit(snap)
    tiered = tiers.transform(snap)
    sign = np.array([-1.0, 1.0, 1.0])
    for customer, card in demo_cards.items():
        assert card.tiers["tier"].to_dict() == {scheme: tiered[scheme][customer] for scheme in tiers.schemes_}
        assert (card.tiers["rule"] != "").all()
        last = card.spells[card.spells["until"] == pd.Timestamp(AS_OF)].set_index("scheme")["tier"]
        assert last.to_dict() == {scheme: tiered[scheme][customer] for scheme in ("segment", "stage", "payment_tier")}
        scores = card.scores
        value, cut, following = (
            sign * scores[name].to_numpy(dtype=float, na_value=np.nan) for name in ("value", "cut", "next_cut")
        )
        assert ((value > cut) | np.isnan(cut)).all()
        assert ((value <= following) | np.isnan(following)).all()
        assert scores["high"].tolist() == (value > sign * scores["split"].to_numpy(dtype=float)).tolist()
        assert scores["score"].tolist() == [tiered[name][customer] for name in ("r_score", "f_score", "m_score")]


def test_cuts_come_from_the_day_that_the_study_file_says(shop: tk.Study, card: Cards, changed: Cards) -> None:
    expected = tk.RFM().fit(shop.snapshot("2026-09-15")).splits_
    assert changed("A").scores["split"].to_dict() == expected
    assert changed("A").scores["split"].to_dict() != card("A").scores["split"].to_dict()


def test_no_later_row_changes_the_card_by_one_byte(card: Cards, page: Callable[[str], str]) -> None:
    later = "2026-10-31 23:59:59"
    cut = study(
        orders=ORDERS[ORDERS["ordered_at"] <= later],
        events=EVENTS[EVENTS["occurred_at"] <= later],
        contacts=CONTACTS[CONTACTS["sent_at"] <= later],
    )
    cards = {customer: cut.customer(customer, AS_OF) for customer in "ABC"}
    for customer, then in cards.items():
        for name in CARD_FRAMES:
            one, other = (getattr(each, name) for each in (card(customer), then))
            pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))
        assert repr(card(customer)) == repr(then)
    assert page("A") == cards["A"]._repr_html_()


def test_stays_in_tiers_say_from_when_to_when_and_what_changed(card: Cards) -> None:
    """B ordered once, on 10 January: active growth, asleep after 90 days without anything, lost after 180."""
    spells = card("B").spells
    stage = spells[spells["scheme"] == "stage"]
    told = [
        (tier, f"{since:%m-%d}", f"{until:%m-%d}")
        for tier, since, until in stage[["tier", "since", "until"]].itertuples(index=False, name=None)
    ]
    assert told == [("growth", "01-31", "03-31"), ("dormancy", "04-30", "06-30"), ("loss", "07-31", "10-31")]
    assert stage["changed"].tolist() == [(), (("idle_days", 80.0, 110.0),), (("idle_days", 171.0, 202.0),)]
    assert "Days idle: 80 → 110" in repr(card("B"))


def test_a_day_inside_a_month_is_looked_at_too(shop: tk.Study) -> None:
    spells = shop.customer("B", "2026-10-15").spells
    assert spells["until"].max() == pd.Timestamp("2026-10-15")
    assert set(spells.groupby("scheme")["until"].max()) == {pd.Timestamp("2026-10-15")}


def test_a_tier_set_by_hand_is_shown_with_what_the_rules_say(changed: Cards) -> None:
    row = changed("A").tiers.T["stage"]
    assert (row["tier"], row["by_hand"], row["computed"]) == ("loss", True, "maturity")
    assert "Loss (set by hand (the rules say Maturity))" in repr(changed("A"))
    assert "手动设定" in repr(in_chinese(changed("A")))


def test_attributes_without_a_date_are_marked(card: Cards, changed: Cards) -> None:
    portrait = card("A").portrait
    assert not portrait["dated"]["persona"]
    assert not portrait["dated"]["occupation"]
    assert portrait["dated"]["joined_date"]
    assert "office_worker *" in repr(card("A"))
    assert changed("A").portrait["dated"].all()


def test_a_card_of_someone_of_whom_nothing_but_the_id_is_known(changed: Cards) -> None:
    nobody = changed("F")
    assert nobody.timeline.empty
    assert nobody.by_week.empty
    assert "nothing recorded" not in repr(nobody)
    assert nobody._repr_html_()


def test_rules_are_told_in_words_and_units() -> None:
    frame = Frame(AS_OF, language="en"), Frame(AS_OF, language="zh")
    rule = "0 < window_spend <= 1081.2 and not (low_band_share >= 0.5 or stage in (loss, growth))"
    assert rule_text(rule, frame[0]) == (
        "¥0 < Spend in window ≤ ¥1,081.20 and not (Share in lowest price band ≥ 50% or Stage is one of (Loss, Growth))"
    )
    told = rule_text(rule.replace("(loss, growth)", "(loss)") + "; one class up, for behaviour_band = high", frame[1])
    assert not re.search("[a-z]", told)


def test_a_card_of_someone_who_never_bought(card: Cards) -> None:
    prospect = card("C")
    assert prospect.is_prospect
    assert prospect.scores.empty
    text = repr(prospect)
    assert "Has not ordered yet" in text or "has not ordered yet" in text
    assert "more order day" in text
    assert "Spend in window" not in [figure.label for figure in say.strip(prospect)]
    assert say.finding(prospect) == "No order up to 31 October 2026"


def test_a_study_of_orders_alone_has_cards() -> None:
    business = tk.Study.from_frames(
        orders=ORDERS, timezone="Asia/Shanghai", currency="EUR", policies={"negative_amounts": "refund"}
    )
    card = business.customer("B", AS_OF, lang="zh")
    assert card.portrait.empty
    assert "€20" in repr(card)
    assert card._repr_html_()


@pytest.mark.parametrize("given", ["nobody-13800138000", "E", "", "–", 17, None])
def test_an_unknown_id_is_refused_without_naming_anybody(shop: tk.Study, given: Any) -> None:
    with pytest.raises(ArgumentError) as refused:
        shop.customer(given, AS_OF)
    message = str(refused.value)
    assert "among the 4 known at 2026-10-31" in message
    assert 'study.snapshot("2026-10-31").index' in message
    assert "13800138000" not in message
    assert not re.search(r"\b(wx-a|A|B|C|D)\b", message)


def test_any_id_of_a_person_opens_their_card(card: Cards, page: Callable[[str], str]) -> None:
    for given in ("A", " Ａ ", "wx-a"):
        assert card(given).customer_id == "A"
    assert card("wx-a").other_ids.to_dict("records") == [{"id_value": "wx-a", "id_kind": "openid"}]
    assert "wx-a" in page("A")


def test_a_published_card_names_nobody(shop: tk.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "run")
    customer = shop.customer("A", AS_OF)
    assert customer.other_ids.empty
    assert "referred_by" not in customer.portrait.index
    for shown in (repr(customer), re.sub(r"base64,[^\"]*", "", customer._repr_html_())):
        assert "wx-a" not in shown
        assert "One customer" in shown
        assert not re.search(r"Customer A\b", shown)


@pytest.mark.fault(138)
def test_everything_that_came_from_an_export_is_escaped(page: Callable[[str], str]) -> None:
    assert "<script" not in page("A")
    assert page("A").count("&lt;script&gt;") >= 3


def test_a_card_speaks_its_language_and_shows_one_picture_with_its_text(
    shop: tk.Study, card: Cards, page: Callable[[str], str]
) -> None:
    before = dict(mpl.rcParams)
    prospect = shop.customer("C", AS_OF, lang="zh")
    chinese = {"A": in_chinese(card("A"))._repr_html_(), "C": prospect._repr_html_()}
    assert dict(mpl.rcParams) == before
    for language, pages in {"en": {who: page(who) for who in "ABCD"}, "zh": chinese}.items():
        for who, html in pages.items():
            assert html.count("<img ") == html.count('alt="') == 1, (who, language)
            assert_speaks(re.sub(r"base64,[^\"]*|<style.*?</style>", "", html), language)
    assert repr(prospect) == repr(in_chinese(card("C")))
    for who in "BD":
        assert_speaks(repr(in_chinese(card(who))), "zh")


def assert_speaks(text: str, language: str) -> None:
    assert bool(re.search(r"[\u4e00-\u9fff]", text.replace("抽奖", ""))) == (language == "zh")
    assert "{" not in text
    assert "nan" not in text.lower()
    assert "NaT" not in text


def test_a_card_cannot_be_changed(card: Cards) -> None:
    with pytest.raises(FrozenInstanceError):
        card("A").segment = "lost"  # type: ignore[misc]
