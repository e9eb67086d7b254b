"""What a notebook hands to the runner: the last cell's figures, with the sign that the notebook came to its end."""

from __future__ import annotations

import json
import math
import os
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

RESULTS_MIME = "application/vnd.toolkit.results+json"
KEPT_VARIABLE = "TOOLKIT_KEPT"
TOKEN_VARIABLE = "TOOLKIT_RUN_TOKEN"  # noqa: S105 - the name of a variable, not a secret


def is_published() -> bool:
    """Whether this kernel works for a report that is published, rather than for an analyst alone."""
    return TOKEN_VARIABLE in os.environ


def record(**figures: object) -> None:
    """Record a notebook's results: shown as text, and read by the runner into ``results.json``.

    Call it once, in the last cell, tagged ``results``. ``verdict`` (a sentence) and ``figures`` (a list of
    ``{"label": ..., "value": ...}``, at most six are shown) also stand on the report's first page.

    Parameters
    ----------
    **figures
        Text, numbers, booleans, None, dates, and lists or mappings (text keys) of these. Dates become ISO text,
        exact decimals become numbers where nothing is lost, numpy scalars become plain ones.

    Raises
    ------
    ArgumentError
        Where a value is missing (NaN, NaT), infinite, a whole frame, or not exact as a number.

    Examples
    --------
    >>> from decimal import Decimal
    >>> record(customers=4_338, spend=Decimal("8911407.904"))  # doctest: +SKIP
    customers: 4338
    spend: 8911407.904
    """
    from IPython.display import display  # noqa: PLC0415 - a second of import that only a kernel needs

    results = plain(figures)
    bundle = {
        "text/plain": "\n".join(f"{name}: {_line(results[name])}" for name in sorted(results)),
        RESULTS_MIME: {"token": os.environ.get(TOKEN_VARIABLE, ""), "results": results},
    }
    display(bundle, raw=True)  # type: ignore[no-untyped-call]  # the library has no types


def plain(figures: Mapping[str, object]) -> dict[str, object]:
    """Return the figures as JSON has them, or refuse what JSON cannot hold.

    Parameters
    ----------
    figures
        Name to value, as for :func:`record`.

    Returns
    -------
    dict
        The same names with text, numbers, booleans, None, lists and dicts only.

    Raises
    ------
    ArgumentError
        As for :func:`record`.

    Examples
    --------
    >>> from datetime import date
    >>> import numpy as np
    >>> plain({"as_of": date(2026, 10, 31), "buyers": np.int64(7), "shares": (0.25, np.float64(0.75))})
    {'as_of': '2026-10-31', 'buyers': 7, 'shares': [0.25, 0.75]}
    """
    return {name: _plain(value, name) for name, value in figures.items()}


def _plain(value: object, name: str) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(name, "is not a finite number")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Decimal):
        return _number(value, name)
    if isinstance(value, date):
        return _day(value, name)
    if isinstance(value, list | tuple):
        return [_plain(item, f"{name}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, dict):
        if wrong := [key for key in value if not isinstance(key, str)]:
            _refuse(name, f"has a key that is a {type(wrong[0]).__name__}, not text", "str(key)")
        return {key: _plain(item, f"{name}.{key}") for key, item in value.items()}
    return _refuse(name, f"is a {type(value).__name__}", ".item(), .tolist() or .to_dict() for its plain values")


def _number(value: Decimal, name: str) -> float | int:
    if not value.is_finite():
        _refuse(name, "is not a finite number")
    number = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(number, float) and Decimal(repr(number)) != value:
        _refuse(name, "has more digits than a JSON number holds", "round it, or str(value)")
    return number


def _day(value: date, name: str) -> str:
    text = value.isoformat()
    if text == "NaT":
        _refuse(name, "is a missing date")
    if isinstance(value, datetime) and text.endswith("T00:00:00"):
        return text[:10]
    return text


def _refuse(name: str, what: str, hint: str = "None where a figure is not known") -> NoReturn:
    raise ArgumentError("results-value", f"{name} {what}", where="record", hint=hint)


def _line(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
