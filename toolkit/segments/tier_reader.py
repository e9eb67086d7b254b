"""One scheme, one set of cut points: which tier each customer of a snapshot is in, and what they spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from toolkit.errors import ArgumentError
from toolkit.schema import ORDER_COUNT, WINDOW_SPEND
from toolkit.segments.rfm import DIMENSIONS, RFM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from typing import Self

    from numpy.typing import NDArray

    from toolkit.data.warehouse import Warehouse

    Codes = NDArray[np.int8]
    Units = NDArray[np.int64]

PER_UNIT = 10_000
"""Money is exact in ten-thousandths of the currency."""
ABSENT = -1
"""Code of a customer who is not in the snapshot."""


class TierReader:
    """Read one scheme of a study's snapshots under cut points learned once.

    Parameters
    ----------
    study
        The study.
    by
        The scheme: a column that the transformer adds.
    tiers
        Transformer from a snapshot to tier columns; a copy of it learns, itself it stays as it is. ``Tiers(study)``
        where None.

    Attributes
    ----------
    names : tuple of str
        The tiers in their order, once learned.
    """

    def __init__(self, study: Warehouse, by: str, tiers: Any = None) -> None:
        self.study = study
        self.by = by
        self.tiers = _of_the_study(study) if tiers is None else tiers
        self.columns = self._columns()
        self.names: tuple[str, ...] = ()

    def snapshot(
        self, as_of: date, *, cuts_at: date, until: date | None = None, known: date | None = None
    ) -> pd.DataFrame:
        """Take a snapshot with the columns that the scheme needs, and the window's spend."""
        return self.study.snapshot(as_of, columns=self.columns, cuts_at=cuts_at, until=until, known=known)

    def learned(self, snap: pd.DataFrame) -> Self:
        """Return a reader whose cut points are learned from a snapshot.

        Raises
        ------
        ArgumentError
            The scheme is unknown; the hint lists the known ones.
        """
        return self._with(clone(self.tiers).fit(snap), snap)

    def shifted(self, by: float, snap: pd.DataFrame) -> Self:
        """Return a reader whose learned cuts are multiplied by ``1 + by``; ``snap`` is what they were learned from."""
        if hasattr(self.tiers, "shifted"):
            return self._with(self.tiers.shifted(by), snap)
        if isinstance(self.tiers, RFM):
            split = {name: self.tiers.splits_[name] * (1 + by) for name in DIMENSIONS}
            return self._with(clone(self.tiers).set_params(split=split).fit(snap), snap)
        raise ArgumentError("no-band", f"{type(self.tiers).__name__} has no cuts to shift", hint="band=0")

    def codes(self, snap: pd.DataFrame) -> Codes:
        """Return the tier of each row as its place in ``names``.

        Raises
        ------
        ArgumentError
            A customer has no tier, or a column is missing.
        """
        told = self._transformed(snap)[self.by].cat
        codes: Codes = np.asarray(told.codes, dtype=np.int8)
        if (codes == ABSENT).any():
            count = int((codes == ABSENT).sum())
            raise ArgumentError("no-tier", "customers without a tier", column=self.by, count=count, hint="a total rule")
        return codes

    def _with(self, tiers: Any, snap: pd.DataFrame) -> Self:
        found = type(self)(self.study, self.by, tiers)
        told = found._transformed(snap)  # noqa: SLF001 - of its own class
        schemes = [str(name) for name in told if isinstance(told[name].dtype, pd.CategoricalDtype)]
        if self.by not in schemes:
            raise ArgumentError("scheme", f"there is no scheme {self.by!r}", hint=f"by= one of {', '.join(schemes)}")
        found.names = tuple(map(str, told[self.by].cat.categories))
        return found

    def _transformed(self, snap: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.columns or () if name not in snap.columns]
        if missing:
            what = f"the snapshot has no {', '.join(missing)}"
            raise ArgumentError("missing-column", what, hint="study.snapshot(as_of)")
        only = {"only": (self.by,)} if hasattr(self.tiers, "columns_needed") else {}
        told: pd.DataFrame = self.tiers.transform(snap, **only)
        return told

    def _columns(self) -> Sequence[str] | None:
        if hasattr(self.tiers, "columns_needed"):
            needed = self.tiers.columns_needed((self.by,))
        elif isinstance(self.tiers, RFM):
            needed = (ORDER_COUNT, *(self.tiers.get_params()[name] for name in DIMENSIONS))
        else:
            return None
        return list(dict.fromkeys([*needed, WINDOW_SPEND]))


def spent(snap: pd.DataFrame) -> Units:
    """Return each customer's spend in the window in ten-thousandths of the currency, exact."""
    return np.asarray(np.rint(snap[WINDOW_SPEND].to_numpy(dtype=np.float64) * PER_UNIT), dtype=np.int64)


def sums(codes: Codes, values: Units, tiers: int) -> Units:
    """Add up whole numbers per tier; absent customers count nowhere."""
    totals = np.zeros(tiers + 1, dtype=np.int64)
    np.add.at(totals, codes, values)
    return totals[:-1]


def _of_the_study(study: Warehouse) -> Any:
    from toolkit.segments.tiers import Tiers  # noqa: PLC0415 - its rules are read only where no transformer is given

    return Tiers(study)
