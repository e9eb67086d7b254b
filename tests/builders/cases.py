"""Cases: rows that differ from a good one in a few cells, what is read from them, and under which reason they stand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.builders.samples import NINE, REASON, Row, money_of, rows_of
from tests.builders.shop import assert_nothing_lost, fates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import toolkit as tk


def clean(study: tk.Study, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Values of these columns of every clean row, in the order of the export."""
    statement = f"SELECT {', '.join(columns)} FROM {table} ORDER BY source_file, source_row"  # noqa: S608 - our names
    return study._connection.execute(statement).fetchall()


@dataclass(frozen=True)
class Case:
    """A row that differs from a good one in these cells, what its columns then hold, and its reason where not good."""

    table: str
    cells: Row
    holds: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""

    @property
    def outcome(self) -> str:
        return self.reason or REASON[self.table]


def by_table(cases: Sequence[Case]) -> dict[str, list[Case]]:
    return {name: mine for name in NINE if (mine := [case for case in cases if case.table == name])}


def rows_for(cases: Sequence[Case]) -> dict[str, list[Row]]:
    """Rows of each table, one for each of its cases, each of another person."""
    return {
        table: [row | case.cells for row, case in zip(rows_of(table, len(mine)), mine, strict=True)]
        for table, mine in by_table(cases).items()
    }


def assert_read(study: tk.Study, cases: Sequence[Case]) -> None:
    """Every case holds what it should, and its row and money stand under its reason, whatever the date."""
    for table, mine in by_table(cases).items():
        columns = sorted({column for case in mine for column in case.holds})
        wrong = []
        for case, (reason, *values) in zip(mine, clean(study, table, "reason", *columns), strict=True):
            held = {column: value for column, value in zip(columns, values, strict=True) if column in case.holds}
            if (held, reason) != (case.holds, case.outcome):
                wrong.append(f"{case}: {held}, {reason}"[-300:])
        assert not wrong, wrong
        assert fates(study, table) == Counter(case.outcome for case in mine)
        usual = money_of(table, 1)
        money = [case.holds.get("amount", usual) or Decimal(0) for case in mine]
        assert_nothing_lost(study, len(mine), sum((Decimal(str(one)) for one in money), Decimal(0)), table=table)


def assert_quarantined(study: tk.Study, cases: Sequence[Case]) -> None:
    """Every quarantined case, and no other row, stands in the quarantine as it was written, with its reason."""
    found, book = study.quarantine(), study.ledger
    for table, mine in by_table(cases).items():
        lost = set(book[(book["table"] == table) & (book["fate"] == "quarantined")]["reason"])
        wanted = [case for case in mine if case.outcome in lost]
        rows = found[found["table"] == table].to_dict("records")
        assert [row["reason"] for row in rows] == [case.reason for case in wanted]
        for case, row in zip(wanted, rows, strict=True):
            assert {name: row[name] for name, text in case.cells.items() if text.strip()} == {
                name: text for name, text in case.cells.items() if text.strip()
            }
