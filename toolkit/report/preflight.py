"""What must hold before a notebook is run: refusals that cost a second and not a report."""

from __future__ import annotations

import ast
import importlib.util
from typing import TYPE_CHECKING, Any

import papermill
from nbformat.reader import NotJSONError

from toolkit.errors import RunError
from toolkit.report.kernels import braced
from toolkit.report.notebooks import code_cells, has_tag, read
from toolkit.report.shell import shell_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_kernel() -> None:
    """Refuse where this interpreter cannot run notebooks.

    Raises
    ------
    RunError
        Where ipykernel is not installed beside the toolkit.
    """
    if importlib.util.find_spec("ipykernel") is None:
        raise RunError(
            "no-kernel",
            "this Python has no Jupyter kernel (ipykernel is not installed)",
            hint="pip install ipykernel, or make env",
        )


def checked_notebook(path: Path, parameters: Mapping[str, str]) -> Any:
    """Read a notebook that can be run with these parameters, or refuse it.

    Parameters
    ----------
    path
        The notebook's file.
    parameters
        Name to value; each must be in the notebook's own cell tagged ``parameters``, as text.

    Returns
    -------
    NotebookNode
        The notebook.

    Raises
    ------
    RunError
        Where the file is no Python notebook, the cell tagged ``parameters`` is missing or has no such parameter or has
        it in another type, the last cell is not tagged ``results``, or a cell runs a shell command.
    """
    try:
        nb = read(path)
    except (OSError, NotJSONError) as error:
        raise RunError(
            "no-notebook", "cannot be read as a notebook", where=path.name, hint=f"git checkout -- {path.name}"
        ) from error
    language = nb.metadata.get("kernelspec", {}).get("language") or nb.metadata.get("language_info", {}).get("name")
    if language != "python":
        raise RunError(
            "no-kernel", "names no Python kernel", where=path.name, hint="open it in JupyterLab, choose Python 3, save"
        )
    if not any(has_tag(cell, "parameters") for cell in nb.cells):
        raise RunError(
            "no-parameters",
            "has no cell tagged parameters",
            where=path.name,
            hint="tag the cell that sets study and as_of",
        )
    known = papermill.inspect_notebook(braced(path))
    for name in parameters:
        _check_parameter(name, known, path.name)
    cells = [cell for cell in nb.cells if cell.source.strip()]
    if cells[-1].cell_type != "code" or not has_tag(cells[-1], "results"):
        raise RunError(
            "no-results",
            "the last cell is not tagged results",
            where=path.name,
            hint="end it with tk.record(...), tagged results",
        )
    for number, cell in enumerate(code_cells(nb), start=1):
        if command := shell_command(cell.source):
            raise RunError(
                "shell-command",
                f"runs a shell command ({command}), whose failure would go unseen",
                where=f"{path.name} code cell {number}",
                hint="subprocess.run([...], check=True)",
            )
    return nb


def _check_parameter(name: str, known: Mapping[str, Mapping[str, str]], notebook: str) -> None:
    if name not in known:
        raise RunError(
            "unknown-parameter",
            f"has no parameter {name}; it has {', '.join(sorted(known)) or 'none'}",
            where=notebook,
            hint=f'{name} = "" in the cell tagged parameters',
        )
    kind = known[name]["inferred_type_name"]
    if kind in {"None", ""}:
        try:
            kind = type(ast.literal_eval(known[name]["default"])).__name__
        except (ValueError, SyntaxError):
            kind = "an expression"
    if kind != "str":
        raise RunError(
            "parameter-type",
            f"parameter {name} is {kind} there, and a run passes text",
            where=notebook,
            hint=f'{name}: str = "..." in the cell tagged parameters',
        )
