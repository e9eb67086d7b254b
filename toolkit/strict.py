"""YAML read strictly: a key given twice is an error, and every error names its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import yaml

from toolkit.errors import StudyFileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class StrictLoader(yaml.SafeLoader):
    """A YAML reader that refuses a key given twice and never turns dates or ids into something else."""


def _mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise yaml.constructor.ConstructorError(None, None, "a key is not a plain name", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> tuple[dict[str, Any], str]:
    """Read a YAML file of settings.

    Returns
    -------
    tuple of dict and str
        The settings, and the file's text.

    Raises
    ------
    StudyFileError
        It cannot be read, is not UTF-8, is not YAML, gives a key twice or holds no settings.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        raise StudyFileError(
            "no-study-file",
            "there is no such file that can be read",
            where=path.name,
            hint="give the path of your study.yaml",
        ) from None
    except UnicodeDecodeError:
        raise StudyFileError(
            "study-encoding", "the study file is not UTF-8", where=path.name, hint="save it as UTF-8"
        ) from None
    try:
        content = yaml.load(text, Loader=StrictLoader)  # noqa: S506 - the loader derives from SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StudyFileError(
            "study-yaml", str(error.problem), where=f"{path.name}:{line}", hint="mend this line"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        what = str(error).splitlines()[0]
        raise StudyFileError("study-yaml", what, where=path.name, hint="mend it, or put the value in quotes") from None
    if not isinstance(content, dict):
        raise StudyFileError(
            "study-yaml", "the study file holds no settings", where=path.name, hint="start with name: my-shop"
        )
    return content, text


def nearest(name: str, known: Iterable[object]) -> str:
    """Say which known name is meant, or which there are.

    Examples
    --------
    >>> nearest("ordrs", ["orders", "customers"])
    "; did you mean 'orders'?"
    """
    names = {str(item).casefold(): str(item) for item in known}
    close = difflib.get_close_matches(str(name).casefold(), names, n=1, cutoff=0.5)
    return f"; did you mean {names[close[0]]!r}?" if close else f"; known: {', '.join(sorted(names.values()))}"


def line_of(keys: list[str], text: str, where: str) -> str:
    """Return ``where:line`` of the key that these keys lead to, as far as the text holds them."""
    lines, at = text.splitlines(), 0
    for key in keys:
        found = next(
            (n for n in range(at, len(lines)) if re.search(rf"(^|[\s{{,]){re.escape(key)}\s*:", lines[n])),
            None,
        )
        if found is None:
            break
        at = found
    return f"{where}:{at + 1}" if text and keys else where
