"""One report at a time, and all of it or nothing: the lock, the temporary folder, the one rename."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import re
import shutil
import socket
import sys
import time
import uuid
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from toolkit.errors import RunError, RunLockedError
from toolkit.report.sockets import close_sockets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RENAME_EXCHANGE = 2
AT_FDCWD = -100
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FREE_SPACE = "df -h, free space there, then the same command again; or --out DIR on another disk"
RETIRED = "report.old.tmp"
_LEFT = re.compile(r"\.(?P<date>\d{4}-\d\d-\d\d)\.[0-9a-f]{32}\.tmp")
_WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
_PATIENCE = 0.3


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
        An empty folder on the target's file system, for its owner only. What dead runs left beside it is gone.

    Raises
    ------
    RunError
        Where nothing can be written beside the target, or the target cannot be replaced.
    RunLockedError
        Where another run is writing the same report.
    """
    with writable(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target, _PATIENCE):
        folder = target.parent / f".{target.name}.{uuid.uuid4().hex}.tmp"
        try:
            _clear(target)
            with writable(target.parent):
                folder.mkdir(mode=0o700)
                if target.exists() and not (target.is_dir() and os.access(target, os.W_OK | os.X_OK)):
                    raise PermissionError(errno.EACCES, "what is there cannot be replaced", str(target))
            yield folder
        finally:
            _remove(folder)


@contextmanager
def writable(place: Path) -> Iterator[None]:
    """Say as a refusal what the system says where a file cannot be written.

    Parameters
    ----------
    place
        What is being written, for an error that names no file.

    Raises
    ------
    RunError
        In place of any ``OSError``: ``disk-full`` or ``out-not-writable``.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in FULL
        raise RunError(
            "disk-full" if full else "out-not-writable",
            f"the report cannot be written ({error.strerror or error}); the last good report is untouched",
            where=str(error.filename or place),
            hint=FREE_SPACE if full else "--out DIR with a folder that you may write to",
        ) from error


def publish(folder: Path, target: Path) -> None:
    """Put a finished folder in the target's place by one rename; what stood there stands in ``folder`` then.

    Parameters
    ----------
    folder
        The finished report, from :func:`workplace`.
    target
        Where it goes. At no moment is there neither the old report nor the new one; on systems that cannot swap folders
        there may be neither for a moment, and the next run brings the old one back if it was this one's last.
    """
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)
    if not target.exists():
        folder.rename(target)
    elif not _exchanged(folder, target):
        target.rename(folder.with_name(RETIRED))
        folder.rename(target)
    _sync(target.parent)


def keep_failed(executed: Path, folder: Path) -> Path | None:
    """Copy a failed notebook where only its owner can read it, since it may show raw values.

    Parameters
    ----------
    executed
        The executed copy of the notebook.
    folder
        Where failed copies of this report are kept.

    Returns
    -------
    Path or None
        The copy, mode 0600; None where it could not be written, on a full disk for one.
    """
    copy = folder / f"{executed.stem}.failed.ipynb"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy.unlink(missing_ok=True)
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(executed.read_bytes())
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return copy


def _clear(target: Path) -> None:
    """Remove what dead runs left beside a target that this run has locked, whatever date they were for."""
    for left in target.parent.glob(".*.tmp"):
        if not (match := _LEFT.fullmatch(left.name)):
            continue
        owner = target.with_name(match["date"])
        with suppress(RunLockedError), nullcontext() if owner == target else _lock(owner):
            if (left / RETIRED).exists() and not owner.exists():
                (left / RETIRED).rename(owner)
            left.rename(target.parent / f".{target.name}.{uuid.uuid4().hex}.tmp")
    for left in target.parent.glob(f".{target.name}.*.tmp"):
        _remove(left)


def _remove(folder: Path) -> None:
    close_sockets(folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lock(target: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold a target's lock; a run that clears up may hold it for a moment, hence the patience in seconds."""
    path, end = target.with_name(f".{target.name}.lock"), time.monotonic() + patience
    with writable(path):
        while (descriptor := _locked(path)) is None:
            if time.monotonic() > end:
                raise RunLockedError(
                    "report-locked",
                    f"another run is writing this report {_holder(path)}",
                    where=str(target),
                    hint="the same command again when that run has ended",
                )
            time.sleep(0.05)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Take a lock if it is free; the system frees it when this process ends, so a dead run's file locks nothing."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _same(descriptor, path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
            return descriptor
    except BlockingIOError:
        pass
    except OSError as error:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        if error.errno in _WITHOUT_LOCKS:
            error.strerror = f"{error.strerror}: a file system that locks files is needed"
        raise
    os.close(descriptor)
    return None


def _holder(path: Path) -> str:
    """Return what the run that holds a lock wrote of itself."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""


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
