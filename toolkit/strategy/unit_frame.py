"""From assignments and logs to one row per unit: who is in which arm, and what each did over its own window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.measures import Measure
from toolkit.errors import ArgumentError, Check
from toolkit.strategy.experiment import HOLDOUT, NO_TIER
from toolkit.strategy.unit_checks import after_outcome, delivery, outside_days, rows_reach, shared_clusters, two_arms
from toolkit.strategy.unit_tiers import SOURCE, before_assignment, tier_order
from toolkit.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.risk.clock_looks import Tiering
    from toolkit.strategy.experiment import Experiment, Kind, Metric

ARM, TIER, CLUSTER, DAY, WHENCE = "arm", "tier", "cluster", "day", "source"
_OWN = (ARM, TIER, CLUSTER, DAY, WHENCE)


@dataclass(frozen=True, eq=False)
class UnitFrame:
    """One row per unit, and what was left out on the way; see `unit_frame`.

    Attributes
    ----------
    units
        Indexed by ``customer_id``: ``arm``, ``tier`` (categories in order), ``day`` (of assignment), ``source`` where
        the study knows it, ``cluster`` where groups were assigned, a column per metric (two of a ratio), and one per
        covariate.
    metrics
        Metric or guardrail -> kind, or the pair of columns of a ratio.
    covariates
        Metric -> column known before assignment.
    checks
        What was left out, and what is doubtful about assignment and delivery.
    """

    units: pd.DataFrame
    metrics: dict[str, Kind | tuple[str, str]]
    covariates: dict[str, str]
    checks: tuple[Check, ...]


def unit_frame(study: Warehouse, spec: Experiment, as_of: date, tiers: Tiering | None = None) -> UnitFrame:
    """Build the frame that an experiment is evaluated on.

    Parameters
    ----------
    study, spec, as_of, tiers
        As for `toolkit.strategy.evaluate.evaluate`.

    Returns
    -------
    UnitFrame
        Everybody who was assigned on the promised days and whose window is closed, whatever they did.

    Raises
    ------
    ArgumentError
        An arm that the experiment does not have; more than 1 % in two arms; groups without a name; no closed window;
        no table for a measure; no tier.
    """
    _refuse_names(spec)
    rows = study.assignments(spec.experiment, as_of)
    _refuse_arms(rows, spec)
    units, checks = _one_arm_each(rows.set_index("customer_id"), spec)
    units, more = _countable(units, spec, as_of)
    frame = _described(study, spec, units, tiers)
    starts = units["assigned_at"]
    metrics, outcomes = _outcomes(study, spec, starts, as_of)
    covariates, before = _covariates(study, spec, starts, as_of)
    more.append(rows_reach(study.calendar(as_of), min(as_of, spec.closes_on)))
    primary = spec.metrics[spec.primary]
    just_before = study.outcomes(starts, as_of, {"of": primary.of}, first_day=-1, last_day=0)["of"]
    checks += [
        *more,
        after_outcome(just_before, frame, spec.control),
        *_delivery(study, spec, starts, frame[ARM], as_of),
    ]
    shared = shared_clusters(units["cluster_id"], frame[ARM]) if spec.unit == "customer" else None
    return UnitFrame(
        pd.concat([frame, outcomes, before], axis=1), metrics, covariates, (*checks, *([shared] if shared else []))
    )


def _refuse_names(spec: Experiment) -> None:
    named = list(_all(spec))
    made = [*_OWN, *map(_per, named), *map(_before, named), _before("")]
    taken = [name for name in named if name in made]
    if taken:
        raise ArgumentError("metric-name", f"a metric may not be called {taken[0]!r}", hint="another name in metrics:")


def _refuse_arms(rows: pd.DataFrame, spec: Experiment) -> None:
    known = [*spec.arms, HOLDOUT]
    strange = rows.loc[~rows["arm"].isin(known), "arm"]
    if len(strange):
        name = str(strange.iloc[0])
        raise ArgumentError(
            "unknown-arm", f"the table assignments has the arm {name!r}{nearest(name, known)}", count=len(strange),
            hint="arms: in the experiment file, or mend the table",
        )  # fmt: skip


def _one_arm_each(rows: pd.DataFrame, spec: Experiment) -> tuple[pd.DataFrame, list[Check]]:
    """Leave out who stands in two arms, and who is held out; rows are in order of time."""
    arms = rows.groupby(level=0)["arm"].nunique()
    twice = arms.index[arms > 1]
    checks = [two_arms(len(twice), len(arms), what="customers")]
    units = rows[~rows.index.isin(twice)]
    if spec.unit == "cluster":
        nameless = int(units["cluster_id"].isna().sum())
        if nameless:
            what = "unit: cluster, and units without cluster_id in the table assignments"
            raise ArgumentError("no-cluster", what, count=nameless, hint="give each its group, or unit: customer")
        arms = units.groupby("cluster_id")["arm"].nunique()
        torn = arms.index[arms > 1]
        checks.append(two_arms(len(torn), len(arms), what="groups"))
        units = units[~units["cluster_id"].isin(torn)]
    kept = units[units["arm"] != HOLDOUT]
    out = len(units) - len(kept)
    if out or spec.holdout:
        checks.append(Check("holdout", "informational", f"{out:,} units were held out of every arm", out))
    return kept, checks


def _countable(units: pd.DataFrame, spec: Experiment, as_of: date) -> tuple[pd.DataFrame, list[Check]]:
    """Keep units that were assigned on the promised days and whose windows are closed."""
    day = units["assigned_at"].dt.normalize()
    promised = day.between(pd.Timestamp(spec.assigned.first), pd.Timestamp(spec.assigned.last))
    closed = day + pd.Timedelta(days=spec.window_days) <= pd.Timestamp(as_of)
    open_ = int((promised & ~closed).sum())
    kept = units[promised & closed]
    if kept.empty:
        what = f"no window of {spec.window_days} days is closed at {as_of}, of {len(units):,} units"
        raise ArgumentError("no-closed-window", what, hint=f"as_of={spec.closes_on.isoformat()!r}, or later")
    message = (
        f"windows of {open_:,} units close after {as_of} and do not count yet" if open_ else "all windows are closed"
    )
    later = Check("open_windows", "informational" if open_ else "passed", message, open_)
    return kept, [outside_days(int((~promised).sum()), len(units), spec), later]


def _described(study: Warehouse, spec: Experiment, units: pd.DataFrame, tiers: Tiering | None) -> pd.DataFrame:
    """Return arm, tier, day of assignment, source and group of each unit."""
    unsaid, source = bool(units["tier"].isna().all()), SOURCE in study.columns
    known = before_assignment(study, spec, units.index, tiers=tiers, tier=unsaid, source=source)
    tier = known["tier"] if unsaid else units["tier"].astype(object).fillna(NO_TIER).astype(str)
    frame = pd.DataFrame(
        {
            ARM: units["arm"].astype(str),
            TIER: pd.Categorical(tier, tier_order(study, spec, tier.unique()), ordered=True),
            DAY: units["assigned_at"].dt.strftime("%Y-%m-%d"),
        },
        index=units.index,
    )
    if source:
        frame[WHENCE] = known["source"]
    if spec.unit == "cluster":
        frame[CLUSTER] = units["cluster_id"].astype(str)
    return frame


def _outcomes(
    study: Warehouse, spec: Experiment, starts: pd.Series, as_of: date
) -> tuple[dict[str, Kind | tuple[str, str]], pd.DataFrame]:
    metrics: dict[str, Kind | tuple[str, str]] = {}
    windows: dict[tuple[int, int], dict[str, Measure]] = {}
    for name, metric in _all(spec).items():
        wanted = windows.setdefault(metric.days or (0, spec.window_days), {})
        wanted[name] = metric.of
        metrics[name] = metric.kind
        if metric.per is not None:
            wanted[_per(name)] = metric.per
            metrics[name] = (name, _per(name))
    found = pd.concat(
        [
            study.outcomes(starts, as_of, wanted, first_day=first, last_day=last)
            for (first, last), wanted in windows.items()
        ],
        axis=1,
    )
    shares = [name for name, metric in _all(spec).items() if metric.kind in ("proportion", "retention")]
    return metrics, found.assign(**{name: (found[name] > 0).astype("float64") for name in shares})


def _covariates(
    study: Warehouse, spec: Experiment, starts: pd.Series, as_of: date
) -> tuple[dict[str, str], pd.DataFrame]:
    """Measure each metric, or what is to stand for all, over the days before the day of assignment."""
    if spec.covariate is None:
        return {}, pd.DataFrame(index=starts.index)
    one = spec.covariate.of
    measures = {_before(""): one} if one else {_before(name): metric.of for name, metric in _all(spec).items()}
    found = study.outcomes(
        starts.dt.normalize(), as_of, measures, first_day=-spec.covariate.days, last_day=0
    )  # the day itself is left out: part of it lies after the assignment
    return {name: _before("" if one else name) for name in _all(spec)}, found


def _delivery(study: Warehouse, spec: Experiment, starts: pd.Series, arm: pd.Series, as_of: date) -> tuple[Check, ...]:
    if not spec.campaigns or "contacts" not in study.files:
        lacks = "the experiment names no campaigns" if not spec.campaigns else "this study has no table contacts"
        return (Check("delivery_unknown", "informational", f"whether the arms were delivered is not known: {lacks}"),)
    measures = {name: Measure("messages", campaigns) for name, campaigns in spec.campaigns.items() if campaigns}
    found = study.outcomes(starts, as_of, measures, last_day=spec.window_days)
    return delivery({name: found[name] for name in measures}, arm, spec)


def _all(spec: Experiment) -> Mapping[str, Metric]:
    return {**spec.metrics, **spec.guardrails}


def _per(name: str) -> str:
    return f"{name} per"


def _before(name: str) -> str:
    return f"{name} before".lstrip()
