"""The study as an analyst uses it: the tables behind their gate, and what the rooms make of one customer."""

from __future__ import annotations

from toolkit.data.warehouse import Warehouse


class Study(Warehouse):
    """One business: its exports, cleaned once, and what can be asked of them at a date.

    Open one with `Study.open`, `Study.from_frames` or `Study.demo`; the methods that read tables are those of
    `toolkit.data.warehouse.Warehouse`.
    """
