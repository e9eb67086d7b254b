"""What a rule may compare: the kinds of values of snapshot columns, of segments and of schemes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from toolkit.schema import PROSPECT, SEGMENT, SEGMENTS, SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["whole", "share", "number", "text", "yes_no", "date"]

BANDS = ("low", "mid", "high")
_CLOSED: dict[str, tuple[str, ...]] = {
    "main_price_band": BANDS,
    "membership_state": ("member", "lapsed", "trial", "prospect"),
}


@dataclass(frozen=True)
class Domain:
    """The values that a column can hold.

    Attributes
    ----------
    kind
        ``whole`` (0, 1, 2, ..), ``share`` (0 to 1), ``number`` (any), ``text``, ``yes_no`` or ``date``.
    may_be_missing
        Whether a customer may have no value.
    values
        The only values of a text; None: any.
    """

    kind: Kind
    may_be_missing: bool
    values: tuple[str, ...] | None = None


def domains(layers: Iterable[str]) -> dict[str, Domain]:
    """Return the domain of every snapshot column and of ``segment``.

    Parameters
    ----------
    layers
        The study's product layers: the values of ``top_layer``.

    Examples
    --------
    >>> domains(["lead_in", "premium"])["order_days"]
    Domain(kind='whole', may_be_missing=False, values=None)
    """
    closed: Mapping[str, tuple[str, ...]] = _CLOSED | {"top_layer": tuple(layers)}
    found = {
        column.name: Domain(
            _kind(column.dtype, column.unit, column.name), not column.never_missing, closed.get(column.name)
        )
        for column in SNAPSHOT
    }
    return found | {SEGMENT: Domain("text", may_be_missing=False, values=(*SEGMENTS, PROSPECT))}


def _kind(dtype: str, unit: str, name: str) -> Kind:
    if dtype in ("str", "bool"):
        return "text" if dtype == "str" else "yes_no"
    if dtype.startswith("datetime"):
        return "date"
    if dtype == "int64" or (unit == "days" and not name.startswith("mean_")):
        return "whole"
    return "share" if unit == "share" else "number"
