"""A small shop in a temporary folder, whose exports a test spoils in one way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import toolkit as tk
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from toolkit.errors import Check

Export: TypeAlias = str | bytes | pa.Table | pd.DataFrame

HEADER = "customer_id,ordered_at,amount"
AS_OF = "2026-12-31"


def good_lines(count: int = 300) -> list[str]:
    """Lines that nothing is wrong with: 30 customers, 10 yuan each."""
    return [f"G{n % 30},2026-{n % 9 + 1:02d}-{n % 27 + 1:02d} 10:{n // 60:02d}:{n % 60:02d},10" for n in range(count)]


@dataclass
class Shop:
    """Writes exports and a study file, opens them, and checks what must hold for every one."""

    folder: Path

    def write(self, name: str, content: Export) -> str:
        path = self.folder / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path, index=False)
        elif isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def open(
        self,
        orders: Export | list[Export],
        customers: Export | None = None,
        *,
        orders_spec: dict[str, Any] | None = None,
        customers_spec: dict[str, Any] | None = None,
        **settings: Any,
    ) -> tk.Study:
        tables: dict[str, Export | Sequence[Export]] = {"orders": orders}
        if customers is not None:
            tables["customers"] = customers
        specs = {"orders": orders_spec or {}, "customers": customers_spec or {}}
        return self.tables(tables, specs, **settings)

    def tables(
        self,
        tables: Mapping[str, Export | Sequence[Export]],
        specs: dict[str, dict[str, Any]] | None = None,
        **settings: Any,
    ) -> tk.Study:
        """Open a study of these tables; orders that nothing is wrong with stand in where there are none."""
        given: dict[str, Export | Sequence[Export]] = {"orders": "\n".join([HEADER, *good_lines(30)]) + "\n"}
        given.update(tables)
        said = {
            name: {"files": self._files(name, parts)} | (specs or {}).get(name, {}) for name, parts in given.items()
        }
        content = {"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY", "tables": said} | settings
        (self.folder / "study.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return tk.Study.open(self.folder / "study.yaml")

    def _files(self, table: str, parts: Export | Sequence[Export]) -> list[str]:
        several: list[Export] = list(parts) if isinstance(parts, list) else [parts]
        names = [table] if table == "customers" and len(several) == 1 else [f"{table}_{n}" for n in range(1, 99)]
        return [
            self.write(f"{name}.{'csv' if isinstance(part, (str, bytes)) else 'parquet'}", part)
            for name, part in zip(names, several, strict=False)
        ]

    def lines(self, *lines: str, header: str = HEADER, good: int = 0, **more: Any) -> tk.Study:
        """Open a CSV of these lines after ``good`` lines that nothing is wrong with."""
        return self.open("\n".join([header, *good_lines(good), *lines]) + "\n", **more)

    def stops(
        self, code: str, orders: Export | list[Export], *parts: str, as_of: str | None = AS_OF, **more: Any
    ) -> str:
        """Demand that the study is refused with this code, in the shape of every refusal, naming these parts."""
        return refused(code, lambda: self.open(orders, **more), *parts, as_of=as_of)

    def table_stops(
        self, code: str, table: str, content: Export | list[Export], *parts: str, as_of: str | None = AS_OF, **more: Any
    ) -> str:
        """Demand the same of a study whose exports are good but for this table."""
        return refused(code, lambda: self.tables({table: content}, **more), *parts, as_of=as_of)


def refused(code: str, opening: Callable[[], tk.Study], *parts: str, as_of: str | None = AS_OF) -> str:
    """Demand that a study is refused with this code, in the shape of every refusal, naming these parts."""
    with pytest.raises(ToolkitError) as caught:
        opening().check(as_of)
    message = str(caught.value)
    assert caught.value.code == code, message
    assert re.fullmatch(r"E-[a-z0-9-]+( .+)?: .+[.?] Try: .+", message, re.DOTALL), message
    for part in parts:
        assert part in message, message
    return message


def hinted(message: str) -> dict[str, Any]:
    """Read the first thing that a refusal proposes to type, as the study file would have it."""
    hint = re.split(r", or |  or  ", message.partition(" Try: ")[2])[0]
    typed = yaml.safe_load(hint)
    assert isinstance(typed, dict), message
    return typed


def assert_nothing_lost(study: tk.Study, rows: int, money: str | Decimal, *, table: str = "orders") -> None:
    """Every row and its signed money stand in exactly one fate, whatever the date."""
    for book in (study.ledger, study.ledger_at("2026-03-31"), study.ledger_at(AS_OF)):
        mine = book[book["table"] == table]
        assert mine["rows"].sum() == rows
        assert sum(mine["money"], Decimal(0)) == Decimal(money)
        assert not mine.duplicated(["fate", "reason"]).any()


def fates(study: tk.Study, table: str = "orders") -> dict[str, int]:
    """Rows by reason."""
    book = study.ledger
    return {str(row.reason): int(str(row.rows)) for row in book[book["table"] == table].itertuples()}


def codes(study: tk.Study, as_of: str = AS_OF) -> set[str]:
    """Codes of all checks."""
    return {check.code for check in study.checks(as_of)}


def counted(study: tk.Study, code: str) -> dict[str, int]:
    """Subject of each check of this code -> its count."""
    return {check.subject: check.count for check in study.checks(AS_OF) if check.code == code}


def check_of(study: tk.Study, code: str, as_of: str = AS_OF) -> Check:
    """Return the one check of this code."""
    found = [check for check in study.checks(as_of) if check.code == code]
    assert len(found) == 1, [check.code for check in study.checks(as_of)]
    return found[0]


def spend(study: tk.Study, as_of: str = AS_OF) -> dict[str, float]:
    """Spend by customer."""
    found = study.snapshot(as_of, columns=["spend"])["spend"]
    return {str(customer): float(value) for customer, value in found.items()}
