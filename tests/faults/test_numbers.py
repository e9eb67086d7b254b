"""Every fault of the list that was ever shown stays shown: the numbers that tests are marked with."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
SHOWN = (
    *range(1, 5), 6, 7, *range(9, 16), *range(17, 26), *range(27, 30), *range(31, 35), 36, 37, *range(39, 46), 47, 48,
    *range(50, 54), *range(55, 66), 68, 69, 70, 71, *range(73, 76), *range(77, 81), 82, 83, *range(85, 88),
    *range(93, 99), 100, 101, 102, *range(104, 112), 113, 114, 116, 117, *range(119, 125), 126, *range(128, 132),
    133, 134, 137, 138, 139, 143, 144,
)  # fmt: skip
"""This list only grows."""


def marked(file: Path) -> set[int]:
    """Return the numbers in ``pytest.mark.fault(...)`` and ``refusal(...)``, which makes such a mark, of a file."""
    return {
        argument.value
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"pytest.mark.fault", "refusal"}
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
    }


def test_every_fault_that_was_shown_is_shown() -> None:
    found = set().union(*(marked(file) for file in TESTS.rglob("test_*.py")))
    assert set(SHOWN) - found == set()
