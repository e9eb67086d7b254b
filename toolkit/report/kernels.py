"""The worker's side of a run: one notebook in one kernel, judged; neither worker nor kernel outlives its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from traitlets.config import Config

from toolkit.report.notebooks import INJECTED, code_cells, has_tag, read, recorded
from toolkit.report.results import TOKEN_VARIABLE

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Task:
    """One notebook to run: its file, where the executed copy goes, its parameters, and the run's token."""

    notebook: Path
    executed: Path
    parameters: dict[str, str]
    token: str


@dataclass(frozen=True)
class Failure:
    """Why a notebook failed: notebook, code cell (1 is the first; 0 before any), error type and what it means."""

    notebook: str
    cell: int
    error: str
    what: str


@dataclass(frozen=True)
class Outcome:
    """How one notebook ended, and after how many seconds."""

    notebook: str
    seconds: float
    failure: Failure | None


class ReportKernelManager(AsyncKernelManager):
    """Kernels of this very interpreter, whatever kernels are registered, that end with this process."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return the interpreter that runs this code as a kernel."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")

    def start_kernel(self, **options: Any) -> Any:
        """Start the kernel so that the system ends it when this process ends."""
        return super().start_kernel(preexec_fn=partial(end_with_parent, os.getpid()), **options)


def end_with_parent(parent: int) -> None:
    """Ask the system to kill this process when process ``parent`` ends (Linux; elsewhere the kernel polls)."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def start_worker(parent: int, progress: Queue[str]) -> None:
    """Prepare a spawned worker: it ends with the runner, and plots are the kernel's own inline ones."""
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.pop("MPLBACKEND", None)
    _progress.append(progress)


_progress: list[Queue[str]] = []


def execute(task: Task) -> Outcome:
    """Run one notebook in a kernel of its own and judge what came of it.

    Parameters
    ----------
    task
        The notebook and its parameters; the executed copy is written whatever happens.

    Returns
    -------
    Outcome
        ``failure`` is None only when every condition of a good run holds.
    """
    started = time.monotonic()
    os.environ[TOKEN_VARIABLE] = task.token
    reached = _Reached(task)
    try:
        with tempfile.TemporaryDirectory(prefix="toolkit-run-") as sockets:
            no_ports = {"transport": "ipc", "connection_file": str(Path(sockets) / "k.json")}
            papermill.execute_notebook(
                braced(task.notebook),
                braced(task.executed),
                parameters=task.parameters,
                kernel_name="python3",
                cwd=str(task.notebook.parent),
                progress_bar=False,
                kernel_manager_class=ReportKernelManager,
                config=Config({"ReportKernelManager": no_ports}),
                on_cell_execute=reached.start,
                on_cell_executed=reached.end,
            )
        failure = judged(read(task.executed), task)
    except papermill.PapermillExecutionError as error:
        shown = f": {error.evalue}" if error.evalue.startswith("E-") else ""
        failure = Failure(task.notebook.stem, reached.cell, error.ename, f"raised {error.ename}{shown}")
    except DeadKernelError as error:
        what = "the kernel was killed or ran out of memory"
        failure = Failure(task.notebook.stem, reached.cell, type(error).__name__, what)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong here must end as a failed report, by name
        what = f"the notebook could not be run ({type(error).__name__})"
        failure = Failure(task.notebook.stem, reached.cell, type(error).__name__, what)
    return Outcome(task.notebook.stem, time.monotonic() - started, failure)


def braced(path: Path) -> str:
    """Return the path as papermill wants it, which takes braces for fields to fill in."""
    return str(path).replace("{", "{{").replace("}", "}}")


class _Reached:
    """Which code cell of the author's notebook runs now (the injected one is not the author's)."""

    def __init__(self, task: Task) -> None:
        self.notebook, self.cell = task.notebook.stem, 0

    def start(self, cell: Any, **_: object) -> None:
        self.cell += not has_tag(cell, INJECTED)

    def end(self, **_: object) -> None:
        for queue in _progress:
            queue.put(self.notebook)


def judged(nb: Any, task: Task) -> Failure | None:
    """Return why an executed notebook is not a good run, or None where it is one.

    Parameters
    ----------
    nb
        The executed notebook, as papermill wrote it.
    task
        The task it came from; its token must stand in the last cell's output.
    """
    cells = code_cells(nb)
    for number, cell in enumerate(cells, start=1):
        stopped = cell.metadata.get("papermill", {}).get("exception")
        if stopped or cell.execution_count is None:
            names = [output.ename for output in cell.outputs if output.output_type == "error"]
            what = "ended before its last cell"
            return Failure(task.notebook.stem, number, names[0] if names else "Stopped", what)
    if nb.metadata.get("papermill", {}).get("exception"):
        return Failure(task.notebook.stem, len(cells), "Stopped", "ended before its last cell")
    if not any(found.get("token") == task.token for found in recorded(cells[-1])):
        what = "the last cell did not record this run's results"
        return Failure(task.notebook.stem, len(cells), "NoResults", what)
    return None
