"""How many came before and stand lower: the count behind every index of concordance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def weight_below(values: Ints, weights: Floats | None, first: Ints, threshold: Ints) -> Floats:
    """Sum the weights of those among the first rows whose value is lower, for many questions at once.

    Parameters
    ----------
    values
        Whole numbers from 0, in the order in which rows are counted; shape (rows,).
    weights
        Weight of each row; None counts rows.
    first
        How many of the first rows each question looks at; shape (questions,).
    threshold
        The value that each question compares with; shape (questions,).

    Returns
    -------
    array, shape (questions,)
        Sum of the weights of rows ``0 .. first - 1`` with a value below ``threshold``.

    Notes
    -----
    A wavelet matrix (Claude, Navarro, Ordonez, 2015, "The wavelet matrix", Information Systems 47): one pass over rows
    and questions for each binary digit of the values, so (rows + questions) x log(values) steps, all in arrays.

    Examples
    --------
    >>> import numpy as np
    >>> weight_below(np.array([2, 0, 1]), None, np.array([3, 1]), np.array([2, 2])).tolist()
    [2.0, 0.0]
    """
    left, right = np.zeros_like(first), first
    total = np.zeros(len(first))
    highest = max(int(values.max(initial=0)), int(threshold.max(initial=0)))
    for digit in reversed(range(highest.bit_length())):
        low = (values >> digit & 1) == 0
        zeros = _sums(low)
        mass = zeros if weights is None else _sums(np.where(low, weights, 0.0))
        above = (threshold >> digit & 1) == 1
        total += np.where(above, mass[right] - mass[left], 0)
        left, right = (np.where(above, zeros[-1] + end - zeros[end], zeros[end]) for end in (left, right))
        order = np.concatenate([np.flatnonzero(low), np.flatnonzero(~low)])
        values = values[order]
        weights = None if weights is None else weights[order]
    return total


def _sums(values: NDArray[np.bool_] | Floats) -> NDArray[np.int64] | Floats:
    kind = np.int64 if values.dtype == np.bool_ else np.float64
    return np.concatenate([np.zeros(1, dtype=kind), np.cumsum(values, dtype=kind)])
