"""Research toolkit for customer-tier operations: import toolkit as tk."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.report.results import record
    from toolkit.report.workbench import Study
    from toolkit.segments.core import core_gap
    from toolkit.segments.identity_effect import identity_effect
    from toolkit.segments.rfm import RFM
    from toolkit.segments.summary import segment_summary

_HOMES = {
    "Study": "toolkit.report.workbench",
    "RFM": "toolkit.segments.rfm",
    "segment_summary": "toolkit.segments.summary",
    "core_gap": "toolkit.segments.core",
    "identity_effect": "toolkit.segments.identity_effect",
    "record": "toolkit.report.results",
}

__all__ = ["RFM", "Study", "core_gap", "identity_effect", "record", "segment_summary"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'toolkit' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
