"""What is doubtful about a BG/NBD fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import Check

if TYPE_CHECKING:
    from toolkit.risk.maximum import Maximum

_ENOUGH_REPEATERS = 100
_FAR_OFF = 0.1
_CONVERGED = "bg_nbd_converged"


def converged(end: Maximum) -> Check:
    """Say by what the maximum is known to be one."""
    return Check(
        _CONVERGED,
        "passed",
        f"the maximum is found: gradient {end.gradient_norm:.1g}, information positive definite,"
        f" log-likelihood {end.log_likelihood:,.4f}",
    )


def not_converged(end: Maximum, customers: int, *, observed: bool) -> Check:
    """Say why no forecast is the model's, and what serves."""
    rates = "what such customers did after the earlier snapshot" if observed else "what such customers did in the past"
    message = f"BG/NBD did not converge ({end.reason}): a table of recency by frequency serves, with {rates}"
    return Check(_CONVERGED, "failed", message, customers)


def repeat_buyers(repeaters: int) -> Check:
    """Say whether there are enough repeat buyers (100) for four parameters."""
    message = f"{repeaters:,} customers ordered on more than one day"
    return Check("repeat_buyers", "passed" if repeaters >= _ENOUGH_REPEATERS else "failed", message, repeaters)


def orders_reproduced(orders: int, expected: float) -> Check:
    """Compare the repeat orders made with those that the parameters expect: a model that fits reproduces them to 10 %.

    ``expected`` is missing where no model serves.
    """
    code = "orders_reproduced"
    if np.isnan(expected):
        return Check(code, "informational", f"{orders:,} repeat order days were made; no model serves", orders)
    off = expected / orders - 1
    message = f"{orders:,} repeat order days were made, the model expects {expected:,.0f} ({off:+.1%})"
    return Check(code, "passed" if abs(off) <= _FAR_OFF else "failed", message, orders)
