"""A cluster in one line: what a shallow tree says of it in the customers' own units, and how far that is true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_DEPTH = 4
_ROWS = 50_000
_GOOD = 0.02
_SMALLEST_LEAF = 0.005


@dataclass(frozen=True)
class Condition:
    """A column's values over ``above`` and up to ``up_to``; infinite where there is no such bound."""

    column: str
    above: float = -np.inf
    up_to: float = np.inf

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Say for which values it holds."""
        return np.asarray((values > self.above) & (values <= self.up_to))

    def __str__(self) -> str:
        low = f"{self.column} > {_plainly(self.above)}" if np.isfinite(self.above) else ""
        high = f"{self.column} <= {_plainly(self.up_to)}" if np.isfinite(self.up_to) else ""
        return " and ".join(part for part in (low, high) if part)


Rule = tuple[tuple[Condition, ...], ...]
"""Any of several conjunctions; an empty conjunction holds for everybody, and no conjunction for nobody."""


def rules(columns: dict[str, Floats], labels: Ints, names: Sequence[str], seed: int) -> tuple[dict[str, Rule], Ints]:
    """Find the rules of a shallow tree.

    Parameters
    ----------
    columns
        Feature -> the customers' values, in natural units.
    labels
        Their clusters, from 0.
    names
        Names of the clusters.
    seed
        Seed of the sample the tree learns from.

    Returns
    -------
    dict
        Cluster -> its rule. Rules exclude each other and leave nobody out.
    array
        The cluster that the rules give each customer.

    Notes
    -----
    A CART tree (Breiman et al. 1984) of depth 4 with at least half a percent of the customers in a leaf. It has as few
    leaves as come within 2 points of the agreement that more leaves, up to two per cluster, reach. Cuts are rounded
    (`rounded`), and what is told of the rules is told of the rounded ones. Leaves of one cluster that meet at a cut are
    one conjunction.

    Examples
    --------
    >>> found, said = rules({"spend": np.array([5.0, 7.0, 80.0, 95.0])}, np.array([1, 1, 0, 0]), ["1", "2"], 7)
    >>> {name: written(rule) for name, rule in found.items()}, said.tolist()
    ({'1': 'spend > 43', '2': 'spend <= 43'}, [1, 1, 0, 0])
    """
    table = np.column_stack(list(columns.values()))
    rng = np.random.default_rng(seed)
    part = np.arange(len(table)) if len(table) <= _ROWS else np.sort(rng.choice(len(table), _ROWS, replace=False))
    k = len(names)
    tries = [_grown(table[part], labels[part], leaves) for leaves in range(max(k, 2), 2 * k + 1)]
    truths = [float((tree.predict(table[part]) == labels[part]).mean()) for tree in tries]
    tree = next(one for one, truth in zip(tries, truths, strict=True) if truth >= max(truths) - _GOOD)
    leaves = _leaves(tree, list(columns), [np.unique(column) for column in table[part].T])
    found: dict[str, Rule] = {
        name: _joined([conditions for conditions, cluster in leaves if cluster == number])
        for number, name in enumerate(names)
    }
    said = np.full(len(table), -1, dtype=np.int64)
    for number, name in enumerate(names):
        said[covers(found[name], columns, len(table))] = number
    return found, said


def covers(rule: Rule, columns: dict[str, Floats], size: int) -> NDArray[np.bool_]:
    """Say of which customers a rule is true."""
    inside = np.zeros(size, dtype=bool)
    for conjunction in rule:
        every = np.ones(size, dtype=bool)
        for condition in conjunction:
            every &= condition.holds(columns[condition.column])
        inside |= every
    return inside


def written(rule: Rule) -> str:
    """Write a rule in one line of columns and numbers; empty where the tree names nobody so."""
    lines = [" and ".join(str(condition) for condition in conjunction) or "everybody" for conjunction in rule]
    return lines[0] if len(lines) == 1 else " or ".join(f"({line})" for line in lines)


def fidelity(found: dict[str, Rule], said: Ints, labels: Ints) -> pd.DataFrame:
    """Write the rules with how far they are true: index ``cluster``; ``rule customers precision recall``."""
    rows = []
    for number, rule in enumerate(found.values()):
        named, own = said == number, labels == number
        both = float((named & own).sum())
        rows.append(
            {
                "rule": written(rule),
                "customers": int(named.sum()),
                "precision": both / named.sum() if named.any() else np.nan,
                "recall": both / own.sum() if own.any() else np.nan,
            }
        )
    return pd.DataFrame(rows, index=pd.Index(list(found), name="cluster"))


def _grown(table: Floats, labels: Ints, leaves: int) -> DecisionTreeClassifier:
    smallest = max(1, int(_SMALLEST_LEAF * len(table)))
    tree = DecisionTreeClassifier(max_depth=_DEPTH, max_leaf_nodes=leaves, min_samples_leaf=smallest, random_state=0)
    return tree.fit(table, labels)


def _leaves(
    tree: DecisionTreeClassifier, names: list[str], values: list[Floats]
) -> list[tuple[tuple[Condition, ...], int]]:
    """Return the conditions and the cluster of each leaf, cuts rounded."""
    inner = tree.tree_
    found = []
    waiting: list[tuple[int, dict[str, Condition]]] = [(0, {})]
    while waiting:
        node, path = waiting.pop()
        if inner.children_left[node] < 0:
            found.append((tuple(path.values()), int(tree.classes_[inner.value[node][0].argmax()])))
            continue
        place = int(inner.feature[node])
        name = names[place]
        cut = rounded(float(inner.threshold[node]), values[place])
        known = path.get(name, Condition(name))
        low, high = replace(known, up_to=min(cut, known.up_to)), replace(known, above=max(cut, known.above))
        waiting.append((int(inner.children_right[node]), path | {name: high}))
        waiting.append((int(inner.children_left[node]), path | {name: low}))
    return found


def rounded(cut: float, values: Floats) -> float:
    """Return the whole number below a cut between whole numbers under 1,000, else three significant digits.

    Examples
    --------
    >>> rounded(2.5, np.array([1.0, 2.0, 3.0])), rounded(1234.56, np.array([1230.0, 1250.5]))
    (2.0, 1230.0)
    """
    if (values == np.floor(values)).all() and abs(cut) < 1000:
        return float(np.floor(cut))
    return float(f"{cut:.3g}")


def _joined(conjunctions: list[tuple[Condition, ...]]) -> Rule:
    """Join conjunctions that differ in one column only, where one ends as the other begins."""
    left = list(conjunctions)
    while True:
        pair = next(
            (
                (i, j, union)
                for i, first in enumerate(left)
                for j, second in enumerate(left)
                if i != j and (union := _union(first, second)) is not None
            ),
            None,
        )
        if pair is None:
            return tuple(left)
        i, j, union = pair
        left = [conjunction for place, conjunction in enumerate(left) if place not in {i, j}] + [union]


def _union(first: tuple[Condition, ...], second: tuple[Condition, ...]) -> tuple[Condition, ...] | None:
    one, other = ({condition.column: condition for condition in part} for part in (first, second))
    differing = [name for name in one | other if one.get(name) != other.get(name)]
    if len(differing) != 1:
        return None
    name = differing[0]
    a, b = one.get(name, Condition(name)), other.get(name, Condition(name))
    if a.up_to != b.above:
        return None
    both = one | {name: Condition(name, a.above, b.up_to)}
    return tuple(part for part in both.values() if np.isfinite(part.above) or np.isfinite(part.up_to))


def _plainly(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"
