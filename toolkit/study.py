"""The study file: where the exports are and what the business calls things, read strictly."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from toolkit.errors import StudyFileError
from toolkit.rules.faults import RuleError
from toolkit.rules.layers import LAYER_WORDS, LAYERS, named
from toolkit.rules.rulebook import CONSTANTS, Rulebook, rulebook
from toolkit.strict import line_of, nearest, read_yaml
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

StatusWord = Literal["paid", "refunded", "cancelled", "unpaid"]
EventKind = Literal[
    "open", "view", "click", "like", "comment", "share", "check_in", "lesson_start", "lesson_complete", "login",
    "complaint", "reply", "follow_up", "unfollow", "delete_account",
]  # fmt: skip

_Words = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]

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

    files: _Words
    columns: dict[str, str | Multiply | Constant | None] = Field(default_factory=dict)
    sheet: str | None = None
    fill_down: _Words = ()
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] = "."
    date_formats: _Words = ()
    exported_at: date | None = None
    expected_rows: int | None = None
    sha256: dict[str, str] = Field(default_factory=dict)


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
    """A whole ``study.yaml``.

    ``layers`` gives the product layers, low to high, each with the words of the export for it (its own name is one);
    ``tiers`` gives schemes as rules (`toolkit.rules.rulebook`), instead of the default ones and beside them;
    ``experiments`` names the files of experiments (`toolkit.strategy.experiment`).
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    timezone: str
    currency: str
    tables: dict[str, TableFile]
    language: Literal["zh", "en"] = "en"
    window_days: int = Field(CONSTANTS["window_days"], ge=1, strict=True)
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
    churn_window_days: int = Field(CONSTANTS["churn_window_days"], ge=1, strict=True)
    price_bands: tuple[float, float] | None = None
    layers: dict[str, _Words] = LAYER_WORDS
    promote_payment_tier_by: tuple[Literal["behaviour_band", "activity_band", "influence_band"], ...] = ()
    tiers: dict[str, dict[str, str]] = Field(default_factory=dict)
    experiments: _Words = ()
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

    @field_validator("price_bands", mode="before")
    @classmethod
    def _bands_rise(cls, value: object) -> object:
        two = isinstance(value, list | tuple) and [type(one) in (int, float) for one in value] == [True, True]
        if value is not None and not (two and 0 < value[0] < value[1] < float("inf")):  # type: ignore[index]  # is a list
            raise ValueError(f"price_bands must be two rising prices above 0, such as [100, 1000], not {value}")
        return value

    @field_validator("layers")
    @classmethod
    def _layers_differ(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        try:
            return named(value)
        except RuleError as fault:
            raise _fault(fault.what, *fault.keys) from None

    @field_validator("tiers", mode="before")
    @classmethod
    def _classes_are_text(cls, value: object) -> object:
        for scheme, classes in value.items() if isinstance(value, dict) else ():
            odd = [name for name in classes if not isinstance(name, str)] if isinstance(classes, dict) else []
            if odd:
                raise _fault(
                    f'the class {odd[0]!r} is no text: write it in quotes, such as "yes"', "tiers", str(scheme)
                )
        return value

    @model_validator(mode="after")
    def _tiers_are_total_and_disjoint(self) -> Self:
        if self.tiers or self.promote_payment_tier_by or tuple(self.layers) != LAYERS:
            try:
                read_rules(self)
            except RuleError as fault:
                scheme = fault.keys[0]
                if scheme in self.tiers:
                    raise _fault(fault.what, "tiers", *fault.keys) from None
                what = f"the default rules do not fit, write tiers: {{{scheme}: {{..}}}}: {fault.what}"
                raise _fault(what, "layers" if scheme == "layer" else "tiers") from None
        return self

    @model_validator(mode="after")
    def _tables_are_known(self) -> Self:
        for name, table in self.tables.items():
            if name not in TABLES:
                raise _fault(f"unknown table {name!r}{nearest(name, TABLES)}", "tables", name)
            _columns_are_known(name, table)
        if "orders" not in self.tables:
            raise _fault("table 'orders' is required; write tables: {orders: {files: orders.csv}}", "tables")
        return self


def read_rules(settings: StudyFile, rules: Mapping[str, Mapping[str, str]] | None = None) -> Rulebook:
    """Read and prove the default schemes, those of a study file and rules given beside; see `rulebook`."""
    return rulebook(
        {**settings.tiers, **(rules or {})},
        layers=tuple(settings.layers),
        constants={"churn_window_days": settings.churn_window_days, "window_days": settings.window_days},
        promote_payment_tier_by=settings.promote_payment_tier_by,
    )


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
