"""One pass over the units: counts, means, and second and third moments of each tier and arm."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

ARMS_AT_MOST = 64
CHUNK = 16_000
"""Units added at a time: a column of so many stays in the cache, and under the size that malloc hands back at once."""
Key = tuple[int, ...]
_ROUNDING = 1e-12
"""A mean that is less than this share of the shift is 0: a column of zeros in one arm only."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What is left of the units once they were read; ``T`` tiers, ``A`` arms, ``K`` columns.

    Attributes
    ----------
    n
        Units, shape (T, A).
    mean
        Shape (T, A, K), missing where there is no unit.
    second
        Sums of products around those means, shape (T, A, K, K); only for columns that some metric has in common.
    pooled_mean, pooled_second, pooled_third
        The same of all arms of a tier together: (T, K), (T, K, K) and (T, K, K, K).
    """

    n: NDArray[np.int64]
    mean: NDArray[np.float64]
    second: NDArray[np.float64]
    pooled_mean: NDArray[np.float64]
    pooled_second: NDArray[np.float64]
    pooled_third: NDArray[np.float64]


class Gathering:
    """Adds up batches of units.

    Columns are shifted by their mean in the first batch of each tier, so that no digits are lost to large means; 0/1
    columns are not, and their powers are themselves.

    Parameters
    ----------
    columns
        Names of columns of numbers.
    together
        Sets of columns (positions) whose joint moments are wanted: one set per metric.
    binary
        Positions of columns that hold 0 and 1 only.
    """

    def __init__(self, columns: Sequence[str], together: Iterable[Sequence[int]], binary: Collection[int] = ()) -> None:
        self._columns = list(columns)
        self._binary = frozenset(binary)
        self._wanted = {
            tuple(key)
            for one in together
            for degree in (1, 2, 3)
            for key in combinations_with_replacement(sorted(one), degree)
        }
        # shorter products first: longer ones are made of them
        self._keys = sorted({self._reduced(key) for key in self._wanted}, key=lambda key: (len(key), key))
        self._sums = {key: np.zeros(0) for key in self._keys}
        self._n = np.zeros(0, dtype=np.int64)
        self._shift = np.zeros((len(self._columns), 0))

    def add(self, tier: NDArray[np.intp], arm: NDArray[np.intp], numbers: Mapping[str, NDArray[np.float64]]) -> None:
        """Add one batch: codes of tiers (at most 1,000) and arms (at most 64), and a value of each column per unit.

        Units are put in order of their cells, in linear time: sums of runs are faster than sums by code, and closer.
        """
        for start in range(0, len(tier), CHUNK):
            rows = slice(start, start + CHUNK)
            self._add(tier[rows], arm[rows], [numbers[name][rows] for name in self._columns])

    def _add(self, tier: NDArray[np.intp], arm: NDArray[np.intp], numbers: list[NDArray[np.float64]]) -> None:
        tiers, width = int(tier.max()) + 1, int(arm.max()) + 1
        self._grow(tiers)
        small = np.uint8 if tiers * width <= 256 else np.uint16  # a byte is sorted in one step
        cell: NDArray[Any] = tier.astype(small) * width
        cell += arm.astype(small)
        order = np.argsort(cell, kind="stable")
        ranked = cell.take(order)
        starts = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
        there, counts = ranked[starts].astype(np.intp), np.diff(starts, append=len(ranked))
        own_tier = there // width
        place = own_tier * ARMS_AT_MOST + there % width
        inside = [values.take(order) for values in numbers]
        self._settle(own_tier, counts, inside, starts)
        self._n[place] += counts
        products: dict[Key, NDArray[np.float64]] = {}
        for key in self._keys:
            if len(key) > 1:
                products[key] = products[key[:-1]] * products[key[-1:]]
            elif key[0] in self._binary:
                products[key] = inside[key[0]]
            else:
                products[key] = inside[key[0]] - np.repeat(self._shift[key[0], own_tier], counts)
            self._sums[key][place] += np.add.reduceat(products[key], starts)

    @property
    def units(self) -> int:
        """Units so far."""
        return int(self._n.sum())

    def seen_tiers(self) -> list[int]:
        """Return the codes of tiers that have units."""
        return np.flatnonzero(self._n.reshape(-1, ARMS_AT_MOST).sum(axis=1)).tolist()

    def finish(self, tiers: Sequence[int], arms: Sequence[int]) -> Moments:
        """Return moments of tiers and arms in the order of these codes."""
        self._grow(max(tiers) + 1)
        at = np.ix_(list(tiers), list(arms))
        n = self._n.reshape(-1, ARMS_AT_MOST)[at]
        sums = {key: total.reshape(-1, ARMS_AT_MOST)[at] for key, total in self._sums.items()}
        shift = self._shift[:, list(tiers)].T
        k = len(self._columns)
        first = np.stack([sums[(one,)] for one in range(k)], axis=-1) if k else np.zeros((*n.shape, 0))
        second, third = np.zeros((*n.shape, k, k)), np.zeros((len(n), k, k, k))
        for key in self._wanted:
            found = sums[self._reduced(key)]
            if len(key) == 2:
                second[..., key[0], key[1]] = second[..., key[1], key[0]] = found
            elif len(key) == 3:
                for i, j, h in set(permutations(key)):
                    third[:, i, j, h] = found.sum(axis=1)
        return _centred(n, first, second, third, shift)

    def _reduced(self, key: Key) -> Key:
        """Leave out repeats of 0/1 columns: their square is the column."""
        return tuple(one for at, one in enumerate(key) if not (at and key[at - 1] == one and one in self._binary))

    def _grow(self, tiers: int) -> None:
        more = tiers - self._shift.shape[1]
        if more > 0:
            self._n = np.concatenate([self._n, np.zeros(more * ARMS_AT_MOST, dtype=np.int64)])
            self._shift = np.concatenate([self._shift, np.zeros((len(self._columns), more))], axis=1)
            self._sums = {key: np.concatenate([old, np.zeros(more * ARMS_AT_MOST)]) for key, old in self._sums.items()}

    def _settle(
        self,
        tier: NDArray[np.intp],
        counts: NDArray[np.intp],
        inside: list[NDArray[np.float64]],
        starts: NDArray[np.intp],
    ) -> None:
        """Take the shift of tiers that are seen for the first time from the means of these units."""
        new = tier[self._n.reshape(-1, ARMS_AT_MOST).sum(axis=1)[tier] == 0]
        if not len(new):
            return
        units = np.bincount(tier, weights=counts)[new]
        for at, values in enumerate(inside):
            if at not in self._binary:
                self._shift[at, new] = np.bincount(tier, weights=np.add.reduceat(values, starts))[new] / units


def _centred(
    n: NDArray[np.int64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    third: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> Moments:
    """Turn sums around the shifts into means and sums around the means."""
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = first / n[..., None]
        all_n = n.sum(axis=1)[:, None]
        total = first.sum(axis=1)
        middle = total / all_n
    own = second - np.einsum("tai,taj->taij", first, np.nan_to_num(inner))
    around = second.sum(axis=1)
    mixed = np.einsum("tij,tk->tijk", around, middle)
    cubes = np.einsum("ti,tj,tk->tijk", total, middle, middle)
    pooled_third = third - mixed - mixed.swapaxes(2, 3) - mixed.transpose(0, 3, 2, 1) + 2 * cubes
    pooled = around - np.einsum("ti,tj->tij", total, middle)
    mean = shift[:, None, :] + inner
    mean[np.abs(mean) <= _ROUNDING * np.abs(shift[:, None, :])] = 0.0
    return Moments(n, mean, own, shift + middle, pooled, pooled_third)
