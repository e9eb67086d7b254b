"""Files of every kind and table, spoilt in every way: read with nothing lost, or refused with what to type next."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.builders.books import raw_book, raw_row
from tests.builders.shop import HEADER, Shop, good_lines
from toolkit.errors import ToolkitError
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import toolkit as tk

BOUNDED = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LENIENT: dict[str, Any] = {
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "refunded_rows": "refund_record"},
    "loss_budget": {"rows": 1, "money": 1},
}
REQUIRED = {name: [column.name for column in table.columns if column.required] for name, table in TABLES.items()}
TEXTS = st.one_of(
    st.sampled_from(
        [
            "C1", "张三", "2026-01-05", "2026-01-05 10:00:00", "10", "¥1,234.50", "(5)", "", " ", "合计", "#N/A",
            "TRUE", "a,b", 'say "x"', "two\nlines", "x\r\ny", '="00123"', "'00123", "`x", "_x000D_", "1.38E+16",
            "\u2028", "\ufeff", "NULL", "-", "customer_id", "amount", "sep=;", "=1+1", "@x", "\t", "９９", "00017",
            "nan", "1e400", "0x1F", "1_000", "٣", "\x1a",
        ]
    ),
    st.text(max_size=6),
)  # fmt: skip


def settled(spec: dict[str, Any] | None = None, *, files: dict[str, bytes], table: str = "orders") -> tk.Study | None:
    """Demand an exact ledger, or a refusal that says what to type next; return the study."""
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        for name, content in files.items():
            shop.write(name, content)
        said = {"files": list(files)} | (spec or {})
        try:
            study = shop.tables({table: b""}, {table: said}, **LENIENT)
            adds_up(study, table)
        except ToolkitError as error:
            assert "Try: " in str(error), error  # noqa: PT017 - a refusal is one of two right outcomes
            return None
        return study


def adds_up(study: tk.Study, table: str) -> None:
    counted = study._connection.table(f"{table}_raw").count("*").fetchone()
    assert counted
    for book in (study.ledger, study.ledger_at("2026-01-31"), study.ledger_at("2026-12-31")):
        assert book[book["table"] == table]["rows"].sum() == counted[0]
    study.quarantine()
    study.checks("2026-12-31")
    study.snapshot("2026-12-31")


def columns_of(draw: Any, table: str) -> list[str]:
    """Draw a header: what the table requires, some of what it may have, and headers of nothing, in any order."""
    optional = [column.name for column in TABLES[table].columns if not column.required]
    some = draw(st.lists(st.sampled_from(optional or ["x"]), unique=True, max_size=3))
    odd = draw(
        st.lists(st.one_of(st.just(""), st.text(max_size=5), st.sampled_from(['a "b"', "two\nlines"])), max_size=2)
    )
    names: list[str] = draw(st.permutations([*REQUIRED[table], *some, *odd]))
    return names


@st.composite
def texts(draw: Any) -> tuple[str, dict[str, bytes], dict[str, Any]]:
    """Draw a table, its file as text of some dialect, and what the study file says about it."""
    table = draw(st.sampled_from(sorted(TABLES)))
    header = columns_of(draw, table)
    rows = draw(st.lists(st.lists(TEXTS, min_size=len(header), max_size=len(header)), max_size=8))
    buffer = io.StringIO()
    delimiter = draw(st.sampled_from([",", "\t", ";", "|"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows([header, *rows])
    before = draw(st.sampled_from(["", f"sep={delimiter}\n", "账单\n\n", '"x\ny"\n', "\x1a\n"]))
    after = draw(st.sampled_from(["", "\x1a", "\n\n", f"合计{delimiter}\n", '"', "\x00", f"{'x' * 300}{end}"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "cp1252", "big5", "utf-7"]))
    data = (before + buffer.getvalue() + after).encode(encoding, errors="replace")
    stated = draw(st.sampled_from([None, None, None, encoding, "utf-8", "ascii"]))
    if draw(st.booleans()):
        return table, {"x.csv.gz": gzip.compress(data)}, {"encoding": stated}
    return table, {"x.csv": data}, {"encoding": stated}


@BOUNDED
@given(texts())
def test_any_dialect_of_any_table(made: tuple[str, dict[str, bytes], dict[str, Any]]) -> None:
    table, files, spec = made
    settled(spec, files=files, table=table)


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
    st.sampled_from(["#N/A", "#REF!", "#DIV/0!", "=1+1", "=A1", 17.0, 45321, 1e15, 0.1 + 0.2, time(0)]),
)
FORMATS = st.sampled_from(["General", "0", "00000", "yyyy-mm-dd", "[h]:mm:ss", "@", '"¥"#,##0.00', "0%", "mmm d"])


@st.composite
def books(draw: Any) -> tuple[str, bytes, int]:
    """Draw a table, a workbook of it, and how many rows stand below the header; -1 where that cannot be said."""
    table = draw(st.sampled_from(sorted(TABLES)))
    header = columns_of(draw, table)
    header = [ILLEGAL_CHARACTERS_RE.sub("", name) for name in header]
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    if draw(st.booleans()):
        workbook.epoch = CALENDAR_MAC_1904
    before = draw(st.lists(st.lists(CELLS, max_size=2), max_size=3))
    rows = draw(st.lists(st.lists(CELLS, max_size=len(header) + 1), max_size=8))
    for row in [*before, header, *rows]:
        sheet.append(row)
    for row in range(len(before) + 2, len(before) + 2 + len(rows)):
        for column in range(1, len(header) + 1):
            if draw(st.integers(0, 9)) == 0:
                sheet.cell(row, column).number_format = draw(FORMATS)
    areas = draw(st.lists(st.sampled_from(["A1:B1", "A2:A4", "B3:C5", "C4:C9", "A5:D5"]), unique=True, max_size=2))
    for area in areas:
        sheet.merge_cells(area)
    for _ in range(draw(st.integers(0, 2))):
        other = workbook.create_sheet()
        for row in draw(st.lists(st.lists(CELLS, max_size=3), max_size=3)):
            other.append(row)
        other.sheet_state = draw(st.sampled_from(["visible", "hidden", "veryHidden"]))
    wide = len("".join(header).strip()) and max(n for n, name in enumerate(header, 1) if name.strip())
    kept = [row[:wide] for row in rows]
    filled = [row for row in kept if any(cell is not None and str(cell).strip() for cell in row)]
    buffer = io.BytesIO()
    workbook.save(buffer)
    return table, buffer.getvalue(), -1 if areas or header in rows else len(filled)


@BOUNDED
@given(books())
def test_no_row_of_any_workbook_goes_missing(made: tuple[str, bytes, int]) -> None:
    table, content, rows = made
    study = settled(files={"x.xlsx": content}, table=table)
    if study is not None and rows >= 0:
        book = study.ledger
        assert book[book["table"] == table]["rows"].sum() == rows


def respoilt(content: bytes, member: str, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Damage one member of a zip file, or the file itself where ``member`` is empty."""
    if not member:
        return damaged(content, edits)
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, damaged(old.read(name), edits) if name.endswith(member) else old.read(name))
    return buffer.getvalue()


def damaged(content: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    data = bytearray(content)
    for anywhere, removed, added in edits:
        at = anywhere % (len(data) + 1)
        data[at : at + removed] = added
    return bytes(data)


GOOD_ROWS = [HEADER.split(","), *(line.split(",") for line in good_lines(6))]
EDITS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=4)


def good_book() -> bytes:
    workbook = openpyxl.Workbook()
    for row in GOOD_ROWS:
        workbook.worksheets[0].append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


MEMBERS = ["", "sheet1.xml", "workbook.xml", "styles.xml", "sharedStrings.xml", "workbook.xml.rels", "Types].xml"]


@BOUNDED
@given(st.sampled_from(MEMBERS), EDITS)
def test_any_damage_to_a_workbook(member: str, edits: list[tuple[int, int, bytes]]) -> None:
    settled(files={"x.xlsx": respoilt(good_book(), member, edits)})


RAW_CELLS = st.builds(
    lambda kind, body, address: f"<c{address}{kind}>{body}</c>",
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
    st.sampled_from(
        [*[""] * 6, *(f' r="{address}"' for address in ("A2", "B2", "C2", "C3", "XFD2", "ZZZZ1", "A0", ""))]
    ),
)  # fmt: skip
RAW_ROWS = st.tuples(
    st.sampled_from(["", "", "", "", "", "", ' r="7"', ' r="1"', ' r="x"', ' r="2.0"', ' hidden="1"']),
    st.lists(RAW_CELLS, max_size=4),
)
MERGED = [
    "",
    '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
    '<mergeCells><mergeCell ref="C1:C9"/><mergeCell ref="A1:XFD1048576"/></mergeCells>',
]


@BOUNDED
@given(st.lists(RAW_ROWS, max_size=4), st.sampled_from(MERGED))
def test_any_cells_that_another_program_might_write(rows: list[tuple[str, list[str]]], after: str) -> None:
    body = raw_row(1, *HEADER.split(",")) + "".join(f"<row{kind}>{''.join(cells)}</row>" for kind, cells in rows)
    settled(files={"x.xlsx": raw_book(body, after=after, strings=["C1", "2026-01-05"])})


TYPES: list[Any] = [
    (pa.string(), TEXTS), (pa.large_string(), TEXTS), (pa.string_view(), TEXTS), (pa.binary(), st.binary(max_size=4)),
    (pa.bool_(), st.booleans()), (pa.int8(), st.integers(-128, 127)), (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float16(), st.just(1.5)), (pa.float32(), st.floats(width=32)), (pa.float64(), st.floats()),
    (pa.decimal128(38, 10), st.decimals(-(10**20), 10**20, places=10)), (pa.date32(), st.dates()),
    (pa.decimal256(60, 3), st.decimals(-(10**20), 10**20, places=3)), (pa.time64("us"), st.times()),
    (pa.timestamp("ns"), st.integers(-(2**62), 2**62)), (pa.duration("s"), st.integers(-(10**6), 10**6)),
    (pa.timestamp("s", "Asia/Shanghai"), st.integers(-(2**33), 2**33)), (pa.null(), st.none()),
    (pa.dictionary(pa.int8(), pa.string()), TEXTS),
]  # fmt: skip


@st.composite
def parquets(draw: Any) -> tuple[str, bytes]:
    """Draw a table and a Parquet file of it, each column of any type, perhaps damaged."""
    table = draw(st.sampled_from(sorted(TABLES)))
    names = [name for name in dict.fromkeys(columns_of(draw, table)) if name]
    rows = draw(st.integers(0, 4))
    arrays = []
    for _ in names:
        kind, values = draw(st.sampled_from(TYPES))
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


@BOUNDED
@given(parquets())
def test_any_types_of_any_table(made: tuple[str, bytes]) -> None:
    table, content = made
    settled(files={"x.parquet": content}, table=table)


@BOUNDED
@given(EDITS)
def test_any_damage_to_a_packed_file(edits: list[tuple[int, int, bytes]]) -> None:
    settled(files={"x.csv.gz": damaged(gzip.compress("\n".join([HEADER, *good_lines(9)]).encode(), mtime=0), edits)})


@BOUNDED
@given(
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.sampled_from([".csv", ".CSV", ".txt", "", ".xlsx", ".parquet", ".csv.gz", ".xls"]),
)
def test_any_file_name(stem: str, ending: str) -> None:
    content = good_book() if ending == ".xlsx" else "\n".join([HEADER, *good_lines(9)]).encode()
    settled(files={f"a{stem}{ending}": gzip.compress(content) if ending == ".csv.gz" else content})
