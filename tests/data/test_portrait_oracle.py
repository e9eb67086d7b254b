"""Every column of the snapshot equals what plain Python makes of the same made-up rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings

from tests.builders.made_up import AS_OF, SETTINGS, study_of, tables_of
from tests.builders.portrait import Portrait, day_of
from toolkit.schema import SNAPSHOT

if TYPE_CHECKING:
    from tests.builders.made_up import Row

SEVERAL = settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink])


@pytest.mark.parametrize("merged", [True, False], ids=["merged", "apart"])
@pytest.mark.parametrize(("zero_orders", "window_days"), [("exclude", 365), ("count", 90)])
@SEVERAL
@given(tables=tables_of())
def test_the_snapshot_is_what_plain_python_makes_of_the_rows(
    merged: bool, zero_orders: str, window_days: int, tables: dict[str, list[Row]]
) -> None:
    tables = {name: rows for name, rows in tables.items() if merged or name != "identities"}
    policies = SETTINGS["policies"] | {"zero_orders": zero_orders}
    study = study_of(tables, policies=policies, window_days=window_days)
    expected = Portrait(tables, AS_OF, window_days=window_days, count_zero_orders=zero_orders == "count").columns
    found = study.snapshot(AS_OF)
    assert list(found.index) == sorted(expected)
    for column in SNAPSHOT:
        shown = {who: row[column.name] for who, row in expected.items()}
        wrong = {
            who: (value, shown[who])
            for who, value in found[column.name].items()
            if not _same(value, shown[str(who)], column.dtype)
        }
        assert not wrong, column.name


def _same(value: Any, expected: Any, dtype: str) -> bool:
    if expected is None:
        return bool(pd.isna(value))
    if dtype.startswith("datetime"):
        return bool(day_of(str(value)) == expected)
    if dtype == "float64":
        return bool(value == pytest.approx(float(expected), rel=1e-12, abs=1e-12))
    return bool(value == expected)
