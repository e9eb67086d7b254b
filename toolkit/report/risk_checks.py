"""What is doubtful about models of risk and value, in the page's language."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.errors import Check
from toolkit.report.tables import Table
from toolkit.report.words import MISSING
from toolkit.report.words_models import CHECKS, FORMS, SERVED
from toolkit.schema import SEGMENTS, SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.report.frame import Frame

_OWN = " in own gaps"
_BEND = re.compile(r"bend \d+")
_COLUMNS = frozenset(column.name for column in SNAPSHOT)
_OF_PEOPLE = frozenset({
    "few_events", "never_buyers", "zero_durations", "free_repeats", "competing_deletion", "no_group", "customer_twice",
    "never_at_risk", "repeat_buyers", "orders_and_value_independent", "bg_nbd_converged", "gamma_gamma_converged",
})  # fmt: skip


def checks_table(checks: Iterable[Check], *, frame: Frame) -> Table:
    """Write the checks that did not simply pass, those that failed first; one of each kind and subject."""
    words = frame.words
    told = {(check.code, check.subject): check for check in checks if check.status != "passed"}
    order = sorted(told.values(), key=lambda check: (check.status != "failed", check.code, check.subject))
    rows = pd.DataFrame(
        {
            "check": [check_name(check, frame) for check in order or [Check("all_passed", "passed", "")]],
            "subject": [subject_name(check.subject, frame) for check in order] or [""],
            "how_many": [_count(check, frame) for check in order] or [""],
        },
        index=pd.Index([words.check(check.status) for check in order] or [words.check("passed")], name="status"),
    )
    return Table(rows, {}, {name: words.label(name) for name in ("status", *rows.columns)})


def check_name(check: Check, frame: Frame) -> str:
    """Name what was looked at; a check that is not known keeps its own code."""
    return CHECKS[check.code][frame.language == "en"] if check.code in CHECKS else check.code


def subject_name(subject: str, frame: Frame) -> str:
    """Name what a check is about: features, types and days, each once."""
    parts = [part.strip() for part in subject.split(",") if part.strip() and not _BEND.fullmatch(part.strip())]
    return frame.words.label("between").join(dict.fromkeys(_thing(part, frame) for part in parts))


def served_name(served: str, frame: Frame) -> str:
    """Name the model that served; one that is not known keeps its own name."""
    return SERVED[served][frame.language == "en"] if served in SERVED else served


def _thing(part: str, frame: Frame) -> str:
    if " x " in part:
        return " × ".join(_thing(factor, frame) for factor in part.split(" x "))
    plain = part.removeprefix("log ")
    if plain.endswith(_OWN):
        name = _thing(plain.removesuffix(_OWN), frame)
        return FORMS[_OWN.strip()][frame.language == "en"].format(name=name)
    named = FORMS.get(plain) or SERVED.get(plain)
    if named is not None:
        return named[frame.language == "en"]
    if plain in SEGMENTS or plain in _COLUMNS:
        return (frame.words.segment if plain in SEGMENTS else frame.words.label)(plain)
    try:
        return frame.words.date(date.fromisoformat(plain))
    except ValueError:
        return plain


def _count(check: Check, frame: Frame) -> str:
    if not check.count:
        return MISSING
    return frame.count(check.count) if check.code in _OF_PEOPLE else f"{check.count:,}"
