"""From where to where customers moved, which step moved each one, and what only the cut points moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.intervals import wilson
from toolkit.segments.tier_reader import ABSENT, PER_UNIT
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from toolkit.segments.bridge import Step

NEW, GONE = "new", "gone"
CAUSES = ("correction", GONE, "clock", "behaviour", NEW)


@dataclass(frozen=True)
class Drift:
    """How much of naive migration only the cut points made.

    Attributes
    ----------
    naive_moved
        Customers at both dates whose tier differs when cut points are learned anew at each.
    moved_same_cuts
        Those whose tier differs under one set of cut points.
    drift_only
        Moved by the first, not by the second.
    hidden_by_drift
        Moved by the second, not by the first.
    """

    naive_moved: int
    moved_same_cuts: int
    drift_only: int
    hidden_by_drift: int

    @property
    def share(self) -> float:
        """Share of the naive moves that only the cut points made; missing where nobody moves."""
        return self.drift_only / self.naive_moved if self.naive_moved else float("nan")


def matrix_of(start: Step, end: Step, names: Sequence[str]) -> pd.DataFrame:
    """Count every pair of tiers at the start and the end; see `toolkit.segments.migration.Migration`."""
    side = len(names) + 1
    pair = np.where(start.there, start.codes, len(names)) * side + np.where(end.there, end.codes, len(names))
    seen = start.there | end.there
    cells = pd.DataFrame({"pair": pair, "one": 1, "before": start.spend, "after": end.spend})[seen].groupby("pair")
    found = cells.sum().reindex(range(side * side - 1), fill_value=0)
    of = found["one"].groupby(found.index // side).transform("sum")
    lower, upper = wilson(found["one"], of)
    return pd.DataFrame(
        {
            "from": _category(np.asarray(found.index // side), [*names, NEW]),
            "to": _category(np.asarray(found.index % side), [*names, GONE]),
            "customers": found["one"].to_numpy(),
            "share": (found["one"] / of.where(of > 0)).to_numpy(),
            "lower": lower,
            "upper": upper,
            "spend_before": (found["before"] / PER_UNIT).to_numpy(),
            "spend_after": (found["after"] / PER_UNIT).to_numpy(),
        }
    )


def moved_of(ids: pd.Index[str], steps: Mapping[str, Step], names: Sequence[str]) -> pd.DataFrame:
    """List who moved, with the first step that moved them; see `toolkit.segments.migration.Migration`."""
    start, corrected, clock, end = (steps[name] for name in ("start", "correction", "clock", "end"))
    gone = start.there & ~corrected.there
    cause = np.select(
        [gone, corrected.codes != start.codes, clock.codes != start.codes, start.there],
        [CAUSES.index(name) for name in (GONE, "correction", "clock", "behaviour")],
        CAUSES.index(NEW),
    )
    moved = start.codes != end.codes
    return pd.DataFrame(
        {
            CUSTOMER_ID: ids[moved],
            "from": _named(start.codes[moved], [*names, NEW]),
            "to": _named(end.codes[moved], [*names, GONE]),
            "spend_before": start.spend[moved] / PER_UNIT,
            "spend_after": end.spend[moved] / PER_UNIT,
            "cause": _category(cause[moved], CAUSES),
            "corrected": _category(corrected.codes[moved], names),
            "clocked": _category(clock.codes[moved], names),
        }
    )


def _named(codes: NDArray[np.int8], names: Sequence[str]) -> pd.Categorical:
    return _category(np.where(codes == ABSENT, len(names) - 1, codes), names)


def _category(codes: NDArray[np.integer[Any]], names: Sequence[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, pd.Index(names))  # type: ignore[arg-type]  # stub wants lists


def drift_of(start: Step, end: Step, naive: Step, relearned: Step) -> Drift:
    """Compare moves under one set of cuts with those under cuts learned anew at both dates."""
    both = start.there & end.there & naive.there
    anew = both & (naive.codes != relearned.codes)
    same = both & (start.codes != end.codes)
    counts = (anew, same, anew & ~same, same & ~anew)
    return Drift(*(int(who.sum()) for who in counts))
