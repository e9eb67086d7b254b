"""Section J, as far as it is about tiers: rules that name nothing, contradict each other, or are meant to hurt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import StudyFileError
from toolkit.schema import SNAPSHOT
from toolkit.study import parse_study

if TYPE_CHECKING:
    from tests.builders.shop import Shop

OTHERS = {"rest": "else"}
LINES = ("C1,2026-01-05,10", "C2,2026-03-05,500", "C2,2026-12-01,40", "C3,2026-12-30,7")
SNAP = pd.DataFrame(
    {
        "order_count": [1, 4, 0],
        "recency_days": [100.0, 3.0, None],
        "window_order_days": [1, 4, 0],
        "window_spend": [10.0, 99.0, 0.0],
        "idle_days": [100.0, 3.0, None],
    },
    index=pd.Index(["C1", "C2", "C3"], name="customer_id"),
)


def stopped(shop: Shop, tiers: Any, **settings: Any) -> str:
    """Demand that a study file with these tiers is refused on a line of its own, in the shape of every refusal."""
    with pytest.raises(StudyFileError) as caught:
        shop.lines(*LINES, tiers=tiers, **settings)
    message = str(caught.value)
    assert caught.value.code == "study-key"
    assert message.startswith("E-study-key study.yaml:")
    assert " Try: " in message
    assert len(message) < 1_000
    return message


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ("window_spent > 3", "window_spend"),
        ("Window_spend > 3", "window_spend"),
        ("segment == champion", "champions"),
        ("stage == lost", "loss"),
        ("phases == retention", "phase"),
        ("window_spend > of_byers(0.8)", "of_buyers"),
        ("idle_days > churn_window", "churn_window_days"),
    ],
)
def test_109_what_is_unknown_stops_with_the_nearest_name(shop: Shop, rule: str, meant: str) -> None:
    message = stopped(shop, {"mine": {"a": rule} | OTHERS})
    assert meant in message
    assert "mine.a" in message


@pytest.mark.parametrize(
    ("rules", "witness"),
    [
        ({"a": "order_count >= 2", "b": "order_count <= 2"}, "order_count = 2 is in both a and b"),
        ({"a": "segment in (lost, champions)", "b": "ladder == churned"} | OTHERS, "ladder = churned"),
        ({"a": "recency_days > 30", "b": "missing(recency_days)"} | OTHERS, ""),
        ({"a": "window_spend > of_buyers(0.5)", "b": "window_spend > 100"} | OTHERS, "is in both a and b"),
        ({"a": "window_spend > 0", "b": "window_spend > of_buyers(0.5)"} | OTHERS, "is in both a and b"),
        ({"a": "order_count >= 0", "b": "not order_count < 0"}, "is in both a and b"),
    ],
)
def test_110_an_overlap_stops_with_a_witness(shop: Shop, rules: dict[str, str], witness: str) -> None:
    if witness:
        assert witness in stopped(shop, {"mine": rules})
    else:
        assert shop.lines(*LINES, tiers={"mine": rules})


@pytest.mark.parametrize(
    ("rules", "witness"),
    [
        ({"a": "order_count > 2", "b": "order_count < 2"}, "order_count = 2 is in no class"),
        ({"a": "recency_days > 30", "b": "recency_days <= 30"}, "recency_days = missing is in no class"),
        ({"a": "window_spend >= 0.1", "b": "window_spend <= 0"}, "is in no class"),
        ({"a": "stage == loss", "b": "stage == dormancy"}, "stage = maturity is in no class"),
        ({"a": "region == 上海", "b": "region == 北京"}, "region = missing is in no class"),
        ({"a": "opted_out", "b": "not opted_out and order_count > 0"}, "opted_out = no, order_count = 0"),
    ],
)
def test_111_a_hole_stops_with_a_witness(shop: Shop, rules: dict[str, str], witness: str) -> None:
    assert witness in stopped(shop, {"mine": rules})


@pytest.mark.parametrize(
    "settings",
    [{"tires": {}}, {"price_band": [1, 2]}, {"layer": {}}, {"churn_window_day": 90}, {"promote_payment_tier": []}],
)
def test_113_an_unknown_key_stops_with_the_nearest(shop: Shop, settings: dict[str, Any]) -> None:
    with pytest.raises(StudyFileError, match=r"study\.yaml:\d+: unknown key .*did you mean"):
        shop.lines(*LINES, **settings)


@pytest.mark.parametrize(
    "bands",
    [[200, 100], [100, 100], [0, 100], [-5, 5], [1, float("inf")], [float("nan"), 1], ["a", "b"], [1, 2, 3], "1, 2",
     {"low": 1, "high": 2}],
)  # fmt: skip
def test_114_price_bands_that_do_not_rise_stop(shop: Shop, bands: Any) -> None:
    with pytest.raises(StudyFileError, match=r"study\.yaml:\d+: price_bands"):
        shop.lines(*LINES, price_bands=bands)


@pytest.mark.parametrize(
    ("key", "value"),
    [("price_bands", [True, 100]), ("price_bands", []), ("price_bands", [1]), ("churn_window_days", True)],
)
def test_114_a_number_is_a_number(shop: Shop, key: str, value: Any) -> None:
    with pytest.raises(StudyFileError, match=rf"study\.yaml:\d+: {key}"):
        shop.lines(*LINES, **{key: value})


@pytest.mark.parametrize(
    "rule",
    [
        "window_spend > " + "-" * 1_900 + "1",
        "window_spend > " + "*".join(["1"] * 900),
        "window_spend > a" + ".b" * 900 + "(1)",
        "window_spend > a" + "[0]" * 500 + "(1)",
        "window_spend > f" + "()" * 900,
        "not " * 490 + "opted_out",
        "(" * 900 + "opted_out" + ")" * 900,
        "[" * 190 + "opted_out" + "]" * 190,
        "opted_out" + " and opted_out" * 5_000,
        "region == '" + "长" * 2_500 + "'",
        "window_spend > " + "9" * 1_900,
        "window_spend > 2 ** 999999999",
        "window_spend > 9e999",
    ],
    ids=str.split,
)
def test_long_and_deep_rules_stop(shop: Shop, rule: str) -> None:
    assert "mine.a" in stopped(shop, {"mine": {"a": rule} | OTHERS})


@pytest.mark.parametrize(
    "rule",
    [
        "__import__('os').system('x')",
        "window_spend > __import__('os').getpid()",
        "window_spend.__class__ > 3",
        "(lambda: 3)() > window_spend",
        "[x for x in (1, 2)]",
        "window_spend > (y := 3)",
        "window_spend > f'{1}'",
        "order_count > 1; import os",
        "order_count > 1\x00",
        "order_count > 1 -- rich ones",
        "'; DROP TABLE orders",
        "{what} > {keys}",
        "%s > %(what)s",
        "<script>alert(1)</script>",
        "order_count > 1 if opted_out else order_count < 1",
    ],
)
def test_what_is_no_rule_stops(shop: Shop, rule: str) -> None:
    assert "mine.a" in stopped(shop, {"mine": {"a": rule} | OTHERS})


def test_a_comment_inside_a_rule_stops_rather_than_hides_what_follows(shop: Shop) -> None:
    rule = "order_count > 1  # often\nand recency_days < 30\n"
    assert "#" in stopped(shop, {"mine": {"a": rule} | OTHERS})
    assert shop.lines(*LINES, tiers={"mine": {"a": "order_count > 1 and lead_in_product != 'C#'"} | OTHERS})


@pytest.mark.parametrize(
    "said", ["'New York (East)'", "'New  York (East)'", "'Ｎｅｗ　Ｙｏｒｋ　（East）'", "' New York\u200b (East)'"]
)
def test_a_text_is_compared_as_exports_are_read(said: str) -> None:
    people = pd.DataFrame(
        {"customer_id": ["C1", "C2"], "region": ["Ｎｅｗ  York\u3000(East)", "New York"], "valid_from": "2026-01-01"}
    )
    orders = pd.DataFrame({"customer_id": ["C1", "C2"], "ordered_at": "2026-01-05", "amount": 5})
    rules = {"where": {"east": f"region == {said}", "west": "else"}}
    study = tk.Study.from_frames(orders, customers=people, timezone="Asia/Shanghai", currency="CNY", tiers=rules)
    snap = study.snapshot("2026-06-30")
    assert tk.Tiers(study).fit(snap).transform(snap)["where"].tolist() == ["east", "west"]


def test_words_of_a_layer_are_compared_as_exports_are_read(shop: Shop) -> None:
    layers = {"lead_in": ["体验课（９元）"], "entry": ["系统　课"], "premium": ["年卡\u200b"]}
    study = shop.lines(
        *(f"C{n},2026-01-05,10,{word}" for n, word in enumerate(["体验课（9元）", "系统 课", "年卡"])),
        header="customer_id,ordered_at,amount,product_layer",
        layers=layers,
    )
    assert study.snapshot("2026-06-30")["top_layer"].tolist() == ["lead_in", "entry", "premium"]
    with pytest.raises(StudyFileError, match="means two layers"):
        shop.lines(*LINES, layers=layers | {"entry": ["体验课(9元)"]})


@pytest.mark.parametrize("bracket", ["{a: ", "["])
def test_yaml_that_is_nested_too_deeply_stops(shop: Shop, bracket: str) -> None:
    shop.lines(*LINES)
    file = shop.folder / "study.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "tiers: " + bracket * 3_000, encoding="utf-8")
    with pytest.raises(StudyFileError):
        tk.Study.open(file)


@pytest.mark.parametrize(
    "tiers",
    [
        {1: {"a": "order_count > 1"} | OTHERS},
        {True: {"a": "order_count > 1"} | OTHERS},
        {None: {"a": "order_count > 1"} | OTHERS},
        {"mine": {True: "order_count > 1", False: "else"}},
        {"mine": {None: "order_count > 1", "b": "else"}},
        {"mine": {3: "order_count > 1", "b": "else"}},
        {"mine": {"a": True, "b": "else"}},
        {"mine": {"a": 3, "b": "else"}},
        {"mine": {"a": None, "b": "else"}},
        {"mine": {"a": ["order_count > 1"], "b": "else"}},
        {"mine": {"a": {"b": "order_count > 1"}, "c": "else"}},
        {"mine": ["order_count > 1", "else"]},
        {"mine": "order_count > 1"},
        {"mine": None},
        ["mine"],
        "mine",
    ],
    ids=str,
)
def test_what_is_no_text_stops_in_the_study_file_and_by_hand(shop: Shop, tiers: Any) -> None:
    stopped(shop, tiers)
    with pytest.raises(StudyFileError, match="tiers"):
        tk.Tiers(rules=tiers).fit(SNAP)


@pytest.mark.parametrize(
    "name",
    [
        *("window_spend", "order_count", "override", "segment", "r_score", "overridden", "customer_id", "cluster"),
        *("churn_window_days", "window_days", "of_buyers", "missing"),
        *("Segment", "PAYMENT_TIER", "Window_Spend", "ｓegment", "ｓｔａｇｅ", "ﬁrst"),
        *("and", "not", "else", "in", "None", "True", "lambda"),
        *("", "my tier", "1st", "a-b", "<b>", "a;b", "a=b", "a\u200bb", "付费 层级", "=1+1", "a\nb"),
    ],
)
def test_a_scheme_is_named_like_nothing_else(shop: Shop, name: str) -> None:
    stopped(shop, {name: {"a": "order_count > 1"} | OTHERS})


@pytest.mark.parametrize(
    "names",
    [
        *(("High", "high"), ("a", "ａ"), ("ﬁ", "fi"), ("straße", "strasse")),
        *(("a", "None"), ("a", "else"), ("and", "b"), ("a", "True")),
        *(("", "b"), ("a b", "b"), ("<script>", "b"), ("a", "b;c"), ("a", "-1"), ("a", "\u202ea")),
    ],
)
def test_a_class_is_named_like_no_other_and_readable(shop: Shop, names: tuple[str, str]) -> None:
    stopped(shop, {"mine": {names[0]: "order_count > 1", names[1]: "else"}})


def test_every_column_of_the_snapshot_is_taken(shop: Shop) -> None:
    for column in SNAPSHOT:
        content = {"name": "s", "timezone": "UTC", "currency": "CNY", "tables": {"orders": {"files": "o.csv"}}}
        with pytest.raises(StudyFileError, match="column already"):
            parse_study(content | {"tiers": {column.name: {"a": "order_count > 1"} | OTHERS}})


CHINESE: dict[str, dict[str, str]] = {
    "规模": {"大": "window_spend >= 50", "小": "else"},
    "跟进": {"要": "规模 == 大 and stage == maturity", "不要": "规模 == 小 or stage != maturity"},
}


def test_names_may_be_chinese_everywhere(shop: Shop) -> None:
    study = shop.lines(*LINES, "C4,2026-06-05,60", tiers=CHINESE, language="zh")
    snap = study.snapshot("2026-12-31")
    tiers = tk.Tiers(study).fit(snap)
    tiered = tiers.transform(snap)
    assert tiered["规模"].tolist() == ["小", "大", "小", "大"]
    assert tiered["跟进"].tolist() == ["不要", "要", "不要", "不要"]
    told = tiers.explain(tiered, "C2")
    assert told.loc["跟进", "values"] == "规模 = 大, stage = maturity"
    assert told.loc["跟进", "rule"] == "规模 == 大 and stage == maturity"
    found = tk.compare(tiers, {"规模": {"大": "window_spend >= 10", "小": "else"}}, snap)
    assert found.schemes.loc["规模", "moved"] == 1
    move = tk.migrate(study, "2026-06-30", "2026-12-31", by="规模")
    assert (move.tiers, move.checks[0].status) == (("大", "小"), "passed")
    assert tk.tier_history(study, ["2026-06-30", "2026-12-31"], by="规模").spells["tier"].isin(["大", "小"]).all()
    assert tk.portrait(tiered, by="规模", study=study).customers.index.tolist() == ["大", "小"]


@pytest.mark.parametrize("name", ["new", "gone", "total", "New"])
def test_a_class_is_not_called_as_what_stands_beside_classes(shop: Shop, name: str) -> None:
    with pytest.raises(StudyFileError, match=f"age: '{name}' stands beside the classes .* {name}_ones"):
        shop.lines(*LINES, tiers={"age": {name: "recency_days < 30", "old": "else"}})


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
