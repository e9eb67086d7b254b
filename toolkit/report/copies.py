"""What of an executed notebook may be published: its results and outputs, and nothing of the machine it ran on."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.report.notebooks import INJECTED, code_cells, has_tag, recorded
from toolkit.report.results import RESULTS_MIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Scrubber:
    """Takes this machine's folders out of texts.

    Parameters
    ----------
    folders
        More folders whose paths must not be published, such as the study's.

    Examples
    --------
    >>> Scrubber(["/srv/ann/shop"]).text("read /srv/ann/shop/orders.csv")
    'read …/orders.csv'
    """

    def __init__(self, folders: Iterable[str | Path]) -> None:
        known = {Path(folder) for folder in (*folders, sys.prefix, Path.home(), tempfile.gettempdir())}
        resolved = known | {path.resolve() for path in known}
        paths = {str(path) for path in resolved if path.is_absolute() and len(path.parts) > 1}
        longest_first = sorted(paths, key=lambda path: (-len(path), path))
        self._pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")

    def text(self, text: str) -> str:
        """Return the text with an ellipsis in the place of each folder."""
        return self._pattern.sub("…", text)

    def tree(self, value: Any) -> Any:
        """Return JSON with every text in it scrubbed."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.tree(item) for key, item in value.items()}
        return [self.tree(item) for item in value] if isinstance(value, list | tuple) else value


def publishable(nb: Any, shown: Mapping[str, str], scrub: Scrubber, translations: Mapping[str, str]) -> Any:
    """Return a copy of an executed notebook that may be published.

    Parameters
    ----------
    nb
        The executed notebook.
    shown
        The parameters as they may be shown (no path).
    scrub
        What takes this machine's folders out.
    translations
        A Markdown cell's source to the one that is published for it.

    Returns
    -------
    NotebookNode
        Without run times, run token, paths, warnings, errors and tracebacks; the same bytes for the same outputs.
    """
    copy = deepcopy(nb)
    for name in set(copy.metadata) - {"kernelspec", "language_info"}:
        del copy.metadata[name]
    for cell in copy.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "markdown":
            cell.source = translations.get(cell.source, cell.source)
        if cell.cell_type == "code":
            cell.outputs = [_output(output, scrub) for output in cell.outputs if _is_result(output)]
        if has_tag(cell, INJECTED):
            cell["id"] = INJECTED
            lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in shown.items())
            cell.source = "\n".join(("# Parameters of this run", *lines))
    return copy


def results(nb: Any) -> dict[str, Any]:
    """Return what the last cell of a notebook recorded."""
    return dict(recorded(code_cells(nb)[-1])[-1]["results"])


def without_results_cell(nb: Any) -> Any:
    """Return the notebook as its page shows it.

    The recorded results stand in a file of their own; a section whose cells all came to nothing, such as that on the
    members of a shop that has none, is left out with its prose.
    """
    copy = deepcopy(nb)
    sections: list[list[Any]] = [[]]
    for cell in copy.cells:
        if has_tag(cell, "results"):
            continue
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            sections.append([])
        sections[-1].append(cell)
    copy.cells = [cell for place, section in enumerate(sections) if place == 0 or _shows(section) for cell in section]
    return copy


def _shows(section: list[Any]) -> bool:
    code = [cell for cell in section if cell.cell_type == "code"]
    return not code or any(cell.outputs for cell in code)


def _is_result(output: Any) -> bool:
    return bool(output.output_type != "error" and output.get("name") != "stderr")


def _output(output: Any, scrub: Scrubber) -> Any:
    if output.output_type == "stream":
        output.text = scrub.text(output.text)
        return output
    for kind, value in output.data.items():
        if not kind.startswith("image/"):
            output.data[kind] = scrub.tree(value)
    if RESULTS_MIME in output.data:
        output.data[RESULTS_MIME]["token"] = ""
    return output
