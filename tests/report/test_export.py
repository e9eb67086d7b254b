"""The one door out: no formula, no markup, no id and no half a file leaves."""

from __future__ import annotations

import csv
import os
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.errors import ArgumentError
from toolkit.report.export import Pseudonyms, Table, disarm, suppress_small, to_csv, to_html

if TYPE_CHECKING:
    from pathlib import Path

DEMO = Pseudonyms.demo()
HOSTILE = "<script>alert('1')</script>\"&"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u3000=1", "＝1", "＋1", "－1", "＠a"]


class Page(HTMLParser):
    """What a browser makes of a table: its tags, its attributes and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.fault(137)
def test_a_formula_gets_an_apostrophe_wherever_it_stands() -> None:
    for text in FORMULAS:
        frame = pd.DataFrame({text: [text]}, index=pd.Index([text], name=text))
        shown = disarm(frame)
        assert shown.iloc[0, 0] == shown.columns[0] == shown.index[0] == shown.index.name == f"'{text}"
        assert frame.iloc[0, 0] == text


@pytest.mark.fault(137)
def test_every_way_to_hold_text_is_disarmed() -> None:
    for dtype in ("object", "category", "string[python]", "string[pyarrow]"):
        column = pd.Series(["=1", None, "a=1", "p-2"]).astype(dtype)
        shown = disarm(pd.DataFrame({"note": column}))["note"]
        assert shown.isna().tolist() == [False, True, False, False], dtype
        assert shown.dropna().tolist() == ["'=1", "a=1", "p-2"], dtype


@pytest.mark.fault(137)
def test_numbers_stay_numbers_and_levels_of_an_index_are_disarmed() -> None:
    frame = pd.DataFrame({"gain": [-5, 7], "mixed": [-5, "-5"], "exact": [Decimal("-1.50"), Decimal(2)]})
    shown = disarm(frame)
    assert shown["gain"].tolist() == [-5, 7]
    assert shown["mixed"].tolist() == [-5, "'-5"]
    assert shown["exact"].tolist() == [Decimal("-1.50"), Decimal(2)]
    index = pd.MultiIndex.from_tuples([("=a", -1), ("b", 2)], names=["=name", "rank"])
    shown = disarm(pd.DataFrame({"n": [1, 2]}, index=index))
    assert shown.index.tolist() == [("'=a", -1), ("b", 2)]
    assert shown.index.names == ["'=name", "rank"]


@pytest.mark.fault(137)
@examples(dev=40, ci=100)
@given(st.text(max_size=6))
def test_no_text_cell_begins_as_a_formula(text: str) -> None:
    cell = str(disarm(pd.DataFrame({"note": [text]})).iloc[0, 0])
    assert cell.strip()[:1] not in tuple("=+-@＝＋－＠")
    assert cell.removeprefix("'") == text.removeprefix("'")


@pytest.mark.fault(144)
def test_a_file_reads_back_as_it_was_and_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "表.csv"
    frame = pd.DataFrame(
        {"备注": ["a,b", '"q"', "line\nend"], "gain": [-1.5, np.nan, 3.0], "day": pd.to_datetime(["2026-10-31"] * 3)},
        index=pd.Index(["C1", "C2", "C3"], name="customer_id"),
    )
    to_csv(frame, path, pseudonyms=DEMO)
    assert path.stat().st_mode & 0o777 == 0o600
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfcustomer_id,")
    assert raw.count(b"\r\n") == 4
    people = DEMO.of(frame.index).tolist()
    assert lines(path) == [
        ["customer_id", "备注", "gain", "day"],
        [people[0], "a,b", "-1.5", "2026-10-31"],
        [people[1], '"q"', "", "2026-10-31"],
        [people[2], "line\nend", "3.0", "2026-10-31"],
    ]


def test_no_id_leaves_in_a_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["Ann", "Bob"], "referred_by": [None, "Ann"], "action": ["call", "=wait"]})
    to_csv(frame, tmp_path / "a.csv", pseudonyms=DEMO)
    ann = DEMO.of(pd.Series(["Ann"]))[0]
    assert lines(tmp_path / "a.csv")[1:] == [[ann, "", "call"], [DEMO.of(pd.Series(["Bob"]))[0], ann, "'=wait"]]


def test_a_row_number_is_not_written_but_a_named_index_is(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1]})
    to_csv(frame, tmp_path / "a.csv", pseudonyms=DEMO)
    to_csv(frame.rename_axis("place"), tmp_path / "b.csv", pseudonyms=DEMO)
    assert (lines(tmp_path / "a.csv")[0], lines(tmp_path / "b.csv")[0]) == (["n"], ["place", "n"])


@pytest.mark.fault(121)
def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        to_csv(pd.DataFrame({"n": [1]}), path, pseudonyms=DEMO)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_cell_of_many_values_is_refused(tmp_path: Path) -> None:
    cells: list[object] = [[1], {"a": 1}, b"x", np.array([1])]
    for cell in cells:
        frame = pd.DataFrame({"note": pd.Series(["fine", cell], dtype=object)})
        with pytest.raises(ArgumentError, match=r"compound-cell column note.*Try"):
            to_csv(frame, tmp_path / "a.csv", pseudonyms=DEMO)
    assert not list(tmp_path.iterdir())


@pytest.mark.fault(138)
def test_markup_is_text_wherever_it_stands() -> None:
    frame = pd.DataFrame({HOSTILE: [HOSTILE]}, index=pd.Index([HOSTILE], name=HOSTILE))
    html = to_html(frame, caption=HOSTILE, formats={HOSTILE: lambda value: value + "<b>"}, labels={})
    page = Page(html)
    assert {tag for tag, _ in page.tags} == {"div", "style", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert page.texts.count(HOSTILE) == 3
    assert page.texts.count(HOSTILE + "<b>") == 2


@pytest.mark.fault(138)
@examples(dev=25, ci=100)
@given(st.text(alphabet="<>&\"'a/ =!-", max_size=12))
def test_no_text_makes_a_tag_or_an_attribute(text: str) -> None:
    plain = Page(to_html(pd.DataFrame({"x": ["x"]}), labels={"x": "x"}, caption="x"))
    page = Page(to_html(pd.DataFrame({"x": [text]}), labels={"x": text}, caption=text or "x"))
    assert page.tags == plain.tags


def test_a_page_of_a_table_loads_nothing() -> None:
    html = to_html(pd.DataFrame({"site": ["n"]}))
    assert not any(word in html for word in ("src=", "href=", "url(", "@import", "script"))


def test_numbers_stand_right_and_totals_apart() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "n": [1, 2]}, index=["x", "all"])
    page = Page(to_html(frame, total="all"))
    rows = [place for place, (tag, _) in enumerate(page.tags) if tag == "tr"]
    classes = [[(tag, attributes.get("class")) for tag, attributes in page.tags[place : place + 4]] for place in rows]
    assert classes == [
        [("tr", None), ("th", None), ("th", None), ("th", "num")],
        [("tr", None), ("th", None), ("td", None), ("td", "num")],
        [("tr", "total"), ("th", None), ("td", None), ("td", "num")],
    ]


def test_a_value_is_written_as_people_read_it() -> None:
    cases: list[tuple[Any, Any, str]] = [
        (1234567, None, "1,234,567"),
        (np.int64(-1234), None, "-1,234"),
        (0.123456, None, "0.123"),
        (98765.4, None, "98,765"),
        (True, None, "True"),
        (pd.Timestamp("2026-10-31"), None, "2026-10-31"),
        (pd.Timestamp("2026-10-31 10:30"), None, "2026-10-31 10:30:00"),
        (None, "{:.1%}", "–"),
        (np.nan, str, "–"),
        (pd.NaT, None, "–"),
        (0.256, "{:.1%}", "25.6%"),
        (5, lambda value: f"¥{value}", "¥5"),
    ]
    for value, style, text in cases:
        frame = pd.DataFrame({"x": pd.Series([value], dtype=object)})
        html = to_html(frame, formats={"x": style} if style else {})
        assert f"<td>{text}</td>" in html.replace(' class="num"', "")


def test_marks_of_hidden_counts_are_not_formatted_and_stand_with_the_numbers() -> None:
    counts = pd.DataFrame({"customers": [3, 15], "share": [1 / 6, 5 / 6]}, index=["a", "b"])
    shown = suppress_small(counts, counts="customers")
    html = to_html(shown, formats={"customers": "{:,}", "share": "{:.0%}"})
    assert '<td class="num">&lt;10</td><td class="num">*</td>' in html


def test_a_table_shows_itself_in_text_and_markup_with_pseudonyms() -> None:
    frame = pd.DataFrame({"spend": [1234.5, 20.0]}, index=pd.Index(["Ann", "Bob"], name="customer_id"))
    table = Table(frame, labels={"customer_id": "客户", "spend": "消费"}, caption="Who", pseudonyms=DEMO)
    ann = DEMO.of(frame.index)[0]
    assert repr(table).splitlines()[0] == "Who"
    assert repr(table).splitlines()[1].split() == ["客户", "消费"]
    assert repr(table).splitlines()[2].split() == [ann, "1,234"]
    assert "Ann" not in repr(table) + table._repr_html_()
    assert Page(table._repr_html_()).texts.count(ann) == 1


def test_a_table_without_pseudonyms_refuses_ids() -> None:
    with pytest.raises(ArgumentError, match="ids-leave"):
        to_html(pd.DataFrame({"customer_id": ["Ann"]}))


def test_the_text_of_a_long_table_is_whole() -> None:
    text = repr(Table(pd.DataFrame({"n": range(200), "long": ["x" * 200] * 200})))
    assert len(text.splitlines()) == 201
    assert "..." not in text
