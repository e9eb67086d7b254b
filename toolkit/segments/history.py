"""Tiers over time: spells, flaps, and hysteresis with what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.schema import as_day
from toolkit.segments.hysteresis import Flaps, Trace, Waiting, changes, flap_meter, reported, waiting
from toolkit.segments.tier_reader import ABSENT, TierReader, spent
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from toolkit.data.warehouse import Warehouse
    from toolkit.segments.hysteresis import Flags
    from toolkit.segments.tier_reader import Codes


@dataclass(frozen=True, repr=False, eq=False)
class TierHistory:
    """Tiers over time; see `tier_history`.

    Attributes
    ----------
    by
        The scheme.
    learned_at
        The day at which the one set of cut points was learned.
    spells
        ``customer_id tier valid_from valid_to``: one row per stay in a tier, by customer and time. Days are
        evaluations; ``valid_to`` is the first evaluation that reports another tier, missing while the stay goes on.
    per_date
        Index ``date``: ``customers`` known, ``changes`` reported that day, their ``share`` of the customers known
        before (missing at the first date).
    flaps
        The flap meter of the reported tiers.
    flaps_without
        The flap meter without hysteresis.
    cost
        What hysteresis costs: nothing where there is none.
    band, minimum_stay, within
        As given.
    """

    by: str
    learned_at: date
    spells: pd.DataFrame
    per_date: pd.DataFrame
    flaps: Flaps
    flaps_without: Flaps
    cost: Waiting
    band: float
    minimum_stay: int
    within: int

    @property
    def sentence(self) -> str:
        """What the flap meter reads, in one sentence."""
        found = self.flaps
        undone = f"{found.flaps:,} of {found.judged:,} ({found.share:.0%})" if found.judged else "none of 0"
        avoided = self.flaps_without.flaps - found.flaps
        cost = (
            f" {avoided:,} flaps are avoided; {self.cost.late:,} lasting changes come"
            f" {self.cost.mean_delay_days:.0f} days late on average."
            if self.band or self.minimum_stay > 1
            else ""
        )
        return (
            f"{found.changes:,} changes of {self.by} among {found.customers:,} customers; {undone} were undone"
            f" within {self.within} evaluations.{cost}"
        )

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.per_date}"

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence}</p>{self.per_date.to_html(border=0)}"


@dataclass(frozen=True, eq=False)
class _Evaluations:
    """All customers at all dates under one set of cuts, and whether their tier is clear of each band."""

    learned_at: date
    ids: pd.Index[str]
    names: tuple[str, ...]
    trace: Trace
    clear: dict[float, Flags] = field(default_factory=dict)


def tier_history(
    study: Warehouse,
    dates: Iterable[str | date],
    by: str = "segment",
    *,
    tiers: Any = None,
    band: float = 0.0,
    minimum_stay: int = 1,
    within: int = 2,
) -> TierHistory:
    """Follow every customer's tier over evaluations with one set of cut points.

    Parameters
    ----------
    study
        The study.
    dates
        At least two days in rising order: the evaluations. Each sees the rows known on its day.
    by
        The scheme: a tier column of the transformer.
    tiers
        Transformer from a snapshot to tier columns, such as ``RFM()``; ``Tiers(study)`` where None. A copy of it learns
        its cut points on the study's cut date for the first day.
    band
        Hysteresis: a change counts at once only if the tier is the same with every learned cut multiplied by
        ``1 - band`` and by ``1 + band``. 0 is no band.
    minimum_stay
        A change counts once it has stood so many evaluations in a row; 1 is no such rule. With both, either will do;
        with neither, every change counts.
    within
        A change that is undone within so many evaluations is a flap.

    Returns
    -------
    TierHistory
        Spells, changes per date, the flap meter with and without hysteresis, and its cost.

    Raises
    ------
    ArgumentError
        Dates are fewer than two or not rising, an option is out of its range, or the scheme is unknown.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    With a band alone a customer who stays within it keeps the old tier for good (a Schmitt trigger); ``minimum_stay``
    ends that. A change lasts, in truth, if the tier under the learned cuts stands two evaluations, or to the end; late
    is one that is not reported at once.

    Examples
    --------
    >>> import toolkit as tk
    >>> from toolkit.segments.rfm import RFM
    >>> orders = pd.DataFrame({"customer_id": ["C1", "C2", "C3", "C1"], "amount": [60, 80, 10, 40],
    ...                        "ordered_at": ["2026-01-05", "2026-01-20", "2026-01-25", "2026-02-20"]})
    >>> study = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    >>> tier_history(study, ["2026-01-31", "2026-02-28", "2026-03-31"], tiers=RFM()).spells
      customer_id            tier valid_from   valid_to
    0          C1            lost 2026-01-31 2026-02-28
    1          C1       champions 2026-02-28 2026-03-31
    2          C1    lapsing_core 2026-03-31        NaT
    3          C2    slipping_big 2026-01-31        NaT
    4          C3       newcomers 2026-01-31 2026-02-28
    5          C3            lost 2026-02-28        NaT
    """
    _refuse(band, minimum_stay, within)
    found = _evaluate(study, dates, by, tiers, [band] if band else [])
    trace = found.trace
    told = reported(trace.codes, found.clear.get(band), minimum_stay)
    return TierHistory(
        by=by,
        learned_at=found.learned_at,
        spells=_spells(found.ids, told, found.names, trace.dates),
        per_date=_per_date(told, trace.dates),
        flaps=flap_meter(told, within),
        flaps_without=flap_meter(trace.codes, within),
        cost=waiting(trace, told),
        band=band,
        minimum_stay=minimum_stay,
        within=within,
    )


def compare_hysteresis(
    study: Warehouse,
    dates: Iterable[str | date],
    by: str = "segment",
    *,
    tiers: Any = None,
    bands: Sequence[float] = (0.0, 0.1, 0.2),
    stays: Sequence[int] = (1, 2, 3),
    within: int = 2,
) -> pd.DataFrame:
    """Compare settings of hysteresis: flaps avoided against changes told late.

    Parameters
    ----------
    study, dates, by, tiers, within
        As for `tier_history`.
    bands, stays
        Values of ``band`` and ``minimum_stay``; each is tried with each.

    Returns
    -------
    DataFrame
        Index ``(band, minimum_stay)``; ``changes flaps flap_share flaps_avoided lasting late mean_delay_days
        misplaced_customers misplaced_spend`` (means over the evaluations; currency).

    Raises
    ------
    ArgumentError, InputError
        As for `tier_history`.
    """
    for band in bands:
        _refuse(band, min(stays), within)
    found = _evaluate(study, dates, by, tiers, [band for band in bands if band])
    before = flap_meter(found.trace.codes, within)
    rows = {}
    for band in bands:
        for stay in stays:
            told = reported(found.trace.codes, found.clear.get(band), stay)
            meter, cost = flap_meter(told, within), waiting(found.trace, told)
            rows[band, stay] = {
                "changes": meter.changes,
                "flaps": meter.flaps,
                "flap_share": meter.share,
                "flaps_avoided": before.flaps - meter.flaps,
                **vars(cost),
            }
    table = pd.DataFrame.from_dict(rows, orient="index")
    whole = ["changes", "flaps", "flaps_avoided", "lasting", "late"]
    return table.rename_axis(index=["band", "minimum_stay"]).astype(dict.fromkeys(whole, "int64"))


def _evaluate(
    study: Warehouse, dates: Iterable[str | date], by: str, tiers: Any, bands: Collection[float]
) -> _Evaluations:
    days = tuple(as_day(one, name="dates") for one in dates)
    if len(days) < 2 or any(late <= early for early, late in pairwise(days)):
        what = "dates must be at least two days in rising order"
        raise ArgumentError("dates", what, hint='dates=["2026-09-30", "2026-10-31"]')
    cut = study.cuts_date(days[0])
    reader = TierReader(study, by, tiers)
    learned = reader.snapshot(cut, cuts_at=cut)
    reader = reader.learned(learned)
    readers = {shift: reader.shifted(shift, learned) for band in bands for shift in (-band, band)}
    last = reader.snapshot(days[-1], cuts_at=cut)
    ids = last.index
    shape = len(ids), len(days)
    codes, spend = np.full(shape, ABSENT, dtype=np.int8), np.zeros(shape, dtype=np.int64)
    clear = {band: np.zeros(shape, dtype=np.bool_) for band in bands}
    for t, day in enumerate(days):
        snap = last if day == days[-1] else reader.snapshot(day, cuts_at=cut)
        places = ids.get_indexer(snap.index)
        own = reader.codes(snap)
        codes[places, t], spend[places, t] = own, spent(snap)
        for band in bands:
            low, high = (readers[shift].codes(snap) for shift in (-band, band))
            clear[band][places, t] = (own == low) & (own == high)
    return _Evaluations(cut, ids, reader.names, Trace(days, codes, spend), clear)


def _spells(ids: pd.Index[str], told: Codes, names: Sequence[str], dates: Sequence[date]) -> pd.DataFrame:
    starts = changes(told)
    starts[:, 0] = told[:, 0] != ABSENT
    starts[:, 1:] |= (told[:, 1:] != ABSENT) & (told[:, :-1] == ABSENT)
    who, when = np.nonzero(starts)
    days = np.array(dates, dtype="datetime64[s]")
    until = np.full(len(who), np.datetime64("NaT"), dtype="datetime64[s]")
    goes_on = who[:-1] == who[1:]
    until[:-1][goes_on] = days[when[1:][goes_on]]
    codes: NDArray[np.int8] = told[who, when]
    tier = pd.Categorical.from_codes(codes, pd.Index(names), ordered=True)  # type: ignore[arg-type]  # stub wants lists
    return pd.DataFrame({CUSTOMER_ID: ids[who], "tier": tier, "valid_from": days[when], "valid_to": until})


def _per_date(told: Codes, dates: Sequence[date]) -> pd.DataFrame:
    known = (told != ABSENT).sum(axis=0)
    changed = changes(told).sum(axis=0)
    before = np.concatenate(([np.nan], known[:-1]))
    table = pd.DataFrame(
        {"customers": known, "changes": changed, "share": changed / np.where(before > 0, before, np.nan)}
    )
    return table.set_index(pd.DatetimeIndex(list(dates), name="date"))


def _refuse(band: float, minimum_stay: int, within: int) -> None:
    if not 0 <= band < 1:
        raise ArgumentError("band", f"band must lie between 0 and 1, not {band}", hint="band=0.1")
    for name, value in (("minimum_stay", minimum_stay), ("within", within)):
        if value < 1:
            raise ArgumentError(name.replace("_", "-"), f"{name} is a number of evaluations, not {value}", hint="2")
