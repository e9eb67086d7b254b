"""A small count is not shown, and does not follow from what is."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.errors import ArgumentError
from toolkit.report.small_cells import HIDDEN, suppress_crosstab, suppress_small

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = pytest.mark.fault(134)
COUNT = st.integers(0, 60) | st.integers(0, 12)


def one_way(counts: list[int]) -> pd.DataFrame:
    frame = pd.DataFrame({"customers": counts}, index=[f"g{place}" for place in range(len(counts))])
    frame["spend"] = frame["customers"] * 12.5
    frame.loc["all"] = frame.sum()
    return frame.assign(customers=frame["customers"].astype(int), name="text", number=range(len(frame)))


def crosstab(cells: list[list[int]]) -> pd.DataFrame:
    frame = pd.DataFrame(cells)
    frame["all"] = frame.sum(axis=1)
    frame.loc["all"] = frame.sum()
    return frame


def sums(rows: int, columns: int) -> NDArray[np.float64]:
    """Every equation a reader has: each row and column of the table adds up to its margin."""
    grid = np.arange(rows * columns).reshape(rows, columns)
    equations = np.zeros((rows + columns, rows * columns))
    for equation, line in zip(equations, [*grid, *grid.T], strict=True):
        equation[line[:-1]], equation[line[-1]] = 1, -1
    return equations


def followed(hidden: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the hidden cells that the equations determine: those that no solution of the homogeneous system moves."""
    places = np.flatnonzero(hidden)
    equations = sums(*hidden.shape)[:, places]
    _, singular, vectors = np.linalg.svd(equations)
    free = vectors[(singular > 1e-9).sum() :]
    determined: NDArray[np.intp] = places[(np.abs(free) < 1e-9).all(axis=0)]
    return determined


def is_hidden(table: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray(table.map(lambda value: isinstance(value, str)), dtype=bool)


def ways(shown: list[Any]) -> list[set[int]]:
    """Return, for a short line, the values each hidden cell may have, from what is shown and what the marks say."""
    span = {"<10": range(1, 10), "≥10": range(10, 130)}
    choices = [span[mark] if isinstance(mark, str) else [mark] for mark in shown]
    fits = [line for line in product(*choices[:-1]) if sum(line) in choices[-1]]
    return [{line[place] for line in fits} for place, mark in enumerate(shown[:-1]) if isinstance(mark, str)]


@given(st.lists(COUNT, min_size=1, max_size=8))
@examples(dev=30, ci=100)
def test_one_way_shows_no_small_count_and_none_alone(counts: list[int]) -> None:
    table = one_way(counts)
    shown = suppress_small(table, counts="customers", total="all", keep=["number"])
    hidden = is_hidden(shown[["customers"]])[:, 0]
    assert all(hidden[place] for place, count in enumerate(table["customers"]) if 0 < count < 10)
    assert hidden.sum() != 1
    assert (shown["spend"] == HIDDEN).tolist() == hidden.tolist()
    assert shown["customers"][~hidden].tolist() == table["customers"][~hidden].tolist()
    assert shown[["name", "number"]].equals(table[["name", "number"]])


@given(st.lists(st.integers(0, 14), min_size=1, max_size=3))
@examples(dev=15, ci=60)
def test_one_way_leaves_every_hidden_count_at_least_two_values(counts: list[int]) -> None:
    shown = suppress_small(one_way(counts), counts="customers", total="all")
    assert all(len(values) > 1 for values in ways(shown["customers"].tolist()))


@given(
    st.integers(1, 6).flatmap(
        lambda width: st.lists(st.lists(COUNT, min_size=width, max_size=width), min_size=1, max_size=6)
    )
)
@examples(dev=40, ci=150)
def test_no_hidden_cell_follows_by_any_sums_and_differences(cells: list[list[int]]) -> None:
    table = crosstab(cells)
    shown = suppress_crosstab(table, total="all")
    hidden = is_hidden(shown)
    small = ((table > 0) & (table < 10)).to_numpy()
    assert hidden[small].all()
    assert not len(followed(hidden))
    assert (shown.to_numpy()[~hidden] == table.to_numpy()[~hidden]).all()


def test_the_check_above_can_fail() -> None:
    alone = np.zeros((3, 3), dtype=bool)
    alone[0, 0] = True
    assert followed(alone).tolist() == [0]
    bridge = np.zeros((5, 5), dtype=bool)
    bridge[np.ix_([0, 1], [0, 1])] = bridge[np.ix_([2, 3], [2, 3])] = bridge[1, 2] = True
    assert followed(bridge).tolist() == [7]


def test_one_way_by_hand() -> None:
    """The smallest other count goes with a lone small one, the total where nothing else is left; zeros are shown."""
    shown = {
        counts: suppress_small(one_way(list(counts)), counts="customers", total="all")["customers"].tolist()
        for counts in ((1, 1, 30, 50), (3, 0, 40, 12), (9, 9), (20, 30))
    }
    assert shown == {
        (1, 1, 30, 50): ["<10", "<10", "≥10", 50, 82],
        (3, 0, 40, 12): ["<10", 0, 40, "≥10", 55],
        (9, 9): ["<10", "<10", "≥10"],
        (20, 30): [20, 30, 50],
    }
    spend = suppress_small(one_way([3, 0, 40, 12]), counts="customers", total="all")["spend"]
    assert spend.tolist() == [HIDDEN, 0.0, 500.0, HIDDEN, 687.5]
    table = one_way([20, 30])
    pd.testing.assert_frame_equal(suppress_small(table, counts="customers", total="all"), table)
    without_total = suppress_small(one_way([3, 40, 12]).drop(index="all"), counts="customers")
    assert without_total["customers"].tolist() == ["<10", 40, "≥10"]
    lower = suppress_small(one_way([4, 5, 6]), counts="customers", total="all", min_cell=5)
    assert lower["customers"].tolist() == ["<5", "≥5", 6, 15]


def test_dates_of_hidden_rows_are_hidden() -> None:
    table = pd.DataFrame({"n": [3, 20, 30], "first_order_date": pd.to_datetime(["2026-01-01"] * 3)})
    shown = suppress_small(table, counts="n")
    assert [value == HIDDEN for value in shown["first_order_date"]] == [True, True, False]


def test_a_crosstab_worked_by_hand() -> None:
    shown = suppress_crosstab(crosstab([[3, 30, 50], [20, 40, 60], [80, 90, 70]]), total="all")
    assert shown.to_numpy().tolist() == [
        ["<10", "≥10", 50, 83],
        ["≥10", "≥10", 60, 120],
        [80, 90, 70, 240],
        [103, 160, 180, 443],
    ]


def test_ones_in_a_block_do_not_follow_from_the_sums_of_their_lines() -> None:
    shown = suppress_crosstab(crosstab([[1, 1, 30], [1, 1, 40], [20, 30, 50]]), total="all")
    lines = [shown.iloc[0], shown.iloc[1], shown.iloc[:, 0], shown.iloc[:, 1]]
    assert all(len(values) > 1 for line in lines for values in ways(line.tolist()))


def test_a_zero_among_few_persons_is_hidden() -> None:
    shown = suppress_crosstab(crosstab([[4, 0, 0], [30, 50, 0], [40, 60, 0]]), total="all")
    assert shown.iloc[0].tolist() == ["<10", "<10", 0, "<10"]


@pytest.mark.parametrize("counts", [[-1, 20], [1.5, 20], [np.nan, 20]])
def test_what_is_not_a_count_is_refused(counts: list[float]) -> None:
    with pytest.raises(ArgumentError, match="not-counts"):
        suppress_small(pd.DataFrame({"n": counts}), counts="n")


def test_a_total_that_does_not_add_up_is_refused() -> None:
    wrong = one_way([20, 30]).assign(customers=[20, 30, 51])
    with pytest.raises(ArgumentError, match="total-differs"):
        suppress_small(wrong, counts="customers", total="all")
    with pytest.raises(ArgumentError, match="total-differs"):
        suppress_crosstab(pd.DataFrame([[1, 2], [1, 3]], index=["a", "all"], columns=["x", "all"]), total="all")
    with pytest.raises(ArgumentError, match="total-not-last"):
        suppress_crosstab(crosstab([[1, 2], [3, 4]]), total="sum")
