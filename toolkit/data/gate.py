"""The gate in front of one business's tables: what came in, what was lost, and what stops."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data import checks, ledger
from toolkit.data.opening import Opened
from toolkit.data.sql import readable
from toolkit.errors import Check, InputError
from toolkit.schema import as_day

if TYPE_CHECKING:
    from datetime import date


class Gate(Opened):
    """One business's exports and what the contract says of them; `toolkit.data.warehouse.Warehouse` asks the rows.

    Open one with `Study.open`, `Study.from_frames` or `Study.demo`.
    """

    @property
    def ledger(self) -> pd.DataFrame:
        """Rows and signed money by table, fate and reason; together exactly what came in.

        Columns ``table fate reason rows money rows_without_money``; ``money`` is exact (`decimal.Decimal`), and rows
        whose amount cannot be read count in ``rows_without_money``. See `ledger_at` for a date.
        """
        return self.ledger_at(None)

    def ledger_at(self, as_of: str | date | None) -> pd.DataFrame:
        """Return the ledger at a date: rows that are not visible yet have the fate ``later``."""
        return self._book(None if as_of is None else as_day(as_of))[list(ledger.LEDGER_COLUMNS)].copy()

    @readable
    def checks(self, as_of: str | date | None = None) -> tuple[Check, ...]:
        """Diagnostics of the exports at a date: what was repaired, what to know before trusting the rows."""
        day = None if as_of is None else as_day(as_of)
        self._admit(day)
        return checks.row_checks(self._connection, self.files, as_of=day)

    @readable
    def quarantine(self, as_of: str | date | None = None) -> pd.DataFrame:
        """Return the quarantined rows as they were read, with table, file, row and reason; they hold real ids."""
        day = None if as_of is None else as_day(as_of)
        parts = [
            ledger.quarantine(self._connection, self.files, table, as_of=day).assign(table=table)
            for table in self._tables
        ]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

    def manifest(self, as_of: str | date) -> dict[str, object]:
        """Facts for the manifest only: they may depend on rows after ``as_of``; no id is among them."""
        book = self._book(as_day(as_of))
        later = book[book["fate"] == "later"]
        ids = len(self.settings.exclude_customers)
        return {
            "settings": self.settings.model_dump(mode="json") | {"exclude_customers": f"{ids} ids"},
            "rows_later": {str(row.table): int(str(row.rows)) for row in later.itertuples()},
            "machine": platform.machine(),
            "seed": self.seed,
        }

    @readable
    def check(self, as_of: str | date | None = None) -> None:
        """Stop, as `snapshot` would, on what the contract does not allow."""
        self._admit(None if as_of is None else as_day(as_of))

    def _book(self, day: date | None) -> pd.DataFrame:
        if day not in self._books:
            self._books[day] = ledger.ledger(self._connection, self._tables, as_of=day)
        return self._books[day]

    def _admit(self, day: date | None) -> None:
        book = self._book(day)
        visible = book[(book["table"] == "orders") & (book["fate"] != "later")]
        if visible.empty:
            raise InputError(
                "nothing-visible", f"no order is visible at {day}", where="orders", hint="give a later as_of"
            )
        ledger.refuse(self._connection, self.settings, self.files, book, day)
        if not (visible["fate"] == "used").any():
            raise InputError(
                "nothing-used", "no order line is used; see the ledger", where="orders", hint="toolkit check STUDY"
            )
