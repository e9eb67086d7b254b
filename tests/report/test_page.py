"""What pages say first, in both languages, and that every word they need is there."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

import toolkit as tk
from toolkit.data.ledger import STOPS
from toolkit.data.sql import blocks
from toolkit.errors import Check
from toolkit.report import health
from toolkit.report.frame import Frame
from toolkit.report.headline import Figure, Headline
from toolkit.report.notebooks import read
from toolkit.report.page import Page
from toolkit.report.prose import translations
from toolkit.report.reasons import CHECKS, REASONS
from toolkit.report.results import TOKEN_VARIABLE
from toolkit.report.stories import health_story, segments_story
from toolkit.report.words import words
from toolkit.schema import FATES

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FRAME = Frame("2026-10-31", min_cell=10)


@pytest.fixture
def study() -> tk.Study:
    orders = pd.DataFrame(
        {"customer_id": ["A", "A", "B"], "ordered_at": ["2026-01-01", "2026-02-01", "2026-03-01"], "amount": [1, 2, 3]}
    )
    return tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")


def summary(**customers: int) -> pd.DataFrame:
    table = pd.DataFrame({"customers": customers, "spend": {name: 10.0 * count for name, count in customers.items()}})
    table.loc["total"] = table.sum()
    table["share_of_spend"] = table["spend"] / (10.0 * sum(customers.values()))
    return table


def test_every_reason_of_the_gate_has_a_name() -> None:
    texts = ["".join(blocks(name).values()) for name in ("clean.sql", "logs.sql")]
    of_orders, said = (set(re.findall(r"(?:THEN|ELSE) '([a-z_]+)'", text)) - set(FATES) for text in texts)
    said |= of_orders | {"cancelled"} | set(STOPS)
    assert said <= set(REASONS), said - set(REASONS)
    listed = re.search(r"ENUM \(([^)]*)\)", texts[0])
    assert listed
    orders = set(re.findall(r"'(\w+)'", listed[1]))
    elsewhere = {"unreadable_flag", "missing_number", "unreadable_number"}
    assert of_orders - elsewhere <= orders <= set(REASONS), of_orders - elsewhere - orders


def test_every_check_of_the_gate_has_a_name() -> None:
    said = set(re.findall(r"Check\(\s*\"([a-z_]+)\"", (ROOT / "toolkit/data/checks.py").read_text("utf-8")))
    assert said
    assert said <= set(CHECKS), said - set(CHECKS)


def test_every_cell_of_prose_has_its_chinese_and_no_chinese_is_left_over() -> None:
    cells = [cell.source for path in NOTEBOOKS for cell in read(path).cells if cell.cell_type == "markdown"]
    assert set(translations(NOTEBOOKS)) == set(cells)
    table = yaml.safe_load((ROOT / "toolkit/report/prose.yaml").read_text("utf-8"))
    assert {" ".join(entry["en"].split()) for entry in table} == {" ".join(cell.split()) for cell in cells}


def test_segments_story_says_shares_changes_and_points() -> None:
    now = summary(champions=50, lapsing_core=20, slipping_big=10, lost=20)
    then = summary(champions=40, lapsing_core=20, slipping_big=10, lost=30)
    story = segments_story(now, then, date(2026, 9, 30), frame=FRAME)
    assert "50% of customers and bring 50% of spend" in story.verdict
    assert "30 customers" in story.verdict
    figures = {figure.label: figure for figure in story.figures}
    assert figures["Champions"].change == "+25.0% since 30 September 2026"
    assert figures["Champions' share of spend"].change == "+10.0 pp since 30 September 2026"
    assert figures["Big spenders slipping away"].change == "+0.0% since 30 September 2026"


def test_segments_story_says_nothing_exact_about_few_people() -> None:
    story = segments_story(summary(champions=3, lost=97), summary(champions=4, lost=96), date(2026, 9, 30), frame=FRAME)
    figures = {figure.label: figure for figure in story.figures}
    assert figures["Champions"] == Figure("Champions", "<10")
    assert figures["Champions' share of spend"] == Figure("Champions' share of spend", "–")
    assert "3%" not in story.verdict


@pytest.mark.parametrize("language", ["en", "zh"])
def test_health_story_counts_rows_days_and_failed_checks(study: tk.Study, language: str) -> None:
    frame = Frame("2026-03-31", language="zh" if language == "zh" else "en")
    ledger = health.visible_rows(study.ledger_at("2026-03-31"))
    story = health_story(ledger, study.calendar("2026-03-31"), 2, frame=frame)
    assert [figure.value for figure in story.figures] == ["3", "3", "¥6.00", "¥0", "0", "87"]
    assert "2" in story.verdict


def test_a_headline_escapes_what_it_shows() -> None:
    html = Headline("<b>", (Figure("<i>", "1", "<u>"),))._repr_html_()
    assert not re.search(r"<[biu]>", html)


def test_an_analysts_notebook_hides_nothing_and_a_published_page_does(
    study: tk.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame({"customers": [3, 97, 100]}, index=pd.Index(["champions", "lost", "total"], name="segment"))
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    assert "3" in repr(Page(study, "2026-03-31").table(table, counts="customers", total="total"))
    monkeypatch.setenv(TOKEN_VARIABLE, "run")
    shown = repr(Page(study, "2026-03-31").table(table, counts="customers", total="total"))
    assert "<10" in shown
    assert "97" not in shown


@pytest.mark.parametrize(
    ("as_of", "before"),
    [("2026-10-31", date(2026, 9, 30)), ("2026-03-31", date(2026, 2, 28)), ("2026-10-15", date(2026, 9, 15))],
)
def test_a_month_before_a_months_end_is_a_months_end(study: tk.Study, as_of: str, before: date) -> None:
    assert Page(study, as_of).month_before == before


def test_a_page_notes_a_window_that_cuts_a_season_and_is_silent_where_none_is(study: tk.Study) -> None:
    assert Page(study, "2026-10-31").season_note(study) is None
    note = Page(study, "2026-11-05").season_note(study)
    assert note is not None
    assert "Double 11 (1–11 November 2026: 5 of 11 days)" in note.text
    assert "Double 11 (1–11 November 2025: 6 of 11 days)" in note.text
    assert "National Day (1–7 October 2025: 2 of 7 days)" in note.text


def test_weeks_are_whole_from_monday_to_sunday(study: tk.Study) -> None:
    weeks = health.orders_by_week(study.calendar("2026-03-31"))
    assert weeks.index[0] == pd.Timestamp("2026-01-05")
    assert weeks.index[-1] == pd.Timestamp("2026-03-23")
    assert weeks.sum() == 2
    assert weeks[pd.Timestamp("2026-01-26")] == 1
    assert health.orders_by_week(study.calendar("2026-01-03")).tolist() == [1]


def test_every_table_of_a_page_says_what_became_of_its_rows() -> None:
    ledger = pd.DataFrame(
        [("orders", "used", 8), ("orders", "quarantined", 2), ("orders", "later", 5), ("events", "used", 3)],
        columns=["table", "fate", "rows"],
    )
    table = health.tables_table(ledger, words("en"))
    assert list(table.loc["Orders"]) == [10, 8, 0.8, 2]
    assert list(table.loc["Events"]) == [3, 3, 1.0, 0]


def test_the_ledger_of_a_page_leaves_out_what_is_later(study: tk.Study) -> None:
    ledger = health.visible_rows(study.ledger_at("2026-02-15"))
    assert health.rows_by_fate(ledger) == {"used": 2}
    table = health.ledger_table(ledger, words("en"))
    assert table.loc["Total", "rows"] == 2
    assert table.loc["Total", "money"] == 3.0


def test_failed_checks_stand_first() -> None:
    checks = [Check("encoding", "informational", "", 1), Check("top_customer", "failed", "", 1)]
    assert list(health.checks_table(checks, frame=FRAME).index) == ["look", "note"]
    assert health.failures(checks) == 1


def test_checks_count_rows_but_not_few_people() -> None:
    checks = [Check("exact_repeats", "failed", "", 3), Check("never_bought", "informational", "", 3)]
    assert list(health.checks_table(checks, frame=FRAME)["how_many"]) == ["3", "<10"]


def test_few_people_one_order_away_are_not_counted_where_it_is_published(
    study: tk.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "run")
    table = pd.DataFrame({"customers": [97], "one_order_away": [4]}, index=pd.Index(["lost"], name="segment"))
    assert "<10" in repr(Page(study, "2026-03-31").table(table, counts="customers"))
