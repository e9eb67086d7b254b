"""The bridge: what each substitution does to the customers and the money of every tier, added up exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import Check
from toolkit.segments.summary import TOTAL
from toolkit.segments.tier_reader import ABSENT, sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from toolkit.segments.tier_reader import Codes, Units

PARTS = ("correction", "gone", "clock", "behaviour", "new")
COLUMNS = ("tier", "measure", "start", *PARTS, "end", "drift")
MEASURES = ("customers", "spend")
_DIGITS = 4


class Step:
    """One snapshot laid out over all customers of the bridge.

    Parameters
    ----------
    ids
        All customers of the bridge.
    own
        Those of the snapshot.
    codes, spend
        Tier and spend (ten-thousandths) of each of these.
    """

    def __init__(self, ids: pd.Index[str], own: pd.Index[str], codes: Codes, spend: Units) -> None:
        places = ids.get_indexer(own)
        self.codes = np.full(len(ids), ABSENT, dtype=np.int8)
        self.codes[places] = codes
        self.spend = np.zeros(len(ids), dtype=np.int64)
        self.spend[places] = spend

    @property
    def there(self) -> NDArray[np.bool_]:
        """Who is in the snapshot."""
        return np.not_equal(self.codes, ABSENT)

    def measures(self, tiers: int, within: NDArray[np.bool_] | None = None) -> Units:
        """Count customers and add up spend per tier (two rows), of all or of some."""
        codes = self.codes if within is None else self.codes[within]
        spend = self.spend if within is None else self.spend[within]
        return np.array([sums(codes, np.ones(len(codes), dtype=np.int64), tiers), sums(codes, spend, tiers)])


def bridge(steps: Mapping[str, Step], relearned: Step, tiers: Sequence[str]) -> pd.DataFrame:
    """Write the bridge.

    Parameters
    ----------
    steps
        ``start``, ``correction``, ``clock`` and ``end``: the customers after each substitution, under one set of cuts.
    relearned
        The customers of ``end`` under cuts learned anew.
    tiers
        Names of the tiers.

    Returns
    -------
    DataFrame
        ``tier measure start correction gone clock behaviour new end drift``: one row per tier and measure, then the
        totals; whole numbers of customers, `decimal.Decimal` for spend.
    """
    k = len(tiers)
    start, corrected, clock, end = (steps[name] for name in ("start", "correction", "clock", "end"))
    found = {
        "start": start.measures(k),
        "correction": corrected.measures(k) - start.measures(k, corrected.there),
        "gone": -start.measures(k, ~corrected.there),
        "clock": clock.measures(k) - corrected.measures(k),
        "behaviour": end.measures(k, clock.there) - clock.measures(k),
        "new": end.measures(k, ~clock.there),
        "end": end.measures(k),
        "drift": relearned.measures(k) - end.measures(k),
    }
    rows = []
    for place, measure in enumerate(MEASURES):
        for tier, name in enumerate((*tiers, TOTAL)):
            cells = {
                part: int(values[place].sum() if name == TOTAL else values[place, tier])
                for part, values in found.items()
            }
            rows.append({"tier": name, "measure": measure} | _written(cells, measure))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def adds_up(table: pd.DataFrame) -> Check:
    """Check that start and the parts are the end, for every tier and measure, to the last digit."""
    wrong = [
        f"{row['tier']} ({row['measure']})"
        for row in table.to_dict("records")
        if sum((row[part] for part in PARTS), row["start"]) != row["end"]
    ]
    if wrong:
        return Check("bridge_adds_up", "failed", f"the parts are not the change: {', '.join(wrong)}", len(wrong))
    return Check("bridge_adds_up", "passed", "start and parts are the end, customers and money, for every tier")


def _written(cells: dict[str, int], measure: str) -> dict[str, int | Decimal]:
    if measure == "customers":
        return dict(cells)
    return {part: Decimal(value).scaleb(-_DIGITS) for part, value in cells.items()}
