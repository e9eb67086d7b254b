"""Which table an export is, and which of its columns is which: by header, by known export, by content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from toolkit.data.contents import Content, looked_at, personal_header
from toolkit.data.headers import folded
from toolkit.data.likeness import LIKE_HEADERS, NAMED_FILES, NOT_A_CUSTOMER, PREFERRED
from toolkit.data.presets import Preset, preset_of
from toolkit.tables import CUSTOMER_ID, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from toolkit.data.peek import Sample
    from toolkit.tables import Column, Table

Sure = Literal["sure", "likely", "unsure"]
Why = Literal["known export", "header", "like a header", "content"]

ENOUGH_FILLED = 0.995
"""A required column with fewer filled rows would break the loss budget."""
ENOUGH_READABLE = 0.95
MOST_STATUSES = 30
"""More different texts than these are no statuses, and are never written down."""


@dataclass(frozen=True)
class Choice:
    """The header, or two factors, that were chosen for a column.

    Attributes
    ----------
    headers
        Empty where none was found.
    why
        What it was recognised by.
    others
        What else it could be.
    """

    headers: tuple[str, ...]
    why: Why
    others: tuple[str, ...] = ()

    @property
    def unsure(self) -> bool:
        """Whether it was guessed."""
        return self.why in ("like a header", "content")


@dataclass(frozen=True)
class Recognised:
    """What an export was taken for.

    Attributes
    ----------
    table
        Empty where it is no table that is known.
    sure
        ``sure``, ``likely`` or ``unsure``.
    columns
        Canonical column -> choice.
    left_out
        Canonical column -> the header that has its name but must not be loaded as it, and why.
    personal
        Header -> what kind of personal value it holds; never loaded.
    """

    sample: Sample
    table: str
    sure: Sure
    columns: dict[str, Choice]
    contents: dict[str, Content]
    preset: Preset | None = None
    left_out: dict[str, tuple[str, str]] = field(default_factory=dict)
    personal: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """Required columns that nothing was found for, or only what must not be loaded unasked."""
        required = [column.name for column in TABLES[self.table].columns if column.required] if self.table else []
        return tuple(column for column in required if column not in self.columns)


def recognise(sample: Sample) -> Recognised:
    """Recognise the table and the columns of an export.

    Returns
    -------
    Recognised
        With an empty ``table`` where it is none that is known.
    """
    contents = {header: looked_at(values) for header, values in sample.columns.items()}
    preset = preset_of(sample.headers)
    personal = {header: kind for header in sample.columns if (kind := _personal(header, contents[header]))}
    readings = [
        _Reading(sample, contents, TABLES[table], preset if preset and preset.table == table else None, personal)
        for table in TABLES
    ]
    best = max(readings, key=lambda reading: reading.score)
    if best.score <= 0:
        return Recognised(sample, "", "unsure", {}, contents, None, {}, personal)
    second = max(reading.score for reading in readings if reading is not best)
    plain = [column for column in best.table.columns if column.required]
    chosen = [best.columns.get(column.name) for column in plain]
    guessed = any(choice is None or choice.unsure for choice in chosen)
    sure: Sure = "unsure" if guessed else "sure" if best.preset or best.score >= second + 2 else "likely"
    used = {header for choice in best.columns.values() for header in choice.headers}
    return Recognised(
        sample, best.table.name, sure, best.columns, contents, best.preset, best.left_out(),
        {header: kind for header, kind in personal.items() if header not in used},
    )  # fmt: skip


def _personal(header: str, content: Content) -> str:
    """Say what is personal in a column: its values first, then its header, unless that is a known name of an id."""
    if content.personal:
        return content.personal
    ids = {folded(alias) for alias in TABLES["orders"].column(CUSTOMER_ID).aliases}
    return "" if folded(header) in ids else personal_header(header)


class _Reading:
    """One export read as one table."""

    def __init__(
        self,
        sample: Sample,
        contents: dict[str, Content],
        table: Table,
        preset: Preset | None,
        personal: dict[str, str],
    ) -> None:
        self.sample, self.contents, self.table, self.preset, self._personal = sample, contents, table, preset, personal
        self.columns: dict[str, Choice] = {}
        self._taken: set[str] = set()
        for column in sorted(table.columns, key=lambda column: not column.required):
            choice = self._by_preset(column) or self._by_header(column)
            if choice:
                self._take(column, choice)
        if table.name == "orders":
            for column in table.columns:
                if column.name not in self.columns and (choice := self._by_likeness(column)):
                    self._take(column, choice)
            for column in table.columns:
                if column.required and column.name not in self.columns and (choice := self._by_content(column)):
                    self._take(column, choice)
        self.score = self._score(f"{sample.path.stem} {sample.sheet}".casefold())

    def _take(self, column: Column, choice: Choice) -> None:
        self.columns[column.name] = choice
        self._taken.update(choice.headers if len(choice.headers) == 1 else ())

    def _score(self, name: str) -> float:
        missing = {column.name for column in self.table.columns if column.required and column.name not in self.columns}
        if missing - ({CUSTOMER_ID} if self._someone else set()) or not self.columns:
            return 0.0
        weights = {"known export": 3.0, "header": 3.0, "like a header": 2.0, "content": 1.0}
        score = 100.0 if self.preset else 0.0
        for column in self.table.columns:
            if column.name in self.columns:
                score += weights[self.columns[column.name].why] if column.required else 1
        score += 3 * bool(re.search(NAMED_FILES[self.table.name], name)) - 3 * len(missing)
        return max(score + self._shape(), 0.0)

    def _shape(self) -> float:
        """Weigh what a row of the table is: a person stands in one row; an event says what happened."""
        if self.table.name == "customers":
            customer = self.columns[CUSTOMER_ID].headers[0]
            return 2 if self.contents[customer].distinct >= 0.98 and len(self.columns) > 1 else -100
        if self.table.name == "events":
            return 0 if "kind" in self.columns else -3
        return -2 if self.table.name == "identities" and "id_kind" not in self.columns else 0

    @property
    def _someone(self) -> bool:
        """Whether an export of orders names its buyers at all, if only by what is personal."""
        return self.table.name == "orders" and (
            any(kind in ("telephone", "e-mail", "name", "account") for kind in self._personal.values())
            or self.preset is not None
        )

    def _free(self, headers: Iterable[str], *, personal_too: bool = False) -> list[str]:
        return [
            header
            for header in headers
            if header in self.contents and header not in self._taken and (personal_too or header not in self._personal)
        ]

    def _by_preset(self, column: Column) -> Choice | None:
        if not self.preset:
            return None
        factors = self.preset.multiply.get(column.name, ())
        if factors and all(factor in self.contents for factor in factors):
            return Choice(factors, "known export")
        theirs = {folded(header): header for header in self.contents}
        wanted = [theirs[name] for name in map(folded, self.preset.columns.get(column.name, ())) if name in theirs]
        if wanted and not factors and column.name == CUSTOMER_ID and self.preset.personal_id:
            return Choice((wanted[0],), "known export")
        named_by_preset = [header for header in wanted if not self.contents[header].personal]
        return self._best(column, self._free(named_by_preset, personal_too=True), "known export", keep_order=True)

    def _by_header(self, column: Column) -> Choice | None:
        names = {folded(name) for name in (column.name, *column.aliases)}
        exact = [header for header in self._free(self.contents) if folded(header) == folded(column.name)]
        wanted = exact or [header for header in self._free(self.contents) if folded(header) in names]
        if column.name == "currency":
            wanted = [header for header in wanted if self._several_currencies(header)]
        return self._best(column, wanted, "header")

    def _by_likeness(self, column: Column) -> Choice | None:
        words = LIKE_HEADERS.get((self.table.name, column.name)) or LIKE_HEADERS.get(("", column.name))
        if not words:
            return None
        wanted = [header for header in self._free(self.contents) if re.search(words, header.casefold().strip())]
        if column.name == CUSTOMER_ID:
            wanted = [header for header in wanted if not re.search(NOT_A_CUSTOMER, header.casefold())]
        return self._best(column, wanted, "like a header")

    def _by_content(self, column: Column) -> Choice | None:
        free = [header for header in self._free(self.contents) if self.contents[header].filled >= 0.5]
        looks = {header: self.contents[header] for header in free}
        if column.kind == "timestamp":
            ranked = sorted((h for h in free if looks[h].dates >= ENOUGH_READABLE), key=lambda h: -looks[h].filled)
        elif column.kind == "money":
            priced = (
                h for h in free if looks[h].money + looks[h].comma_money >= ENOUGH_READABLE and looks[h].dates < 0.5
            )
            ranked = sorted(priced, key=lambda h: -(looks[h].fractions + looks[h].comma_money + looks[h].filled / 10))
        else:
            named = [h for h in free if not re.search(NOT_A_CUSTOMER, h.casefold()) and looks[h].dates < 0.5]
            idlike = [h for h in named if looks[h].ids >= ENOUGH_READABLE and looks[h].fractions < 0.5]
            repeats = {h: 0.02 < looks[h].distinct < 1 for h in idlike}
            ranked = sorted(idlike, key=lambda h: (not repeats[h], -looks[h].distinct))
        return Choice((ranked[0],), "content", tuple(ranked[1:4])) if ranked else None

    def _best(self, column: Column, wanted: Sequence[str], why: Why, *, keep_order: bool = False) -> Choice | None:
        """Choose the preferred one of those that are readable; a required one should be filled in every row."""
        readable = [header for header in wanted if self._readable(column, header)]
        if not readable:
            return None
        preferred = PREFERRED.get((self.table.name, column.name), ())
        ranked = list(readable)
        if not keep_order:
            rank = {
                h: next((n for n, words in enumerate(preferred) if re.search(words, h.casefold())), 99)
                for h in readable
            }
            ranked.sort(key=lambda header: (rank[header], readable.index(header)))
        full = [header for header in ranked if self.contents[header].filled >= ENOUGH_FILLED]
        if column.required and column.kind in ("timestamp", "period", "money"):
            first = full[0] if full else max(ranked, key=lambda header: self.contents[header].filled)
        else:
            first = ranked[0]
        return Choice((first,), why, tuple(header for header in wanted if header != first))

    def _readable(self, column: Column, header: str) -> bool:
        content = self.contents[header]
        if column.kind == "timestamp":
            return content.filled > 0 and content.dates >= (ENOUGH_READABLE if column.required else 0.5)
        if column.kind in ("money", "number"):
            return content.filled > 0 and content.money + content.comma_money >= (
                ENOUGH_READABLE if column.required else 0.5
            )
        if column.kind == "flag":
            return content.flags >= ENOUGH_READABLE
        if column.kind == "id" and column.required:
            return content.filled > 0
        if column.kind == "status" and self.table.name == "orders":
            return len(set(self.sample.columns[header])) <= MOST_STATUSES
        return True

    def _several_currencies(self, header: str) -> bool:
        return len(set(self.sample.columns[header]) - {""}) > 1

    def left_out(self) -> dict[str, tuple[str, str]]:
        """Return the columns whose name a header has that was not chosen: the gate would load it unasked."""
        used = {header for choice in self.columns.values() for header in choice.headers if len(choice.headers) == 1}
        found: dict[str, tuple[str, str]] = {}
        for column in self.table.columns:
            names = {folded(name) for name in (column.name, *column.aliases)}
            same = [header for header in self.sample.headers if folded(header) in names and header not in used]
            if column.name not in self.columns and same:
                found[column.name] = (same[0], self._why_not(column, same[0]))
            elif column.name not in self.columns and column.required:
                found[column.name] = ("", "no column was found")
        return found

    def _why_not(self, column: Column, header: str) -> str:
        if header not in self.contents:
            return (
                "two columns have this name" if self.sample.headers.count(header) > 1 else "its values cannot be read"
            )
        if header in self._personal:
            return f"personal ({self._personal[header]})"
        if column.name == "currency":
            return "the same in every row"
        return f"its values do not fit ({column.kind})"
