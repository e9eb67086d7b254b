"""What a clone needs to be installed and read: one set of ranges, executed notebooks, a README that works."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import partial
from itertools import chain, pairwise, product
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import toolkit as tk
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
    assert [name for name in ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock") if (ROOT / name).exists()] == []


def test_the_lock_gives_every_machine_one_version_within_each_range() -> None:
    for reader in READERS:
        locked: dict[str, list[str]] = {}
        for pin in pins():
            if pin.marker is None or pin.marker.evaluate(reader):
                (version,) = (each.version for each in pin.specifier)
                locked.setdefault(canonicalize_name(pin.name), []).append(version)
        assert {name: versions for name, versions in locked.items() if len(versions) > 1} == {}, reader
        chosen = {each: locked.get(canonicalize_name(each.name), ["0"])[0] for each in REQUIREMENTS}
        assert [str(each) for each, version in chosen.items() if not each.specifier.contains(version)] == [], reader


def test_licence_and_changelog_are_there() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith("MIT License\n\nCopyright (c) 2026 The toolkit authors\n")
    assert PROJECT["license"] == "MIT"
    assert PROJECT["license-files"] == ["LICENSE"]
    assert PROJECT["version"] in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_file_of_the_repository_is_large() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: no list of the repository's files")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert len(files) > 20
    assert {str(file): file.stat().st_size for file in files if file.stat().st_size > LARGEST} == {}


def test_make_knows_its_targets() -> None:
    targets = ["help", "env", "report", "test", "unit", "nbval", "gates", "simulate", "lab", "lint", "bench", "lock"]
    run = subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, text=True, check=False)
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


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_thin_and_executed(notebook: Path) -> None:
    code = cells(notebook, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert code[-1]["outputs"], "the results are not there: was the notebook stripped?"
    kinds = {kind for cell in code for output in cell["outputs"] for kind in output.get("data", {})}
    assert any(kind.startswith("image/") for kind in kinds)
    assert [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"] == []
    assert str(ROOT) not in notebook.read_text("utf-8"), "a path of the machine that ran it stands in it"
    text = json.loads(notebook.read_text("utf-8"))["cells"]
    assert text[0]["cell_type"] == "markdown"
    prose = re.sub(r"```.*?```", "", "\n".join(cell["source"] for cell in cells(notebook, "markdown")), flags=re.DOTALL)
    assert cells(notebook, "markdown")[0]["source"].startswith("# ")
    assert len(re.findall(r"^# ", prose, flags=re.MULTILINE)) == 1
    assert len(tagged(notebook, "parameters")) == 1
    assert tagged(notebook, "results") == [len(text) - 1]
    for cell in code:
        tree = ast.parse(cell["source"])
        named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not [node.name for node in ast.walk(tree) if isinstance(node, named)]
        assert not re.search(r"\bget_ipython\b", cell["source"])


def test_what_readme_shows_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a demo of fewer customers: what it shows of the whole one stands in the notebooks."""
    blocks = re.findall(
        r"^```python[ \t]*(.*?)\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    shown = [code for words, code in blocks if "no-run" not in words.split()]
    assert shown
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tk.Study, "demo", partial(tk.Study.demo, customers=300))
    names: dict[str, Any] = {"__name__": "readme"}
    for code in shown:
        exec(code, names)  # noqa: S102 - as a reader types it


def test_the_study_file_that_readme_shows_is_one(tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert [block.partition(":")[0] for block in blocks] == ["name", "churn_window_days", "experiment"]
    (tmp_path / "study.yaml").write_text("\n".join(blocks[:2]), encoding="utf-8")
    settings = read_study_file(tmp_path / "study.yaml")
    assert set(settings.tiers) == {"purchase_habit", "vip"}
    (tmp_path / "cashback.yaml").write_text(blocks[2], encoding="utf-8")
    assert tk.Experiment.open(tmp_path / "cashback.yaml").closes_on.isoformat() == "2026-12-06"
