"""New, retained, resurrected and dormant buyers, period by period, with their money."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import pandas as pd

from toolkit.data.rhythm import buyers_by_period, first_order_day
from toolkit.errors import ArgumentError, Check
from toolkit.schema import as_day

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from toolkit.data.warehouse import Warehouse

KINDS = ("new", "retained", "resurrected")
_OFFSETS = {"M": pd.offsets.MonthEnd(), "Q": pd.offsets.QuarterEnd(), "W": pd.offsets.Week(weekday=6)}


@dataclass(frozen=True, repr=False, eq=False)
class GrowthAccounting:
    """Buyers and money of each period by where they come from; see `growth_accounting`.

    Attributes
    ----------
    as_of
        The day whose knowledge it is.
    periods
        Index ``period`` (its last day). Buyers: ``active`` = ``new`` (never bought before) + ``retained`` (bought in
        the period before too) + ``resurrected`` (bought before, but not in the period before); ``dormant``: bought in
        the period before and not in this one. Money, paid minus refunded in the period (currency): ``spend`` =
        ``spend_new`` + ``spend_retained`` + ``spend_resurrected`` + ``spend_idle`` (refunds to who bought nothing in
        it); ``spend_dormant``: what the dormant brought in the period before.
    checks
        Whether buyers and money add up, to the digit.
    """

    as_of: date
    periods: pd.DataFrame
    checks: tuple[Check, ...]

    @property
    def sentence(self) -> str:
        """The last period in one sentence."""
        last = self.periods.iloc[-1].to_dict()
        on = self.periods.index[-1].date()
        return (
            f"{last['active']:,.0f} bought in the period to {on}: {last['new']:,.0f} new, {last['retained']:,.0f}"
            f" retained, {last['resurrected']:,.0f} resurrected; {last['dormant']:,.0f} went dormant."
        )

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.periods.to_string(float_format='{:,.2f}'.format)}"

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence}</p>{self.periods.to_html(float_format='{:,.2f}'.format, border=0)}"


def growth_accounting(
    study: Warehouse, periods: Literal["M", "Q", "W"] | Iterable[str | date] = "M", *, as_of: str | date | None = None
) -> GrowthAccounting:
    """Split each period's buyers and money into new, retained and resurrected, and count who went dormant.

    Parameters
    ----------
    study
        The study.
    periods
        ``M``, ``Q`` or ``W`` (weeks to Sunday): the calendar's periods from the first order to ``as_of``, those that
        are over. Or the periods' last days, rising; the first period then holds everything up to its end.
    as_of
        Only rows visible then count; the last period's end where periods are given.

    Returns
    -------
    GrowthAccounting
        One row per period; customers and money add up.

    Raises
    ------
    ArgumentError
        Days are not rising or lie after ``as_of``, ``as_of`` is missing where it is needed, or no period is over.
    InputError
        As for ``study.snapshot``.

    Examples
    --------
    >>> import toolkit as tk
    >>> orders = pd.DataFrame({"customer_id": ["C1", "C2", "C1", "C3", "C2"], "amount": [60, 80, 10, 40, 30],
    ...     "ordered_at": ["2026-01-05", "2026-01-20", "2026-02-25", "2026-02-20", "2026-03-02"]})
    >>> study = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    >>> growth_accounting(study, "M", as_of="2026-03-31").periods.iloc[:, :5]
                active  new  retained  resurrected  dormant
    period
    2026-01-31       2    2         0            0        0
    2026-02-28       2    1         1            0        1
    2026-03-31       1    0         0            1        2
    """
    ends, day = _ends(study, periods, as_of)
    found = buyers_by_period(study, ends, day)
    index = pd.DatetimeIndex(list(ends), name="period")
    counts = found[["active", *KINDS]].astype("int64")
    counts["dormant"] = found["leaving"].shift(fill_value=0).astype("int64")
    kinds = [f"spend_{kind}" for kind in (*KINDS, "idle")]
    money = pd.DataFrame({"spend": found["spend_active"] + found["spend_idle"]} | {name: found[name] for name in kinds})
    money["spend_dormant"] = found["spend_leaving"].shift(fill_value=0)
    return GrowthAccounting(
        as_of=day,
        periods=pd.concat([counts, money.astype("float64")], axis="columns").set_index(index),
        checks=(_buyers_add_up(counts), _money_adds_up(money, kinds)),
    )


def _ends(
    study: Warehouse, periods: str | Iterable[str | date], as_of: str | date | None
) -> tuple[tuple[date, ...], date]:
    if isinstance(periods, str):
        if periods not in _OFFSETS:
            raise ArgumentError("periods", f"there is no period {periods!r}", hint=f"one of {', '.join(_OFFSETS)}")
        if as_of is None:
            raise ArgumentError("as-of", "as_of is needed to know which periods are over", hint='as_of="2026-10-31"')
        day = as_day(as_of)
        first = first_order_day(study, day)
        ends = tuple(end.date() for end in pd.date_range(first, day, freq=_OFFSETS[periods]))
        if not ends:
            raise ArgumentError("periods", f"no period is over between {first} and {day}", hint="a later as_of")
        return ends, day
    ends = tuple(as_day(end, name="periods") for end in periods)
    if not ends or any(late <= early for early, late in pairwise(ends)):
        raise ArgumentError("periods", "periods are last days in rising order", hint='["2026-09-30", "2026-10-31"]')
    day = ends[-1] if as_of is None else as_day(as_of)
    if day < ends[-1]:
        raise ArgumentError("periods", f"the last period ends after as_of ({day})", hint=f'as_of="{ends[-1]}"')
    return ends, day


def _buyers_add_up(counts: pd.DataFrame) -> Check:
    parts = counts[list(KINDS)].sum(axis="columns") == counts["active"]
    kept = (counts["retained"] + counts["dormant"]).iloc[1:] == counts["active"].shift().iloc[1:]
    wrong = int((~parts).sum() + (~kept).sum())
    if wrong:
        return Check("buyers_add_up", "failed", "new, retained and resurrected are not the buyers of a period", wrong)
    return Check("buyers_add_up", "passed", "buyers are new, retained or resurrected, those before retained or dormant")


def _money_adds_up(money: pd.DataFrame, kinds: list[str]) -> Check:
    wrong = sum(sum(row[kind] for kind in kinds) != row["spend"] for row in money.to_dict("records"))
    if wrong:
        return Check("money_adds_up", "failed", "the parts are not the money of a period", wrong)
    return Check("money_adds_up", "passed", "the parts are the money of every period, to the digit")
