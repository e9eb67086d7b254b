"""However a run ends, the last good report stands, no process and no temporary folder stays, and a person is told."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders.toys import (
    AS_OF,
    RECORD,
    Started,
    can_seal,
    content,
    eventually,
    good_report,
    run,
    sealed,
    toolkit,
    toy,
)
from toolkit.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHES = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc; elsewhere kernels poll")
WAITS = "import time\ntime.sleep(0.3)"


@pytest.fixture
def last_good(tmp_path: Path) -> Path:
    return good_report(tmp_path / "reports")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failed(tmp_path: Path, *cells: str, record: str = RECORD, cell_seconds: int = 60) -> str:
    """Run a notebook that must fail; return the message, which its name and the way out are part of."""
    with pytest.raises(RunError, match=r"01_segments\.ipynb.*Try: ") as refusal:
        run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", *cells, record=record), cell_seconds=cell_seconds)
    return str(refusal.value)


def writes_pid(sign: Path) -> str:
    return f"import os, pathlib, signal, time\npathlib.Path({str(sign)!r}).write_text(str(os.getpid()))\n"


def is_gone(process: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text("utf-8")
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("cells", "record", "says"),
    [
        pytest.param(
            ["1 + 1", 'raise KeyError("13800138000")'], RECORD, "code cell 3: raised KeyError", id="116-raises"
        ),
        pytest.param(["raise KeyboardInterrupt"], RECORD, "cell 2: raised KeyboardInterrupt", id="116-interrupt"),
        pytest.param(
            ["raise OSError(28, 'No space left on device')"], RECORD, "No space left on device; ", id="121-raises"
        ),
        pytest.param(["import os; os._exit(0)"], RECORD, "code cell 2: the kernel was killed", id="117-exits"),
        pytest.param(
            ["import os; os.kill(os.getpid(), 9)"], RECORD, "code cell 2: the kernel was killed", id="117-killed"
        ),
        pytest.param(
            ["import sys; sys.exit(0)"], RECORD, "code cell 2: ended before its last cell (SystemExit)", id="117-exit"
        ),
        pytest.param([], "1", "code cell 2: the last cell did not record", id="117-no-record"),
        pytest.param(
            ['import os; os.environ["TOOLKIT_RUN_TOKEN"] = "of another run"'],
            RECORD,
            "code cell 3: the last cell did not record this run's results",
            id="117-token-of-another-run",
        ),
        pytest.param(
            ["import os, time; os.kill(os.getppid(), 9); time.sleep(60)"],
            RECORD,
            "a worker of this run",
            id="117-worker",
        ),
        pytest.param(["for _ in range(170): print('x' * 100_000)"], RECORD, "code cell 2: shows 16 MB", id="too-much"),
    ],
)
def test_fault_116_117_a_bad_end_leaves_the_last_report(
    last_good: Path, tmp_path: Path, cells: list[str], record: str, says: str
) -> None:
    said = failed(tmp_path, *cells, record=record)
    assert says in said
    assert "13800138000" not in said
    assert last_good.read_text("utf-8") == "good"
    assert set(names(last_good.parent.parent)) <= {AS_OF, "failed"}
    copy = last_good.parent.parent / "failed" / AS_OF / "01_segments.failed.ipynb"
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_refusal_of_the_toolkit_is_shown_whole(last_good: Path, tmp_path: Path) -> None:
    refuses = (
        "from toolkit.errors import InputError\nraise InputError('empty-file', 'holds no rows', hint='another file')"
    )
    said = failed(tmp_path, refuses)
    assert "E-empty-file: holds no rows" in said
    assert str(last_good.parent.parent / "failed" / AS_OF / "01_segments.failed.ipynb") in said
    assert last_good.read_text("utf-8") == "good"


@WATCHES
def test_fault_124_a_hung_cell_ends_although_its_kernel_is_deaf(last_good: Path, tmp_path: Path) -> None:
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
    report = run(tmp_path / "reports", toy(tmp_path / "01_segments.ipynb", forks, waits))
    assert '"customers": 3' in (report.path / "results.json").read_text("utf-8")
    assert eventually(lambda: is_gone(int(sign.read_text("utf-8"))))


@WATCHES
@pytest.mark.parametrize(
    ("number", "whom"),
    [
        pytest.param(signal.SIGINT, os.killpg, id="ctrl-c"),
        pytest.param(signal.SIGTERM, os.kill, id="kill"),
        pytest.param(signal.SIGHUP, os.kill, id="terminal-closed"),
    ],
)
def test_fault_124_a_run_that_is_told_to_stop_takes_all_its_own_along(
    last_good: Path, tmp_path: Path, number: signal.Signals, whom: Callable[[int, int], None]
) -> None:
    signs = [tmp_path / "one", tmp_path / "two"]
    for place, sign in enumerate(signs):
        toy(tmp_path / "notebooks" / f"0{place}_{sign.name}.ipynb", f"{writes_pid(sign)}time.sleep(600)")
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
def test_fault_124_a_killed_run_leaves_no_process_and_the_next_one_clears_up(tmp_path: Path) -> None:
    for name in ("00_data_health", "01_segments"):
        toy(tmp_path / "notebooks" / f"{name}.ipynb", WAITS)
    words = toolkit(tmp_path / "notebooks", tmp_path / "reports")
    report, began = tmp_path / "reports" / "demo" / AS_OF, time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        assert Started(words, TMPDIR=temporary).ended()[0] == 0
        length, good = time.monotonic() - began, content(report)
        for moment in sorted(random.Random(7).uniform(0, length) for _ in range(3)):  # noqa: S311 - moments, no secrets
            runner = Started(words, TMPDIR=temporary)
            time.sleep(moment)
            runner.process.kill()
            assert runner.left() == [], moment
            assert content(report) == good, moment
        status, said = Started(words, TMPDIR=temporary).ended()
        assert status == 0, said
        assert names(Path(temporary)) == []
    assert content(report) == good
    assert names(report.parent) == [AS_OF, "kept"]


@pytest.mark.skipif(not can_seal(), reason="no user may mount file systems here")
@pytest.mark.parametrize(
    ("size", "filled", "stage"),
    [
        pytest.param("200k", True, "before", id="before-any-notebook"),
        pytest.param("200k", False, "executing", id="executing"),
        pytest.param("800k", False, "pages", id="writing-pages"),
    ],
)
def test_fault_121_a_full_disk(tmp_path: Path, size: str, stage: str, *, filled: bool) -> None:
    toy(tmp_path / "notebooks" / "01_segments.ipynb", f"{writes_pid(tmp_path / 'ran')}print('x' * 300_000)")
    out, home = tmp_path / "reports", tmp_path / "reports" / "demo" / AS_OF
    out.mkdir()
    disk = f"mount -t tmpfs -o size={size} tmpfs {out} && mkdir -p {home} && printf good > {home}/index.html"
    fill = f" && (cat /dev/zero > {home}/filler 2> /dev/null || true)" if filled else ""
    look = f"cat {home}/index.html; ls -A {home.parent}"
    ended = sealed(disk + fill, toolkit(tmp_path / "notebooks", out), look)
    status, index, *beside = ended.stdout.split()[1:]
    assert (status, index[:4]) == ("1", "good")
    assert {index[4:], *beside} <= {AS_OF, "failed"}
    assert "No space left on device" in ended.stderr
    assert "Try: df -h" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "ran").exists() == (stage != "before")
    assert ("01_segments: done" in ended.stderr) == (stage == "pages")
