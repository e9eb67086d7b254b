"""Episodes as arrays that a model can be fitted on, or a refusal that says what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError, Check
from toolkit.schema import ENTRY_DAYS, LANDMARK, ORDER_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

HALF_A_DAY = 0.5
FEWEST_CUSTOMERS = 20
_CODES = (0, 1, 2)


@dataclass(frozen=True, eq=False)
class EpisodeRows:
    """Arrays of one value per episode.

    Attributes
    ----------
    duration
        Days to the event or to the end of what is seen.
    event
        0 censored, 1 the modelled event, 2 deletion.
    entry
        Day from which the episode is seen; None where all are from day 0.
    weights
        Weights, above 0.
    clusters
        Number of the customer, from 0.
    strata
        Number of the stratum; None where there are none.
    cause
        The code of the event that is modelled.
    """

    duration: Floats
    event: Ints
    entry: Floats | None
    weights: Floats
    clusters: Ints
    strata: Ints | None = None
    cause: int = 1

    @property
    def seen(self) -> Bools:
        """Whether the modelled event is seen."""
        found: Bools = self.event == self.cause
        return found

    @property
    def start(self) -> Floats:
        """Day from which each episode is seen."""
        return self.entry if self.entry is not None else np.zeros(len(self.duration))

    def by_stratum(self) -> list[Ints]:
        """Return the places of each stratum's rows."""
        if self.strata is None:
            return [np.arange(len(self.duration))]
        order = np.argsort(self.strata, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.strata[order])) + 1)

    def of_cause(self, cause: int) -> EpisodeRows:
        """Return the same rows with another event as the modelled one."""
        return replace(self, cause=cause)

    def in_strata(self, strata: Ints | None) -> EpisodeRows:
        """Return the same rows in other strata."""
        return replace(self, strata=strata)


@dataclass(frozen=True)
class Columns:
    """Names of the columns that say when and what.

    Attributes
    ----------
    duration, event
        Days and code.
    entry
        Days; None where all are followed from day 0.
    cluster
        Column of the customer; None is the index.
    weights
        Column of weights; None is 1 each.
    """

    duration: str
    event: str
    entry: str | None
    cluster: str | None
    weights: str | None


def require(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a frame that lacks a column, or has one twice.

    Raises
    ------
    ArgumentError
        Which.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ArgumentError(
            "missing-column",
            f"the frame has no column {', '.join(missing)}",
            hint=f"one of {', '.join(map(str, frame.columns))}" if len(frame.columns) else "study.episodes(...)",
        )
    twice = sorted({name for name in names if (frame.columns == name).sum() > 1})
    if twice:
        raise ArgumentError("column-twice", f"the frame has {', '.join(twice)} twice", hint="frame.loc[:, names]")


def buyers(frame: pd.DataFrame) -> Bools:
    """Say who has ordered: everybody where the frame does not count order days."""
    if ORDER_DAYS not in frame.columns:
        return np.ones(len(frame), dtype=bool)
    found: Bools = frame[ORDER_DAYS].to_numpy(dtype=np.float64, na_value=np.nan) > 0
    return found


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as floats, missing values as NaN.

    Raises
    ------
    ArgumentError
        It is not numeric.
    """
    column = frame[name]
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        hint = f'strata="{name}", or a column of numbers'
        raise ArgumentError("not-numeric", f"it is {column.dtype}, not numbers", column=name, hint=hint)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def episode_rows(frame: pd.DataFrame, columns: Columns) -> tuple[EpisodeRows, list[Check]]:
    """Take times, events, weights and customers out of a frame, and check them.

    Parameters
    ----------
    frame
        Episodes that are to be learned from, one row each.
    columns
        Names of their columns.

    Returns
    -------
    rows, checks
        The arrays; counts of zero durations and of events.

    Raises
    ------
    ArgumentError
        A time is missing, infinite or negative; an episode ends before its entry; a code is not 0, 1 or 2; a weight is
        not above 0; or a customer has two rows of one landmark.
    """
    duration, checks = _times(frame, columns)
    entry = numbers(frame, columns.entry) if columns.entry is not None else np.zeros(len(frame))
    event = numbers(frame, columns.event)
    strange = ~np.isin(event, _CODES)
    if strange.any():
        shown = sorted({f"{value:g}" for value in event[strange]})[:3]
        raise ArgumentError(
            "event-code",
            f"the event is 0 (censored), 1 (it happened) or 2 (deletion), not {', '.join(shown)}",
            column=columns.event,
            count=int(strange.sum()),
            hint="study.episodes(...), or recode the column",
        )
    customer = frame[columns.cluster] if columns.cluster is not None else frame.index.to_series()
    clusters, _ = pd.factorize(customer, use_na_sentinel=False)
    _refuse_doubles(frame, clusters)
    rows = EpisodeRows(
        duration=duration,
        event=event.astype(np.int64),
        entry=entry if (entry != 0).any() else None,
        weights=_weights(frame, columns.weights),
        clusters=clusters.astype(np.int64),
    )
    return rows, checks


def _times(frame: pd.DataFrame, columns: Columns) -> tuple[Floats, list[Check]]:
    """Return durations, those of no length as half a day."""
    duration = numbers(frame, columns.duration)
    names = [columns.duration, *([columns.entry] if columns.entry is not None else [])]
    for name in names:
        bad = ~np.isfinite(numbers(frame, name))
        if bad.any():
            hint = "leave these rows out: frame[frame[name].notna()]"
            raise ArgumentError("no-time", "missing or infinite", column=name, count=int(bad.sum()), hint=hint)
        below = numbers(frame, name) < 0
        if below.any():
            hint = "is the end before the landmark?"
            raise ArgumentError("negative-time", "negative", column=name, count=int(below.sum()), hint=hint)
    entry = numbers(frame, columns.entry) if columns.entry is not None else np.zeros(len(frame))
    early = duration < entry
    if early.any():
        what = f"shorter than {columns.entry}: it ends before it is first seen"
        hint = "both count from the start of the episode, not from the landmark"
        raise ArgumentError("ends-before-entry", what, column=columns.duration, count=int(early.sum()), hint=hint)
    none = duration == entry
    count = int(none.sum())
    message = f"{count:,} of {len(frame):,} episodes last no time and are taken as half a day"
    check = Check("zero_durations", "informational" if count else "passed", message, count, columns.duration)
    return np.where(none, entry + HALF_A_DAY, duration), [check]


def _weights(frame: pd.DataFrame, name: str | None) -> Floats:
    if name is None:
        return np.ones(len(frame))
    found = numbers(frame, name)
    bad = ~(np.isfinite(found) & (found > 0))
    if bad.any():
        hint = "leave out rows of no weight"
        raise ArgumentError("weight", "weights are above 0", column=name, count=int(bad.sum()), hint=hint)
    return found


def _refuse_doubles(frame: pd.DataFrame, clusters: Ints) -> None:
    if LANDMARK not in frame.columns:
        return
    keys = pd.DataFrame({"customer": clusters, LANDMARK: frame[LANDMARK].to_numpy()})
    twice = int(keys.duplicated().sum())
    if twice:
        what = "a customer has more than one row of a landmark"
        hint = "episodes[~episodes.set_index('landmark', append=True).index.duplicated()]"
        raise ArgumentError("duplicates", what, count=twice, hint=hint)


def entry_column(frame: pd.DataFrame, entry: str | None, *, needed: bool) -> str | None:
    """Return the column of entries, or None where all are followed from day 0.

    Raises
    ------
    ArgumentError
        Those who are still there are followed from when they were first seen, and the frame does not say when.
    """
    if entry is None or entry in frame.columns:
        return entry
    if needed or entry != ENTRY_DAYS:
        what = "the frame has no such column, and those who left before they were seen are not in it"
        hint = "study.episodes(..., outcome='end'), or entry=None if all are followed from their first day"
        raise ArgumentError("no-entry", what, column=entry, hint=hint)
    return None


def start_days(frame: pd.DataFrame, entry: str | None) -> Floats | float:
    """Return the day from which each row is asked about, or 0 for all where the frame does not say.

    Raises
    ------
    ArgumentError
        A day is missing, infinite or negative.
    """
    if entry is None or entry not in frame.columns:
        return 0.0
    found = numbers(frame, entry)
    bad = ~(np.isfinite(found) & (found >= 0))
    if bad.any():
        hint = "the days that each has lasted so far"
        raise ArgumentError("entry", "not a day", column=entry, count=int(bad.sum()), hint=hint)
    return found


def row_checks(rows: EpisodeRows, left_out: int, *, robust: bool) -> list[Check]:
    """Say how many rows were left out, and whether events and customers leave room for doubt."""
    message = f"{left_out:,} episodes of never-buyers are left out"
    checks = [Check("never_buyers", "informational" if left_out else "passed", message, left_out)]
    count, size = int(rows.seen.sum()), len(rows.duration)
    every = count == size
    message = f"{count:,} events in {size:,} episodes" + (": all of them, is the end of sight known?" if every else "")
    checks.append(Check("all_events", "failed" if every else "passed", message, count))
    customers = int(rows.clusters.max()) + 1
    few = robust and customers < FEWEST_CUSTOMERS
    message = f"{size:,} episodes of {customers:,} customers"
    message += ": too few to take each as one, so errors take episodes as independent" if few else ""
    return [*checks, Check("customers", "failed" if few else "passed", message, customers)]
