"""Every tier scheme of a study as columns, from rules that are data."""

from __future__ import annotations

from copy import copy
from math import inf
from typing import TYPE_CHECKING, Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from toolkit.errors import ArgumentError, StudyFileError
from toolkit.rules.faults import RuleError
from toolkit.rules.rulebook import checked, rulebook
from toolkit.schema import SEGMENT, SNAPSHOT
from toolkit.segments.classify import NINE, SCORED, classify, left_out
from toolkit.segments.overrides import OVERRIDDEN, OVERRIDE, Overrides
from toolkit.segments.rfm import RFM
from toolkit.segments.tier_cuts import learn, table
from toolkit.segments.tiers_explain import explanation
from toolkit.strict import nearest
from toolkit.study import StudyFile, read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from toolkit.data.warehouse import Warehouse
    from toolkit.rules.rulebook import Rulebook, Scheme
    from toolkit.segments.tier_values import Cuts

_PRICED = {"main_price_band", "high_band_share", "low_band_share"}
_PRICE_CUTS = "price_cuts"
_UNKNOWN = "unknown"


class Tiers(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # scikit-learn ships no types
    """Put every customer into exactly one class of every scheme of the study.

    Parameters
    ----------
    study
        The study, or its study file, whose ``tiers``, ``layers``, ``churn_window_days`` and
        ``promote_payment_tier_by`` apply; None takes the defaults.
    rules
        Schemes instead of those of the study, or beside them: scheme -> class (best first) -> rule. See
        `toolkit.rules.grammar.parse` for what a rule can say; ``else`` takes whoever is in no other class.

    Attributes
    ----------
    rfm_ : RFM
        Fitted; it gives the scores and the eight types.
    cut_points_ : DataFrame, index ``(column, population, share)``, column ``cut``
        Quantiles that rules ask for, in the column's unit; infinite where there was nothing to learn from.
    schemes_ : tuple of str
        The schemes that `transform` adds, ``segment`` first.
    left_out_ : dict of str to str
        Scheme -> why it cannot be computed from such a snapshot.

    Raises
    ------
    StudyFileError
        On `fit`: a rule cannot be read, or some customer is in no class of a scheme or in two: the message says who.

    Notes
    -----
    Total and disjoint is proven from the rules (`toolkit.rules.proof`), not from the data. Equal values have equal
    tiers, whatever the order of rows, the ids or the unit of money. Overrides teach no cut.

    Examples
    --------
    >>> snap = pd.DataFrame(
    ...     {"order_count": [1, 4, 0], "order_days": [1, 4, 0], "recency_days": [100, 3, None],
    ...      "window_order_days": [1, 4, 0], "window_spend": [10.0, 99.0, 0.0], "idle_days": [100, 3, 2]},
    ...     index=pd.Index(["A", "B", "C"], name="customer_id"))
    >>> Tiers().fit(snap).transform(snap)[["segment", "purchase_habit", "stage", "phase"]]
                   segment purchase_habit         stage         phase
    customer_id
    A                 lost     occasional      dormancy     retention
    B            champions       frequent      maturity  value_adding
    C             prospect      potential  introduction   acquisition
    """

    def __init__(
        self, study: Warehouse | StudyFile | None = None, rules: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.study = study
        self.rules = rules

    def __sklearn_clone__(self) -> Self:
        return type(self)(self.study, self.rules)

    def fit(self, snap: pd.DataFrame, y: None = None) -> Self:  # noqa: ARG002  # scikit-learn passes y
        """Learn the cut points of RFM and of the rules.

        Parameters
        ----------
        snap
            One row per customer: ``study.snapshot(study.cuts_date(as_of))``.
        y
            Ignored.

        Returns
        -------
        Tiers
            Itself, fitted.

        Raises
        ------
        StudyFileError
            The rules are wrong.
        ArgumentError
            As for `RFM.fit`.
        """
        book = self._read()
        self.rfm_ = RFM().fit(snap)
        self.left_out_ = left_out(book, snap.columns)
        self.schemes_ = (SEGMENT, *(name for name in book.schemes if name not in self.left_out_))
        kept = [book.schemes[name] for name in self.schemes_ if name != SEGMENT]
        self._book = book
        self._had = frozenset(snap.columns)
        self._cuts: Cuts = learn(snap, dict.fromkeys(cut for scheme in kept for cut in scheme.learned))
        self._price_cuts = snap.attrs.get(_PRICE_CUTS, _UNKNOWN)
        return self

    @property
    def cut_points_(self) -> pd.DataFrame:
        """The learned cuts; see `Tiers`."""
        check_is_fitted(self, "schemes_")
        return table(self._cuts)

    def transform(self, snap: pd.DataFrame, only: str | Iterable[str] | None = None) -> pd.DataFrame:
        """Add the columns of tiers.

        Parameters
        ----------
        snap
            A snapshot, scored or not, with the columns that were there when the cuts were learned.
        only
            The schemes wanted; all by default.

        Returns
        -------
        DataFrame
            A shallow copy with ``r_score f_score m_score segment`` (unless it has a ``segment``) and one column per
            scheme (ordered category, best first); where ``snap`` has a column ``override`` also ``overridden`` (text:
            the schemes that were set by hand, missing where none was). What is computed from a scheme follows its
            override.

        Raises
        ------
        ArgumentError
            A column is missing, a scheme or an override is unknown, price bands were learned on another day, or a value
            is none that its column can hold.
        """
        check_is_fitted(self, "schemes_")
        shown = self._shown(only)
        needed = self._book.needed(shown)
        self._check(snap, needed)
        tiered = snap.copy(deep=False) if SEGMENT in snap.columns else self.rfm_.transform(snap)
        by_hand = Overrides(snap, self._classes())
        codes = classify(needed, tiered, self._cuts, by_hand)
        for name, classes in self._classes().items():
            if name in (SEGMENT, *shown):
                tiered[name] = pd.Categorical.from_codes(codes[name], pd.Index(classes), ordered=True)  # type: ignore[arg-type]  # stub wants a list
        if by_hand.there:
            tiered[OVERRIDDEN] = by_hand.column(shown)
        return tiered

    def columns_needed(self, only: str | Iterable[str] | None = None) -> list[str]:
        """Return the snapshot columns to ask for, of those that the study has.

        Parameters
        ----------
        only
            The schemes wanted; all by default.

        Returns
        -------
        list of str
            For ``study.snapshot(as_of, columns=...)``: what RFM and the schemes compare, and ``override``.

        Raises
        ------
        ArgumentError
            A scheme is unknown.
        """
        book = self._book if hasattr(self, "schemes_") else self._read()
        names = _named(only, (SEGMENT, *book.schemes))
        wanted = [*SCORED, *book.columns(names), OVERRIDE]
        return [name for name in dict.fromkeys(wanted) if name in self._available()]

    def shifted(self, by: float) -> Self:
        """Return a fitted copy whose learned cuts and splits are all multiplied by ``1 + by``.

        Parameters
        ----------
        by
            Over -1; numbers that stand in a rule stay.

        Raises
        ------
        ArgumentError
            ``by`` is not over -1.
        """
        check_is_fitted(self, "schemes_")
        if not -1 < by < inf:
            raise ArgumentError("shift", f"by is {by}, not over -1", hint="tiers.shifted(0.1)")
        other = copy(self)
        other.rfm_ = copy(self.rfm_)
        other.rfm_.cut_points_ = self.rfm_.cut_points_ * (1 + by)
        other.rfm_.splits_ = {name: value * (1 + by) for name, value in self.rfm_.splits_.items()}
        other._cuts = {cut: value * (1 + by) for cut, value in self._cuts.items()}  # noqa: SLF001 - of its own class
        return other

    def explain(self, frame: pd.DataFrame, customer_id: str) -> pd.DataFrame:
        """Say for one customer which values and which rule lead to each tier.

        Parameters
        ----------
        frame
            A snapshot, scored or tiered or not, with the columns that the rules compare.
        customer_id
            Its index label.

        Returns
        -------
        DataFrame
            Index ``scheme``. ``tier``; ``values`` (what the scheme compares, as text); ``rule`` (of the tier that the
            rules give, learned cuts as numbers); ``by_hand`` (bool); ``computed`` (what the rules say where the tier
            was set by hand, else missing).

        Raises
        ------
        ArgumentError
            There is no such customer, or more than one; or as for `transform`.

        Examples
        --------
        >>> snap = pd.DataFrame(
        ...     {"order_count": [1, 4], "recency_days": [100, 3], "window_order_days": [1, 4],
        ...      "window_spend": [10.0, 99.0]}, index=pd.Index(["A", "B"], name="customer_id"))
        >>> Tiers().fit(snap).explain(snap, "B").loc["value_class", ["tier", "values", "rule"]].tolist()
        ['high', 'window_spend = 99', 'window_spend > 81.2']
        """
        check_is_fitted(self, "schemes_")
        row = frame.loc[frame.index == customer_id]
        if len(row) != 1:
            what = f"{len(row)} rows of this customer in the frame, not one"
            raise ArgumentError("no-customer", what, examples=[customer_id], hint="tiers.explain(snap, snap.index[0])")
        return explanation(row, self.schemes_, self._book, self.rfm_, self._cuts)

    def _read(self) -> Rulebook:
        try:
            rules = {} if self.rules is None else checked(self.rules)
            if self.study is None:
                return rulebook(rules)
            settings = self.study if isinstance(self.study, StudyFile) else self.study.settings
            return read_rules(settings, rules)
        except RuleError as fault:
            raise StudyFileError(
                "rules", fault.what, where=".".join(("tiers", *fault.keys)), hint="mend the rule, or write: else"
            ) from None

    def _classes(self) -> dict[str, tuple[str, ...]]:
        return {SEGMENT: NINE} | {name: scheme.classes for name, scheme in self._book.schemes.items()}

    def _shown(self, only: str | Iterable[str] | None) -> tuple[str, ...]:
        if only is None:
            return self.schemes_
        names = _named(only, (SEGMENT, *self._book.schemes))
        for name in names:
            if name in self.left_out_:
                hint = "study.snapshot(as_of, columns=tiers.columns_needed())"
                raise ArgumentError("left-out", f"{name} cannot be computed: {self.left_out_[name]}", hint=hint)
        return names

    def _check(self, snap: pd.DataFrame, needed: Iterable[Scheme]) -> None:
        compared = {name for scheme in needed for name in scheme.compared}
        gone = sorted(name for name in compared & self._had if name not in snap.columns)
        if gone:
            what = f"the frame has no {', '.join(gone)}, which the tiers were fitted with"
            raise ArgumentError("missing-column", what, hint="study.snapshot(as_of, columns=tiers.columns_needed())")
        now = snap.attrs.get(_PRICE_CUTS, _UNKNOWN)
        if compared & _PRICED and _UNKNOWN not in (now, self._price_cuts) and now != self._price_cuts:
            what = "the price bands of this snapshot are not those that the tiers were fitted with"
            raise ArgumentError("price-cuts", what, hint="study.snapshot(as_of, cuts_at=study.cuts_date(as_of))")

    def _available(self) -> set[str]:
        if self.study is None or isinstance(self.study, StudyFile):
            return {column.name for column in SNAPSHOT}
        return set(self.study.columns)


def _named(only: str | Iterable[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if only is None:
        return known
    names = (only,) if isinstance(only, str) else tuple(only)
    for name in names:
        if name not in known:
            raise ArgumentError(
                "scheme", f"there is no scheme {name!r}{nearest(name, known)}", hint=f"only={known[:2]}"
            )
    return names
