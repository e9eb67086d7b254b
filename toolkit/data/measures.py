"""What can be measured of a customer over some days: the words that a study's experiments use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from toolkit.errors import ArgumentError
from toolkit.strict import nearest

Quantity = Literal["spend", "orders", "order_days", "active_days", "interactions", "opt_outs", "messages", "events"]

TABLES_OF: dict[str, tuple[str, ...]] = {
    "spend": ("orders",),
    "orders": ("orders",),
    "order_days": ("orders",),
    "active_days": ("orders",),
    "interactions": ("events",),
    "events": ("events",),
    "messages": ("contacts",),
    "opt_outs": ("contacts", "events"),
}
"""Quantity -> tables of which at least one must be there."""


@dataclass(frozen=True)
class Measure:
    """One number per customer over a window of days.

    Attributes
    ----------
    quantity
        ``spend`` (paid less refunded, currency units), ``orders``, ``order_days``, ``active_days`` (days with an order
        or an act of the customer's own), ``interactions`` (likes, comments, shares, check-ins), ``opt_outs`` (asked
        for no more messages, unfollowed), ``messages`` (sent to them and not undelivered), or ``events`` of ``kinds``.
    kinds
        Kinds of events that count, or campaigns of messages; for other quantities none.
    """

    quantity: Quantity
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.quantity not in get_args(Quantity):
            hint = f"one of {', '.join(get_args(Quantity))}"
            raise ArgumentError(
                "measure", f"unknown quantity {self.quantity!r}{nearest(self.quantity, get_args(Quantity))}", hint=hint
            )
        if (self.quantity == "events") != bool(self.kinds) and self.quantity != "messages":
            raise ArgumentError(
                "measure", f"{self.quantity} with kinds {list(self.kinds)}", hint="{events: [lesson_complete]}"
            )
