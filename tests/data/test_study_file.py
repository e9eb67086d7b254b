"""What a study file says is what is read, and what it does not say takes its default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.study import Multiply, read_study_file

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.study import StudyFile

SHORTEST = "name: my-shop\ntimezone: Asia/Shanghai\ncurrency: CNY\ntables: {orders: {files: orders.csv}}\n"


def read(folder: Path, text: str, encoding: str = "utf-8") -> StudyFile:
    (folder / "study.yaml").write_text(text, encoding=encoding)
    return read_study_file(folder / "study.yaml")


def test_what_is_not_said_takes_its_default_and_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    study = read(tmp_path, SHORTEST, "utf-8-sig")
    assert (study.name, study.window_days, study.min_cell, study.language) == ("my-shop", 365, 10, "en")
    assert study.tables["orders"].files == ("orders.csv",)
    assert (study.policies.negative_amounts, study.policies.missing_customer) == ("stop", "stop")
    assert study.loss_budget.rows == study.loss_budget.money == 0.01
    assert list(study.layers) == ["lead_in", "entry", "premium"]
    assert "引流课" in study.layers["lead_in"]
    assert (study.churn_window_days, study.price_bands, study.promote_payment_tier_by, study.tiers) == (
        180, None, (), {},
    )  # fmt: skip


def test_what_is_said_is_read(tmp_path: Path) -> None:
    study = read(
        tmp_path,
        SHORTEST.replace("orders.csv", "orders.csv, columns: {amount: {multiply: [Quantity, UnitPrice]}}")
        + """\
policies: {negative_amounts: refund}
exclude_customers: ["007"]
churn_window_days: 90
price_bands: [100, 999.5]
promote_payment_tier_by: [activity_band]
layers: {lead_in: 试听, entry: [正价, 系统课], premium: []}
tiers: {habit: {often: window_order_days >= 3, "no": else}}
""",
    )
    assert study.policies.negative_amounts == "refund"
    assert study.tables["orders"].columns["amount"] == Multiply(multiply=("Quantity", "UnitPrice"))
    assert study.exclude_customers == ("007",)
    assert study.tiers == {"habit": {"often": "window_order_days >= 3", "no": "else"}}
    assert study.layers == {
        "lead_in": ("lead_in", "试听"), "entry": ("entry", "正价", "系统课"), "premium": ("premium",),
    }  # fmt: skip
    assert (study.churn_window_days, study.price_bands, study.promote_payment_tier_by) == (
        90, (100, 999.5), ("activity_band",),
    )  # fmt: skip
