"""What a run refuses before any notebook runs, and who may write a report when."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.builders.toys import AS_OF, Started, can_seal, content, eventually, good_report, run, sealed, toolkit, toy
from toolkit.errors import ArgumentError, RunError, RunLockedError
from toolkit.report.drift import drifted
from toolkit.report.manifest import PACKAGES
from toolkit.report.publish import publish, workplace
from toolkit.report.sockets import open_sockets
from toolkit.report.stops import stoppable

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def last_good(tmp_path: Path) -> Path:
    return good_report(tmp_path / "reports")


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    """A file that a notebook writes when it runs."""
    return tmp_path / "sign"


def signing(sign: Path) -> str:
    return f"import pathlib; pathlib.Path({str(sign)!r}).write_text('ran')"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
    last_good: Path, sign: Path, tmp_path: Path, notebook: dict[str, Any], code: str
) -> None:
    with pytest.raises(RunError, match=r"01_segments\.ipynb.*Try: ") as refusal:
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", signing(sign), **notebook))
    assert refusal.value.code == code
    assert not sign.exists()
    assert last_good.read_text("utf-8") == "good"
    assert names(last_good.parent.parent) == [AS_OF]


@pytest.mark.parametrize(
    "source",
    [
        "!false", "files = !ls", "if True:\n    !rm x", "!!ls", "%sx ls", "%system ls", "%%bash\nfalse", "%%!\nfalse",
        "%pip install x", "%time !ls", "%%capture out\n!ls", "get_ipython().system('ls')",
        "from IPython import get_ipython\nget_ipython().getoutput('ls')",
        "get_ipython().run_cell_magic('sh', '', 'ls')",
    ],
)  # fmt: skip
def test_fault_119_a_shell_command_is_refused_by_its_cell(
    last_good: Path, sign: Path, tmp_path: Path, source: str
) -> None:
    with pytest.raises(RunError, match=r"E-shell-command 01_segments\.ipynb code cell 3: .*Try: subprocess"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", signing(sign), source))
    assert not sign.exists()
    assert last_good.read_text("utf-8") == "good"


def test_fault_119_the_projects_notebooks_run_no_shell_command() -> None:
    from toolkit.report.preflight import checked_notebook

    notebooks = list(NOTEBOOKS.glob("*.ipynb"))
    assert notebooks
    for notebook in notebooks:
        checked_notebook(notebook, {"study": "demo", "as_of": AS_OF, "lang": "en"})


def test_fault_120_no_kernel_is_found_before_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    with pytest.raises(RunError, match=r"E-no-kernel.*Try: pip install ipykernel"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb"))


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
    assert names(target) == ["index.html"]
    assert last_good.read_text("utf-8") == "new"
    assert names(target.parent) == [AS_OF]


def test_fault_121_the_old_report_comes_back_where_folders_cannot_be_swapped(
    last_good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a run is killed between the two renames: the second one fails, and no clean-up comes."""
    target = last_good.parent
    monkeypatch.setattr("toolkit.report.publish._exchanged", lambda *_: False)
    with monkeypatch.context() as dying:
        dying.setattr("toolkit.report.publish._remove", lambda _: None)
        dying.setattr("toolkit.report.publish._sync", lambda _: None)
        with workplace(target) as folder, pytest.raises(FileNotFoundError):
            publish(folder / "report", target)
    assert not target.exists()
    with workplace(target):
        assert last_good.read_text("utf-8") == "good"
    assert names(target.parent) == [AS_OF]


def test_fault_122_a_second_run_is_told_who_runs_and_other_dates_run_on(tmp_path: Path) -> None:
    go, out = tmp_path / "go", tmp_path / "reports"
    waits = (
        f"import pathlib, time\npathlib.Path({str(tmp_path)!r}, 'began-' + as_of).touch()\n"
        f"while as_of == {AS_OF!r} and not pathlib.Path({str(go)!r}).exists():\n    time.sleep(0.05)"
    )
    toy(tmp_path / "notebooks" / "01_segments.ipynb", waits)
    words = toolkit(tmp_path / "notebooks", out)
    first = Started(words)
    eventually((tmp_path / f"began-{AS_OF}").exists)
    status, said = Started(words).ended()
    assert status == 75
    assert f'{{"pid": {first.process.pid}, "host": "{socket.gethostname()}"}}' in said
    assert Started([*words, "--as-of", "2026-09-30"]).ended()[0] == 0
    assert content(out / "demo" / "2026-09-30")
    go.touch()
    assert first.ended()[0] == 0
    assert content(out / "demo" / AS_OF)
    assert names(out / "demo") == ["2026-09-30", AS_OF, "kept"]


def test_fault_122_the_lock_frees_itself_within_a_run_that_clears_up(last_good: Path) -> None:
    target = last_good.parent
    with workplace(target), pytest.raises(RunLockedError, match=f'"pid": {os.getpid()}.*Try: ') as refusal:
        workplace(target).__enter__()
    assert refusal.value.exit_status == 75
    with workplace(target):
        assert last_good.exists()


def test_fault_122_what_dead_runs_left_is_cleared_and_a_live_runs_folder_is_not(
    last_good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, other = last_good.parent, last_good.parent.with_name("2026-09-30")
    dead = [target.with_name(f".{date}.{'0' * 32}.tmp") for date in (AS_OF, "2026-08-31")]
    for folder in dead:
        folder.mkdir()
    sockets = [open_sockets(folder) for folder in dead]
    target.with_name(f".{AS_OF}.lock").write_text('{"pid": 1, "host": "gone"}', "utf-8")
    stranger = target.with_name(".notes.tmp")
    stranger.mkdir()
    with workplace(other) as alive, workplace(target) as folder:
        assert set(target.parent.glob(".*.tmp")) == {alive, folder, stranger}
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not any(path.exists() for path in sockets)
    assert names(target.parent) == [".notes.tmp", AS_OF]


def test_fault_122_a_file_system_without_locks_is_refused(last_good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as some network shares; none can be mounted in a test."""

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(RunError, match=r"locks files is needed.*Try: --out DIR"):
        workplace(last_good.parent).__enter__()
    assert names(last_good.parent.parent) == [AS_OF]


@pytest.mark.parametrize("deep", [False, True])
def test_fault_123_kernels_listen_on_files_also_where_temporary_paths_are_long(
    tmp_path: Path, sign: Path, monkeypatch: pytest.MonkeyPatch, *, deep: bool
) -> None:
    short = tempfile.gettempdir()
    if deep:
        (tmp_path / ("deep" * 40)).mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("deep" * 40)))
    tells = (
        "import os, pathlib\nfrom ipykernel.kernelapp import IPKernelApp\nkernel = IPKernelApp.instance()\n"
        f"mode = os.stat(os.path.dirname(kernel.ip)).st_mode & 0o777\n"
        f"pathlib.Path({str(sign)!r}).write_text(f'{{kernel.transport}} {{mode:o}} {{kernel.ip}}')"
    )
    run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", tells))
    transport, mode, place = sign.read_text("utf-8").split(" ", 2)
    assert (transport, mode) == ("ipc", "700")
    assert str(Path(place).parent.parent) == ("/tmp" if deep else short)  # noqa: S108 - what is promised
    assert not Path(place).parent.exists()


def test_fault_123_no_short_temporary_folder_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.report.sockets.LONGEST", 12)
    with pytest.raises(RunError, match=r"E-no-short-temp.*Try: TMPDIR="):
        open_sockets(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("file", ["reports", "reports/demo", f"reports/demo/{AS_OF}"])
def test_fault_126_a_file_in_the_folders_place(tmp_path: Path, sign: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("a file", "utf-8")
    with pytest.raises(RunError, match=r"E-out-not-writable.*Try: --out"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", signing(sign)))
    assert not sign.exists()
    assert (tmp_path / file).read_text("utf-8") == "a file"


@pytest.mark.skipif(not can_seal(), reason="no user may mount file systems here")
def test_fault_126_a_read_only_file_system(last_good: Path, sign: Path, tmp_path: Path) -> None:
    toy(tmp_path / "notebooks" / "01_segments.ipynb", signing(sign))
    out = tmp_path / "reports"
    read_only = f"mount --bind {out} {out} && mount -o remount,bind,ro {out}"
    ended = sealed(read_only, toolkit(tmp_path / "notebooks", out), f"cat {last_good}")
    assert ended.stdout == "status 1\ngood"
    assert "E-out-not-writable" in ended.stderr
    assert os.strerror(errno.EROFS) in ended.stderr
    assert "Try: --out" in ended.stderr
    assert not sign.exists()


@pytest.mark.parametrize(
    "values",
    [
        *({"as_of": value} for value in ("31.10.2026", "2026-02-30", "", None, float("nan"), True, "2026-10-31T07:00")),
        *({"study": value} for value in ("study.yaml", None, float("nan"), Path("/study.yaml"))),
        *({"name": value} for value in ("../etc", "", None, float("nan"))),
        *({"language": value} for value in ("fr", None, float("nan"))),
        *({word: value} for word in ("jobs", "cell_seconds") for value in (0, -1, float("nan"), "2", None)),
        {"notebooks": []},
    ],
)
def test_fault_128_values_that_cannot_be_used_are_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    from toolkit.report.runs import run_report

    given: dict[str, Any] = {"study": "demo", "name": "demo", "as_of": AS_OF, "language": "en", "inputs": {}}
    with pytest.raises(ArgumentError, match="Try: "):
        run_report(**{**given, "notebooks": [tmp_path], "out": tmp_path / "reports", **values})
    assert not (tmp_path / "reports").exists()


def test_fault_129_parameters_are_a_path_a_date_and_a_language(tmp_path: Path) -> None:
    report = run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", "1"), study="/home/x/study.yaml")
    shown = json.loads((report.path / "manifest.json").read_text("utf-8"))["parameters"]
    assert shown == {"study": "study.yaml", "as_of": AS_OF, "lang": "en"}


def test_fault_131_versions_that_differ_from_the_lock_file_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "requirements.lock"
    other = "pandas==1.0 ; python_version < '3.12' \\\n    --hash=sha256:ab\npandas==1.1 ; python_version >= '3.12'"
    lock.write_text(f"numpy=={version('numpy')} \\\n    --hash=sha256:ab\n{other}\nrich==1.0\n", "utf-8")
    assert drifted(lock) == [f"pandas {version('pandas')} (locked: 1.0 or 1.1)"]
    assert drifted(tmp_path / "none.lock") == []
    monkeypatch.setattr("toolkit.report.runs.LOCK_FILE", lock)
    with pytest.raises(RunError):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", record=None))
    assert "(locked: 1.0 or 1.1). Try: make env" in capfd.readouterr().err


def test_fault_131_the_lock_file_pins_what_the_manifest_names() -> None:
    pinned = (NOTEBOOKS.parent / "requirements.lock").read_text("utf-8")
    assert all(f"\n{package}==" in pinned for package in set(PACKAGES) - {"toolkit"})


def test_stop_signals_are_left_to_the_caller_elsewhere() -> None:
    import signal
    from concurrent.futures import ThreadPoolExecutor

    def heard() -> list[Any]:
        with stoppable() as check:
            check()
            return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(heard).result() == before
    assert all(new != old for new, old in zip(heard(), before, strict=True))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
