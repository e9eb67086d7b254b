"""Whatever a file holds, a study opens with an exact ledger, or refuses and says what to type next."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.datetime import CALENDAR_MAC_1904

import toolkit as tk
from tests.builders.books import book, raw_book, raw_row, rezipped
from tests.builders.profiles import examples
from tests.builders.samples import GOOD, NINE, Row, csv_of, frame_of, rows_of
from tests.builders.shop import HEADER, Shop, good_lines
from toolkit.data.files import read_csv
from toolkit.errors import ToolkitError
from toolkit.study import TableFile
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import openpyxl

BOUNDED = examples(dev=5, ci=15)
LENIENT: dict[str, Any] = {
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "refunded_rows": "refund_record"},
    "loss_budget": {"rows": 1, "money": 1},
    "currency_rates": {"USD": 7.1},
    "identity": {"max_ids": 1000},
}
TEXTS = st.one_of(
    st.sampled_from(
        [
"C1", "C2", "c1", "C1 ", "张三", "138****8000", "00017", '="00123"', "'00123", "`x", "1.38E+16", "17.0",
            "2026-01-05", "2026-01-05 10:00:00", "2026年3月6日", "2026-12-31 23:59:59.9999999", "2026-10", "03/04/2026",
            "2026-03-05T10:00:00+08:00", "0000-00-00", "9999-12-31", "1970-01-01", "0001-01-01", "2262-04-12",
            "290000-01-01", "2026-02-30", "24:00", "45321", "1:02:03", "9分", "分", ":", "10", "¥1,234.50", "-5", "(5)",
            "1e308", "1e400", "inf", "nan", "-0", "1e-9", "0x1F", "1_000", "$5", "12,34", "1.234,5",
            "99999999999999.9999", "99999999999999999999", "9223372036854775808", "", " ", "\u3000", "NULL", "-",
            "#N/A", "TRUE", "yes", "maybe", '"', '""', ",", "\n", "\r", "\t", "a,b", 'say "x"', "two\nlines",
            "x\r\ny", "\x00", "\x1a", "\u2028", "\ufeff", "😀", "ꙮ", "合计", "退款成功", "USD", "人民币", "nps", "浏览",
            "lesson_start", "customer_id", "amount", "sep=;", "=1+1", "@x", "\\", "%s", "*", "[", "_x000D_", "．", "٣",
            "９９", "½", "Ⅷ", "x" * 300,
        ]
    ),
    st.text(max_size=8),
)  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=6)
Edits = list[tuple[int, int, bytes]]
GOOD_BOOK = book([HEADER.split(","), *(line.split(",") for line in good_lines(6))])


def damaged(content: bytes, edits: Edits) -> bytes:
    data = bytearray(content)
    for anywhere, removed, added in edits:
        at = anywhere % (len(data) + 1)
        data[at : at + removed] = added
    return bytes(data)


def settles(opening: Callable[[Shop], tk.Study], *, engine_may_refuse: bool = True) -> tk.Study | None:
    """Demand an exact ledger, or a refusal that says what to type next; return the study."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            study = opening(Shop(Path(folder)))
            adds_up(study)
        except ToolkitError as error:
            assert "Try: " in str(error), error  # noqa: PT017 - a refusal is one of two right outcomes
            assert engine_may_refuse or "E-engine" not in str(error), error  # noqa: PT017 - it names no cell
            return None
        return study


def adds_up(study: tk.Study) -> None:
    """Demand that every row and its money of every table is somewhere, and that every question has its answer."""
    books = [study.ledger, study.ledger_at("2026-01-31")]
    for table in study.files:
        amount = "SUM(amount)" if table in ("orders", "costs") else "NULL"
        said = f"SELECT COUNT(*), COALESCE({amount}, 0) FROM {table}"  # noqa: S608 - our names
        rows, money = study._connection.execute(said).fetchone() or (0, 0)
        raw = study._connection.table(f"{table}_raw").count("*").fetchone()
        assert raw == (rows,)
        for one in books:
            mine = one[one["table"] == table]
            assert mine["rows"].sum() == rows
            assert sum(mine["money"], Decimal(0)) == money
            assert not mine[["fate", "reason"]].isna().any().any()
    assert len(study.quarantine()) == books[0][books[0]["fate"] == "quarantined"]["rows"].sum()
    study.checks()
    snap = study.snapshot("2026-12-31")
    assert not snap.index.hasnans
    assert snap.index.is_unique
    assert not snap.select_dtypes("number").isin([float("inf"), float("-inf")]).any().any()


def from_file(table: str, name: str, content: bytes, **spec: Any) -> Callable[[Shop], tk.Study]:
    """Return what opens a study with this file, the other exports good."""

    def opening(shop: Shop) -> tk.Study:
        shop.write(name, content)
        return shop.tables({table: b""}, {table: {"files": name} | spec}, **LENIENT)

    return opening


def rows_in(study: tk.Study, table: str) -> int:
    return int(study.ledger.loc[study.ledger["table"] == table, "rows"].sum())


def columns_of(draw: Any, table: str) -> list[str]:
    """Draw a header: what the table requires, some of what it may have, and headers of nothing, in any order."""
    optional = [column.name for column in TABLES[table].columns if not column.required]
    required = [column.name for column in TABLES[table].columns if column.required]
    some = draw(st.lists(st.sampled_from(optional or ["x"]), unique=True, max_size=3))
    odd = st.one_of(st.just(""), st.text(max_size=5), st.sampled_from(['a "b"', "two\nlines"]))
    names: list[str] = draw(st.permutations([*required, *some, *draw(st.lists(odd, max_size=2))]))
    return names


@st.composite
def dialects(draw: Any) -> tuple[str, str, bytes, str | None]:
    """Draw a table, a file of it as text of some dialect, and the encoding that the study file states."""
    table = draw(st.sampled_from(NINE))
    header = columns_of(draw, table)
    good = [[row.get(name, "") for name in header] for row in rows_of(table, 2)]
    rows = draw(st.lists(st.lists(TEXTS, min_size=1, max_size=len(header) + 1), max_size=8))
    if draw(st.booleans()):
        good, rows = [[*row, ""] for row in good], [[*row, ""] for row in rows]
    buffer = io.StringIO()
    delimiter = draw(st.sampled_from([",", "\t", ";", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, None]))
    csv.writer(buffer, delimiter=delimiter, quoting=quoting or csv.QUOTE_MINIMAL, lineterminator=end).writerows(
        [header, *good, *(rows if quoting is not None else [])]
    )
    unquoted = "" if quoting is not None else "".join(delimiter.join(row) + end for row in rows)
    before = draw(st.sampled_from(["", f"sep={delimiter}\n", "账单\n\n", '"x\ny"\n', "\x1a\n"]))
    after = draw(st.sampled_from(["", "\x1a", "\n\n", f"合计{delimiter}\n", '"', "\x00", f"{'x' * 300}{end}"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "cp1252", "big5", "utf-7"]))
    data = (before + buffer.getvalue() + unquoted + after).encode(encoding, errors="replace")
    stated = draw(st.sampled_from([None, None, None, encoding, "utf-8", "ascii"]))
    return (table, "x.csv.gz", gzip.compress(data), stated) if draw(st.booleans()) else (table, "x.csv", data, stated)


@examples(dev=7, ci=30)
@given(dialects())
def test_any_dialect_of_any_table(made: tuple[str, str, bytes, str | None]) -> None:
    table, name, content, stated = made
    settles(from_file(table, name, content, encoding=stated))


def outcome(path: Path, table: str, piece: int, stated: str | None) -> tuple[str, pd.DataFrame, tuple[object, ...]]:
    """Return the refusal, or rows and facts, of a file that is read in pieces of some bytes."""
    parts: list[pa.Table] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.data.encoding.PIECE", piece)
        try:
            found = read_csv(path, TableFile(files=(path.name,), encoding=stated), TABLES[table], parts.append)
        except ToolkitError as error:
            return str(error), pd.DataFrame(), ()
    frame = pa.concat_tables(parts).to_pandas().sort_values("source_row", ignore_index=True)
    return "", frame, (found.encoding, found.delimiter, found.repairs, found.mapping, found.dropped)


@pytest.mark.fault(23)
@examples(dev=20, ci=60)
@given(dialects(), st.sampled_from([1, 2, 3, 7, 16, 64, 300]))
def test_a_file_in_pieces_is_the_file(made: tuple[str, str, bytes, str | None], piece: int) -> None:
    table, name, content, stated = made
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        whole, small = (outcome(path, table, size, stated) for size in (1 << 24, piece))
    assert (small[0], small[2]) == (whole[0], whole[2])
    pd.testing.assert_frame_equal(small[1], whole[1])


@BOUNDED
@example([("\n2", "2026-01-05", "5", "")])
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=1, max_size=20))
def test_no_row_of_a_well_written_file_goes_missing(rows: list[tuple[str, str, str, str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[*HEADER.split(","), "channel"], *([f"C{row[0]}", *row[1:]] for row in rows)])
    with tempfile.TemporaryDirectory() as folder:
        try:
            study = Shop(Path(folder)).open(buffer.getvalue(), **LENIENT)
        except ToolkitError as error:
            assert error.code in ("encoding", "unclosed-quote"), error  # noqa: PT017 - a zero byte, a swallowed row
        else:
            assert rows_in(study, "orders") == len(rows)


@examples(dev=5, ci=30)
@given(st.sampled_from(NINE), EDITS, st.sampled_from(["utf-8", "gb18030", "utf-16"]), st.booleans())
def test_any_damage_to_the_text_of_any_table(table: str, edits: Edits, encoding: str, packed: bool) -> None:
    first, *others = csv_of(rows_of(table, 5)).splitlines()
    text = "\n".join([f"{first},备注", *(f'{line},"a ""b"" 好,"' for line in others), ""]).encode(encoding)
    content = damaged(gzip.compress(text, mtime=0) if packed else text, edits)
    settles(from_file(table, "x.csv.gz" if packed else "x.csv", content), engine_may_refuse=False)


@BOUNDED
@given(
    st.binary(max_size=200),
    st.booleans(),
    st.sampled_from([None, "utf-8", "utf-16", "latin-1", "nonsense"]),
    st.sampled_from([None, ";", "||", "whitespace", "x"]),
)
def test_any_bytes(data: bytes, headed: bool, encoding: str | None, delimiter: str | None) -> None:
    content = f"{HEADER}\n".encode() + data if headed else data
    settles(from_file("orders", "x.csv", content, encoding=encoding, delimiter=delimiter))


EVIL = st.dictionaries(st.sampled_from(sorted({name for row in GOOD.values() for name in row})), TEXTS, max_size=4)


@st.composite
def spoilt(draw: Any, table: str) -> Any:
    """Draw an export of a table with some cells of any kind in it: a CSV, a Parquet file, or two CSV that overlap."""
    spoils: list[Row] = draw(st.lists(EVIL, min_size=1, max_size=8))
    rows = [
        row | {name: cell for name, cell in spoil.items() if name in row}
        for row, spoil in zip(rows_of(table, len(spoils)), spoils, strict=True)
    ]
    kinds: list[Any] = [csv_of(rows), frame_of(rows), [csv_of(rows), csv_of(rows[: len(rows) // 2 + 1])]]
    return kinds[draw(st.integers(0, 2))]


@examples(dev=7, ci=30)
@given(st.data(), st.lists(st.sampled_from(NINE), min_size=1, max_size=4, unique=True), st.booleans())
def test_any_cells_of_any_tables(data: st.DataObject, tables: list[str], fold: bool) -> None:
    given_ = {name: data.draw(spoilt(name)) for name in tables}
    settles(lambda shop: shop.tables(given_, fold_case=fold, **LENIENT), engine_may_refuse=False)


def three(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | values, min_size=3, max_size=3)


TYPED = st.one_of(
    *(three(values) for values in (
        st.floats(), st.integers(-(2**63), 2**63 - 1), st.decimals(-(10**12), 10**12, places=4), st.booleans(),
        st.datetimes(), st.dates(), st.binary(max_size=4), TEXTS,
    )),
    st.just([None] * 3),
)  # fmt: skip


@examples(dev=4, ci=30)
@given(st.data(), st.sampled_from(NINE), st.booleans())
def test_any_type_of_any_column(data: st.DataObject, table: str, frame: bool) -> None:
    columns: dict[str, Any] = {name: [row[name] for row in rows_of(table, 3)] for name in GOOD[table]}
    for name in data.draw(st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=3)):
        columns[name] = data.draw(TYPED)
    if not frame:
        settles(lambda shop: shop.tables({table: pa.table(columns)}, **LENIENT), engine_may_refuse=False)
        return
    frames = {"orders": frame_of(rows_of("orders"))} | {table: pd.DataFrame(columns)}
    opening = partial(tk.Study.from_frames, **frames, timezone="Asia/Shanghai", currency="CNY", **LENIENT)
    settles(lambda _: opening(), engine_may_refuse=False)


MOMENTS = st.integers(-(2**53), 2**53)
TYPES: list[Any] = [
    (pa.string(), TEXTS), (pa.large_string(), TEXTS), (pa.string_view(), TEXTS), (pa.binary(), st.binary(max_size=4)),
    (pa.bool_(), st.booleans()), (pa.int8(), st.integers(-128, 127)), (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float16(), st.just(1.5)), (pa.float32(), st.floats(width=32)), (pa.float64(), st.floats()),
    (pa.decimal128(38, 10), st.decimals(-(10**20), 10**20, places=10)), (pa.date32(), st.dates()),
    (pa.decimal256(60, 3), st.decimals(-(10**20), 10**20, places=3)), (pa.time64("us"), st.times()),
    (pa.duration("s"), st.integers(-(10**6), 10**6)), (pa.null(), st.none()),
    (pa.dictionary(pa.int8(), pa.string()), TEXTS),
    *((pa.timestamp(unit, zone), MOMENTS) for unit, zone in (
        ("s", "Asia/Shanghai"), ("ms", None), ("us", "UTC"), ("ns", None), ("ns", "America/New_York"))),
]  # fmt: skip


@st.composite
def parquets(draw: Any) -> tuple[str, bytes]:
    """Draw a table and a Parquet file of it, each column of any type, perhaps damaged."""
    table = draw(st.sampled_from(NINE))
    names = [name for name in dict.fromkeys(columns_of(draw, table)) if name]
    rows = draw(st.integers(0, 4))
    arrays = []
    for name in names:
        good = draw(st.booleans()) and name in GOOD[table]
        kind, values = (pa.string(), st.just(GOOD[table][name])) if good else draw(st.sampled_from(TYPES))
        cells = [draw(st.one_of(st.none(), values)) for _ in range(rows)]
        try:
            arrays.append(pa.array(cells, kind))
        except (pa.ArrowException, UnicodeEncodeError, ValueError, TypeError):
            arrays.append(pa.array([None] * rows, kind))
    buffer = io.BytesIO()
    try:
        pq.write_table(pa.table(arrays, names=names), buffer)
    except (pa.ArrowException, UnicodeEncodeError):
        pq.write_table(pa.table({"customer_id": ["C1"]}), buffer)
    data = buffer.getvalue()
    return table, damaged(data, draw(EDITS)) if draw(st.integers(0, 3)) == 0 else data


@examples(dev=6, ci=30)
@given(parquets())
def test_any_types_of_any_table(made: tuple[str, bytes]) -> None:
    table, content = made
    settles(from_file(table, "x.parquet", content))


CELLS = st.one_of(
    TEXTS.map(lambda text: ILLEGAL_CHARACTERS_RE.sub("", text)),
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)),  # noqa: DTZ001 - Excel knows no zones
    st.dates(date(1900, 1, 1), date(9999, 12, 31)),
    st.times(),
    st.timedeltas(timedelta(0), timedelta(days=400)),
    st.sampled_from(["#REF!", "#DIV/0!", "=A1", 17.0, 45321, 1e15, 0.1 + 0.2, time(0)]),
)
FORMATS = st.sampled_from(["General", "0", "00000", "yyyy-mm-dd", "[h]:mm:ss", "@", '"¥"#,##0.00', "0%", "mmm d"])


@st.composite
def books(draw: Any) -> tuple[str, bytes, int]:
    """Draw a table, a workbook of it, and how many rows stand below the header; -1 where that cannot be said."""
    table = draw(st.sampled_from(NINE))
    header = [ILLEGAL_CHARACTERS_RE.sub("", name) for name in columns_of(draw, table)]
    before = draw(st.lists(st.lists(CELLS, max_size=2), max_size=3))
    rows = draw(st.lists(st.lists(CELLS, max_size=len(header) + 1), max_size=8))
    areas = draw(st.lists(st.sampled_from(["A1:B1", "A2:A4", "B3:C5", "C4:C9", "A5:D5"]), unique=True, max_size=2))

    def touch(workbook: openpyxl.Workbook) -> None:
        if draw(st.booleans()):
            workbook.epoch = CALENDAR_MAC_1904
        for row in range(len(before) + 2, len(before) + 2 + len(rows)):
            for column in range(1, len(header) + 1):
                if draw(st.integers(0, 9)) == 0:
                    workbook.worksheets[0].cell(row, column).number_format = draw(FORMATS)
        for area in areas:
            workbook.worksheets[0].merge_cells(area)
        for other in workbook.worksheets[1:]:
            other.sheet_state = draw(st.sampled_from(["visible", "hidden", "veryHidden"]))

    others = draw(st.lists(st.lists(st.lists(CELLS, max_size=3), max_size=3), max_size=2))
    content = book([*before, header, *rows], *others, touch=touch)
    wide = len("".join(header).strip()) and max(n for n, name in enumerate(header, 1) if name.strip())
    filled = [row for row in rows if any(cell is not None and str(cell).strip() for cell in row[:wide])]
    return table, content, -1 if areas or header in rows else len(filled)


@BOUNDED
@given(books())
def test_no_row_of_any_workbook_goes_missing(made: tuple[str, bytes, int]) -> None:
    table, content, rows = made
    study = settles(from_file(table, "x.xlsx", content))
    assert study is None or rows < 0 or rows_in(study, table) == rows


MEMBERS = ["sheet1.xml", "workbook.xml", "styles.xml", "sharedStrings.xml", "workbook.xml.rels", "Types].xml"]


@BOUNDED
@given(st.sampled_from(["", *MEMBERS]), EDITS)
def test_any_damage_to_a_workbook(member: str, edits: Edits) -> None:
    change = partial(damaged, edits=edits)
    settles(from_file("orders", "x.xlsx", rezipped(GOOD_BOOK, member, change) if member else change(GOOD_BOOK)))


RAW_CELLS = st.builds(
    "<c{}{}>{}</c>".format,
    st.sampled_from([*[""] * 6, *(f' r="{cell}"' for cell in ("A2", "B2", "C2", "C3", "XFD2", "ZZZZ1", "A0", ""))]),
    st.sampled_from(
        [*[""] * 3, *[' t="str"'] * 3, *(f' t="{kind}"' for kind in ("n", "s", "b", "e", "d", "inlineStr", "z"))]
    ),
    st.sampled_from(
        [
            "", "<v/>", "<v>1</v>", "<v>-1</v>", "<v>C1</v>", "<v>2026-01-05</v>", "<v>1e999</v>", "<v>1E+16</v>",
            "<v>NaN</v>", "<is><t>x</t></is>", "<is><r><t>x</t></r></is>", "<f>A1</f>", "<f>A1</f><v>5</v>", "<f/>",
            "<v>5</v><v>6</v>", "<x/>",
        ]
    ),
)  # fmt: skip
RAW_ROWS = st.tuples(
    st.sampled_from([*[""] * 6, ' r="7"', ' r="1"', ' r="x"', ' r="2.0"', ' hidden="1"']),
    st.lists(RAW_CELLS, max_size=4),
)
MERGED = [
    "",
    '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
    '<mergeCells><mergeCell ref="C1:C9"/><mergeCell ref="A1:XFD1048576"/></mergeCells>',
]


@BOUNDED
@given(st.lists(RAW_ROWS, max_size=4), st.sampled_from(MERGED))
def test_any_cells_that_another_program_might_write(rows: Sequence[tuple[str, list[str]]], after: str) -> None:
    body = raw_row(1, *HEADER.split(",")) + "".join(f"<row{kind}>{''.join(cells)}</row>" for kind, cells in rows)
    settles(from_file("orders", "x.xlsx", raw_book(body, after=after, strings=["C1", "2026-01-05"])))


@BOUNDED
@given(
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.sampled_from([".csv", ".CSV", ".txt", "", ".xlsx", ".parquet", ".csv.gz", ".xls"]),
)
def test_any_file_name(stem: str, ending: str) -> None:
    content = GOOD_BOOK if ending == ".xlsx" else "\n".join([HEADER, *good_lines(9)]).encode()
    settles(from_file("orders", f"a{stem}{ending}", gzip.compress(content) if ending == ".csv.gz" else content))
