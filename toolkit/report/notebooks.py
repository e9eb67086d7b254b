"""Notebook files: read, write, and which of their cells count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat

from toolkit.report.results import RESULTS_MIME

if TYPE_CHECKING:
    from pathlib import Path

INJECTED = "injected-parameters"


def read(path: Path) -> Any:
    """Return a notebook of version 4, upgraded where it is older."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # the library has no types


def write(nb: Any, path: Path) -> None:
    """Write a notebook."""
    nbformat.write(nb, path)  # type: ignore[no-untyped-call]  # the library has no types


def has_tag(cell: Any, tag: str) -> bool:
    """Tell whether a cell has a tag."""
    return tag in cell.metadata.get("tags", ())


def code_cells(nb: Any) -> list[Any]:
    """Return the author's code cells that hold code; the cell that a run injects is not the author's."""
    return [
        cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip() and not has_tag(cell, INJECTED)
    ]


def recorded(cell: Any) -> list[dict[str, Any]]:
    """Return what ``record`` left in a code cell's outputs."""
    return [output.data[RESULTS_MIME] for output in cell.outputs if RESULTS_MIME in output.get("data", {})]
