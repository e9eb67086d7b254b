"""However a run ends, the last good report stands, no process and no temporary folder stays, and a person is told."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import DeadKernelError

from tests.builders import toys
from tests.builders.toys import AS_OF, Started, content, eventually, names, run, toolkit, toy, without_workers
from toolkit.errors import RunError
from toolkit.report.notebooks import code_cells, read, write
from toolkit.report.publish import keep_failed
from toolkit.report.results import RESULTS_MIME, TOKEN_VARIABLE
from toolkit.report.stops import stoppable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Ending: TypeAlias = Exception | Callable[[Any], object]

WATCHES = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc; elsewhere kernels poll")
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FULL = OSError(errno.ENOSPC, "No space left on device")
v4: Any = nbformat.v4


@pytest.fixture
def last_good(tmp_path: Path) -> Path:
    return toys.good_report(tmp_path / "reports")


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put back what this process does on a signal."""
    before = {number: signal.getsignal(number) for number in STOPS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler or signal.SIG_DFL)


def failed(tmp_path: Path, *cells: str, cell_seconds: int = 60, workers: bool = False) -> str:
    """Run a notebook that must fail; return the message, which its name and the way out are part of."""
    with nullcontext() if workers else without_workers(), pytest.raises(RunError) as refusal:
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", *cells), cell_seconds=cell_seconds)
    said = str(refusal.value)
    assert said.startswith("E-notebook-failed 01_segments.ipynb")
    assert " Try: " in said
    return said


def writes_pid(sign: Path) -> str:
    return f"import os, pathlib, signal, time\npathlib.Path({str(sign)!r}).write_text(str(os.getpid()))\n"


def is_gone(process: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text("utf-8")
    except FileNotFoundError:
        return True


BAD_ENDS = {
    "code cell 3: raised KeyError": ["1 + 1", 'raise KeyError("13800138000")'],
    "code cell 2: the kernel was killed": ["import os; os._exit(0)"],
    "code cell 2: ended before its last cell (SystemExit)": ["import sys; sys.exit(0)"],
    "a worker of this run": ["import os, time; os.kill(os.getppid(), 9); time.sleep(60)"],
}


@pytest.mark.fault(116, 117, 133)
@pytest.mark.parametrize(("says", "cells"), BAD_ENDS.items())
def test_a_bad_end_leaves_the_last_report_and_a_private_copy(
    last_good: Path, tmp_path: Path, cells: list[str], says: str
) -> None:
    said = failed(tmp_path, *cells, workers="worker" in says)
    assert says in said
    assert "13800138000" not in said
    assert last_good.read_text("utf-8") == "good"
    assert set(names(last_good.parent.parent)) <= {AS_OF, "failed"}
    copy = last_good.parent.parent / "failed" / AS_OF / "01_segments.failed.ipynb"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert str(copy) in said


def papermill_that(ends: Ending) -> Callable[..., None]:
    """papermill without a kernel: it raises, or writes a notebook that came to a good end but for what is changed."""

    def execute_notebook(notebook: str, executed: str, **_: object) -> None:
        if isinstance(ends, Exception):
            raise ends
        nb = read(Path(notebook))
        for number, cell in enumerate(code_cells(nb), start=1):
            cell.execution_count = number
        recorded = {RESULTS_MIME: {"token": os.environ[TOKEN_VARIABLE], "results": {}}}
        nb.cells[-1].outputs = [v4.new_output("display_data", recorded)]
        ends(nb)
        write(nb, Path(executed))

    return execute_notebook


def raised(name: str, value: str) -> Exception:
    error: Exception = papermill.PapermillExecutionError(0, 2, "", name, value, [])
    return error


def another_token(nb: Any) -> None:
    nb.cells[-1].outputs[0].data[RESULTS_MIME] = {"token": "of another run", "results": {}}


def much(nb: Any) -> None:
    nb.cells[-2].outputs = [v4.new_output("stream", text="x" * 17_000_000)]


@pytest.mark.fault(116, 117, 121, 133)
def test_every_way_to_end_badly_is_told_by_what_it_means(
    last_good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = "E-empty-file: holds no rows. Try: another file"
    ways: dict[str, Ending] = {
        "raised KeyboardInterrupt; ": raised("KeyboardInterrupt", ""),
        "raised KeyError; ": raised("KeyError", "13800138000"),
        f"raised InputError: {refusal}": raised("InputError", refusal),
        "raised OSError: No space left on device; ": raised("OSError", "[Errno 28] No space left on device"),
        "could not be run: No space left on device (OSError); ": FULL,
        "the notebook could not be run (ValueError); ": ValueError("13800138000"),
        "the kernel was killed or ran out of memory (DeadKernelError); ": DeadKernelError("Kernel died"),
        "code cell 3: the last cell did not record this run's results (NoResults); ": another_token,
        "cell 3: the last cell did not record": lambda nb: nb.cells[-1].update(outputs=[]),
        "cell 3: ended before its last cell (Stopped)": lambda nb: nb.cells[-1].update(execution_count=None),
        "code cell 2: shows 16 MB, and a page holds 16 at most (TooMuchOutput); ": much,
    }
    notebook = toy(tmp_path / "01_segments.ipynb", "1 + 1")
    for says, ends in ways.items():
        monkeypatch.setattr(papermill, "execute_notebook", papermill_that(ends))
        with without_workers(), pytest.raises(RunError) as refused:
            run(tmp_path / "reports", notebook)
        said = str(refused.value)
        assert says in said
        assert "13800138000" not in said
        assert ("Try: df -h" in said) == ("No space" in says), said
        assert last_good.read_text("utf-8") == "good"
        assert set(names(last_good.parent.parent)) <= {AS_OF, "failed"}
    monkeypatch.setattr(papermill, "execute_notebook", papermill_that(len))
    with without_workers():
        run(tmp_path / "reports", notebook)
    assert names(last_good.parent.parent / "failed") == []
    assert last_good.read_text("utf-8") != "good"


@pytest.mark.fault(121)
def test_a_copy_of_a_failed_notebook_that_finds_no_space_is_not_kept_by_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise FULL

    executed = toy(tmp_path / "01_segments.ipynb")
    monkeypatch.setattr(os, "fdopen", full)
    assert keep_failed(executed, tmp_path / "failed") is None
    assert names(tmp_path) == ["01_segments.ipynb"]


@WATCHES
@pytest.mark.fault(124)
def test_a_hung_cell_ends_although_its_kernel_is_deaf(last_good: Path, tmp_path: Path) -> None:
    sign = tmp_path / "pid"
    hangs = (
        f"{writes_pid(sign)}for number in (signal.SIGINT, signal.SIGTERM):\n    signal.signal(number, signal.SIG_IGN)\n"
        "while True:\n    time.sleep(60)"
    )
    said = failed(tmp_path, hangs, cell_seconds=1)
    assert "01_segments.ipynb code cell 2: did not end within 1 s" in said
    assert "Try: --cell-seconds 2 " in said
    assert eventually(lambda: is_gone(int(sign.read_text("utf-8"))))
    assert last_good.read_text("utf-8") == "good"


@WATCHES
def test_a_cell_that_forks_counts_once_and_its_child_does_not_stay(tmp_path: Path) -> None:
    sign = tmp_path / "pid"
    forks = f"import os\nif os.fork() == 0:\n    {writes_pid(sign).replace(chr(10), '; ')}time.sleep(600)"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(sign)!r}).exists():\n    time.sleep(0.01)"
    with without_workers():
        report = run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", forks, waits))
    assert '"customers": 3' in (report.path / "results.json").read_text("utf-8")
    assert eventually(lambda: is_gone(int(sign.read_text("utf-8"))))


@pytest.mark.fault(124)
def test_a_signal_stops_a_run_where_it_asks_unless_the_caller_ignores_it(handlers: None) -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
        with stoppable() as check:
            check()
            signal.raise_signal(number)
            with pytest.raises(RunError, match=f"stopped by {number.name}; .*Try: ") as stopped:
                check()
        assert stopped.value.exit_status == 128 + number
        assert signal.getsignal(number) == signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN)
        with stoppable() as check:
            signal.raise_signal(number)
            check()


def test_signals_are_left_to_the_caller_outside_the_main_thread(handlers: None) -> None:
    def heard() -> list[Any]:
        with stoppable() as check:
            check()
            return [signal.getsignal(number) for number in STOPS]

    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(heard).result() == [signal.SIG_DFL] * 3
    assert signal.SIG_DFL not in heard()


@WATCHES
@pytest.mark.fault(124)
@pytest.mark.parametrize(
    ("number", "whom", "notebooks"),
    [(signal.SIGINT, os.killpg, 2), (signal.SIGTERM, os.kill, 1)],
    ids=["ctrl-c", "kill"],
)
def test_a_run_that_is_told_to_stop_takes_all_its_own_along(
    last_good: Path,
    tmp_path: Path,
    handlers: None,
    *,
    number: signal.Signals,
    whom: Callable[[int, int], None],
    notebooks: int,
) -> None:
    """Also where the tests themselves were started in the background with nohup, and ignore signals."""
    signs = [tmp_path / f"sign-{place}" for place in range(notebooks)]
    for place, sign in enumerate(signs):
        toy(tmp_path / "notebooks" / f"0{place}_toy_{place}.ipynb", f"{writes_pid(sign)}time.sleep(600)")
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as temporary:
        runner = Started(toolkit(tmp_path / "notebooks", tmp_path / "reports"), TMPDIR=temporary)
        for sign in signs:
            eventually(sign.exists)
        assert names(Path(temporary))
        whom(runner.process.pid, number)
        status, said = runner.ended()
        assert status == 128 + number
        assert f"E-run-stopped: stopped by {number.name}; the last good report is untouched. Try: " in said
        assert "Traceback" not in said
        assert runner.left() == []
        assert names(Path(temporary)) == []
    assert last_good.read_text("utf-8") == "good"
    assert names(last_good.parent.parent) == [AS_OF]


@WATCHES
@pytest.mark.fault(122, 124)
def test_a_second_run_is_told_who_runs_and_a_killed_one_leaves_only_what_the_next_clears(
    last_good: Path, tmp_path: Path
) -> None:
    sign, go, home = tmp_path / "sign", tmp_path / "go", last_good.parent.parent
    waits = f"{writes_pid(sign)}while not pathlib.Path({str(go)!r}).exists():\n    time.sleep(0.05)"
    toy(tmp_path / "notebooks" / "01_segments.ipynb", waits)
    words = toolkit(tmp_path / "notebooks", tmp_path / "reports")
    with tempfile.TemporaryDirectory() as temporary:
        first = Started(words, TMPDIR=temporary)
        eventually(sign.exists)
        status, said = Started(words, TMPDIR=temporary).ended()
        assert status == 75
        assert f'{{"pid": {first.process.pid}, "host": "{socket.gethostname()}"}}' in said
        with without_workers():
            other = run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb"), as_of="2026-09-30")
        assert content(other.path)
        assert not is_gone(int(sign.read_text("utf-8")))
        first.process.kill()
        assert first.left() == []
        assert last_good.read_text("utf-8") == "good"
        assert names(Path(temporary))
        assert len(names(home)) == 4
        go.touch()
        status, said = Started(words, TMPDIR=temporary).ended()
        assert status == 0, said
        assert names(Path(temporary)) == []
    assert content(last_good.parent)
    assert names(home) == ["2026-09-30", AS_OF]


@pytest.mark.fault(121)
@pytest.mark.skipif(not toys.can_seal(), reason="no user may mount file systems here")
def test_a_disk_that_is_full_when_pages_are_written(tmp_path: Path) -> None:
    toy(tmp_path / "notebooks" / "01_segments.ipynb", "print('x' * 300_000)")
    out, home = tmp_path / "reports", tmp_path / "reports" / "demo" / AS_OF
    out.mkdir()
    disk = f"mount -t tmpfs -o size=800k tmpfs {out} && mkdir -p {home} && printf good > {home}/index.html"
    ended = toys.sealed(disk, toolkit(tmp_path / "notebooks", out), f"cat {home}/index.html; ls -A {home.parent}")
    assert ended.stdout.splitlines()[-2:] == ["status 1", f"good{AS_OF}"]
    assert "01_segments: done" in ended.stderr
    assert "No space left on device" in ended.stderr
    assert "Try: df -h" in ended.stderr
    assert "Traceback" not in ended.stderr
