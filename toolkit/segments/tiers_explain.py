"""Why one customer is in each of their tiers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.schema import F_SCORE, M_SCORE, ORDER_COUNT, PROSPECT, R_SCORE, SEGMENT
from toolkit.segments.classify import NINE, classify
from toolkit.segments.overrides import Overrides

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.rules.conditions import Learned
    from toolkit.rules.rulebook import Rulebook, Scheme
    from toolkit.segments.rfm import RFM
    from toolkit.segments.tier_values import Cuts


def explanation(row: pd.DataFrame, names: Iterable[str], book: Rulebook, rfm: RFM, cuts: Cuts) -> pd.DataFrame:
    """Explain the tiers of the one customer of a frame; see `Tiers.explain`.

    Parameters
    ----------
    row
        One customer.
    names
        The schemes to explain.
    book, rfm, cuts
        Rules, fitted scores and learned cuts.

    Returns
    -------
    DataFrame
        Index ``scheme``, columns ``tier values rule by_hand computed``.
    """
    classes = {SEGMENT: NINE} | {name: scheme.classes for name, scheme in book.schemes.items()}
    by_hand = Overrides(row, classes)
    anew = row.drop(columns=[R_SCORE, F_SCORE, M_SCORE, SEGMENT], errors="ignore")
    scored = row if SEGMENT in row.columns and not by_hand.names(SEGMENT) else rfm.transform(anew)
    needed = book.needed(names)
    codes = classify(needed, scored, cuts, by_hand)
    tiers = {name: classes[name][int(found[0])] for name, found in codes.items()}

    def plainly(scheme: Scheme) -> str:
        """Return the class that a scheme's own rules give, before promotion and override."""
        bare = replace(scheme, promoted_by=())
        alone = tuple(bare if one.name == scheme.name else one for one in needed)
        return scheme.classes[int(classify(alone, scored, cuts, by_hand.without(scheme.name))[scheme.name][0])]

    rows: dict[str, dict[str, object]] = {}
    for name in names:
        set_by_hand = by_hand.names(name)
        if name == SEGMENT:
            computed = str(scored[SEGMENT].iloc[0])
            scores = (rfm.recency, rfm.frequency, rfm.monetary)
            values = ", ".join(_value(row, column, {}, by_hand) for column in scores)
            rule = _rfm_rule(computed, rfm)
        else:
            scheme = book.schemes[name]
            plain = plainly(scheme)
            values = ", ".join(_value(row, column, tiers, by_hand) for column in scheme.compared)
            rule = _rule(scheme, plain, cuts)
            computed = plain
            lifting = [band for band in scheme.promoted_by if band in codes and codes[band][0] == 0]
            if lifting and plain != scheme.classes[0]:
                computed = scheme.classes[scheme.classes.index(plain) - 1]
                rule += f"; one class up, for {' and '.join(f'{band} = {tiers[band]}' for band in lifting)}"
        rows[name] = {
            "tier": tiers[name],
            "values": values,
            "rule": rule,
            "by_hand": set_by_hand,
            "computed": computed if set_by_hand else None,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scheme").astype({"by_hand": "bool"})


def _value(row: pd.DataFrame, column: str, tiers: dict[str, str], by_hand: Overrides) -> str:
    if column in tiers:
        return f"{column} = {tiers[column]}{' (by hand)' if by_hand.names(column) else ''}"
    if column not in row.columns:
        return f"{column} is not known"
    value = row[column].iloc[0]
    if pd.isna(value):
        return f"{column} is missing"
    return f"{column} = {value if isinstance(value, str) else f'{float(value):.12g}'}"


def _rule(scheme: Scheme, name: str, cuts: Cuts) -> str:
    def number(column: str, cut: Learned) -> float:
        return cuts[column, cut]

    rule = scheme.rules[name]
    if rule is not None:
        return rule.told(number)
    return (
        f"else, since none of these holds: {'; '.join(other.told(number) for other in scheme.rules.values() if other)}"
    )


def _rfm_rule(segment: str, rfm: RFM) -> str:
    if segment == PROSPECT:
        return f"{ORDER_COUNT} == 0"
    code = NINE.index(segment)
    signs = {
        rfm.recency: (">=" if code & 2 else "<", rfm.splits_["recency"]),
        rfm.frequency: ("<=" if code & 1 else ">", rfm.splits_["frequency"]),
        rfm.monetary: ("<=" if code & 4 else ">", rfm.splits_["monetary"]),
    }
    return " and ".join(f"{column} {sign} {split:.12g}" for column, (sign, split) in signs.items())
