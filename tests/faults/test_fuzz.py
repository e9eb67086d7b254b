"""Whatever the bytes are, a study opens with an exact ledger, or refuses and says what to type next."""

from __future__ import annotations

import csv
import io
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.samples import GOOD, NINE, Row, csv_of, frame_of, rows_of
from tests.builders.shop import HEADER, Shop, good_lines
from toolkit.errors import ToolkitError

BOUNDED = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LENIENT: dict[str, Any] = {
    "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "refunded_rows": "refund_record"},
    "loss_budget": {"rows": 1, "money": 1},
}
CELLS = st.one_of(
    st.sampled_from(
        [
            "C1", "C2", "张三", "2026-01-05", "2026年3月6日", "¥1,234.50", "-5", "(5)", "1e308", "inf",
            "", " ", "\u3000", "NULL", '"', '""', ",",
            "\n", "\r", "\t", "合计", "45321", "1.38E+16", "\u2028", "😀", "\ufeff", "\x00",
            "0000-00-00", "9999-12-31", "$5", "12,34", "1970-01-01",
            "99999999999999999999", "2026-03-05T10:00:00+08:00", "退款成功", "ꙮ", "-", "customer_id",
            "2026-12-31 23:59:59.9999999", '="00123"', "'00123", "138****8000", "17.0", "2026-10", "03/04/2026", "9分",
            "1:02:03", "分", ":", "yes", "maybe", "1.234,5", "1_000", "-0", "1e400", "nan", "C1 ", "c1", "c2", "USD",
            "人民币",
            "9223372036854775808", "2026-02-30", "24:00", "\\", "%s", "*", "[", "x" * 300, "2262-04-12", "0001-01-01",
            "290000-01-01", "=1+1", "nps", "浏览", "lesson_start", "99999999999999.9999", "1e-9", "．", "٣", "½", "Ⅷ",
        ]
    ),
    st.text(max_size=8),
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=12)
EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3)), max_size=6)


def settles(content: bytes | str | pa.Table, **more: Any) -> None:
    """Demand an exact ledger or a refusal that says what to type next."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            study = Shop(Path(folder)).open(content, **LENIENT, **more)
            adds_up(study)
        except ToolkitError as error:
            assert "Try: " in str(error), error  # noqa: PT017 - a refusal is one of two right outcomes


def adds_up(study: tk.Study) -> None:
    """Demand that every row and its money of every table is somewhere, and that every question has its answer."""
    books = [study.ledger, study.ledger_at("2026-01-31"), study.ledger_at("2026-12-31")]
    for table in study.files:
        amount = "SUM(amount)" if table in ("orders", "costs") else "NULL"
        said = f"SELECT COUNT(*), COALESCE({amount}, 0) FROM {table}"  # noqa: S608 - our names
        rows, money = study._connection.execute(said).fetchone() or (0, 0)
        raw = study._connection.execute(f"SELECT COUNT(*) FROM {table}_raw").fetchone()  # noqa: S608 - our names
        assert raw == (rows,)
        for book in books:
            mine = book[book["table"] == table]
            assert mine["rows"].sum() == rows
            assert sum(mine["money"], Decimal(0)) == money
            assert not mine[["fate", "reason"]].isna().any().any()
    quarantined = books[0][books[0]["fate"] == "quarantined"]["rows"].sum()
    assert len(study.quarantine()) == quarantined
    study.checks()
    study.checks("2026-12-31")
    snap = study.snapshot("2026-12-31")
    assert not snap.index.hasnans
    assert snap.index.is_unique
    assert not snap.select_dtypes("number").isin([float("inf"), float("-inf")]).any().any()


@BOUNDED
@example([["C1", "2026-01-05", "5"], ["C1\n2", "2026-01-05", "5"]], ",", "utf-8")
@given(ROWS, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "gb18030", "utf-16", "utf-8-sig"]))
def test_any_cells(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    lines = [*good_lines(3), *(",".join(row) for row in rows)]
    text = "\n".join([HEADER + ",status", *(f"{line},paid" for line in lines[:3]), *lines[3:]]).replace(",", delimiter)
    settles(text.encode(encoding, errors="replace"))


@BOUNDED
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=20))
def test_no_row_of_a_well_written_file_goes_missing(rows: list[tuple[str, str, str, str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[*HEADER.split(","), "channel"], *([f"C{row[0]}", *row[1:]] for row in rows)])
    with tempfile.TemporaryDirectory() as folder:
        try:
            study = Shop(Path(folder)).open(buffer.getvalue(), **LENIENT)
        except ToolkitError as error:
            assert error.code in ("encoding", "unclosed-quote"), error  # noqa: PT017 - a zero byte, a swallowed row
        else:
            assert study.ledger["rows"].sum() == len(rows)


@BOUNDED
@given(EDITS, st.sampled_from(["utf-8", "gb18030", "utf-16-le"]))
def test_any_damage_to_a_good_file(edits: list[tuple[int, int, bytes]], encoding: str) -> None:
    text = "\n".join(["买家id,下单时间,实付金额,备注", *(f'{line},"a ""b"" 好,"' for line in good_lines(8)), ""])
    data = bytearray(("\ufeff" if encoding == "utf-16-le" else "").encode(encoding) + text.encode(encoding))
    for at, removed, added in edits:
        data[at : at + removed] = added
    settles(bytes(data))


@BOUNDED
@given(
    st.binary(max_size=200),
    st.sampled_from([None, "utf-8", "utf-16", "latin-1", "nonsense"]),
    st.sampled_from([None, ";", "||", "whitespace", "x"]),
)
def test_any_bytes(data: bytes, encoding: str | None, delimiter: str | None) -> None:
    settles(data, orders_spec={"encoding": encoding, "delimiter": delimiter})
    settles(f"{HEADER}\n".encode() + data, orders_spec={"encoding": encoding, "delimiter": delimiter})


@BOUNDED
@given(
    st.lists(st.text(max_size=5), min_size=3, max_size=3),
    st.one_of(
        st.lists(st.floats(), min_size=3, max_size=3),
        st.lists(st.decimals(-(10**12), 10**12, places=4), min_size=3, max_size=3),
        st.lists(st.one_of(st.none(), st.booleans()), min_size=3, max_size=3),
        st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
        st.lists(st.binary(max_size=4), min_size=3, max_size=3),
    ),
    st.one_of(
        st.lists(st.datetimes(), min_size=3, max_size=3),
        st.lists(st.dates(), min_size=3, max_size=3),
        st.lists(st.integers(-(2**62), 2**62), min_size=3, max_size=3),
        st.just(["2026-01-05"] * 3),
    ),
)  # fmt: skip
def test_any_typed_columns(ids: list[str], amounts: list[object], dates: list[object]) -> None:
    table = pa.table({"customer_id": ids, "ordered_at": dates, "amount": amounts})
    settles(table)
    frame = pd.DataFrame({"customer_id": ids, "ordered_at": dates, "amount": amounts})
    try:
        adds_up(tk.Study.from_frames(orders=frame, timezone="Asia/Shanghai", currency="CNY", **LENIENT))
    except ToolkitError as error:
        assert "Try: " in str(error), error  # noqa: PT017 - a refusal is one of two right outcomes


@BOUNDED
@given(
    st.sampled_from(["s", "ms", "us", "ns"]),
    st.sampled_from([None, "UTC", "America/New_York"]),
    st.lists(st.integers(-(2**53), 2**53), min_size=2, max_size=2),
)
def test_any_moment(unit: str, zone: str | None, moments: list[int]) -> None:
    column = pa.array(moments, pa.int64()).cast(pa.timestamp(unit, zone))
    settles(pa.table({"customer_id": ["C1", "C2"], "ordered_at": column, "amount": [1, 2]}))


EVIL = st.dictionaries(st.sampled_from(sorted({name for row in GOOD.values() for name in row})), CELLS, max_size=4)
MANY: dict[str, Any] = LENIENT | {"currency_rates": {"USD": 7.1}, "identity": {"max_ids": 1000}}


def spoilt(table: str, spoils: list[Row]) -> list[Row]:
    """Rows of a table with these cells in them, the columns that the table has."""
    rows = rows_of(table, len(spoils))
    return [
        row | {name: cell for name, cell in spoil.items() if name in row}
        for row, spoil in zip(rows, spoils, strict=True)
    ]


def settle_tables(tables: dict[str, Any], **more: Any) -> None:
    """Demand an exact ledger of every table, or a refusal that says what to type next."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            adds_up(Shop(Path(folder)).tables(tables, **(MANY | more)))
        except ToolkitError as error:
            assert "Try: " in str(error), error  # noqa: PT017 - a refusal is one of two right outcomes
            assert "E-engine" not in str(error), error  # noqa: PT017 - the engine's own refusal names no cell


@BOUNDED
@given(st.sampled_from(NINE), st.lists(EVIL, min_size=1, max_size=8), st.sampled_from(["csv", "parquet", "two"]))
def test_any_cells_of_any_table(table: str, spoils: list[Row], how: str) -> None:
    rows = spoilt(table, spoils)
    content = {
        "csv": csv_of(rows),
        "parquet": frame_of(rows),
        "two": [csv_of(rows), csv_of(rows[: len(rows) // 2 + 1])],
    }
    settle_tables({table: content[how]})


@BOUNDED
@given(st.data(), st.booleans())
def test_any_cells_of_all_tables_at_once(data: st.DataObject, fold: bool) -> None:
    tables = {name: csv_of(spoilt(name, data.draw(st.lists(EVIL, min_size=1, max_size=4)))) for name in NINE}
    settle_tables(tables, fold_case=fold)


@BOUNDED
@given(st.sampled_from(NINE), EDITS, st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_any_damage_to_any_table(table: str, edits: list[tuple[int, int, bytes]], encoding: str) -> None:
    data = bytearray(csv_of(rows_of(table, 5)).encode(encoding))
    for at, removed, added in edits:
        data[at : at + removed] = added
    settle_tables({table: bytes(data)})


TYPED = st.one_of(
    st.lists(st.one_of(st.none(), st.floats()), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.decimals(-(10**12), 10**12, places=4)), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.datetimes()), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.dates()), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.binary(max_size=4)), min_size=3, max_size=3),
    st.lists(CELLS, min_size=3, max_size=3),
    st.just([None] * 3),
)


@BOUNDED
@given(st.data(), st.sampled_from(NINE))
def test_any_type_of_any_column(data: st.DataObject, table: str) -> None:
    columns: dict[str, Any] = {name: [row[name] for row in rows_of(table, 3)] for name in GOOD[table]}
    for name in data.draw(st.lists(st.sampled_from(sorted(columns)), min_size=1, max_size=3)):
        columns[name] = data.draw(TYPED)
    settle_tables({table: pa.table(columns)})
    frames = {"orders": frame_of(rows_of("orders"))} | {table: pd.DataFrame(columns)}
    try:
        adds_up(tk.Study.from_frames(**frames, timezone="Asia/Shanghai", currency="CNY", **MANY))
    except ToolkitError as error:
        assert "Try: " in str(error), error  # noqa: PT017 - a refusal is one of two right outcomes
        assert "E-engine" not in str(error), error  # noqa: PT017 - the engine's own refusal names no cell
