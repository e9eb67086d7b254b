"""Section A: text, packed text and Parquet, also larger than memory: what is read, repaired, kept aside and refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.books import book, head
from tests.builders.shop import HEADER, Shop, assert_nothing_lost, check_of, fates, good_lines, spend
from toolkit.data import encoding, memory, reading, rows, unpacking
from toolkit.data.memory import Aside
from toolkit.data.reading import raw_relation
from toolkit.errors import InputError
from toolkit.study import TableFile
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import toolkit as tk
    from tests.builders.shop import Export

ORDERS = TABLES["orders"]
LIMIT = 37
"""Rows that Excel's last row is put at in these tests."""
LENIENT = {"rows": 1, "money": 1}


def lines_of(who: str, count: int) -> list[str]:
    """Lines that nothing is wrong with, of customers of their own."""
    return [line.replace("G", who) for line in good_lines(count)]


@dataclass(frozen=True)
class Text:
    """A file of orders, and what is found of it.

    ``kept`` is what stands in quarantine: line -> the raw line where its cells do not fit, else the reason.
    """

    fault: int
    content: bytes
    spend: dict[str, float]
    kept: dict[int, str]
    encoding: str
    delimiter: str
    repairs: dict[str, int]
    ending: str


def text(
    fault: int, content: str, spend: str | dict[str, float], kept: dict[int, str] | None = None, /, *,
    written: str = "utf-8", delimiter: str = ",", packed: bool = False, **repairs: int,
) -> Text:  # fmt: skip
    """Write a file; ``spend`` as ``C1 10 C2 20``, the encodings that are found follow from those that are written."""
    found = {"gbk": "gb18030", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}.get(written, written)
    words = spend.split() if isinstance(spend, str) else []
    spent = dict(zip(words[::2], map(float, words[1::2]), strict=True)) if isinstance(spend, str) else spend
    data = gzip.compress(content.encode(written)) if packed else content.encode(written)
    told = repairs | ({} if found == "utf-8" else {"transcoded": 1})
    return Text(fault, data, spent, kept or {}, found, delimiter, told, ".csv.gz" if packed else ".csv")


def tens(who: str, count: int) -> dict[str, float]:
    return {f"{who}{n}": 10.0 for n in range(count)}


def chinese(who: str) -> str:
    return f"买家id,下单时间,实付金额,渠道\n张{who},2026-01-05,￥1200.50,公众号\n李{who},2026-02-03,15元,视频号\n"


def across(size: int) -> str:
    """Orders of which byte ``size`` is in the middle of a character."""
    start = f"{HEADER},note\nA{size},2026-01-05,10,"
    return f"{start}{'x' * (size - len(start))}学习\nB{size},2026-01-05,10,学\n"


def file_of(*lines: str, more: str = "", end: str = "\n") -> str:
    return end.join([f"{HEADER}{more}", *lines, ""])


BILL = (
    "支付宝交易记录明细查询\n账号:[x@y.z]\n\n---------------------------------\n起始日期:[2026-01-01]\t终止\n"
    "用户id,交易时间,金额\n甲,2026-01-05,15\n乙,2026-01-06,20\n------------------------\n共2笔记录\n合计,,35\n"
)
TEXTS: dict[str, Text] = {
    "gbk": text(1, chinese("一"), "张一 1200.5 李一 15", written="gbk"),
    "utf-8": text(1, chinese("二"), "张二 1200.5 李二 15"),
    "a line of gbk that is valid utf-8": text(
        1, file_of("联通,2026-01-05,10", "张三,2026-01-05,10"), "联通 10 张三 10", written="gbk"
    ),
    "mark of utf-8": text(3, chinese("四"), "张四 1200.5 李四 15", written="utf-8-sig"),
    "mark of gb18030": text(3, f"\ufeff{chinese('五')}", "张五 1200.5 李五 15", written="gb18030"),
    **{
        name: text(4, f"{mark}{chinese(who)}".replace(",", "\t"), f"张{who} 1200.5 李{who} 15", written=name,
                   delimiter="\t")
        for name, who, mark in (("utf-16", "六", ""), ("utf-16-le", "七", "\ufeff"), ("utf-16-be", "八", "\ufeff"))
    },
    "one Chinese character beside a letter": text(4, file_of("A类,2026-01-05,10"), "A类 10", written="gbk"),
    "every other line has a character of two high bytes": text(
        4, file_of("镕,2026-01-05,10", "张五六,2026-01-05,10"), "镕 10 张五六 10", written="gbk"
    ),
    "a character across byte 4095": text(6, across(4095), "A4095 10 B4095 10"),
    "a character across byte 4096": text(6, across(4096), "A4096 10 B4096 10"),
    "a bill": text(11, BILL, "甲 15 乙 20", written="gbk", preamble_lines=5),
    "a quoted line break before the header": text(
        11, f'"bill of\nshop A",x\n\n{file_of("P1,2026-01-05,10", "P2,2026-01-05,x")}', "P1 10",
        {6: "unreadable_amount"}, preamble_lines=3,
    ),
    "the last line that is searched for a header": text(
        11, "\n" * 42 + "note\n" * 17 + file_of(*lines_of("Q", 3)), tens("Q", 3), preamble_lines=59
    ),
    "headers in the middle": text(
        11, file_of("R1,2026-01-05,10", HEADER, "R2,2026-01-06,20", HEADER, "R3,2026-01-06,x"), "R1 10 R2 20",
        {6: "unreadable_amount"}, repeated_header=2,
    ),
    **{
        f"delimiter {delimiter!r}": text(
            12, file_of(*lines_of(who, 20)).replace(",", delimiter), tens(who, 20), delimiter=delimiter
        )
        for delimiter, who in ((";", "S"), ("\t", "T"), ("|", "U"))
    },
    "longer and shorter rows": text(
        13, file_of(*lines_of("V", 30), "V30,2026-01-05,10,20", "V31,2026-01-05"), tens("V", 30),
        {32: "V30,2026-01-05,10,20", 33: "V31,2026-01-05"},
    ),
    "a comma at the end of every row": text(
        13, file_of("W1,2026-01-05,10,", "W2,2026-01-06,20,"), "W1 10 W2 20", trailing_delimiter=1
    ),
    "two commas at the end of every row": text(
        13, file_of("W3,2026-01-05,10,,", "W4,2026-01-06,20,,"), "W3 10 W4 20", empty_extra_cells=2
    ),
    "empty cells beyond the header": text(
        13, file_of("X1,2026-01-05,10,,", "X2,2026-01-06,20", "X3,2026-01-06,x,,"), "X1 10 X2 20",
        {4: "unreadable_amount"}, empty_extra_cells=2,
    ),
    "rows cut by line breaks": text(
        13, file_of("AB1,2026-01-05,10,shop", "AB2,2026-01-05,5", "AB3", "2,2026-01-05,5", more=",channel"), "AB1 10",
        {3: "AB2,2026-01-05,5", 4: "AB3", 5: "2,2026-01-05,5"},
    ),
    "blank lines and quoted line breaks": text(
        13, file_of("", 'Y1,2026-01-05,10,"two\nlines"', "   ", "Y2,2026-01-05,x,", '"Y3",2026-01-05,10',
                    'Y4,2026-01-05,y,"a"', more=",note"),
        "Y1 10", {6: "unreadable_amount", 7: '"Y3",2026-01-05,10', 8: "unreadable_amount"}, blank_rows=1,
    ),
    "rows without any content": text(
        13, file_of("Z1,2026-01-05,10", ",,", " ,\t, ", "Z2,2026-01-05,20"), "Z1 10 Z2 20", blank_rows=2
    ),
    **{
        f"line end {end!r}": text(
            13, file_of(*lines_of(who, 30), f"{who},2026-01-05,1,2", end=end), tens(who, 30),
            {32: f"{who},2026-01-05,1,2"},
        )
        for end, who in (("\n", "La"), ("\r\n", "Lb"), ("\r", "Lc"))
    },
    "separators that are no line ends": text(
        13, file_of("M\u20281,2026-01-05,10", "M\x0c2,2026-01-05,20", "M\x853,2026-01-05,x"),
        {"M\u20281": 10, "M 2": 20}, {4: "unreadable_amount"},
    ),
    "an unquoted comma in a name": text(
        14, file_of("N1,2026-01-05,10,Smith, Sons & Co", "N2,2026-01-05,10,Smith", more=",channel"), "N2 10",
        {2: "N1,2026-01-05,10,Smith, Sons & Co"},
    ),
    "a quote inside a cell": text(
        15, file_of('O1,2026-01-05,10,12" disc', 'O2,2026-01-05,20,"a ""b"" c"', more=",channel"), "O1 10 O2 20"
    ),
    **{
        f"packed {name}": text(
            18, file_of(*(f"{line},公众号" for line in lines_of(who, 30)), more=",channel"), tens(who, 30),
            written=name, packed=True,
        )
        for name, who in (("utf-8", "Ka"), ("gb18030", "Kb"), ("utf-16", "Kc"))
    },
    "marks that keep a text a text": text(
        19, file_of('="00123",2026-01-05,10,a', '"=""0045""",\'2026-01-05,\'20,b', "`o-x'1`,`2026-01-05,`5, `c`",
                    "O'Neill,2026-01-05,1,'tis", "'x,2026-01-05,2,=\"", more=",channel"),
        "00123 10 0045 20 o-x'1` 5 O'Neill 1 'x 2", text_marks=8,
    ),
    "one row less than Excel holds": text(19, file_of(*(f"H{n},2026-01-05,10" for n in range(36))), tens("H", 36)),
    "as many rows as Excel holds": text(
        19, file_of(*(f"I{n},2026-01-05,10" for n in range(LIMIT))), tens("I", LIMIT), excel_row_limit=LIMIT
    ),
}  # fmt: skip
ROWS = sum(len(text.spend) + len(text.kept) for text in TEXTS.values()) + 3
"""Every customer has one row, and three lines of the bill are its footer."""


def open_texts(shop: Shop) -> tk.Study:
    """Open one study of all these files, and of people with a line of totals."""
    names = [shop.write(f"{what}{text.ending}", text.content) for what, text in TEXTS.items()]
    digests = {name: hashlib.sha256((shop.folder / name).read_bytes()).hexdigest() for name in names}
    spec = {"files": names, "expected_rows": ROWS, "sha256": digests}
    return shop.open(HEADER, "customer_id,persona\nP1,a\n合计,\n", orders_spec=spec, loss_budget=LENIENT)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> tk.Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.data.files.EXCEL_ROW_LIMITS", (LIMIT, LIMIT))
        return open_texts(Shop(tmp_path_factory.mktemp("texts")))


@pytest.mark.fault(1, 3, 4, 6, 11, 12, 13, 14, 15, 18, 19)
def test_every_text_is_read_as_what_it_is(texts: tk.Study) -> None:
    files = texts.files["orders"]
    kept: dict[str, dict[int, str]] = {file.name: {} for file in files}
    for row in texts.quarantine().itertuples():
        assert (row.reason == "ragged_row") == isinstance(row.ragged, str)
        kept[str(row.file)][int(str(row.row))] = str(row.ragged if row.reason == "ragged_row" else row.reason)
    spent = spend(texts)
    found = {
        what: (
            {who: spent.pop(who, -1) for who in text.spend},
            kept[one.name],
            one.encoding,
            one.delimiter,
            one.repairs,
        )
        for (what, text), one in zip(TEXTS.items(), files, strict=True)
    }
    assert found == {
        what: (text.spend, text.kept, text.encoding, text.delimiter, text.repairs) for what, text in TEXTS.items()
    }
    assert spent == {}


@pytest.mark.fault(1, 2, 11, 13, 19)
def test_no_row_of_any_text_is_lost_and_the_checks_name_what_was_repaired(texts: tk.Study) -> None:
    money = sum((Decimal(str(value)) for text in TEXTS.values() for value in text.spend.values()), Decimal(35))
    assert_nothing_lost(texts, ROWS, money)
    assert fates(texts) == {"order": ROWS - 19, "footer": 3, "unreadable_amount": 6, "ragged_row": 10}
    assert fates(texts, "customers") == {"customer": 1, "footer": 1}
    told = [(check.code, check.status, check.count) for check in texts.checks("2026-12-31") if check.code in (
        "preamble", "trailing_delimiter", "excel_row_limit")]  # fmt: skip
    assert sorted(told) == [
        ("excel_row_limit", "failed", LIMIT), *(("preamble", "informational", n) for n in (3, 5, 59)),
        ("trailing_delimiter", "informational", 1),
    ]  # fmt: skip
    encodings = [check.message for check in texts.checks("2026-12-31") if check.code == "encoding"]
    assert "gbk.csv: read as gb18030" in encodings
    assert len(encodings) == sum("transcoded" in text.repairs for text in TEXTS.values())


@pytest.mark.fault(19, 20)
def test_bytes_have_their_hash_and_marks_are_no_part_of_any_cell(texts: tk.Study) -> None:
    assert {name: sha for name, sha in texts.input_hashes().items() if name.startswith("orders/")} == {
        f"orders/{what}{text.ending}": hashlib.sha256(text.content).hexdigest() for what, text in TEXTS.items()
    }
    number = list(TEXTS).index("marks that keep a text a text") + 1
    raw = texts._connection.table("orders_raw").filter(f"source_file = {number}").order("source_row")
    assert raw.df()["channel"].tolist() == ["a", "b", "c`", "'tis", '="']


@pytest.mark.fault(6, 15)
def test_the_whole_of_a_long_file_decides_and_a_very_long_cell_is_read(shop: Shop) -> None:
    study = shop.open([across(65_535), across(65_536), f"{HEADER}\n{'x' * 200_000},2026-01-05,10\n"])
    assert spend(study) == {"A65535": 10, "B65535": 10, "A65536": 10, "B65536": 10, "x" * 200_000: 10}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text fits in memory, and it is read 64 bytes at a time."""
    monkeypatch.setattr(reading, "fits", lambda _: False)
    monkeypatch.setattr(encoding, "PIECE", 64)


@pytest.mark.fault(23)
@pytest.mark.usefixtures("tiny")
def test_files_larger_than_memory_are_read_all_the_same(
    shop: Shop, texts: tk.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.data.files.EXCEL_ROW_LIMITS", (LIMIT, LIMIT))
    study = open_texts(shop)
    pd.testing.assert_frame_equal(study.ledger, texts.ledger)
    pd.testing.assert_frame_equal(study.quarantine(), texts.quarantine())
    columns = ["order_count", "spend", "recency_days", "persona"]
    pd.testing.assert_frame_equal(study.snapshot("2026-12-31", columns), texts.snapshot("2026-12-31", columns))
    for one, other in zip(study.files["orders"], texts.files["orders"], strict=True):
        assert (one.encoding, one.delimiter, one.repairs, one.mapping, one.dropped) == (
            other.encoding, other.delimiter, other.repairs, other.mapping, other.dropped,
        )  # fmt: skip
    assert {path.suffix for path in study._spill.path.rglob("*.*")} == {".parquet"}


def refusal(fault: int, what: str, code: str, orders: Export | list[Export], *parts: str, **more: Any) -> Any:
    """Return a case of `test_what_cannot_be_read_stops`; ``name`` is the orders' file name, where it matters."""
    return pytest.param(code, orders, parts, more, id=what, marks=pytest.mark.fault(fault))


def stated(**spec: Any) -> dict[str, Any]:
    return {"orders_spec": spec}


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def flipped(data: bytes, at: int) -> bytes:
    """Spoil one byte."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "<x/>")
    return buffer.getvalue()


PACKED = gzip.compress("\n".join([HEADER, *good_lines(100)]).encode())
PLAIN = "\n".join([HEADER, *good_lines(5)])
ONE = pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": [1.0]})
FIVE = pd.DataFrame([line.split(",") for line in good_lines(5)], columns=HEADER.split(","))
CUSTOMERS = "".join(f"顾客{n},2026-01-05,10\n" for n in range(20))
COLUMNS = parquet(ONE)
PAGES = parquet(ONE.loc[[0] * 2000].assign(customer_id=[f"C{n}" for n in range(2000)]))
BY_ORDER = f"{HEADER},order_id\nC1,2026-01-05,10,O1\n"
QUOTE = '"C1,2026-01-05,10'


@pytest.mark.parametrize(
    ("code", "orders", "parts", "more"),
    [
        refusal(3, "mark of utf-8 before gbk", "encoding", b"\xef\xbb\xbf" + chinese("").encode("gbk"), "_1.csv:1"),
        refusal(4, "utf-16 without its mark", "encoding", PLAIN.encode("utf-16-le"), "encoding: utf-16-le"),
        *(
            refusal(4, f"not {name}", "encoding", chinese("").encode("gbk"), name, **stated(encoding=name))
            for name in ("latin-99", "zip", "idna", "utf-8")
        ),
        *(
            refusal(4, who, "encoding", "\n".join([PLAIN, *(f"{one},2026-01-05,1" for one in who.split())])
                    .encode("cp1252"), what, "cp1252")
            for who, what in (
                ("Andrés Zoë", "nor is the file GB18030"), ("Björn", "a Western encoding"),
                ("Crééa Renée Renés", "a Western encoding"),
            )
        ),
        refusal(
            7, "gbk after utf-8", "encoding", f"{HEADER}\n{CUSTOMERS}".encode() + "学员甲,2026-01-05,1".encode("gbk"),
            "orders_1.csv:22",
        ),
        refusal(
            7, "utf-8 after gbk", "encoding",
            f"{HEADER}\n{CUSTOMERS}".encode("gbk") + "顾客,2026-01-05,10\n顾客二,2026-01-05,10\n".encode(),
            "orders_1.csv:22",
        ),
        *(
            refusal(9, f"empty {n}", "empty-file", content, "the file is empty")
            for n, content in enumerate((b"", b"\n \r\n", b"\xef\xbb\xbf", "\ufeff\n".encode("utf-16")))
        ),
        *(
            refusal(10, f"no rows {n}", "no-rows", HEADER + rest, "0 rows")
            for n, rest in enumerate(("", "\n", "\n\n\n", "\n,,\n , ,\n", f"\n{HEADER}\n"))
        ),
        refusal(10, "no rows of parquet", "no-rows", ONE.iloc[:0], "0 rows"),
        refusal(11, "a header too far down", "missing-column", "\n" * 43 + "note\n" * 17 + PLAIN, "note"),
        refusal(12, "another delimiter", "delimiter", PLAIN, "delimiter: ','", **stated(delimiter=";")),
        *(refusal(12, f"no delimiter {n}", "delimiter", PLAIN, **stated(delimiter=one)) for n, one in enumerate(
            ("||", '"', "\n"))),
        refusal(13, "one column", "missing-column", "customer_id\nC1\nC2\n", "customer_id", "ordered_at"),
        *(
            refusal(
                15, f"unclosed quote {n}", "unclosed-quote", "\n".join([HEADER, *good_lines(10), QUOTE, *after]),
                "csv:12",
            )
            for n, after in enumerate((good_lines(1), good_lines(40), [*good_lines(5), 'C2",2026-01-05,10', ""]))
        ),
        *(
            refusal(17, f"{name} twice", "repeated-header", f"{HEADER},{name}\nC1,2026-01-05,1,2\n", "same name", name)
            for name in ("amount", "customer_id")
        ),
        refusal(
            17, "a parquet column twice", "repeated-header",
            pa.Table.from_arrays([pa.array(["1"])] * 4, names=[*HEADER.split(","), "amount"]), "amount",
        ),
        refusal(
            17, "parquet columns that differ by case", "repeated-header", ONE.assign(Amount=[2.0]), "amount",
            **stated(columns={"amount": "amount"}),
        ),
        *(
            refusal(18, f"{what} {content[:9]!r}", "not-text", content, what)
            for content, what in (
                (zipped("xl/workbook.xml"), "Excel file"), (zipped("[Content_Types].xml"), "Excel file"),
                (zipped("orders.csv"), "zip file"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "password"),
                (b"<html><table><tr><td>customer_id</td></tr></table></html>", "HTML"),
                (b"\xef\xbb\xbf<!DOCTYPE html><html></html>", "HTML"), (b"\x1f\x8b\x08\x00" + bytes(40), "gzip"),
                (b"PAR1" + bytes(40) + b"PAR1", "Parquet"), (b"%PDF-1.7\n%abc\n", "PDF"),
                (b"SQLite format 3\x00" + bytes(40), "SQLite"),
            )
        ),
        *(
            refusal(
                19, f"{column} that Excel rounded", "id-lost",
                f"{HEADER},order_id,line_id\n{cells}\n", "orders_1.csv:2", column, "1***6", "export again",
            )
            for column, cells in (
                ("customer_id", "1.38E+16,2026-01-05,10,O1,L1"), ("order_id", "C1,2026-01-05,10,1.38E+16,L1"),
                ("line_id", "C1,2026-01-05,10,O1,1.38E+16"),
            )
        ),
        refusal(9, "empty parquet", "empty-file", b"", "x.parquet", name="x.parquet"),
        *(
            refusal(20, f"parquet {n}", "damaged-parquet", COLUMNS[:n], "x.parquet", name="x.parquet")
            for n in (4, 40, -1, -200)
        ),
        refusal(20, "pages", "engine", PAGES[:4] + b"\xff" * 1996 + PAGES[2000:], name="x.parquet"),
        refusal(20, "empty gzip", "empty-file", b"", name="x.csv.gz"),
        *(refusal(20, f"gzip {n}", "damaged-gzip", PACKED[:n], name="x.csv.gz") for n in (5, 20, -1, -9)),
        *(refusal(20, f"byte {n} of gzip", "damaged-gzip", flipped(PACKED, n), name="x.csv.gz") for n in (0, 30, -6)),
        refusal(18, "a book in gzip", "not-text", gzip.compress(zipped("xl/workbook.xml")), "Excel", name="x.csv.gz"),
        refusal(20, "parquet columns of two types", "schema-drift", [ONE, ONE.assign(amount="1")], "_2.parquet",
                "column amount"),
        refusal(20, "parquet columns more", "schema-drift", [ONE, ONE.assign(status="refunded")], "_2.parquet",
                "status"),
        refusal(20, "parquet columns less", "missing-column", [ONE, ONE.drop(columns="amount")], "orders_2.parquet"),
        *(
            refusal(20, f"rows of {kind}, {len(several)} files", "rows", several, f"{5 * len(several)} rows",
                    **stated(expected_rows=6))
            for kind, content in (("text", PLAIN), ("parquet", FIVE)) for several in ([content], [content, content])
        ),
        refusal(20, "another file, before it is read", "sha256", b"", **stated(sha256={"orders_1.csv": "0" * 64})),
        refusal(
            21, "an order told twice", "files-disagree", [BY_ORDER, BY_ORDER.replace("10", "12")], "orders_2.csv:2",
            "files:",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_stops(
    shop: Shop, code: str, orders: Export | list[Export], parts: tuple[str, ...], more: dict[str, Any]
) -> None:
    if "name" in more:
        assert isinstance(orders, bytes)
        more = stated(files=shop.write(more["name"], orders))
        orders = HEADER
    shop.stops(code, orders, *parts, **more)


@pytest.mark.fault(4)
def test_zero_bytes_in_plain_text_are_not_taken_for_utf16(shop: Shop) -> None:
    lines = "\n".join([HEADER, *good_lines(400), "C\0,2026-01-05,10", ""])
    assert "utf-16" not in shop.stops("encoding", lines, "orders_1.csv:402")


@pytest.mark.fault(4)
@pytest.mark.parametrize(("name", "who"), [("utf-16-le", "张三"), ("cp1252", "Zoë")])
def test_a_stated_encoding_is_followed(shop: Shop, name: str, who: str) -> None:
    content = f"{PLAIN}\n{who},2026-01-05,10\n".encode(name)
    assert spend(shop.open(content, orders_spec={"encoding": name}))[who] == 10


@pytest.mark.fault(143)
def test_a_packed_file_out_of_proportion_is_not_unpacked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "HARMLESS", 1 << 20)
    shop.write("orders.csv.gz", gzip.compress(HEADER.encode() + b"\n" + b"x" * (1 << 22)))
    shop.stops("too-packed", HEADER, "200 times", orders_spec={"files": "orders.csv.gz"})


@pytest.mark.fault(20)
@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_file_that_is_not_the_one_that_was_meant_stops(shop: Shop, kind: str) -> None:
    content = {"csv": PLAIN, "parquet": FIVE, "xlsx": book([head(), *FIVE.to_numpy().tolist()])}
    name = shop.write(f"orders.{kind}", content[kind])
    digest = hashlib.sha256((shop.folder / name).read_bytes()).hexdigest()
    assert_nothing_lost(shop.open(HEADER, orders_spec={"files": name, "sha256": {name: digest.upper()}}), 5, "50")
    other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    shop.stops("sha256", HEADER, name, "changed", **stated(files=name, sha256={name: other}))
    shop.stops("sha256", HEADER, "other.csv", **stated(files=name, sha256={name: digest, "other.csv": digest}))


@pytest.mark.fault(20)
def test_no_other_parquet_file_is_read_for_one_whose_name_holds_wildcards(shop: Shop) -> None:
    names = {"a[1].parquet": "a1.parquet", "a*.parquet": "ab.parquet", "d[1]/a.parquet": "d1/a.parquet"}
    for name, neighbour in names.items():
        for file, customer in ((name, name[:2]), (neighbour, "another")):
            (shop.folder / file).parent.mkdir(exist_ok=True)
            shop.write(file, ONE.assign(customer_id=customer))
    study = shop.open(HEADER, orders_spec={"files": list(names)})
    assert spend(study) == {"a[": 1.0, "a*": 1.0, "d[": 1.0}
    assert_nothing_lost(study, 3, "3")


@pytest.mark.fault(21)
def test_what_stands_twice_counts_once_and_equal_lines_of_one_file_are_kept(shop: Shop) -> None:
    january = file_of("C1,2026-01-05,10,O1", "C2,2026-01-31,20,O2", "C2,2026-01-31,5,O2", more=",order_id")
    february = file_of("C2,2026-01-31,5,O2", "C2,2026-01-31,20,O2", "C3,2026-02-01,40,O3", more=",order_id")
    rest = ["E,2026-01-05,10,"] * 3 + ["R,2026-01-05,10,L1"] * 2 + ["R,2026-01-05,10,L2", "D,2026-01-05,10,L3"]
    lines = file_of(*rest, "D,2026-01-05,12,L3", more=",line_id")
    study = shop.open([january, february, lines, PLAIN, PLAIN], loss_budget=LENIENT)
    assert spend(study) == {"C1": 10, "C2": 25, "C3": 40, "E": 30, "R": 20, "D": 10} | tens("G", 5)
    assert fates(study) == {"order": 15, "other_file": 7, "repeated_line_id": 1, "line_id_conflict": 1}
    repeats = check_of(study, "exact_repeats")
    assert (repeats.status, repeats.count) == ("failed", 2)
    assert_nothing_lost(study, 24, "282")


@pytest.mark.fault(21, 23)
def test_large_parquet_is_not_copied_into_memory_keeps_its_lines_and_counts_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.data.reading.HELD", 1_000)
    frame = pd.DataFrame([line.split(",") for line in good_lines(300)], columns=HEADER.split(","))
    frame.loc[[7, 250], "amount"] = "x"
    for name in ("one", "two"):
        pq.write_table(pa.Table.from_pandas(frame), shop.folder / f"{name}.parquet", row_group_size=50)
    spec = {"files": ["one.parquet", "two.parquet"], "expected_rows": 600}
    study = shop.open(HEADER, orders_spec=spec, loss_budget=LENIENT)
    assert study.quarantine()[["file", "row"]].to_numpy().tolist()[:2] == [["one.parquet", 8], ["one.parquet", 251]]
    assert fates(study)["other_file"] == 298
    assert sum(spend(study).values()) == 2980
    assert_nothing_lost(study, 600, "5960")
    tables = {name for (name,) in study._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert not tables & {"orders", "orders_plain", "orders_raw", "orders_held"}


@pytest.mark.fault(12, 23)
@pytest.mark.usefixtures("tiny")
def test_stated_delimiters_and_long_preambles_in_pieces(shop: Shop) -> None:
    lines = [HEADER, *good_lines(120)]
    spaced = [" ".join(line.replace(" ", "T").split(",")) + "   " * (n % 3) for n, line in enumerate(lines)]
    for delimiter, body in ((",", lines), ("whitespace", spaced)):
        assert_nothing_lost(shop.open("\n\n".join(body), orders_spec={"delimiter": delimiter}), 120, "1200")
    shop.stops("missing-column", "\n" * 500 + "note\n" * 57 + PLAIN)


@pytest.mark.fault(23)
def test_what_fits_depends_on_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    free = memory.PEAK_PER_BYTE * 1000
    for left, fitting in ((None, True), (free, True), (free - 1, False)):
        monkeypatch.setattr(memory, "available", lambda left=left: left)
        assert memory.fits(1000) is fitting, left


@pytest.mark.fault(23)
@pytest.mark.usefixtures("tiny")
def test_what_is_set_aside_is_text_in_the_given_folder_and_a_refusal_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    path = tmp_path / "orders.csv"
    with duckdb.connect() as connection:
        path.write_text("\n".join([HEADER, *good_lines(100), '"C1,2026-01-05,1']), encoding="utf-8")
        with pytest.raises(InputError, match=r"unclosed-quote.*:102"):
            raw_relation(connection, TableFile(files=("x",)), ORDERS, [path], spill=tmp_path / "aside")
        assert list((tmp_path / "aside").iterdir()) == []
        path.write_text("\n".join([HEADER, *good_lines(100)]), encoding="utf-8")
        relation, _, _ = raw_relation(connection, TableFile(files=("x",)), ORDERS, [path], spill=tmp_path / "aside")
        assert [str(kind) for kind in relation.types] == [*["VARCHAR"] * 4, "BIGINT", "VARCHAR", "INTEGER"]
        assert relation.count("*").fetchone() == (100,)
    assert {one.name for one in tmp_path.rglob("*")} == {"aside", "orders.csv", "orders_1.parquet"}


@pytest.mark.fault(23)
@pytest.mark.usefixtures("tiny")
def test_what_cannot_be_set_aside_stops_before_it_is_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 100))  # type: ignore[attr-defined]  # no public name makes one
    shop.stops("too-large", "\n".join([HEADER, *good_lines(50)]), "0.0 GB are free", "TMPDIR", "orders_1.csv")


@pytest.mark.fault(23)
def test_a_disk_that_fills_up_is_a_refusal_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(InputError, match=r"No space left.*Try: "), Aside(tmp_path / "x.parquet") as aside:
        aside.keep(pa.table({"a": [1]}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(15)
@pytest.mark.parametrize("text", ['"C1' + "x" * 400, "C1" + "x" * 400, '"C1' + "x,1,2\n" * 90])
def test_a_row_without_end_is_not_gathered_without_end(shop: Shop, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "PIECE", 10)
    monkeypatch.setattr(rows, "LONGEST_ROW", 300)
    shop.stops("unclosed-quote", f"{HEADER}\n{text}", "orders_1.csv:2")
