"""Which features a churn model looks at, in which form, and the design matrix that it makes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ArgumentError, Check
from toolkit.risk.episode_rows import numbers, require
from toolkit.risk.forms import AsIs, Bend, Cross, Log, Missed, Missing, OwnGaps, OwnRate
from toolkit.schema import ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS, WINDOW_ORDER_DAYS, refuse_undated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.risk.forms import Form

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

IDLE_DAYS = "idle_days"
DEFAULT_FEATURES = (
    RECENCY_DAYS,
    ORDER_DAYS,
    TENURE_DAYS,
    "mean_order_value",
    WINDOW_ORDER_DAYS,
    "active_days_30d",
    "opens_30d",
    "contact_opens_30d",
    "contacts_30d",
    IDLE_DAYS,
)
"""Features of a model that is told none: what is known of when, how often and for how much one buys, and of contact."""

EVENTS_PER_COVARIATE = 10
_TIME = (RECENCY_DAYS, TENURE_DAYS, IDLE_DAYS)
_MONEY = ("mean_order_value",)
_REPEATED = 0.01
_OTHERS = 0.25
_CURVED = 1e-4
_EXACT = 1e-9
_TINY = 1e-9
_KNOTS = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95)}


@dataclass(frozen=True, eq=False)
class Design:
    """Columns of a model as learned from training rows.

    Attributes
    ----------
    features
        Features that enter, in order.
    forms
        Columns made of them, in order of priority.
    middle, spread
        Training mean and standard deviation of each column.
    typical
        Training median of each feature.
    strict
        Whether features were named, so that they enter as they are and have no missing values.
    """

    features: tuple[str, ...]
    forms: tuple[Form, ...]
    middle: Floats
    spread: Floats
    typical: Mapping[str, float]
    strict: bool

    def values(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """Return the features of a frame as floats, missing ones as typical; see `Form.of`.

        Raises
        ------
        ArgumentError
            A column is missing or infinite; or a named feature has missing values.
        """
        require(frame, self.features)
        return filled({name: finite(frame, name, strict=self.strict) for name in self.features}, self.typical)

    def matrix(self, values: Mapping[str, Floats]) -> Floats:
        """Return the standardised columns, shape (n, columns)."""
        rows = len(next(iter(values.values()))) if values else 0
        found = np.empty((rows, len(self.forms)), order="F")
        for place, form in enumerate(self.forms):
            found[:, place] = (form.of(values) - self.middle[place]) / self.spread[place]
        return found


def filled(columns: Mapping[str, Floats], typical: Mapping[str, float]) -> dict[str, Floats]:
    """Put the typical value where one is missing, and say where that was."""
    values = {}
    for name, column in columns.items():
        missing = np.isnan(column)
        some = bool(missing.any())
        values[name] = np.where(missing, typical[name], column) if some else column
        values[f"? {name}"] = missing.astype(np.float64) if some else np.broadcast_to(0.0, column.shape)
    return values


def finite(frame: pd.DataFrame, name: str, *, strict: bool) -> Floats:
    """Return a feature as floats.

    Raises
    ------
    ArgumentError
        It is infinite; or missing, where ``strict``.
    """
    column = numbers(frame, name)
    bad = ~np.isfinite(column) if strict else np.isinf(column)
    if bad.any():
        what = "missing or infinite" if strict else "infinite"
        hint = "leave it out, or fill it" if strict else "leave it out: features=(...)"
        raise ArgumentError("not-finite", what, column=name, count=int(bad.sum()), hint=hint)
    return column


def learn_design(
    frame: pd.DataFrame, features: Sequence[str] | None, *, seen: Bools
) -> tuple[Design, Floats, list[Check]]:
    """Learn the columns of a model.

    Parameters
    ----------
    frame
        Training rows.
    features
        Columns that enter as they are; None takes those of `DEFAULT_FEATURES` that the frame has, in forms that suit
        them.
    seen
        Which training rows have the event: with the default features there is one column for every ten of them.

    Returns
    -------
    design, x, checks
        The design, the standardised columns of the training rows, and what was left out and why.

    Raises
    ------
    ArgumentError
        A named feature is missing from the frame, not numeric, not finite or not point-in-time.
    """
    names = _chosen(frame, features)
    columns = {name: finite(frame, name, strict=features is not None) for name in names}
    checks = []
    empty = [name for name in names if np.isnan(columns[name]).all()]
    names = [name for name in names if name not in empty]
    typical = {name: float(np.nanmedian(columns[name])) for name in names}
    values = filled({name: columns[name] for name in names}, typical)
    forms = [AsIs(name) for name in names] if features is not None else _default_forms(names, values, seen)
    raw = np.empty((len(frame), len(forms)), order="F")
    for place, form in enumerate(forms):
        raw[:, place] = form.of(values)
    middle, spread = raw.mean(axis=0), raw.std(axis=0)
    tiny = spread <= _TINY * np.maximum(1.0, np.abs(middle))
    raw -= middle
    raw /= np.where(tiny, 1.0, spread)
    kept, alike = _independent(raw, tiny, forms, exact=features is not None)
    gone = [*empty, *alike]
    message = f"constant, or said by the others already, and left out: {', '.join(gone) or 'none'}"
    checks.append(Check("left_out", "informational" if gone else "passed", message, len(gone), ", ".join(gone)))
    events = int(seen.sum())
    room = events // EVENTS_PER_COVARIATE
    wanted = len(kept)
    if features is None:
        kept = kept[:room]
    checks.append(_events_check(events, wanted, len(kept)))
    entering = tuple(forms[place] for place in kept)
    used = tuple(name for name in names if any(name in form.sources for form in entering))
    design = Design(used, entering, middle[kept], spread[kept], typical, strict=features is not None)
    return design, raw[:, kept], checks


def _chosen(frame: pd.DataFrame, features: Sequence[str] | None) -> list[str]:
    if features is None:
        barred = frame.attrs.get("not_point_in_time", ())
        return [name for name in DEFAULT_FEATURES if name in frame.columns and name not in barred]
    names = [features] if isinstance(features, str) else list(dict.fromkeys(features))
    require(frame, names)
    refuse_undated(frame, names)
    return names


def _default_forms(names: Sequence[str], values: Mapping[str, Floats], seen: Bools) -> list[Form]:
    """Return the forms of the default features, the most telling first.

    Notes
    -----
    What a customer has done is told by the days since the last order, the number of order days and the days since the
    first (Schmittlein, Morrison and Colombo 1987, "Counting your customers", Management Science 33: they suffice for
    the rate and for whether one is still there). Rate, own gaps passed and orders missed are what such processes make
    of them; bends and cross let the data say otherwise.
    """
    first = {
        name: Log(
            name,
            unit=_unit(values[name]) if name in _MONEY else 1.0,
            highest=np.inf if name in _TIME else float(values[name].max(initial=0.0)),
        )
        for name in names
    }
    unknown = {name: values[f"? {name}"] > 0 for name in names}
    missing = [
        Missing(name)
        for name in names
        if min((seen & unknown[name]).sum(), (seen & ~unknown[name]).sum()) >= EVENTS_PER_COVARIATE
    ]
    if not {RECENCY_DAYS, ORDER_DAYS, TENURE_DAYS} <= set(names):
        return [*first.values(), *missing]
    usual = _usual_gap(values)
    recency, orders = first.pop(RECENCY_DAYS), first.pop(ORDER_DAYS)
    first.pop(TENURE_DAYS)
    window = first.pop(WINDOW_ORDER_DAYS, None)
    if window is not None and _says_more(values[WINDOW_ORDER_DAYS], values[ORDER_DAYS]):
        first[WINDOW_ORDER_DAYS] = window
    gaps, rate = _believed(OwnGaps(usual), values), OwnRate(usual)
    missed, left = (_believed(Missed(usual, odds=odds), values) for odds in (False, True))
    main: list[Form] = [recency, rate, orders, gaps, left]
    curved = [*_bends(recency, values, 4), *_bends(gaps, values, 3)]
    if IDLE_DAYS in names:
        main.append(_believed(OwnGaps(usual, since=IDLE_DAYS), values))
        curved += _bends(first[IDLE_DAYS], values, 4)
    crossed = Cross(recency, orders, (float(recency.of(values).mean()), float(orders.of(values).mean())))
    return [*main, *first.values(), *curved, crossed, missed, *_bends(missed, values, 3), *missing]


def _believed(form: OwnGaps | Missed, values: Mapping[str, Floats]) -> OwnGaps | Missed:
    """Draw a form in to what was seen in training: beyond it, the past says nothing."""
    plain = replace(form, odds=False) if isinstance(form, Missed) else form
    return replace(form, highest=float(np.expm1(plain.of(values).max())))


def _says_more(window: Floats, ever: Floats) -> bool:
    """Say whether order days of the window are others than those ever, for customers enough to learn from it.

    Notes
    -----
    While the log is hardly longer than the window, nearly all order days lie in it, and what little the model learns of
    the others is not true of the next day, on which the window has moved on.
    """
    return float((window < ever).mean()) >= _OTHERS


def _unit(money: Floats) -> float:
    paid = money[money > 0]
    return float(np.median(paid)) if len(paid) else 1.0


def _usual_gap(values: Mapping[str, Floats]) -> float:
    repeats = values[ORDER_DAYS] - 1
    several = repeats > 0
    if not several.any():
        return max(float(np.median(values[TENURE_DAYS])), 1.0)
    span = values[TENURE_DAYS][several] - values[RECENCY_DAYS][several]
    return max(float(np.median(span / repeats[several])), 1.0)


def _bends(form: Form, values: Mapping[str, Floats], knots: int) -> list[Form]:
    """Return the curved columns of a form, with as many knots as its values allow."""
    found = np.unique(np.quantile(form.of(values), _KNOTS[knots]))
    if len(found) < 3 or np.diff(found).min() < 1e-6:
        return []
    return [Bend(form, tuple(map(float, found)), number) for number in range(len(found) - 2)]


def _independent(scaled: Floats, tiny: Bools, forms: Sequence[Form], *, exact: bool) -> tuple[list[int], list[str]]:
    """Return the standardised columns that add to those before them, and the names of the others."""
    alike = scaled.T @ scaled / max(len(scaled), 1)
    kept: list[int] = []
    gone: list[str] = []
    for place, form in enumerate(forms):
        left = 0.0
        if not tiny[place]:
            known = alike[kept, place]
            left = 1.0 - float(known @ np.linalg.solve(alike[np.ix_(kept, kept)], known))
        enough = _EXACT if exact else _REPEATED if isinstance(form, Log) else _CURVED
        (kept if left > enough else gone).append(place if left > enough else form.name)  # type: ignore[arg-type]
    return kept, gone


def _events_check(events: int, wanted: int, kept: int) -> Check:
    few = wanted * EVENTS_PER_COVARIATE > events
    message = f"{events:,} events for {wanted} covariates; need >= {EVENTS_PER_COVARIATE} per covariate"
    if kept < wanted:
        message += f", so only the first {kept} enter"
    return Check("events_per_covariate", "failed" if few else "passed", message, events)
