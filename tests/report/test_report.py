"""The whole path: exports in, pages out, the same whatever happens later, and nobody's id on them."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.builders.toys import without_workers
from toolkit.__main__ import app
from toolkit.data.synthetic import course_seller

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("report")
AS_OF = "2026-08-31"
AGAIN = ("00_data_health", "01_segments", "09_experiment_evaluation")
"""Notebooks that are run a second time, on exports whose later rows are spoilt."""
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


@cache
def planted() -> dict[str, pd.DataFrame]:
    """Return a shop's tables with planted ids and names."""
    tables = {name: frame.astype(object) for name, frame in course_seller(customers=600, seed=11).tables.items()}
    ids = dict(zip(sorted(tables["customers"]["customer_id"])[: len(CANARIES)], CANARIES, strict=True))
    for name, frame in tables.items():
        if "customer_id" in frame:
            frame["customer_id"] = frame["customer_id"].map(lambda one: ids.get(one, one))
        for _, column in (place for place in PLANTED if place[0] == name):
            frame.loc[frame.index[:4], column] = CANARIES[1:]
    return tables


def export(folder: Path, *, later: str = "kept") -> Path:
    """Write the shop's exports; ``later`` says what happens to rows after the day."""
    folder.mkdir()
    tables = {name: frame.copy() for name, frame in planted().items()}
    if later == "mangled":
        for name, when in WHEN.items():
            mangle(tables[name], pd.to_datetime(tables[name][when]) >= pd.Timestamp("2026-09-01"))
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    named = "\n".join(f"  {name}: {{files: {name}.csv}}" for name in tables)
    for language in ("en", "zh"):
        (folder / f"{language}.yaml").write_text(STUDY.format(language=language, tables=named), "utf-8")
    return folder


def published(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def the_page_itself(content: bytes) -> bytes:
    """Return a page without what leads to the others: a report of some notebooks has fewer."""
    found = re.search(rb'<main class="page">.*</main>', content, flags=re.DOTALL)
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("shop") / "kept")


@pytest.fixture(scope="module")
def reports(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    out = tmp_path_factory.mktemp("reports")
    run("report", str(exports / "zh.yaml"), "--as-of", AS_OF, "--out", str(out / "kept"))
    mangled = export(exports.parent / "mangled", later="mangled")
    only = ",".join(stem.partition("_")[2] for stem in AGAIN)
    with without_workers():
        run("report", str(mangled / "zh.yaml"), "--as-of", AS_OF, "--out", str(out / "mangled"), "--only", only)
    return {later: published(out / later / "shop" / AS_OF) for later in ("kept", "mangled")}


def test_a_report_has_its_pages_copies_results_and_manifest(reports: dict[str, dict[str, bytes]]) -> None:
    stems = {
        "kept": (
            "00_data_health", "01_segments", "02_clusters", "03_churn_risk", "04_customer_value", "05_tier_migration",
            "08_experiment_plan", "09_experiment_evaluation",
        ),
        "mangled": AGAIN,
    }  # fmt: skip
    for later, report in reports.items():
        names = {f"{stem}.html" for stem in stems[later]} | {f"notebooks/{stem}.ipynb" for stem in stems[later]}
        assert set(report) == names | {"index.html", "results.json", "manifest.json"}


def test_rows_after_the_day_change_no_page_and_no_result(reports: dict[str, dict[str, bytes]]) -> None:
    kept, mangled = reports["kept"], reports["mangled"]
    whole, part = (json.loads(report["results.json"]) for report in (kept, mangled))
    assert part == {stem: whole[stem] for stem in AGAIN}
    for stem in AGAIN:
        assert kept[f"notebooks/{stem}.ipynb"] == mangled[f"notebooks/{stem}.ipynb"], stem
        assert the_page_itself(kept[f"{stem}.html"]) == the_page_itself(mangled[f"{stem}.html"]), stem
    hashes = [json.loads(report["manifest.json"])["inputs"] for report in (kept, mangled)]
    assert hashes[0] != hashes[1]


@pytest.mark.fault(138)
def test_nobody_and_nothing_live_stands_in_a_published_file(reports: dict[str, dict[str, bytes]]) -> None:
    for report in reports.values():
        for name, content in report.items():
            text = content.decode("utf-8")
            found = [canary for canary in CANARIES if canary in text]
            assert not found, (name, found)


@pytest.mark.fault(139)
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


def test_check_says_where_every_row_went_and_keeps_the_quarantine_private(exports: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(exports / "en.yaml")])
    assert result.exit_code == 0, result.output
    assert "quarantined" in result.output
    assert "Next: toolkit report" in result.output
    kept = exports / "quarantine.csv"
    assert kept.stat().st_mode & 0o777 == 0o600
    rows = pd.read_csv(kept, dtype=str)
    assert len(rows) > 0
    assert set(rows["reason"]) <= {"missing_amount", "unreadable_amount"}
    assert rows["file"].eq("orders.csv").all()


def test_check_stops_where_something_must_be_decided(exports: Path) -> None:
    study = exports / "undecided.yaml"
    study.write_text((exports / "en.yaml").read_text("utf-8").replace("missing_customer: exclude, ", ""), "utf-8")
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code == 1
    assert "E-no-customer orders.csv:" in result.output
    assert "Try: policies: {missing_customer: exclude}" in result.output
