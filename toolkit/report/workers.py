"""How a spawned worker begins: in a module that loads nothing else, so that it minds its parent at once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from toolkit.report.stops import end_with_parent

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

_cells: list[Queue[int]] = []


def start_worker(parent: int, cells: Queue[int]) -> None:
    """Prepare a worker: it ends with the runner, and plots are the kernel's own inline ones.

    Parameters
    ----------
    parent
        The runner's process.
    cells
        Gets a 1 for every cell that is done.
    """
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.pop("MPLBACKEND", None)
    _cells.append(cells)


def count_cell() -> None:
    """Tell the runner that one more cell is done."""
    for queue in _cells:
        queue.put(1)
