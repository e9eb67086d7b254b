"""Section J: settings that name nothing, contradict each other or are meant to hurt stop on their line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml

import toolkit as tk
from tests.builders.good_files import EXPERIMENT, STUDY
from toolkit.errors import StudyFileError
from toolkit.schema import SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.builders.shop import Shop

GOOD = {"study": STUDY, "experiment": EXPERIMENT}
OPEN: dict[str, Callable[[Path], object]] = {"study": tk.Study.open, "experiment": tk.Experiment.open}
Row = tuple[str, str, int, str]
"""What is replaced in the good file (added at its end, where empty), by what, the line of the fault, what is said."""


def each(old: str, line: int, says: str, *news: str) -> list[Row]:
    return [(old, new, line, says) for new in news]


def keys(line: int, *news: str, old: str = "") -> list[Row]:
    """Return rows in which the key itself is named."""
    return [(old, new, line, new.partition(":")[0]) for new in news]


STUDY_ROWS: list[Row] = [
    ("currency", "curency", 3, "unknown key 'curency'; did you mean 'currency'?"),
    ("    files", "    filse", 6, "did you mean 'files'?"),
    ("      amount", "      amuont", 8, "did you mean 'amount'?"),
    ("policies:", "polices:", 9, "did you mean 'policies'?"),
    ("  negative_amounts", "  negative_amount", 10, "did you mean 'negative_amounts'?"),
    ("  orders", "  order", 5, "did you mean 'orders'?"),
    ("", "tires: {}", 11, "unknown key 'tires'; did you mean 'tiers'?"),
    ("", "price_band: [1, 2]", 11, "did you mean 'price_bands'?"),
    ("", "layer: {}", 11, "did you mean 'layers'?"),
    ("", "churn_window_day: 90", 11, "did you mean 'churn_window_days'?"),
    ("", "promote_payment_tier: []", 11, "did you mean 'promote_payment_tier_by'?"),
    *each("", 11, "is given twice", "name: other", "policies: {}"),
    ("amount: Total", "amount: Total\n      amount: T", 9, "'amount' is given twice"),
    *keys(11, "window_days: many", "window_days: 0", "window_days: 30.5", "language: fr", "fold_case: perhaps",
          "loss_budget: 0.01", "min_cell: [10]", "promote_payment_tier_by: [activity]", "churn_window_days: 0",
          "churn_window_days: true", "tiers: [habit]"),
    ("", "loss_budget: {rows: 2}", 11, "loss_budget.rows"),
    ("", "cuts: {learned_at: soon}", 11, "cuts.learned_at"),
    ("", "retain_until: 2026-02-30", 0, ""),
    ("", "statuses: {payed: [ok]}", 11, "payed"),
    ("", "statuses: {paid: 7}", 11, "statuses.paid"),
    *(("Asia/Shanghai", f"'{zone}'", 2, "unknown time zone") for zone in (
        "Asia/Beijing", "UTC+8", "", "../etc/passwd", "8")),
    *(("", f"exclude_customers: {ids}", 11, "ids are text") for ids in (
        "[13800138000]", "[a, 7]", "[007]", "[1.5]", "[true]")),
    ("amount: Total", "quantity: {multiply: [A, B]}", 8, "'quantity' of table orders is not money"),
    *(("amount: Total", f"amount: {product}", 8, "") for product in (
        "{multiply: [A]}", "{multiply: [A, B, C]}", "{multipy: [A, B]}", "{divide: [A, B]}", "7")),
    ("orders:\n    files: orders.csv\n    columns:\n      amount: Total", "customers: {files: c.csv}", 4,
     "table 'orders' is required"),
    *(("my-shop", f"'{name}'", 1, "name") for name in ("../up", "a/b", "", "a b", "-x", "x" * 65, "店")),
    ("", "layers: {lead_in: [], entry: [], premium: [], circle: []}", 11,
     "top_layer = circle, offers = 0 is in no class"),
    ("", "layers: {lead_in: [课], entry: [课], premium: []}", 11, "'课' means two layers, lead_in and entry"),
    ("", "layers: {lead_in: [Entry], entry: [], premium: []}", 11, "'entry' means two layers"),
    ("", "layers: {lead_in: [课（9）], entry: ['课(9)'], premium: []}", 11, "means two layers"),
    ("", "layers: {引流-课: []}", 11, "is no name of a layer"),
    ("", "layers: {}", 11, "names no layer"),
    ("", "layers: {low: [], high: []}", 11,
     "the default rules do not fit, write tiers: {layer: {..}}: layer.premium_core"),
    *(("", f"price_bands: {bands}", 11, "price_bands must be two rising prices") for bands in (
        "[200, 100]", "[100, 100]", "[0, 100]", "[-5, 5]", "[1, .inf]", "[.nan, 1]", "[a, b]", "[1, 2, 3]", "'1, 2'",
        "{low: 1, high: 2}", "[true, 100]", "[]", "[1]", "100")),
    ("", "tiers: {habit: often}", 11, "tiers.habit"),
    ("", "tiers: {stage: {old: idle_days > 9, fresh: else}}", 11,
     "write tiers: {phase: {..}}: phase.value_adding: stage is never"),
    *(("", f"tiers:\n  habit:\n{classes}", line, what) for classes, line, what in (
        ("    a: order_days >= 2\n    b: order_days < 1", 12, "habit: a customer with order_days = 1 is in no class"),
        ("    a: order_dys >= 2\n    b: else", 13, "habit.a: unknown column 'order_dys'; did you mean 'order_days'?"),
        ("    a: else\n    b: order_days > many", 14, "habit.b: 'many' is no number"),
        ("    a: order_days >=\n    b: else", 13, "habit.a: cannot be read"),
        ("    yes: order_days > 1\n    no: else", 12, "the class True is no text: write it in quotes"),
        ("    a: 7\n    b: else", 13, "tiers.habit.a: input should be a valid string"),
        ("    a: else", 12, "2 to 100 classes"),
    )),
]  # fmt: skip
EXPERIMENT_ROWS: list[Row] = [
    ("control:", "contrl:", 4, "did you mean 'control'?"),
    ("window_days:", "window_day:", 7, "did you mean 'window_days'?"),
    ("last: 2026-09-07", "lasst: 2026-09-07", 6, "did you mean 'last'?"),
    ("per: orders", "pre: orders", 12, "did you mean 'per'?"),
    ("worse: higher", "wors: higher", 16, "did you mean 'worse'?"),
    ("guardrails:", "gaurdrails:", 15, "did you mean 'guardrails'?"),
    ("covariate: {days", "covariate: {day", 18, "did you mean 'days'?"),
    ("margin: 0.6", "magin: 0.6", 19, "did you mean 'margin'?"),
    ("", "control: none", 21, "is given twice"),
    ("call: 0.3}", "call: 0.3, call: 0.3}", 3, "is given twice"),
    ("  spend: {kind", "  bought: {kind", 11, "is given twice"),
    ("{kind: mean, of: spend}", "{kind: mean, of: spend, of: orders}", 11, "is given twice"),
    ("call: 0.3}", "call: 0.4}", 3, "shares add up to 1.1 and not to 1"),
    ("call: 0.3}", "call: 0.299999}", 3, "and not to 1"),
    ("call: 0.3}", "call: 0.0}", 3, "greater than 0"),
    ("{none: 0.4, mail: 0.3, call: 0.3}", "{none: 1}", 3, "less than 1"),
    ("{none: 0.4, mail: 0.3, call: 0.3}", "[none, mail]", 3, "arms"),
    ("mail: 0.3", "mail: '0.3'", 3, "valid number"),
    ("mail: 0.3", "mail: .nan", 3, "finite number"),
    *each("mail: 0.3", 3, "write it in quotes", "no: 0.3", "2: 0.3", "'': 0.3"),
    ("mail: 0.3", "holdout: 0.3", 3, "write holdout: 0.1"),
    ("control: none", "control: non", 4, "did you mean 'none'?"),
    ("first: 2026-09-01", "first: 2026-09-08", 6, "ends before it starts"),
    ("first: 2026-09-01", "first: 01/09/2026", 6, "write it as 2026-08-23"),
    ("first: 2026-09-01", "first: 2026-09-31", 0, ""),
    *each("first: 2026-09-01", 6, "write it as 2026-08-23", "first: 20001", "first: 2026-09-01 10:00"),
    (", last: 2026-09-07", "", 6, "key 'last' is required"),
    ("window_days: 28", "window_days: 27", 13, "days [21, 28] end after the window of 27 days"),
    ("primary: bought", "primary: bougt", 8, "did you mean 'bought'?"),
    ("primary: bought", "primary: opted_out", 8, "is no metric"),
    ("kind: mean, of: spend", "kind: median, of: spend", 11, "metrics.spend.kind"),
    ("kind: mean, of: spend", "kind: mean, of: spent", 11, "did you mean 'spend'?"),
    ("kind: mean, of: spend", "kind: mean, of: 7", 11, "is no measure"),
    ("kind: mean, of: spend", "kind: mean, of: events", 11, "events"),
    ("kind: mean, of: spend", "kind: mean, of: {events: lesson}", 11, "is no measure"),
    ("kind: mean, of: spend", "kind: mean, of: {evnts: [lesson]}", 11, "did you mean 'events'?"),
    ("kind: mean, of: spend", "kind: mean", 11, "key 'of' is required"),
    ("kind: mean, of: spend", "kind: mean, of: spend, per: orders", 11, "goes with kind: ratio"),
    (", per: orders", "", 12, "goes with kind: ratio"),
    (", days: [21, 28]", "", 13, "goes with kind: retention"),
    *each("days: [21, 28]", 13, "do not rise", "days: [28, 21]", "days: [21, 21]", "days: [-1, 28]"),
    *each("days: [21, 28]", 13, "days", "days: [21]", "days: [yes, 28]"),
    ("  opted_out: {kind", "  bought: {kind", 16, "give one another name"),
    ("margin: 0.01, ", "", 16, "key 'margin' is required"),
    ("covariate: {days: 90}", "covariate: {days: 0}", 18, "covariate.days"),
    ("of: spend, margin", "of: bought, margin", 19, "no metric of kind mean"),
    ("mail: 2,", "male: 2,", 19, "did you mean 'mail'?"),
    ("mail: 2,", "mail: -2,", 19, "offer_cost"),
    ("mail: [autumn_mail]", "mial: [autumn_mail]", 20, "did you mean 'mail'?"),
    *keys(4, "control: no", old="control: none"),
    *keys(5, "tier: ''", old="tier: stage"),
    *keys(7, "window_days: 28.5", "window_days: 0", "window_days: true", old="window_days: 28"),
    *keys(16, "margin: 0", old="margin: 0.01"),
    *keys(16, "worse: up", old="worse: higher"),
    *keys(17, "smallest_effect: 2%", "smallest_effect: yes", "smallest_effect: .inf", "smallest_effect: 0",
          old="smallest_effect: 0.02"),
    *keys(18, "covariate: 90", old="covariate: {days: 90}"),
    *keys(19, "margin: 60", old="margin: 0.6"),
    *keys(21, "alpha: 0.5", "power: 0.4", "power: 80%", "unit: household", "holdout: 1", "capacity: 0",
          "capacity: true", "capacity: 10.5", "salt: 7"),
    ("", "cluster: household", 21, "goes with unit: cluster"),
    ("", "shares_by_tier: {new: {none: 0.9, mail: 0.1, call: 0.1}}", 21, "add up to 1.1"),
    *each("", 21, "must name the arms none, mail, call", "shares_by_tier: {new: {none: 0.9, mail: 0.1}}",
      "shares_by_tier: {new: {none: 0.9, mail: 0.05, cal: 0.05}}"),
    *(("experiment: coupon", f"experiment: '{name}'", 1, "experiment") for name in (
        "", "a b", "-a", "é", "x" * 65, "../x")),
]  # fmt: skip
NO_SETTINGS = (
    "", "- a\n- b\n", "name: [\n", "a: b: c\n", "7\n", "{", "{[1]: 2}\n", "? {a: 1}\n: 2\n",
    "name: !!python/object:os.system x\n", "\tname: x\n", "name: a\x00b\n", "&a [*a]\n", "tiers: " + "{a: " * 700,
    "tiers: " + "[" * 700,
)  # fmt: skip


def refusal(folder: Path, kind: str, text: str | bytes) -> str:
    """Demand that a file is refused in the shape of every refusal; return its message."""
    path = folder / f"{kind}.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(StudyFileError, match=rf"(?s)^E-[a-z-]+ {kind}\.yaml(:\d+)?: .+[.?] Try: .+") as caught:
        OPEN[kind](path)
    assert len(str(caught.value)) < 1_000
    return str(caught.value)


def not_as_said(said: Iterable[tuple[object, str, str, str]]) -> dict[object, str]:
    """Return the cases whose message does not start or hold what it should, with what it is."""
    return {case: found for case, found, start, part in said if not (found.startswith(start) and part in found)}


@pytest.mark.fault(109, 110, 111, 113, 114)
@pytest.mark.parametrize(("kind", "rows"), [("study", STUDY_ROWS), ("experiment", EXPERIMENT_ROWS)])
def test_a_setting_that_cannot_be_stops_on_its_line(tmp_path: Path, kind: str, rows: list[Row]) -> None:
    assert all(old in GOOD[kind] for old, *_ in rows)
    said = [
        (
            (old, new),
            refusal(tmp_path, kind, GOOD[kind].replace(old, new, 1) if old else f"{GOOD[kind]}{new}\n"),
            f"E-{'study-yaml' if 'twice' in what else f'{kind}-key'} {kind}.yaml:{line}: " if line else "E-",
            what,
        )
        for old, new, line, what in rows
    ]
    assert not_as_said(said) == {}


@pytest.mark.fault(113)
@pytest.mark.parametrize("kind", list(GOOD))
def test_a_file_of_no_settings_or_without_a_key_that_is_required_stops(tmp_path: Path, kind: str) -> None:
    for text in NO_SETTINGS:
        refusal(tmp_path, kind, text)
    assert refusal(tmp_path, kind, "name: 店\n".encode("gbk")).startswith("E-study-encoding")
    required = {
        "study": ["name", "timezone", "currency", "tables"],
        "experiment": ["experiment", "arms", "control", "tier", "assigned", "window_days", "primary", "metrics",
                       "smallest_effect"],
    }  # fmt: skip
    content = yaml.safe_load(GOOD[kind])
    said = []
    for key in required[kind]:
        rest = yaml.safe_dump({name: value for name, value in content.items() if name != key})
        said.append((key, refusal(tmp_path, kind, rest), "E-", f"key '{key}' is required"))
    assert not_as_said(said) == {}
    for path in (tmp_path / "none.yaml", tmp_path / "no" / "study.yaml", tmp_path):
        with pytest.raises(StudyFileError, match="Try:"):
            OPEN[kind](path)


OTHERS = {"rest": "else"}


def tiers_stop(folder: Path, tiers: object) -> str:
    """Demand that a study file with these tiers is refused on a line of its own; return its message."""
    message = refusal(folder, "study", STUDY + yaml.safe_dump({"tiers": tiers}, allow_unicode=True))
    assert message.startswith("E-study-key study.yaml:"), message
    return message


WRONG_RULES: list[tuple[str, str]] = [
    ("window_ordr_days >= 3", "did you mean 'window_order_days'"),
    ("3 <= window_ordr_days", "did you mean 'window_order_days'"),
    ("Window_spend > 3", "'window_spend'"),
    ("phases == retention", "'phase'"),
    ("max_price > churn_window_day", "did you mean 'churn_window_days'"),
    ("max_price > of_buyer(0.8)", "did you mean 'of_buyers'"),
    ("segment == champion", "did you mean 'champions'"),
    ("stage == lost", "loss"),
    ("main_price_band == hi", "did you mean 'high'"),
    ("top_layer == circle", "top_layer is never 'circle'"),
    ("max_price > high", "'high' is no number"),
    ("max_price > 'high'", "max_price is a number and cannot be compared with"),
    ("region > 3", "region is text: it has no larger and smaller"),
    ("region == 3", "region is text and cannot be compared with '3'"),
    ("region == of_buyers(0.5)", "region is text and cannot be compared"),
    ("max_price > window_spend", "compare columns with values"),
    ("1 < 2", "one of them must be a column"),
    ("max_price", "max_price alone says nothing"),
    ("opted_out == 1", "write opted_out or not opted_out"),
    ("joined_date > 3", "use a column of days"),
    ("missing(order_days)", "order_days is never missing"),
    ("missing(max_price, recency_days)", "missing() holds one column"),
    *((f"max_price > of_buyers({share})", "the share lies between 0 and 1") for share in (80, 1, 0)),
    ("max_price > of_buyers(0.5, 0.6)", "holds one share"),
    ("max_price > 1 / 0", "divides by 0"),
    ("max_price > 1e999", "too large"),
    ("max_price > 9" + "9" * 400, "too large"),
    ("max_price + 1 > 3", "one of them must be a column"),
    ("max_price > 1 + 2", "cannot be compared"),
    ("max_price > True", "cannot be compared"),
    ("max_price is 3", "write max_price == .. or missing(max_price)"),
    ("region in 'ab'", "after in stands a list"),
    ("region in ()", "after in stands a list"),
    ("max_price >", "cannot be read"),
    ("", "cannot be read"),
    ("max_price = 3", "cannot be read"),
    ("max_price > 3; max_price", "cannot be read"),
    ("(" * 400 + "max_price > 3" + ")" * 400, "cannot be read"),
    ("not " * 600 + "max_price > 3", "longer than"),
    ("__import__('os').system('x') > 3", "is compared with"),
    ("(lambda: max_price)() > 3", "is compared with"),
    ("max_price > open('x')", "there is no"),
    ("[max_price > 3]", "is no comparison"),
    ("order_count > 1  # often\nand recency_days < 30\n", "#"),
    *((rule, "mine.a") for rule in (
        "window_spend > " + "-" * 1_900 + "1", "window_spend > " + "*".join(["1"] * 900),
        "window_spend > a" + ".b" * 900 + "(1)", "window_spend > a" + "[0]" * 500 + "(1)",
        "window_spend > f" + "()" * 900, "not " * 490 + "opted_out", "[" * 190 + "opted_out" + "]" * 190,
        "opted_out" + " and opted_out" * 5_000, "region == '" + "长" * 2_500 + "'", "window_spend > " + "9" * 1_900,
        "window_spend > 2 ** 999999999", "__import__('os').system('x')", "window_spend > __import__('os').getpid()",
        "window_spend.__class__ > 3", "[x for x in (1, 2)]", "window_spend > (y := 3)", "window_spend > f'{1}'",
        "order_count > 1; import os", "order_count > 1\x00", "order_count > 1 -- rich ones", "'; DROP TABLE orders",
        "{what} > {keys}", "%s > %(what)s", "<script>alert(1)</script>",
        "order_count > 1 if opted_out else order_count < 1",
    )),
]  # fmt: skip


@pytest.mark.fault(109)
def test_what_is_no_rule_stops_and_says_why(tmp_path: Path) -> None:
    said = [(rule, tiers_stop(tmp_path, {"mine": {"a": rule} | OTHERS}), "E-", what) for rule, what in WRONG_RULES]
    assert not_as_said(said) == {}
    assert [rule for rule, message, _, _ in said if "mine.a" not in message] == []


OVERLAPS: list[tuple[dict[str, str], str]] = [
    ({"a": "order_count >= 2", "b": "order_count <= 2"}, "order_count = 2 is in both a and b"),
    ({"growth": "order_days == 1 and idle_days <= 90", "maturity": "order_days >= 1 and idle_days < 60"} | OTHERS,
     "mine: a customer with order_days = 1, idle_days = 0 is in both growth and maturity"),
    ({"a": "segment in (champions, lost)", "b": "else", "c": "segment == lost"}, "segment = lost is in both a and c"),
    ({"a": "segment in (lost, champions)", "b": "ladder == churned"} | OTHERS, "ladder = churned"),
    ({"a": "window_spend > of_buyers(0.5)", "b": "window_spend > 100"} | OTHERS, "is in both a and b"),
    ({"a": "window_spend > 0", "b": "window_spend > of_buyers(0.5)"} | OTHERS, "is in both a and b"),
    ({"a": "order_count >= 0", "b": "not order_count < 0"}, "is in both a and b"),
    ({"a": "opted_out", "b": "not opted_out", "c": "opted_out and max_price > 3"}, "opted_out = yes"),
]  # fmt: skip
HOLES: list[tuple[dict[str, str], str]] = [
    ({"a": "order_count > 2", "b": "order_count < 2"}, "order_count = 2 is in no class"),
    ({"a": "recency_days > 30", "b": "recency_days <= 30"}, "recency_days = missing is in no class"),
    ({"a": "window_spend >= 0.1", "b": "window_spend <= 0"}, "is in no class"),
    ({"a": "discount_share < 1", "b": "missing(discount_share)"}, "discount_share = 1 is in no class"),
    ({"a": "discount_share > 0", "b": "missing(discount_share)"}, "discount_share = 0 is in no class"),
    ({"a": "stage == loss", "b": "stage == dormancy"}, "stage = maturity is in no class"),
    ({"a": "region == 上海", "b": "region == 北京"}, "region = missing is in no class"),
    ({"a": "region == x", "b": "missing(region)"}, "region = another is in no class"),
    ({"a": "top_layer in (lead_in, entry)", "b": "missing(top_layer)"}, "top_layer = premium"),
    ({"a": "opted_out", "b": "not opted_out and order_count > 0"}, "opted_out = no, order_count = 0"),
]


@pytest.mark.fault(110, 111)
def test_an_overlap_and_a_hole_stop_with_a_witness(tmp_path: Path) -> None:
    cases = [*OVERLAPS, *HOLES]
    said = [(str(rules), tiers_stop(tmp_path, {"mine": rules}), "E-", witness) for rules, witness in cases]
    assert not_as_said(said) == {}


WRONG_TIERS: list[Any] = [
    *({name: {"a": "order_count > 1"} | OTHERS} for name in (1, True, None)),
    {"mine": {True: "order_count > 1", False: "else"}},
    {"mine": {None: "order_count > 1", "b": "else"}},
    {"mine": {3: "order_count > 1", "b": "else"}},
    *({"mine": {"a": rule, "b": "else"}} for rule in (True, 3, None, ["order_count > 1"], {"b": "order_count > 1"})),
    {"mine": ["order_count > 1", "else"]},
    {"mine": "order_count > 1"},
    {"mine": None},
    ["mine"],
    "mine",
]
SCHEMES = (
    *("override", "segment", "r_score", "overridden", "customer_id", "cluster", "churn_window_days", "window_days"),
    *("of_buyers", "missing", "Segment", "PAYMENT_TIER", "Window_Spend", "ｓegment", "ｓｔａｇｅ", "ﬁrst"),
    *("and", "not", "else", "in", "None", "True", "lambda"),
    *("", "my tier", "1st", "a-b", "<b>", "a;b", "a=b", "a\u200bb", "付费 层级", "=1+1", "a\nb"),
)
CLASSES = (
    *(("High", "high"), ("a", "ａ"), ("ﬁ", "fi"), ("straße", "strasse")),
    *(("a", "None"), ("a", "else"), ("and", "b"), ("a", "True")),
    *(("", "b"), ("a b", "b"), ("<script>", "b"), ("a", "b;c"), ("a", "-1"), ("a", "\u202ea")),
)


@pytest.mark.fault(113)
def test_what_is_no_name_of_a_scheme_or_class_stops(tmp_path: Path) -> None:
    classes = {"a": "order_count > 1"} | OTHERS
    for name in SCHEMES:
        tiers_stop(tmp_path, {name: classes})
    for one, other in CLASSES:
        tiers_stop(tmp_path, {"mine": {one: "order_count > 1", other: "else"}})
    said = [
        *((c.name, tiers_stop(tmp_path, {c.name: classes}), "E-", "is a column already") for c in SNAPSHOT),
        ("scheme", tiers_stop(tmp_path, {"my tier": classes}), "E-", "is no name of a scheme"),
        ("class", tiers_stop(tmp_path, {"mine": {"a b": "opted_out", "b": "else"}}), "E-", "is no name of a class"),
        ("else", tiers_stop(tmp_path, {"mine": {"a": "else", "b": "else"}}), "E-", "only one class can be else"),
        ("none", tiers_stop(tmp_path, {"mine": {}}), "E-", "2 to 100 classes"),
        *(
            (name, tiers_stop(tmp_path, {"age": {name: "recency_days < 30", "old": "else"}}), "E-",
             f"age: '{name}' stands beside the classes")
            for name in ("new", "gone", "total", "New")
        ),
    ]  # fmt: skip
    assert not_as_said(said) == {}
    assert "new_ones" in tiers_stop(tmp_path, {"age": {"new": "recency_days < 30", "old": "else"}})


SNAP = pd.DataFrame(
    {
        "order_count": [1, 4, 0], "recency_days": [100.0, 3.0, None], "window_order_days": [1, 4, 0],
        "window_spend": [10.0, 99.0, 0.0], "idle_days": [100.0, 3.0, None],
    },
    index=pd.Index(["C1", "C2", "C3"], name="customer_id"),
)  # fmt: skip


@pytest.mark.fault(113)
def test_what_is_no_text_stops_in_the_study_file_and_by_hand(tmp_path: Path) -> None:
    for tiers in WRONG_TIERS:
        tiers_stop(tmp_path, tiers)
        with pytest.raises(StudyFileError, match="tiers"):
            tk.Tiers(rules=tiers).fit(SNAP)


def test_texts_of_rules_and_layers_are_compared_as_exports_are_read() -> None:
    said = ("'New York (East)'", "'New  York (East)'", "'Ｎｅｗ　Ｙｏｒｋ　（East）'", "' New York\u200b (East)'")
    people = pd.DataFrame(
        {"customer_id": ["C1", "C2"], "region": ["Ｎｅｗ  York\u3000(East)", "New York"], "valid_from": "2026-01-01"}
    )
    orders = pd.DataFrame(
        {"customer_id": ["C1", "C2", "C3"], "ordered_at": "2026-01-05", "amount": 5,
         "product_layer": ["体验课（9元）", "系统 课", "年卡"]}
    )  # fmt: skip
    study = tk.Study.from_frames(
        orders, customers=people, timezone="Asia/Shanghai", currency="CNY",
        layers={"lead_in": ["体验课（９元）"], "entry": ["系统　课"], "premium": ["年卡\u200b"]},
        tiers={f"where_{n}": {"east": f"region == {text}", "west": "else"} for n, text in enumerate(said)}
        | {"hash": {"a": "order_count > 1 and lead_in_product != 'C#'"} | OTHERS},
    )  # fmt: skip
    snap = study.snapshot("2026-06-30")
    assert snap["top_layer"].tolist() == ["lead_in", "entry", "premium"]
    tiered = tk.Tiers(study).fit(snap).transform(snap)
    assert [tiered[f"where_{n}"].tolist() for n in range(4)] == [["east", "west", "west"]] * 4
    assert tiered["hash"].tolist() == ["rest"] * 3


CHINESE: dict[str, dict[str, str]] = {
    "规模": {"大": "window_spend >= 50", "小": "else"},
    "跟进": {"要": "规模 == 大 and stage == maturity", "不要": "规模 == 小 or stage != maturity"},
}


def test_names_may_be_chinese_everywhere_and_a_missing_value_may_have_its_own_class(shop: Shop) -> None:
    lines = ("C1,2026-01-05,10", "C2,2026-03-05,500", "C2,2026-12-01,40", "C3,2026-12-30,7", "C4,2026-06-05,60")
    missing = {"a": "recency_days > 30", "b": "missing(recency_days)"} | OTHERS
    study = shop.lines(*lines, tiers=CHINESE | {"mine": missing}, language="zh")
    snap = study.snapshot("2026-12-31")
    tiers = tk.Tiers(study).fit(snap)
    tiered = tiers.transform(snap)
    assert tiered["规模"].tolist() == ["小", "大", "小", "大"]
    assert tiered["跟进"].tolist() == ["不要", "要", "不要", "不要"]
    assert tiered["mine"].tolist() == ["a", "rest", "rest", "a"]
    told = tiers.explain(tiered, "C2")
    assert told.loc["跟进", "values"] == "规模 = 大, stage = maturity"
    assert told.loc["跟进", "rule"] == "规模 == 大 and stage == maturity"
    found = tk.compare(tiers, {"规模": {"大": "window_spend >= 10", "小": "else"}}, snap)
    assert found.schemes.loc["规模", "moved"] == 1
    move = tk.migrate(study, "2026-06-30", "2026-12-31", by="规模")
    assert (move.tiers, move.checks[0].status) == (("大", "小"), "passed")
    assert tk.tier_history(study, ["2026-06-30", "2026-12-31"], by="规模").spells["tier"].isin(["大", "小"]).all()
    assert tk.portrait(tiered, by="规模", study=study).customers.index.tolist() == ["大", "小"]


def test_hostile_text_in_a_rule_is_told_as_text() -> None:
    evil = "<img src=x onerror=alert(1)>"
    rules = {"where": {"a": f"region == '{evil}'", "b": "else"}}
    snap = SNAP.assign(region=pd.Series([evil, None, "上海"], index=SNAP.index))
    tiers = tk.Tiers(rules=rules).fit(snap)
    told = tiers.explain(snap, "C1").loc[["where"]]
    assert evil in told["rule"].item()
    found = tk.compare(tiers, {"where": {"a": "region == 上海", "b": "else"}}, snap)
    for html in (told.to_html(), found._repr_html_()):
        assert "<img" not in html
