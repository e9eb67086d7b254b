"""What a run refuses before any notebook runs, and who may write a report when."""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.builders.toys import AS_OF, can_seal, good_report, names, run, sealed, toy, without_workers
from toolkit.errors import ArgumentError, RunError, RunLockedError
from toolkit.report.drift import drifted
from toolkit.report.manifest import PACKAGES
from toolkit.report.preflight import checked_notebook
from toolkit.report.publish import publish, workplace
from toolkit.report.runs import run_report
from toolkit.report.sockets import close_sockets, open_sockets

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
REFUSED: dict[str, list[dict[str, Any]]] = {
    "no-parameters": [{"parameters": None}],
    "unknown-parameter": [{"parameters": 'study = "demo"\nas_of = "2026-10-31"'}],
    "parameter-type": [
        {"parameters": 'study = "demo"\nas_of = 20261031\nlang = "en"'},
        {"parameters": 'study = "demo"\nas_of: date = None\nlang = "en"'},
    ],
    "no-results": [{"record": None}],
    "no-kernel": [{"language": "R"}],
}
SHELL = (
    "!false", "files = !ls", "if True:\n    !rm x", "!!ls", "%sx ls", "%system ls", "%%bash\nfalse", "%%!\nfalse",
    "%pip install x", "%time !ls", "%%capture out\n!ls", "get_ipython().system('ls')",
    "from IPython import get_ipython\nget_ipython().getoutput('ls')", "get_ipython().run_cell_magic('sh', '', 'ls')",
)  # fmt: skip


@pytest.fixture
def last_good(tmp_path: Path) -> Path:
    return good_report(tmp_path / "reports")


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    """A file that a notebook writes when it runs."""
    return tmp_path / "sign"


def signing(sign: Path) -> str:
    return f"import pathlib; pathlib.Path({str(sign)!r}).write_text('ran')"


@pytest.mark.fault(120, 128)
def test_a_notebook_that_cannot_be_run_strictly_is_refused_first(last_good: Path, sign: Path, tmp_path: Path) -> None:
    for code, notebooks in REFUSED.items():
        for notebook in notebooks:
            with pytest.raises(RunError, match=r"01_segments\.ipynb.*Try: ") as refusal:
                run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", signing(sign), **notebook))
            assert refusal.value.code == code
    assert not sign.exists()
    assert last_good.read_text("utf-8") == "good"
    assert names(last_good.parent.parent) == [AS_OF]


@pytest.mark.fault(119)
def test_a_shell_command_is_refused_by_its_cell(last_good: Path, sign: Path, tmp_path: Path) -> None:
    for source in SHELL:
        notebook = toy(tmp_path / "01_segments.ipynb", signing(sign), source)
        with pytest.raises(RunError) as refusal:
            run(tmp_path / "reports", notebook)
        assert str(refusal.value).startswith("E-shell-command 01_segments.ipynb code cell 3: "), source
        assert "Try: subprocess" in str(refusal.value)
    assert not sign.exists()
    assert last_good.read_text("utf-8") == "good"


@pytest.mark.fault(119)
def test_the_projects_notebooks_run_no_shell_command() -> None:
    notebooks = list(NOTEBOOKS.glob("*.ipynb"))
    assert notebooks
    for notebook in notebooks:
        checked_notebook(notebook, {"study": "demo", "as_of": AS_OF, "lang": "en"})


@pytest.mark.fault(120)
def test_no_kernel_is_found_before_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)
    with pytest.raises(RunError, match=r"E-no-kernel.*Try: pip install ipykernel"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb"))


@pytest.mark.fault(121)
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_publishing_replaces_the_whole_folder(last_good: Path, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    target = last_good.parent
    (target / "old.html").write_text("old", "utf-8")
    with workplace(target) as folder, monkeypatch.context() as patch:
        (folder / "report").mkdir()
        (folder / "report" / "index.html").write_text("new", "utf-8")
        patch.setattr(sys, "platform", system)
        publish(folder / "report", target)
    assert names(target) == ["index.html"]
    assert last_good.read_text("utf-8") == "new"
    assert names(target.parent) == [AS_OF]


@pytest.mark.fault(121)
def test_the_old_report_comes_back_where_a_run_was_killed_between_two_renames(
    last_good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where folders cannot be swapped: the second rename fails, and no clean-up comes."""
    target, rename = last_good.parent, Path.rename

    def dies(path: Path, to: Path) -> Path:
        if path.name == "report":
            raise InterruptedError
        return rename(path, to)

    with monkeypatch.context() as dying:
        dying.setattr(sys, "platform", "darwin")
        dying.setattr(Path, "rename", dies)
        dying.setattr(shutil, "rmtree", lambda *_, **__: None)
        with workplace(target) as folder:
            (folder / "report").mkdir()
            with pytest.raises(InterruptedError):
                publish(folder / "report", target)
    assert not target.exists()
    with workplace(target):
        assert last_good.read_text("utf-8") == "good"
    assert names(target.parent) == [AS_OF]


@pytest.mark.fault(122)
def test_the_lock_frees_itself_within_a_run_that_clears_up(last_good: Path) -> None:
    target = last_good.parent
    with workplace(target) as folder:
        with pytest.raises(RunLockedError, match=f'"pid": {os.getpid()}.*Try: ') as refusal:
            workplace(target).__enter__()
        assert folder.exists()
    assert refusal.value.exit_status == 75
    with workplace(target):
        assert last_good.exists()


@pytest.mark.fault(122)
def test_what_dead_runs_left_is_cleared_and_a_live_runs_folder_is_not(last_good: Path) -> None:
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


@pytest.mark.fault(122)
def test_a_file_system_without_locks_is_refused(last_good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as some network shares; none can be mounted in a test."""

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(RunError, match=r"locks files is needed.*Try: --out DIR"):
        workplace(last_good.parent).__enter__()
    assert names(last_good.parent.parent) == [AS_OF]


@pytest.mark.fault(123)
def test_kernels_listen_on_files_also_where_temporary_paths_are_long(
    tmp_path: Path, sign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = open_sockets(tmp_path)
    assert (str(usual.parent), usual.stat().st_mode & 0o777) == (tempfile.gettempdir(), 0o700)
    close_sockets(tmp_path)
    assert not usual.exists()
    deep = tmp_path / ("deep" * 40)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    tells = (
        "import os, pathlib\nfrom ipykernel.kernelapp import IPKernelApp\nkernel = IPKernelApp.instance()\n"
        f"mode = os.stat(os.path.dirname(kernel.ip)).st_mode & 0o777\n"
        f"pathlib.Path({str(sign)!r}).write_text(f'{{kernel.transport}} {{mode:o}} {{kernel.ip}}')"
    )
    with without_workers():
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", tells))
    transport, mode, place = sign.read_text("utf-8").split(" ", 2)
    assert (transport, mode) == ("ipc", "700")
    assert str(Path(place).parent.parent) == "/tmp"  # noqa: S108 - what is promised
    assert not Path(place).parent.exists()


@pytest.mark.fault(123)
def test_no_short_temporary_folder_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.report.sockets.LONGEST", 12)
    with pytest.raises(RunError, match=r"E-no-short-temp.*Try: TMPDIR="):
        open_sockets(tmp_path)
    assert names(tmp_path) == []


@pytest.mark.fault(126)
@pytest.mark.parametrize("file", ["reports", "reports/demo", f"reports/demo/{AS_OF}"])
def test_a_file_in_the_folders_place(tmp_path: Path, sign: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("a file", "utf-8")
    with pytest.raises(RunError, match=r"E-out-not-writable.*Try: --out"):
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", signing(sign)))
    assert not sign.exists()
    assert (tmp_path / file).read_text("utf-8") == "a file"


@pytest.mark.fault(121, 126)
@pytest.mark.skipif(not can_seal(), reason="no user may mount file systems here")
def test_a_disk_that_takes_nothing_is_found_before_any_notebook_runs(last_good: Path) -> None:
    out, home = last_good.parents[2], last_good.parent
    full = f"mount -t tmpfs -o size=200k tmpfs {out} && mkdir -p {home} && printf good > {home}/index.html"
    disks = {
        f"mount --bind {out} {out} && mount -o remount,bind,ro {out}": ("E-out-not-writable", errno.EROFS, "--out"),
        f"{full} && (cat /dev/zero > {home}/filler 2> /dev/null || true)": ("E-disk-full", errno.ENOSPC, "df -h"),
    }
    begins = "import pathlib, sys; from toolkit.report.publish import workplace; workplace(pathlib.Path(sys.argv[1]))"
    for mounts, (code, number, hint) in disks.items():
        words = [sys.executable, "-c", f"{begins}.__enter__()", str(home)]
        ended = sealed(mounts, words, f"cat {last_good}; ls -A {home.parent}")
        assert ended.stdout == f"status 1\ngood{AS_OF}\n"
        assert f"{code} " in ended.stderr
        assert f"({os.strerror(number)})" in ended.stderr
        assert f"Try: {hint}" in ended.stderr


@pytest.mark.fault(128)
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
def test_values_that_cannot_be_used_are_refused(tmp_path: Path, values: dict[str, Any]) -> None:
    given: dict[str, Any] = {"study": "demo", "name": "demo", "as_of": AS_OF, "language": "en", "inputs": {}}
    with pytest.raises(ArgumentError, match="Try: "):
        run_report(**{**given, "notebooks": [tmp_path], "out": tmp_path / "reports", **values})
    assert not (tmp_path / "reports").exists()


@pytest.mark.fault(131)
def test_versions_that_differ_from_the_lock_file_are_named(
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


@pytest.mark.fault(131)
def test_the_lock_file_pins_what_the_manifest_names() -> None:
    pinned = (NOTEBOOKS.parent / "requirements.lock").read_text("utf-8")
    assert all(f"\n{package}==" in pinned for package in set(PACKAGES) - {"toolkit"})
