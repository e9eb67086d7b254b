"""Who was assigned to which arm so far: what can be looked at while an experiment runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.errors import ToolkitError
from toolkit.strategy.sample_ratio import SampleRatio, sample_ratio
from toolkit.strategy.unit_tiers import tier_order

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.strategy.experiment import Experiment


def assigned_so_far(study: Warehouse, spec: Experiment, day: date) -> SampleRatio | None:
    """Count units by arm, overall and by tier, and test the counts against the planned shares.

    Parameters
    ----------
    study
        The study.
    spec
        The experiment.
    day
        The report's day.

    Returns
    -------
    SampleRatio or None
        None where nobody is in any arm yet. Who stands in two arms is left out; tiers are those of the table
        assignments, and none where it does not give everybody's.
    """
    try:
        rows = study.assignments(spec.experiment, day)
    except ToolkitError:
        return None
    unit = "cluster_id" if spec.unit == "cluster" else "customer_id"
    arms = rows.groupby(unit)["arm"].nunique()
    rows = rows[rows["arm"].isin(list(spec.arms)) & rows[unit].isin(arms.index[arms == 1])].drop_duplicates(unit)
    if rows.empty:
        return None
    by_tier = spec.unit == "customer" and bool(rows["tier"].notna().all())
    tiers = rows["tier"].astype(str) if by_tier else pd.Series("", index=rows.index)
    counted = pd.crosstab(tiers, rows["arm"].astype(str)).reindex(columns=list(spec.arms), fill_value=0)
    planned = pd.DataFrame(
        {arm: [n * spec.shares(tier)[arm] for tier, n in counted.sum(axis="columns").items()] for arm in spec.arms},
        index=counted.index,
    )
    cells = _cells("overall", "", counted.sum(), planned.sum())
    if by_tier:
        for tier in tier_order(study, spec, counted.index):
            cells += _cells("tier", str(tier), counted.T[tier], planned.T[tier])
    return sample_ratio(pd.DataFrame(cells))


def _cells(scope: str, value: str, counted: pd.Series[Any], planned: pd.Series[Any]) -> list[dict[str, object]]:
    return [
        {"scope": scope, "value": value, "arm": arm, "n": int(counted[arm]), "expected": float(planned[arm])}
        for arm in counted.index
    ]
