"""The units that an experiment assigns, read from a frame of customers and from the rows of earlier batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.strategy.experiment import HOLDOUT, NO_TIER
from toolkit.strict import nearest
from toolkit.tables import ASSIGNMENTS, CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from toolkit.strategy.experiment import Experiment

EXPERIMENT_ID, _, ARM, ASSIGNED_AT, TIER, CLUSTER_ID = COLUMNS = tuple(column.name for column in ASSIGNMENTS.columns)
TEXT = "string[pyarrow]"
_DTYPES = {name: "datetime64[s]" if name == ASSIGNED_AT else TEXT for name in COLUMNS}
_BITS = 52
"""As many as a float64 holds exactly: 13 hexadecimal digits."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Customers to be assigned, and the units they are in.

    Attributes
    ----------
    customers, tiers, clusters
        Text, one per customer; ``clusters`` is missing where customers are the units.
    unit
        Place of each customer's unit in ``names``.
    names
        Id of each unit.
    order
        The tiers in order.
    unit_tier
        Place in ``order`` of each unit's tier: of a group, its commonest.
    before
        Place in `arms_in_order` of the arm that a unit has already; -1 where it has none.
    """

    customers: pd.Series[str]
    tiers: pd.Series[str]
    clusters: pd.Series[str]
    unit: NDArray[np.intp]
    names: list[str]
    order: tuple[str, ...]
    unit_tier: NDArray[np.intp]
    before: NDArray[np.intp]


def arms_in_order(spec: Experiment) -> tuple[str, ...]:
    """Return the arms by name, so that the order in the file is of no account, and last the hold-out."""
    return (*sorted(spec.arms), HOLDOUT)


def uniform(names: Iterable[str], salt: str, purpose: str) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each id: 13 hexadecimal digits of SHA-256 of ``purpose:salt:id``, over 16**13.

    Examples
    --------
    >>> uniform(["C1", "C2"], "coupon", "arm").round(4).tolist()
    [0.2793, 0.5374]
    """
    start = hashlib.sha256(f"{purpose}:{salt}:".encode())
    whole = []
    for name in names:
        one = start.copy()
        one.update(name.encode())
        whole.append(int.from_bytes(one.digest()[:7]) >> 4)
    return np.array(whole, dtype=np.float64) / 2.0**_BITS


def earlier_rows(earlier: pd.DataFrame | None, spec: Experiment) -> pd.DataFrame:
    """Return the rows of this experiment among earlier ones, as the table assignments has them.

    Raises
    ------
    ArgumentError
        A column is not there; a customer or group stands in two rows or arms; an arm is not the experiment's.
    """
    if earlier is None:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _DTYPES.items()})
    needed = [CUSTOMER_ID, ARM, ASSIGNED_AT, *([CLUSTER_ID] if spec.unit == "cluster" else [])]
    for name in needed:
        if name not in earlier.columns:
            raise ArgumentError("earlier", f"earlier has no column {name}", hint="give what tk.assign returned")
    if len(earlier) and pd.api.types.infer_dtype(earlier[CUSTOMER_ID]) != "string":
        what = "the customer ids of earlier are no text"
        raise ArgumentError("earlier", what, column=CUSTOMER_ID, hint="pd.read_csv(path, dtype=str)")
    if EXPERIMENT_ID in earlier.columns:
        earlier = earlier[earlier[EXPERIMENT_ID] == spec.experiment]
    rows = earlier.assign(**{EXPERIMENT_ID: spec.experiment}).reindex(columns=list(COLUMNS)).astype(_DTYPES)
    empty = rows[needed].isna().any(axis=1)
    if empty.any():
        what = f"rows of earlier have no {' or no '.join(needed)}"
        raise ArgumentError("earlier", what, count=int(empty.sum()), hint="leave them out of earlier")
    _refuse_two_arms(rows, spec)
    return rows.reset_index(drop=True)


def _refuse_two_arms(rows: pd.DataFrame, spec: Experiment) -> None:
    unknown = sorted(set(rows[ARM]) - {*spec.arms, HOLDOUT})
    if unknown:
        what = f"earlier has the arm {unknown[0]!r}{nearest(unknown[0], [*spec.arms, HOLDOUT])}"
        raise ArgumentError("earlier", what, hint="the experiment file that these rows were made with")
    twice = rows[CUSTOMER_ID].duplicated()
    if twice.any():
        what = "customers stand in several rows of earlier"
        raise ArgumentError("earlier", what, count=int(twice.sum()), hint="leave out those who stand in two arms")
    if spec.unit == "cluster":
        split = rows.drop_duplicates([CLUSTER_ID, ARM])[CLUSTER_ID].duplicated()
        if split.any():
            what = "groups stand in two arms of earlier"
            raise ArgumentError("earlier", what, count=int(split.sum()), hint="leave these groups out of earlier")


def pool_of(tiered: pd.DataFrame, spec: Experiment, before: pd.DataFrame) -> Pool:
    """Read a frame of customers, leaving out those who are assigned already.

    Raises
    ------
    ArgumentError
        See `toolkit.strategy.assign.assign`.
    """
    _refuse_ids(tiered.index)
    tier = _filled(tiered, spec.tier, "tier")
    order = tuple(map(str, tier.cat.categories)) if isinstance(tier.dtype, pd.CategoricalDtype) else None
    here = ~tiered.index.isin(before[CUSTOMER_ID])
    customers = pd.Series(tiered.index[here], dtype=TEXT)
    tiers = _text(tier[here])
    order = order or tuple(sorted(set(tiers)))
    codes = pd.Categorical(tiers, categories=order).codes.astype(np.intp)
    if spec.unit == "customer":
        nowhere = np.full(len(customers), -1, dtype=np.intp)
        empty: pd.Series[Any] = pd.Series(pd.NA, index=customers.index, dtype=TEXT)
        every = np.arange(len(customers))
        return Pool(customers, tiers, empty, every, customers.tolist(), order, codes, nowhere)
    if spec.cluster is None:
        what = "whole groups are assigned and the experiment does not say by which column"
        raise ArgumentError("no-cluster", what, hint="cluster: household in the experiment file")
    groups = _filled(tiered, spec.cluster, "group")
    if pd.api.types.is_float_dtype(groups.dtype):
        what = f"groups are names and {spec.cluster} holds decimal numbers"
        raise ArgumentError("group", what, column=spec.cluster, hint=f'{spec.cluster} as text, such as "G12"')
    clusters = _text(groups[here])
    unit, names = pd.factorize(clusters)
    unit = unit.astype(np.intp)
    counts = np.bincount(unit * len(order) + codes, minlength=len(names) * len(order)).reshape(-1, len(order) or 1)
    known = before.drop_duplicates(CLUSTER_ID).set_index(CLUSTER_ID)[ARM].astype(object)
    arms = {arm: place for place, arm in enumerate(arms_in_order(spec))}
    had = known.reindex(names.astype(object)).map(arms).fillna(-1).to_numpy(dtype=np.float64).astype(np.intp)
    commonest = counts.argmax(axis=1).astype(np.intp) if len(names) else had
    return Pool(customers, tiers, clusters, unit, names.tolist(), order, commonest, had)


def _text(values: pd.Series[Any]) -> pd.Series[str]:
    return pd.Series(values.map(str).to_numpy(dtype=object), dtype=TEXT)


def _refuse_ids(ids: pd.Index[Any]) -> None:
    empty = int(np.count_nonzero(ids.isna()))
    if empty:
        what = "customers have no id"
        raise ArgumentError("no-id", what, count=empty, hint="leave them out: a row without id is nobody")
    if len(ids) and pd.api.types.infer_dtype(ids, skipna=False) != "string":
        what = "the index of the frame is not customer ids as text"
        raise ArgumentError("id", what, hint='tiered.set_index("customer_id"), ids read with dtype=str')
    twice = ids.duplicated()
    if twice.any():
        raise ArgumentError(
            "twice", "customers stand in several rows", count=int(twice.sum()), examples=ids[twice],
            hint="one row per customer, as study.snapshot gives it",
        )  # fmt: skip


def _filled(tiered: pd.DataFrame, column: str, what: str) -> pd.Series[Any]:
    if column not in tiered.columns:
        hint = "tk.Tiers(study).fit(snap).transform(snap)" if what == "tier" else f"join the column {column} first"
        raise ArgumentError(
            f"no-{what}", f"the frame has no column {column}{nearest(column, tiered.columns)}", hint=hint
        )
    if tiered.columns.tolist().count(column) > 1:
        raise ArgumentError(f"no-{what}", f"several columns are called {column}", hint="rename all but one")
    found = tiered[column]
    if what == "tier":
        return _without_gaps(found)
    empty = found.isna()
    if empty.any():
        hint = "a group of one for each of them"
        raise ArgumentError(f"no-{what}", f"customers have no {what}", column=column, count=int(empty.sum()), hint=hint)
    return found


def _without_gaps(tier: pd.Series[Any]) -> pd.Series[Any]:
    """Say ``none`` where a customer has no tier, as plan and evaluation do."""
    if not tier.isna().any():
        return tier
    if isinstance(tier.dtype, pd.CategoricalDtype):
        return tier.cat.add_categories([NO_TIER] if NO_TIER not in tier.cat.categories else []).fillna(NO_TIER)
    return tier.astype(object).fillna(NO_TIER)
