"""Sums over random subsets of fixed size, many at once: exact where few values differ, binned where many do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EXACT = 4_096
"""A stratum whose units cost at most so many steps is drawn unit by unit."""
ALONE = 1_024
"""Above that, so many units farthest from the mean are drawn one by one."""
BINS = 128
"""And the others in so many bins of like values."""
_RUN = 8
"""Equal units up to so many are drawn one by one: that is faster than one hypergeometric count."""
_CELLS = 500_000


@dataclass(frozen=True, eq=False)
class Blocks:
    """Units of one stratum, laid out for drawing.

    Attributes
    ----------
    alone
        Features of the units that are drawn one by one, shape (k, features).
    size, mean
        Units and mean features of each bin, shapes (b,) and (b, features).
    spread
        Covariance of the features within each bin, divisor n - 1, shape (b, features, features).
    exact
        Whether no bin holds units that differ.
    """

    alone: Floats
    size: NDArray[np.int64]
    mean: Floats
    spread: Floats
    exact: bool

    @property
    def units(self) -> int:
        """Units of the stratum."""
        return len(self.alone) + int(self.size.sum())


def blocks(columns: Floats) -> Blocks:
    """Lay the units of a stratum out for drawing.

    Parameters
    ----------
    columns
        What is known of each unit, shape (columns, n), the first one in rising order: what lies far out is seen by it.
        The features are the columns and their products in pairs: of y, they are y and y^2.

    Notes
    -----
    Equal units form a run, and a run's count in a random subset is hypergeometric: nothing is lost. Where more than
    `EXACT` steps would be needed, the `ALONE` units farthest from the mean stay alone, runs of more than the `BINS`-th
    part of the units keep a bin of their own, and the rest is cut at `BINS` places, half of them evenly by count and
    half evenly by value.
    """
    key, n = columns[0], columns.shape[1]
    changes = key[1:] != key[:-1]
    if np.count_nonzero(changes) <= EXACT:
        for other in columns[1:]:
            changes |= other[1:] != other[:-1]
        starts = np.r_[0, np.flatnonzero(changes) + 1]
        length = np.diff(np.r_[starts, n])
        if np.minimum(length, _RUN).sum() <= EXACT:
            long = length > _RUN
            starts, stops = starts[long], (starts + length)[long]
            return _laid_out(columns, np.flatnonzero(np.repeat(~long, length)), starts, stops)
    del changes
    return _laid_out(columns, *_bins(key))


def _bins(key: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of the units alone, and where each bin starts and stops."""
    n = len(key)
    # more than EXACT steps, at most _RUN x BINS of them for heavy runs: low and high do not meet
    often = np.unique(key[:: n // BINS])
    run = np.searchsorted(key, often), np.searchsorted(key, often, side="right")
    heavy = run[1] - run[0] > n // BINS
    first, last = run[0][heavy], run[1][heavy]
    between = [(a, b) for a, b in zip(np.r_[0, last], np.r_[first, n], strict=True) if b > a]
    low = np.concatenate([np.arange(a, min(b, a + ALONE)) for a, b in between])[:ALONE]
    high = np.concatenate([np.arange(max(a, b - ALONE), b) for a, b in between])[-ALONE:]
    ends, middle = np.r_[low, high], key.mean()
    far = ends[np.argsort(-np.abs(key[ends] - middle), kind="stable")[:ALONE]]
    below = int((key[far] < middle).sum())
    low, high = low[:below], high[below:]
    left, right = (low[-1] + 1 if len(low) else 0), (high[0] if len(high) else n)
    by_count = np.linspace(left, right, BINS // 2, endpoint=False).astype(np.intp)
    by_value = np.searchsorted(key, np.linspace(key[left], key[right - 1], BINS // 2, endpoint=False))
    cuts = np.unique(np.r_[by_count, by_value, first, last, left, right])
    cuts = cuts[(cuts >= left) & (cuts <= right)]
    starts, stops = cuts[:-1], cuts[1:]
    inside = np.searchsorted(first, starts, side="right") > np.searchsorted(last, starts, side="right")
    return np.r_[low, high], np.r_[starts[~inside], first], np.r_[stops[~inside], last]


def _laid_out(columns: Floats, alone: NDArray[np.intp], starts: NDArray[np.intp], stops: NDArray[np.intp]) -> Blocks:
    """Work out what is known of each bin, the largest last."""
    order = np.argsort(stops - starts, kind="stable")
    single = _features(columns[:, alone])
    mean = np.empty((len(order), len(single)))
    spread = np.zeros((len(order), len(single), len(single)))
    for place, number in enumerate(order):
        part = _features(columns[:, starts[number] : stops[number]])
        mean[place] = part[:, 0]
        if (part != part[:, :1]).any():
            mean[place] = part.mean(axis=1)
            part -= mean[place][:, None]
            spread[place] = part @ part.T / (part.shape[1] - 1)
    return Blocks(single.T, (stops - starts)[order], mean, spread, exact=not spread.any())


def _features(columns: Floats) -> Floats:
    pairs = [one * other for place, one in enumerate(columns) for other in columns[place:]]
    return np.vstack([columns, *pairs])


def subset_sums(units: Blocks, size: int, *, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw subsets of a stratum and sum the features in them and outside.

    Parameters
    ----------
    units
        See `blocks`.
    size
        Units in the subset.
    draws
        Subsets to draw, each uniformly among all of that size, independently.
    rng
        Source of chance.

    Returns
    -------
    inside, outside : array
        Shape (draws, features).

    Notes
    -----
    Units alone are selected in sequence (Fan, Muller, Rezucha, 1962, "Development of sampling plans by using
    sequential (item by item) selection techniques and digital computers", J. Am. Stat. Assoc. 57): the next of
    ``left`` units is taken with probability (still to take) / ``left``. Counts of bins are hypergeometric given what
    was taken before. The sum within a bin is its count times its mean, plus a normal term with the covariance that
    a random subset of that many of its units has: c (1 - c / N) S, S with divisor N - 1. So means and covariances of
    the sums are exact; the bins' part in higher moments is taken as that of a normal.
    """
    wide, left = units.alone.shape[1], units.units
    inside, outside = np.zeros((wide, draws)), np.zeros((wide, draws))
    wanted = np.full(draws, float(size))
    step = max(1, _CELLS // draws)
    for start in range(0, len(units.alone), step):
        part = units.alone[start : start + step].T
        taken = _in_sequence(wanted, left, rng.random((part.shape[1], draws))).astype(np.float64)
        left -= part.shape[1]
        inside += part @ taken
        outside += part @ (1 - taken)
    if not len(units.size):
        return inside.T, outside.T
    count = np.empty((len(units.size), draws))
    still = wanted.astype(np.int64)
    for number, many in enumerate(units.size[:-1]):
        left -= int(many)
        count[number] = rng.hypergeometric(many, left, still)
        still -= count[number].astype(np.int64)
    count[-1] = still
    others = units.size[:, None] - count
    inside += units.mean.T @ count
    outside += units.mean.T @ others
    if not units.exact:
        noise = _within(units.spread, count * others / units.size[:, None], rng)
        inside += noise
        outside -= noise
    return inside.T, outside.T


def masks(units: int, size: int, *, draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw subsets of ``size`` of ``units``, uniformly: shape (units, draws)."""
    return _in_sequence(np.full(draws, float(size)), units, rng.random((units, draws)))


def _in_sequence(wanted: Floats, left: int, chance: Floats) -> NDArray[np.bool_]:
    """Select units one after the other, over all draws; ``wanted``, still to take, is brought up to date."""
    taken = np.empty(chance.shape, dtype=np.bool_)
    for number, row in enumerate(chance):
        np.multiply(row, left - number, out=row)
        np.less(row, wanted, out=taken[number])
        np.subtract(wanted, taken[number], out=wanted)
    return taken


def _within(spread: Floats, factor: Floats, rng: np.random.Generator) -> Floats:
    """Draw what the sums vary within bins, shape (features, draws); ``factor`` has shape (bins, draws)."""
    bins, wide, _ = spread.shape
    scale = np.sqrt(np.diagonal(spread, axis1=1, axis2=2).max(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    even = (spread / np.outer(scale, scale)).reshape(bins, -1)
    values, vectors = np.linalg.eigh((factor.T @ even).reshape(-1, wide, wide))
    normal = rng.standard_normal(values.shape) * np.sqrt(np.maximum(values, 0))
    drawn: Floats = np.einsum("dij,dj->id", vectors, normal) * scale[:, None]
    return drawn
