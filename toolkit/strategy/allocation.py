"""How many units of each tier and arm: by shares, and where there is room for some only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def split(whole: int, shares: ArrayLike) -> NDArray[np.int64]:
    """Split units by shares, without a rest.

    Parameters
    ----------
    whole
        Units.
    shares
        Parts that add up to 1, or any that are not negative.

    Returns
    -------
    array
        Whole numbers that add up to ``whole``: those with the largest fractions are rounded up, the first of equals.

    Examples
    --------
    >>> split(10, [0.5, 0.25, 0.25]).tolist(), split(5, [2, 2, 0]).tolist()
    ([5, 3, 2], [3, 2, 0])
    """
    part = np.asarray(shares, dtype=np.float64)
    total = part.sum()
    if total <= 0:
        return np.zeros(len(part), dtype=np.int64)
    exact = (whole * part / total).round(9)
    found: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    order = np.argsort(found - exact, kind="stable")
    found[order[: whole - int(found.sum())]] += 1
    return found


def allocate(room: int, wanted: ArrayLike, available: ArrayLike) -> NDArray[np.int64]:
    """Give out room in proportion to what is wanted, nobody more than is there.

    Parameters
    ----------
    room
        Units that there is room for.
    wanted
        Any scale: for the smallest variance of a weighted sum of means ``weight * sd`` (Neyman), to keep the mix
        ``available``.
    available
        Units that are there.

    Returns
    -------
    array
        Whole numbers; they add up to ``room``, or to all that is there.

    Notes
    -----
    Neyman (1934), "On the two different aspects of the representative method", J. Roy. Stat. Soc. 97. What a tier
    cannot use goes to the others in the same proportion.

    Examples
    --------
    >>> allocate(100, [3, 1], [60, 90]).tolist(), allocate(500, [3, 1], [60, 90]).tolist()
    ([60, 40], [60, 90])
    """
    most = np.asarray(available, dtype=np.int64)
    weight = np.asarray(wanted, dtype=np.float64)
    found = np.zeros(len(most), dtype=np.int64)
    open_ = (most > 0) & (weight > 0)
    left = int(min(room, most.sum()))
    while left and open_.any():
        share = split(left, np.where(open_, weight, 0.0))
        full = open_ & (share >= most)
        if not full.any():
            found[open_] = share[open_]
            return _settled(found, weight, most)
        found[full] = most[full]
        open_ &= ~full
        left = int(min(room, most.sum()) - found.sum())
    if left:
        # what is wanted by nobody still has room
        found += allocate(left, most - found, most - found)
    return found


def _settled(found: NDArray[np.int64], weight: NDArray[np.float64], most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move units one by one while the sum of weight squared over units falls: rounding alone is not the least."""
    square = weight**2
    while True:
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where((found < most) & (weight > 0), square / (found * (found + 1)), 0.0)
            loss = np.where(found > 0, np.where(weight > 0, square / (found * (found - 1)), 0.0), np.inf)
        to, of = int(gain.argmax()), int(loss.argmin())
        if to == of or not gain[to] > loss[of] * (1 + 1e-9):
            return found
        found[to] += 1
        found[of] -= 1
