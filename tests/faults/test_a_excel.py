"""Section A: Excel workbooks: which sheet and rows are read, what becomes of cells, and what is refused."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.builders.books import Rows, book, head, raw_book, raw_row, rezipped
from tests.builders.shop import HEADER, Shop, assert_nothing_lost, fates, good_lines, spend
from toolkit.data import unpacking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import openpyxl

    import toolkit as tk

LENIENT = {"rows": 1, "money": 1}
LIMIT = 37
"""What the last row of a sheet is put at in these tests."""


def good(who: str) -> Rows:
    return [[f"{who}1", "2026-01-05", 10], [f"{who}2", "2026-02-03", 20.5]]


def goods(who: str) -> dict[str, float]:
    return {f"{who}1": 10, f"{who}2": 20.5}


@dataclass(frozen=True)
class Book:
    """A workbook of orders, and what is found of it: spend by customer, repairs, sheet, cells as they were read."""

    fault: int
    content: bytes
    spend: dict[str, float]
    repairs: dict[str, int] = field(default_factory=dict)
    sheet: str = "Sheet1"
    cells: dict[str, list[str]] = field(default_factory=dict)


def merged(*areas: str) -> Callable[[openpyxl.Workbook], None]:
    def merge(workbook: openpyxl.Workbook) -> None:
        for area in areas:
            workbook.worksheets[0].merge_cells(area)

    return merge


def hidden(sheet: int) -> Callable[[openpyxl.Workbook], None]:
    def hide(workbook: openpyxl.Workbook) -> None:
        workbook.worksheets[sheet].sheet_state = "hidden"

    return hide


def filtered(workbook: openpyxl.Workbook) -> None:
    workbook.worksheets[0].row_dimensions[3].hidden = True


def since_1904(workbook: openpyxl.Workbook) -> None:
    workbook.epoch = CALENDAR_MAC_1904


def formats(style: str, *cells: tuple[int, int]) -> Callable[[openpyxl.Workbook], None]:
    def change(workbook: openpyxl.Workbook) -> None:
        for row, column in cells:
            workbook.worksheets[0].cell(row, column).number_format = style

    return change


MOMENT = datetime(2026, 1, 5, 23, 59, 59)  # noqa: DTZ001 - Excel knows no zones
CELLS: list[tuple[object, str]] = [
    (MOMENT, "2026-01-05 23:59:59"), (date(2026, 1, 5), "2026-01-05 00:00:00"), (time(10, 30), "10:30:00"),
    (timedelta(hours=30), "1 day, 6:00:00"), ("45,5", "45,5"), (0.1 + 0.2, "0.3"), (1e-7, "0.0000001"),
    (123456789.125, "123456789.125"), (17.0, "17"), (-3, "-3"), (True, "TRUE"), (None, ""), ("#N/A", ""), ("#REF!", ""),
    ("001", "001"), (" x ", " x "), ("a_x000D_\nb\r\nc", "a\nb\nc"), ("1.38E+16", "1.38E+16"), (1e300, "1" + "0" * 300),
]  # fmt: skip
FORMULAS = {
    '<c r="C2" t="str"><f>A2&amp;"x"</f><v>12</v></c>': "12",
    '<c r="C3"><f>6*2</f><v>12</v></c>': "12",
    '<c r="C4"><f t="shared" si="0"/><v>12</v></c>': "12",
    '<c r="C5" t="str"><f>""</f><v></v></c>': "",
    '<c r="C6" t="e"><f>1/0</f><v>#DIV/0!</v></c>': "",
}
BILL: Rows = [
    ["订单明细导出"], [None, "导出时间", date(2026, 3, 1)], [], ["客户编号", "下单时间", "实付金额"],
    ["甲", date(2026, 1, 5), 15], [], ["客户编号", "下单时间", "实付金额"], ["乙", date(2026, 1, 6), 20], [None, " "],
    ["丙", "?", 5], ["合计", None, 40], ["共2笔"], [None],
]  # fmt: skip
ORDER: Rows = [
    head("order_id", "product_id"), ["L1", "2026-01-05", 10, "O1", "P1"], [None, None, None, None, "P2"],
    [None, None, 5, None, "P3"], ["L2", "2026-02-05", 7, "O2", "P1"],
]  # fmt: skip
PADDED: Rows = [[17.0, "2026-01-05", 1], ["00017", "2026-01-05", 2], [999_999_999_999_999, "2026-01-05", 4],
                [18, "2026-01-05", 8]]  # fmt: skip
BARE = '<c t="inlineStr"><is><t>{}</t></is></c>'


def wrong_dimension() -> bytes:
    content = book([head(), *good("K")])
    assert b"A1:C3" in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    return rezipped(content, "", lambda part: part.replace(b'<dimension ref="A1:C3"', b'<dimension ref="A1"'))


def books() -> dict[str, Book]:
    """Return name of the file -> the workbook."""
    few: Rows = [[f"N{n}", "2026-01-05", 1] for n in range(LIMIT - 1)]
    seconds: Rows = [["S", "2026-01-05", 1, one] for one in (time(0, 1, 5), timedelta(hours=30, seconds=0.5), 7)]
    return {
        "BOOK.XLSX": Book(11, book([head(), *good("A")]), goods("A")),
        "书 (1).xlsx": Book(11, book([head(), *good("B")]), goods("B")),
        "book.xlsm": Book(11, book([head(), *good("C")]), goods("C")),
        "bill.xlsx": Book(
            11, book(BILL), {"甲": 15, "乙": 20},
            {"preamble_lines": 3, "repeated_header": 1, "blank_rows": 2},
        ),
        "begins anywhere.xlsx": Book(
            11, book([[], *[[None, None, *row, "", "a note"] for row in [head(), *good("D")]]]), goods("D"),
            {"preamble_lines": 1},
        ),
        "header merged down.xlsx": Book(
            11, book([["导出"], ["客户编号", "订单"], [None, "下单时间", "实付金额"], ["丁", "2026-01-05", 15]],
            touch=merged("A1:D1", "A2:A3", "B2:C2")), {"丁": 15}, {"preamble_lines": 2},
        ),
        "wrong dimension.xlsx": Book(11, wrong_dimension(), goods("K")),
        "no addresses.xlsx": Book(
            11, raw_book("".join(
                f"<row>{''.join(BARE.format(cell) for cell in row)}</row>"
                for row in (head(), ["M1", "2026-01-05", "10"], ["M2", "2026-01-05", "20"])
            )), {"M1": 10, "M2": 20}, sheet="S",
        ),
        "one of two sheets.xlsx": Book(
            18, book([["about", "this"]], [head(), *good("E")], titles=["read me", "orders"]), goods("E"),
            sheet="orders",
        ),
        "hidden sheet.xlsx": Book(
            18, book([["x"]], [head(), *good("F")], touch=hidden(1)), goods("F"), {"hidden_sheet": 1}, "Sheet2"
        ),
        "hidden rows.xlsx": Book(18, book([head(), *good("G")], touch=filtered), goods("G"), {"hidden_rows": 1}),
        "one row less.xlsx": Book(19, book([head(), *few[1:]]), {f"N{n}": 1 for n in range(1, LIMIT - 1)}),
        "to the last row.xlsx": Book(
            19, book([head(), *([f"R{n}", *row[1:]] for n, row in enumerate(few))]),
            {f"R{n}": 1 for n in range(LIMIT - 1)}, {"excel_row_limit": LIMIT - 1},
        ),
        "formulas elsewhere.xlsx": Book(
            19, book([["=TODAY()"], head("n"), ["H1", "2026-01-05", 2, "=C3*2"]]), {"H1": 2}, {"preamble_lines": 1}
        ),
        "formulas.xlsx": Book(
            19, raw_book(raw_row(1, *head()) + "".join(
                raw_row(n, "J", "2026-01-05", cell) for n, cell in enumerate(FORMULAS, 2)
            )), {"J": 36}, {"error_cells": 1}, "S", {"amount": list(FORMULAS.values())},
        ),
        "cells.xlsx": Book(
            28, book([head("channel"), *(["Q", "2026-01-05", 1, value] for value, _ in CELLS)]), {"Q": len(CELLS)},
            {"error_cells": 2}, cells={"channel": [text for _, text in CELLS]},
        ),
        "lengths of time.xlsx": Book(
            28, book([head("quantity"), *seconds]), {"S": 3}, cells={"quantity": ["65", "108000.5", "7"]}
        ),
        "ids.xlsx": Book(
            33, book([head(), *PADDED], touch=formats("00000", (5, 1))),
            {"17": 1, "00017": 2, "999999999999999": 4, "00018": 8},
        ),
        "merged cells.xlsx": Book(
            42, book(ORDER, touch=merged("A2:A4", "B2:B4", "C2:C3", "D2:D4")), {"L1": 15, "L2": 7}, {"merged_cells": 6},
            cells={"order_id": ["O1", "O1", "O1", "O2"], "product_id": ["P1", "P2", "P3", "P1"]},
        ),
        "epoch of the Mac.xlsx": Book(
            45, book([head(), ["T", MOMENT, 10]], touch=since_1904), {"T": 10},
            cells={"ordered_at": ["2026-01-05 23:59:59"]},
        ),
        "numbers that are no dates.xlsx": Book(
            45, book([head(), ["U1", 1e9, 10], ["U1", -5, 10], ["U2", "2026-01-05", 10]],
            touch=formats("yyyy-mm-dd", (2, 2), (3, 2))), {"U2": 10}, {"error_cells": 1},
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def workbooks() -> dict[str, Book]:
    return books()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, workbooks: dict[str, Book]) -> tk.Study:
    shop = Shop(tmp_path_factory.mktemp("books"))
    with pytest.MonkeyPatch.context() as patch:
        for module in ("excel", "workbook"):
            patch.setattr(f"toolkit.data.{module}.LAST_ROW", LIMIT)
        for name, one in workbooks.items():
            shop.write(name, one.content)
        shop.write("more.csv", f"{HEADER}\nV,2026-01-05,1\n")
        return shop.open(HEADER, orders_spec={"files": [*workbooks, "more.csv"]}, loss_budget=LENIENT)


@pytest.mark.fault(11, 18, 19, 21, 28, 33, 42, 45)
def test_every_workbook_is_read_as_what_it_is(study: tk.Study, workbooks: dict[str, Book]) -> None:
    spent = spend(study)
    raw = study._connection.table("orders_raw").order("source_file, source_row").df()
    found = {}
    for number, (name, one) in enumerate(workbooks.items(), 1):
        file = study.files["orders"][number - 1]
        cells = {column: raw.loc[raw["source_file"] == number, column].tolist() for column in one.cells}
        spending = {who: spent.pop(who, -1) for who in one.spend}
        found[name] = Book(one.fault, one.content, spending, file.repairs, file.sheet, cells)
    assert found == workbooks
    assert spent == {"V": 1}


@pytest.mark.fault(11, 42, 45)
def test_no_row_of_any_workbook_is_lost(study: tk.Study, workbooks: dict[str, Book]) -> None:
    used = sum(sum(one.spend.values()) for one in workbooks.values())
    lost = {"unreadable_date": 1, "missing_date": 1, "sentinel_date": 1, "footer": 2, "missing_amount": 3}
    assert {reason: count for reason, count in fates(study).items() if reason != "order"} == lost
    kept = study.quarantine()
    assert kept[["file", "row"]].to_numpy().tolist() == [
        ["bill.xlsx", 10], ["formulas.xlsx", 5], ["formulas.xlsx", 6], ["merged cells.xlsx", 3],
        ["numbers that are no dates.xlsx", 2], ["numbers that are no dates.xlsx", 3],
    ]  # fmt: skip
    assert_nothing_lost(study, fates(study)["order"] + 8, str(used + 1 + 5 + 40 + 20))


@pytest.mark.fault(11)
def test_the_same_business_from_a_workbook_and_from_csv(shop: Shop) -> None:
    frame = pd.DataFrame([line.split(",") for line in good_lines(60)], columns=HEADER.split(","))
    typed = frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]), amount=frame["amount"].astype(float))
    wanted = shop.open(frame.to_csv(index=False)).snapshot("2026-12-31")
    for one in (frame, typed):
        one.to_excel(shop.folder / "book.xlsx", index=False)
        found = shop.open(HEADER, orders_spec={"files": "book.xlsx"}).snapshot("2026-12-31")
        pd.testing.assert_frame_equal(found, wanted)


TITLES = ("1月", "2月")


@pytest.mark.fault(18)
def test_the_sheet_that_is_named_is_read(shop: Shop) -> None:
    shop.write("book.xlsx", book([head(), *good("A")], [head(), ["B", "2026-01-05", 7]], titles=TITLES))
    assert spend(shop.open(HEADER, orders_spec={"files": "book.xlsx", "sheet": "2月"})) == {"B": 7.0}


def refusal(
    fault: int, what: str, code: str, content: Callable[[], bytes], *parts: str, name: str = "book.xlsx", **spec: str
) -> Any:
    """Return a case of `test_what_is_no_table_stops`."""
    return pytest.param(code, content, parts, {"files": name} | spec, id=what, marks=pytest.mark.fault(fault))


def good_book(end: int | None = None) -> bytes:
    return book([head(), *good("A")])[:end]


def two_sheets(hide: int | None = None) -> bytes:
    touch = hidden(hide) if hide else lambda _: None
    return book([head(), *good("A")], [head(), *good("B")], titles=TITLES, touch=touch)


def with_id(column: str, lost: float) -> bytes:
    cells = {"customer_id": "C1", "ordered_at": "2026-01-05", "amount": 1, "order_id": "O1"} | {column: lost}
    return book([list(cells), list(cells.values())])


def by_xlsxwriter() -> bytes:
    buffer = io.BytesIO()
    frame = pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": ["=1+1"]})
    frame.to_excel(buffer, index=False, engine="xlsxwriter")
    return buffer.getvalue()


def raw_cell(cell: str, calculation: str = "") -> bytes:
    return raw_book(raw_row(1, *head()) + raw_row(2, "C1", "2026-01-05", cell), calculation=calculation)


def raw_rows(*rows: Sequence[Any]) -> bytes:
    return raw_book(raw_row(1, *head()) + "".join(raw_row(*row) for row in rows))


def csv_in_a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("orders.csv", f"{HEADER}\n")
    return buffer.getvalue()


def multiplying_entities() -> bytes:
    bomb = '<!DOCTYPE x [<!ENTITY a "' + "a" * 1000 + '">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 20}">' for before, name in zip("abcde", "bcdef", strict=True)
    ) + "]>"  # fmt: skip
    return rezipped(raw_rows((2, "C1", "2026-01-05", "&f;")), "sheet1.xml", lambda part: bomb.encode() + part)


@pytest.fixture
def short_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.data.workbook.LAST_ROW", LIMIT)


@pytest.mark.usefixtures("short_sheets")
@pytest.mark.parametrize(
    ("code", "content", "parts", "spec"),
    [
        refusal(9, "no row", "empty-file", partial(book, [])),
        refusal(9, "a row of nothing", "empty-file", partial(book, [[None, " "]])),
        refusal(9, "an empty cell", "empty-file", partial(book, [[""]])),
        refusal(9, "no bytes", "empty-file", bytes, "0 bytes"),
        refusal(10, "a header alone", "no-rows", partial(book, [head(), [None, None], head()]), "0 rows"),
        refusal(18, "two sheets", "sheet", two_sheets, "1月, 2月", 'sheet: "1月"'),
        refusal(18, "no such sheet", "sheet", two_sheets, "no sheet '3月'", "1月, 2月", sheet="3月"),
        refusal(18, "a hidden sheet of two", "sheet", partial(two_sheets, 1), "2月 (hidden)"),
        refusal(18, "an old workbook", "not-excel", partial(bytes, b"\xd0\xcf\x11\xe0" + bytes(600)), "password"),
        refusal(18, "text", "not-excel", partial(bytes, f"{HEADER}\nC1,2026-01-05,1\n".encode()), ".csv"),
        refusal(18, "html", "not-excel", partial(bytes, b"<html><table></table></html>"), "whatever its name"),
        refusal(18, "the name of a csv", "not-text", good_book, "Excel file", ".xlsx", name="book.csv"),
        *(
            refusal(19, f"{column} {lost}", "id-lost", partial(with_id, column, lost), "book.xlsx:2", column)
            for column, lost in (("order_id", 10**15), ("customer_id", 10**15), ("customer_id", 1.38e16),
                                 ("customer_id", -(10**17)), ("customer_id", 13800138000138000))
        ),
        refusal(
            19, "formula", "uncalculated",
            partial(book, [head("n"), ["C1", "2026-01-05", "=1+1", 1], ["C2", "2026-01-05", 5, 2]]), "book.xlsx:2",
            "column amount", "save it",
        ),
        refusal(19, "formula of xlsxwriter", "uncalculated", by_xlsxwriter, "column amount"),
        *(refusal(19, cell, "uncalculated", partial(raw_cell, cell)) for cell in (
            '<c r="C2"><f>6*2</f></c>', "<c><f>6*2</f></c>", '<c r="C2"><f t="shared" si="0"/></c>')),
        refusal(
            19, "asks to be calculated anew", "uncalculated",
            partial(raw_cell, '<c r="C2"><f>6*2</f><v>0</v></c>', '<calcPr fullCalcOnLoad="1"/>'),
        ),
        *(refusal(20, what, "damaged-excel", partial(raw_rows, *rows)) for what, rows in {
            "falling rows": [(3, "C1", "2026-01-05", "1"), (2, "C2", "2026-01-05", "2")],
            "a row twice": [(2, "C1", "2026-01-05", "1"), (2, "C2", "2026-01-05", "2")],
            "a row beyond the last": [(LIMIT + 1, "C1", "2026-01-05", "1")],
            "no such string": [(2, "C1", '<c r="B2" t="s"><v>7</v></c>', "1")],
            "no number": [(2, "C1", '<c r="B2"><v>x</v></c>', "1")],
            "cut off": [(2, "C1", "2026-01-05", "<c")],
        }.items()),
        *(refusal(20, f"cut at {n}", "damaged-excel", partial(good_book, n)) for n in (5, 200, -1, -30)),
        refusal(20, "another zip", "damaged-excel", csv_in_a_zip),
        refusal(
            24, "a header misspelt", "missing-column",
            partial(book, [["导出"], ["customer_id", "ordered_at", "amonut"], ["C1", "2026-01-05", 10]]), "amonut",
            "column amount",
        ),
        refusal(143, "entities that multiply", "damaged-excel", multiplying_entities),
    ],
)  # fmt: skip
def test_what_is_no_table_stops(
    shop: Shop, code: str, content: Callable[[], bytes], parts: tuple[str, ...], spec: dict[str, str]
) -> None:
    shop.write(spec["files"], content())
    message = shop.stops(code, HEADER, *parts, orders_spec=spec)
    assert not any(len(word.strip("(),.")) > 14 and word.strip("(),.-").isdigit() for word in message.split())


@pytest.mark.fault(143)
def test_a_workbook_that_unpacks_out_of_proportion_is_not_opened(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "HARMLESS", 1 << 20)
    shop.write("book.xlsx", raw_rows((2, "C1" + "x" * 3_000_000, "2026-01-05", "1")))
    shop.stops("too-packed", HEADER, "200 times", orders_spec={"files": "book.xlsx"})
