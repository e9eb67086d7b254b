"""Answers to a rule's comparisons for every customer of a frame at once, each worked out once."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.rules.conditions import Among, Compare, Learned, Missing
from toolkit.schema import SNAPSHOT
from toolkit.segments.arrays import NOWHERE, coded, plain
from toolkit.segments.quantiles import compared

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.rules.conditions import Leaf

    Codes = NDArray[np.int8]
    Answers = NDArray[np.bool_]

Cuts = dict[tuple[str, Learned], float]
_NEVER_MISSING = {column.name for column in SNAPSHOT if column.never_missing}


class TierValues:
    """The columns of a frame as rules see them.

    Parameters
    ----------
    frame
        One row per customer; a column that is not there counts as 0 where it is a count, else as missing.
    mentioned
        Column of text -> the values that rules mention.
    cuts
        What the learned cuts are.
    """

    def __init__(self, frame: pd.DataFrame, mentioned: Mapping[str, tuple[str, ...]], cuts: Cuts) -> None:
        self._frame = frame
        self._mentioned = dict(mentioned)
        self._cuts = cuts
        self._codes: dict[str, Codes] = {}
        self._numbers: dict[str, NDArray[Any]] = {}
        self._answers: dict[Leaf, Answers] = {}

    def put(self, name: str, codes: Codes, classes: tuple[str, ...]) -> None:
        """Add a column of classes, and forget the answers that led to it: schemes seldom share a comparison."""
        self._answers.clear()
        self._mentioned[name] = classes
        self._codes[name] = codes

    def answer(self, leaf: Leaf) -> Answers:
        """Say for which customers a comparison holds."""
        if leaf not in self._answers:
            self._answers[leaf] = self._answer(leaf)
        return self._answers[leaf]

    def number(self, column: str) -> NDArray[Any]:
        """Return a column of numbers; missing is NaN."""
        if column not in self._numbers:
            self._numbers[column] = numbers(self._frame, column)
        return self._numbers[column]

    def _answer(self, leaf: Leaf) -> Answers:
        if isinstance(leaf, Compare):
            cut = self._cuts[leaf.column, leaf.cut] if isinstance(leaf.cut, Learned) else float(leaf.cut)
            return compared(self.number(leaf.column), leaf.sign, cut)
        if isinstance(leaf, Among):
            known, codes = self._mentioned[leaf.column], self._coded(leaf.column)
            return reduce(operator.or_, (codes == known.index(text) for text in leaf.texts))
        if isinstance(leaf, Missing):
            if leaf.column not in self._frame.columns:
                return np.ones(len(self._frame), dtype=np.bool_)
            return self._frame[leaf.column].isna().to_numpy()
        if leaf.column not in self._frame.columns:
            return np.zeros(len(self._frame), dtype=np.bool_)
        return self._frame[leaf.column].to_numpy(dtype=np.bool_, na_value=False)

    def _coded(self, column: str) -> Codes:
        if column not in self._codes:
            if column in self._frame.columns:
                self._codes[column] = coded(self._frame[column], self._mentioned[column])
            else:
                self._codes[column] = np.full(len(self._frame), NOWHERE, dtype=np.int8)
        return self._codes[column]


def numbers(frame: pd.DataFrame, column: str) -> NDArray[Any]:
    """Return a column of numbers; 0 for everybody where there is no such sum, missing where no such measure."""
    if column in frame.columns:
        return plain(frame[column])
    return np.broadcast_to(np.float64(0 if column in _NEVER_MISSING else np.nan), len(frame))
