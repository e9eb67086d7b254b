"""A published document loads nothing, acts on nothing, and tells nothing of machines; what may be recorded."""

from __future__ import annotations

import base64
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.errors import ArgumentError
from toolkit.report.copies import Scrubber, publishable, results, without_results_cell
from toolkit.report.markup import tidy
from toolkit.report.pages import FRAME, Page, Pages, template_hash, title
from toolkit.report.results import RESULTS_MIME, plain

v4: Any = nbformat.v4
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)">'
PIXEL = base64.b64encode(b"not really a picture").decode()
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def executed() -> Any:
    """A notebook as papermill leaves it."""
    table = pd.DataFrame({"name": [HOSTILE], "spend": ["¥1,200"]}, index=pd.Index(["champions"], name="segment"))
    display = [
        v4.new_output(
            "display_data", {"image/png": PIXEL}, metadata={"image/png": {"alt": 'It "rises" <fast>', "width": 640}}
        ),
        v4.new_output("execute_result", {"text/plain": HOSTILE, "text/html": table.to_html()}),
        v4.new_output("execute_result", {"text/plain": HOSTILE}),
        v4.new_output(
            "display_data", {"text/plain": "plain", "application/javascript": "fetch('https://example.org')"}
        ),
        v4.new_output(
            "display_data", {"text/html": '<iframe src="https://example.org"></iframe><script>alert(2)</script>ok'}
        ),
        v4.new_output("stream", name="stdout", text=f"read /home/ann/shop/orders.csv {HOSTILE}"),
        v4.new_output("stream", name="stderr", text="/home/ann/lib.py:3: UserWarning: secret"),
        v4.new_output("error", ename="ValueError", evalue="13800138000", traceback=["13800138000"]),
    ]
    recorded = {RESULTS_MIME: {"token": "t", "results": {"verdict": "Yes."}}, "text/plain": "verdict: Yes."}
    return v4.new_notebook(
        metadata={
            "papermill": {"input_path": "/home/ann/shop/x.ipynb"},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
        },
        cells=[
            v4.new_markdown_cell("# Who buys?\n\nProse with *weight*.\n\n| a | b |\n|---|---|\n| 1 | x |"),
            v4.new_code_cell("study = 1", metadata={"tags": ["parameters"]}),
            v4.new_code_cell('study = "/home/ann/shop/study.yaml"', metadata={"tags": ["injected-parameters"]}),
            v4.new_code_cell("code_that_is_hidden", outputs=display, metadata={"papermill": {"duration": 1.0}}),
            v4.new_code_cell(
                "record", outputs=[v4.new_output("display_data", recorded)], metadata={"tags": ["results"]}
            ),
        ],
    )


def report(language: str = "en", **found: Any) -> Pages:
    pages = [Page("00_data_health", "What came in?", found), Page("01_segments", f"Who buys? {HOSTILE}")]
    return Pages(study=f"Shop {HOSTILE}", as_of="2026-10-31", computed_on="2026-11-01", language=language, pages=pages)


def clean(translations: dict[str, str] | None = None) -> Any:
    return publishable(
        executed(), {"study": "study.yaml"}, Scrubber(["/home/ann/shop", "/home/ann"]), translations or {}
    )


@cache
def documents() -> dict[str, str]:
    figures = [{"label": HOSTILE, "value": HOSTILE}] * 8
    return {
        "page": report().page(without_results_cell(clean()), "01_segments"),
        "overview": report(verdict=HOSTILE, figures=figures).overview(),
    }


@pytest.mark.fault(139)
@pytest.mark.parametrize("kind", ["page", "overview"])
def test_a_document_loads_nothing(kind: str) -> None:
    html = documents()[kind]
    soup = BeautifulSoup(html, "html.parser")
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert policy is not None
    assert str(policy["content"]).startswith(POLICY)
    assert all(str(tag["src"]).startswith("data:image/") for tag in soup.find_all(src=True))
    assert all(re.fullmatch(r"[\w/.]+", str(tag["href"])) for tag in soup.find_all(href=True))
    assert not re.search(r"url\(|@import|https?://", html)
    assert not soup.find_all(["script", "link", "iframe", "object", "embed", "form"])


@pytest.mark.fault(138)
@pytest.mark.parametrize("kind", ["page", "overview"])
def test_names_from_data_are_text(kind: str) -> None:
    html = documents()[kind]
    assert "<script" not in html
    assert not BeautifulSoup(html, "html.parser").find_all(onerror=True)
    assert "&lt;script&gt;" in html


@pytest.mark.fault(133)
def test_no_traceback_no_warning_no_code() -> None:
    html = documents()["page"]
    for hidden in ("13800138000", "UserWarning", "code_that_is_hidden", "/home/ann", "verdict: Yes."):
        assert hidden not in html


def test_a_published_notebook_names_no_machine_and_no_run() -> None:
    text = nbformat.writes(clean())  # type: ignore[no-untyped-call]
    assert "/home/ann" not in text
    assert "papermill" not in text
    assert "13800138000" not in text
    assert '"token": ""' in text
    assert results(clean()) == {"verdict": "Yes."}


def test_the_overview_shows_verdict_and_at_most_six_figures() -> None:
    html = report(
        verdict="All is well.", figures=[{"label": f"n{n}", "value": 1000 * n} for n in range(1, 9)]
    ).overview()
    soup = BeautifulSoup(html, "html.parser")
    assert [link["href"] for link in soup.select(".card h2 a")] == ["00_data_health.html", "01_segments.html"]
    assert [tag.get_text() for tag in soup.select("dd")] == ["1,000", "2,000", "3,000", "4,000", "5,000", "6,000"]
    assert "All is well." in html


def test_a_page_keeps_alternative_texts_and_leads_to_the_others() -> None:
    soup = BeautifulSoup(documents()["page"], "html.parser")
    picture = soup.find("img")
    assert picture is not None
    assert picture["alt"] == 'It "rises" <fast>'
    assert picture["width"] == "640"
    names = {"index.html", "00_data_health.html", "01_segments.html"}
    assert {str(link["href"]) for link in soup.select("header a")} == names
    assert [link["href"] for link in soup.select(".turn a")] == ["00_data_health.html"]


def test_a_chinese_page_is_chinese() -> None:
    source = executed().cells[0].source
    nb = clean({source: "# 谁在买？\n\n正文"})
    html = report("zh").page(nb, "01_segments")
    assert title(nb, "01_segments") == "谁在买？"
    assert '<html lang="zh-CN">' in html
    assert "截至" in html
    assert "Prose" not in html


def test_both_languages_have_the_same_words_and_the_template_a_hash() -> None:
    assert FRAME["en"].keys() == FRAME["zh"].keys()
    assert re.fullmatch(r"[0-9a-f]{64}", template_hash())


def test_tables_scroll_and_columns_are_marked_by_what_they_hold() -> None:
    frame = pd.DataFrame(
        {
            "who": ["a long sentence about what is done", "b"],
            "spend": ["¥1,200.50", "NaN"],
            "day": ["2026-10-31", ""],
            "mixed": ["1", "x"],
        },
        index=pd.Index(["one", "two"], name="segment"),
    )
    soup = BeautifulSoup(tidy(f"<style scoped>p {{}}</style>{frame.to_html()}"), "html.parser")
    assert soup.select_one("div.scroll > table") is not None
    assert soup.find("style") is None
    heads = {cell.get_text(): " ".join(cell.get_attribute_list("class", [])) for cell in soup.select("thead th")}  # type: ignore[arg-type]
    assert heads == {"segment": "", "who": "words", "spend": "num", "day": "day", "mixed": ""}


@examples(dev=15, ci=100)
@given(st.text())
def test_tidy_leaves_nothing_that_acts(text: str) -> None:
    soup = BeautifulSoup(
        tidy(f"<p>{text}</p><script>{text}</script><table><tr><td>{text}</td></tr></table>"), "html.parser"
    )
    assert not soup.find_all(["script", "iframe", "object", "embed", "link", "meta", "base", "form"])


def test_record_makes_plain_values() -> None:
    given_values = {
        "n": np.int64(3), "yes": np.bool_(True), "share": np.float32(0.5), "day": date(2026, 10, 31),
        "stamp": pd.Timestamp("2026-10-31"), "moment": datetime(2026, 10, 31, 8, 30, tzinfo=UTC),
        "money": Decimal("8911407.904"),
        "whole": Decimal("12.0000"), "none": None, "by": {"a": (1, Decimal("0.1"))},
    }  # fmt: skip
    assert plain(given_values) == {
        "n": 3, "yes": True, "share": 0.5, "day": "2026-10-31", "stamp": "2026-10-31",
        "moment": "2026-10-31T08:30:00+00:00",
        "money": 8911407.904, "whole": 12, "none": None, "by": {"a": [1, 0.1]},
    }  # fmt: skip


def test_record_refuses_what_json_cannot_hold_by_name() -> None:
    values: list[object] = [
        math.nan, math.inf, np.float64("nan"), Decimal("NaN"), Decimal("1.00000000000000000001"), pd.NaT, pd.NA, {1: 2},
        {1}, pd.Series([1]),
    ]  # fmt: skip
    for value in values:
        with pytest.raises(ArgumentError, match=r"shares\.first.*Try: "):
            plain({"shares": {"first": value}})


def test_a_section_whose_cells_came_to_nothing_is_left_out_with_its_prose() -> None:
    code, prose = v4.new_code_cell, v4.new_markdown_cell
    nb = v4.new_notebook()
    said = v4.new_output("display_data", {"text/plain": "a table"})
    nb.cells = [
        prose("# A question"),
        code("load()"),
        prose("## Members\n\nWho pays for a period ..."),
        code("members()"),
        prose("More about them."),
        code("more()"),
        prose("## Orders"),
        code("orders()", outputs=[said]),
        code("nothing()"),
        prose("## How to read it"),
        code("tk.record()", metadata={"tags": ["results"]}),
    ]
    shown = [cell.source.split("\n")[0] for cell in without_results_cell(nb).cells]
    assert shown == ["# A question", "load()", "## Orders", "orders()", "nothing()", "## How to read it"]
    assert len(nb.cells) == 11
