"""Who gets which arm: from a hash of the id alone, so that nobody moves when others come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.strategy.experiment import HOLDOUT
from toolkit.strategy.pool import (
    ARM,
    ASSIGNED_AT,
    CLUSTER_ID,
    EXPERIMENT_ID,
    TIER,
    arms_in_order,
    earlier_rows,
    pool_of,
    uniform,
)
from toolkit.strict import nearest
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from numpy.typing import NDArray

    from toolkit.strategy.experiment import Experiment
    from toolkit.strategy.pool import Pool


def assign(
    tiered: pd.DataFrame,
    spec: Experiment,
    *,
    assigned_at: str | date | datetime | None = None,
    earlier: pd.DataFrame | None = None,
    quotas: Mapping[Any, int] | None = None,
) -> pd.DataFrame:
    """Assign every customer to an arm, or keep them out, by a salted hash of the id.

    Parameters
    ----------
    tiered
        One row per customer, indexed by ``customer_id`` (text), with the column ``spec.tier`` and, where groups are
        assigned, ``spec.cluster``: ``tk.Tiers(study).fit(snap).transform(snap)``. An empty tier is the tier ``none``.
    spec
        The experiment.
    assigned_at
        Day or local moment that is written down; ``spec.assigned.first`` by default.
    earlier
        Rows that this function gave for the same experiment before. They are returned first and unchanged, in the tier
        of that time; groups that stand in them keep their arm. Needed where there is a capacity, where customers may
        have changed tier under ``shares_by_tier``, and harmless elsewhere.
    quotas
        Tier -> at most so many of its units outside the control arm, such as
        ``plan.allocation["neyman"].to_dict()``. Without it a capacity is filled whatever the tier.

    Returns
    -------
    DataFrame
        The table ``assignments``: ``experiment_id customer_id arm assigned_at tier cluster_id``, in the order of
        ``tiered``. ``arm`` is one of ``spec.arms`` or ``holdout``; who is beyond the capacity has no row;
        ``cluster_id`` is missing where customers are assigned one by one.

    Raises
    ------
    ArgumentError
        No column of tiers or groups; missing or repeated ids, missing groups; ids that are no text; a moment
        outside ``spec.assigned``; earlier rows of two arms for one unit, or of arms that the experiment has not.

    Notes
    -----
    ``u(purpose, id)`` is the first 13 hexadecimal digits of SHA-256 of ``"purpose:salt:id"`` over 16**13, so that any
    warehouse finds the same arms. A unit is held out where ``u("holdout", id)`` is below ``spec.holdout``; otherwise
    its arm is the first, by name, whose cumulative share in the unit's tier is above
    ``u("arm", id)``. Nothing else enters: neither the order of rows nor who else is there. Groups are hashed by their
    own id, and have the shares of their commonest tier (the first in the order of tiers where two are as common).

    A capacity is of a pool, so it cannot be met by looking at one id: units come in the order of ``u("place", id)``
    until it is filled, and nobody after that, in control neither. Later batches get what the rows of ``earlier``
    have left.

    Examples
    --------
    >>> from toolkit.strategy.experiment import Experiment
    >>> spec = Experiment.parse({
    ...     "experiment": "coupon", "arms": {"none": 0.5, "coupon": 0.5}, "control": "none", "tier": "stage",
    ...     "assigned": {"first": "2026-09-01", "last": "2026-09-07"}, "window_days": 28, "smallest_effect": 0.02,
    ...     "primary": "bought", "metrics": {"bought": {"kind": "proportion", "of": "orders"}}})
    >>> tiered = pd.DataFrame({"stage": ["new", "new", "loyal"]}, index=pd.Index(["C1", "C2", "C3"]))
    >>> assign(tiered, spec)[["customer_id", "arm", "assigned_at", "tier"]]
      customer_id     arm assigned_at   tier
    0          C1  coupon  2026-09-01    new
    1          C2    none  2026-09-01    new
    2          C3    none  2026-09-01  loyal
    """
    moment = _moment(assigned_at, spec)
    before = earlier_rows(earlier, spec)
    pool = pool_of(tiered, spec, before)
    code = np.where(pool.before >= 0, pool.before, _arms(pool, spec))
    chosen = np.flatnonzero(_kept(pool, code, spec, before, quotas)[pool.unit])
    names = np.array(arms_in_order(spec), dtype=object)
    fresh = pd.DataFrame(
        {
            EXPERIMENT_ID: spec.experiment,
            CUSTOMER_ID: pool.customers.iloc[chosen].array,
            ARM: names[code[pool.unit[chosen]]],
            ASSIGNED_AT: moment,
            TIER: pool.tiers.iloc[chosen].array,
            CLUSTER_ID: pool.clusters.iloc[chosen].array,
        }
    ).astype(before.dtypes)
    return pd.concat([before, fresh], ignore_index=True) if len(before) else fresh


def _arms(pool: Pool, spec: Experiment) -> NDArray[np.intp]:
    """Return the place of each unit's arm in `arms_in_order`."""
    salt = spec.salt or spec.experiment
    place = uniform(pool.names, salt, "arm")
    shares = np.array([[spec.shares(tier)[arm] for arm in arms_in_order(spec)[:-1]] for tier in pool.order]).reshape(
        -1, len(spec.arms)
    )
    ends = shares.cumsum(axis=1)[:, :-1]
    code: NDArray[np.intp] = (place[:, None] >= ends[pool.unit_tier]).sum(axis=1).astype(np.intp)
    if spec.holdout:
        code[uniform(pool.names, salt, HOLDOUT) < spec.holdout] = len(spec.arms)
    return code


def _kept(
    pool: Pool, code: NDArray[np.intp], spec: Experiment, before: pd.DataFrame, quotas: Mapping[Any, int] | None
) -> NDArray[np.bool_]:
    """Tell which units there is room for."""
    kept = np.ones(len(code), dtype=np.bool_)
    if spec.capacity is None and quotas is None:
        return kept
    _refuse_quotas(quotas, pool, spec)
    outside = before[~before[ARM].isin([spec.control, HOLDOUT])].drop_duplicates(
        CLUSTER_ID if spec.unit == "cluster" else CUSTOMER_ID
    )
    fresh = np.flatnonzero((pool.before < 0) & (code < len(spec.arms)))
    order = fresh[np.argsort(uniform((pool.names[unit] for unit in fresh), spec.salt or spec.experiment, "place"))]
    treated = code != arms_in_order(spec).index(spec.control)
    if quotas is None:
        kept[order] = _filled(treated[order], (spec.capacity or 0) - len(outside))
    else:
        for tier, name in enumerate(pool.order):
            mine = order[pool.unit_tier[order] == tier]
            kept[mine] = (
                _filled(treated[mine], quotas[name] - int((outside[TIER] == name).sum())) if len(mine) else True
            )
    return kept


def _filled(treated: NDArray[np.bool_], room: int) -> NDArray[np.bool_]:
    """Tell who comes before there is no more room; a control unit takes none, and comes no later than the last."""
    taken = treated.astype(np.int64)
    last = room if taken.sum() > room else len(taken) + 1
    return (taken.cumsum() - taken < last) & (room > 0)


def _refuse_quotas(quotas: Mapping[Any, int] | None, pool: Pool, spec: Experiment) -> None:
    if quotas is None:
        return
    if spec.unit == "cluster":
        raise ArgumentError("quotas", "groups have customers of several tiers", hint="capacity without quotas")
    without = sorted({pool.order[tier] for tier in pool.unit_tier} - set(quotas))
    if without:
        raise ArgumentError(
            "quotas",
            f"tier {without[0]!r} has no quota{nearest(without[0], quotas)}",
            hint=f'quotas={{"{without[0]}": 0}}',
        )
    if spec.capacity is not None and sum(quotas.values()) > spec.capacity:
        what = f"quotas add up to {sum(quotas.values()):,}, above the capacity of {spec.capacity:,}"
        raise ArgumentError("quotas", what, hint='plan.allocation["neyman"].to_dict()')


def _moment(assigned_at: str | date | datetime | None, spec: Experiment) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(spec.assigned.first if assigned_at is None else assigned_at)
        within = moment.tzinfo is None and spec.assigned.first <= moment.date() <= spec.assigned.last
    except (ValueError, TypeError):
        within = False
    if not within:
        what = (
            f"assigned_at is no local day or moment from {spec.assigned.first} to {spec.assigned.last}: {assigned_at!r}"
        )
        raise ArgumentError("assigned-at", what, hint=f'assigned_at="{spec.assigned.first}"')
    return moment.floor("s")
