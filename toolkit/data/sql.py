"""Named statements from the ``.sql`` files of this room."""

from __future__ import annotations

import re
from functools import cache, wraps
from importlib.resources import files
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import duckdb

from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


@cache
def blocks(name: str) -> dict[str, str]:
    """Return the statements of ``toolkit/data/<name>``: text after each ``-- block: <key>`` line.

    Examples
    --------
    >>> sorted(blocks("ledger.sql"))
    ['orders', 'others']
    """
    text = files("toolkit.data").joinpath(name).read_text(encoding="utf-8")
    parts = re.split(r"^-- block: (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {key: body.strip() for key, body in zip(parts[::2], parts[1::2], strict=True)}


def unreadable(table: str, error: Exception) -> InputError:
    """Turn an error of the engine into a refusal; its own words may hold a customer's values, so they are left out."""
    return InputError(
        "engine", f"the rows cannot be read ({type(error).__name__})", where=table,
        hint="export the table again, as CSV UTF-8 if it was Parquet",
    )  # fmt: skip


def readable(method: Callable[P, T]) -> Callable[P, T]:
    """Make a question to the engine refuse, as everything here does, where rows turn out to be unreadable."""

    @wraps(method)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except duckdb.Error as error:
            raise unreadable("the tables", error) from None

    return asked
