"""One row per unit, from a frame or a Parquet file, as batches of codes and numbers."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.strategy.moments import CHUNK
from toolkit.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

Must = Literal["zero_one", "not_negative"]
CUSTOMER = "customer_id"
"""Column that says who a unit is, where there is one."""
_AHEAD = 8


@dataclass(eq=False)
class Codes:
    """Values of a column of text as whole numbers, in the order in which they were first seen.

    Attributes
    ----------
    labels
        The values as text.
    ordered
        Whether that order is the column's own: that of its categories.
    """

    labels: list[str] = field(default_factory=list)
    ordered: bool = False
    _at: dict[str, int] = field(default_factory=dict)

    def code(self, column: Any) -> NDArray[np.intp]:
        """Return one code per row, -1 where the value is missing."""
        if isinstance(column, pd.Series):
            if isinstance(column.dtype, pd.CategoricalDtype):
                self.ordered = self.ordered or not self.labels
                return self._known(column.cat.codes.to_numpy(), column.cat.categories)
            return self._known(*pd.factorize(column))
        dictionary = column if hasattr(column, "indices") else column.dictionary_encode()
        codes = dictionary.indices.fill_null(-1) if dictionary.null_count else dictionary.indices
        return self._known(codes.to_numpy(zero_copy_only=False), dictionary.dictionary.to_pylist())

    def _known(self, codes: NDArray[Any], values: Iterable[Any]) -> NDArray[np.intp]:
        ours = np.array([self._code_of(value) for value in values] + [-1], dtype=np.intp)
        if np.array_equal(ours[:-1], np.arange(len(ours) - 1)):
            return codes.astype(np.intp, copy=False)
        found: NDArray[np.intp] = ours[codes]
        return found

    def _code_of(self, value: object) -> int:
        if value is None or value != value:  # noqa: PLR0124  # only what is missing differs from itself
            return -1
        text = str(value).removesuffix(" 00:00:00")
        if text not in self._at:
            self._at[text] = len(self.labels)
            self.labels.append(text)
        return self._at[text]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some units: a code of each column of text, a float64 of each column of numbers."""

    rows: int
    codes: dict[str, NDArray[np.intp]]
    numbers: dict[str, NDArray[np.float64]]


class UnitRows:
    """Units to be read, as often as needed.

    Parameters
    ----------
    units
        A frame of one row per unit, or the path of a Parquet file of the same.

    Attributes
    ----------
    columns
        Names of all columns.
    """

    def __init__(self, units: pd.DataFrame | str | Path) -> None:
        self._codes: dict[str, Codes] = {}
        self._frame: pd.DataFrame | None = None
        self._file: Any = None
        self._left_out: Any = None
        if isinstance(units, pd.DataFrame):
            self._frame = units
            self.columns = [str(name) for name in units.columns]
        elif isinstance(units, str | Path):
            self._path = Path(units)
            self.columns, categories = _columns_of(self._path)
            self._codes = {name: Codes(ordered=True) for name in categories}
        else:
            what = f"units are a {type(units).__name__}, neither a frame nor the path of a Parquet file"
            raise ArgumentError("units", what, hint="pd.DataFrame(...), or 'units.parquet'")

    def need(self, names: Iterable[str]) -> None:
        """Refuse a column that is not there, or is there twice."""
        for name in names:
            if name not in self.columns:
                hint = f"one of {', '.join(self.columns[:20])}"
                raise ArgumentError("units-column", f"no column {name!r}{nearest(name, self.columns)}", hint=hint)
            if self.columns.count(name) > 1:
                raise ArgumentError("units-column", f"two columns are called {name!r}", hint="rename one of them")

    def labels(self, name: str) -> Codes:
        """Return the codes that a column of text has been given so far."""
        return self._codes.setdefault(name, Codes())

    def batches(
        self, texts: Sequence[str], numbers: Sequence[str], must: Mapping[str, Must] | None = None
    ) -> Iterator[Batch]:
        """Yield all units in order.

        Parameters
        ----------
        texts
            Columns whose values become codes.
        numbers
            Columns whose values become float64: every one must be a finite number.
        must
            Column -> what its numbers must be besides.

        Raises
        ------
        ArgumentError
            A value of either is missing, is no number, is infinite, or not what it must be: with the count.
        """
        known = {name: self.labels(name) for name in texts}
        for rows, columns in self._raw(dict.fromkeys([*texts, *numbers])):
            codes = {name: codes.code(columns[name]) for name, codes in known.items()}
            for name, found in codes.items():
                if rows and found.min() < 0:
                    raise self._refused(name, "units have no value")
            values = {name: _floats(columns[name], name) for name in numbers}
            for name, value in values.items():
                if not _finite(value):
                    raise self._refused(name, "units have no value, or none that is finite")
            for name, what in (must or {}).items():
                if not _SOUND[what](values[name]).all():
                    raise self._unsound(name, what)
            yield Batch(rows, codes, values)

    def moments_of_time(self, names: Sequence[str]) -> Iterator[dict[str, NDArray[np.datetime64]]]:
        """Yield columns of moments, as UTC where they carry a zone."""
        for _, columns in self._raw(dict.fromkeys(names)):
            yield {name: _times(columns[name], name) for name in names}

    def leave_out(self, repeated: Any) -> None:
        """Skip the rows of these customers (``customer_id``) from now on."""
        self._left_out = repeated

    def _refused(self, name: str, what: str) -> ArgumentError:
        count = 0
        for _, columns in self._raw({name: None}):
            series = _series(columns[name])
            gone = series.isna().to_numpy()
            if pd.api.types.is_numeric_dtype(series.dtype):
                gone = gone | ~np.isfinite(series.to_numpy(dtype=np.float64, na_value=np.nan))
            count += int(gone.sum())
        hint = "nobody is left out silently: fill it (0 where nothing happened) or drop these units yourself"
        return ArgumentError("units-missing", what, column=name, count=count, hint=hint)

    def _unsound(self, name: str, must: Must) -> ArgumentError:
        count = sum(int((~_SOUND[must](_floats(columns[name], name))).sum()) for _, columns in self._raw({name: None}))
        if must == "zero_one":
            hint = '"mean" for a number per unit, or a column of 0 and 1'
            return ArgumentError(
                "units-share", "a proportion has values other than 0 and 1", column=name, count=count, hint=hint
            )
        hint = "a ratio needs counts or amounts of at least 0 below the line"
        return ArgumentError("units-denominator", "a denominator is negative", column=name, count=count, hint=hint)

    def _raw(self, names: dict[str, None]) -> Iterator[tuple[int, dict[str, Any]]]:
        if self._frame is not None:
            yield len(self._frame), {name: self._frame[name] for name in names}
            return
        texts = [name for name in names if name in self._codes]
        for batch in _ahead(_batches_of(self._path, [*names], texts, self._left_out)):
            yield batch.num_rows, {name: batch.column(name) for name in names}


def _batches_of(path: Path, names: list[str], texts: list[str], left_out: Any) -> Iterator[Any]:
    """Decode a file bit by bit: what is decoded stays small, and its memory is used again."""
    import pyarrow.compute as pc  # noqa: PLC0415  # frames do not need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    file = pq.ParquetFile(path, read_dictionary=texts, memory_map=True)
    if left_out is None:
        yield from file.iter_batches(CHUNK, columns=names, use_threads=False)
        return
    for batch in file.iter_batches(CHUNK, columns=[*dict.fromkeys([*names, CUSTOMER])], use_threads=False):
        yield batch.filter(pc.invert(pc.is_in(batch.column(CUSTOMER), value_set=left_out)))


def _ahead(batches: Iterator[Any]) -> Iterator[Any]:
    """Let another thread decode the next batches while this one works on the last."""
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, batches, None) for _ in range(_AHEAD))
        while (batch := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, batches, None))
            yield batch


def _columns_of(path: Path) -> tuple[list[str], list[str]]:
    """Return the names of a file's columns, and of those that are categories: these keep their order."""
    import pyarrow as pa  # noqa: PLC0415  # frames do not need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowInvalid):
        hint = "give the path of a Parquet file, or a frame"
        raise ArgumentError(
            "units-file", "there is no Parquet file that can be read", where=path.name, hint=hint
        ) from None
    return list(schema.names), [field.name for field in schema if pa.types.is_dictionary(field.type)]


_SOUND: dict[Must, Callable[[NDArray[np.float64]], NDArray[np.bool_]]] = {
    "zero_one": lambda values: values * values == values,
    "not_negative": lambda values: values >= 0,
}


def _finite(values: NDArray[np.float64]) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def _series(column: Any) -> pd.Series:
    return column if isinstance(column, pd.Series) else column.to_pandas()


def _floats(column: Any, name: str) -> NDArray[np.float64]:
    if isinstance(column, pd.Series):
        kind = column.dtype
        if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        import pyarrow as pa  # noqa: PLC0415  # frames do not need it

        kind = column.type
        if (
            pa.types.is_floating(kind)
            or pa.types.is_integer(kind)
            or pa.types.is_decimal(kind)
            or pa.types.is_boolean(kind)
        ):
            return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    raise ArgumentError(
        "units-number", f"holds {kind} and no numbers", column=name, hint="pd.to_numeric, or another column"
    )


def _times(column: Any, name: str) -> NDArray[np.datetime64]:
    try:
        moments = pd.to_datetime(_series(column), utc=True)
    except (ValueError, TypeError):
        raise ArgumentError("units-moment", "holds no moments", column=name, hint="a column of timestamps") from None
    return moments.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
