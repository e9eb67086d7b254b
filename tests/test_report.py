"""The whole path: exports in, pages out, the same whatever happens later, and nobody's id on them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from toolkit.__main__ import app
from toolkit.data.synthetic import course_seller

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = "2026-08-31"
STUDY = """
name: shop
timezone: Asia/Shanghai
currency: CNY
language: {language}
tables:
  orders: {{files: orders.csv}}
  customers: {{files: customers.csv}}
policies: {{missing_customer: exclude, negative_amounts: refund}}
cuts: {{learned_at: 2026-06-30}}
exclude_customers: ["13912345678"]
"""
CANARIES = ("13912345678", "=HYPERLINK", "<script>alert", "../../etc", "王小明的名字")


def run(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output


def export(folder: Path, *, later: str, language: str) -> Path:
    """Write a shop's exports with planted ids and products; ``later`` says what happens to rows after the day."""
    folder.mkdir()
    business = course_seller(customers=600, seed=11)
    orders, customers = (frame.astype(object) for frame in business.tables.values())
    ids = dict(zip(sorted(customers["customer_id"])[: len(CANARIES)], CANARIES, strict=True))
    for frame in (orders, customers):
        frame["customer_id"] = frame["customer_id"].map(lambda one: ids.get(one, one))
    orders.loc[orders.index[:3], "product_id"] = CANARIES[1:4]
    customers.loc[customers.index[:3], "persona"] = CANARIES[1:4]
    next_day = pd.Timestamp("2026-09-01")
    is_later = pd.to_datetime(orders["ordered_at"]) >= next_day
    assert is_later.sum() > 100
    if later == "gone":
        orders = orders.loc[~is_later]
        customers = customers.loc[pd.to_datetime(customers["joined_at"]) < next_day]
    elif later == "mangled":
        orders.loc[is_later, "amount"] = ["¥9,999,999", "?"] * (is_later.sum() // 2) + ["-5"] * (is_later.sum() % 2)
        orders.loc[is_later, "status"] = "no such status"
        orders.loc[is_later, "customer_id"] = "1.38E+16"
    orders.to_csv(folder / "orders.csv", index=False)
    customers.to_csv(folder / "customers.csv", index=False)
    (folder / "study.yaml").write_text(STUDY.format(language=language), "utf-8")
    return folder / "study.yaml"


def published(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    root = tmp_path_factory.mktemp("reports")
    made = {}
    for later in ("kept", "mangled"):
        study = export(root / later, later=later, language="zh")
        run("report", str(study), "--as-of", AS_OF, "--out", str(root / f"out-{later}"))
        made[later] = published(root / f"out-{later}" / "shop" / AS_OF)
    return made


def test_a_report_has_its_pages_copies_results_and_manifest(reports: dict[str, dict[str, bytes]]) -> None:
    names = {"index.html", "results.json", "manifest.json"}
    for stem in ("00_data_health", "01_segments"):
        names |= {f"{stem}.html", f"notebooks/{stem}.ipynb"}
    assert set(reports["kept"]) == names


def test_rows_after_the_day_change_no_page_and_no_result(reports: dict[str, dict[str, bytes]]) -> None:
    kept, mangled = reports["kept"], reports["mangled"]
    assert kept["results.json"] == mangled["results.json"]
    for name in kept:
        if name.endswith(".html"):
            assert kept[name] == mangled[name], name
    hashes = [json.loads(report["manifest.json"])["inputs"] for report in (kept, mangled)]
    assert hashes[0] != hashes[1]


def test_nobody_and_nothing_live_stands_in_a_published_file(reports: dict[str, dict[str, bytes]]) -> None:
    for report in reports.values():
        for name, content in report.items():
            text = content.decode("utf-8")
            found = [canary for canary in CANARIES if canary in text]
            assert not found, (name, found)


def test_pages_load_nothing_and_speak_chinese(reports: dict[str, dict[str, bytes]]) -> None:
    for name, content in reports["kept"].items():
        if not name.endswith(".html"):
            continue
        html = content.decode("utf-8")
        assert "default-src 'none'" in html
        assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//|url\(\s*[\"']?(?!data:)|@import", html), name
        text = re.sub(r"<style.*?</style>|<[^>]+>|data:image\S+", " ", html, flags=re.DOTALL)
        assert not re.search(r"\b(the|and|of|spend|which)\b", text), name
        assert 'lang="zh-CN"' in html
        assert all(alt for alt in re.findall(r'<img[^>]*alt="([^"]*)"', html))


def test_check_says_where_every_row_went_and_keeps_the_quarantine_private(tmp_path: Path) -> None:
    study = export(tmp_path / "shop", later="kept", language="en")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code == 0, result.output
    assert "quarantined" in result.output
    assert "Next: toolkit report" in result.output
    kept = tmp_path / "shop" / "quarantine.csv"
    assert kept.stat().st_mode & 0o777 == 0o600
    rows = pd.read_csv(kept, dtype=str)
    assert len(rows) > 0
    assert set(rows["reason"]) <= {"missing_amount", "unreadable_amount"}
    assert rows["file"].eq("orders.csv").all()


def test_check_stops_where_something_must_be_decided(tmp_path: Path) -> None:
    study = export(tmp_path / "shop", later="kept", language="en")
    study.write_text(study.read_text("utf-8").replace("missing_customer: exclude, ", ""), "utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code == 1
    assert "E-no-customer orders.csv:" in result.output
    assert "Try: policies: {missing_customer: exclude}" in result.output


def test_a_report_without_its_date_is_refused(tmp_path: Path) -> None:
    study = export(tmp_path / "shop", later="kept", language="en")
    result = CliRunner().invoke(app, ["report", str(study)])
    assert result.exit_code == 1
    assert "Try: --as-of" in result.output
