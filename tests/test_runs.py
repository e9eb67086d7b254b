"""A report is published whole or not at all, whatever its notebooks do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import types
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from typer.testing import CliRunner

from toolkit import __main__ as command
from toolkit.errors import ArgumentError, RunError, RunLockedError
from toolkit.report.publish import publish, workplace
from toolkit.report.runs import Report, run_report, select_notebooks

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = "2026-10-31"
PARAMETERS = 'study = "demo"\nas_of = "2026-10-31"\nlang = "en"'
RECORD = """import toolkit as tk
tk.record(verdict="All is well.", customers=3, day=as_of, figures=[{"label": "Buyers", "value": 1234}])"""


def toy(
    path: Path,
    *cells: str,
    title: str = "Who buys?",
    parameters: str | None = PARAMETERS,
    record: str | None = RECORD,
    language: str = "python",
) -> Path:
    """Write a notebook: a question, a parameters cell, code cells, a results cell."""
    v4: Any = nbformat.v4
    nb = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": language}})
    nb.cells.append(v4.new_markdown_cell(f"# {title}"))
    if parameters is not None:
        nb.cells.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    nb.cells += [v4.new_code_cell(source) for source in cells]
    if record is not None:
        nb.cells.append(v4.new_code_cell(record, metadata={"tags": ["results"]}))
    for number, cell in enumerate(nb.cells):
        cell["id"] = f"cell-{number}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(nb), "utf-8")  # type: ignore[no-untyped-call]
    return path


def run(out: Path, *notebooks: Path, study: str = "demo", **options: Any) -> Report:
    return run_report(
        study,
        name="demo",
        as_of=AS_OF,
        language="en",
        notebooks=notebooks,
        out=out,
        **{"inputs": {"orders.csv": "ab"}, **options},
    )


@pytest.fixture
def last_good(tmp_path: Path) -> Path:
    """The page of a report that was published before."""
    index = tmp_path / "reports" / "demo" / AS_OF / "index.html"
    index.parent.mkdir(parents=True)
    index.write_text("good", "utf-8")
    return index


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, bytes, Path]:
    """A report made twice, the first one's results, and the folder of the study."""
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
    first = run(home / "reports", *notebooks, **options)
    results = (first.path / "results.json").read_bytes()
    return run(home / "reports", *notebooks, **options), results, home


def test_a_report_holds_every_part(made: tuple[Report, bytes, Path]) -> None:
    report, _, _ = made
    files = {path.relative_to(report.path).as_posix() for path in report.path.rglob("*") if path.is_file()}
    assert files == {
        "index.html", "00_data_health.html", "01_segments.html", "results.json", "manifest.json",
        "notebooks/00_data_health.ipynb", "notebooks/01_segments.ipynb",
    }  # fmt: skip
    assert sorted(path.name for path in report.path.parent.iterdir()) == [AS_OF]


def test_results_are_the_same_bytes_when_run_again(made: tuple[Report, bytes, Path]) -> None:
    report, first, _ = made
    assert (report.path / "results.json").read_bytes() == first
    results = json.loads(first)
    assert list(results) == ["00_data_health", "01_segments"]
    assert results["01_segments"]["customers"] == 3
    assert results["01_segments"]["day"] == AS_OF


def test_the_manifest_says_how_it_was_made(made: tuple[Report, bytes, Path]) -> None:
    manifest = json.loads((made[0].path / "manifest.json").read_text("utf-8"))
    assert manifest["parameters"] == {"study": "study.yaml", "as_of": AS_OF, "lang": "en"}
    assert manifest["inputs"] == {"orders.csv": "ab"}
    assert manifest["study"]["seed"] == 7
    assert set(manifest["notebooks"]) == {"00_data_health.ipynb", "01_segments.ipynb"}
    assert manifest["versions"]["pandas"]
    assert len(manifest["run_id"]) == len(manifest["template"]) == 64


def test_nothing_published_names_the_machine(made: tuple[Report, bytes, Path]) -> None:
    report, _, home = made
    for path in (path for path in report.path.rglob("*") if path.is_file()):
        text = path.read_text("utf-8")
        assert str(home) not in text, path
        assert "ipykernel_" not in text, path
    notebook = (report.path / "notebooks" / "01_segments.ipynb").read_text("utf-8")
    assert 'study = \\"study.yaml\\"' in notebook
    assert "papermill" not in notebook


def test_pages_show_outputs_and_no_code(made: tuple[Report, bytes, Path]) -> None:
    page = (made[0].path / "00_data_health.html").read_text("utf-8")
    assert "<h1" in page
    assert "2026-10-31" in page
    assert "getcwd" not in page
    assert "warn" not in page
    index = (made[0].path / "index.html").read_text("utf-8")
    assert "What came in?" in index
    assert "All is well." in index
    assert "1,234" in index


@pytest.mark.parametrize(
    ("cells", "record", "says"),
    [
        pytest.param(
            ["1 + 1", 'raise KeyError("13800138000")'], RECORD, "code cell 3: raised KeyError", id="116-raises"
        ),
        pytest.param(["import os; os._exit(0)"], RECORD, "code cell 2: the kernel was killed", id="117-exits"),
        pytest.param(
            ["import os; os.kill(os.getpid(), 9)"], RECORD, "code cell 2: the kernel was killed", id="117-killed"
        ),
        pytest.param(
            ["import sys; sys.exit(0)"],
            RECORD,
            "code cell 2: ended before its last cell (SystemExit)",
            id="117-sys-exit",
        ),
        pytest.param([], "1", "code cell 2: the last cell did not record", id="117-no-record"),
        pytest.param(
            ["import os, time; os.kill(os.getppid(), 9); time.sleep(60)"],
            RECORD,
            "a worker of this run",
            id="117-worker",
        ),
    ],
)
def test_fault_116_117_a_bad_end_leaves_the_last_report(
    last_good: Path, tmp_path: Path, cells: list[str], record: str, says: str
) -> None:
    notebook = toy(tmp_path / "01_segments.ipynb", *cells, record=record)
    with pytest.raises(RunError, match="Try: ") as refusal:
        run(tmp_path / "reports", notebook)
    assert says in str(refusal.value)
    assert "01_segments.ipynb" in str(refusal.value)
    assert "13800138000" not in str(refusal.value)
    assert last_good.read_text("utf-8") == "good"
    assert {path.name for path in last_good.parent.parent.iterdir()} <= {AS_OF, "failed"}
    copy = last_good.parent.parent / "failed" / AS_OF / "01_segments.failed.ipynb"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert str(copy) in str(refusal.value)


def test_a_refusal_of_the_toolkit_is_shown_whole(last_good: Path, tmp_path: Path) -> None:
    refuses = (
        "from toolkit.errors import InputError\nraise InputError('empty-file', 'holds no rows', hint='another file')"
    )
    with pytest.raises(RunError, match="E-empty-file: holds no rows"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", refuses))
    assert last_good.read_text("utf-8") == "good"


@pytest.mark.parametrize(
    ("notebook", "code"),
    [
        pytest.param({"parameters": None}, "no-parameters", id="no-tag"),
        pytest.param({"parameters": 'study = "demo"\nas_of = "2026-10-31"'}, "unknown-parameter", id="unknown"),
        pytest.param({"parameters": 'study = "demo"\nas_of = 20261031\nlang = "en"'}, "parameter-type", id="128-type"),
        pytest.param(
            {"parameters": 'study = "demo"\nas_of: date = None\nlang = "en"'}, "parameter-type", id="128-annotation"
        ),
        pytest.param({"record": None}, "no-results", id="no-results-cell"),
        pytest.param({"language": "R"}, "no-kernel", id="120-kernel"),
    ],
)
def test_a_notebook_that_cannot_be_run_strictly_is_refused_first(
    last_good: Path, tmp_path: Path, notebook: dict[str, Any], code: str
) -> None:
    with pytest.raises(RunError, match=r"01_segments\.ipynb.*Try: ") as refusal:
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", **notebook))
    assert refusal.value.code == code
    assert last_good.read_text("utf-8") == "good"
    assert not (last_good.parent.parent / "failed").exists()


def test_fault_120_no_kernel_is_found_before_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    with pytest.raises(RunError, match=r"E-no-kernel.*Try: pip install ipykernel"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb"))


def test_fault_126_an_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", "utf-8")
    with pytest.raises(RunError, match=r"E-out-not-writable.*Try: --out"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb"))


@pytest.mark.parametrize(
    "values", [{"as_of": "31.10.2026"}, {"name": "../etc"}, {"language": "fr"}, {"jobs": 0}, {"notebooks": []}]
)
def test_values_that_cannot_be_used_are_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    given = {"name": "demo", "as_of": AS_OF, "language": "en", "notebooks": [tmp_path], "out": tmp_path, "inputs": {}}
    with pytest.raises(ArgumentError, match="Try: "):
        run_report("demo", **{**given, **values})


def test_fault_122_a_second_run_is_told_who_runs(last_good: Path, tmp_path: Path) -> None:
    target = last_good.parent
    with workplace(target), pytest.raises(RunLockedError, match=f'"pid": {os.getpid()}.*Try: ') as refusal:
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb"))
    assert refusal.value.exit_status == 75
    assert last_good.read_text("utf-8") == "good"


def test_what_a_dead_run_left_is_cleaned(last_good: Path) -> None:
    target = last_good.parent
    (target.with_name(f".{AS_OF}.lock")).write_text('{"pid": 1, "host": "gone"}', "utf-8")
    (target.with_name(f".{AS_OF}.dead.tmp")).mkdir()
    with workplace(target) as folder:
        assert [path.name for path in target.parent.glob("*.tmp")] == [folder.name]
    assert [path.name for path in target.parent.iterdir()] == [AS_OF]


@pytest.mark.parametrize("swaps", [True, False])
def test_fault_121_publishing_replaces_the_whole_folder(
    last_good: Path, monkeypatch: pytest.MonkeyPatch, *, swaps: bool
) -> None:
    if not swaps:
        monkeypatch.setattr("toolkit.report.publish._exchanged", lambda *_: False)
    target = last_good.parent
    (target / "old.html").write_text("old", "utf-8")
    with workplace(target) as folder:
        (folder / "report").mkdir()
        (folder / "report" / "index.html").write_text("new", "utf-8")
        publish(folder / "report", target)
    assert [path.name for path in target.iterdir()] == ["index.html"]
    assert last_good.read_text("utf-8") == "new"
    assert [path.name for path in target.parent.iterdir()] == [AS_OF]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere kernels poll for their parent")
def test_fault_124_a_killed_runner_leaves_no_kernel(tmp_path: Path) -> None:
    sign = tmp_path / "pid"
    waits = f"import os, pathlib, time\npathlib.Path({str(sign)!r}).write_text(str(os.getpid()))\ntime.sleep(120)"
    notebook = toy(tmp_path / "01_segments.ipynb", waits)
    source = (
        "import sys\nfrom pathlib import Path\nfrom toolkit.report.runs import run_report\n"
        "notebook, out = map(Path, sys.argv[1:])\n"
        "run_report('demo', name='demo', as_of='2026-10-31', language='en', notebooks=[notebook], out=out, inputs={})"
    )
    runner = subprocess.Popen([sys.executable, "-c", source, str(notebook), str(tmp_path / "reports")])
    kernel = int(eventually(lambda: sign.exists() and sign.read_text("utf-8")))
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    assert eventually(
        lambda: not Path(f"/proc/{kernel}").exists() or "\nState:\tZ" in Path(f"/proc/{kernel}/status").read_text()
    )


def eventually(look: Callable[[], Any]) -> Any:
    """Return what is seen once it is true, within a minute."""
    for _ in range(600):
        if seen := look():
            return seen
        time.sleep(0.1)
    return pytest.fail("it never came")


class FakeStudy:
    """A study as the command line sees it."""

    name, language, last_day = "demo", "en", date(2026, 10, 31)

    @classmethod
    def demo(cls) -> FakeStudy:
        return cls()

    open = demo

    def input_hashes(self) -> dict[str, str]:
        return {}

    def manifest(self, as_of: str) -> dict[str, object]:
        return {"as_of": as_of}


@pytest.fixture
def toolkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command, on toy notebooks."""
    workbench = types.ModuleType("toolkit.report.workbench")
    workbench.Study = FakeStudy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "toolkit.report.workbench", workbench)
    monkeypatch.setattr(command, "NOTEBOOKS", tmp_path / "notebooks")
    toy(tmp_path / "notebooks" / "01_segments.ipynb")
    toy(tmp_path / "notebooks" / "03_churn_risk.ipynb", "raise ValueError")
    return lambda *words: CliRunner().invoke(command.app, ["report", *words, "--out", str(tmp_path / "reports")])


def test_the_command_publishes_what_is_asked_for(toolkit: Callable[..., Any], tmp_path: Path) -> None:
    ended = toolkit("--only", "segments")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.strip() == str(tmp_path / "reports" / "demo" / AS_OF / "index.html")
    assert Path(ended.stdout.strip()).exists()


def test_the_command_fails_by_its_exit_code(toolkit: Callable[..., Any]) -> None:
    ended = toolkit("--only", "churn_risk")
    assert ended.exit_code == 1
    assert "03_churn_risk.ipynb code cell 2: raised ValueError" in ended.stderr
    assert "Traceback" not in ended.output


def test_fault_122_the_command_exits_75_when_locked(toolkit: Callable[..., Any], last_good: Path) -> None:
    with workplace(last_good.parent):
        assert toolkit("--only", "segments").exit_code == 75


def test_fault_053_a_study_needs_its_date(toolkit: Callable[..., Any]) -> None:
    ended = toolkit("study.yaml")
    assert ended.exit_code == 1
    assert "Try: --as-of" in ended.stderr


def test_an_unknown_notebook_lists_what_there_is(tmp_path: Path) -> None:
    notebooks = [toy(tmp_path / "02_clusters.ipynb"), toy(tmp_path / "10_late.ipynb")]
    assert select_notebooks(tmp_path) == notebooks
    assert select_notebooks(tmp_path, ["late"]) == notebooks[1:]
    with pytest.raises(ArgumentError, match=r"segment.*Try: .*clusters, late"):
        select_notebooks(tmp_path, ["segment"])
