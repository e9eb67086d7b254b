"""Named statements from the ``.sql`` files of this room."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def blocks(name: str) -> dict[str, str]:
    """Return the statements of ``toolkit/data/<name>``: text after each ``-- block: <key>`` line.

    Examples
    --------
    >>> sorted(blocks("features.sql"))
    ['columns', 'days', 'orders', 'people', 'visible']
    """
    text = files("toolkit.data").joinpath(name).read_text(encoding="utf-8")
    parts = re.split(r"^-- block: (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {key: body.strip() for key, body in zip(parts[::2], parts[1::2], strict=True)}
