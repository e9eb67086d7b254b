"""The notebooks' prose in Chinese: written in English in the notebooks, published in the study's language."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def translations(notebooks: Iterable[Path]) -> dict[str, str]:
    """Return the Chinese for each Markdown cell of the notebooks that has one.

    Parameters
    ----------
    notebooks
        The notebooks' files.

    Returns
    -------
    dict
        The cell's source as it stands there, to its translation. Line breaks inside a paragraph do not matter.
    """
    from toolkit.report.notebooks import read  # noqa: PLC0415 - nbformat takes a while

    known = {_flat(entry["en"]): str(entry["zh"]).strip() for entry in _table()}
    sources = [str(cell.source) for path in notebooks for cell in read(path).cells if cell.cell_type == "markdown"]
    return {source: known[_flat(source)] for source in sources if _flat(source) in known}


def _table() -> list[dict[str, str]]:
    found: list[dict[str, str]] = yaml.safe_load(files("toolkit.report").joinpath("prose.yaml").read_text("utf-8"))
    return found


def _flat(text: str) -> str:
    return " ".join(text.split())
