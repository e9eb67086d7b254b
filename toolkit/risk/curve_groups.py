"""From a frame to the rows of each survival curve, and what is doubtful about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError, Check
from toolkit.risk.product_limit import days_of, observed
from toolkit.schema import ENTRY_DAYS, LANDMARK

if TYPE_CHECKING:
    from toolkit.risk.product_limit import Days, Ints, Rows

SMALL = 20
"""Groups of fewer people are marked."""
EVERYBODY = "all"


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows of a frame by group.

    Attributes
    ----------
    rows
        Days, codes and entries of each group, as `toolkit.risk.product_limit.observed` returns them.
    tables
        What happened on each day, by group.
    small
        Groups of fewer than 20 people.
    left_out
        Rows without a group.
    repeated
        Rows that repeat a customer within a group.
    """

    rows: dict[str, Rows]
    tables: dict[str, Days]
    small: tuple[str, ...]
    left_out: int
    repeated: int


def grouped(frame: pd.DataFrame, by: str | None, *, duration: str, event: str, entry: str | None) -> Groups:
    """Part a frame by a column; parameters and refusals as `toolkit.risk.curves.survival_curves`.

    Examples
    --------
    >>> frame = pd.DataFrame({"days": [1, 2], "gone": [1, 0], "tier": ["b", None]})
    >>> groups = grouped(frame, "tier", duration="days", event="gone", entry=None)
    >>> list(groups.rows), groups.left_out
    (['b'], 1)
    """
    if entry is None and ENTRY_DAYS in frame.columns:
        entry = ENTRY_DAYS
    absent = [name for name in (duration, event, by, entry) if name is not None and name not in frame.columns]
    if absent:
        raise ArgumentError("no-column", f"the frame has no {', '.join(absent)}", hint="study.episodes(...)")
    if entry is None and frame.attrs.get("outcome") == "end":
        what = "members at a landmark were members before it, so their start must be known"
        raise ArgumentError("entry-needed", what, hint=f'entry="{ENTRY_DAYS}"')
    labels = frame[by] if by is not None else pd.Series(EVERYBODY, index=frame.index)
    has_group = labels.notna().to_numpy()
    kept = frame[has_group]
    if kept.empty:
        raise ArgumentError("no-rows", "there is no row with a group", hint="an earlier landmark, or another by")
    kinds = labels[has_group].astype("category").cat.remove_unused_categories()
    codes: Ints = kinds.cat.codes.to_numpy().astype(np.int64)
    names = [str(name) for name in kinds.cat.categories]
    _refuse_landmarks(kept, codes, names)
    days, code, start = observed(kept[duration], kept[event], kept[entry] if entry is not None else None)
    parts = {name: np.flatnonzero(codes == number) for number, name in enumerate(names)}
    rows = {name: (days[part], code[part], start[part]) for name, part in parts.items()}
    return Groups(
        rows=rows,
        tables={name: days_of(*own) for name, own in rows.items()},
        small=tuple(name for name, part in parts.items() if len(part) < SMALL),
        left_out=len(frame) - len(kept),
        repeated=sum(int(kept.index[part].duplicated().sum()) for part in parts.values()),
    )


def _refuse_landmarks(kept: pd.DataFrame, codes: Ints, names: list[str]) -> None:
    if LANDMARK not in kept.columns:
        return
    several = kept[LANDMARK].groupby(codes).nunique()
    if (several > 1).any():
        name = names[int(several.index[several > 1][0])]
        what = f"group {name} has rows of {several.max()} landmarks: its customers stand in it several times"
        hint = f'frame[frame["{LANDMARK}"] == frame["{LANDMARK}"].max()], or by="{LANDMARK}"'
        raise ArgumentError("several-landmarks", what, hint=hint)


def curve_checks(groups: Groups) -> tuple[Check, ...]:
    """Say what is doubtful about the curves of these groups; nothing where nothing is.

    Examples
    --------
    >>> frame = pd.DataFrame({"days": range(1, 31), "gone": 0})
    >>> for check in curve_checks(grouped(frame, None, duration="days", event="gone", entry=None)):
    ...     print(check.code, check.status)
    no_events failed
    """
    days, code, start = (np.concatenate(part) for part in zip(*groups.rows.values(), strict=True))
    never, zero = int((days <= start).sum()), int(((days == 0) & (start < 0)).sum())
    deleted = int((code == 2).sum())
    happened = code == 1
    small = ", ".join(groups.small)
    cases: tuple[tuple[int, Check], ...] = (
        (groups.left_out, Check("no_group", "informational", "{:,} rows have no group and are left out")),
        (len(groups.small), Check("small_groups", "informational", f"fewer than {SMALL} people: {small}", 0, small)),
        (
            groups.repeated,
            Check("customer_twice", "failed", "{:,} rows repeat a customer within a group: intervals are too narrow"),
        ),
        (
            never,
            Check("never_at_risk", "informational", "{:,} rows leave on the day they enter: they are never at risk"),
        ),
        (zero, Check("zero_durations", "informational", "{:,} rows last 0 days")),
        (
            int(not happened.any()) * len(days),
            Check("no_events", "failed", "none of {:,} rows has the event, so no time to it can be estimated"),
        ),
        (
            int(happened.all()) * len(days),
            Check("all_events", "informational", "each of {:,} rows has the event: nobody is censored"),
        ),
        (
            deleted,
            Check(
                "competing",
                "informational",
                "{:,} deletions compete: survival is one minus the cumulative incidence of the event",
            ),
        ),
    )
    found = [
        Check(check.code, check.status, check.message.format(count), count, check.subject)
        for count, check in cases
        if count
    ]
    return (*found, *_emptied(groups))


def _emptied(groups: Groups) -> list[Check]:
    """Tell groups whose few early members all left before the others entered: their curve stays at its floor."""
    found = []
    for name, table in groups.tables.items():
        over = np.flatnonzero(table.free <= 0)
        if len(over) and over[0] < len(table.time) - 1:
            day = float(table.time[over[0]])
            later = int((groups.rows[name][0] > day).sum())
            message = f"{name}: all at risk on day {day:g} had left by its end, before {later:,} others entered"
            found.append(Check("risk_set_emptied", "failed", message, later, name))
    return found
