"""Snapshot -> repeat order days, last one and tenure of each buyer, checked: all that BG/NBD knows of a customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.schema import FIRST_ORDER_DATE, LANDMARK, LAST_ORDER_DATE, ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Histories:
    """What buyers did, in whole days; see `histories`.

    Attributes
    ----------
    buyers
        Places of the buyers in the frame.
    repeats
        Order days after the first.
    last
        Days from the first order day to the last.
    tenure
        Days from the first order day to the day of the snapshot.
    """

    buyers: Ints
    repeats: Ints
    last: Ints
    tenure: Ints

    def distinct(self) -> tuple[Histories, Ints]:
        """Return each different history once (``buyers`` is the place of one of them), and which one each buyer has."""
        packed = packed_rows(self.repeats, self.last, self.tenure)
        _, places, inverse = np.unique(packed, return_index=True, return_inverse=True)
        one = Histories(self.buyers[places], self.repeats[places], self.last[places], self.tenure[places])
        return one, inverse

    def counted(self) -> tuple[Histories, Ints]:
        """Return each different history once, sorted, and how many buyers have it."""
        packed, counts = np.unique(packed_rows(self.repeats, self.last, self.tenure), return_counts=True)
        width = int(self.tenure.max(initial=0)) + 1
        rest, tenure = np.divmod(packed, width)
        repeats, last = np.divmod(rest, width)
        return Histories(np.zeros(0, dtype=np.int64), repeats, last, tenure), counts.astype(np.int64)


def packed_rows(repeats: Ints, last: Ints, tenure: Ints) -> Ints:
    """Write three whole numbers as one, so that sorting is fast; ``last`` is at most ``tenure``."""
    width = np.int64(tenure.max(initial=0) + 1)
    return (repeats * width + last) * width + tenure


def histories(frame: pd.DataFrame) -> Histories:
    """Read and check the histories of the buyers of a snapshot.

    Parameters
    ----------
    frame
        One row per customer: ``order_days``, ``tenure_days``, and ``recency_days`` or both ``first_order_date`` and
        ``last_order_date``. Rows with ``order_days`` 0 are never-buyers and are left out.

    Returns
    -------
    Histories
        One entry per buyer, in the frame's order. The first order day is no repeat: ``repeats`` is ``order_days - 1``.

    Raises
    ------
    ArgumentError
        A column is missing; a value is missing, infinite, negative or no whole number; recency is longer than tenure;
        or days and counts contradict each other, as they do when ``order_days`` counts orders, or leaves out the
        first day.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"order_days": [3, 1, 0], "recency_days": [5, 30, None], "tenure_days": [40, 30, None]})
    >>> found = histories(frame)
    >>> found.repeats.tolist(), found.last.tolist(), found.tenure.tolist()
    ([2, 0], [35, 0], [40, 30])
    """
    by_dates = RECENCY_DAYS not in frame.columns and {FIRST_ORDER_DATE, LAST_ORDER_DATE} <= set(frame.columns)
    needed = [ORDER_DAYS, TENURE_DAYS, *([] if by_dates else [RECENCY_DAYS])]
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        hint = f'study.snapshot(as_of, columns=["{ORDER_DAYS}", "{RECENCY_DAYS}", "{TENURE_DAYS}"])'
        raise ArgumentError("no-column", f"the frame has no column {', '.join(absent)}", hint=hint)
    order_days = whole_numbers(frame[ORDER_DAYS], ORDER_DAYS)
    buyers = np.flatnonzero(order_days > 0)
    if frame[TENURE_DAYS].notna().to_numpy()[order_days == 0].any():
        what = "customers without an order day have a tenure, so the first order day seems not to be counted"
        raise ArgumentError("first-order", what, column=ORDER_DAYS, hint=f"{ORDER_DAYS} counts the first day too")
    bought = frame if len(buyers) == len(frame) else frame.iloc[buyers]
    tenure = whole_numbers(bought[TENURE_DAYS], TENURE_DAYS)
    if by_dates:
        days = (bought[LAST_ORDER_DATE] - bought[FIRST_ORDER_DATE]).dt.total_seconds() / 86_400
        last = whole_numbers(days, f"{LAST_ORDER_DATE} - {FIRST_ORDER_DATE}")
    else:
        last = tenure - whole_numbers(bought[RECENCY_DAYS], RECENCY_DAYS)
    repeats = order_days[buyers] - 1
    _refuse_contradictions(repeats, last, tenure)
    return Histories(buyers, repeats, last, tenure)


def day_of(snap: pd.DataFrame) -> str | None:
    """Return the day of a snapshot, or of the one landmark of episodes; rows of several would count people twice."""
    if LANDMARK not in snap.columns:
        return snap.attrs.get("as_of")
    landmarks = snap[LANDMARK].unique()
    if len(landmarks) > 1:
        what = f"the frame has {len(landmarks)} landmarks, so customers stand in it several times"
        raise ArgumentError("landmarks", what, hint="a snapshot, or the episodes of one landmark")
    return str(pd.Timestamp(landmarks[0]).date())


def whole_numbers(values: pd.Series[Any], name: str) -> Ints:
    """Return values as whole numbers from 0 on, or say why they are none."""
    try:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise ArgumentError("no-number", "the values are no numbers", column=name, hint="a snapshot") from None
    kinds = (
        ("missing-value", "a buyer's value is missing or infinite", ~np.isfinite(numbers)),
        ("negative", "a value is below 0", numbers < 0),
        ("whole-days", "a value is no whole number", np.isfinite(numbers) & (numbers != np.floor(numbers))),
    )
    for code, what, wrong in kinds:
        if wrong.any():
            hint = "days as whole numbers; unit_days says in which unit of time the model counts"
            raise ArgumentError(code, what, column=name, count=int(wrong.sum()), hint=hint)
    return numbers.astype(np.int64)


def _refuse_contradictions(repeats: Ints, last: Ints, tenure: Ints) -> None:
    beyond = (last < 0) | (last > tenure)
    if beyond.any():
        raise ArgumentError(
            "recency-over-tenure",
            "the last order day lies outside the days from the first one to the day of the snapshot",
            count=int(beyond.sum()),
            hint=f"{RECENCY_DAYS} and {TENURE_DAYS} of one snapshot",
        )
    crowded = repeats > last
    if crowded.any():
        raise ArgumentError(
            "crowded-days",
            "there are more order days than days between the first and the last, so several orders of a day are"
            " counted apart",
            column=ORDER_DAYS,
            count=int(crowded.sum()),
            hint="orders of one local day are one order day",
        )
    lonely = (repeats == 0) & (last > 0)
    if lonely.any():
        raise ArgumentError(
            "first-order",
            "a customer with one order day has a later last one, so the first order day seems not to be counted",
            column=ORDER_DAYS,
            count=int(lonely.sum()),
            hint=f"{ORDER_DAYS} counts the first day too",
        )
