"""What the churn clock shows: error rates by group, and what a quarter more or less would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.risk.clock_rates import Looks, error_rates, rates_by_cut, smallest

if TYPE_CHECKING:
    from toolkit.risk.clock_rates import Truth
    from toolkit.risk.product_limit import Floats

WINDOWS = (7, 14, 21, 30, 45, 60, 75, 90, 105, 120, 150, 180, 210, 240, 270, 300, 330, 365)
"""Candidates, in days."""
MULTIPLES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Candidates in multiples of a customer's own mean gap between order days."""
GAP_BANDS = (0, 14, 30, 60, 90, np.inf)
"""Limits of bands of the mean gap: over the first, up to the second."""
CHANGES = (-0.25, 0.0, 0.25)
SMALL = 20


def by_group(looks: Looks, groups: pd.Series[Any], window: int, tolerance: float) -> pd.DataFrame:
    """Return the error rates of one window by group, and the window that each group would want.

    Parameters
    ----------
    looks
        Customers at landmarks.
    groups
        Group of each look; looks without one are left out.
    window
        Days; called lost when idle at least as long.
    tolerance
        As for `toolkit.risk.clock.churn_clock`.

    Returns
    -------
    DataFrame
        Indexed by group: ``looks``, ``ordered``, the error rates, ``recommended``, ``reached``, ``small``.

    Examples
    --------
    >>> looks = Looks(np.array([0, 1, 2]), np.array([9.0, 80, 95]), np.array([True, True, False]))
    >>> by_group(looks, pd.Series(["a", "a", "b"]), 60, 0.1)[["looks", "ordered", "called_lost", "recommended"]]
       looks  ordered  called_lost  recommended
    a      2      1.0            1         75.0
    b      1      0.0            1         90.0
    """
    kinds = groups.astype("category").cat.remove_unused_categories()
    codes = kinds.cat.codes.to_numpy()
    rows = {}
    for number, name in enumerate(kinds.cat.categories):
        own = looks.of(codes == number)
        best, reached = smallest(rates_by_cut(own, own.idle, WINDOWS, "window_days"), "window_days", tolerance)
        rows[str(name)] = {
            "looks": len(own.idle),
            "ordered": float(own.ordered.mean()),
            **error_rates(own, own.idle >= window),
            "recommended": best,
            "reached": reached,
            "small": int(own.customer.max()) + 1 < SMALL,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def sensitivity(looks: Looks, window: int, latest: Truth) -> pd.DataFrame:
    """Say what changes when the window is a quarter shorter or longer.

    Parameters
    ----------
    looks
        Customers at landmarks.
    window
        Days that are recommended.
    latest
        Which looks are of the latest landmark.

    Returns
    -------
    DataFrame
        Indexed by ``change``: ``window_days``, the error rates, ``changed`` (customers of the latest landmark who are
        called otherwise) and ``changed_share``.

    Examples
    --------
    >>> looks = Looks(np.array([0, 1, 2]), np.array([9.0, 80, 95]), np.array([True, True, False]))
    >>> sensitivity(looks, 90, np.ones(3, dtype=bool))[["window_days", "called_lost", "changed"]]
            window_days  called_lost  changed
    change
    -0.25            68            2        1
     0.00            90            1        0
     0.25           112            0        1
    """
    rows = []
    for change in CHANGES:
        days = max(round(window * (1 + change)), 1)
        changed = ((looks.idle >= days) != (looks.idle >= window))[latest]
        rows.append(
            {
                "change": change,
                "window_days": days,
                **error_rates(looks, looks.idle >= days),
                "changed": int(changed.sum()),
                "changed_share": float(changed.mean()),
            }
        )
    return pd.DataFrame(rows).set_index("change")


def gap_bands(gap: Floats) -> pd.Series[Any]:
    """Return the band of each mean gap: ``1-14`` days, ``15-30``, ... in order.

    Examples
    --------
    >>> gap_bands(np.array([7.0, 14.5, 400.0])).tolist()
    ['1-14', '15-30', '91+']
    """
    ends = GAP_BANDS[1:-1]
    names = [f"{int(low) + 1}-{high:g}" for low, high in zip(GAP_BANDS, ends, strict=False)]
    return pd.Series(pd.cut(gap, list(GAP_BANDS), labels=[*names, f"{int(ends[-1]) + 1}+"]))
