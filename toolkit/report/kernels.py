"""The worker's side of a run: one notebook in one kernel, judged; neither worker nor kernel outlives its parent."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from traitlets.config import Config

from toolkit.report.notebooks import INJECTED, code_cells, has_tag, read, recorded
from toolkit.report.publish import FREE_SPACE, FULL
from toolkit.report.results import KEPT_VARIABLE, TOKEN_VARIABLE
from toolkit.report.stops import end_with_parent
from toolkit.report.workers import count_cell

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 16 * 2**20
"""Of an executed notebook: the page that is made of it is about as big, and people open it."""


@dataclass(frozen=True)
class Task:
    """One notebook to run.

    Attributes
    ----------
    notebook, executed
        Its file, and where the executed copy goes.
    parameters
        Name to value.
    token
        The run's own, which the last cell must show.
    connection
        The kernel's connection file; its sockets stand beside it.
    cell_seconds
        How long a cell may take.
    kept
        Folder of the snapshots that earlier reports kept.
    """

    notebook: Path
    executed: Path
    parameters: dict[str, str]
    token: str
    connection: Path
    cell_seconds: int
    kept: Path


@dataclass(frozen=True)
class Failure:
    """Why a notebook failed: notebook, code cell (1 is the first; 0 before any), error type, meaning, what to type."""

    notebook: str
    cell: int
    error: str
    what: str
    hint: str = ""


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
    os.environ[KEPT_VARIABLE] = str(task.kept)
    reached = _Reached()
    try:
        papermill.execute_notebook(
            braced(task.notebook),
            braced(task.executed),
            parameters=task.parameters,
            kernel_name="python3",
            cwd=str(task.notebook.parent),
            progress_bar=False,
            execution_timeout=task.cell_seconds,
            iopub_timeout=task.cell_seconds,
            kernel_manager_class=ReportKernelManager,
            config=Config({"ReportKernelManager": {"transport": "ipc", "connection_file": str(task.connection)}}),
            on_cell_execute=reached.start,
            on_cell_executed=reached.end,
        )
        failure = judged(read(task.executed), task)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong here must end as a failed report, by name
        failure = _failure(error, task, reached.cell)
    return Outcome(task.notebook.stem, time.monotonic() - started, failure)


def _failure(error: Exception, task: Task, cell: int) -> Failure:
    """Say what an error means; what a cell's own error says is not repeated, since it may hold a person's data."""
    name, hint = type(error).__name__, ""
    if isinstance(error, papermill.PapermillExecutionError):
        name, what = error.ename, f"raised {error.ename}"
        if error.evalue.startswith("E-"):
            what += f": {error.evalue}"
        elif os.strerror(errno.ENOSPC) in error.evalue:
            what, hint = f"{what}: {os.strerror(errno.ENOSPC)}", FREE_SPACE
    elif isinstance(error, CellTimeoutError):
        what = f"did not end within {task.cell_seconds:,} s"
        hint = f"--cell-seconds {2 * task.cell_seconds} with the same command, if it needs that long"
    elif isinstance(error, DeadKernelError):
        what = "the kernel was killed or ran out of memory"
    elif isinstance(error, OSError) and error.errno:
        what = f"the notebook could not be run: {os.strerror(error.errno)}"
        hint = FREE_SPACE if error.errno in FULL else ""
    else:
        what = f"the notebook could not be run ({name})"
    return Failure(task.notebook.stem, cell, name, what, hint)


def braced(path: Path) -> str:
    """Return the path as papermill wants it, which takes braces for fields to fill in."""
    return str(path).replace("{", "{{").replace("}", "}}")


class _Reached:
    """Which code cell of the author's notebook runs now (the injected one is not the author's)."""

    def __init__(self) -> None:
        self.cell = 0

    def start(self, cell: Any, **_: object) -> None:
        self.cell += not has_tag(cell, INJECTED)

    def end(self, **_: object) -> None:
        count_cell()


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
    sizes = [len(json.dumps(cell.outputs)) for cell in cells]
    if sum(sizes) > MOST_BYTES:
        what = f"shows {sum(sizes) / 2**20:,.0f} MB, and a page holds {MOST_BYTES / 2**20:.0f} at most"
        hint = "print less there: .head(), a sum, a picture"
        return Failure(task.notebook.stem, sizes.index(max(sizes)) + 1, "TooMuchOutput", what, hint)
    return None
