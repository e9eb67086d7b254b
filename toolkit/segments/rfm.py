"""RFM: scores from learned cut points, and the eight types from high/low splits of the raw values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from toolkit.errors import ArgumentError, Check
from toolkit.schema import (
    F_SCORE,
    M_SCORE,
    ORDER_COUNT,
    PROSPECT,
    R_SCORE,
    RECENCY_DAYS,
    SEGMENT,
    SEGMENTS,
    WINDOW_ORDER_DAYS,
    WINDOW_SPEND,
    refuse_undated,
)
from toolkit.segments.arrays import plain
from toolkit.segments.quantiles import beyond, compared, deviation, mean, quantiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from toolkit.errors import Status
    from toolkit.rules.conditions import Sign

    Floats = NDArray[np.float64]

Dimension = Literal["recency", "frequency", "monetary"]

DIMENSIONS: tuple[Dimension, ...] = ("recency", "frequency", "monetary")
_SCORES = (R_SCORE, F_SCORE, M_SCORE)
_SIGNS = (-1.0, 1.0, 1.0)
_TURNED: dict[float, tuple[Sign, Sign]] = {1.0: (">", "<="), -1.0: ("<", ">=")}
"""How a value that is strictly better than a cut compares with it, and one that is not."""
_ENOUGH_BUYERS = 30
_ONE_SIDED = 0.9
_BIG_SHARE = 0.05


class RFM(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # scikit-learn ships no types
    """Score every buyer on recency, frequency and monetary value, and name the eight types.

    Parameters
    ----------
    bins
        Scores run from 1 (worst) to ``bins`` (best), 2 to 100.
    split
        What high means: strictly better than the ``median`` or ``mean`` of the learning buyers, or than
        the three raw values of a mapping ``{"recency": .., "frequency": .., "monetary": ..}``.
    recency, frequency, monetary
        Columns to score. Recency is in days and small is good; of the other two large is good.

    Attributes
    ----------
    cut_points_ : DataFrame, index ``score`` (2, 3, ..), one column per scored column
        A value strictly better than the cut has at least that score; missing where there is no such score.
    splits_ : dict of dimension to float
        Raw values that separate low from high.
    spreads_ : dict of dimension to float
        Interquartile range of the learning buyers (their standard deviation where it is 0, else 1).
    n_buyers_ : int
        Buyers that were learned from.
    checks_ : tuple of Check
        What is doubtful about the learned cuts.

    Notes
    -----
    Cuts are type-7 quantiles (Hyndman and Fan 1996, "Sample quantiles in statistical packages") of the
    buyers (``order_count`` > 0), at exact integer positions. A cut that separates the same buyers as the one
    before, or that nobody exceeds, is dropped: scores stay contiguous from 1. Equal values have equal scores,
    whatever the order of rows, the ids or the unit of money. Never-buyers teach nothing, have no scores and
    are ``prospect``. Group by ``segment`` with ``observed=True``: it knows all nine names.

    Examples
    --------
    >>> snap = pd.DataFrame(
    ...     {"order_count": [1, 2, 4, 0], "recency_days": [300, 40, 3, None],
    ...      "window_order_days": [1, 2, 4, 0], "window_spend": [10.0, 99.0, 80.0, 0.0]},
    ...     index=pd.Index(["A", "B", "C", "D"], name="customer_id"))
    >>> RFM(bins=3).fit_transform(snap)[["r_score", "f_score", "m_score", "segment"]]
                 r_score  f_score  m_score       segment
    customer_id
    A                  1        1        1          lost
    B                  2        2        3  slipping_big
    C                  3        3        2   loyal_small
    D               <NA>     <NA>     <NA>      prospect
    """

    def __init__(
        self,
        bins: int = 5,
        split: Literal["median", "mean"] | Mapping[str, float] = "median",
        recency: str = RECENCY_DAYS,
        frequency: str = WINDOW_ORDER_DAYS,
        monetary: str = WINDOW_SPEND,
    ) -> None:
        self.bins = bins
        self.split = split
        self.recency = recency
        self.frequency = frequency
        self.monetary = monetary

    def fit(self, snap: pd.DataFrame, y: None = None) -> Self:  # noqa: ARG002  # scikit-learn passes y
        """Learn cut points and splits from the buyers of a snapshot.

        Parameters
        ----------
        snap
            One row per customer, with ``order_count`` and the three scored columns.
        y
            Ignored.

        Returns
        -------
        RFM
            Itself, fitted.

        Raises
        ------
        ArgumentError
            A column is missing or not point-in-time, a buyer's value is missing or infinite, there is no buyer, or an
            option is wrong.
        """
        if not 2 <= self.bins <= 100:
            raise ArgumentError("bins", f"bins must lie between 2 and 100, not {self.bins}", hint="bins=5")
        refuse_undated(snap, self._columns())
        buyers, values = self._values(snap)
        who = np.flatnonzero(buyers)
        if not len(who):
            hint = "a later as_of"
            raise ArgumentError("no-buyers", "no customer has an order, so there is nothing to learn from", hint=hint)
        self.n_buyers_ = len(who)
        self.splits_: dict[Dimension, float] = self._given_splits()
        self.spreads_: dict[Dimension, float] = {}
        checks = [self._enough_buyers()]
        cuts: dict[str, pd.Series[float]] = {}
        for dimension, column, sign in zip(DIMENSIONS, self._columns(), _SIGNS, strict=True):
            ranked = _ranked(values[dimension].take(who), sign)
            grid = [*((k, self.bins) for k in range(1, self.bins)), (1, 4), (1, 2), (3, 4)]
            *learned, low, median, high = quantiles(ranked, grid)
            kept = _separating(ranked, np.array(learned))
            cuts[column] = pd.Series(sign * kept, index=range(2, 2 + len(kept)))
            if dimension not in self.splits_:
                self.splits_[dimension] = sign * (float(median) if self.split == "median" else mean(ranked))
            self.spreads_[dimension] = float(high - low) or deviation(ranked) or 1.0
            checks += _scores(ranked, kept, self.bins, column), self._sides(ranked, dimension, column)
        self.cut_points_ = pd.DataFrame(cuts, index=pd.RangeIndex(2, 2 + max(map(len, cuts.values())), name="score"))
        self.checks_ = (*checks, _top_customer(self.monetary, ranked))
        return self

    def transform(self, snap: pd.DataFrame) -> pd.DataFrame:
        """Score a snapshot with the learned cuts.

        Parameters
        ----------
        snap
            One row per customer, with ``order_count`` and the three scored columns.

        Returns
        -------
        DataFrame
            A shallow copy with ``r_score``, ``f_score``, ``m_score`` (``Int8``, missing for never-buyers) and
            ``segment`` (ordered category: the eight types by value, then ``prospect``); ``attrs["rfm"]`` holds the
            ``description``.

        Raises
        ------
        ArgumentError
            A column is missing, or a buyer's value is missing or infinite.
        """
        check_is_fitted(self, "cut_points_")
        buyers, values = self._values(snap)
        never = ~buyers
        scored = snap.copy(deep=False)
        low: dict[Dimension, NDArray[np.int8]] = {}
        for dimension, column, name, sign in zip(DIMENSIONS, self._columns(), _SCORES, _SIGNS, strict=True):
            band = np.ones(len(snap), dtype=np.int8)
            better, worse = _TURNED[sign]
            for cut in self.cut_points_[column].dropna().tolist():
                band += compared(values[dimension], better, cut)
            scored[name] = pd.arrays.IntegerArray(band, never.copy())
            low[dimension] = compared(values[dimension], worse, self.splits_[dimension]).view(np.int8)
        codes = 4 * low["monetary"] + 2 * low["recency"] + low["frequency"]
        codes = np.maximum(codes, never.view(np.int8) * np.int8(len(SEGMENTS)))
        names = pd.Index([*SEGMENTS, PROSPECT])
        scored[SEGMENT] = pd.Categorical.from_codes(codes, names, ordered=True)
        scored.attrs = {**snap.attrs, "rfm": self.description()}
        return scored

    def description(self) -> dict[str, Any]:
        """Return what later steps need to know of the fit, as scalars.

        Returns
        -------
        dict
            For each dimension ``d``: ``d`` (its column), ``d_split`` and ``d_spread`` (in the column's unit).
        """
        check_is_fitted(self, "cut_points_")
        told: dict[str, Any] = dict(zip(DIMENSIONS, self._columns(), strict=True))
        told |= {f"{dimension}_split": float(value) for dimension, value in self.splits_.items()}
        return told | {f"{dimension}_spread": float(value) for dimension, value in self.spreads_.items()}

    def _columns(self) -> tuple[str, str, str]:
        return self.recency, self.frequency, self.monetary

    def _values(self, snap: pd.DataFrame) -> tuple[NDArray[np.bool_], dict[Dimension, NDArray[Any]]]:
        """Say who is a buyer, and give the three columns."""
        missing = [column for column in (ORDER_COUNT, *self._columns()) if column not in snap.columns]
        if missing:
            what = f"the snapshot has no {', '.join(missing)}"
            raise ArgumentError("missing-column", what, hint="study.snapshot(as_of)")
        buyers = snap[ORDER_COUNT].to_numpy() > 0
        values: dict[Dimension, NDArray[Any]] = {}
        for dimension, column in zip(DIMENSIONS, self._columns(), strict=True):
            values[dimension] = plain(snap[column])
            bad = buyers & ~np.isfinite(values[dimension])
            if bad.any():
                what = "buyers with a missing or infinite value"
                hint = f"snap[np.isfinite(snap['{column}']) | (snap['{ORDER_COUNT}'] == 0)]"
                raise ArgumentError("not-finite", what, column=column, count=int(bad.sum()), hint=hint)
        return buyers, values

    def _given_splits(self) -> dict[Dimension, float]:
        if isinstance(self.split, str):
            if self.split not in {"median", "mean"}:
                raise ArgumentError("split", f"split is {self.split!r}", hint='split="median"')
            return {}
        if set(self.split) != set(DIMENSIONS) or not all(np.isfinite(value) for value in self.split.values()):
            hint = 'split={"recency": 90, "frequency": 1, "monetary": 500}'
            raise ArgumentError(
                "split", "split needs one finite number for each of recency, frequency, monetary", hint=hint
            )
        return {dimension: float(self.split[dimension]) for dimension in DIMENSIONS}

    def _enough_buyers(self) -> Check:
        few = self.n_buyers_ < _ENOUGH_BUYERS
        told = "descriptive only, too few to model" if few else "enough to learn from"
        return Check("few_buyers", "failed" if few else "passed", f"{self.n_buyers_:,} buyers: {told}", self.n_buyers_)

    def _sides(self, ranked: Floats, dimension: Dimension, column: str) -> Check:
        split, n = self.splits_[dimension], self.n_buyers_
        sign = _SIGNS[DIMENSIONS.index(dimension)]
        high = n - int(np.searchsorted(ranked, beyond(sign * split), side="right"))
        side = max(high, n - high)
        told = f"{high:,} of {n:,} buyers are high on {column}, better than {split:g}"
        return Check("split_sides", "failed" if side > _ONE_SIDED * n else "passed", told, side, column)


def _ranked(values: NDArray[Any], sign: float) -> Floats:
    """Sort values turned so that large is good."""
    values.sort()
    ranked = values.astype(np.float64, copy=False)
    return ranked if sign > 0 else -ranked[::-1]


def _scores(ranked: Floats, cuts: Floats, bins: int, column: str) -> Check:
    edges = [0, *np.searchsorted(ranked, beyond(cuts), side="right").tolist(), len(ranked)]
    sizes = np.diff(edges)
    told = f"{column} has {len(sizes)} of {bins} scores, of {', '.join(f'{n:,}' for n in sizes)} buyers"
    fewer: Status = "failed" if len(sizes) == 1 else "informational"
    return Check("fewer_scores", "passed" if len(sizes) == bins else fewer, told, len(sizes), column)


def _separating(ranked: Floats, cuts: Floats) -> Floats:
    above = len(ranked) - np.searchsorted(ranked, beyond(cuts), side="right")
    kept = np.concatenate(([True], above[1:] < above[:-1])) & (above > 0)
    return cuts[kept]


def _top_customer(column: str, spend: Floats) -> Check:
    total, top = float(spend.sum()), float(spend.max())
    if total <= 0 or len(spend) < 2 or top <= _BIG_SHARE * total:
        return Check("top_customer", "passed", f"no customer brings over {_BIG_SHARE:.0%} of {column}")
    return Check(
        "top_customer",
        "informational",
        f"one customer brings {top / total:.1%} of {column}: the mean is {total / len(spend):,.2f} with and "
        f"{(total - top) / (len(spend) - 1):,.2f} without them",
        1,
    )
