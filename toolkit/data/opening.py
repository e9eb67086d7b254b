"""How a study is opened: a study file, frames or the demo, each behind the same gate."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from toolkit.data import features
from toolkit.data.demo import DEMO, demo
from toolkit.data.engine import Spill, connect
from toolkit.data.identity import left_out
from toolkit.data.loading import load_tables
from toolkit.data.places import find_files
from toolkit.study import StudyFile, parse_study, read_study_file
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd


class Opened:
    """One business whose exports were read; `toolkit.data.warehouse.Warehouse` asks them.

    Open one with `Study.open`, `Study.from_frames` or `Study.demo`.

    Attributes
    ----------
    settings
        The study file.
    files
        Table -> what was found out about each of its files.
    folder
        Where the study file stands, to which the files that it names are relative.
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
        folder: Path | None = None,
        last_day: date | None = None,
        seed: int | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder or Path.cwd()
        self.last_day = last_day
        self.seed = seed
        self._sources = sources
        folders = {path.parent for source in sources.values() if isinstance(source, (list, tuple)) for path in source}
        self._spill = Spill()
        self._connection = connect(settings, folders, self._spill.path)
        self._tables = [name for name in TABLES if name in sources]
        self.files = load_tables(self._connection, settings, sources, self._spill.path)
        features.note_first_days(self._connection, self._tables)
        features.note_layers(self._connection, settings.layers)
        self._books: dict[date | None, pd.DataFrame] = {}
        self._price_cuts: dict[date, tuple[float, float]] = {}

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
            folder=path.resolve().parent,
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
        return cls(settings, business.tables, folder=Path(__file__).parent, last_day=business.as_of, seed=seed)

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

    def apart(self) -> Self:
        """Open the same tables without their identities: every id is a customer of its own."""
        sources = {name: source for name, source in self._sources.items() if name != "identities"}
        settings = self.settings
        if "identities" in self._sources and settings.exclude_customers:
            settings = settings.model_copy(update={"exclude_customers": left_out(self._connection)})
        return type(self)(settings, sources, folder=self.folder, last_day=self.last_day, seed=self.seed)

    @property
    def experiments(self) -> tuple[Path, ...]:
        """The experiment files that the study file names; see `toolkit.Experiment`."""
        return tuple(self.folder / name for name in self.settings.experiments)

    def input_hashes(self) -> dict[str, str]:
        """SHA-256 of every input, by table and file name; for the manifest only."""
        tables = {f"{table}/{file.name}": file.sha256 for table, files in self.files.items() for file in files}
        promised = [path for one in self.experiments for path in (one, one.with_suffix(".plan.yaml")) if path.exists()]
        return tables | {f"experiments/{path.name}": sha256(path.read_bytes()).hexdigest() for path in promised}
