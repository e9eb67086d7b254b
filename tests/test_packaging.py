"""What a clone needs to be installed and read: one set of ranges, executed notebooks, a README that works."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import chain, pairwise, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import toolkit
from toolkit.study import read_study_file

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"].values()
REQUIREMENTS = [Requirement(line) for line in chain(PROJECT["dependencies"], *EXTRAS)]
CONDA_NAMES = {"duckdb": "python-duckdb", "matplotlib": "matplotlib-base"}
"""Where conda-forge names a package otherwise."""
NOT_ON_CONDA = {"mplfonts"}
LARGEST = 1_500_000
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
READERS = [
    {"python_version": python[:4], "python_full_version": python, "sys_platform": platform, "os_name": system}
    for python, (platform, system) in product(
        ("3.11.9", "3.12.7"), (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))
    )
]
"""The machines that the lock file is for."""


def ranges(requirements: list[Requirement]) -> dict[str, str]:
    return {canonicalize_name(each.name): str(each.specifier) for each in requirements}


def pins() -> list[Requirement]:
    text = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", "")
    return [Requirement(line.partition(" --hash")[0]) for line in text.splitlines()]


def test_conda_has_the_same_names_and_ranges() -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    *names, last = conda["dependencies"]
    listed = ranges([Requirement(name) for name in names])
    assert conda["channels"] == ["conda-forge"]
    assert listed.pop("python") == str(Requirement(f"python{PROJECT['requires-python']}").specifier)
    assert listed.pop("pip") == ""
    wanted = ranges(REQUIREMENTS)
    by_pip = {name: wanted.pop(name) for name in NOT_ON_CONDA & set(wanted)}
    assert listed == {CONDA_NAMES.get(name, name): span for name, span in wanted.items()}
    *pip_names, editable = last["pip"]
    assert ranges([Requirement(name) for name in pip_names]) == by_pip
    assert editable == "-e ."


def test_the_lock_pins_and_hashes_everything_and_names_no_host() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    hashed = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")
    pinned = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[A-Za-z0-9.+!]+( ; [^/]+)? \\")
    assert [line for line in lines if not (hashed.fullmatch(line) or pinned.fullmatch(line))] == []
    assert [line for line, after in pairwise(lines) if line.endswith("\\") and not hashed.fullmatch(after)] == []
    assert [line for line in lines if "://" in line] == []


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: f"{reader['python_version']}-{reader['sys_platform']}")
def test_the_lock_gives_every_machine_one_version_within_each_range(reader: dict[str, str]) -> None:
    locked: dict[str, list[str]] = {}
    for pin in pins():
        if pin.marker is None or pin.marker.evaluate(reader):
            (version,) = (each.version for each in pin.specifier)
            locked.setdefault(canonicalize_name(pin.name), []).append(version)
    assert {name: versions for name, versions in locked.items() if len(versions) > 1} == {}
    chosen = {each: locked.get(canonicalize_name(each.name), ["0"])[0] for each in REQUIREMENTS}
    assert [str(each) for each, version in chosen.items() if not each.specifier.contains(version)] == []


def test_no_file_of_a_tool_that_records_hosts() -> None:
    assert [name for name in ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock") if (ROOT / name).exists()] == []


def test_the_licence_is_there() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith("MIT License\n\nCopyright (c) 2026 The toolkit authors\n")
    assert PROJECT["license"] == "MIT"
    assert PROJECT["license-files"] == ["LICENSE"]


def test_the_changelog_knows_the_version() -> None:
    assert PROJECT["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_file_of_the_repository_is_large() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: no list of the repository's files")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert len(files) > 20
    assert {str(file): file.stat().st_size for file in files if file.stat().st_size > LARGEST} == {}


@pytest.mark.parametrize("target", ["help", "env", "report", "test", "lab", "lint", "bench", "lock"])
def test_make_knows_the_target(target: str) -> None:
    run = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_an_unfit_python_is_refused_with_what_to_type(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 10, 0); $2"\n')
    python.chmod(0o755)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    run = subprocess.run(["make", "env", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "Python 3.11 or 3.12 is needed" in run.stderr
    assert "Try: make env PYTHON=python3.12" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_what_ci_runs_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    everything = json.loads(notebook.read_text("utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in everything if cell["cell_type"] == kind]


def tagged(notebook: Path, tag: str) -> list[int]:
    everything = json.loads(notebook.read_text("utf-8"))["cells"]
    return [place for place, cell in enumerate(everything) if tag in cell["metadata"].get("tags", [])]


def test_the_notebooks_are_there() -> None:
    assert {"00_data_health", "01_segments"} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_executed(notebook: Path) -> None:
    code = cells(notebook, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert code[-1]["outputs"], "the results are not there: was the notebook stripped?"
    kinds = {kind for cell in code for output in cell["outputs"] for kind in output.get("data", {})}
    assert any(kind.startswith("image/") for kind in kinds)
    assert [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"] == []
    assert str(ROOT) not in notebook.read_text("utf-8"), "a path of the machine that ran it stands in it"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_thin(notebook: Path) -> None:
    text = json.loads(notebook.read_text("utf-8"))["cells"]
    assert text[0]["cell_type"] == "markdown"
    prose = re.sub(r"```.*?```", "", "\n".join(cell["source"] for cell in cells(notebook, "markdown")), flags=re.DOTALL)
    assert cells(notebook, "markdown")[0]["source"].startswith("# ")
    assert len(re.findall(r"^# ", prose, flags=re.MULTILINE)) == 1
    assert len(tagged(notebook, "parameters")) == 1
    assert tagged(notebook, "results") == [len(text) - 1]
    for cell in cells(notebook, "code"):
        tree = ast.parse(cell["source"])
        named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not [node.name for node in ast.walk(tree) if isinstance(node, named)]
        assert not re.search(r"\bget_ipython\b", cell["source"])


def test_a_command_in_a_notebook_is_found() -> None:
    for source in ("!ls", "files = !ls", "%%bash\nls"):
        with pytest.raises(SyntaxError):
            ast.parse(source)


def test_what_readme_shows_runs(tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```python[ \t]*(.*?)\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    shown = [code for words, code in blocks if "no-run" not in words.split()]
    assert shown
    (tmp_path / "readme.py").write_text("\n".join(shown), encoding="utf-8")
    environment = os.environ | {"MPLBACKEND": "Agg"}
    run = subprocess.run(
        [sys.executable, "readme.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_study_file_that_readme_shows_is_one(tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert [block.partition(":")[0] for block in blocks] == ["name", "churn_window_days", "experiment"]
    (tmp_path / "study.yaml").write_text("\n".join(blocks[:2]), encoding="utf-8")
    settings = read_study_file(tmp_path / "study.yaml")
    assert set(settings.tiers) == {"purchase_habit", "vip"}
    (tmp_path / "cashback.yaml").write_text(blocks[2], encoding="utf-8")
    assert toolkit.Experiment.open(tmp_path / "cashback.yaml").closes_on.isoformat() == "2026-12-06"
