"""Who moved between two dates, and why: one set of cut points, one substitution after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.errors import ArgumentError, Check
from toolkit.schema import as_day
from toolkit.segments.bridge import Step, adds_up, bridge
from toolkit.segments.moved import GONE, NEW, Drift, drift_of, matrix_of, moved_of
from toolkit.segments.tier_reader import TierReader, spent

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from toolkit.data.warehouse import Warehouse


@dataclass(frozen=True, repr=False, eq=False)
class Migration:
    """Who moved between two dates, and why; see `migrate`.

    Attributes
    ----------
    before, after
        The days.
    by
        The scheme.
    learned_at
        The day at which the one set of cut points was learned.
    tiers
        The scheme's tiers, in order.
    matrix
        One row per pair: ``from`` (a tier or ``new``), ``to`` (a tier or ``gone``), ``customers``, ``share`` (of those
        of ``from``) with ``lower`` and ``upper`` (95 % Wilson interval; missing where ``from`` is empty),
        ``spend_before``, ``spend_after`` (currency, each in its own window).
    bridge
        ``tier measure start correction gone clock behaviour new end drift``: customers (whole numbers) and spend
        (`decimal.Decimal`) of every tier, then ``total``. From ``start`` to ``new`` they add up to ``end``, exactly;
        ``drift`` stands beside.
    moved
        One row per customer whose tier differs: ``customer_id from to spend_before spend_after cause`` (the first step
        at which the tier was another than at the start) ``corrected clocked`` (the tier after these steps; missing
        where the customer is not there).
    drift
        How much of naive migration only the cut points made.
    not_measured
        Whether rewritten and merged rows could not be measured, for want of the rows as they were stored at ``before``;
        then ``correction`` holds late rows with a ``recorded_at`` only.
    checks
        Whether the bridge adds up, and whether the correction was measured.
    """

    before: date
    after: date
    by: str
    learned_at: date
    tiers: tuple[str, ...]
    matrix: pd.DataFrame
    bridge: pd.DataFrame
    moved: pd.DataFrame
    drift: Drift
    not_measured: bool
    checks: tuple[Check, ...]

    def entered(self, tier: str) -> pd.DataFrame:
        """Return the rows of ``moved`` of who came into a tier, or is ``gone``."""
        return self.moved[self.moved["to"] == self._known(tier, GONE)]

    def left(self, tier: str) -> pd.DataFrame:
        """Return the rows of ``moved`` of who left a tier, or is ``new``."""
        return self.moved[self.moved["from"] == self._known(tier, NEW)]

    @property
    def sentence(self) -> str:
        """How much of naive migration was threshold drift, in one sentence."""
        found = self.drift
        if not found.naive_moved:
            return "No customer moves when cut points are learned anew each time."
        return (
            f"Of {found.naive_moved:,} customers who move when cut points are learned anew each time,"
            f" {found.drift_only:,} ({found.share:.0%}) move only because the cut points moved."
        )

    def table(self, values: str = "customers") -> pd.DataFrame:
        """Lay a column of the matrix out as a table: rows are where customers came from, columns where they are."""
        rows, columns = [*self.tiers, NEW], [*self.tiers, GONE]
        named = self.matrix.astype({"from": "object", "to": "object"})
        return named.pivot_table(index="from", columns="to", values=values).reindex(index=rows, columns=columns)

    def __repr__(self) -> str:
        return f"{self._head}\n{self.bridge.to_string(index=False)}"

    def _repr_html_(self) -> str:
        counts = self.table().fillna(0).astype("int64")
        return f"<p>{self._head}</p>{counts.to_html(border=0)}{self.bridge.to_html(border=0, index=False)}"

    @property
    def _head(self) -> str:
        flag = " Corrections: late rows only, no stored snapshot." if self.not_measured else ""
        return (
            f"{len(self.moved):,} customers stand elsewhere in {self.by} on {self.after} than on {self.before},"
            f" cut points of {self.learned_at}. {self.sentence}{flag}"
        )

    def _known(self, tier: str, beside: str) -> str:
        if tier not in (*self.tiers, beside):
            hint = f"one of {', '.join((*self.tiers, beside))}"
            raise ArgumentError("tier", f"{self.by} has no tier {tier!r}", hint=hint)
        return tier


def migrate(
    study: Warehouse,
    before: str | date,
    after: str | date,
    by: str = "segment",
    *,
    tiers: Any = None,
    stored: pd.DataFrame | None = None,
) -> Migration:
    """Say who moved between two dates, and split each tier's change into its causes.

    Parameters
    ----------
    study
        The study.
    before, after
        The days, the earlier one first.
    by
        The scheme: a tier column of the transformer.
    tiers
        Transformer from a snapshot to tier columns, such as ``RFM()``; ``Tiers(study)`` where None. A copy of it learns
        its cut points on the study's cut date for ``before``.
    stored
        The snapshot as the report of ``before`` kept it (indexed by ``customer_id``); without one, what was rewritten
        or merged since cannot be told (``not_measured``).

    Returns
    -------
    Migration
        Matrix, bridge, who moved and why, and how much of naive migration was drift of cut points.

    Raises
    ------
    ArgumentError
        The days are not in order, the scheme is unknown (the hint lists the known ones), or ``stored`` lacks a column
        or is of another day.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    One substitution after the other, all under cut points learned once. ``start``: the rows as stored, seen at
    ``before``. ``correction``: today's rows dated up to ``before``, as they are known at ``after``. ``gone``: ids that
    these no longer have. ``clock``: the same rows seen at ``after``; windows and recency move on. ``behaviour``: rows
    of ``(before, after]``. ``new``: customers first seen in these. As each is the difference of two sums, the parts add
    up. Price bands of ``stored`` are as stored: where they were learned otherwise, that is a correction. ``drift`` is
    the end under cut points learned at ``after`` less the end, and no part of the sum.

    Examples
    --------
    >>> import pandas as pd, toolkit as tk
    >>> from toolkit.segments.rfm import RFM
    >>> orders = pd.DataFrame({"customer_id": ["C1", "C1", "C2", "C3", "C2", "C4"], "amount": [60, 50, 80, 10, 40, 20],
    ...     "ordered_at": ["2026-01-05", "2026-02-20", "2026-02-01", "2026-01-10", "2026-03-03", "2026-03-09"]})
    >>> study = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    >>> move = migrate(study, "2026-02-28", "2026-03-31", tiers=RFM())
    >>> move.moved[["customer_id", "from", "to", "cause"]]
      customer_id       from            to      cause
    0          C1  champions  lapsing_core      clock
    1          C2       lost  lapsing_core  behaviour
    2          C4        new     newcomers        new
    >>> move.bridge.loc[move.bridge["tier"] == "total", ["measure", "start", "behaviour", "new", "end"]]
          measure     start behaviour      new       end
    9   customers         3         0        1         4
    19      spend  200.0000   40.0000  20.0000  260.0000
    """
    first, last = as_day(before, name="before"), as_day(after, name="after")
    if first >= last:
        raise ArgumentError("order-of-days", f"before ({first}) is not earlier than after ({last})", hint="swap them")
    cut = study.cuts_date(first)
    reader = TierReader(study, by, tiers)
    own = reader.snapshot(first, cuts_at=cut) if stored is None else _as_stored(stored, first)
    reader = reader.learned(own if cut == first else reader.snapshot(cut, cuts_at=cut))
    snaps = {
        "start": own,
        "correction": reader.snapshot(first, cuts_at=cut, until=first, known=last),
        "clock": reader.snapshot(last, cuts_at=cut, until=first, known=last),
        "end": reader.snapshot(last, cuts_at=cut),
    }
    ids = own.index.union(snaps["correction"].index).union(snaps["clock"].index).union(snaps["end"].index)
    steps = {name: Step(ids, snap.index, reader.codes(snap), spent(snap)) for name, snap in snaps.items()}
    anew = reader.snapshot(last, cuts_at=last)
    relearned = Step(ids, anew.index, reader.learned(anew).codes(anew), spent(anew))
    naive = steps["start"]
    if cut != first:
        then = reader.snapshot(first, cuts_at=first)
        naive = Step(ids, then.index, reader.learned(then).codes(then), spent(then))
    table = bridge(steps, relearned, reader.names)
    return Migration(
        before=first,
        after=last,
        by=by,
        learned_at=cut,
        tiers=reader.names,
        matrix=matrix_of(steps["start"], steps["end"], reader.names),
        bridge=table,
        moved=moved_of(ids, steps, reader.names),
        drift=drift_of(steps["start"], steps["end"], naive, relearned),
        not_measured=stored is None,
        checks=(adds_up(table), _measured(stored is not None)),
    )


def _as_stored(stored: pd.DataFrame, first: date) -> pd.DataFrame:
    """Take a stored snapshot; its price bands are its own, so what made them is no longer compared."""
    day = stored.attrs.get("as_of", first.isoformat())
    if day != first.isoformat():
        raise ArgumentError("stored-day", f"the stored snapshot is of {day}, not of {first}", hint=f'before="{day}"')
    own = stored.copy(deep=False)
    own.attrs = {name: value for name, value in stored.attrs.items() if name != "price_cuts"}
    return own


def _measured(stored: bool) -> Check:  # noqa: FBT001 - one fact, told once
    if stored:
        return Check("correction", "passed", "today's rows are compared with those stored at the earlier report")
    message = "not_measured: no stored snapshot, so only late rows that say when they were recorded are corrections"
    return Check("correction", "informational", message, subject="not_measured")
