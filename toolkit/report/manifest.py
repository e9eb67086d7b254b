"""How a report was made: what went in, with what, when; and the run's name, which is a hash of all but the when."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

PACKAGES = (
    "toolkit",
    "duckdb",
    "lifelines",
    "matplotlib",
    "nbconvert",
    "numpy",
    "pandas",
    "papermill",
    "pyarrow",
    "scikit-learn",
    "seaborn",
)


@dataclass(frozen=True)
class Ingredients:
    """What a report is made of: all that its run id depends on.

    Attributes
    ----------
    study
        Facts about the study: its name, and what it adds for the record.
    parameters
        The notebooks' parameters, without a path.
    inputs
        Name of each input to its sha256.
    notebooks
        The notebooks' files.
    template
        Hash of the page template.
    translations
        Markdown sources to their translations.
    """

    study: Mapping[str, object]
    parameters: Mapping[str, str]
    inputs: Mapping[str, str]
    notebooks: Sequence[Path]
    template: str
    translations: Mapping[str, str]

    def manifest(self, results: Mapping[str, object], started: datetime, finished: datetime) -> dict[str, object]:
        """Return the content of ``manifest.json``.

        Parameters
        ----------
        results
            What ``results.json`` holds; part of the run id.
        started, finished
            When; no part of the run id.

        Returns
        -------
        dict
            Keys ``run_id study parameters inputs notebooks template translations results versions started finished``.
        """
        content: dict[str, object] = {
            "study": dict(self.study),
            "parameters": dict(self.parameters),
            "inputs": dict(self.inputs),
            "notebooks": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.notebooks},
            "template": self.template,
            "translations": sha256(self.translations),
            "results": sha256(results),
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        }
        when = {"started": started.isoformat(timespec="seconds"), "finished": finished.isoformat(timespec="seconds")}
        return {"run_id": sha256(content)} | content | when


def stable_json(value: object) -> str:
    """Return JSON text that is the same bytes for the same content.

    Examples
    --------
    >>> print(stable_json({"b": 1, "a": "金"}), end="")
    {
      "a": "金",
      "b": 1
    }
    """
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"


def sha256(value: object) -> str:
    """Return the sha256 of JSON content."""
    return hashlib.sha256(stable_json(value).encode()).hexdigest()
