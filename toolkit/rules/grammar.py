"""The language of rules: text that Python's parser reads and Python never runs."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from toolkit.rules.conditions import All, Among, Compare, Learned, Missing, Not, Some, Yes
from toolkit.rules.faults import RuleError
from toolkit.rules.texts import as_read
from toolkit.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from toolkit.rules.columns import Domain
    from toolkit.rules.conditions import Condition, Population, Sign

_SIGNS: dict[type[ast.cmpop], Sign] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_TURNED: dict[Sign, Sign] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_POPULATIONS: dict[str, Population] = {"of_buyers": "buyers", "of_everyone": "everyone"}
WORDS = ("missing", *_POPULATIONS, "else")
"""What means something in a rule and so can name no scheme."""
_LONGEST = 2_000
_DEEPEST = 100
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_EXAMPLE = "write one such as: window_order_days >= 3 and segment in (champions, loyal_small)"


@dataclass(frozen=True)
class Rule:
    """One rule as written and as understood.

    Attributes
    ----------
    text
        As written, on one line.
    condition
        What it says.
    cuts
        Where learned cuts and named constants stand in the text's UTF-8 bytes: start, end, and the column and cut, or
        the number.
    """

    text: str
    condition: Condition
    cuts: tuple[tuple[int, int, tuple[str, Learned] | Fraction], ...]

    def told(self, value: Callable[[str, Learned], float]) -> str:
        """Return the rule with its cuts written as numbers."""
        text = self.text.encode()
        for start, end, cut in sorted(self.cuts, key=lambda one: one[0], reverse=True):
            number = float(cut) if isinstance(cut, Fraction) else value(*cut)
            text = text[:start] + f"{number:.12g}".encode() + text[end:]
        return text.decode()


def parse(text: str, domains: Mapping[str, Domain], constants: Mapping[str, int]) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text
        ``and or not``, comparisons (chains too) of one column with a number, a text, a learned cut ``of_buyers(0.8)``
        or ``of_everyone(0.8)``; ``column in (a, b)``; ``missing(column)``; numbers with ``*`` and ``/``. Texts are
        compared as cells of exports are read: full-width characters made plain, white space made one space.
    domains
        What may be compared, by name.
    constants
        Names of numbers.

    Raises
    ------
    RuleError
        The rule cannot be read, or compares what cannot be compared.

    Examples
    --------
    >>> from toolkit.rules.columns import domains
    >>> rule = parse("window_spend > of_buyers(0.8)", domains([]), {})
    >>> rule.told(lambda column, cut: 120.0)
    'window_spend > 120'
    """
    line = " ".join(text.split())
    if len(line) > _LONGEST:
        raise RuleError(f"is longer than {_LONGEST:,} characters")
    if "#" in _QUOTED.sub("", line):
        raise RuleError("holds a #: a comment stands above the rule, a text with # in quotes")
    try:
        tree = ast.parse(line, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise RuleError(f"cannot be read: {_short(line)}; {_EXAMPLE}") from None
    if _is_deep(tree):
        raise RuleError(f"is nested too deeply: {_short(line)}")
    reader = _Reader(line, domains, constants)
    condition = reader.condition(tree)
    return Rule(line, condition, tuple(reader.cuts))


@dataclass
class _Reader:
    text: str
    domains: Mapping[str, Domain]
    constants: Mapping[str, int]
    cuts: list[tuple[int, int, tuple[str, Learned] | Fraction]] = field(default_factory=list)

    def condition(self, node: ast.expr) -> Condition:
        if isinstance(node, ast.BoolOp):
            parts = tuple(self.condition(part) for part in node.values)
            return All(parts) if isinstance(node.op, ast.And) else Some(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self.condition(node.operand))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            steps = tuple(self._step(sides[i], op, sides[i + 1]) for i, op in enumerate(node.ops))
            return steps[0] if len(steps) == 1 else All(steps)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "missing":
            return self._missing(node)
        if isinstance(node, ast.Name):
            if self._domain(node.id).kind != "yes_no":
                raise RuleError(f"{node.id} alone says nothing: compare it with a value")
            return Yes(node.id)
        raise RuleError(f"{self._said(node)} is no comparison; {_EXAMPLE}")

    def _step(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Condition:
        if not self._is_column(left) and not isinstance(op, (ast.In, ast.NotIn)):
            if not self._is_column(right):
                name = next((side.id for side in (left, right) if isinstance(side, ast.Name)), None)
                if name and name not in self.constants:
                    self._domain(name)
                raise RuleError(
                    f"{self._said(left)} is compared with {self._said(right)}: one of them must be a column"
                )
            return self._comparison(right, op, left, turned=True)
        return self._comparison(left, op, right, turned=False)

    def _comparison(self, side: ast.expr, op: ast.cmpop, other: ast.expr, *, turned: bool) -> Condition:
        if not isinstance(side, ast.Name):
            raise RuleError(f"{self._said(side)} is no column")
        column, domain = side.id, self._domain(side.id)
        if domain.kind in ("date", "yes_no"):
            how = (
                f"write {column} or not {column}"
                if domain.kind == "yes_no"
                else "use a column of days, such as recency_days"
            )
            raise RuleError(f"{column} cannot be compared: {how}")
        if isinstance(op, (ast.In, ast.NotIn)):
            if not isinstance(other, (ast.Tuple, ast.List)) or not other.elts:
                raise RuleError(f"after in stands a list in brackets, such as {column} in (a, b)")
            parts = tuple(self._equal(column, domain, item) for item in other.elts)
            within: Condition = Some(parts)
            if domain.kind == "text":
                within = Among(
                    column, tuple(value for part in parts if isinstance(part, Among) for value in part.texts)
                )
            return within if isinstance(op, ast.In) else self._other_than(column, domain, within)
        if isinstance(op, ast.Eq):
            return self._equal(column, domain, other)
        if isinstance(op, ast.NotEq):
            return self._other_than(column, domain, self._equal(column, domain, other))
        if type(op) not in _SIGNS:
            raise RuleError(f"is compares nothing here: write {column} == .. or missing({column})")
        if domain.kind == "text":
            raise RuleError(f"{column} is text: it has no larger and smaller")
        sign = _SIGNS[type(op)]
        return Compare(column, _TURNED[sign] if turned else sign, self._cut(column, other))

    def _equal(self, column: str, domain: Domain, node: ast.expr) -> Condition:
        if domain.kind == "text":
            return Among(column, (self._text(column, domain, node),))
        cut = self._cut(column, node)
        return All((Compare(column, ">=", cut), Compare(column, "<=", cut)))

    @staticmethod
    def _other_than(column: str, domain: Domain, within: Condition) -> Condition:
        return All((Not(Missing(column)), Not(within))) if domain.may_be_missing else Not(within)

    def _missing(self, node: ast.Call) -> Condition:
        if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.Name):
            raise RuleError("missing() holds one column, such as missing(last_nps)")
        column = node.args[0].id
        if not self._domain(column).may_be_missing:
            raise RuleError(f"{column} is never missing")
        return Missing(column)

    def _text(self, column: str, domain: Domain, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            value = node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            value = as_read(node.value)
        else:
            raise RuleError(f"{column} is text and cannot be compared with {self._said(node)}")
        if domain.values is not None and value not in domain.values:
            raise RuleError(f"{column} is never {value!r}{nearest(value, domain.values)}")
        return value

    def _cut(self, column: str, node: ast.expr) -> Fraction | Learned:
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in _POPULATIONS:
                raise RuleError(
                    f"there is no {self._said(node)}{nearest(ast.unparse(node.func), [*_POPULATIONS, 'missing'])}"
                )
            if len(node.args) != 1 or node.keywords:
                raise RuleError(f"{node.func.id}() holds one share, such as {node.func.id}(0.8)")
            share = self._number(column, node.args[0])
            if not 0 < share < 1:
                raise RuleError(f"{self._said(node)}: the share lies between 0 and 1")
            learned = Learned(_POPULATIONS[node.func.id], share)
            self.cuts.append((node.col_offset, node.end_col_offset or 0, (column, learned)))
            return learned
        return self._number(column, node)

    def _number(self, column: str, node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return _fraction(node.value)
        if isinstance(node, ast.Name) and node.id in self.constants:
            number = Fraction(self.constants[node.id])
            self.cuts.append((node.col_offset, node.end_col_offset or 0, number))
            return number
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._number(column, node.operand)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
            left, right = self._number(column, node.left), self._number(column, node.right)
            if isinstance(node.op, ast.Mult):
                return _fraction(left * right)
            if not right:
                raise RuleError(f"{self._said(node)} divides by 0")
            return _fraction(left / right)
        if isinstance(node, ast.Name):
            if node.id in self.domains:
                raise RuleError(f"{column} is compared with the column {node.id}: compare columns with values")
            raise RuleError(f"{node.id!r} is no number{nearest(node.id, self.constants)}")
        raise RuleError(f"{column} is a number and cannot be compared with {self._said(node)}")

    def _is_column(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.domains

    def _domain(self, name: str) -> Domain:
        if name not in self.domains:
            raise RuleError(f"unknown column {name!r}{nearest(name, self.domains)}")
        return self.domains[name]

    def _said(self, node: ast.expr) -> str:
        return _short(ast.get_source_segment(self.text, node) or "")


def _is_deep(tree: ast.AST) -> bool:
    level = [tree]
    for _ in range(_DEEPEST):
        level = [part for node in level for part in ast.iter_child_nodes(node)]
    return bool(level)


def _fraction(number: float | Fraction) -> Fraction:
    try:
        exact = number if isinstance(number, Fraction) else Fraction(repr(number))
        float(exact)
    except (ValueError, OverflowError):
        raise RuleError("holds a number that is too large") from None
    return exact


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
