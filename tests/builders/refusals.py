"""What the toolkit says where it refuses: tables of cases, compared at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def assert_refused(cases: Mapping[str, tuple[Callable[[], object], str]]) -> None:
    """Assert that each call is refused with a way out, by words that begin with ``E-`` and the pattern."""
    said = {case: _said(call) for case, (call, _) in cases.items()}
    wrong = [case for case, text in said.items() if not re.match("E-" + cases[case][1], text) or " Try: " not in text]
    assert not wrong, {case: said[case] for case in wrong}


def _said(call: Callable[[], object]) -> str:
    try:
        call()
    except ArgumentError as refusal:
        return str(refusal)
    return "not refused"
