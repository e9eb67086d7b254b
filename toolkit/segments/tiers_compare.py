"""Before a rule or a cut is changed: who would move, and how much money with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.schema import F_SCORE, M_SCORE, R_SCORE, SEGMENT, WINDOW_SPEND
from toolkit.segments.summary import need
from toolkit.segments.tiers import Tiers
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """Two ways to tier the same customers; see `compare`.

    Attributes
    ----------
    schemes
        Index ``scheme``: ``customers``, ``moved``, ``share`` (moved of all), ``spend`` (of those who moved: currency,
        window). Schemes that both have.
    matrix
        ``scheme from to customers spend``: every pair that occurs, those who stay included.
    moved
        ``customer_id scheme from to spend``: one row per customer and scheme they move in.
    """

    schemes: pd.DataFrame
    matrix: pd.DataFrame
    moved: pd.DataFrame

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        moving = self.schemes[self.schemes["moved"] > 0]
        if moving.empty:
            return f"Nobody moves in {', '.join(self.schemes.index)}."
        told = [
            f"{row.moved:,} of {row.customers:,} customers ({row.share:.1%}) move in {row.Index} and take"
            f" {row.spend:,.2f} of window spend with them"
            for row in moving.itertuples()
        ]
        rest = [str(name) for name in self.schemes.index.difference(moving.index, sort=False)]
        return "; ".join([*told, *([f"nobody in {', '.join(rest)}"] if rest else [])]) + "."

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.schemes.to_string(float_format='{:,.3f}'.format)}"

    def _repr_html_(self) -> str:
        changed = self.matrix[self.matrix["from"] != self.matrix["to"]]
        tables = (self.schemes.to_html(border=0), changed.to_html(border=0, index=False))
        return f"<p>{self.sentence}</p>{''.join(tables)}"


def compare(old: Any, new: Any, snap: pd.DataFrame) -> Comparison:
    """Tier the same customers in two ways and say who stands elsewhere.

    Parameters
    ----------
    old, new
        Fitted transformers (``Tiers``, ``RFM``), or rules (scheme -> class -> rule): those apply instead of the
        default schemes, or of the other side's study, and learn their cuts from ``snap``.
    snap
        A snapshot with ``window_spend``, scored or not.

    Returns
    -------
    Comparison
        Per scheme how many move, from where to where, and with how much spend.

    Raises
    ------
    ArgumentError
        A column is missing, or the two have no scheme in common.
    StudyFileError
        Rules are wrong.

    Examples
    --------
    >>> snap = pd.DataFrame(
    ...     {"order_count": [1, 4], "recency_days": [100, 3], "window_order_days": [1, 2],
    ...      "window_spend": [10.0, 99.0]}, index=pd.Index(["A", "B"], name="customer_id"))
    >>> often = {"purchase_habit": {"frequent": "window_order_days >= 2", "occasional": "window_order_days == 1",
    ...                             "potential": "window_order_days == 0"}}
    >>> found = compare({}, often, snap)
    >>> found.schemes.loc[["purchase_habit", "ladder"]]
                    customers  moved  share  spend
    scheme
    purchase_habit          2      1    0.5   99.0
    ladder                  2      0    0.0    0.0
    >>> found.moved
      customer_id          scheme        from        to  spend
    0           B  purchase_habit  occasional  frequent   99.0
    """
    need(snap, WINDOW_SPEND)
    bare = snap.drop(columns=[R_SCORE, F_SCORE, M_SCORE, SEGMENT], errors="ignore")
    before, after = (_tiered(one, other, bare) for one, other in ((old, new), (new, old)))
    names = [name for name in before if name in after]
    if not names:
        hint = "tk.compare(tiers, rules, snap)"
        raise ArgumentError("nothing-to-compare", "the two have no scheme in common", hint=hint)
    spend = snap[WINDOW_SPEND].to_numpy(dtype=np.float64)
    pairs = {name: _Pairs.of(before[name], after[name]) for name in names}
    matrix = pd.concat([found.matrix(spend).assign(scheme=name) for name, found in pairs.items()], ignore_index=True)
    moved = pd.concat(
        [found.moved(snap.index, spend).assign(scheme=name) for name, found in pairs.items()], ignore_index=True
    )
    changed = matrix[matrix["from"] != matrix["to"]].groupby("scheme")[["customers", "spend"]].sum()
    changed = changed.reindex(pd.Index(names, name="scheme"), fill_value=0)
    schemes = pd.DataFrame(
        {
            "customers": len(snap),
            "moved": changed["customers"].astype("int64"),
            "share": changed["customers"] / max(len(snap), 1),
            "spend": changed["spend"].astype("float64"),
        }
    )
    return Comparison(
        schemes,
        matrix[["scheme", "from", "to", "customers", "spend"]],
        moved[[CUSTOMER_ID, "scheme", "from", "to", "spend"]],
    )


@dataclass(frozen=True)
class _Pairs:
    """One scheme before and after: classes and codes on each side."""

    names: tuple[pd.Index[str], pd.Index[str]]
    codes: tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]]

    @classmethod
    def of(cls, before: pd.Series[str], after: pd.Series[str]) -> _Pairs:
        names = (before.cat.categories, after.cat.categories)
        return cls(names, (before.cat.codes.to_numpy(), after.cat.codes.to_numpy()))

    def matrix(self, spend: NDArray[np.float64]) -> pd.DataFrame:
        size = len(self.names[1])
        cell = self.codes[0].astype(np.int64) * size + self.codes[1]
        cells = size * len(self.names[0])
        count, money = np.bincount(cell, minlength=cells), np.bincount(cell, weights=spend, minlength=cells)
        there = np.flatnonzero(count)
        return self._named(there // size, there % size).assign(customers=count[there], spend=money[there])

    def moved(self, customers: pd.Index[str], spend: NDArray[np.float64]) -> pd.DataFrame:
        same = self.names[1].get_indexer(self.names[0])
        rows = np.flatnonzero(same[self.codes[0]] != self.codes[1])
        named = self._named(self.codes[0][rows], self.codes[1][rows]).assign(spend=spend[rows])
        named[CUSTOMER_ID] = customers[rows]
        return named

    def _named(self, before: NDArray[np.integer[Any]], after: NDArray[np.integer[Any]]) -> pd.DataFrame:
        return pd.DataFrame({"from": self.names[0].take(before), "to": self.names[1].take(after)}, dtype=object)


def _tiered(one: Any, other: Any, snap: pd.DataFrame) -> dict[str, pd.Series[str]]:
    if isinstance(one, Mapping):
        one = Tiers(other.study if isinstance(other, Tiers) else None, rules=one).fit(snap)
    told = one.transform(snap)
    return {
        str(name): told[name]
        for name in told.columns
        if name not in snap.columns and isinstance(told[name].dtype, pd.CategoricalDtype)
    }
