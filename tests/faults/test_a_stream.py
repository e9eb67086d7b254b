"""Section A: files larger than memory, packed files, files that must be the ones that were meant."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.books import book, head
from tests.builders.shop import HEADER, assert_nothing_lost, good_lines, spend
from toolkit.data import encoding, memory, reading, rows, unpacking
from toolkit.data.files import read_csv
from toolkit.data.memory import Aside
from toolkit.data.reading import raw_relation
from toolkit.errors import InputError
from toolkit.study import TableFile
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from tests.builders.shop import Shop
    from toolkit.data.headers import SourceFile

ORDERS = TABLES["orders"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text fits in memory, and it is read 64 bytes at a time."""
    monkeypatch.setattr(reading, "fits", lambda _: False)
    monkeypatch.setattr(encoding, "PIECE", 64)


def read(path: Path, **spec: Any) -> tuple[pd.DataFrame, SourceFile]:
    """Return the rows of a file in their order, and what was found out about it."""
    parts: list[pa.Table] = []
    found = read_csv(path, TableFile(files=(path.name,), **spec), ORDERS, parts.append)
    return pa.concat_tables(parts).to_pandas().sort_values("source_row", ignore_index=True), found


def outcome(path: Path, piece: int, **spec: Any) -> tuple[str, pd.DataFrame, tuple[object, ...]]:
    """Return the refusal, or rows and facts, of a file that is read in pieces of some bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "PIECE", piece)
        try:
            frame, found = read(path, **spec)
        except InputError as error:
            return str(error), pd.DataFrame(), ()
    return "", frame, (found.encoding, found.delimiter, found.repairs, found.mapping, found.dropped)


CELLS = st.one_of(
    st.sampled_from(
        ["C1", "2026-01-05", "10", "", " ", 'say "hi"', "a,b", "two\nlines", "x\r\ny", "张三", "合计", ",", '"']
    ),
    st.text(st.characters(codec="gb18030", exclude_characters="\x00"), max_size=6),
)
FILES = st.fixed_dictionaries(
    {
        "preamble": st.lists(st.sampled_from(["", "账单", "a,b,c", '"x\ny",z', " "]), max_size=5),
        "rows": st.lists(st.one_of(st.lists(CELLS, min_size=4, max_size=4), st.lists(CELLS, max_size=6)), max_size=25),
        "broken": st.sampled_from(["", "", "", '"C1,2026-01-05,1', 'C1,"2026-01-05,', "a\x00b,c", '"'] ),
        "footer": st.sampled_from([[], ["合计,,40"], ["", "共2笔", "----"]]),
        "end": st.sampled_from(["\n", "\r\n", "\r"]),
        "trailing": st.booleans(),
        "last": st.booleans(),
        "delimiter": st.sampled_from([",", "\t", ";"]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    }
)  # fmt: skip


def written(made: dict[str, Any]) -> bytes:
    """Write a file as an export would, with everything that is odd about this one."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=made["delimiter"], lineterminator="\n")
    tail = [""] if made["trailing"] else []
    writer.writerow([*HEADER.split(","), "channel"])
    writer.writerows([[*row, *tail] for row in [["C0", "2026-01-05", "1", "x"], *made["rows"]]])
    lines = [*made["preamble"], *buffer.getvalue().removesuffix("\n").split("\n"), made["broken"], *made["footer"]]
    text = made["end"].join(lines) + (made["end"] if made["last"] else "")
    content: bytes = text.encode(made["encoding"], errors="replace")
    return content


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(FILES, st.sampled_from([1, 2, 3, 7, 16, 64, 300]))
def test_23_a_file_in_pieces_is_the_file(made: dict[str, Any], piece: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        path.write_bytes(written(made))
        whole, small = outcome(path, 1 << 24), outcome(path, piece)
    assert small[0] == whole[0]
    assert small[2] == whole[2]
    pd.testing.assert_frame_equal(small[1], whole[1])


@pytest.mark.parametrize("delimiter", [None, ",", "whitespace"])
@pytest.mark.parametrize("piece", [1, 5, 50])
def test_23_a_stated_delimiter_in_pieces(tmp_path: Path, delimiter: str | None, piece: int) -> None:
    lines = [HEADER, *good_lines(120)]
    if delimiter == "whitespace":
        lines = [" ".join(line.replace(" ", "T").split(",")) + "   " * (n % 3) for n, line in enumerate(lines)]
    path = tmp_path / "orders.csv"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    whole, small = (outcome(path, size, delimiter=delimiter) for size in (1 << 24, piece))
    assert whole[0] == ""
    assert len(whole[1]) == 120
    assert small[2] == whole[2]
    pd.testing.assert_frame_equal(small[1], whole[1])


def test_23_a_header_after_a_long_preamble_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("\n" * 500 + "note\n" * 57 + "\n".join([HEADER, *good_lines(3)]), encoding="utf-8")
    assert outcome(path, 1)[0] == outcome(path, 1 << 24)[0] != ""
    path.write_text("\n" * 40 + "note\n" * 17 + "\n".join([HEADER, *good_lines(3)]), encoding="utf-8")
    assert outcome(path, 1)[2] == outcome(path, 1 << 24)[2] != ()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("encoded", ["utf-8", "gb18030"])
def test_23_a_file_larger_than_memory_is_read_all_the_same(shop: Shop, encoded: str) -> None:
    lines = [
        f"{HEADER},channel",
        *(f"{line},公众号" for line in good_lines(300)),
        'C1,2026-01-05,1,"two\nlines"',
        "bad",
    ]
    content = "\n".join(lines).encode(encoded)
    study = shop.open(content, f"customer_id,persona\n{'G1,a'}\n", loss_budget={"rows": 1})
    assert study.files["orders"][0].encoding == encoded
    assert_nothing_lost(study, 302, "3001")
    assert study.quarantine()["row"].tolist() == [304]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "fits", lambda _: True)
        wanted = shop.open(content, loss_budget={"rows": 1})
    columns = ["order_count", "spend", "recency_days"]
    pd.testing.assert_frame_equal(study.snapshot("2026-12-31", columns), wanted.snapshot("2026-12-31", columns))


@pytest.mark.usefixtures("tiny")
def test_23_several_files_larger_than_memory_may_differ_in_optional_columns(shop: Shop) -> None:
    shop.write("book.xlsx", book([head("channel"), ["C3", "2026-01-05", 4, "b"]]))
    shop.write("one.csv", f"{HEADER}\nC1,2026-01-05,1\n")
    shop.write("two.csv", f"{HEADER},channel\nC2,2026-01-05,2,a\n")
    study = shop.open(HEADER, orders_spec={"files": ["one.csv", "two.csv", "book.xlsx"]})
    assert spend(study) == {"C1": 1.0, "C2": 2.0, "C3": 4.0}
    found = study._connection.execute("SELECT source_file, channel FROM orders ORDER BY ALL").fetchall()
    assert found == [(1, None), (2, "a"), (3, "b")]


@pytest.mark.parametrize(
    ("free", "fitting"), [(None, True), (memory.PEAK_PER_BYTE * 1000, True), (memory.PEAK_PER_BYTE * 1000 - 1, False)]
)
def test_23_what_fits_depends_on_what_is_free(free: int | None, fitting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: free)
    assert memory.fits(1000) is fitting


def test_23_what_is_set_aside_is_text_and_stands_in_the_given_folder_only(tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([HEADER, *good_lines(100)]), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, duckdb.connect() as connection:
        patch.setattr(reading, "fits", lambda _: False)
        relation, _, _ = raw_relation(connection, TableFile(files=("x",)), ORDERS, [path], spill=tmp_path / "aside")
        assert [str(kind) for kind in relation.types] == [*["VARCHAR"] * 4, "BIGINT", "VARCHAR", "INTEGER"]
        assert relation.count("*").fetchone() == (100,)
    assert {one.name for one in tmp_path.rglob("*")} == {"aside", "orders.csv", "orders_1.parquet"}


@pytest.mark.usefixtures("tiny")
def test_23_what_cannot_be_set_aside_stops_before_it_is_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 100))  # type: ignore[attr-defined]  # no public name makes one
    shop.stops("too-large", "\n".join([HEADER, *good_lines(50)]), "0.0 GB are free", "TMPDIR", "orders_1.csv")


def test_23_a_disk_that_fills_up_is_a_refusal_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(InputError, match=r"No space left.*Try: "), Aside(tmp_path / "x.parquet") as aside:
        aside.keep(pa.table({"a": [1]}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("tiny")
def test_23_a_refusal_half_way_leaves_no_rows_behind(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join([HEADER, *good_lines(100), '"C1,2026-01-05,1']), encoding="utf-8")
    aside = tmp_path / "aside"
    aside.mkdir()
    with duckdb.connect() as connection, pytest.raises(InputError, match=r"unclosed-quote.*:102"):
        raw_relation(connection, TableFile(files=("x",)), ORDERS, [path], spill=aside)
    assert list(aside.iterdir()) == []


@pytest.mark.parametrize("text", ['"C1' + "x" * 400, "C1" + "x" * 400, '"C1' + "x,1,2\n" * 90])
def test_15_a_row_without_end_is_not_gathered_without_end(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{HEADER}\n{text}", encoding="utf-8")
    monkeypatch.setattr(encoding, "PIECE", 10)
    monkeypatch.setattr(rows, "LONGEST_ROW", 300)
    with pytest.raises(InputError, match=r"unclosed-quote orders.csv:2: .*Try: "):
        read(path)


@pytest.mark.parametrize("encoded", ["utf-8", "gb18030", "utf-16"])
def test_18_a_packed_csv_is_read(shop: Shop, encoded: str) -> None:
    content = f"{HEADER},channel\n" + "".join(f"{line},公众号\n" for line in good_lines(100))
    shop.write("orders.csv.gz", gzip.compress(content.encode(encoded)))
    study = shop.open(HEADER, orders_spec={"files": "orders.csv.gz"})
    assert_nothing_lost(study, 100, "1000")
    assert study.input_hashes()["orders/orders.csv.gz"] == hashlib.sha256(
        (shop.folder / "orders.csv.gz").read_bytes()
    ).hexdigest()  # fmt: skip


@pytest.mark.parametrize("keep", [0, 5, 20, -1, -9])
def test_20_a_packed_csv_that_was_cut_off_stops(shop: Shop, keep: int) -> None:
    shop.write("orders.csv.gz", gzip.compress("\n".join([HEADER, *good_lines(100)]).encode())[:keep])
    shop.stops("damaged-gzip" if keep else "empty-file", HEADER, orders_spec={"files": "orders.csv.gz"})


@pytest.mark.parametrize("at", [0, 30, -6])
def test_20_a_packed_csv_that_was_damaged_stops(shop: Shop, at: int) -> None:
    data = bytearray(gzip.compress("\n".join([HEADER, *good_lines(100)]).encode()))
    data[at] ^= 0xFF
    shop.write("orders.csv.gz", bytes(data))
    shop.stops("damaged-gzip", HEADER, orders_spec={"files": "orders.csv.gz"})


def test_18_something_else_in_a_packed_file_stops(shop: Shop) -> None:
    shop.write("orders.csv.gz", gzip.compress(book([head()])))
    shop.stops("not-text", HEADER, "Excel", orders_spec={"files": "orders.csv.gz"})


def test_143_a_packed_file_out_of_proportion_is_not_unpacked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "HARMLESS", 1 << 20)
    shop.write("orders.csv.gz", gzip.compress(HEADER.encode() + b"\n" + b"x" * (1 << 22)))
    shop.stops("too-packed", HEADER, "200 times", orders_spec={"files": "orders.csv.gz"})


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_20_a_file_that_is_not_the_one_that_was_meant_stops(shop: Shop, kind: str) -> None:
    frame = pd.DataFrame([line.split(",") for line in good_lines(5)], columns=HEADER.split(","))
    content = {"csv": frame.to_csv(index=False), "parquet": frame, "xlsx": book([head(), *frame.to_numpy().tolist()])}
    name = shop.write(f"orders.{kind}", content[kind])
    digest = hashlib.sha256((shop.folder / name).read_bytes()).hexdigest()
    for right in (digest, digest.upper()):
        study = shop.open(HEADER, orders_spec={"files": name, "sha256": {name: right}})
        assert_nothing_lost(study, 5, "50")
    other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    shop.stops("sha256", HEADER, name, "changed", orders_spec={"files": name, "sha256": {name: other}})
    shop.stops(
        "sha256", HEADER, "other.csv", orders_spec={"files": name, "sha256": {name: digest, "other.csv": digest}}
    )


def test_20_a_changed_file_is_found_before_its_rows_are_read(shop: Shop) -> None:
    shop.stops("sha256", b"", orders_spec={"sha256": {"orders_1.csv": "0" * 64}})
