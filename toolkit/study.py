"""The study file: where the exports are and what the business calls things, read strictly."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from toolkit.errors import StudyFileError
from toolkit.strict import line_of, nearest, read_yaml
from toolkit.tables import TABLES

StatusWord = Literal["paid", "refunded", "cancelled", "unpaid"]
EventKind = Literal[
    "open", "view", "click", "like", "comment", "share", "check_in", "lesson_start", "lesson_complete", "login",
    "complaint", "reply", "follow_up",
]  # fmt: skip

CURRENCY_MARKS: dict[str, tuple[str, ...]] = {
    "CNY": ("¥", "元", "RMB", "CNY", "人民币"),
    "USD": ("US$", "$", "USD"),
    "EUR": ("€", "EUR"),
    "GBP": ("£", "GBP"),
    "JPY": ("¥", "円", "JPY"),
    "HKD": ("HK$", "$", "HKD"),
    "TWD": ("NT$", "$", "TWD"),
    "SGD": ("S$", "$", "SGD"),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Multiply(_Part):
    """An amount that the export gives as a product: ``{multiply: [Quantity, UnitPrice]}``."""

    multiply: tuple[str, str]


class Constant(_Part):
    """A value that the export leaves out because it is the same in every row: ``{constant: nps}``."""

    constant: str


class TableFile(_Part):
    """Where one table is and how it is written."""

    files: tuple[str, ...]
    columns: dict[str, str | Multiply | Constant | None] = Field(default_factory=dict)
    sheet: str | None = None
    fill_down: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] = "."
    date_formats: tuple[str, ...] = ()
    exported_at: date | None = None
    expected_rows: int | None = None
    sha256: dict[str, str] = Field(default_factory=dict)

    @field_validator("files", "date_formats", "fill_down", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Policies(_Part):
    """What happens to rows that are not plain paid orders. ``stop`` asks the analyst to say."""

    missing_customer: Literal["exclude", "stop"] = "stop"
    negative_amounts: Literal["refund", "exclude", "stop"] = "stop"
    refunded_rows: Literal["reversed_order", "refund_record", "stop"] = "stop"
    zero_orders: Literal["exclude", "count"] = "exclude"


class Budget(_Part):
    """The share of rows and of money that may be quarantined before everything stops."""

    rows: float = Field(0.01, ge=0, le=1)
    money: float = Field(0.01, ge=0, le=1)


class Cuts(_Part):
    """The date at which cut points are learned."""

    learned_at: date


class Identity(_Part):
    """How many ids one person may have before the links look wrong."""

    max_ids: int = Field(12, ge=2)


class Season(_Part):
    """Days that are unlike others, first and last included."""

    name: str
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"season {self.name!r} ends before it starts")
        return self


class StudyFile(_Part):
    """A whole ``study.yaml``."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    timezone: str
    currency: str
    tables: dict[str, TableFile]
    language: Literal["zh", "en"] = "en"
    window_days: int = Field(365, ge=1)
    cuts: Cuts | None = None
    policies: Policies = Policies()
    statuses: dict[StatusWord, tuple[str, ...]] = Field(default_factory=dict)
    event_kinds: dict[EventKind, tuple[str, ...]] = Field(default_factory=dict)
    identity: Identity = Identity()
    currency_rates: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    holidays: Literal["china", "none"] = "china"
    calendar: tuple[Season, ...] = ()
    exclude_customers: tuple[str, ...] = ()
    fold_case: bool = False
    amount_basis: str = "as exported"
    loss_budget: Budget = Budget()
    min_cell: int = Field(10, ge=1)
    purpose: str = ""
    retain_until: date | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {value!r}; write one such as Asia/Shanghai") from error
        return value

    @field_validator("currency")
    @classmethod
    def _three_letters(cls, value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value):
            raise ValueError(f"{value!r} is no currency; write its three capital letters, such as CNY")
        return value

    @field_validator("exclude_customers", mode="before")
    @classmethod
    def _ids_are_text(cls, value: object) -> object:
        if isinstance(value, list) and any(not isinstance(item, str) for item in value):
            raise ValueError('ids are text: write them in quotes, such as "13800138000"')
        return value

    @model_validator(mode="after")
    def _tables_are_known(self) -> Self:
        for name, table in self.tables.items():
            if name not in TABLES:
                raise _fault(f"unknown table {name!r}{nearest(name, TABLES)}", "tables", name)
            _columns_are_known(name, table)
        if "orders" not in self.tables:
            raise _fault("table 'orders' is required; write tables: {orders: {files: orders.csv}}", "tables")
        return self


def _columns_are_known(name: str, table: TableFile) -> None:
    known = [column.name for column in TABLES[name].columns]
    for column in table.fill_down:
        if name != "orders" or column not in known or column in ("order_id", "line_id", "amount"):
            what = f"fill_down: {column!r} is no column of orders that an order's first row can give for all"
            raise _fault(what, "tables", name, "fill_down")
    for column, source in table.columns.items():
        if column not in known:
            raise _fault(
                f"unknown column {column!r} of table {name}{nearest(column, known)}", "tables", name, "columns", column
            )
        kind = TABLES[name].column(column).kind
        if isinstance(source, Constant) and kind not in ("text", "status"):
            what = f"column {column!r} of table {name} is not text and cannot be the same in every row"
            raise _fault(what, "tables", name, "columns", column)
        if isinstance(source, Multiply) and kind != "money":
            what = f"column {column!r} of table {name} is not money and cannot be multiplied"
            raise _fault(what, "tables", name, "columns", column)


def _fault(what: str, *keys: str) -> PydanticCustomError:
    return PydanticCustomError("study", "{what}", {"what": what, "keys": list(keys)})


def read_study_file(path: str | Path) -> StudyFile:
    """Read ``study.yaml`` strictly.

    Parameters
    ----------
    path
        The study file, UTF-8.

    Returns
    -------
    StudyFile
        The frozen content; relative file names are as written (``Study.open`` resolves them).

    Raises
    ------
    StudyFileError
        Missing file, unknown or repeated key, wrong type: with the line and the nearest valid name.
    """
    path = Path(path)
    content, text = read_yaml(path)
    return parse_study(content, where=path.name, text=text)


def parse_study(content: dict[str, Any], *, where: str = "settings", text: str = "") -> StudyFile:
    """Check settings given as a dictionary; see `read_study_file`.

    Examples
    --------
    >>> parse_study({"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY",
    ...              "tables": {"orders": {"files": "orders.csv"}}}).window_days
    365
    """
    try:
        return StudyFile.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        keys = first.get("ctx", {}).get("keys") or [str(part) for part in first["loc"] if not isinstance(part, int)]
        what = str(first["msg"]).removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            what = f"unknown key {keys[-1]!r}{nearest(keys[-1], _known_keys(keys[:-1]))}"
        elif first["type"] == "missing":
            what = f"key {keys[-1]!r} is required"
        elif keys and first["type"] not in ("value_error", "study"):
            what = f"{'.'.join(keys)}: {what[:1].lower()}{what[1:]}"
        raise StudyFileError(
            "study-key",
            what,
            where=line_of(keys, text, where),
            hint="mend the key, or remove it to take the default",
        ) from None


_PARTS: dict[str, type[BaseModel]] = {
    "tables": TableFile,
    "policies": Policies,
    "cuts": Cuts,
    "loss_budget": Budget,
    "identity": Identity,
    "calendar": Season,
}


def _known_keys(parents: list[str]) -> list[str]:
    model: type[BaseModel] = StudyFile
    for parent in parents:
        model = _PARTS.get(parent, model)
    return list(model.model_fields)
