"""Section A: files, encodings, formats. The numbers are those of the list of faults."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.shop import HEADER, assert_nothing_lost, check_of, fates, good_lines, spend

if TYPE_CHECKING:
    from tests.builders.shop import Shop

CHINESE = "买家id,下单时间,实付金额,渠道\n张三,2026-01-05,￥1200.50,公众号\n李四,2026-02-03,15元,视频号\n"


@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
def test_01_gbk_is_read_as_gb18030(shop: Shop, encoding: str) -> None:
    study = shop.open(CHINESE.encode(encoding))
    assert spend(study) == {"张三": 1200.5, "李四": 15.0}
    assert study.files["orders"][0].encoding == "gb18030"
    assert "gb18030" in check_of(study, "encoding").message
    assert_nothing_lost(study, 2, "1215.50")


def test_01_utf8_is_never_taken_for_gb18030(shop: Shop) -> None:
    study = shop.open(CHINESE.encode())
    assert study.files["orders"][0].encoding == "utf-8"
    assert set(spend(study)) == {"张三", "李四"}


def test_01_a_gbk_line_that_happens_to_be_valid_utf8_is_not_a_second_encoding(shop: Shop) -> None:
    study = shop.open("customer_id,ordered_at,amount\n联通,2026-01-05,10\n张三,2026-01-05,10\n".encode("gbk"))
    assert set(spend(study)) == {"联通", "张三"}


def test_02_no_row_of_a_gbk_file_vanishes(shop: Shop) -> None:
    body = "".join(f"客户{n},2026-01-05,10\n" for n in range(50))
    assert_nothing_lost(shop.open(f"{HEADER}\n{body}".encode("gbk")), 50, "500")


def test_03_the_mark_of_utf8_does_not_hide_the_first_header(shop: Shop) -> None:
    assert spend(shop.open(CHINESE.encode("utf-8-sig"))) == {"张三": 1200.5, "李四": 15.0}


def test_03_the_mark_of_gb18030_does_not_hide_the_first_header(shop: Shop) -> None:
    assert set(spend(shop.open(f"\ufeff{CHINESE}".encode("gb18030")))) == {"张三", "李四"}


def test_03_the_mark_of_utf8_before_gbk_stops(shop: Shop) -> None:
    shop.stops("encoding", b"\xef\xbb\xbf" + CHINESE.encode("gbk"), "orders_1.csv:1")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_04_utf16_is_read_by_its_mark(shop: Shop, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    study = shop.open((mark + CHINESE.replace(",", "\t")).encode(encoding))
    assert spend(study) == {"张三": 1200.5, "李四": 15.0}


def test_04_utf16_without_its_mark_stops_and_names_it(shop: Shop) -> None:
    plain = "\n".join([HEADER, *good_lines(5)]).encode("utf-16-le")
    shop.stops("encoding", plain, "encoding: utf-16-le")
    assert_nothing_lost(shop.open(plain, orders_spec={"encoding": "utf-16-le"}), 5, "50")


def test_04_zero_bytes_in_plain_text_stop_with_their_line(shop: Shop) -> None:
    lines = "\n".join([HEADER, *good_lines(400), "C\0,2026-01-05,10", ""])
    message = shop.stops("encoding", lines, "orders_1.csv:402")
    assert "utf-16" not in message


@pytest.mark.parametrize("name", ["latin-99", "zip", "idna", "utf-8"])
def test_04_a_stated_encoding_that_does_not_fit_stops(shop: Shop, name: str) -> None:
    shop.stops("encoding", CHINESE.encode("gbk"), name, orders_spec={"encoding": name})


@pytest.mark.parametrize("names", [["Andrés", "Zoë Müller"], ["Björn"], ["Crééa", "Renée", "Zoë"]])
def test_04_accented_letters_are_not_taken_for_chinese(shop: Shop, names: list[str]) -> None:
    content = "\n".join([HEADER, *good_lines(3), *(f"{name},2026-01-05,10" for name in names), ""]).encode("cp1252")
    shop.stops("encoding", content, "cp1252")
    assert set(names) < set(spend(shop.open(content, orders_spec={"encoding": "cp1252"})))


def test_04_one_chinese_character_beside_a_letter_is_chinese(shop: Shop) -> None:
    assert set(spend(shop.open(f"{HEADER}\nA类,2026-01-05,10\n".encode("gbk")))) == {"A类"}


@pytest.mark.parametrize("size", [4095, 4096, 65_535, 65_536])
def test_06_the_whole_file_decides_the_encoding(shop: Shop, size: int) -> None:
    head = f"{HEADER},note\nA1,2026-01-05,10,"
    text = f"{head}{'x' * (size - len(head))}学习\nA2,2026-01-05,10,学\n"
    assert_nothing_lost(shop.open(text), 2, "20")


def test_07_gbk_lines_in_a_utf8_file_stop_at_the_first_of_them(shop: Shop) -> None:
    utf8 = "".join(f"顾客{n},2026-01-05,10\n" for n in range(20))
    shop.stops("encoding", f"{HEADER}\n{utf8}".encode() + "学员甲,2026-01-05,10\n".encode("gbk"), "orders_1.csv:22")


def test_07_utf8_lines_in_a_gbk_file_stop_at_the_first_of_them(shop: Shop) -> None:
    gbk = "".join(f"顾客{n},2026-01-05,10\n" for n in range(20))
    shop.stops(
        "encoding",
        f"{HEADER}\n{gbk}".encode("gbk") + "顾客,2026-01-05,10\n顾客二,2026-01-05,10\n".encode(),
        "orders_1.csv:22",
    )


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf", "\ufeff\n".encode("utf-16")])
def test_09_an_empty_file_says_so(shop: Shop, content: bytes) -> None:
    shop.stops("empty-file", content, "the file is empty")


def test_09_an_empty_parquet_file_says_so(shop: Shop) -> None:
    shop.write("empty.parquet", b"")
    shop.stops("empty-file", HEADER, "empty.parquet", customers=None, orders_spec={"files": "empty.parquet"})


@pytest.mark.parametrize(
    "content", [HEADER, f"{HEADER}\n", f"{HEADER}\n\n\n", f"{HEADER}\n,,\n , ,\n", f"{HEADER}\n{HEADER}\n"]
)
def test_10_a_header_alone_stops(shop: Shop, content: str) -> None:
    shop.stops("no-rows", content, "0 rows")


def test_10_a_parquet_file_of_no_rows_stops(shop: Shop) -> None:
    shop.stops("no-rows", pd.DataFrame({"customer_id": [], "ordered_at": [], "amount": []}), "0 rows")


def test_11_preamble_and_footer_of_a_bill(shop: Shop) -> None:
    preamble = (
        "支付宝交易记录明细查询\n账号:[x@y.z]\n\n---------------------------------\n起始日期:[2026-01-01]\t终止\n"
    )
    footer = "------------------------\n共2笔记录\n合计,,35\n"
    study = shop.open(f"{preamble}用户id,交易时间,金额\n甲,2026-01-05,15\n乙,2026-01-06,20\n{footer}".encode("gbk"))
    assert spend(study) == {"乙": 20.0, "甲": 15.0}
    assert check_of(study, "preamble").count == 5
    assert fates(study) == {"order": 2, "footer": 3}
    assert_nothing_lost(study, 5, "70")


def test_11_a_quoted_line_break_before_the_header_does_not_shift_it(shop: Shop) -> None:
    study = shop.open(f'"bill of\nshop A",x\n\n{HEADER}\nC1,2026-01-05,10\nC2,2026-01-05,x\n', loss_budget={"rows": 1})
    assert_nothing_lost(study, 2, "10")
    assert study.quarantine()["row"].tolist() == [6]


def test_11_a_total_row_is_no_customer(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", customers="customer_id,persona\nC1,a\n合计,\n")
    assert fates(study, "customers") == {"customer": 1, "footer": 1}
    assert list(spend(study)) == ["C1"]


def test_11_a_header_in_the_middle_is_no_row(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,10", HEADER, "C2,2026-01-06,20", HEADER, "C3,2026-01-06,x", loss_budget={"rows": 1}
    )
    assert study.files["orders"][0].repairs["repeated_header"] == 2
    assert study.quarantine()["row"].tolist() == [6]
    assert_nothing_lost(study, 3, "30")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_12_the_delimiter_is_found(shop: Shop, delimiter: str) -> None:
    lines = [HEADER, *good_lines(20)]
    study = shop.open("\n".join(line.replace(",", delimiter) for line in lines))
    assert study.files["orders"][0].delimiter == delimiter
    assert_nothing_lost(study, 20, "200")


def test_12_a_stated_delimiter_that_does_not_fit_stops_and_names_the_right_one(shop: Shop) -> None:
    shop.stops("delimiter", "\n".join([HEADER, *good_lines(5)]), "delimiter: ','", orders_spec={"delimiter": ";"})


@pytest.mark.parametrize("delimiter", ["||", '"', "\n", "\\t"])
def test_12_a_stated_delimiter_that_is_none_stops(shop: Shop, delimiter: str) -> None:
    shop.stops("delimiter", "\n".join([HEADER, *good_lines(5)]), orders_spec={"delimiter": delimiter})


def test_13_longer_and_shorter_rows_are_quarantined_with_their_line(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10,20", "C2,2026-01-05", good=300)
    kept = study.quarantine()
    assert kept["reason"].tolist() == ["ragged_row", "ragged_row"]
    assert kept["row"].tolist() == [302, 303]
    assert kept["ragged"].tolist() == ["C1,2026-01-05,10,20", "C2,2026-01-05"]
    assert_nothing_lost(study, 302, "3000")


def test_13_a_comma_at_the_end_of_every_row_shifts_nothing(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10,", "C2,2026-01-06,20,")
    assert spend(study) == {"C1": 10.0, "C2": 20.0}
    assert check_of(study, "trailing_delimiter").status == "informational"


def test_13_empty_cells_beyond_the_header_are_no_fault(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10,,", "C2,2026-01-06,20", "C3,2026-01-06,x,,", loss_budget={"rows": 1})
    assert spend(study) == {"C1": 10.0, "C2": 20.0}
    assert study.quarantine()["row"].tolist() == [4]
    assert_nothing_lost(study, 3, "30")


def test_13_lines_are_counted_through_blank_lines_and_quoted_line_breaks(shop: Shop) -> None:
    text = (
        f'{HEADER},note\n\nC1,2026-01-05,10,"two\nlines"\n   \n'
        'C2,2026-01-05,x,\n"C3",2026-01-05,10\nC4,2026-01-05,y,"a"\n'
    )
    study = shop.open(text, loss_budget={"rows": 1})
    assert dict(zip(study.quarantine()["row"], study.quarantine()["reason"], strict=True)) == {
        6: "unreadable_amount",
        7: "ragged_row",
        8: "unreadable_amount",
    }
    assert_nothing_lost(study, 4, "10")


def test_13_rows_without_any_content_are_no_rows(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", ",,", " ,\t, ", "C2,2026-01-05,20")
    assert study.files["orders"][0].repairs["blank_rows"] == 2
    assert_nothing_lost(study, 2, "30")


def test_13_a_file_of_one_column_stops_with_what_it_has(shop: Shop) -> None:
    shop.stops("missing-column", "customer_id\nC1\nC2\n", "customer_id", "ordered_at")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_13_any_line_end_will_do(shop: Shop, end: str) -> None:
    study = shop.open(end.join([HEADER, *good_lines(40), "C1,2026-01-05,1,2", ""]), loss_budget={"rows": 1})
    assert study.quarantine()["row"].tolist() == [42]
    assert_nothing_lost(study, 41, "400")


def test_13_separators_that_are_no_line_ends_stay_in_their_cell(shop: Shop) -> None:
    study = shop.lines("C\u20281,2026-01-05,10", "C\x0c2,2026-01-05,20", "C\x853,2026-01-05,x", loss_budget={"rows": 1})
    assert study.quarantine()["row"].tolist() == [4]
    assert_nothing_lost(study, 3, "30")


def test_14_an_unquoted_comma_in_a_name_is_kept_as_it_was(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10,Smith, Sons & Co", header=f"{HEADER},channel", loss_budget={"rows": 1})
    assert study.quarantine()["ragged"].tolist() == ["C1,2026-01-05,10,Smith, Sons & Co"]


@pytest.mark.parametrize("after", [1, 3, 40])
def test_15_an_unclosed_quote_stops_at_its_line(shop: Shop, after: int) -> None:
    lines = [HEADER, *good_lines(10), '"C1,2026-01-05,10', *good_lines(after)]
    shop.stops("unclosed-quote", "\n".join(lines), "orders_1.csv:12")


def test_15_two_quotes_that_swallow_rows_stop(shop: Shop) -> None:
    lines = [HEADER, *good_lines(10), '"C1,2026-01-05,10', *good_lines(5), 'C2",2026-01-05,10', ""]
    shop.stops("unclosed-quote", "\n".join(lines), "orders_1.csv:12")


def test_15_a_quote_inside_a_cell_opens_nothing(shop: Shop) -> None:
    study = shop.lines('C1,2026-01-05,10,12" disc', 'C2,2026-01-05,20,"a ""b"" c"', header=f"{HEADER},channel")
    assert_nothing_lost(study, 2, "30")


def test_15_a_very_long_cell_is_read(shop: Shop) -> None:
    long = "x" * 200_000
    assert set(spend(shop.lines(f"{long},2026-01-05,10"))) == {long}


@pytest.mark.parametrize(
    "header", ["customer_id,ordered_at,amount,amount", "customer_id,ordered_at,amount,customer_id"]
)
def test_17_two_columns_of_one_name_stop(shop: Shop, header: str) -> None:
    shop.stops("repeated-header", f"{header}\nC1,2026-01-05,10,20\n", "same name")


def test_17_two_columns_of_one_name_in_parquet_stop(shop: Shop) -> None:
    column = pa.array(["1"])
    table = pa.Table.from_arrays([column] * 4, names=["customer_id", "ordered_at", "amount", "amount"])
    shop.stops("repeated-header", table, "amount")


def test_17_parquet_names_that_differ_by_case_only_stop(shop: Shop) -> None:
    frame = pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "Amount": [1.0], "amount": [2.0]})
    shop.stops("repeated-header", frame, "amount", orders_spec={"columns": {"amount": "amount"}})


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "<x/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (_zip("xl/workbook.xml"), "Excel file"),
        (_zip("[Content_Types].xml"), "Excel file"),
        (_zip("orders.csv"), "zip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "password"),
        (b"<html><table><tr><td>customer_id</td></tr></table></html>", "HTML"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html></html>", "HTML"),
        (b"\x1f\x8b\x08\x00" + bytes(40), "gzip"),
        (b"PAR1" + bytes(40) + b"PAR1", "Parquet"),
        (b"%PDF-1.7\n%abc\n", "PDF"),
        (b"SQLite format 3\x00" + bytes(40), "SQLite"),
    ],
)
def test_18_another_format_with_the_name_of_a_csv_stops_and_says_what_it_is(
    shop: Shop, content: bytes, what: str
) -> None:
    shop.stops("not-text", content, what)


@pytest.mark.parametrize("column", ["customer_id", "order_id", "line_id"])
def test_19_ids_that_excel_rounded_stop(shop: Shop, column: str) -> None:
    cells = {"customer_id": "C1", "order_id": "O1", "line_id": "L1"} | {column: "1.38E+16"}
    text = f"{HEADER},order_id,line_id\n{cells['customer_id']},2026-01-05,10,{cells['order_id']},{cells['line_id']}\n"
    shop.stops("id-lost", text, "orders_1.csv:2", column, "1***6", "export again")


def test_19_marks_that_keep_a_text_a_text_are_no_part_of_it(shop: Shop) -> None:
    study = shop.lines(
        '="00123",2026-01-05,10,a', '"=""0045""",\'2026-01-05,\'20,b', "`o-x'1`,`2026-01-05,`5, `c`",
        "O'Neill,2026-01-05,1,'tis", "'x,2026-01-05,2,=\"", header=f"{HEADER},channel",
    )  # fmt: skip
    assert spend(study) == {"00123": 10.0, "0045": 20.0, "o-x'1`": 5.0, "O'Neill": 1.0, "'x": 2.0}
    found = study._connection.execute("SELECT channel FROM orders_raw ORDER BY source_row").fetchall()
    assert [channel for (channel,) in found] == ["a", "b", "c`", "'tis", '="']
    assert study.files["orders"][0].repairs["text_marks"] == 8


def test_19_exactly_excels_last_row_is_a_warning(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.data.files.EXCEL_ROW_LIMITS", (300, 301))
    assert check_of(shop.lines(good=300), "excel_row_limit").status == "failed"


@pytest.mark.parametrize(
    ("name", "neighbour"),
    [("a[1].parquet", "a1.parquet"), ("a*.parquet", "ab.parquet"), ("d[1]/a.parquet", "d1/a.parquet")],
)
def test_20_no_other_parquet_file_is_read_for_one_whose_name_holds_wildcards(
    shop: Shop, name: str, neighbour: str
) -> None:
    for customer, file in (("C1", name), ("C2", neighbour)):
        (shop.folder / file).parent.mkdir(exist_ok=True)
        shop.write(file, pd.DataFrame({"customer_id": [customer], "ordered_at": ["2026-01-05"], "amount": [1.0]}))
    study = shop.open(HEADER, orders_spec={"files": name})
    assert spend(study) == {"C1": 1.0}
    assert_nothing_lost(study, 1, "1")


@pytest.mark.parametrize("keep", [4, 40, -1, -200])
def test_20_a_truncated_parquet_file_stops(shop: Shop, keep: int) -> None:
    pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": [1.0]}).to_parquet(shop.folder / "x")
    shop.write("cut.parquet", (shop.folder / "x").read_bytes()[:keep])
    shop.stops("damaged-parquet", HEADER, "cut.parquet", orders_spec={"files": "cut.parquet"})


def test_20_a_parquet_file_damaged_in_its_pages_stops(shop: Shop) -> None:
    frame = pd.DataFrame({"customer_id": [f"C{n}" for n in range(2000)], "ordered_at": "2026-01-05", "amount": 1.0})
    frame.to_parquet(shop.folder / "x")
    data = bytearray((shop.folder / "x").read_bytes())
    data[4:2000] = b"\xff" * 1996
    shop.write("bad.parquet", bytes(data))
    shop.stops("engine", HEADER, orders_spec={"files": "bad.parquet"})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_20_a_stated_number_of_rows_is_compared(shop: Shop, kind: str) -> None:
    lines = good_lines(5)
    content = (
        "\n".join([HEADER, *lines])
        if kind == "csv"
        else pd.DataFrame([line.split(",") for line in lines], columns=HEADER.split(","))
    )
    shop.stops("rows", content, "5 rows", orders_spec={"expected_rows": 6})
    shop.stops("rows", [content, content], "10 rows", orders_spec={"expected_rows": 6})
    assert_nothing_lost(shop.open(content, orders_spec={"expected_rows": 5}), 5, "50")


def test_20_parquet_parts_that_differ_stop(shop: Shop) -> None:
    one = pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": [1.0]})
    shop.stops("schema-drift", [one, one.assign(amount="1")], "orders_2.parquet", "column amount")
    shop.stops("schema-drift", [one, one.assign(status="refunded")], "orders_2.parquet", "status")
    shop.stops("missing-column", [one, one.drop(columns="amount")], "orders_2.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_21_the_same_file_twice_counts_once(shop: Shop, kind: str) -> None:
    frame = pd.DataFrame([line.split(",") for line in good_lines(30)], columns=HEADER.split(","))
    once = frame if kind == "parquet" else frame.to_csv(index=False)
    study = shop.open([once, once])
    assert fates(study) == {"order": 30, "other_file": 30}
    assert sum(spend(study).values()) == 300
    assert_nothing_lost(study, 60, "600")


def test_21_overlapping_months_count_the_shared_orders_once(shop: Shop) -> None:
    header = f"{HEADER},order_id"
    january = f"{header}\nC1,2026-01-05,10,O1\nC2,2026-01-31,20,O2\nC2,2026-01-31,5,O2\n"
    february = f"{header}\nC2,2026-01-31,5,O2\nC2,2026-01-31,20,O2\nC3,2026-02-01,40,O3\n"
    study = shop.open([january, february])
    assert spend(study) == {"C1": 10.0, "C2": 25.0, "C3": 40.0}
    assert fates(study) == {"order": 4, "other_file": 2}
    assert_nothing_lost(study, 6, "100")


def test_21_an_order_that_two_files_tell_differently_stops(shop: Shop) -> None:
    header = f"{HEADER},order_id"
    one, other = f"{header}\nC1,2026-01-05,10,O1\n", f"{header}\nC1,2026-01-05,12,O1\n"
    shop.stops("files-disagree", [one, other], "orders_2.csv:2", "files:")


def test_21_equal_lines_of_one_file_are_kept_and_counted(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", "C1,2026-01-05,10", "C1,2026-01-05,10")
    assert spend(study) == {"C1": 30.0}
    assert (check_of(study, "exact_repeats").status, check_of(study, "exact_repeats").count) == ("failed", 2)


def test_21_a_repeated_line_id_counts_once(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10,L1", "C1,2026-01-05,10,L1", "C1,2026-01-05,10,L2", header=f"{HEADER},line_id")
    assert spend(study) == {"C1": 20.0}
    assert fates(study) == {"order": 2, "repeated_line_id": 1}
    assert_nothing_lost(study, 3, "30")


def test_21_a_line_id_with_two_contents_is_quarantined(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,10,L1", "C1,2026-01-05,12,L1", header=f"{HEADER},line_id", loss_budget={"rows": 1, "money": 1}
    )
    assert fates(study) == {"order": 1, "line_id_conflict": 1}
    assert_nothing_lost(study, 2, "22")


def test_23_parquet_orders_are_never_copied_into_memory(shop: Shop) -> None:
    frame = pd.DataFrame([line.split(",") for line in good_lines(30)], columns=HEADER.split(","))
    study = shop.open(frame)
    tables = study._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert not {name for (name,) in tables} & {"orders", "orders_plain", "orders_raw"}


def test_23_parquet_row_groups_keep_their_line_numbers(shop: Shop) -> None:
    frame = pd.DataFrame([line.split(",") for line in good_lines(300)], columns=HEADER.split(","))
    frame.loc[[7, 250], "amount"] = "x"
    pq.write_table(pa.Table.from_pandas(frame), shop.folder / "groups.parquet", row_group_size=50)
    study = shop.open(HEADER, orders_spec={"files": "groups.parquet"})
    assert study.quarantine()["row"].tolist() == [8, 251]
