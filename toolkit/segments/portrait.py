"""Who the customers of each tier are, what they buy, read and say, and when: with an index against everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.data.habits import habits
from toolkit.errors import ArgumentError
from toolkit.schema import SEGMENT, as_day
from toolkit.segments.portrait_habits import told_by_tier
from toolkit.segments.portrait_index import TIER, strongest
from toolkit.segments.portrait_people import ATTRIBUTES, MEASURES, OF_ORDERS, numbers, people
from toolkit.strict import nearest

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from toolkit.data.warehouse import Warehouse

_MIN_CELL = 10
_FRAMES = ("people", "numbers", "products", "content", "hours", "content_hours", "service", "surveys")


@dataclass(frozen=True, repr=False, eq=False)
class Portrait:
    """Tiers beside everybody; see `portrait`.

    In every frame ``index`` is 100 times the tier's figure over everybody's, and cells are exact counts: how many
    customers a figure rests on stands in ``customers``.

    Attributes
    ----------
    by
        The scheme.
    as_of
        The day; None where the frame does not say.
    customers
        Customers per tier, in the order of the scheme; tiers that nobody is in are left out.
    people
        Index ``attribute value tier``: ``customers``, ``of`` (whose value is known), ``share``, ``everybody``,
        ``index``, and ``lower upper``, its 95 % interval. A customer counts for each of several interests.
    numbers
        Index ``measure tier``: ``customers mean median everybody index`` (of means).
    products
        Index ``product tier``, of the window: as ``people``, of the tier's buyers; ``lines``, ``spend`` (currency, paid
        before refunds), ``share_of_spend``, ``spend_index``.
    content
        Index ``content tier``, of the window: as ``people``, of those who read anything; ``acts``, ``seconds``.
    hours
        Index ``kind hour tier``, of the window: ``customers acts share everybody index``; shares are of the tier's acts
        of that kind, by local hour.
    content_hours
        The same with index ``content hour tier``, of the contents with most readers. A tier's acts of a thing are few
        at most hours: look at ``customers``.
    service
        Index ``tier``, of the window: ``customers`` who complained, ``complaints``, ``complaints_per_100`` customers,
        ``answered``, ``answered_share``, ``median_reply_hours``, ``everybody_reply_hours``, ``index`` (of complaints
        per customer).
    surveys
        Index ``kind tier``, of the window: ``customers answers mean_score everybody index``.
    undated
        Attributes and measures that are known as exported, not as of the day.
    missing
        Frame -> why it is empty.
    min_cell
        Under how many customers a share is too few to name as a trait.
    """

    by: str
    as_of: date | None
    customers: pd.Series[int]
    people: pd.DataFrame
    numbers: pd.DataFrame
    products: pd.DataFrame = field(default_factory=pd.DataFrame)
    content: pd.DataFrame = field(default_factory=pd.DataFrame)
    hours: pd.DataFrame = field(default_factory=pd.DataFrame)
    content_hours: pd.DataFrame = field(default_factory=pd.DataFrame)
    service: pd.DataFrame = field(default_factory=pd.DataFrame)
    surveys: pd.DataFrame = field(default_factory=pd.DataFrame)
    undated: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    min_cell: int = _MIN_CELL

    def traits(self, each: int = 3) -> pd.DataFrame:
        """Return what marks each tier: at most ``each`` attributes surely above everybody's share, and below it.

        Returns
        -------
        DataFrame
            Rows of ``people`` with ``side``, the surest first; see `toolkit.segments.portrait_index.strongest`. What
            comes from orders (``need``, ``top_layer``) is left out: most tiers do too.
        """
        of_orders = self.people.index.get_level_values("attribute").isin(OF_ORDERS)
        return strongest(self.people[~of_orders], each=each, min_cell=self.min_cell)

    @property
    def sentence(self) -> str:
        """What it holds, in one sentence."""
        there = [name for name in _FRAMES if name not in self.missing]
        on = f" at {self.as_of}" if self.as_of else ""
        return (
            f"{self.customers.sum():,} customers{on} in {len(self.customers)} tiers of {self.by}: {', '.join(there)}."
        )

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self._shown().to_string(float_format='{:,.2f}'.format)}"

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence}</p>{self._shown().to_html(float_format='{:,.2f}'.format, border=0)}"

    def _shown(self) -> pd.DataFrame:
        return self.traits()[["customers", "share", "everybody", "index", "lower", "upper"]]


def portrait(tiered: pd.DataFrame, by: str = SEGMENT, study: Warehouse | None = None) -> Portrait:
    """Describe the customers of each tier, beside everybody.

    Parameters
    ----------
    tiered
        One row per customer with a column of tiers: output of ``Tiers.transform`` at ``attrs["as_of"]``. Attributes
        and measures that are among its columns count.
    by
        The column of tiers; customers without one are left out.
    study
        The study: what customers bought, read and said in its window.

    Returns
    -------
    Portrait
        Frames per tier; what the study has no table for is empty, and ``missing`` says why.

    Raises
    ------
    ArgumentError
        There is no such column, nobody has a tier, or ``tiered`` does not say its day though a study is given.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    Nothing is sampled. The index is descriptive: it says what tiers are like, not what made them so.

    Examples
    --------
    >>> tiered = pd.DataFrame({"segment": ["champions"] * 3 + ["lost"] * 5, "gender": list("ffmmmmmf")})
    >>> told = portrait(tiered)
    >>> told.people[["customers", "of", "share", "index"]].round(2)
                               customers  of  share   index
    attribute value tier
    gender    f     champions          2   3   0.67  177.78
                    lost               1   5   0.20   53.33
              m     champions          1   3   0.33   53.33
                    lost               4   5   0.80  128.00
    """
    if by not in tiered.columns:
        hint = "tk.Tiers(study).fit(snap).transform(snap)"
        raise ArgumentError("scheme", f"the frame has no column {by!r}{nearest(by, tiered.columns)}", hint=hint)
    has_tier = tiered[by].notna()
    if not has_tier.all():
        tiered = tiered.loc[has_tier]
    if tiered.empty:
        raise ArgumentError("no-tier", "no customer has a tier", column=by, hint="by= a column of tiers")
    codes, names = _tiers(tiered[by])
    day = as_day(tiered.attrs["as_of"]) if "as_of" in tiered.attrs else None
    undated = set(tiered.attrs.get("not_point_in_time", ()))
    missing: dict[str, str] = {}
    frames: dict[str, pd.DataFrame] = {}
    if study is not None:
        if day is None:
            hint = "tk.Tiers(study).fit(snap).transform(snap), which keeps attrs"
            raise ArgumentError("no-day", "the frame does not say its day: attrs has no as_of", hint=hint)
        undated |= set(study.undated)
        found = habits(study, tiered.index, codes, since=day - timedelta(days=study.settings.window_days), as_of=day)
        frames = told_by_tier(found, dict(enumerate(names)), np.bincount(codes))
    frames |= {"people": people(tiered, codes, names, by=by), "numbers": numbers(tiered, codes, names)}
    for name in _FRAMES:
        if name not in frames or frames[name].empty:
            missing[name] = (
                _WHY.get(name, _WHY["people"]) if study is not None or name in frames else "no study was given"
            )
    return Portrait(
        by=by,
        as_of=day,
        customers=pd.Series(np.bincount(codes), index=pd.Index(names, name=TIER), name="customers"),
        undated=tuple(name for name in (*ATTRIBUTES, *MEASURES) if name in undated and name in tiered.columns),
        missing=missing,
        min_cell=study.settings.min_cell if study is not None else _MIN_CELL,
        **frames,
    )


_WHY = {
    "people": "no attribute of customers is known: the table customers has none of them",
    "numbers": "nothing was measured beside the orders",
    "products": "no order of the window has a product_id",
    "content": "no event of the window has a content_id",
    "hours": "orders and events of the window have days only, no hours",
    "content_hours": "no event of the window has both a content_id and an hour",
    "service": "no complaint is known in the window",
    "surveys": "no survey was answered in the window",
}


def _tiers(column: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Return the place of each row's tier among those that occur, and their names."""
    told = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    told = told.cat.remove_unused_categories()
    return told.cat.codes.to_numpy().astype(np.int64), [str(name) for name in told.cat.categories]
