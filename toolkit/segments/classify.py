"""From rules to one code per customer and scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.rules.conditions import Among, holds, leaves
from toolkit.schema import ORDER_COUNT, PROSPECT, RECENCY_DAYS, SEGMENT, SEGMENTS, WINDOW_ORDER_DAYS, WINDOW_SPEND
from toolkit.segments.arrays import coded
from toolkit.segments.tier_values import TierValues

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.rules.rulebook import Rulebook, Scheme
    from toolkit.segments.overrides import Overrides
    from toolkit.segments.tier_values import Cuts

    Codes = NDArray[np.int8]

SCORED = (ORDER_COUNT, RECENCY_DAYS, WINDOW_ORDER_DAYS, WINDOW_SPEND)
NINE = (*SEGMENTS, PROSPECT)


def left_out(book: Rulebook, columns: Collection[str]) -> dict[str, str]:
    """Say which schemes a snapshot of these columns is not enough for, and why.

    A scheme needs at least one of the snapshot columns that it compares, and every scheme that it is computed from.
    """
    why: dict[str, str] = {}
    for name in book.computed:
        compared = book.schemes[name].compared
        wanted = [column for column in compared if column not in (SEGMENT, *book.schemes)]
        gone = [column for column in compared if column in why]
        if gone:
            why[name] = f"it is computed from {', '.join(gone)}"
        elif wanted and not any(column in columns for column in wanted):
            why[name] = f"the snapshot has no {', '.join(wanted)}"
    return {name: why[name] for name in book.schemes if name in why}


def classify(schemes: Iterable[Scheme], scored: pd.DataFrame, cuts: Cuts, by_hand: Overrides) -> dict[str, Codes]:
    """Compute schemes, each from those before it, as places among their classes.

    Parameters
    ----------
    schemes
        In an order in which they can be computed.
    scored
        One row per customer, with ``segment``.
    cuts
        The learned cuts.
    by_hand
        What was set by hand; schemes computed from a scheme follow it.

    Returns
    -------
    dict
        Scheme -> codes (int8) per customer, ``segment`` included.

    Raises
    ------
    ArgumentError
        A customer is in no class, or in two: a value is none that its column can hold.
    """
    schemes = tuple(schemes)
    mentioned: dict[str, dict[str, None]] = {}
    for scheme in schemes:
        for rule in filter(None, scheme.rules.values()):
            for leaf in leaves(rule.condition):
                if isinstance(leaf, Among):
                    mentioned.setdefault(leaf.column, {}).update(dict.fromkeys(leaf.texts))
    values = TierValues(scored, {column: tuple(found) for column, found in mentioned.items()}, cuts)
    codes = {SEGMENT: by_hand.apply(SEGMENT, coded(scored[SEGMENT], NINE))}
    values.put(SEGMENT, codes[SEGMENT], NINE)
    for scheme in schemes:
        found = _promoted(_classes(scheme, values, scored), scheme, codes)
        codes[scheme.name] = by_hand.apply(scheme.name, found)
        values.put(scheme.name, codes[scheme.name], scheme.classes)
    return codes


def _classes(scheme: Scheme, values: TierValues, scored: pd.DataFrame) -> Codes:
    rules = list(scheme.rules.values())
    rest = rules.index(None) if None in rules else 0
    codes, count = np.full(len(scored), rest, dtype=np.int8), np.zeros(len(scored), dtype=np.int8)
    for at, rule in enumerate(rules):
        if rule is not None:
            within = holds(rule.condition, values.answer).view(np.int8)
            count += within
            codes += within * np.int8(at - rest)
    wrong = count > 1 if None in rules else count != 1
    if wrong.any():
        raise ArgumentError(
            "no-class",
            f"customers in no class of {scheme.name}, or in two: a value is none that its column can hold",
            count=int(wrong.sum()),
            examples=scored.index[wrong][:3],
            hint=f"look at {', '.join(scheme.compared)} of these customers",
        )
    return codes


def _promoted(codes: Codes, scheme: Scheme, before: dict[str, Codes]) -> Codes:
    best = [before[name] == 0 for name in scheme.promoted_by if name in before]
    return np.maximum(codes - np.logical_or.reduce(best), 0).astype(np.int8) if best else codes
