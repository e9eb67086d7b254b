"""Strata: groups with a baseline hazard of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import Check
from toolkit.risk.cox import ALL_STRATA
from toolkit.risk.episode_rows import require
from toolkit.schema import refuse_undated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_FEWEST_EVENTS = 10
_MISSING = "missing"


@dataclass(frozen=True)
class Strata:
    """The groups of a column that have a baseline of their own.

    Attributes
    ----------
    column
        The column.
    levels
        Its values with at least ten events. The others share one stratum when the model is fitted, and customers of
        theirs, and of values never seen, take the baseline of all.
    """

    column: str
    levels: tuple[str, ...]

    def codes(self, frame: pd.DataFrame) -> Ints:
        """Return the number of each row's level; -1 for the others."""
        require(frame, [self.column])
        return pd.Categorical(_texts(frame, self.column), categories=list(self.levels)).codes.astype(np.int64)

    def fitting(self, frame: pd.DataFrame) -> Ints:
        """Return the same with the others as one more level."""
        codes = self.codes(frame)
        return np.where(codes == ALL_STRATA, len(self.levels), codes)


def learn_strata(frame: pd.DataFrame, column: str, seen: Bools) -> tuple[Strata, Check]:
    """Take the values of a column with at least ten events as strata.

    Raises
    ------
    ArgumentError
        The column is missing or not point-in-time.
    """
    require(frame, [column])
    refuse_undated(frame, [column])
    events = pd.Series(seen, dtype="int64").groupby(_texts(frame, column)).sum()
    levels = tuple(sorted(str(level) for level in events.index[events >= _FEWEST_EVENTS]))
    small = sorted(str(level) for level in events.index[events < _FEWEST_EVENTS])
    message = f"values of {column} with under {_FEWEST_EVENTS} events, which share one stratum: {len(small)}"
    return Strata(column, levels), Check("strata", "informational" if small else "passed", message, len(small), column)


def _texts(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    values = frame[column]
    return np.where(values.isna().to_numpy(), _MISSING, values.astype(str).to_numpy(dtype=object))
