"""What is doubtful about the units of an evaluation: repeats, dates, unlike arms, what cannot be estimated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from toolkit.errors import ArgumentError, Check
from toolkit.strategy.chosen_test import RANDOMISATION
from toolkit.strategy.unit_checks import balance
from toolkit.strategy.unit_rows import CUSTOMER, UnitRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.strategy.asked import Asked
    from toolkit.strategy.effect_tables import Effects
    from toolkit.strategy.read_units import ReadUnits

MOST_REPEATED = 0.01
_COPY = 0.999


def without_repeats(units: pd.DataFrame | str | Path) -> tuple[UnitRows, list[Check]]:
    """Leave out who stands in several rows: by the column ``customer_id``, or by an index that has a name.

    Raises
    ------
    ArgumentError
        More than 1 % of the customers do.
    """
    rows = UnitRows(units)
    repeated: Any
    if isinstance(units, pd.DataFrame):
        ids = units[CUSTOMER] if rows.columns.count(CUSTOMER) == 1 else units.index if units.index.name else None
        if ids is None:
            return rows, []
        again = np.asarray(ids.duplicated(keep=False)) & ~np.asarray(ids.isna())
        if not again.any():
            return rows, [_repeats(0, len(ids))]
        repeated = pd.Series(ids[again]).nunique()
        check = _repeats(repeated, len(ids) - int(again.sum()) + repeated)
        return UnitRows(units[~again]), [check]
    if CUSTOMER not in rows.columns:
        return rows, []
    repeated, customers = _repeated_in(Path(units))
    check = _repeats(len(repeated), customers)
    if len(repeated):
        rows.leave_out(repeated)
    return rows, [check]


def _repeated_in(path: Path) -> tuple[Any, int]:
    """Return who stands in several rows, and how many customers there are; hashes settle it where nobody does."""
    import duckdb  # noqa: PLC0415  # frames do not need it

    with duckdb.connect(":memory:", config={"memory_limit": "1GB", "preserve_insertion_order": False}) as engine:
        ids = engine.read_parquet(str(path)).filter(f"{CUSTOMER} IS NOT NULL")
        hashes = np.sort(ids.project(f"hash({CUSTOMER}) AS hashed").fetchnumpy()["hashed"])
        if not (hashes[1:] == hashes[:-1]).any():
            return [], len(hashes)
        counted = ids.aggregate(f"{CUSTOMER}, count(*) AS n", CUSTOMER)
        facts = counted.aggregate("count(*), count(*) FILTER (n > 1)").fetchone()
        customers, many = facts or (0, 0)
        _repeats(many, customers)  # stops before a long list of ids is fetched
        return counted.filter("n > 1").project(CUSTOMER).to_arrow_table()[CUSTOMER], customers


def _repeats(count: int, customers: int) -> Check:
    if count > MOST_REPEATED * customers:
        what = f"{count:,} of {customers:,} customers stand in several rows: more than {MOST_REPEATED:.0%}"
        hint = "one row per customer: add up what each did first; nobody may be in two arms"
        raise ArgumentError("repeated-units", what, count=count, hint=hint)
    said = f"{count:,} of {customers:,} customers stand in several rows and are left out"
    return Check(
        "repeated_units", "failed" if count else "passed", said if count else "every customer has one row", count
    )


def order_of_moments(
    rows: UnitRows, assigned_at: str | None, covariate_at: str | None, outcome_at: str | None
) -> list[Check]:
    """Compare covariates and outcomes with the assignment, by their dates.

    Raises
    ------
    ArgumentError
        A covariate is dated at or after assignment, or a unit has no moment of assignment.
    """
    if assigned_at is None:
        if covariate_at or outcome_at:
            what = "covariate_at and outcome_at are compared with the moment of assignment"
            raise ArgumentError("assigned-at", what, hint="assigned_at='assigned_at'")
        return []
    names = [name for name in (assigned_at, covariate_at, outcome_at) if name is not None]
    late = early = undated = units = 0
    for moments in rows.moments_of_time(names):
        assigned = moments[assigned_at]
        units += len(assigned)
        undated += int(np.isnat(assigned).sum())
        if covariate_at:
            late += int((moments[covariate_at] >= assigned).sum())
        if outcome_at:
            early += int((moments[outcome_at] < assigned).sum())
    if undated:
        what = "units have no moment of assignment"
        raise ArgumentError(
            "units-missing", what, column=assigned_at, count=undated, hint="drop them, or leave assigned_at= out"
        )
    if late:
        what = "covariates are dated at or after assignment: they would take the effect away"
        raise ArgumentError("covariate-late", what, column=str(covariate_at), count=late, hint="measure them before")
    checks = []
    if covariate_at:
        checks.append(Check("covariate_before_assignment", "passed", "every covariate is dated before assignment"))
    if outcome_at:
        said = f"{early:,} of {units:,} outcomes are dated before the unit's assignment"
        checks.append(Check("outcome_before_assignment", "failed" if early else "passed", said, early))
    return checks


def balance_check(asked: Asked, read: ReadUnits, arms: Sequence[str]) -> list[Check]:
    """Check that arms were alike in every covariate and in what was asked for besides.

    Notes
    -----
    Differences weighted by the tiers' shares, over their standard error with the variance of all arms together (of
    groups: of each arm), as normal.
    """
    if not asked.balance:
        return []
    names, p_values = [], []
    control = read.arms.index(asked.control)
    share = read.customers.sum(axis=1) / read.customers.sum()
    for metric in asked.balance:
        found, across = read.found[metric], read.across.get(metric)
        units = found.n.sum(axis=1)
        for name in arms:
            pair = [read.arms.index(name), control]
            usable = (found.n[:, pair] >= 2).all(axis=1) & np.isfinite(found.value[:, pair]).all(axis=1)
            if not usable.any():
                continue
            w = share[usable] / share[usable].sum()
            apart = w @ (found.value[usable][:, pair] @ [1.0, -1.0])
            if across is None:
                spread = found.second * units / (units - 1) * (1 / found.n[:, pair]).sum(axis=1)
                variance = w**2 @ spread[usable]
            else:
                variance = sum(w @ across[one][np.ix_(usable, usable)] @ w for one in pair)
            names.append(metric.name)
            p_values.append(float(2 * ndtr(-abs(apart) / np.sqrt(variance))) if variance > 0 else float(apart == 0))
    return [balance(names, p_values)] if names else []


def effect_checks(asked: Asked, read: ReadUnits, found: Effects) -> list[Check]:
    """Say what share of the units the effects cover, which tests served, and which covariates are odd."""
    return [*_covered(read, found), *_tests(asked, found), *_covariates(asked, read)]


def _covered(read: ReadUnits, found: Effects) -> list[Check]:
    at = min(range(len(found.lifts)), key=lambda number: found.lifts[number].covered)
    covered = found.lifts[at].covered
    if covered > 1 - 1e-9:
        return []
    out = ", ".join(tier for tier, w in zip(read.tiers, found.lifts[at].weights, strict=True) if w == 0)
    said = f"the overall effect covers tiers with {covered:.1%} of the units: too few in an arm of {out}"
    return [Check("covered", "failed", said, int((found.lifts[at].weights == 0).sum()), out)]


def _tests(asked: Asked, found: Effects) -> list[Check]:
    dealt = [
        f"{metric} ({arm})"
        for metric in found.metrics
        for arm in found.arms
        if (found.tested.test[found.at(metric, arm)] == RANDOMISATION).any()
    ]
    if not dealt:
        return []
    why = "few groups" if asked.cluster else "values are too skewed for the smaller arm"
    said = f"tested by dealing arms anew, because {why}: {', '.join(dealt)}"
    return [Check("test", "informational", said, len(dealt), ", ".join(dealt))]


def _covariates(asked: Asked, read: ReadUnits) -> list[Check]:
    constant, copies = [], []
    for metric in asked.metrics:
        if metric.covariate is None:
            continue
        found = read.found[metric]
        raw, left = np.nansum(found.raw_variance), np.nansum(found.variance)
        if (found.theta == 0).all():
            constant.append(metric.name)
        elif left < (1 - _COPY) * raw:
            copies.append(metric.name)
    checks = []
    if constant:
        said = f"the covariate tells nothing, it is the same for all or unrelated: {', '.join(constant)}"
        checks.append(Check("covariate_constant", "failed", said, len(constant), ", ".join(constant)))
    if copies:
        said = (
            f"the covariate foretells nearly all of the metric, as if it were measured afterwards: {', '.join(copies)}"
        )
        checks.append(Check("covariate_is_outcome", "failed", said, len(copies), ", ".join(copies)))
    return checks
