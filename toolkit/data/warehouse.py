"""One business's tables behind one gate: `toolkit.Study` without what the later rooms add."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.data import features, question
from toolkit.data.episodes import Outcome, episodes
from toolkit.data.gate import Gate
from toolkit.data.outcomes import assignments, outcomes
from toolkit.data.sql import readable
from toolkit.schema import SNAPSHOT, UNDATED, as_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd

    from toolkit.data.measures import Measure


class Warehouse(Gate):
    """One business: its exports, cleaned once, and what can be asked of them at a date.

    Open one with `Study.open`, `Study.from_frames` or `Study.demo`; attributes are those of
    `toolkit.data.opening.Opened`.
    """

    @readable
    def snapshot(
        self,
        as_of: str | date,
        columns: Sequence[str] | None = None,
        *,
        until: str | date | None = None,
        known: str | date | None = None,
        cuts_at: str | date | None = None,
        customers: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """One row per customer seen up to the end of the local day ``as_of``, sorted by id.

        Parameters
        ----------
        as_of
            The day; only rows dated (and, where given, recorded) up to its end count.
        columns
            The columns wanted; only what these need is computed. All by default.
        until
            Only rows dated up to this day enter, while windows and recency end at ``as_of``; ``as_of`` by default.
        known
            Only rows recorded by this day enter (where the export says when); ``as_of`` by default.
        cuts_at
            Day at which price bands were learned; `cuts_date` by default.
        customers
            Ids of the only customers wanted, as they stand in the index: much faster for a few. All by default.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``customer_id`` (``string[pyarrow]``). Days are local days, money is in currency units, and the
            window is the last ``window_days`` days up to ``as_of``. Columns (`toolkit.schema.SNAPSHOT`):

            - ``first_order_date last_order_date``: first and last day with a used order line;
            - ``recency_days tenure_days``: ``as_of`` minus the last and the first of these;
            - ``order_count``: distinct orders; ``order_days window_order_days``: distinct days with an order;
            - ``spend window_spend``: paid minus refunded; ``refund_amount``: refunded, positive;
            - ``mean_order_value last_order_value``: paid per order, before refunds; ``max_price``: highest unit price;
            - ``mean_gap_days``: mean days between order days; ``repeat_spend``: paid on order days after the first;
            - ``discount_share``: share of the list price not paid in the window, where orders have a ``list_price``;
            - ``lines main_price_band high_band_share low_band_share``: paid lines in the window, by price of one unit;
            - ``top_layer lead_in_product``: of product layers, where orders have a ``product_layer``;
            - ``joined_date acquisition_channel persona gender age_band region occupation interests followers override
              referrals``: from the table customers;
            - ``last_active_date active_days active_days_30d interactions interactions_30d interaction_rate opens
              opens_30d stay_seconds_30d lessons_started lessons_completed completion_rate intent_30d``: from events;
            - ``contacts_7d contacts_30d contacts_90d contact_opens_7d contact_opens_30d contact_opens_90d
              days_since_contact offers``: from contacts; ``opted_out``: from these, events and customers;
            - ``last_nps days_since_nps``: from surveys; ``membership_state membership_end_date``: from memberships;
            - ``idle_days``: days since the last order or act, or since first seen where there was neither.

            Never-buyers have counts and money 0, and missing dates, recency and order values.
            ``attrs`` holds ``as_of`` (ISO text), ``price_cuts`` (where bands were computed) and ``not_point_in_time``:
            columns whose past is unknown (`undated`).

        Raises
        ------
        InputError
            More rows or money would be quarantined than the budget allows, or nothing is visible at ``as_of``.
        ArgumentError
            A column is unknown, or ``as_of`` is not a day.
        """
        day = as_day(as_of)
        self._admit(day)
        clock = features.Clock(
            day,
            day if until is None else as_day(until, name="until"),
            day if known is None else as_day(known, name="known"),
            self.settings.window_days,
        )
        learned_at = self.cuts_date(day) if cuts_at is None else as_day(cuts_at, name="cuts_at")
        found = features.snapshot(
            self._connection,
            clock,
            columns=columns,
            tables=self._sources_of_columns,
            customers=customers,
            one_row_a_day=self._one_row_a_day,
            price_cuts=lambda: self.price_cuts(learned_at),
        )
        return self._dated(found)

    @readable
    def episodes(
        self,
        landmarks: Sequence[str | date],
        as_of: str | date,
        columns: Sequence[str] | None = None,
        *,
        outcome: Outcome = "order",
    ) -> pd.DataFrame:
        """One row per landmark and customer: features as visible at the landmark, and what came of it by ``as_of``.

        Parameters
        ----------
        landmarks
            Days at which customers are looked at.
        as_of
            The day up to which is known what happened; no landmark is later.
        columns
            Columns of the snapshot wanted as features; all by default.
        outcome
            ``order``: of buyers at the landmark, the next day with an order; time runs from the landmark.
            ``end``: of members at the landmark, the first day without cover; time runs from the start of the unbroken
            membership, and they enter late, at the landmark.
            ``lost_reach``: of buyers who could be reached at the landmark, the opt-out or unfollow of the logs.

        Returns
        -------
        pandas.DataFrame
            Sorted by landmark and id, indexed by ``customer_id``, which comes once per landmark. Columns:

            - ``landmark`` (datetime64);
            - ``duration_days`` (float64): days on the clock until the event, or until ``as_of`` where there was none;
            - ``event`` (int64): 0 none yet, 1 the outcome, 2 the account was deleted before (events of the kind
              ``delete_account``; who was deleted by the landmark has no row);
            - ``entry_days`` (float64): days on the clock at the landmark, 0 unless the clock started before it;
            - the columns of the snapshot at the landmark, see `snapshot`.

            ``attrs`` holds ``as_of``, ``landmarks``, ``outcome``, ``price_cuts`` (of ``as_of``, for all landmarks)
            and ``not_point_in_time``.

        Raises
        ------
        ArgumentError
            No landmark, one after ``as_of`` or given twice; nobody at any of them; a table that is not there.
        InputError
            As for `snapshot`.

        Examples
        --------
        >>> import pandas as pd, toolkit as tk
        >>> orders = pd.DataFrame({"customer_id": ["C1", "C1", "C2"], "amount": ["1200.50", "80", "15"],
        ...                        "ordered_at": ["2026-01-05", "2026-02-01 10:30", "2026-02-03"]})
        >>> study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
        >>> study.episodes(["2026-01-31", "2026-02-10"], as_of="2026-02-28", columns=["recency_days"])
                      landmark  duration_days  event  entry_days  recency_days
        customer_id
        C1          2026-01-31            1.0      1         0.0          26.0
        C1          2026-02-10           18.0      0         0.0           9.0
        C2          2026-02-10           18.0      0         0.0           7.0
        """
        last = as_day(as_of)
        self._admit(last)
        found = episodes(
            self._connection,
            [as_day(landmark, name="landmarks") for landmark in landmarks],
            last,
            outcome=outcome,
            columns=columns,
            tables=self._sources_of_columns,
            window_days=self.settings.window_days,
            one_row_a_day=self._one_row_a_day,
            price_cuts=lambda: self.price_cuts(self.cuts_date(last)),
        )
        return self._dated(found)

    @readable
    def assignments(self, experiment: str, as_of: str | date) -> pd.DataFrame:
        """One row per customer and arm of an experiment, as assigned up to the end of ``as_of``, in order of time.

        Parameters
        ----------
        experiment
            Its id in the table assignments.
        as_of
            The day.

        Returns
        -------
        pandas.DataFrame
            Columns ``customer_id arm tier cluster_id`` (text; the last two may be missing) and ``assigned_at``
            (local time). A customer who stands in two arms has two rows.

        Raises
        ------
        ArgumentError
            The study has no table assignments, or nobody was assigned to that experiment by then.
        InputError
            As for `snapshot`.
        """
        day = as_day(as_of)
        self._admit(day)
        return assignments(self._connection, experiment, day, self._tables)

    @readable
    def outcomes(
        self,
        starts: pd.Series,
        as_of: str | date,
        measures: Mapping[str, Measure],
        *,
        first_day: int = 0,
        last_day: int = 28,
    ) -> pd.DataFrame:
        """Measure customers over a window of their own.

        Parameters
        ----------
        starts
            Moment in local time from which each window runs, indexed by ``customer_id``.
        as_of
            Only rows visible at the end of this day enter.
        measures
            Name of a column -> what is measured (`toolkit.data.measures.Measure`).
        first_day, last_day
            The window runs from ``first_day`` to just before ``last_day`` days after its start; negative days are
            before it.

        Returns
        -------
        pandas.DataFrame
            Indexed like ``starts``; float64 columns, 0 where there is nothing. A window that ends after ``as_of`` is
            not complete: whether it counts is for the caller to say.

        Raises
        ------
        ArgumentError
            Starts that are no moments, missing or repeated; an empty window; a measure whose table is not there.
        InputError
            As for `snapshot`.

        Examples
        --------
        >>> import pandas as pd, toolkit as tk
        >>> from toolkit.data.measures import Measure
        >>> orders = pd.DataFrame({"customer_id": ["C1", "C1", "C2"], "amount": ["1200.50", "80", "15"],
        ...                        "ordered_at": ["2026-01-05", "2026-02-01 10:30", "2026-02-03"]})
        >>> study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
        >>> starts = pd.Series(pd.Timestamp("2026-02-01"), index=pd.Index(["C1", "C2"], name="customer_id"))
        >>> study.outcomes(starts, "2026-02-28", {"spend": Measure("spend")}, last_day=2)
                     spend
        customer_id
        C1            80.0
        C2             0.0
        """
        day = as_day(as_of)
        self._admit(day)
        return outcomes(self._connection, starts, day, measures, days=(first_day, last_day), tables=self._tables)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a snapshot of this study can have, in their order."""
        return tuple(column.name for column in SNAPSHOT if question.available(column.name, self._sources_of_columns))

    def price_cuts(self, learned_at: str | date) -> tuple[float, float]:
        """Return the two prices that part low from mid and mid from high: those of the study file, else terciles."""
        day = as_day(learned_at, name="learned_at")
        if self.settings.price_bands is not None:
            return self.settings.price_bands
        if day not in self._price_cuts:
            clock = features.Clock.at(day, self.settings.window_days)
            self._price_cuts[day] = features.learned_price_cuts(self._connection, clock)
        return self._price_cuts[day]

    @property
    def undated(self) -> tuple[str, ...]:
        """Snapshot columns as exported, not as of a date: the table customers has them without ``valid_from``."""
        mapped = self.files["customers"][0].mapping if "customers" in self.files else {}
        return () if "valid_from" in mapped else tuple(name for name in UNDATED if name in mapped)

    def cuts_date(self, as_of: str | date) -> date:
        """Day at which cut points are learned: ``cuts: {learned_at: ...}`` of the study file, else ``as_of``."""
        return self.settings.cuts.learned_at if self.settings.cuts else as_day(as_of)

    @readable
    def calendar(self, as_of: str | date) -> pd.DataFrame:
        """Return used order lines and money per local day, from the first day to ``as_of``; empty days are 0.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``day``; columns ``lines`` (int64), ``spend`` (currency units).
        """
        return features.calendar(self._connection, as_day(as_of))

    @property
    def _sources_of_columns(self) -> list[str]:
        optional = (question.LIST_PRICE, question.PRODUCT_LAYER)
        mapped = {f"orders.{column}" for file in self.files["orders"] for column in file.mapping}
        return [*self._tables, *(column for column in optional if column in mapped)]

    @property
    def _one_row_a_day(self) -> bool:
        late = any("recorded_at" in file.mapping for file in self.files["orders"])
        return not late and self.settings.policies.zero_orders == "exclude"

    def _dated(self, found: pd.DataFrame) -> pd.DataFrame:
        found.attrs["not_point_in_time"] = tuple(name for name in self.undated if name in found.columns)
        return found
