"""All schemes of a study: read, put in order and proven; the defaults, and what a study says instead."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.rules.columns import Domain, domains
from toolkit.rules.conditions import Compare, Learned, leaves
from toolkit.rules.faults import RuleError
from toolkit.rules.grammar import WORDS, Rule, parse
from toolkit.rules.layers import LAYERS
from toolkit.rules.proof import prove
from toolkit.schema import SEGMENT
from toolkit.strict import read_yaml
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

Schemes = dict[str, dict[str, str]]
PAYMENT_TIER = "payment_tier"
CONSTANTS = {"churn_window_days": 180, "window_days": 365}
"""Numbers that rules can name, unless the study says otherwise."""
OTHERS = "else"
_BESIDE_CLASSES = ("new", "gone", "total")
_TAKEN = (SEGMENT, "r_score", "f_score", "m_score", "overridden", "cluster", CUSTOMER_ID)
_MOST_CLASSES = 100


@dataclass(frozen=True)
class Scheme:
    """One scheme: its classes, best first, and the rule of each; None takes whoever is in no other class.

    Attributes
    ----------
    name
        Name of its column.
    rules
        Class -> rule.
    promoted_by
        Schemes whose best class lifts a customer by one class.
    """

    name: str
    rules: dict[str, Rule | None]
    promoted_by: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Its classes, best first."""
        return tuple(self.rules)

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns, and other schemes, that its rules compare."""
        return tuple(
            dict.fromkeys(leaf.column for rule in self.rules.values() if rule for leaf in leaves(rule.condition))
        )

    @property
    def learned(self) -> tuple[tuple[str, Learned], ...]:
        """Cuts that it learns: column and quantile."""
        found = (leaf for rule in self.rules.values() if rule for leaf in leaves(rule.condition))
        cuts = (
            (leaf.column, leaf.cut) for leaf in found if isinstance(leaf, Compare) and isinstance(leaf.cut, Learned)
        )
        return tuple(dict.fromkeys(cuts))


@dataclass(frozen=True)
class Rulebook:
    """Schemes by name, in the order they are shown, and the order in which they can be computed."""

    schemes: dict[str, Scheme]
    computed: tuple[str, ...]

    def needed(self, names: Iterable[str]) -> tuple[Scheme, ...]:
        """Return the schemes to compute for these, in an order in which they can be computed."""
        wanted = set(names)
        for name in reversed(self.computed):
            if name in wanted:
                wanted.update(self.schemes[name].compared, self.schemes[name].promoted_by)
        return tuple(self.schemes[name] for name in self.computed if name in wanted)

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the snapshot columns that these schemes need."""
        compared = (column for scheme in self.needed(names) for column in scheme.compared)
        return tuple(dict.fromkeys(column for column in compared if column not in (SEGMENT, *self.schemes)))


@cache
def default_schemes() -> Schemes:
    """Return the default schemes: scheme -> class -> rule."""
    content, _ = read_yaml(Path(__file__).with_name("defaults.yaml"))
    return content


def rulebook(
    said: Mapping[str, Mapping[str, str]],
    *,
    layers: tuple[str, ...] = LAYERS,
    constants: Mapping[str, int] = CONSTANTS,
    promote_payment_tier_by: tuple[str, ...] = (),
) -> Rulebook:
    """Read the default schemes and what is said instead or beside, and prove every scheme.

    Parameters
    ----------
    said
        Scheme -> class -> rule; a scheme replaces the default one of its name.
    layers
        Product layers, low to high.
    constants
        ``churn_window_days`` and ``window_days``.
    promote_payment_tier_by
        Schemes whose best class lifts the payment tier by one.

    Raises
    ------
    RuleError
        With ``keys``: a rule cannot be read, a name is unknown, schemes go in circles, or a customer is in no class or
        in two.
    """
    written = {**default_schemes(), **said}
    known = domains(layers)
    _check_schemes(written, [*known, *_TAKEN], [*constants, *WORDS])
    for name, classes in written.items():
        _check_classes(name, classes)
    known |= {name: Domain("text", may_be_missing=False, values=tuple(classes)) for name, classes in written.items()}
    schemes = {
        name: Scheme(
            name,
            {key: _read(name, key, text, known, constants) for key, text in classes.items()},
            promote_payment_tier_by if name == PAYMENT_TIER else (),
        )
        for name, classes in written.items()
    }
    order = _order(schemes)
    for scheme in schemes.values():
        _prove(scheme, known)
    return Rulebook(schemes, order)


def checked(rules: object) -> dict[str, dict[str, str]]:
    """Refuse rules that are no scheme -> class -> rule, all three text.

    Raises
    ------
    RuleError
        With ``keys``, as far as they are text.
    """
    if not isinstance(rules, Mapping):
        raise RuleError(f"rules are a {type(rules).__name__}, not scheme -> class -> rule")
    for name, classes in rules.items():
        if not isinstance(name, str):
            raise RuleError(f"the scheme {name!r} is no text")
        if not isinstance(classes, Mapping):
            raise RuleError(f"{name} is a {type(classes).__name__}, not class -> rule", name)
        for key, text in classes.items():
            if not isinstance(key, str):
                raise RuleError(f"{name}: the class {key!r} is no text", name)
            if not isinstance(text, str):
                raise RuleError(f"{name}.{key}: the rule {text!r} is no text", name, key)
    return {name: dict(classes) for name, classes in rules.items()}


def _check_schemes(names: Iterable[str], columns: Iterable[str], words: Iterable[str]) -> None:
    alike = dict.fromkeys(map(_folded, columns), "is a column already")
    alike |= dict.fromkeys(map(_folded, words), "is a word of the rules already")
    for name in names:
        _check_name(name, "a scheme", name)
        if _folded(name) in alike:
            raise RuleError(f"{name!r} {alike[_folded(name)]}; give the scheme another name", name)
        alike[_folded(name)] = f"differs from the scheme {name!r} in its letters' case only"


def _check_classes(name: str, classes: Mapping[str, str]) -> None:
    if not 2 <= len(classes) <= _MOST_CLASSES:
        raise RuleError(f"{name}: a scheme has 2 to {_MOST_CLASSES} classes, not {len(classes)}", name)
    alike: dict[str, str] = {}
    for key in classes:
        _check_name(key, "a class", name, key)
        if _folded(key) in _BESIDE_CLASSES:
            what = f"{name}: {key!r} stands beside the classes where tiers are compared; name the class {key}_ones"
            raise RuleError(what, name, key)
        other = alike.setdefault(_folded(key), key)
        if other != key:
            raise RuleError(f"{name}: {key!r} differs from {other!r} in its letters' case only", name, key)
    others = [key for key, text in classes.items() if text.strip() == OTHERS]
    if len(others) > 1:
        raise RuleError(f"{name}: only one class can be {OTHERS}, not {' and '.join(others)}", name, others[1])


def _check_name(name: str, of: str, *keys: str) -> None:
    where = "".join(f"{key}: " for key in keys[:-1])
    if not name.isidentifier():
        raise RuleError(f"{where}{name!r} is no name of {of}: letters, digits and _ only", *keys)
    if iskeyword(name):
        raise RuleError(f"{where}{name!r} is no name of {of}: it means something in rules", *keys)
    plain = unicodedata.normalize("NFKC", name)
    if plain != name:
        raise RuleError(f"{where}{name!r} is no name of {of}: it looks like {plain!r}, write that", *keys)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _read(name: str, key: str, text: str, known: Mapping[str, Domain], constants: Mapping[str, int]) -> Rule | None:
    if text.strip() == OTHERS:
        return None
    try:
        return parse(text, known, constants)
    except RuleError as fault:
        raise RuleError(f"{name}.{key}: {fault.what}", name, key) from None


def _order(schemes: Mapping[str, Scheme]) -> tuple[str, ...]:
    graph = {
        name: [other for other in (*scheme.compared, *scheme.promoted_by) if other in schemes]
        for name, scheme in schemes.items()
    }
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as cycle:
        names: list[str] = cycle.args[1]
        raise RuleError(f"schemes go in circles: {' <- '.join(names)}", names[0]) from None


def _prove(scheme: Scheme, known: Mapping[str, Domain]) -> None:
    try:
        prove({key: rule.condition if rule else None for key, rule in scheme.rules.items()}, known)
    except RuleError as fault:
        raise RuleError(f"{scheme.name}: {fault.what}", scheme.name) from None
