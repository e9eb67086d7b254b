"""One report at a time, and all of it or nothing: the lock, the temporary folder, the one rename."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
import socket
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit.errors import RunError, RunLockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RENAME_EXCHANGE = 2
AT_FDCWD = -100


@contextmanager
def workplace(target: Path) -> Iterator[Path]:
    """Lock a target folder and give a fresh folder beside it, gone afterwards unless it was published.

    Parameters
    ----------
    target
        The folder of one report, such as ``reports/demo/2026-10-31``. It need not exist.

    Yields
    ------
    Path
        An empty folder on the target's file system.

    Raises
    ------
    RunError
        Where nothing can be written beside the target.
    RunLockedError
        Where another run is writing the same report.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _locked(target)
    except OSError as error:
        raise RunError(
            "out-not-writable",
            f"the reports cannot be written there ({error.strerror or error})",
            where=str(target.parent),
            hint="--out DIR with a folder that you may write to",
        ) from error
    try:
        for left in target.parent.glob(f".{target.name}.*.tmp"):
            shutil.rmtree(left, ignore_errors=True)
        folder = target.parent / f".{target.name}.{uuid.uuid4().hex}.tmp"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        _lock_file(target).unlink(missing_ok=True)
        os.close(lock)


def publish(folder: Path, target: Path) -> None:
    """Put a finished folder in the target's place by one rename; what stood there stands in ``folder`` then.

    Parameters
    ----------
    folder
        The finished report, from :func:`workplace`.
    target
        Where it goes. At no moment is there neither the old report nor the new one (on Linux).
    """
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)
    if not target.exists():
        folder.rename(target)
    elif not _exchanged(folder, target):
        old = folder.with_suffix(".old.tmp")
        target.rename(old)
        folder.rename(target)
        shutil.rmtree(old)
    _sync(target.parent)


def keep_failed(executed: Path, folder: Path) -> Path:
    """Copy a failed notebook where only its owner can read it, since it may show raw values.

    Parameters
    ----------
    executed
        The executed copy of the notebook.
    folder
        Where failed copies of this report are kept.

    Returns
    -------
    Path
        The copy, mode 0600.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = folder / f"{executed.stem}.failed.ipynb"
    copy.unlink(missing_ok=True)
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(executed.read_bytes())
    return copy


def _lock_file(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def _locked(target: Path) -> int:
    """Take the target's lock; the system frees it when this process ends, so a dead run's file locks nothing."""
    path = _lock_file(target)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
                return descriptor
        except BlockingIOError as error:
            holder = os.pread(descriptor, 1_000, 0).decode()
            os.close(descriptor)
            raise RunLockedError(
                "report-locked",
                f"another run is writing this report {holder}",
                where=str(target),
                hint="the same command again when that run has ended",
            ) from error
        os.close(descriptor)


def _same(descriptor: int, path: Path) -> bool:
    """Tell whether the locked file is still the one that has the name (a run that ended may have deleted it)."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or the file system cannot."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.EPERM}:
        return False
    raise OSError(code, os.strerror(code), str(other))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
