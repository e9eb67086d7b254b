"""The language of rules: what it says, and that its proof misses nobody."""

from __future__ import annotations

import itertools
import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.rules.columns import domains
from toolkit.rules.conditions import Learned, holds
from toolkit.rules.faults import RuleError
from toolkit.rules.grammar import parse
from toolkit.rules.layers import LAYERS
from toolkit.rules.proof import prove, witness
from toolkit.rules.rulebook import CONSTANTS, default_schemes, rulebook
from toolkit.rules.situations import true_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from toolkit.rules.conditions import Leaf

KNOWN = domains(LAYERS)
Customer = dict[str, Any]


class Seen:
    """A value as a rule sees it: Python's own operators, false where the value is missing."""

    __hash__ = None  # type: ignore[assignment]  # equality is the rule's

    def __init__(self, value: Any) -> None:
        self.value = value

    def _is(self, how: Callable[[Any, Any], bool], other: Any) -> bool:
        return self.value is not None and how(self.value, other)

    def __lt__(self, other: Any) -> bool:
        return self._is(operator.lt, other)

    def __le__(self, other: Any) -> bool:
        return self._is(operator.le, other)

    def __gt__(self, other: Any) -> bool:
        return self._is(operator.gt, other)

    def __ge__(self, other: Any) -> bool:
        return self._is(operator.ge, other)

    def __eq__(self, other: object) -> bool:
        return self._is(operator.eq, other)

    def __ne__(self, other: object) -> bool:
        return self._is(operator.ne, other)


def by_python(rule: str, customer: Customer, cuts: Mapping[str, Any]) -> bool:
    """Let Python itself run a rule that this file made: the oracle shares no code with the toolkit."""
    names: dict[str, Any] = {name: Seen(value) for name, value in customer.items()}
    words = {word: word for word in ("low", "mid", "high")}
    given_names = {
        "of_buyers": lambda share: cuts[f"buyers {share}"],
        "of_everyone": lambda share: cuts[f"all {share}"],
    }
    given_names["missing"] = lambda seen: seen.value is None
    return bool(eval(rule, {"__builtins__": {}}, names | words | given_names))  # noqa: S307 - only rules made here


def says(rule: str, **customer: Any) -> bool:
    """Work out a rule for one customer, one comparison at a time."""
    values = {name: v if isinstance(v, (str, bool)) or v is None else Fraction(str(v)) for name, v in customer.items()}

    def answer(leaf: Leaf) -> Any:
        return np.bool_(true_of(leaf, values[leaf.column], {}))

    return bool(holds(parse(rule, KNOWN, CONSTANTS).condition, answer))


SAYS: list[tuple[str, Customer, bool]] = [
    ("window_order_days >= 3", {"window_order_days": 3}, True),
    ("1 <= window_order_days <= 2", {"window_order_days": 0}, False),
    ("1 <= window_order_days <= 2", {"window_order_days": 2}, True),
    ("3 > window_order_days", {"window_order_days": 2}, True),
    ("idle_days > churn_window_days / 2", {"idle_days": 90}, False),
    ("idle_days > churn_window_days / 2", {"idle_days": 91}, True),
    ("idle_days > window_days * 2", {"idle_days": 730}, False),
    ("not idle_days > 90", {"idle_days": None}, True),
    ("idle_days <= 90", {"idle_days": None}, False),
    ("idle_days != 90", {"idle_days": None}, False),
    ("idle_days != 90", {"idle_days": 89}, True),
    ("idle_days not in (90, 91)", {"idle_days": None}, False),
    ("idle_days in (90, 91)", {"idle_days": 91}, True),
    ("missing(idle_days)", {"idle_days": None}, True),
    ("main_price_band == high", {"main_price_band": "high"}, True),
    ("'high' == main_price_band", {"main_price_band": "high"}, True),
    ("main_price_band in (high, mid)", {"main_price_band": "low"}, False),
    ("region != '华东'", {"region": "华北"}, True),
    ("region != '华东'", {"region": None}, False),
    ("region not in ('华东',)", {"region": None}, False),
    ("not region == '华东'", {"region": None}, True),
    ("opted_out", {"opted_out": True}, True),
    ("not opted_out and max_price < -5.5", {"opted_out": False, "max_price": -6}, True),
    ("max_price < 5 or missing(max_price) and max_price > 9", {"max_price": 4}, True),
    ("discount_share >= 1/3", {"discount_share": 0.33}, False),
]


def test_a_rule_says() -> None:
    assert [(rule, customer) for rule, customer, told in SAYS if says(rule, **customer) is not told] == []


def test_learned_cuts_and_constants_are_told_as_numbers() -> None:
    rule = parse("region == '东' and of_buyers(0.5) <\n idle_days <= churn_window_days", KNOWN, CONSTANTS)
    assert rule.told(lambda *_: 12.5) == "region == '东' and 12.5 < idle_days <= 180"
    assert str(Learned("buyers", Fraction(2, 3))) == "of_buyers(2/3)"
    assert str(Learned("everyone", Fraction(4, 5))) == "of_everyone(0.8)"


def fault(**scheme: str) -> str:
    with pytest.raises(RuleError) as caught:
        rulebook({"mine": scheme})
    return caught.value.what


def test_whole_numbers_and_shares_have_no_holes_between_them() -> None:
    rulebook({"a": {"x": "order_days >= 3", "y": "order_days <= 2"}})
    rulebook({"a": {"x": "days_since_nps >= 3", "y": "days_since_nps < 2.5", "z": "missing(days_since_nps)"}})
    rulebook({"a": {"x": "discount_share <= 1", "y": "missing(discount_share)"}})
    rulebook({"a": {"x": "order_days >= 0", "y": "order_days == 1.5"}})
    assert "is in no class" in fault(x="max_price >= 3", y="max_price <= 2 or missing(max_price)")
    assert "is in no class" in fault(x="mean_gap_days >= 3", y="mean_gap_days <= 2 or missing(mean_gap_days)")


def test_nothing_is_known_of_a_learned_cut_but_its_order() -> None:
    parts = {"x": "max_price > of_buyers(0.8)", "y": "of_buyers(0.5) < max_price <= of_buyers(0.8)"}
    rulebook({"a": parts | {"z": "max_price <= of_buyers(0.5) or missing(max_price)"}})
    assert "of_everyone(0.5) of max_price = " in fault(**parts, z="max_price <= of_everyone(0.5) or missing(max_price)")
    assert "is in no class" in fault(
        x="max_price > of_buyers(0.8)", z="max_price < of_buyers(0.8) or missing(max_price)"
    )
    assert "is in both x and y" in fault(x="max_price > of_buyers(0.8)", y="max_price < 100", z="else")
    assert "is in both x and y" in fault(x="max_price >= of_buyers(0.8)", y="max_price <= of_buyers(0.5)", z="else")
    assert "of_buyers(0.8) of max_price = " in fault(
        x="max_price > of_buyers(0.8)", z="max_price <= 100 or missing(max_price)"
    )
    assert "is in no class" in fault(
        x="low_band_share < of_buyers(0.5)", y="low_band_share == 1", z="missing(low_band_share)"
    )


def test_schemes_follow_schemes_but_never_in_circles() -> None:
    book = rulebook({"b": {"x": "c == p", "y": "else"}, "c": {"p": "stage == loss", "q": "else"}})
    order = book.computed
    assert order.index("stage") < order.index("c") < order.index("b")
    assert list(book.schemes)[-2:] == ["b", "c"]
    with pytest.raises(RuleError, match="in circles") as caught:
        rulebook({"b": {"x": "c == p", "y": "else"}, "c": {"p": "b == x", "q": "else"}})
    assert caught.value.keys[0] in {"b", "c"}
    with pytest.raises(RuleError, match="in circles"):
        rulebook(
            {"activity_band": {"high": "payment_tier == high", "low": "else"}},
            promote_payment_tier_by=("activity_band",),
        )


def test_what_is_too_large_to_prove_stops() -> None:
    many = {
        f"{column}_{n}": " or ".join(f"{column} == {n}{m}" for m in range(10))
        for column in ("refund_amount", "window_spend", "max_price")
        for n in range(1, 5)
    }
    assert "cannot be proven" in fault(**many, rest="else")
    cuts = " or ".join(f"max_price > of_{who}(0.{n})" for who in ("buyers", "everyone") for n in range(1, 9))
    assert "cannot be proven" in fault(a=cuts, b="else")


def test_the_default_rules_are_total_and_disjoint() -> None:
    assert set(rulebook({}).schemes) == set(default_schemes())
    assert list(default_schemes()["stage"]) == ["maturity", "growth", "introduction", "dormancy", "loss"]


def test_a_fourth_layer_asks_for_a_rule() -> None:
    with pytest.raises(RuleError, match="layer: a customer with top_layer = circle, offers = 0 is in no class"):
        rulebook({}, layers=(*LAYERS, "circle"))
    rules = dict(default_schemes()["layer"]) | {"circle": "top_layer == circle"}
    rules["pool"] = "top_layer == entry or (offers >= 1 and not top_layer in (premium, circle))"
    rulebook({"layer": rules}, layers=(*LAYERS, "circle"))


NUMBERS = [Fraction(n, 4) for n in range(-4, 13)]
WHOLE = [Fraction(n) for n in range(5)]
SHARES = [None, *(Fraction(n, 8) for n in range(9))]
GRID: dict[str, list[Any]] = {
    "order_days": WHOLE,
    "idle_days": [None, *WHOLE],
    "discount_share": SHARES,
    "max_price": [None, *NUMBERS],
    "main_price_band": [None, "low", "mid", "high"],
}
literal = st.sampled_from(["0", "1", "2", "0.5", "0.25", "1.5", "2 / 4"])
learned = st.sampled_from(["of_buyers(0.25)", "of_buyers(0.5)", "of_everyone(0.5)"])
sign = st.sampled_from(["<", "<=", ">", ">=", "=="])
number = st.sampled_from(["order_days", "idle_days", "discount_share", "max_price"])
leaf = st.one_of(
    st.builds("{} {} {}".format, number, sign, literal),
    st.builds("{} {} {}".format, st.just("max_price"), sign, learned),
    st.builds("{} < {} <= {}".format, literal, number, literal),
    st.builds("main_price_band {}".format, st.sampled_from(["== high", "in (mid, low)", "!= low"])),
    st.sampled_from(["missing(max_price)", "missing(idle_days)", "missing(main_price_band)"]),
)
rule = st.recursive(
    leaf,
    lambda part: st.one_of(
        st.builds("({} and {})".format, part, part),
        st.builds("({} or {})".format, part, part),
        st.builds("(not {})".format, part),
    ),
    max_leaves=4,
)


cut = st.one_of(literal, learned)
spread = st.lists(st.builds("max_price {} {}".format, sign, cut), min_size=2, max_size=3)
"""Classes of one column each: here a hole is as narrow as a point or the gap between a number and a learned cut."""


@examples(dev=120, ci=300)
@given(
    rules=st.lists(rule, min_size=1, max_size=3) | spread.map(lambda parts: [*parts, "missing(max_price)"]),
    complement=st.booleans(),
    data=st.data(),
)
def test_the_proof_misses_nobody_and_every_witness_is_real(
    rules: list[str], *, complement: bool, data: st.DataObject
) -> None:
    """Each rule against Python's own reading of it, on random customers and random cuts."""
    if complement:
        rules = [*rules, " and ".join(f"not {one}" for one in rules)]
    classes = {f"c{n}": parse(text, KNOWN, CONSTANTS).condition for n, text in enumerate(rules)}
    found = witness(classes, KNOWN)

    def inside(customer: Customer, cuts: Mapping[str, Any]) -> list[str]:
        return [name for name, text in zip(classes, rules, strict=True) if by_python(text, customer, cuts)]

    if found is not None:
        seen, names = found
        cuts: dict[str, Any] = {f"{who} {share}": Fraction(0) for who in ("buyers", "all") for share in (0.25, 0.5)}
        for one in seen.values():
            cuts |= {
                f"{'buyers' if cut.population == 'buyers' else 'all'} {float(cut.fraction)}": value
                for cut, value in one.cuts.items()
            }
            placed = {cut.fraction: value for cut, value in one.cuts.items() if cut.population == "buyers"}
            assert list(map(placed.get, sorted(placed))) == sorted(placed.values())
        customer: Customer = dict.fromkeys(GRID) | {name: one.value for name, one in seen.items()}
        assert tuple(inside(customer, cuts)[:2]) == names
        assert len(names) != 1
        return
    prove(classes, KNOWN)
    for _ in range(20):
        customer = {name: data.draw(st.sampled_from(values)) for name, values in GRID.items()}
        low, high = sorted(data.draw(st.tuples(*[st.sampled_from(NUMBERS)] * 2)))
        cuts = {"buyers 0.25": low, "buyers 0.5": high, "all 0.5": data.draw(st.sampled_from(NUMBERS))}
        assert len(inside(customer, cuts)) == 1, (customer, cuts)


def test_the_proof_agrees_with_every_customer_of_a_small_world() -> None:
    """All pairs of half-lines of whole days: the proof passes exactly where each of the days 0 to 9 is in one class."""
    told = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
    for (a, m), (b, n) in itertools.product(itertools.product(told, range(4)), repeat=2):
        classes = {"x": f"order_days {a} {m}", "y": f"order_days {b} {n}"}
        once = all(told[a](day, m) != told[b](day, n) for day in range(10))
        proven = witness({key: parse(text, KNOWN, {}).condition for key, text in classes.items()}, KNOWN) is None
        assert proven == once, classes
