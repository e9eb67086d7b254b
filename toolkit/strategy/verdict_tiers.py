"""The sentences of a verdict that are about tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.strategy.finding import Finding
from toolkit.strategy.phrases import between, lift, listed, p_value, percent
from toolkit.strategy.verdict_others import records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from toolkit.strategy.evaluation import Evaluation

NO_POWER, LOW_POWER = 0.5, 0.8
"""Below the first a plan says that a tier cannot learn; below the second the power is told with the result."""
_SAID: dict[str, tuple[str, ...]] = {
    **{status: (status,) for status in ("better", "worse", "no_worthwhile_effect")},
    "not_known": ("not_known", "too_few"),
}
"""What is said of tiers -> their statuses."""
_COLUMNS = ("tier", "lift", "lower", "upper", "p_adjusted", "lift_shrunken", "n", "control_n", "why")


def interaction(evaluation: Evaluation, arm: str) -> list[Finding]:
    """Say whether the effect of an arm on the primary metric differs between tiers."""
    table = evaluation.interaction
    mine = table.loc[(table["metric"] == evaluation.primary) & (table["arm"] == arm), ["p_value", "df_num"]]
    rows = records(mine)
    if not rows:
        return []
    p = float(rows[0]["p_value"])
    differs = None if np.isnan(p) else p < evaluation.alpha
    if differs is None:
        text = f"Whether the effect of {arm} differs between tiers cannot be tested"
    elif differs:
        text = f"The effect of {arm} differs between tiers (interaction {p_value(p)})"
    else:
        text = (
            f"There is no sign that the effect of {arm} differs between tiers (interaction {p_value(p)}),"
            " which does not say that it is the same in all"
        )
    figures: dict[str, object] = {
        "metric": evaluation.primary, "arm": arm, "differs": differs, "p_value": p,
        "tiers": 0 if differs is None else int(rows[0]["df_num"]) + 1,
    }  # fmt: skip
    return [Finding("interaction", f"{text}.", figures)]


def tier_findings(evaluation: Evaluation, arm: str, power: Mapping[Any, float]) -> list[Finding]:
    """Say per status which tiers have it, for the primary metric and one arm."""
    mine = evaluation.tiers[evaluation.tiers["metric"] == evaluation.primary]
    compared = int(mine["p_adjusted"].notna().sum())
    every = records(mine.loc[mine["arm"] == arm, [*_COLUMNS, "status"]])
    found = []
    for status, those in _SAID.items():
        rows: list[dict[str, Any]] = [
            {name: row[name] for name in _COLUMNS}
            | {"tier": str(row["tier"]), "power": power.get((str(row["tier"]), arm), power.get(str(row["tier"])))}
            for row in every
            if row["status"] in those
        ]
        if rows:
            figures: dict[str, object] = {
                "metric": evaluation.primary, "kind": evaluation.kinds[evaluation.primary], "arm": arm,
                "status": status, "compared": compared, "smallest_effect": evaluation.smallest_effect,
                "level": 1 - evaluation.alpha, "tiers": rows,
            }  # fmt: skip
            found.append(Finding("tiers", _text(figures, rows), figures))
    return found


def _text(of: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    status, arm, kind, metric = of["status"], of["arm"], of["kind"], of["metric"]
    if status == "not_known":
        names = listed([f"{row['tier']} ({_unknown(row, kind)}{_power(row)})" for row in rows])
        return f"Not known: the effect of {arm} on {metric} in {names}."
    sizes = listed([f"{row['tier']} ({_size(row, kind)})" for row in rows])
    if status == "no_worthwhile_effect":
        act = lift(of["smallest_effect"], kind, sign=False)
        return f"In {sizes} {arm} changes {metric} by less than the {act} worth acting on."
    side = "higher" if status == "better" else "lower"
    text = f"Adjusted for the {of['compared']} comparisons of tiers, {metric} is {side} with {arm} in {sizes}"
    shrunken = [row["lift_shrunken"] for row in rows]
    if np.isfinite(shrunken).all():
        expected = listed([lift(amount, kind) for amount in shrunken])
        text += f"; what is picked because it stands out looks larger than it is, so rather expect {expected}"
    return f"{text}."


def _size(row: dict[str, Any], kind: str) -> str:
    return f"{lift(row['lift'], kind)}, {between(row['lower'], row['upper'], kind)}"


def _unknown(row: dict[str, Any], kind: str) -> str:
    if not np.isfinite(row["lift"]):
        return str(row["why"] or "too few units")
    if row["lower"] > 0 or row["upper"] < 0:
        clear = f"clear of 0 by itself, but not among so many comparisons, {p_value(row['p_adjusted'])}"
        return f"{_size(row, kind)}; {clear}"
    return _size(row, kind)


def _power(row: dict[str, Any]) -> str:
    power = row["power"]
    if power is None or power >= LOW_POWER:
        return ""
    said = f"; the plan gave it {percent(power)} power"
    return f"{said}, so this says nothing either way" if power < NO_POWER else said
