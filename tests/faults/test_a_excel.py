"""Section A: Excel workbooks. The numbers are those of the list of faults."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.builders.books import Rows, book, book_stops, head, open_book, raw_book, raw_row
from tests.builders.shop import HEADER, assert_nothing_lost, fates, good_lines, spend
from toolkit.data import unpacking

if TYPE_CHECKING:
    import openpyxl

    import toolkit as tk
    from tests.builders.shop import Shop

GOOD: Rows = [["C1", "2026-01-05", 10], ["C2", "2026-02-03", 20.5]]


def raw(study: tk.Study, column: str) -> list[object]:
    """Values of one column as they were read, in the order of the file."""
    return study._connection.table("orders_raw").order("source_row").df()[column].tolist()


@pytest.mark.parametrize("name", ["book.xlsx", "BOOK.XLSX", "书 (1).xlsx", "book.xlsm"])
def test_11_a_workbook_is_read(shop: Shop, name: str) -> None:
    study = open_book(shop, book([head(), *GOOD]), name=name)
    assert spend(study) == {"C1": 10.0, "C2": 20.5}
    assert study.files["orders"][0].sheet == "Sheet1"
    assert_nothing_lost(study, 2, "30.5")


def test_11_preamble_footer_blank_rows_and_a_second_header(shop: Shop) -> None:
    columns = ["客户编号", "下单时间", "实付金额"]
    rows: Rows = [
        ["订单明细导出"], [None, "导出时间", date(2026, 3, 1)], [], [*columns], ["甲", date(2026, 1, 5), 15], [],
        [*columns], ["乙", date(2026, 1, 6), 20], [None, " "], ["丙", "?", 5], ["合计", None, 40], ["共2笔"], [None],
    ]  # fmt: skip
    study = open_book(shop, book(rows), loss_budget={"rows": 1, "money": 1})
    assert spend(study) == {"甲": 15.0, "乙": 20.0}
    assert study.files["orders"][0].repairs == {"preamble_lines": 3, "repeated_header": 1, "blank_rows": 2}
    assert fates(study) == {"order": 2, "unreadable_date": 1, "footer": 2}
    assert study.quarantine()["row"].tolist() == [10]
    assert_nothing_lost(study, 5, "80")


def test_11_the_table_may_begin_in_any_column(shop: Shop) -> None:
    rows: Rows = [[], *[[None, None, *row, "", "a note"] for row in [head(), *GOOD]]]
    study = open_book(shop, book(rows))
    assert spend(study) == {"C1": 10.0, "C2": 20.5}


def test_18_the_only_sheet_with_the_columns_is_read(shop: Shop) -> None:
    study = open_book(shop, book([["about", "this"]], [head(), *GOOD], titles=["read me", "orders"]))
    assert (study.files["orders"][0].sheet, spend(study)) == ("orders", {"C1": 10.0, "C2": 20.5})


def test_18_two_sheets_with_the_columns_stop_until_one_is_named(shop: Shop) -> None:
    content = book([head(), *GOOD], [head(), ["C3", "2026-01-05", 7]], titles=["1月", "2月"])
    book_stops(shop, "sheet", content, "1月, 2月", 'sheet: "1月"')
    assert spend(open_book(shop, content, spec={"sheet": "2月"})) == {"C3": 7.0}
    book_stops(shop, "sheet", content, "no sheet '3月'", "1月, 2月", spec={"sheet": "3月"})


def test_18_a_hidden_sheet_counts_and_is_named_as_hidden(shop: Shop) -> None:
    def hide(workbook: openpyxl.Workbook) -> None:
        workbook.worksheets[1].sheet_state = "hidden"

    two = book([head(), *GOOD], [head(), *GOOD], titles=["shown", "old"], touch=hide)
    book_stops(shop, "sheet", two, "old (hidden)")
    study = open_book(shop, book([["x"]], [head(), *GOOD], touch=hide))
    assert study.files["orders"][0].repairs == {"hidden_sheet": 1}


def test_18_rows_that_a_filter_hides_are_read_and_counted(shop: Shop) -> None:
    def hide(workbook: openpyxl.Workbook) -> None:
        workbook.worksheets[0].row_dimensions[3].hidden = True

    study = open_book(shop, book([head(), *GOOD], touch=hide))
    assert study.files["orders"][0].repairs == {"hidden_rows": 1}
    assert_nothing_lost(study, 2, "30.5")


def test_24_a_workbook_without_the_columns_stops_with_what_it_has(shop: Shop) -> None:
    content = book([["导出"], ["customer_id", "ordered_at", "amonut"], ["C1", "2026-01-05", 10]])
    book_stops(shop, "missing-column", content, "amonut", "amount")


@pytest.mark.parametrize("rows", [[], [[None, " "]], [[""]]])
def test_09_a_workbook_without_rows_is_empty(shop: Shop, rows: list[list[object]]) -> None:
    book_stops(shop, "empty-file", book(rows))


def test_10_a_workbook_with_a_header_alone_stops(shop: Shop) -> None:
    book_stops(shop, "no-rows", book([head(), [None, None], head()]), "0 rows")


def test_28_cells_become_the_text_that_a_csv_would_hold(shop: Shop) -> None:
    cells: list[tuple[object, str]] = [
        (datetime(2026, 1, 5, 10, 30, 1), "2026-01-05 10:30:01"),  # noqa: DTZ001 - Excel knows no zones
        (date(2026, 1, 5), "2026-01-05 00:00:00"), (time(10, 30), "10:30:00"), (timedelta(hours=30), "1 day, 6:00:00"),
        ("45,5", "45,5"), (0.1 + 0.2, "0.3"), (1e-7, "0.0000001"), (123456789.125, "123456789.125"), (17.0, "17"),
        (-3, "-3"), (True, "TRUE"), (None, ""), ("#N/A", ""), ("#REF!", ""), ("001", "001"), (" x ", " x "),
        ("a_x000D_\nb\r\nc", "a\nb\nc"), ("1.38E+16", "1.38E+16"), (1e300, "1" + "0" * 300),
    ]  # fmt: skip
    rows: Rows = [["C1", "2026-01-05", 1, value] for value, _ in cells]
    study = open_book(shop, book([head("channel"), *rows]))
    assert raw(study, "channel") == [text for _, text in cells]
    assert study.files["orders"][0].repairs["error_cells"] == 2


def test_28_a_length_of_time_in_a_column_of_numbers_is_in_seconds(shop: Shop) -> None:
    rows: Rows = [["C1", "2026-01-05", 1, value] for value in (time(0, 1, 5), timedelta(hours=30, seconds=0.5), 7)]
    assert raw(open_book(shop, book([head("quantity"), *rows])), "quantity") == ["65", "108000.5", "7"]


@pytest.mark.parametrize("mac", [False, True])
def test_45_dates_of_both_epochs(shop: Shop, mac: bool) -> None:
    def switch(workbook: openpyxl.Workbook) -> None:
        if mac:
            workbook.epoch = CALENDAR_MAC_1904

    day = datetime(2026, 1, 5, 23, 59, 59)  # noqa: DTZ001 - Excel knows no zones
    workbook = book([head(), ["C1", day, 10]], touch=switch)
    assert raw(open_book(shop, workbook), "ordered_at") == ["2026-01-05 23:59:59"]


def test_45_a_number_that_is_no_date_is_not_lost(shop: Shop) -> None:
    def format_as_date(workbook: openpyxl.Workbook) -> None:
        for row in (2, 3):
            workbook.worksheets[0].cell(row, 2).number_format = "yyyy-mm-dd"

    content = book([head(), ["C1", 1e9, 10], ["C1", -5, 10], ["C1", "2026-01-05", 10]], touch=format_as_date)
    study = open_book(shop, content, loss_budget={"rows": 1, "money": 1})
    assert_nothing_lost(study, 3, "30")


def test_33_ids_as_numbers_as_text_and_as_padded_numbers(shop: Shop) -> None:
    def pad(workbook: openpyxl.Workbook) -> None:
        workbook.worksheets[0].cell(5, 1).number_format = "00000"

    rows: Rows = [[17.0, "2026-01-05", 1], ["00017", "2026-01-05", 2], [999_999_999_999_999, "2026-01-05", 4],
            [18, "2026-01-05", 8]]  # fmt: skip
    found = spend(open_book(shop, book([head(), *rows], touch=pad)))
    assert found == {"17": 1.0, "00017": 2.0, "999999999999999": 4.0, "00018": 8.0}


@pytest.mark.parametrize("lost", [10**15, 1.38e16, -(10**17), 13800138000138000])
@pytest.mark.parametrize("column", ["customer_id", "order_id"])
def test_19_ids_of_more_digits_than_excel_keeps_stop(shop: Shop, column: str, lost: float) -> None:
    cells = {"customer_id": "C1", "ordered_at": "2026-01-05", "amount": 1, "order_id": "O1"} | {column: lost}
    message = book_stops(shop, "id-lost", book([list(cells), list(cells.values())]), "book.xlsx:2", f"column {column}")
    assert str(int(lost)) not in message


def test_19_the_last_row_of_a_sheet_is_a_warning(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.data.excel.LAST_ROW", 3)
    assert open_book(shop, book([head(), *GOOD])).files["orders"][0].repairs == {"excel_row_limit": 2}


def test_11_header_cells_merged_down_belong_to_the_lower_row(shop: Shop) -> None:
    def merge(workbook: openpyxl.Workbook) -> None:
        for area in ("A1:D1", "A2:A3", "B2:C2"):
            workbook.worksheets[0].merge_cells(area)

    rows: Rows = [["导出"], ["客户编号", "订单"], [None, "下单时间", "实付金额"], ["甲", "2026-01-05", 15]]
    assert spend(open_book(shop, book(rows, touch=merge))) == {"甲": 15.0}


def test_42_cells_merged_over_the_lines_of_an_order_count_in_each_but_money_once(shop: Shop) -> None:
    def merge(workbook: openpyxl.Workbook) -> None:
        for area in ("A2:A4", "B2:B4", "C2:C3", "D2:D4"):
            workbook.worksheets[0].merge_cells(area)

    rows: Rows = [
        head("order_id", "product_id"),
        ["C1", "2026-01-05", 10, "O1", "P1"],
        [None, None, None, None, "P2"],
        [None, None, 5, None, "P3"],
        ["C2", "2026-02-05", 7, "O2", "P1"],
    ]
    study = open_book(shop, book(rows, touch=merge), loss_budget={"rows": 1, "money": 1})
    assert spend(study) == {"C1": 15.0, "C2": 7.0}
    assert fates(study) == {"order": 3, "missing_amount": 1}
    assert raw(study, "order_id") == ["O1", "O1", "O1", "O2"]
    assert study.files["orders"][0].repairs["merged_cells"] == 6
    assert_nothing_lost(study, 4, "22")


def test_19_formulas_that_were_never_calculated_stop(shop: Shop) -> None:
    content = book([head("n"), ["C1", "2026-01-05", "=1+1", 1], ["C2", "2026-01-05", 5, 2]])
    book_stops(shop, "uncalculated", content, "book.xlsx:2", "column amount", "save it")


def test_19_formulas_in_columns_that_are_not_wanted_or_above_the_header_do_not_matter(shop: Shop) -> None:
    rows: Rows = [["=TODAY()"], head("n"), ["C1", "2026-01-05", 2, "=C3*2"]]
    assert spend(open_book(shop, book(rows))) == {"C1": 2.0}


def test_19_values_that_xlsxwriter_wrote_for_formulas_are_not_believed(shop: Shop) -> None:
    frame = pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": ["=1+1"]})
    frame.to_excel(shop.folder / "made.xlsx", index=False, engine="xlsxwriter")
    book_stops(shop, "uncalculated", (shop.folder / "made.xlsx").read_bytes(), "column amount")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="C2" t="str"><f>A2&amp;"x"</f><v>12</v></c>', "12"),
        ('<c r="C2"><f>6*2</f><v>12</v></c>', "12"),
        ('<c r="C2"><f t="shared" si="0"/><v>12</v></c>', "12"),
        ('<c r="C2" t="str"><f>""</f><v></v></c>', ""),
        ('<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', ""),
    ],
)
def test_19_calculated_formulas_are_their_values(shop: Shop, cell: str, text: str) -> None:
    content = raw_book(raw_row(1, *head()) + raw_row(2, "C1", "2026-01-05", cell))
    assert raw(open_book(shop, content, loss_budget={"rows": 1, "money": 1}), "amount") == [text]


@pytest.mark.parametrize(
    "cell", ['<c r="C2"><f>6*2</f></c>', "<c><f>6*2</f></c>", '<c r="C2"><f t="shared" si="0"/></c>']
)
def test_19_formulas_without_a_value_stop_however_they_are_written(shop: Shop, cell: str) -> None:
    book_stops(shop, "uncalculated", raw_book(raw_row(1, *head()) + raw_row(2, "C1", "2026-01-05", cell)))


def test_19_a_workbook_that_asks_to_be_calculated_anew_is_not_believed(shop: Shop) -> None:
    body = raw_row(1, *head()) + raw_row(2, "C1", "2026-01-05", '<c r="C2"><f>6*2</f><v>0</v></c>')
    book_stops(shop, "uncalculated", raw_book(body, calculation='<calcPr fullCalcOnLoad="1"/>'))


def test_11_a_wrong_dimension_hides_no_rows(shop: Shop) -> None:
    content = book([head(), *GOOD])
    spoilt = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(spoilt, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:C3"', b'<dimension ref="A1"'))
    assert b"A1:C3" in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert_nothing_lost(open_book(shop, spoilt.getvalue()), 2, "30.5")


def test_11_cells_and_rows_without_addresses(shop: Shop) -> None:
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    rows = "".join(
        f"<row>{''.join(cell.format(text) for text in line.split(','))}</row>" for line in [HEADER, *good_lines(3)]
    )
    assert_nothing_lost(open_book(shop, raw_book(rows)), 3, "30")


@pytest.mark.parametrize(
    "body",
    [
        raw_row(1, *head()) + raw_row(3, "C1", "2026-01-05", "1") + raw_row(2, "C2", "2026-01-05", "2"),
        raw_row(1, *head()) + raw_row(2, "C1", "2026-01-05", "1") + raw_row(2, "C2", "2026-01-05", "2"),
        raw_row(1, *head()) + raw_row(99_999_999, "C1", "2026-01-05", "1"),
        raw_row(1, *head()) + raw_row(2, "C1", '<c r="B2" t="s"><v>7</v></c>', "1"),
        raw_row(1, *head()) + raw_row(2, "C1", '<c r="B2"><v>x</v></c>', "1"),
        raw_row(1, *head()) + raw_row(2, "C1", "2026-01-05", "1") + "<row",
    ],
    ids=["falling rows", "a row twice", "a row beyond the last", "no such string", "no number", "cut off"],
)
def test_20_a_damaged_sheet_stops(shop: Shop, body: str) -> None:
    book_stops(shop, "damaged-excel", raw_book(body))


@pytest.mark.parametrize("keep", [5, 200, -1, -30])
def test_20_a_truncated_workbook_stops(shop: Shop, keep: int) -> None:
    book_stops(shop, "damaged-excel", book([head(), *GOOD])[:keep])


def test_20_another_zip_with_the_name_of_a_workbook_stops(shop: Shop) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("orders.csv", f"{HEADER}\n")
    book_stops(shop, "damaged-excel", buffer.getvalue())


@pytest.mark.parametrize(
    ("content", "code", "what"),
    [
        (b"", "empty-file", "0 bytes"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not-excel", "password"),
        (f"{HEADER}\nC1,2026-01-05,1\n".encode(), "not-excel", ".csv"),
        (b"<html><table></table></html>", "not-excel", "whatever its name"),
    ],
)
def test_18_what_only_has_the_name_of_a_workbook_stops(shop: Shop, content: bytes, code: str, what: str) -> None:
    book_stops(shop, code, content, what)


def test_18_a_workbook_with_the_name_of_a_csv_stops_and_says_what_to_do(shop: Shop) -> None:
    book_stops(shop, "not-text", book([head(), *GOOD]), "Excel file", ".xlsx", name="book.csv")


def test_143_a_workbook_that_unpacks_out_of_proportion_is_not_opened(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = raw_book(raw_row(1, *head()) + raw_row(2, "C1" + "x" * 3_000_000, "2026-01-05", "1"))
    monkeypatch.setattr(unpacking, "HARMLESS", 1 << 20)
    book_stops(shop, "too-packed", content, "200 times")


def test_143_entities_that_multiply_are_refused(shop: Shop) -> None:
    content = raw_book(raw_row(1, *head()) + raw_row(2, "C1", "2026-01-05", "&f;"))
    bomb = '<!DOCTYPE x [<!ENTITY a "' + "a" * 1000 + '">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 20}">' for before, name in zip("abcde", "bcdef", strict=True)
    ) + "]>"  # fmt: skip
    spoilt = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(spoilt, "w") as new:
        for name in old.namelist():
            new.writestr(name, (bomb.encode() if "sheet1" in name else b"") + old.read(name))
    book_stops(shop, "damaged-excel", spoilt.getvalue())


def test_beyond_the_same_business_from_a_workbook_and_from_csv(shop: Shop) -> None:
    frame = pd.DataFrame([line.split(",") for line in good_lines(60)], columns=HEADER.split(","))
    typed = frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]), amount=frame["amount"].astype(float))
    wanted = shop.open(frame.to_csv(index=False)).snapshot("2026-12-31")
    for one in (frame, typed):
        one.to_excel(shop.folder / "book.xlsx", index=False)
        found = shop.open(HEADER, orders_spec={"files": "book.xlsx"}).snapshot("2026-12-31")
        pd.testing.assert_frame_equal(found, wanted)


def test_21_a_workbook_and_a_csv_side_by_side(shop: Shop) -> None:
    shop.write("book.xlsx", book([head("order_id"), *[[*row, f"O{n}"] for n, row in enumerate(GOOD)]]))
    shop.write("more.csv", f"{HEADER}\nC3,2026-01-05,1\n")
    study = shop.open(HEADER, orders_spec={"files": ["book.xlsx", "more.csv"]})
    assert spend(study) == {"C1": 10.0, "C2": 20.5, "C3": 1.0}
    assert_nothing_lost(study, 3, "31.5")
