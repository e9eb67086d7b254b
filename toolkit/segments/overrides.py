"""Tiers set by hand: ``payment_tier=high; stage=loss`` in the column ``override``."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit.errors import ArgumentError
from toolkit.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

OVERRIDE = "override"
OVERRIDDEN = "overridden"
_NARROW = str.maketrans("；＝", ";=")


class Overrides:
    """What was set by hand in a frame.

    Parameters
    ----------
    frame
        One row per customer, with or without the column ``override``.
    classes
        Scheme -> its classes.

    Attributes
    ----------
    there
        Whether the frame has that column.

    Raises
    ------
    ArgumentError
        An override names no scheme or no class; the message names the nearest and the masked id.
    """

    def __init__(self, frame: pd.DataFrame, classes: Mapping[str, tuple[str, ...]]) -> None:
        self._index = frame.index
        self.there = OVERRIDE in frame.columns
        said = frame[OVERRIDE] if self.there else pd.Series(index=frame.index[:0], dtype=object)
        self._rows = np.flatnonzero(said.notna().to_numpy())
        kinds, texts = pd.factorize(said.iloc[self._rows].astype(object))
        self._kinds: NDArray[np.intp] = kinds
        first = {kind: frame.index[self._rows[at]] for at, kind in reversed(list(enumerate(kinds.tolist())))}
        self._said = [_read(str(text), classes, first[kind]) for kind, text in enumerate(texts)]

    def apply(self, scheme: str, codes: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return the codes of a scheme with those set by hand."""
        if not self.names(scheme):
            return codes
        wanted = np.array([said.get(scheme, -1) for said in self._said], dtype=np.int8)[self._kinds]
        codes = codes.copy()
        codes[self._rows[wanted >= 0]] = wanted[wanted >= 0]
        return codes

    def names(self, scheme: str) -> bool:
        """Say whether anybody's class of a scheme was set by hand."""
        return any(scheme in said for said in self._said)

    def without(self, scheme: str) -> Overrides:
        """Return the overrides but for those of a scheme."""
        other = copy(self)
        other._said = [{name: at for name, at in said.items() if name != scheme} for said in self._said]  # noqa: SLF001 - of its own class
        return other

    def column(self, schemes: Collection[str]) -> pd.Series[str]:
        """Return per customer which of these schemes were set by hand; missing where none was."""
        told = [", ".join(name for name in schemes if name in said) or None for said in self._said]
        kinds = np.full(len(self._index), len(told), dtype=np.int32)
        kinds[self._rows] = self._kinds
        texts = pa.array([*told, None], pa.string()).take(pa.array(kinds))
        return pd.Series(pd.array(texts, dtype="string[pyarrow]"), index=self._index)


def _read(text: str, classes: Mapping[str, tuple[str, ...]], customer: object) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.translate(_NARROW).split(";"))):
        scheme, _, name = (side.strip() for side in part.partition("="))
        known = {key.casefold(): key for key in classes}
        if scheme.casefold() not in known:
            raise _fault(f"an override names no scheme{nearest(scheme.casefold(), classes)}", customer)
        scheme = known[scheme.casefold()]
        places = {key.casefold(): at for at, key in enumerate(classes[scheme])}
        if name.casefold() not in places:
            raise _fault(f"an override of {scheme} names no class{nearest(name.casefold(), classes[scheme])}", customer)
        found[scheme] = places[name.casefold()]
    return found


def _fault(what: str, customer: object) -> ArgumentError:
    hint = "payment_tier=high; stage=loss in the column override"
    return ArgumentError("override", what.removesuffix("?"), column=OVERRIDE, examples=[customer], hint=hint)
