"""The study file is read strictly: what it refuses, on which line, and which name it proposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.errors import StudyFileError
from toolkit.study import Multiply, parse_study, read_study_file

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
name: my-shop
timezone: Asia/Shanghai
currency: CNY
tables:
  orders:
    files: orders.csv
    columns:
      amount: Total
policies:
  negative_amounts: refund
"""


def refused(folder: Path, text: str | bytes) -> StudyFileError:
    path = folder / "study.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(StudyFileError, match=r"^E-[a-z-]+ study\.yaml(:\d+)?: .+[.?] Try: .+") as caught:
        read_study_file(path)
    return caught.value


def test_what_is_not_said_takes_its_default(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(GOOD, encoding="utf-8")
    study = read_study_file(tmp_path / "study.yaml")
    assert (study.window_days, study.min_cell, study.language) == (365, 10, "en")
    assert study.tables["orders"].files == ("orders.csv",)
    assert (study.policies.negative_amounts, study.policies.missing_customer) == ("refund", "stop")
    assert study.loss_budget.rows == study.loss_budget.money == 0.01


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_bytes(GOOD.encode("utf-8-sig"))
    assert read_study_file(tmp_path / "study.yaml").name == "my-shop"


@pytest.mark.parametrize(
    ("old", "new", "line", "nearest"),
    [
        ("currency", "curency", 3, "currency"),
        ("    files", "    filse", 6, "files"),
        ("      amount", "      amuont", 8, "amount"),
        ("policies:", "polices:", 9, "policies"),
        ("  negative_amounts", "  negative_amount", 10, "negative_amounts"),
        ("  orders", "  order", 5, "orders"),
    ],
)
def test_an_unknown_name_stops_on_its_line_with_the_nearest(
    tmp_path: Path, old: str, new: str, line: int, nearest: str
) -> None:
    message = str(refused(tmp_path, GOOD.replace(old, new, 1)))
    assert message.startswith(f"E-study-key study.yaml:{line}:"), message
    assert f"did you mean '{nearest}'?" in message


@pytest.mark.parametrize(("key", "line"), [("name: other", 11), ("policies: {}", 11), ("tables: {}", 11)])
def test_a_key_given_twice_stops_on_the_second(tmp_path: Path, key: str, line: int) -> None:
    message = str(refused(tmp_path, f"{GOOD}{key}\n"))
    assert f"study.yaml:{line}:" in message
    assert "is given twice" in message


def test_a_key_given_twice_inside_a_table_stops(tmp_path: Path) -> None:
    assert "'amount' is given twice" in str(
        refused(tmp_path, GOOD.replace("amount: Total", "amount: Total\n      amount: T"))
    )


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("window_days: many", "window_days"),
        ("window_days: 0", "window_days"),
        ("window_days: 30.5", "window_days"),
        ("language: fr", "language"),
        ("fold_case: perhaps", "fold_case"),
        ("loss_budget: {rows: 2}", "loss_budget.rows"),
        ("loss_budget: 0.01", "loss_budget"),
        ("cuts: {learned_at: soon}", "cuts.learned_at"),
        ("retain_until: 2026-02-30", ""),
        ("min_cell: [10]", "min_cell"),
        ("statuses: {payed: [ok]}", "payed"),
        ("statuses: {paid: 7}", "statuses.paid"),
    ],
)
def test_a_wrong_type_stops_and_names_the_key(tmp_path: Path, line: str, names: str) -> None:
    error = refused(tmp_path, f"{GOOD}{line}\n")
    assert names in error.what, error
    if names:
        assert "study.yaml:11:" in str(error)


@pytest.mark.parametrize("key", ["name", "timezone", "currency", "tables"])
def test_a_missing_key_stops_and_is_named(key: str) -> None:
    content = {"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY", "tables": {"orders": {"files": "o.csv"}}}
    del content[key]
    with pytest.raises(StudyFileError, match=f"key '{key}' is required"):
        parse_study(content)


@pytest.mark.parametrize("zone", ["Asia/Beijing", "UTC+8", "", "../etc/passwd", "8"])
def test_an_unknown_time_zone_stops(tmp_path: Path, zone: str) -> None:
    message = str(refused(tmp_path, GOOD.replace("Asia/Shanghai", f"'{zone}'")))
    assert "unknown time zone" in message
    assert "Asia/Shanghai" in message


@pytest.mark.parametrize("ids", ["[13800138000]", "[a, 7]", "[007]", "[1.5]", "[true]"])
def test_ids_without_quotes_stop(tmp_path: Path, ids: str) -> None:
    assert "ids are text" in str(refused(tmp_path, f"{GOOD}exclude_customers: {ids}\n"))


def test_ids_in_quotes_keep_their_zeros(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(f'{GOOD}exclude_customers: ["007"]\n', encoding="utf-8")
    assert read_study_file(tmp_path / "study.yaml").exclude_customers == ("007",)


def test_only_money_can_be_a_product(tmp_path: Path) -> None:
    product = "amount: {multiply: [Quantity, UnitPrice]}"
    (tmp_path / "study.yaml").write_text(GOOD.replace("amount: Total", product), encoding="utf-8")
    assert read_study_file(tmp_path / "study.yaml").tables["orders"].columns["amount"] == Multiply(
        multiply=("Quantity", "UnitPrice")
    )
    message = str(refused(tmp_path, GOOD.replace("amount: Total", "quantity: {multiply: [A, B]}")))
    assert "'quantity' of table orders is not money" in message


@pytest.mark.parametrize(
    "product", ["{multiply: [A]}", "{multiply: [A, B, C]}", "{multipy: [A, B]}", "{divide: [A, B]}", "7"]
)
def test_a_product_that_is_none_stops(tmp_path: Path, product: str) -> None:
    refused(tmp_path, GOOD.replace("amount: Total", f"amount: {product}"))


def test_orders_are_required(tmp_path: Path) -> None:
    message = str(
        refused(tmp_path, GOOD.replace("  orders:", "  customers:").replace("      amount: Total", "      persona: P"))
    )
    assert "table 'orders' is required" in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b\n",
        "name: [\n",
        "a: b: c\n",
        "7\n",
        "{[1]: 2}\n",
        "? {a: 1}\n: 2\n",
        "name: !!python/object:os.system x\n",
        "\tname: x\n",
        "name: a\x00b\n",
        "&a [*a]\n",
    ],
)
def test_what_is_no_mapping_stops(tmp_path: Path, text: str) -> None:
    refused(tmp_path, text)


def test_another_encoding_stops(tmp_path: Path) -> None:
    assert refused(tmp_path, "name: 店\n".encode("gbk")).code == "study-encoding"


def test_no_file_and_no_folder_stop(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path / "no" / "study.yaml", tmp_path):
        with pytest.raises(StudyFileError, match="Try:"):
            read_study_file(path)


@pytest.mark.parametrize("name", ["../up", "a/b", "", "a b", "-x", "x" * 65, "店"])
def test_a_name_that_cannot_be_a_folder_stops(tmp_path: Path, name: str) -> None:
    assert "name" in refused(tmp_path, GOOD.replace("my-shop", f"'{name}'")).what


def tiers(rules: str) -> str:
    return f"{GOOD}tiers:\n  habit:\n{rules}"


def test_what_tiers_and_layers_say_by_default() -> None:
    study = parse_study({"name": "s", "timezone": "UTC", "currency": "CNY", "tables": {"orders": {"files": "o.csv"}}})
    assert list(study.layers) == ["lead_in", "entry", "premium"]
    assert "引流课" in study.layers["lead_in"]
    assert (study.churn_window_days, study.price_bands, study.promote_payment_tier_by, study.tiers) == (
        180,
        None,
        (),
        {},
    )


def test_tiers_layers_and_bands_are_read(tmp_path: Path) -> None:
    text = tiers('    often: window_order_days >= 3\n    "no": else\n')
    text += "churn_window_days: 90\nprice_bands: [100, 999.5]\npromote_payment_tier_by: [activity_band]\n"
    text += "layers: {lead_in: 试听, entry: [正价, 系统课], premium: []}\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    study = read_study_file(tmp_path / "study.yaml")
    assert study.tiers == {"habit": {"often": "window_order_days >= 3", "no": "else"}}
    assert study.layers == {
        "lead_in": ("lead_in", "试听"),
        "entry": ("entry", "正价", "系统课"),
        "premium": ("premium",),
    }
    assert (study.price_bands, study.promote_payment_tier_by) == ((100, 999.5), ("activity_band",))


@pytest.mark.parametrize(
    ("rules", "line", "what"),
    [
        ("    a: order_days >= 2\n    b: order_days < 1\n", 12, "habit: a customer with order_days = 1 is in no class"),
        ("    a: order_days >= 2\n    b: order_days <= 2\n", 12, "a customer with order_days = 2 is in both a and b"),
        ("    a: order_dys >= 2\n    b: else\n", 13, "habit.a: unknown column 'order_dys'; did you mean 'order_days'?"),
        ("    a: else\n    b: order_days > many\n", 14, "habit.b: 'many' is no number"),
        ("    a: order_days >=\n    b: else\n", 13, "habit.a: cannot be read"),
        ("    yes: order_days > 1\n    no: else\n", 12, "the class True is no text: write it in quotes"),
        ("    a: 7\n    b: else\n", 13, "tiers.habit.a: input should be a valid string"),
        ("    a: else\n", 12, "2 to 100 classes"),
    ],
)
def test_a_tier_that_cannot_be_stops_on_its_line(tmp_path: Path, rules: str, line: int, what: str) -> None:
    message = str(refused(tmp_path, tiers(rules)))
    assert message.startswith(f"E-study-key study.yaml:{line}: "), message
    assert what in message


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("layers: {lead_in: [], entry: [], premium: [], circle: []}", "top_layer = circle, offers = 0 is in no class"),
        ("layers: {lead_in: [课], entry: [课], premium: []}", "'课' means two layers, lead_in and entry"),
        ("layers: {lead_in: [Entry], entry: [], premium: []}", "'entry' means two layers"),
        ("layers: {引流-课: []}", "is no name of a layer"),
        ("layers: {}", "names no layer"),
        ("layers: {low: [], high: []}", "the default rules do not fit, write tiers: {layer: {..}}: layer.premium_core"),
        (
            "tiers: {stage: {old: idle_days > 9, fresh: else}}",
            "write tiers: {phase: {..}}: phase.value_adding: stage is never",
        ),
        ("price_bands: [100, 100]", "two rising prices"),
        ("price_bands: [.nan, 100]", "two rising prices"),
        ("price_bands: 100", "price_bands"),
        ("promote_payment_tier_by: [activity]", "promote_payment_tier_by"),
        ("churn_window_days: 0", "churn_window_days"),
        ("tiers: {habit: often}", "tiers.habit"),
        ("tiers: [habit]", "tiers"),
    ],
)
def test_layers_bands_and_tiers_that_cannot_be_stop(tmp_path: Path, line: str, what: str) -> None:
    message = str(refused(tmp_path, f"{GOOD}{line}\n"))
    assert what in message
    assert "study.yaml:11:" in message
