"""The page of a study: what it says first, its tables of rows and checks, seasons, what few people are hidden in."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import yaml

import toolkit as tk
from tests.builders.pictures import LANGUAGES, demo, figures
from toolkit.data.ledger import STOPS
from toolkit.errors import Check
from toolkit.report import health
from toolkit.report.frame import Frame
from toolkit.report.headline import Figure, Headline
from toolkit.report.notebooks import read
from toolkit.report.page import Page
from toolkit.report.prose import translations
from toolkit.report.stories import health_story, segments_story
from toolkit.report.words import words

if TYPE_CHECKING:
    from tests.builders.shop import Shop

pytestmark = pytest.mark.xdist_group("pictures")
ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FRAME = Frame("2026-10-31", min_cell=10)


@pytest.fixture(scope="module")
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


# words


def test_every_reason_and_check_of_a_study_has_a_name(shop: Shop) -> None:
    """Of the demo, of a shop whose export holds one row of most kinds, and all that stop a study."""
    dirty = shop.lines(
        "A,,5,paid", "A,1970-01-01,5,paid", "A,soon,5,paid", "A,46022,5,paid", "A,2026-01-02,x,paid",
        "A,2026-01-02,,paid", "A,2026-01-02,0,paid", "A,2026-01-02,5,cancelled", "A,2026-01-02,5,unpaid",
        "A,2026-01-02,-5,refunded", "A,2026-01-02,-5,paid", ",2026-01-02,5,paid", "Ａ,2026-01-03,5,paid",
        "a,2026-01-03,5,paid", "A,2026-01-02,5,paid", "A,2026-01-02,5,paid", "A,2026-01-02,5,paid,1", "合计,,99,",
        header="customer_id,ordered_at,amount,status", loss_budget={"rows": 1, "money": 1},
        policies={"missing_customer": "exclude", "negative_amounts": "refund"},
    )  # fmt: skip
    reasons = {*dirty.ledger["reason"], *demo().ledger["reason"], *STOPS}
    checks = {check.code for study in (dirty, demo()) for check in study.checks("2026-10-31")}
    assert len(reasons) > 20
    for language in LANGUAGES:
        w = words(language)
        assert len({w.reason(reason) for reason in reasons}) > 20
        assert all(w.check(check) for check in checks)


def test_every_cell_of_prose_has_its_chinese_and_no_chinese_is_left_over() -> None:
    cells = [cell.source for path in NOTEBOOKS for cell in read(path).cells if cell.cell_type == "markdown"]
    assert set(translations(NOTEBOOKS)) == set(cells)
    table = yaml.safe_load((ROOT / "toolkit/report/prose.yaml").read_text("utf-8"))
    assert {" ".join(entry["en"].split()) for entry in table} == {" ".join(cell.split()) for cell in cells}


# stories


def test_segments_story_says_shares_changes_and_points() -> None:
    now = summary(champions=50, lapsing_core=20, slipping_big=10, lost=20)
    then = summary(champions=40, lapsing_core=20, slipping_big=10, lost=30)
    story = segments_story(now, then, date(2026, 9, 30), frame=FRAME)
    assert figures(story.verdict)[:2] == ["50%", "50%"]
    assert "30 customers" in story.verdict
    changes = {figure.label: figure.change.partition(" since ") for figure in story.figures}
    assert changes["Champions"] == ("+25.0%", " since ", "30 September 2026")
    assert changes["Champions' share of spend"][0] == "+10.0 pp"
    assert changes["Big spenders slipping away"][0] == "+0.0%"


def test_segments_story_says_nothing_exact_about_few_people() -> None:
    story = segments_story(summary(champions=3, lost=97), summary(champions=4, lost=96), date(2026, 9, 30), frame=FRAME)
    told = {figure.label: figure for figure in story.figures}
    assert told["Champions"] == Figure("Champions", "<10")
    assert told["Champions' share of spend"] == Figure("Champions' share of spend", "–")
    assert "3%" not in story.verdict


def test_health_story_counts_rows_days_and_failed_checks(study: tk.Study) -> None:
    ledger = health.visible_rows(study.ledger_at("2026-03-31"))
    for language in LANGUAGES:
        frame = Frame("2026-03-31", language=language)
        story = health_story(ledger, study.calendar("2026-03-31"), 2, frame=frame)
        assert [figure.value for figure in story.figures] == ["3", "3", "¥6.00", "¥0", "0", "87"]
        assert "2" in story.verdict


def test_a_headline_escapes_what_it_shows() -> None:
    html = Headline("<b>", (Figure("<i>", "1", "<u>"),))._repr_html_()
    assert not re.search(r"<[biu]>", html)


@pytest.mark.fault(134)
def test_an_analysts_notebook_hides_nothing_and_a_published_page_does(
    study: tk.Study, own_notebook: None, request: pytest.FixtureRequest
) -> None:
    table = pd.DataFrame({"customers": [3, 97, 100]}, index=pd.Index(["champions", "lost", "total"], name="segment"))
    near = pd.DataFrame({"customers": [97], "one_order_away": [4]}, index=pd.Index(["lost"], name="segment"))
    assert "3" in repr(Page(study, "2026-03-31").table(table, counts="customers", total="total"))
    request.getfixturevalue("published")
    shown = repr(Page(study, "2026-03-31").table(table, counts="customers", total="total"))
    assert "<10" in shown
    assert "97" not in shown
    assert "<10" in repr(Page(study, "2026-03-31").table(near, counts="customers"))


# days


def test_a_month_before_a_months_end_is_a_months_end(study: tk.Study) -> None:
    before = {"2026-10-31": "2026-09-30", "2026-03-31": "2026-02-28", "2026-10-15": "2026-09-15"}
    assert {day: Page(study, day).month_before.isoformat() for day in before} == before


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


# rows


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


def test_failed_checks_stand_first_and_count_rows_but_not_few_people() -> None:
    checks = [Check("never_bought", "informational", "", 3), Check("exact_repeats", "failed", "", 3)]
    shown = health.checks_table(checks, frame=FRAME)
    assert list(shown.index) == ["look", "note"]
    assert list(shown["how_many"]) == ["3", "<10"]
    assert health.failures(checks) == 1
