"""Columns of a frame as plain arrays, whatever pandas keeps them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOWHERE = -1
"""Code of a text that is not looked for, or that is missing."""


def plain(series: pd.Series[Any]) -> NDArray[Any]:
    """Return numbers as int64 or as float64 with NaN for missing; not a copy where it need not be.

    Examples
    --------
    >>> plain(pd.Series([1, None], dtype="Int64")), plain(pd.Series([1, 2])).dtype
    (array([ 1., nan]), dtype('int64'))
    """
    if series.dtype in (np.dtype("int64"), np.dtype("float64")):
        return series.to_numpy()
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def coded(series: pd.Series[Any], texts: tuple[str, ...]) -> NDArray[np.int8]:
    """Return texts as their places in ``texts``; `NOWHERE` for any other and for missing.

    Examples
    --------
    >>> coded(pd.Series(["b", "c", None, "a"]), ("a", "b"))
    array([ 1, -1, -1,  0], dtype=int8)
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        places = pd.Index(texts).get_indexer(series.cat.categories)
        return np.append(places, NOWHERE).astype(np.int8)[series.cat.codes.to_numpy()]
    found = pc.index_in(pa.array(series, from_pandas=True), value_set=pa.array(texts, pa.string()))
    return np.asarray(found.fill_null(NOWHERE).to_numpy(zero_copy_only=False), dtype=np.int8)
