"""What the toolkit refuses, and how it says so: every refusal has a code and says what to type next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Status = Literal["passed", "failed", "informational"]


def masked(value: object) -> str:
    """Hide a value but for its ends, so that a message never repeats a person's id.

    Examples
    --------
    >>> masked("13800138000"), masked("ab"), masked(None)
    ('1***0', '***', 'empty')
    """
    if value is None:
        return "empty"
    text = str(value)
    return f"{text[0]}***{text[-1]}" if len(text) > 3 else "***"


class ToolkitError(Exception):
    """A refusal: ``E-<code> <where> column <column>: <what> (n=..., e.g. ...). Try: <hint>``.

    Parameters
    ----------
    code
        Short stable name of the refusal, such as ``empty-file``.
    what
        One clause that says what is wrong.
    where
        File, or ``file:line``.
    column
        Column as the user's file calls it.
    count
        How many rows are concerned.
    examples
        Values to show; at most three are shown, masked.
    hint
        The exact option or command that would fix it.
    """

    exit_status = 1

    def __init__(
        self,
        code: str,
        what: str,
        *,
        where: str = "",
        column: str = "",
        count: int | None = None,
        examples: Iterable[object] = (),
        hint: str = "",
    ) -> None:
        self.code, self.what, self.hint, self.count = code, what, hint, count
        place = " ".join(part for part in (where, f"column {column}" if column else "") if part)
        shown = [masked(example) for example in list(examples)[:3]]
        facts = ", ".join(
            part
            for part in (
                f"n={count:,}" if count is not None else "",
                "e.g. " + ", ".join(shown) if shown else "",
            )
            if part
        )
        head = f"E-{code} {place}".rstrip()
        sentence = f"{head}: {what}{f' ({facts})' if facts else ''}"
        super().__init__(sentence + ("" if sentence.endswith("?") else ".") + (f" Try: {hint}" if hint else ""))


class StudyFileError(ToolkitError):
    """The study file is not what it must be."""


class InputError(ToolkitError):
    """An export is not what it must be."""


class ArgumentError(ToolkitError, ValueError):
    """A call was given something it cannot work with."""


class RunError(ToolkitError):
    """A report could not be made; the last good one is untouched."""


class RunLockedError(RunError):
    """Another run is writing the same report."""

    exit_status = 75


@dataclass(frozen=True)
class Check:
    """One diagnostic: a value to look at, never a print.

    Attributes
    ----------
    code
        Short stable name of what was looked at.
    status
        ``passed``, ``failed`` (shown as a banner) or ``informational``.
    message
        One sentence with its figures.
    count
        How many rows, ids or cells are concerned.
    subject
        File, columns or share that it is about, as text that needs no translation.
    """

    code: str
    status: Status
    message: str
    count: int = 0
    subject: str = ""
