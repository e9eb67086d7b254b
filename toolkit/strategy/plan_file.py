"""A plan as a file that a person can read and nobody can change unseen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from toolkit.errors import Check, StudyFileError
from toolkit.strict import line_of, nearest, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FRAMES = {"tiers": "tier", "overall": "arm", "allocation": "tier"}
_NUMBERS = {"design_effect": float, "icc": float, "days": int, "weeks_to_fill": float, "seed": int}
_TEXTS = ("experiment", "as_of", "spec_sha256")
_KEYS = (*_TEXTS, *_NUMBERS, *_FRAMES, "checks", "sha256")
_AGAIN = "tk.plan_experiment(study, spec).write(path): make the plan again"
_HEAD = (
    "# The plan of an experiment, written before its first assignment. Not to be edited: the last line is its hash.\n"
)


def content_of(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a plan is made of, as plain values; `parts_of` is the way back."""
    found: dict[str, Any] = {name: parts[name] for name in (*_TEXTS, *_NUMBERS)}
    for name in _FRAMES:
        frame: pd.DataFrame = parts[name].reset_index()
        found[name] = [
            {str(column): _plain(value) for column, value in zip(frame.columns, row, strict=True)}
            for row in frame.itertuples(index=False)
        ]
    found["checks"] = [asdict(one) for one in parts["checks"]]
    return found


def hash_of(content: dict[str, Any]) -> str:
    """Return the hash of a plan's content, however it is laid out."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=repr).encode()).hexdigest()


def write_plan(content: dict[str, Any], path: Path) -> Path:
    """Write a plan's content and its hash."""
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1_000)
    path.write_text(f"{_HEAD}{body}sha256: {hash_of(content)}\n", encoding="utf-8")
    return path


def read_plan(path: Path) -> dict[str, Any]:
    """Read a plan's content.

    Raises
    ------
    StudyFileError
        See `toolkit.strategy.plan.Plan.read`.
    """
    content, text = read_yaml(path)
    for key in content:
        if key not in _KEYS:
            what = f"unknown key {key!r}{nearest(str(key), _KEYS)}"
            raise StudyFileError("plan-key", what, where=line_of([str(key)], text, path.name), hint=_AGAIN)
    for key in _KEYS:
        if key not in content:
            raise StudyFileError("plan-key", f"key {key!r} is required", where=path.name, hint=_AGAIN)
    said = content.pop("sha256")
    if said != hash_of(content):
        what = "the plan was changed after it was written: its content does not fit its hash"
        raise StudyFileError("plan-changed", what, where=path.name, hint="the file as it was written; " + _AGAIN)
    return content


def parts_of(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a plan is made of from its content."""
    parts: dict[str, Any] = {name: content[name] for name in _TEXTS}
    parts |= {name: kind(content[name]) for name, kind in _NUMBERS.items()}
    parts |= {name: pd.DataFrame(content[name]).set_index(index) for name, index in _FRAMES.items()}
    parts["checks"] = tuple(Check(**one) for one in content["checks"])
    return parts


def _plain(value: Any) -> str | int | float:
    if isinstance(value, str):
        return str(value)
    number: int | float = value.item() if hasattr(value, "item") else value
    return number
