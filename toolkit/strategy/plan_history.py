"""What a plan learns from: today's pool, and what those who were customers a window ago have done since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from toolkit.errors import ArgumentError, Check, InputError
from toolkit.strategy.experiment import NO_TIER
from toolkit.strategy.unit_tiers import tier_order

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.risk.clock_looks import Tiering
    from toolkit.strategy.experiment import Experiment

WEEKS = 12
"""Weeks up to the plan whose newcomers stand for those to come."""
TIER, GROUP, Y, PER, X = "tier", "group", "y", "per", "x"


@dataclass(frozen=True, eq=False)
class History:
    """Units of today and of a window ago.

    Attributes
    ----------
    pool
        Today's customers: ``tier`` (categories in order), ``group`` where groups are assigned.
    past
        Customers of a window ago: ``tier`` as it was then, ``y`` (outcome over the window since), ``per`` (denominator
        of a ratio), ``x`` (covariate before that day), ``group``.
    weekly
        New customers per week, by tier.
    checks
        What is doubtful about it.
    """

    pool: pd.DataFrame
    past: pd.DataFrame
    weekly: pd.Series[float]
    checks: tuple[Check, ...]


def history(
    study: Warehouse, spec: Experiment, as_of: date, *, tiers: Tiering | None, groups: pd.Series[Any] | None
) -> History:
    """Pretend that everybody who was a customer then had been assigned a window before ``as_of``.

    Parameters
    ----------
    study, spec, as_of, tiers, groups
        As for `toolkit.strategy.plan.plan_experiment`.

    Raises
    ------
    ArgumentError
        No column of tiers or groups; customers without a group; nobody was a customer then.
    InputError
        As for ``study.snapshot``.
    """
    start = as_of + timedelta(days=1 - spec.window_days)
    today, tiers = _tiered(study, spec, as_of, tiers)
    try:
        then, _ = _tiered(study, spec, start - timedelta(days=1), tiers)
    except InputError as error:
        if error.code not in ("nothing-visible", "nothing-used"):
            raise
        what = f"nobody was a customer {spec.window_days} days before {as_of}, so there is no outcome to learn from"
        raise ArgumentError("no-history", what, hint="a later as_of, or a shorter window_days") from None
    order = tier_order(study, spec, {*today[TIER], *then[TIER]})
    pool, past = (frame.assign(**{TIER: pd.Categorical(frame[TIER], order, ordered=True)}) for frame in (today, then))
    if spec.unit == "cluster":
        pool = pool.assign(**{GROUP: _groups(pool, spec, groups)})
        past = past.assign(**{GROUP: pool[GROUP].reindex(past.index)}).dropna(subset=GROUP)
    elif groups is not None:
        raise ArgumentError("groups", "customers are assigned one by one", hint="unit: cluster in the experiment file")
    starts = pd.Series(pd.Timestamp(start), index=past.index)
    metric = spec.metrics[spec.primary]
    first, last = metric.days or (0, spec.window_days)
    measures = {Y: metric.of} | ({PER: metric.per} if metric.per else {})
    found = study.outcomes(starts, as_of, measures, first_day=first, last_day=last)
    if metric.kind in ("proportion", "retention"):
        found[Y] = (found[Y] > 0).astype(np.float64)
    checks = [_length(study, spec, as_of, start), *_late(spec, as_of), *_shares(spec, order), *_undated(study, spec)]
    if spec.covariate is not None:
        before = {X: spec.covariate.of or metric.of}
        try:
            found[X] = study.outcomes(starts, as_of, before, first_day=-spec.covariate.days, last_day=0)[X]
        except ArgumentError as error:
            if error.code != "measure":
                raise
            checks.append(Check("no_covariate", "failed", f"planned without the covariate: {error.what}"))
    own = [TIER, *([GROUP] if spec.unit == "cluster" else [])]
    return History(pool[own], past[own].join(found), _weekly(study, pool, as_of), tuple(checks))


def _tiered(
    study: Warehouse, spec: Experiment, day: date, tiers: Tiering | None
) -> tuple[pd.DataFrame, Tiering | None]:
    """Return the customers of a day with their tier and what else the experiment needs, and the fitted tiers."""
    wanted = [name for name in (spec.tier, spec.cluster) if name is not None]
    if tiers is None and spec.tier not in study.columns:
        what = f"tier {spec.tier!r} is no column of the snapshot"
        raise ArgumentError("no-tier", what, hint="tiers=tk.Tiers(study)")
    snap = study.snapshot(day, [name for name in wanted if name in study.columns] if tiers is None else None)
    if tiers is not None:
        tiers = _fitted(tiers, snap)
        snap = tiers.transform(snap)
        if spec.tier not in snap.columns:
            what = f"the tiers have no column {spec.tier!r}"
            raise ArgumentError("no-tier", what, hint=f"tier: one of {', '.join(map(str, snap.columns))}")
    tier = snap[spec.tier].astype(object)
    frame = pd.DataFrame({TIER: tier.where(tier.notna(), NO_TIER).astype(str)}, index=snap.index)
    if spec.cluster in snap.columns:
        frame[GROUP] = snap[spec.cluster]
    return frame, tiers


def _fitted(tiers: Tiering, snap: pd.DataFrame) -> Tiering:
    try:
        check_is_fitted(tiers)
    except NotFittedError:
        copy: Tiering = clone(tiers).fit(snap)
        return copy
    return tiers


def _groups(pool: pd.DataFrame, spec: Experiment, groups: pd.Series[Any] | None) -> pd.Series[Any]:
    if groups is None and GROUP not in pool.columns:
        named = f"{spec.cluster!r} is no column of the snapshot" if spec.cluster else "the experiment names no column"
        what = f"whole groups are assigned, and {named}"
        raise ArgumentError("no-cluster", what, hint="groups=a Series of each customer's group")
    if groups is not None and not groups.index.is_unique:
        count = int(groups.index.duplicated().sum())
        raise ArgumentError("groups", "customers stand in several groups", count=count, hint="one group for each")
    found: pd.Series[Any] = pool[GROUP] if groups is None else groups.reindex(pool.index)
    without = int(found.isna().sum())
    if without:
        raise ArgumentError("groups", "customers have no group", count=without, hint="a group of one for each of them")
    return found.astype(str)


def _length(study: Warehouse, spec: Experiment, as_of: date, start: date) -> Check:
    needed = start - timedelta(days=spec.covariate.days if spec.covariate else 0)
    first = study.calendar(as_of).index[0].date()
    if first > needed:
        message = (
            f"the study starts on {first}, and window and covariate need rows from {needed}: its figures are too low"
        )
        return Check("short_history", "failed", message, (first - needed).days)
    return Check("history", "passed", f"learned from {start} to {as_of}", spec.window_days)


def _late(spec: Experiment, as_of: date) -> list[Check]:
    message = f"planned on {as_of}, not before the first assignment on {spec.assigned.first}"
    return [Check("plan_late", "failed", message)] if as_of >= spec.assigned.first else []


def _shares(spec: Experiment, order: tuple[str, ...]) -> list[Check]:
    unknown = [tier for tier in spec.shares_by_tier if tier not in order]
    message = f"shares_by_tier names tiers without a customer: {', '.join(unknown)}"
    return [Check("unknown_tier", "failed", message, len(unknown))] if unknown else []


def _undated(study: Warehouse, spec: Experiment) -> list[Check]:
    message = f"{spec.tier} is known as exported only, so tiers of a window ago are those of today"
    return [Check("tier_undated", "informational", message)] if spec.tier in study.undated else []


def _weekly(study: Warehouse, pool: pd.DataFrame, as_of: date) -> pd.Series[float]:
    try:
        there = study.snapshot(as_of - timedelta(weeks=WEEKS), [study.columns[0]]).index
    except InputError as error:
        if error.code not in ("nothing-visible", "nothing-used"):
            raise
        there = pool.index[:0]
    return pool.loc[~pool.index.isin(there), TIER].value_counts(sort=False) / WEEKS
