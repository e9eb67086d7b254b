"""Small counts are hidden on what is published, and so are the cells from which they could be worked out."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

MIN_CELL = 10


class Mark(str):
    """What stands in a table for a hidden figure: ``<10``, ``≥10`` or ``*``."""

    __slots__ = ()


HIDDEN = Mark("*")
"""The mark of a figure that belongs to a hidden count."""

_ADD_UP = "add up before suppressing, over all rows and columns"


def suppress_small(
    table: pd.DataFrame,
    *,
    counts: str,
    total: Hashable | None = None,
    keep: Sequence[Hashable] = (),
    min_cell: int = MIN_CELL,
) -> pd.DataFrame:
    """Hide the small counts of a one-way table, with whatever tells them.

    Parameters
    ----------
    table
        One row per group; ``counts`` holds whole numbers of persons.
    counts
        Column of the counts.
    total
        Index label of the row that is the sum of the others, where the table has one. Without one the sum counts as
        known all the same: a page tells it elsewhere.
    keep
        Columns that say nothing about the persons counted (a group's number, a price), to be left as they are. Columns
        of text are left anyway.
    min_cell
        Counts from 1 to ``min_cell - 1`` are hidden; 0 concerns nobody and is shown.

    Returns
    -------
    DataFrame
        Same shape. A small count reads ``<10``; a count hidden so that no small one can be worked out reads ``≥10``;
        the other columns of such a row (sums, means, shares, dates) read ``*``.

    Raises
    ------
    ArgumentError
        Where counts are missing, negative or not whole, or the total is not their sum.

    Notes
    -----
    The smallest shown count is hidden too as long as a hidden one follows from the total: when one stands alone, or
    when the total leaves the hidden ones only their least or their greatest values (1 + 1 = 2). The total goes last.
    A maximum or a high percentile of a shown row may still be one person's: leave such columns out of what is
    published. Two tables, or two periods, that differ by a few persons tell about these by subtraction: not looked at.

    Examples
    --------
    >>> figures = {"customers": [40, 3, 12, 55], "spend": [4000.0, 90.0, 600.0, 4690.0]}
    >>> table = pd.DataFrame(figures, index=["a", "b", "c", "all"])
    >>> suppress_small(table, counts="customers", total="all")
        customers   spend
    a          40  4000.0
    b         <10       *
    c         ≥10       *
    all        55  4690.0
    """
    values = _whole(table[[counts]])[:, 0]
    groups = np.ones(len(values), dtype=bool) if total is None else np.asarray(table.index != total)
    line = np.append(values[groups], values[groups].sum())
    if (values[~groups] != line[-1]).any():
        raise ArgumentError("total-differs", "the total is not the sum of the rows", column=counts, hint=_ADD_UP)
    marks = _hidden_in_line(line, min_cell)
    hidden = np.empty(len(values), dtype=bool)
    hidden[groups], hidden[~groups] = marks[:-1], marks[-1]

    result = table.copy()
    for column in table.columns:
        if column == counts:
            result[column] = _marked(values, hidden, min_cell)
        elif column not in keep and not _is_text(table[column]):
            result[column] = _figures(table[column], hidden)
    return result


def suppress_crosstab(table: pd.DataFrame, *, total: Hashable, min_cell: int = MIN_CELL) -> pd.DataFrame:
    """Hide the small counts of a two-way table with margins, with whatever tells them.

    Parameters
    ----------
    table
        Whole numbers of persons; ``total`` labels its last row and its last column, the sums of the others.
    total
        Label of the margins.
    min_cell
        Counts from 1 to ``min_cell - 1`` are hidden. A 0 is shown, but for one in a row or column whose own total is
        small: there it would tell what each of these few persons is.

    Returns
    -------
    DataFrame
        Same shape: ``<10`` for a small count, ``≥10`` for one hidden so that no small one can be worked out.

    Raises
    ------
    ArgumentError
        Where counts are missing, negative or not whole, or the margins are not their sums.

    Notes
    -----
    Rows and columns, margins included, are the nodes of a graph and hidden cells its edges. A hidden cell follows from
    the shown ones by adding and subtracting exactly when its edge lies on no cycle (Gusfield 1988, SIAM J. Comput. 17).
    For such an edge the cheapest path between its ends is hidden as well, where a cell costs its count, and a margin
    more than all cells. Each row and column is then looked at as in `suppress_small`, for hidden cells that the line
    leaves only their least or greatest values. What bounds over several lines together would tell is not looked at.

    Examples
    --------
    >>> counts = [[3, 30, 33], [20, 40, 60], [23, 70, 93]]
    >>> table = pd.DataFrame(counts, index=["a", "b", "all"], columns=["x", "y", "all"])
    >>> suppress_crosstab(table, total="all")
           x    y  all
    a    <10  ≥10   33
    b    ≥10  ≥10   60
    all   23   70   93
    """
    values = _whole(table)
    if table.index[-1] != total or table.columns[-1] != total:
        what = f"the last row and the last column must be {total!r}"
        raise ArgumentError("total-not-last", what, hint=f"pandas.crosstab(..., margins=True, margins_name={total!r})")
    inner = values[:-1, :-1]
    sums = np.block([[inner, inner.sum(axis=1, keepdims=True)], [inner.sum(axis=0), inner.sum()]])
    if (sums != values).any():
        raise ArgumentError("total-differs", "the margins are not the sums of the cells", hint=_ADD_UP)
    hidden = _hidden_in_grid(values, min_cell)
    shown = {place: _marked(values[:, place], hidden[:, place], min_cell) for place in range(values.shape[1])}
    return pd.DataFrame(shown, index=table.index).set_axis(table.columns, axis="columns")


def _whole(table: pd.DataFrame) -> NDArray[np.int64]:
    numbers = table.to_numpy(dtype=float, na_value=np.nan)
    if not (np.isfinite(numbers).all() and (numbers >= 0).all() and (numbers == np.floor(numbers)).all()):
        raise ArgumentError("not-counts", "counts must be whole numbers from 0 on", hint="fillna(0) on the counts")
    return numbers.astype(np.int64)


def _is_text(column: pd.Series[Any]) -> bool:
    return all(isinstance(value, str) for value in column.dropna())


def _figures(column: pd.Series[Any], hidden: NDArray[np.bool_]) -> pd.Series[Any]:
    if not hidden.any():
        return column
    shown = [HIDDEN if hide else value for value, hide in zip(column, hidden, strict=True)]
    return pd.Series(shown, index=column.index, dtype=object)


def _marked(values: NDArray[np.int64], hidden: NDArray[np.bool_], min_cell: int) -> list[int | Mark]:
    return [
        Mark(f"<{min_cell}" if value < min_cell else f"≥{min_cell}") if hide else int(value)
        for value, hide in zip(values, hidden, strict=True)
    ]


def _hidden_in_line(line: NDArray[np.int64], min_cell: int) -> NDArray[np.bool_]:
    """Say which entries of a line to hide; its last entry is the sum of the others."""
    hidden = (line > 0) & (line < min_cell)
    least = np.ones_like(line)
    while hidden.any() and (hidden.sum() == 1 or _told_by_bounds(line, hidden, least, min_cell)):
        cheapest = _cheapest(line, hidden)
        if cheapest is None:
            break
        hidden[cheapest] = True
    return hidden


def _told_by_bounds(
    line: NDArray[np.int64], hidden: NDArray[np.bool_], least: NDArray[np.int64], min_cell: int
) -> bool:
    small = line < min_cell
    low = np.where(small, least, min_cell)[hidden]
    high = np.where(small, min_cell - 1, np.inf)[hidden]
    sign = np.where(np.arange(len(line)) == len(line) - 1, -1, 1)[hidden]
    told = (sign * line[hidden]).sum()
    bounds = np.where(sign > 0, low, -high).sum(), np.where(sign > 0, high, -low).sum()
    return bool(hidden.any() and told in bounds)


def _cheapest(line: NDArray[np.int64], hidden: NDArray[np.bool_]) -> int | None:
    """Return the place of the smallest shown count above 0, the total only where nothing else is left."""
    for candidates in (np.flatnonzero(~hidden[:-1] & (line[:-1] > 0)), np.flatnonzero(~hidden & (line > 0))):
        if len(candidates):
            return int(candidates[line[candidates].argmin()])
    return None


def _hidden_in_grid(grid: NDArray[np.int64], min_cell: int) -> NDArray[np.bool_]:
    small = (grid > 0) & (grid < min_cell)
    among_few = (small[:, -1:] | small[-1:, :]) & (grid[:, -1:] > 0) & (grid[-1:, :] > 0)
    hidden = small | among_few
    least = np.where(among_few, 0, 1)
    least[-1, :] = least[:, -1] = 1
    costs = _costs(grid)
    while True:
        for row, column in np.argwhere(hidden):
            for cell in _path_around(row, column, np.where(hidden, 0, costs)):
                hidden[cell] = True
        further = _told_in_a_line(grid, hidden, least, min_cell)
        if further is None:
            return hidden
        hidden[further] = True


def _told_in_a_line(
    grid: NDArray[np.int64], hidden: NDArray[np.bool_], least: NDArray[np.int64], min_cell: int
) -> tuple[int, int] | None:
    """Return one more cell to hide in the first line whose hidden cells its bounds tell."""
    for place in range(len(grid)):
        if _told_by_bounds(grid[place], hidden[place], least[place], min_cell):
            column = _cheapest(grid[place], hidden[place])
            if column is not None:
                return place, column
    for place in range(grid.shape[1]):
        if _told_by_bounds(grid[:, place], hidden[:, place], least[:, place], min_cell):
            row = _cheapest(grid[:, place], hidden[:, place])
            if row is not None:
                return row, place
    return None


def _costs(grid: NDArray[np.int64]) -> NDArray[np.float64]:
    costs = np.where(grid > 0, grid, np.inf)
    dearer = float(grid.sum()) + 1
    costs[-1, :] += dearer
    costs[:, -1] += dearer
    costs[-1, -1] += dearer * sum(grid.shape)
    return costs


def _path_around(row: int, column: int, costs: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the cells of the cheapest path from a row to a column that does not take their own cell (Dijkstra)."""
    rows, columns = costs.shape
    weights = np.full((rows + columns, rows + columns), np.inf)
    weights[:rows, rows:], weights[rows:, :rows] = costs, costs.T
    start, goal = int(row), rows + int(column)
    weights[start, goal] = weights[goal, start] = np.inf

    reached = np.full(rows + columns, np.inf)
    reached[start] = 0
    before: dict[int, int] = {}
    queue = [(0.0, start)]
    while queue:
        cost, node = heappop(queue)
        if node == goal:
            break
        for neighbour in np.flatnonzero(cost + weights[node] < reached):
            reached[neighbour] = cost + weights[node, neighbour]
            before[int(neighbour)] = node
            heappush(queue, (float(reached[neighbour]), int(neighbour)))

    path = []
    while goal in before:
        path.append((min(goal, before[goal]), max(goal, before[goal]) - rows))
        goal = before[goal]
    return path
