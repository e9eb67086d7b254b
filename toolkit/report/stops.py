"""What ends a run before its time: signals to the runner, and the death of a parent process."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class RunStoppedError(RunError):
    """A run was told to stop by a signal; the exit status is the shell's for it, 128 and its number."""

    def __init__(self, number: int) -> None:
        super().__init__(
            "run-stopped",
            f"stopped by {signal.Signals(number).name}; the last good report is untouched",
            hint="the same command again",
        )
        self.exit_status = 128 + number


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Hear the signals that stop a run only where the run asks, so that nothing is left half done.

    Yields
    ------
    Callable
        Raises :class:`RunStoppedError` once a signal came. Outside the main thread no signal is heard, and one that
        the caller ignores (as ``nohup`` does) stays ignored.

    Examples
    --------
    >>> with stoppable() as check:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     check()
    Traceback (most recent call last):
    toolkit.report.stops.RunStoppedError: E-run-stopped: stopped by SIGTERM; the last good report is untouched. Try: ...
    """
    came: list[int] = []

    def check() -> None:
        if came:
            raise RunStoppedError(came[0])

    heard = [number for number in STOPS if signal.getsignal(number) not in {signal.SIG_IGN, None}]
    if threading.current_thread() is not threading.main_thread():
        heard = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in heard}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent(parent: int) -> None:
    """Ask the system to kill this process when process ``parent`` ends (Linux; elsewhere kernels poll)."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
