"""Tiers over time as whole numbers: which changes count, which are undone, and what waiting costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.segments.tier_reader import ABSENT, PER_UNIT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from toolkit.segments.tier_reader import Codes, Units

    Flags = NDArray[np.bool_]

LASTING = 2
"""Evaluations that a change must stand to be one in truth."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Tiers of all customers (rows) at all evaluations (columns); before a customer is first seen, absent.

    Attributes
    ----------
    dates
        The evaluations.
    codes
        Tiers under the learned cuts.
    spend
        Spend in the window at each evaluation, in ten-thousandths.
    """

    dates: tuple[date, ...]
    codes: Codes
    spend: Units


@dataclass(frozen=True)
class Flaps:
    """What a flap meter reads.

    Attributes
    ----------
    customers
        Customers seen.
    changes
        Changes from one tier to another.
    judged
        Those with enough evaluations after them to say whether they were undone.
    flaps
        Those of the judged that were undone: the customer was back in the tier.
    """

    customers: int
    changes: int
    judged: int
    flaps: int

    @property
    def share(self) -> float:
        """Share of the judged changes that were undone; missing where there is none."""
        return self.flaps / self.judged if self.judged else float("nan")


@dataclass(frozen=True)
class Waiting:
    """What waiting costs.

    Attributes
    ----------
    lasting
        Changes that lasted: two evaluations or more, or to the end.
    late
        Those of them that were not reported at once.
    mean_delay_days
        Mean days until they were reported, or until they were over or the evaluations ended; 0 where none was late.
    misplaced_customers, misplaced_spend
        Customers reported in another tier than they are in, and their spend in the window (currency): means over the
        evaluations.
    """

    lasting: int
    late: int
    mean_delay_days: float
    misplaced_customers: float
    misplaced_spend: float


def changes(codes: Codes) -> Flags:
    """Mark where a tier is another than at the evaluation before; the first one of a customer is no change."""
    changed = np.zeros(codes.shape, dtype=np.bool_)
    changed[:, 1:] = (codes[:, 1:] != codes[:, :-1]) & (codes[:, :-1] != ABSENT)
    return changed


def flap_meter(codes: Codes, within: int) -> Flaps:
    """Count changes, and those undone within so many evaluations.

    Examples
    --------
    >>> flap_meter(np.array([[0, 1, 0, 0, 0], [0, 1, 1, 1, 1]], dtype=np.int8), 2)
    Flaps(customers=2, changes=3, judged=3, flaps=1)
    """
    changed = changes(codes)
    judged = flaps = 0
    for t in range(1, codes.shape[1] - within):
        back = np.zeros(len(codes), dtype=np.bool_)
        for later in range(t + 1, t + within + 1):
            back |= codes[:, later] == codes[:, t - 1]
        judged += int(changed[:, t].sum())
        flaps += int((changed[:, t] & back).sum())
    seen = int((codes != ABSENT).any(axis=1).sum())
    return Flaps(seen, int(changed.sum()), judged, flaps)


def reported(codes: Codes, clear: Flags | None, minimum_stay: int) -> Codes:
    """Return the tiers as reported: a change waits until it is clear of the cuts or has stood long enough.

    Parameters
    ----------
    codes
        Tiers at each evaluation.
    clear
        Whether the tier is the same under cuts shifted either way; None where there is no band.
    minimum_stay
        Evaluations in a row after which a change counts; 1 is no such rule.

    Examples
    --------
    >>> reported(np.array([[0, 1, 0, 1, 1]], dtype=np.int8), None, 2)
    array([[0, 0, 0, 0, 1]], dtype=int8)
    """
    if clear is None and minimum_stay == 1:
        return codes
    told = codes.copy()
    stood = np.ones(len(codes), dtype=np.int16)
    for t in range(1, codes.shape[1]):
        now, last = codes[:, t], told[:, t - 1]
        stood = np.where(now == codes[:, t - 1], stood + 1, 1).astype(np.int16)
        counts = last == ABSENT
        if clear is not None:
            counts |= clear[:, t]
        if minimum_stay > 1:
            counts |= stood >= minimum_stay
        told[:, t] = np.where(counts, now, last)
    return told


def waiting(trace: Trace, told: Codes) -> Waiting:
    """Measure how late lasting changes are reported, and what stands in the wrong tier meanwhile.

    Examples
    --------
    >>> from datetime import date
    >>> codes = np.array([[0, 1, 1]], dtype=np.int8)
    >>> spend = np.full((1, 3), 90_000)
    >>> dates = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)
    >>> waiting(Trace(dates, codes, spend), reported(codes, None, 2))
    Waiting(lasting=1, late=1, mean_delay_days=31.0, misplaced_customers=0.3333333333333333, misplaced_spend=3.0)
    """
    codes, days = trace.codes, [day.toordinal() for day in trace.dates]
    changed, end = changes(codes), codes.shape[1]
    lasting = late = delay = 0
    for t in range(1, end):
        stands = codes[:, t : t + LASTING]
        lasts = changed[:, t] & (stands.min(axis=1) == stands.max(axis=1))
        rows = np.flatnonzero(lasts & (told[:, t] != codes[:, t]))
        lasting += int(lasts.sum())
        late += len(rows)
        delay += _waited(codes[rows, t:], told[rows, t:], days[t:])
    wrong = told != codes
    return Waiting(
        lasting,
        late,
        delay / late if late else 0.0,
        float(wrong.sum()) / end,
        int(trace.spend[wrong].sum()) / PER_UNIT / end,
    )


def _waited(codes: Codes, told: Codes, days: Sequence[int]) -> int:
    """Add up the days until each change is reported, over, or the evaluations end."""
    waits = np.ones(len(codes), dtype=np.bool_)
    total = 0
    for t in range(1, len(days)):
        total += int(waits.sum()) * (days[t] - days[t - 1])
        waits &= (told[:, t] != codes[:, t]) & (codes[:, t] == codes[:, t - 1])
    return total
