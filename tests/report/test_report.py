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
{tables}
policies: {{missing_customer: exclude, negative_amounts: refund}}
cuts: {{learned_at: 2026-06-30}}
exclude_customers: ["13912345678"]
"""
CANARIES = ("13912345678", "=HYPERLINK", "<script>alert", "../../etc", "王小明的名字")


def run(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output


WHEN = {
    "orders": "ordered_at", "customers": "joined_at", "events": "occurred_at", "contacts": "sent_at",
    "surveys": "answered_at", "memberships": "starts_at", "costs": "period_start", "assignments": "assigned_at",
}  # fmt: skip
PLANTED = (
    ("orders", "product_id"), ("orders", "channel"), ("customers", "persona"), ("customers", "acquisition_channel"),
    ("customers", "interests"), ("events", "kind"), ("events", "content_id"), ("events", "channel"),
    ("contacts", "channel"), ("contacts", "campaign_id"), ("contacts", "offer_kind"), ("costs", "channel"),
    ("assignments", "arm"), ("surveys", "kind"),
)  # fmt: skip


def mangle(frame: pd.DataFrame, later: pd.Series[bool]) -> None:
    """Spoil every column of the later rows, bar their dates."""
    for column in frame.columns.intersection(["customer_id", "status", "kind", "arm"]):
        frame.loc[later, column] = "1.38E+16" if column == "customer_id" else "no such word"
    for column in frame.columns.intersection(["amount", "score", "delivered", "duration_seconds", "offer_price"]):
        frame.loc[later, column] = ["¥9,999,999", "?"] * (later.sum() // 2) + ["-5"] * (later.sum() % 2)


def export(folder: Path, *, later: str, language: str) -> Path:
    """Write a shop's exports with planted ids and names; ``later`` says what happens to rows after the day."""
    folder.mkdir()
    tables = {name: frame.astype(object) for name, frame in course_seller(customers=600, seed=11).tables.items()}
    ids = dict(zip(sorted(tables["customers"]["customer_id"])[: len(CANARIES)], CANARIES, strict=True))
    for name, frame in tables.items():
        if "customer_id" in frame:
            frame["customer_id"] = frame["customer_id"].map(lambda one: ids.get(one, one))
        for _, column in (planted for planted in PLANTED if planted[0] == name):
            frame.loc[frame.index[:4], column] = CANARIES[1:]
    if later == "mangled":
        for name, when in WHEN.items():
            mangle(tables[name], pd.to_datetime(tables[name][when]) >= pd.Timestamp("2026-09-01"))
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    named = "\n".join(f"  {name}: {{files: {name}.csv}}" for name in tables)
    (folder / "study.yaml").write_text(STUDY.format(language=language, tables=named), "utf-8")
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
    for stem in (
        "00_data_health", "01_segments", "02_clusters", "03_churn_risk", "04_customer_value", "05_tier_migration",
        "08_experiment_plan", "09_experiment_evaluation",
    ):  # fmt: skip
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
        text = re.sub(r"<style.*?</style>|<pre>.*?</pre>|<[^>]+>|data:image\S+", " ", html, flags=re.DOTALL)
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
