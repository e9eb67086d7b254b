"""Where a run's kernels listen: files, which never clash as ports do, in a private folder with a short path."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from toolkit.errors import RunError

PREFIX = "toolkit-run-"
NOTE = "sockets"
LONGEST = 103 - len("/999-ipc-5")
"""Bytes of a folder whose sockets every system can name: 108 with the last zero on Linux, 104 on macOS."""


def open_sockets(workplace: Path) -> Path:
    """Make the folder for a run's sockets; a note of it in the run's own folder lets the next run remove it.

    Parameters
    ----------
    workplace
        The run's temporary folder.

    Returns
    -------
    Path
        An empty folder under ``TMPDIR``, or under ``/tmp`` where that path is too long, for its owner only.

    Raises
    ------
    RunError
        Where neither can be used.
    """
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the one short folder that every Unix has
        folder = Path(base, PREFIX + secrets.token_hex(4))
        if len(os.fsencode(folder)) <= LONGEST and os.access(base, os.W_OK):
            (workplace / NOTE).write_bytes(os.fsencode(folder))
            folder.mkdir(mode=0o700)
            return folder
    raise RunError(
        "no-short-temp",
        f"kernels need a temporary folder whose path has at most {LONGEST - len(PREFIX) - 9} bytes",
        where=tempfile.gettempdir(),
        hint="TMPDIR=/dev/shm before the same command",
    )


def close_sockets(workplace: Path) -> None:
    """Remove the folder for the sockets of a run that ended or died.

    Parameters
    ----------
    workplace
        The run's temporary folder, with or without a note.
    """
    try:
        folder = Path(os.fsdecode((workplace / NOTE).read_bytes()))
    except FileNotFoundError:
        return
    if folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
