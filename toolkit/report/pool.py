"""Notebooks side by side: spawned workers, progress on stderr, and an outcome for each notebook that ran."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from queue import Empty
from typing import TYPE_CHECKING

from tqdm import tqdm

from toolkit.report.kernels import Failure, Outcome, Task, execute
from toolkit.report.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.queues import Queue


QUIET = 10.0
"""Seconds without a word after which a log, which has no bar, is told how far things are."""


def run_all(tasks: Sequence[Task], jobs: int, bar: tqdm[None], check: Callable[[], None]) -> list[Outcome]:
    """Run notebooks, ``jobs`` at a time; after a failure no further one is begun.

    Parameters
    ----------
    tasks
        The notebooks, in the order in which they are begun.
    jobs
        How many run at a time.
    bar
        Counts the code cells that are done; gets a line for each notebook that ended.
    check
        Raises where the run is to stop; the workers are killed then.

    Returns
    -------
    list of Outcome
        One for each notebook that ran.
    """
    context = multiprocessing.get_context("spawn")
    cells: Queue[int] = context.Queue()
    others = set(multiprocessing.active_children())
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, start_worker, (os.getpid(), cells)) as pool:
        names = {pool.submit(execute, task): task.notebook.stem for task in tasks}
        waiting = set(names)
        try:
            done, told = 0, time.monotonic()
            while waiting:
                check()
                ended, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                done += (new := _drained(cells))
                bar.update(new)
                for future in ended:
                    outcomes.append(_outcome(future, names[future]))
                    _tell(outcomes[-1])
                if bar.disable and time.monotonic() - told > QUIET:
                    tqdm.write(f"{done} of {bar.total} cells", file=sys.stderr)
                    told = time.monotonic()
                if any(outcome.failure for outcome in outcomes):
                    waiting = {future for future in waiting if not future.cancel()}
            check()
        except BaseException:
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
            raise
    return outcomes


def _drained(cells: Queue[int]) -> int:
    count = 0
    while True:
        try:
            cells.get_nowait()
        except Empty:
            return count
        count += 1


def _outcome(future: Future[Outcome], notebook: str) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        what = "a worker of this run was killed or ran out of memory"
        return Outcome(notebook, 0.0, Failure(notebook, 0, "BrokenProcessPool", what))


def _tell(outcome: Outcome) -> None:
    ended = "failed" if outcome.failure else "done"
    tqdm.write(f"{outcome.notebook}: {ended} after {outcome.seconds:.1f} s", file=sys.stderr)
