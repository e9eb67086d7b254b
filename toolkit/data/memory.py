"""How much memory is left, so that a file too large for it is refused before it is read."""

from __future__ import annotations

from pathlib import Path

from toolkit.errors import InputError

PEAK_PER_BYTE = 6
"""Bytes held at most while one byte of delimited text is split into columns."""


def available() -> int | None:
    """Return the bytes that can be taken without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def refuse_larger_than_memory(path: Path) -> None:
    """Refuse a text file that would not fit.

    Raises
    ------
    InputError
        With the estimate and a way round.
    """
    size, left = path.stat().st_size, available()
    if left is not None and size * PEAK_PER_BYTE > left:
        raise InputError(
            "too-large",
            f"reading it takes about {size * PEAK_PER_BYTE / 1e9:,.1f} GB and {left / 1e9:,.1f} GB are free",
            where=path.name,
            hint="export it as Parquet, which is read piece by piece, or one file per year",
        )
