"""One business's tables behind one gate: `toolkit.Study` without what the later rooms add."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from toolkit.data import checks, features, ledger
from toolkit.data.demo import DEMO, demo
from toolkit.data.engine import Spill, connect
from toolkit.data.identity import left_out
from toolkit.data.loading import load_tables
from toolkit.data.places import find_files
from toolkit.data.sql import readable
from toolkit.errors import Check, InputError
from toolkit.schema import UNDATED, as_day
from toolkit.study import StudyFile, parse_study, read_study_file
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date


class Warehouse:
    """One business: its exports, cleaned once, and what can be asked of them at a date.

    Open one with `Study.open`, `Study.from_frames` or `Study.demo`.

    Attributes
    ----------
    settings
        The study file.
    files
        Table -> what was found out about each of its files.
    last_day
        Last day of the demo's data; None for a real study, whose date is always given.
    seed
        Seed of the demo's data; None for a real study.
    """

    def __init__(
        self,
        settings: StudyFile,
        sources: Mapping[str, Sequence[Path] | pd.DataFrame],
        *,
        last_day: date | None = None,
        seed: int | None = None,
    ) -> None:
        self.settings = settings
        self.last_day = last_day
        self.seed = seed
        self._sources = sources
        folders = {path.parent for source in sources.values() if isinstance(source, (list, tuple)) for path in source}
        self._spill = Spill()
        self._connection = connect(settings, folders, self._spill.path)
        self._tables = [name for name in TABLES if name in sources]
        self.files = load_tables(self._connection, settings, sources, self._spill.path)
        features.note_first_days(self._connection, self._tables)
        self._books: dict[date | None, pd.DataFrame] = {}

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the study that a ``study.yaml`` describes; ``"demo"`` opens the demo.

        Parameters
        ----------
        path
            The study file. File names in it are relative to its folder and may hold ``*``.

        Raises
        ------
        StudyFileError, InputError
            The study file or an export is not what it must be; the message says what to type.
        """
        if str(path) == DEMO:
            return cls.demo()
        path = Path(path)
        settings = read_study_file(path)
        return cls(
            settings,
            {name: find_files(path.resolve().parent, table.files, name) for name, table in settings.tables.items()},
        )

    @classmethod
    def from_frames(
        cls,
        orders: pd.DataFrame,
        customers: pd.DataFrame | None = None,
        *,
        timezone: str,
        currency: str,
        events: pd.DataFrame | None = None,
        contacts: pd.DataFrame | None = None,
        surveys: pd.DataFrame | None = None,
        memberships: pd.DataFrame | None = None,
        costs: pd.DataFrame | None = None,
        identities: pd.DataFrame | None = None,
        assignments: pd.DataFrame | None = None,
        **settings: Any,
    ) -> Self:
        """Make a study straight from frames.

        Parameters
        ----------
        orders
            One row per order line or refund; headers as in an export (aliases are known).
        customers
            One row per person.
        timezone, currency
            Such as ``"Asia/Shanghai"`` and ``"CNY"``.
        events, contacts, surveys, memberships, costs, identities, assignments
            The other tables of the contract (`toolkit.tables`), one row per row of the table.
        **settings
            Any other key of the study file, such as ``policies={"negative_amounts": "refund"}``;
            ``tables`` gives mappings as the study file does, without ``files``.

        Examples
        --------
        >>> import pandas as pd, toolkit as tk
        >>> orders = pd.DataFrame({"customer_id": ["C1", "C1", "C2"], "amount": ["¥1,200.50", "80", "15"],
        ...                        "ordered_at": ["2026-01-05", "2026-02-01 10:30", "2026-02-03"]})
        >>> study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
        >>> study.snapshot("2026-02-28", columns=["order_days", "recency_days", "spend"])
                     order_days  recency_days   spend
        customer_id
        C1                    2          27.0  1280.5
        C2                    1          25.0    15.0
        """
        given = {
            "orders": orders, "customers": customers, "events": events, "contacts": contacts, "surveys": surveys,
            "memberships": memberships, "costs": costs, "identities": identities, "assignments": assignments,
        }  # fmt: skip
        frames = {name: frame for name, frame in given.items() if frame is not None}
        said = dict(settings.pop("tables", {}))
        tables = {name: {"files": f"{name} (frame)"} | dict(said.get(name, {})) for name in frames}
        content = {"name": "frames", "timezone": timezone, "currency": currency, "tables": tables} | settings
        return cls(parse_study(content), frames)

    @classmethod
    def demo(cls, customers: int = 5_000, seed: int = 7) -> Self:
        """Open a made-up course seller whose truth is known (`toolkit.data.synthetic.course_seller`).

        Parameters
        ----------
        customers
            How many customers.
        seed
            Seed of everything random in it.
        """
        settings, business = demo(customers, seed)
        return cls(settings, business.tables, last_day=business.as_of, seed=seed)

    @property
    def name(self) -> str:
        """Name of the study; its reports stand in a folder of that name."""
        return self.settings.name

    @property
    def language(self) -> str:
        """Language of its reports, ``zh`` or ``en``."""
        return self.settings.language

    @property
    def currency(self) -> str:
        """Currency of its money, such as ``CNY``."""
        return self.settings.currency

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
    def snapshot(self, as_of: str | date, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One row per customer seen up to the end of the local day ``as_of``, sorted by id.

        Parameters
        ----------
        as_of
            The day; only rows dated (and, where given, recorded) up to its end count.
        columns
            The columns wanted; only what these need is computed. All by default.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``customer_id`` (``string[pyarrow]``). Days are local days, money is in currency units, and the
            window is the last ``window_days`` days up to ``as_of``. Columns (`toolkit.schema.SNAPSHOT`):

            - ``first_order_date last_order_date``: first and last day with a used order line;
            - ``recency_days tenure_days``: ``as_of`` minus the last and the first of these;
            - ``order_count``: distinct orders; ``order_days window_order_days``: distinct days with an order;
            - ``spend window_spend``: paid minus refunded; ``refund_amount``: refunded, positive;
            - ``mean_order_value last_order_value``: paid per order, before refunds; ``max_price``: highest unit price;
            - ``mean_gap_days``: mean days between order days;
            - ``discount_share``: share of the list price not paid in the window, where orders have a ``list_price``;
            - ``joined_date acquisition_channel persona gender age_band region referrals``: from the table customers;
            - ``last_active_date active_days active_days_30d interactions interactions_30d opens opens_30d
              stay_seconds_30d lessons_started lessons_completed completion_rate intent_30d``: from events;
            - ``contacts_7d contacts_30d contacts_90d contact_opens_7d contact_opens_30d contact_opens_90d
              days_since_contact``: from contacts; ``opted_out``: from contacts and customers;
            - ``last_nps days_since_nps``: from surveys; ``membership_state membership_end_date``: from memberships.

            Never-buyers have counts and money 0, and missing dates, recency and order values.
            ``attrs["not_point_in_time"]`` names columns whose past is unknown (`undated`).

        Raises
        ------
        InputError
            More rows or money would be quarantined than the budget allows, or nothing is visible at ``as_of``.
        ArgumentError
            A column is unknown, or ``as_of`` is not a day.
        """
        day = as_day(as_of)
        self._admit(day)
        listed = any("list_price" in file.mapping for file in self.files["orders"])
        found = features.snapshot(
            self._connection,
            as_of=day,
            window_days=self.settings.window_days,
            columns=columns,
            tables=[*self._tables, *([features.LIST_PRICE] if listed else [])],
            one_row_a_day=self._one_row_a_day,
        )
        found.attrs["not_point_in_time"] = tuple(name for name in self.undated if name in found.columns)
        return found

    @property
    def undated(self) -> tuple[str, ...]:
        """Snapshot columns as exported, not as of a date: the table customers has them without ``valid_from``."""
        mapped = self.files["customers"][0].mapping if "customers" in self.files else {}
        return () if "valid_from" in mapped else tuple(name for name in UNDATED if name in mapped)

    def apart(self) -> Self:
        """Open the same tables without their identities: every id is a customer of its own."""
        sources = {name: source for name, source in self._sources.items() if name != "identities"}
        settings = self.settings
        if "identities" in self._sources and settings.exclude_customers:
            settings = settings.model_copy(update={"exclude_customers": left_out(self._connection)})
        return type(self)(settings, sources, last_day=self.last_day, seed=self.seed)

    def cuts_date(self, as_of: str | date) -> date:
        """Day at which cut points are learned: ``cuts: {learned_at: ...}`` of the study file, else ``as_of``."""
        return self.settings.cuts.learned_at if self.settings.cuts else as_day(as_of)

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

    @readable
    def calendar(self, as_of: str | date) -> pd.DataFrame:
        """Return used order lines and money per local day, from the first day to ``as_of``; empty days are 0.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``day``; columns ``lines`` (int64), ``spend`` (currency units).
        """
        return features.calendar(self._connection, as_day(as_of))

    def input_hashes(self) -> dict[str, str]:
        """SHA-256 of every input, by table and file name; for the manifest only."""
        return {f"{table}/{file.name}": file.sha256 for table, files in self.files.items() for file in files}

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

    @property
    def _one_row_a_day(self) -> bool:
        late = any("recorded_at" in file.mapping for file in self.files["orders"])
        return not late and self.settings.policies.zero_orders == "exclude"

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
