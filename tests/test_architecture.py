"""A room imports only the rooms below it, nothing goes round in circles, and notebooks import the toolkit alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import toolkit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "toolkit"
ROOMS = (
    "errors",
    "words",
    "stats",
    "intervals",
    "results",
    "tables",
    "schema",
    "contract",
    "strict",
    "settings",
    "rules",
    "study",
    "data",
    "draft",
    "demo",
    "segments",
    "risk",
    "strategy",
    "report",
)
"""From the lowest, which imports nothing, to the highest; some are still to come."""
FREE = {"__init__", "__main__"}
APART = {("segments", "risk"), ("risk", "segments")}
NAMES_WITHOUT_A_JOB = {"utils", "util", "helpers", "common", "misc"}
LONG = 60
"""Lines of body, without the docstring, past which a function asks to be two."""
INSIDE = {
    "00_data_health": "report.health report.page report.plots report.stories",
    "01_segments": "report.health report.page report.plots report.plots_stages report.plots_tiers report.portrait_page"
    " report.scoring report.stage_tables report.stories report.tiering segments.core segments.summary",
    "02_clusters": "report.clustering report.page report.plots_clusters",
    "03_churn_risk": "report.clocking report.grading report.outlook report.page report.risking",
    "04_customer_value": "report.outlook report.page report.risking report.valuing",
    "05_tier_migration": "report.moves report.moves_cells report.moves_tables report.page report.plots_bridge"
    " report.plots_moves report.plots_rhythm report.rhythm_cells segments.history",
    "08_experiment_plan": "report.experiments report.page report.planning",
    "09_experiment_evaluation": "report.experiments report.page report.trialling",
}
"""Notebook -> modules it imports beside the toolkit's public names; this list may only shrink."""


def modules(package: Path) -> dict[str, Path]:
    """Return every module by its dotted name below the package: ``data.loading``; a room's own file is ``data``."""
    return {
        ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(package.rglob("*.py"))
    }


def imports(name: str, path: Path, known: set[str]) -> Iterator[str]:
    """Yield what a module imports of the package anywhere, functions included; ``""`` is the package itself."""
    home = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ["toolkit", *home][: len(home) + 2 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            inside = source.removeprefix("toolkit").removeprefix(".")
            found = [
                f"{source}.{alias.name}" if ".".join(filter(None, (inside, alias.name))) in known else source
                for alias in node.names
            ]
        else:
            continue
        for target in found:
            if target == "toolkit" or target.startswith("toolkit."):
                yield target.removeprefix("toolkit").removeprefix(".")


def graph(package: Path) -> dict[str, set[str]]:
    files = modules(package)
    return {name: set(imports(name, path, set(files))) for name, path in files.items() if name not in FREE}


def faults(package: Path) -> list[str]:
    """Return what breaks the order of the rooms, one sentence each."""
    found = []
    for name, targets in graph(package).items():
        room = name.split(".")[0]
        if room not in ROOMS:
            found.append(f"{name}: no such room")
            continue
        for target in sorted(targets):
            other = target.split(".")[0]
            if other not in ROOMS:
                found.append(f"{name} imports {target or 'toolkit'}: not a room")
            elif ROOMS.index(other) > ROOMS.index(room) or (room, other) in APART:
                found.append(f"{name} imports {target}: not below it")
    try:
        TopologicalSorter(graph(package)).prepare()
    except CycleError as cycle:
        found.append(" -> ".join(cycle.args[1]) + ": in circles")
    return found


def test_rooms_import_only_what_is_below_them() -> None:
    assert faults(PACKAGE) == []


@pytest.mark.parametrize(
    ("path", "code", "fault"),
    [
        ("data/a.py", "from toolkit.segments.rfm import RFM", "not below it"),
        ("data/a.py", "def f():\n    import toolkit.report.plots", "not below it"),
        ("data/a.py", "from toolkit import report", "not below it"),
        ("data/a.py", "from ..report import plots", "not below it"),
        ("data/a.py", "from . import b", ""),
        ("errors.py", "from toolkit.schema import ORDERS", "not below it"),
        ("risk/a.py", "from toolkit.segments import rfm", "not below it"),
        ("segments/a.py", "from toolkit.risk import churn", "not below it"),
        ("strategy/a.py", "from toolkit.risk import churn", ""),
        ("report/a.py", "import toolkit as tk", "not a room"),
        ("report/a.py", "from toolkit.report import a", "in circles"),
        ("tools.py", "", "no such room"),
        ("__main__.py", "from toolkit.report import runs", ""),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, path: str, code: str, fault: str) -> None:
    for name in {*ROOMS[3:], "report/plots", "data/b"}:
        file = tmp_path / name / "__init__.py" if "/" not in name else tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.touch()
    (tmp_path / path).write_text(code)
    found = faults(tmp_path)
    assert [text.rpartition(": ")[2] for text in found] == ([fault] if fault else [])


def test_a_circle_of_two_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.py").write_text("from toolkit.data import b")
    (tmp_path / "data" / "b.py").write_text("def f():\n    from toolkit.data.a import x")
    assert [text.rpartition(": ")[2] for text in faults(tmp_path)] == ["in circles"]


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, toolkit; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "numpy", "matplotlib", "seaborn", "duckdb", "sklearn", "pydantic"} & set(run.stdout.split())


@pytest.mark.parametrize("name", toolkit.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(toolkit, name).__doc__
    assert name in dir(toolkit)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        toolkit.nothing_of_the_kind  # noqa: B018 - the look-up is what is tested


def test_no_file_has_a_name_without_a_job() -> None:
    assert [name for name in modules(PACKAGE) if name.split(".")[-1] in NAMES_WITHOUT_A_JOB] == []


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    after_docstring = first.end_lineno if ast.get_docstring(function) is not None else first.lineno - 1
    return (function.end_lineno or 0) - (after_docstring or 0)


def test_long_functions_are_told(record_property: Callable[[str, object], None]) -> None:
    lengths = {
        f"{name}.{node.name}": body_lines(node)
        for name, path in modules(PACKAGE).items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    told = sorted(((length, name) for name, length in lengths.items() if length > LONG), reverse=True)
    record_property(f"functions of more than {LONG} lines", ", ".join(f"{name} ({length})" for length, name in told))
    assert len(lengths) > len(told)


def imported(notebook: Path) -> set[str]:
    """Return what the code of a notebook imports beside the toolkit itself: modules by their names below it."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "code" for line in [*cell["source"], "\n"]]
    code = "".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
    known = modules(PACKAGE).keys()
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.removeprefix("toolkit.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = str(node.module).removeprefix("toolkit").removeprefix(".")
            deeper = {".".join(filter(None, (source, alias.name))) for alias in node.names}
            names |= {name if name in known else source for name in deeper}
    return names - {"toolkit"}


def test_notebooks_import_nothing_but_the_toolkit() -> None:
    beside = {path.stem: imported(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    assert {name: found for name, found in beside.items() if found} == {
        name: set(text.split()) for name, text in INSIDE.items()
    }
