"""The tier of each unit before it was assigned, where the table assignments does not say, and the order of tiers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd
from sklearn.base import clone

from toolkit.errors import ArgumentError, InputError
from toolkit.schema import PROSPECT, SEGMENT, SEGMENTS
from toolkit.strategy.experiment import NO_TIER
from toolkit.study import read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.data.warehouse import Warehouse
    from toolkit.risk.clock_looks import Tiering
    from toolkit.strategy.experiment import Experiment

NEW = "new"
"""Tier of customers who were not there the day before the experiment."""
SOURCE = "acquisition_channel"


def before_assignment(
    study: Warehouse, spec: Experiment, customers: pd.Index, *, tiers: Tiering | None, tier: bool, source: bool
) -> pd.DataFrame:
    """Look at units at the end of the day before the first assignment.

    Parameters
    ----------
    study, spec, tiers
        As for `toolkit.strategy.evaluate.evaluate`.
    customers
        Ids of the units.
    tier, source
        Whether the column ``tier`` (of ``spec.tier``) and the column ``source`` (acquisition channel) are wanted.

    Returns
    -------
    pandas.DataFrame
        Indexed like ``customers``; text, ``new`` for who was not there yet, ``none`` for who has no value.

    Raises
    ------
    ArgumentError
        ``spec.tier`` is no column of the snapshot, nor of what ``tiers`` adds.
    """
    day = spec.assigned.first - timedelta(days=1)
    own = spec.tier in study.columns
    if tier and not own and tiers is None:
        what = f"the table assignments has no tiers, and {spec.tier!r} is no column of the snapshot"
        raise ArgumentError("no-tier", what, hint="tiers=Tiers(study), or a column tier in the table assignments")
    classes = tier and not own
    columns = None if classes else [*([spec.tier] if tier else []), *([SOURCE] if source else [])]
    found = pd.DataFrame(index=customers)
    try:
        snap = study.snapshot(day, columns)
    except InputError as error:
        if error.code not in ("nothing-visible", "nothing-used"):
            raise
        wanted = {"tier": tier, "source": source}
        return found.assign(**{name: NEW for name, is_wanted in wanted.items() if is_wanted})
    if classes:
        snap = clone(tiers).fit(snap).transform(snap)
        if spec.tier not in snap.columns:
            hint = f"tier: one of {', '.join(map(str, snap.columns))}"
            raise ArgumentError("no-tier", f"the tiers have no column {spec.tier!r}", hint=hint)
    there = customers.isin(snap.index)
    for name, column in (("tier", spec.tier if tier else ""), ("source", SOURCE if source else "")):
        if column:
            text = snap[column].astype(object).reindex(customers)
            found[name] = text.where(text.notna(), NO_TIER).astype(str).where(there, NEW)
    return found


def tier_order(study: Warehouse, spec: Experiment, found: Iterable[str]) -> tuple[str, ...]:
    """Return the tiers that were found in the order of their scheme: layers low to high, classes best first.

    Parameters
    ----------
    study, spec
        The study, whose rules and layers give the order, and the experiment, whose ``tier`` names the scheme.
    found
        Tiers of the units.
    """
    there = set(found)
    schemes = read_rules(study.settings).schemes
    if spec.tier in schemes:
        known: tuple[str, ...] = schemes[spec.tier].classes
    else:
        known = {"top_layer": tuple(study.settings.layers), SEGMENT: (*SEGMENTS, PROSPECT)}.get(spec.tier, ())
    known = (*((NO_TIER,) if NO_TIER not in known else ()), *known)
    others = sorted(there - {*known, NEW})
    return tuple(name for name in (*known, *others, NEW) if name in there)
