"""A good run publishes a whole report, and the command does what it is asked for."""

from __future__ import annotations

import itertools
import json
import sys
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from tests.builders.toys import AS_OF, run, toy, without_workers, workbench
from toolkit import __main__ as command
from toolkit.errors import ArgumentError
from toolkit.report.pseudonyms import KEY_VARIABLE
from toolkit.report.runs import Report, select_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "a key that stays at home"  # noqa: S105 - the one that must not come out
CLOCK = itertools.cycle([datetime(2026, 11, 1, 12, tzinfo=UTC)] * 3 + [datetime(2026, 10, 31, 12, tzinfo=UTC)])
Made = tuple[Report, dict[str, bytes], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A report made twice in one second and over a clock that was set back, what the first one said, and its home."""
    home = tmp_path_factory.mktemp("shop")
    picture = (
        'import os, sys, warnings\nwarnings.warn("w")\nprint(os.getcwd(), study, "MPLBACKEND" in os.environ)\nas_of'
    )
    notebooks = [
        toy(home / "00_data_health.ipynb", picture, title="What came in?"),
        toy(home / "01_segments.ipynb", 'study.rsplit("/", 1)[-1]'),
    ]
    options: dict[str, Any] = {
        "study": str(home / "study.yaml"),
        "facts": {"seed": 7, "read": str(home / "orders.csv")},
    }
    with pytest.MonkeyPatch.context() as patch, without_workers():
        patch.setattr("toolkit.report.runs.datetime", types.SimpleNamespace(now=lambda _: next(CLOCK)))
        patch.setenv(KEY_VARIABLE, SECRET)
        first = run(home / "reports", *notebooks, **options)
        kept = {name: (first.path / name).read_bytes() for name in ("results.json", "manifest.json")}
        return run(home / "reports", *notebooks, **options), kept, home


def test_a_report_holds_every_part(made: Made) -> None:
    report, _, _ = made
    files = {path.relative_to(report.path).as_posix() for path in report.path.rglob("*") if path.is_file()}
    assert files == {
        "index.html", "00_data_health.html", "01_segments.html", "results.json", "manifest.json",
        "notebooks/00_data_health.ipynb", "notebooks/01_segments.ipynb",
    }  # fmt: skip
    assert sorted(path.name for path in report.path.parent.iterdir()) == [AS_OF]


@pytest.mark.fault(130)
def test_results_and_name_are_the_same_whatever_the_clock_says(made: Made) -> None:
    report, first, _ = made
    assert (report.path / "results.json").read_bytes() == first["results.json"]
    before, now = json.loads(first["manifest.json"]), json.loads((report.path / "manifest.json").read_text("utf-8"))
    assert now["run_id"] == before["run_id"]
    assert now["started"] == before["finished"] > now["finished"]


def test_results_are_what_the_notebooks_recorded(made: Made) -> None:
    _, first, _ = made
    results = json.loads(first["results.json"])
    assert list(results) == ["00_data_health", "01_segments"]
    assert results["01_segments"]["customers"] == 3
    assert results["01_segments"]["day"] == AS_OF


@pytest.mark.fault(129)
def test_the_manifest_says_how_it_was_made(made: Made) -> None:
    manifest = json.loads((made[0].path / "manifest.json").read_text("utf-8"))
    assert manifest["parameters"] == {"study": "study.yaml", "as_of": AS_OF, "lang": "en"}
    assert manifest["inputs"] == {"orders.csv": "ab"}
    assert manifest["study"]["seed"] == 7
    assert set(manifest["notebooks"]) == {"00_data_health.ipynb", "01_segments.ipynb"}
    assert manifest["versions"]["pandas"]
    assert len(manifest["run_id"]) == len(manifest["template"]) == 64


def test_nothing_published_names_the_machine(made: Made) -> None:
    report, _, home = made
    for path in (path for path in report.path.rglob("*") if path.is_file()):
        text = path.read_text("utf-8")
        assert str(home) not in text, path
        assert "ipykernel_" not in text, path
        assert SECRET not in text, path
    notebook = (report.path / "notebooks" / "01_segments.ipynb").read_text("utf-8")
    assert 'study = \\"study.yaml\\"' in notebook
    assert "papermill" not in notebook


def test_pages_show_outputs_and_no_code(made: Made) -> None:
    page = (made[0].path / "00_data_health.html").read_text("utf-8")
    assert "<h1" in page
    assert "2026-10-31" in page
    assert "getcwd" not in page
    assert "warn" not in page
    index = (made[0].path / "index.html").read_text("utf-8")
    assert "What came in?" in index
    assert "All is well." in index
    assert "1,234" in index


@pytest.fixture
def toolkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command, on toy notebooks."""
    monkeypatch.setitem(sys.modules, "toolkit.report.workbench", workbench())
    monkeypatch.setattr(command, "NOTEBOOKS", tmp_path / "notebooks")
    toy(tmp_path / "notebooks" / "01_segments.ipynb")
    toy(tmp_path / "notebooks" / "03_churn_risk.ipynb", "raise ValueError")
    return lambda *words: CliRunner().invoke(command.app, ["report", *words, "--out", str(tmp_path / "reports")])


def test_the_command_publishes_what_is_asked_for_and_says_how_far_it_is(
    toolkit: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.report.pool.QUIET", 0.0)
    ended = toolkit("--only", "segments")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.strip() == str(tmp_path / "reports" / "demo" / AS_OF / "index.html")
    assert Path(ended.stdout.strip()).exists()
    said = [line for line in ended.stderr.splitlines() if "versions" not in line]
    assert said[:2] == ["reading the study ...", f"demo {AS_OF}: 1 notebooks, 2 at a time"]
    assert "0 of 3 cells" in said
    assert any(line.startswith("01_segments: done after ") for line in said)


@pytest.mark.fault(116)
def test_the_command_fails_by_its_exit_code(toolkit: Callable[..., Any]) -> None:
    with without_workers():
        ended = toolkit("--only", "churn_risk")
    assert ended.exit_code == 1
    assert "03_churn_risk.ipynb code cell 2: raised ValueError" in ended.stderr
    assert "Traceback" not in ended.output


@pytest.mark.fault(53)
def test_a_study_needs_its_date(toolkit: Callable[..., Any]) -> None:
    ended = toolkit("study.yaml")
    assert ended.exit_code == 1
    assert "Try: --as-of" in ended.stderr


def test_an_unknown_notebook_lists_what_there_is(tmp_path: Path) -> None:
    notebooks = [toy(tmp_path / "02_clusters.ipynb"), toy(tmp_path / "10_late.ipynb")]
    assert select_notebooks(tmp_path) == notebooks
    assert select_notebooks(tmp_path, ["late"]) == notebooks[1:]
    with pytest.raises(ArgumentError, match=r"segment.*Try: .*clusters, late"):
        select_notebooks(tmp_path, ["segment"])
    toy(tmp_path / "11_late.ipynb")
    with pytest.raises(ArgumentError, match=r"two notebooks of one name.*Try: "):
        select_notebooks(tmp_path)
