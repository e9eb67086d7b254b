"""The proof that everybody is in exactly one class, or the customer who is not."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.rules.conditions import holds, leaves
from toolkit.rules.faults import RuleError
from toolkit.rules.situations import situations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from toolkit.rules.columns import Domain
    from toolkit.rules.conditions import Condition, Leaf, Learned
    from toolkit.rules.situations import Situation, Value

MOST_CELLS = 200_000
Witness = dict[str, "Situation"]


def prove(classes: Mapping[str, Condition | None], domains: Mapping[str, Domain]) -> None:
    """Refuse a scheme with a hole or an overlap.

    Parameters
    ----------
    classes
        Class -> what its rule says; None takes whoever is in no other class.
    domains
        What the columns can hold.

    Raises
    ------
    RuleError
        Some customer is in no class, or in two; the message describes one. Or there are too many kinds of customers
        to try them all.

    Examples
    --------
    >>> from toolkit.rules.columns import domains
    >>> from toolkit.rules.grammar import parse
    >>> known = domains([])
    >>> rules = {"often": "order_days >= 2", "seldom": "order_days < 1"}
    >>> prove({name: parse(rule, known, {}).condition for name, rule in rules.items()}, known)
    Traceback (most recent call last):
    toolkit.rules.faults.RuleError: a customer with order_days = 1 is in no class
    """
    fault = witness(classes, domains)
    if fault is None:
        return
    found, names = fault
    cuts = [
        f"{_cut(cut, column)} = {_shown(value)}" for column, one in found.items() for cut, value in one.cuts.items()
    ]
    who = " and ".join(
        part
        for part in (
            ", ".join(f"{column} = {_shown(one.value)}" for column, one in found.items()),
            ", ".join(cuts),
        )
        if part
    )
    where = f"is in both {names[0]} and {names[1]}" if names else "is in no class"
    raise RuleError(f"a customer with {who} {where}")


def witness(
    classes: Mapping[str, Condition | None], domains: Mapping[str, Domain]
) -> tuple[Witness, tuple[str, ...]] | None:
    """Return a customer who is not in exactly one class, and the first two classes they are in; None: nobody.

    Raises
    ------
    RuleError
        There are too many kinds of customers to try them all.
    """
    said = {name: condition for name, condition in classes.items() if condition is not None}
    compared: dict[str, dict[Leaf, None]] = {}
    for condition in said.values():
        for leaf in leaves(condition):
            compared.setdefault(leaf.column, {})[leaf] = None
    kinds = {column: situations(domains[column], list(found)) for column, found in compared.items()}
    cells = prod(len(found) for found in kinds.values())
    if cells > MOST_CELLS:
        raise RuleError(f"compares so much ({cells:,} kinds of customers) that it cannot be proven; write it shorter")
    answers: dict[Leaf, NDArray[np.bool_]] = {}
    for axis, (column, found) in enumerate(kinds.items()):
        shape = [len(found) if other == axis else 1 for other in range(len(kinds))]
        truths = np.array([one.truths for one in found]).T
        answers |= {leaf: row.reshape(shape) for leaf, row in zip(compared[column], truths, strict=True)}
    within = {name: holds(condition, answers.__getitem__) for name, condition in said.items()}
    count: Any = sum(inside.astype(np.int16) for inside in within.values())
    wrong = np.broadcast_to(
        (count > 1) | ((count < 1) & (len(said) == len(classes))), [len(found) for found in kinds.values()]
    )
    if not wrong.any():
        return None
    cell = tuple(int(at) for at in np.argwhere(wrong)[0])
    inside = [name for name, where in within.items() if np.broadcast_to(where, wrong.shape)[cell]]
    return {column: found[at] for (column, found), at in zip(kinds.items(), cell, strict=True)}, tuple(inside[:2])


def _cut(cut: Learned, column: str) -> str:
    return f"{cut} of {column}"


def _shown(value: Value) -> str:
    if value is None:
        return "missing"
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    return ("yes" if value else "no") if isinstance(value, bool) else value
