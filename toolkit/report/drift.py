"""Whether this machine computes with the versions that the project was tested with."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from toolkit.report.manifest import PACKAGES

LOCK_FILE = Path(__file__).parents[2] / "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)


def drifted(lock: Path) -> list[str]:
    """Compare the versions of what a report is computed with to those of the lock file.

    Parameters
    ----------
    lock
        ``requirements.lock``, which may pin a package once for each Python; one that is not there (an installed
        toolkit has none) says nothing.

    Returns
    -------
    list of str
        One text such as ``pandas 2.3.1 (locked: 2.3.3)`` for each that differs.

    Examples
    --------
    >>> drifted(Path("no such file"))
    []
    """
    pins: dict[str, list[str]] = {}
    for name, pinned in _PIN.findall(lock.read_text("utf-8") if lock.exists() else ""):
        pins.setdefault(name, []).append(pinned)
    return [
        f"{name} {version(name)} (locked: {' or '.join(pins[name])})"
        for name in PACKAGES
        if name in pins and version(name) not in pins[name]
    ]
