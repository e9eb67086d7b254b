"""What an evaluation is: checks, effects overall and by tier, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from toolkit.strategy.phrases import between, lift, p_value, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.errors import Check
    from toolkit.strategy.finding import Finding

ESTIMATES = (
    "value", "control_value", "lift", "lower", "upper", "relative_lift", "relative_lower", "relative_upper", "se", "df",
    "p_value", "p_adjusted", "variance_ratio", "lift_shrunken", "lower_shrunken", "upper_shrunken",
    "statistic", "df_num", "df_den", "harm_bound", "value_lift", "total",
)  # fmt: skip
"""Columns of effects that a withheld evaluation leaves empty."""
WITHHELD = "withheld"
_STATUS = {
    "better": "higher", "worse": "lower", "no_worthwhile_effect": "no worthwhile effect", "not_known": "not known",
    "too_few": "too few",
}  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """Whether a strategy worked; see `toolkit.strategy.units.evaluate_units`.

    Attributes
    ----------
    experiment, question, as_of
        As promised; empty where a frame was evaluated.
    control, arms, tier_order
        The arm compared with, the others, and the tiers, in order; no tiers where none were given.
    primary, kinds
        The metric that decides, and the kind of every metric.
    alpha, smallest_effect
        Level of every test (two-sided), and the smallest lift of the primary metric that is worth acting on.
    units
        Units analysed: rows, or groups where groups were assigned.
    checks
        What was looked at before any effect.
    sample_ratio, sample_ratio_status
        ``scope value arm n expected p_value p_adjusted``, and green, amber or red.
    withheld
        Why effects are hidden (``sample_ratio``, ``peeking``): then every estimate below is missing.
    overall
        One row per metric and arm: ``n`` and ``control_n`` units, ``value`` and ``control_value`` (adjusted by the
        covariate), ``lift`` with ``lower`` and ``upper``, ``relative_lift`` with its own, ``se``, ``df``, ``p_value``,
        ``p_adjusted``, ``test`` (welch or randomisation), ``variance_ratio`` (of the lift, over that without the
        covariate), ``status`` and, where something is missing, ``why``. Tiers are weighted by their share of all units.
        Status: ``better`` or ``worse`` (lift above or below 0, adjusted p under alpha), ``no_worthwhile_effect``
        (interval within the smallest effect), ``not_known``, ``too_few``.
    interaction
        One row per metric and arm: test of whether lifts differ between tiers.
    tiers
        As ``overall``, one row per tier too: its ``weight``, and the lift drawn toward the overall one
        (``lift_shrunken lower_shrunken upper_shrunken``).
    guardrails
        Tests of non-inferiority: ``harm_bound`` is the worst harm within the interval, ``p_value`` is of harm equal to
        ``margin`` (two-sided), status ``holds`` (worst harm under the margin), ``broken`` (even the least is above it)
        or ``not_known``.
    profit
        Money per unit after the offer's cost, by arm and tier; tier ``total``: the overall one. ``total`` = ``lift`` x
        ``n``, the units of the arm.
    draws
        ``arm draw statistic``: the primary's overall statistic when arms are dealt anew; empty where Welch served.
    write_verdict
        Writes the verdict of an evaluation.
    """

    experiment: str
    question: str
    control: str
    arms: tuple[str, ...]
    tier_order: tuple[str, ...]
    primary: str
    kinds: dict[str, str]
    alpha: float
    smallest_effect: float | None
    units: int
    as_of: str
    checks: tuple[Check, ...]
    sample_ratio: pd.DataFrame
    sample_ratio_status: Literal["green", "amber", "red"]
    withheld: tuple[str, ...]
    overall: pd.DataFrame
    interaction: pd.DataFrame
    tiers: pd.DataFrame
    guardrails: pd.DataFrame
    profit: pd.DataFrame
    draws: pd.DataFrame
    write_verdict: Callable[[Evaluation], tuple[Finding, ...]]

    @cached_property
    def verdict(self) -> tuple[Finding, ...]:
        """What it comes to, in plain sentences; written when first asked for."""
        return self.write_verdict(self)

    @property
    def table(self) -> pd.DataFrame:
        """The primary metric as text, overall and by tier."""
        parts = [self.overall.assign(tier="overall"), self.tiers]
        rows = pd.concat([part[part["metric"] == self.primary] for part in parts if len(part)]).to_dict("records")
        kind = self.kinds[self.primary]
        shown = [
            {
                "arm": row["arm"],
                "tier": row["tier"],
                "units": f"{row['n']:,}",
                "control units": f"{row['control_n']:,}",
                self.primary: _text(row["value"], value(row["value"], kind)),
                "control": _text(row["control_value"], value(row["control_value"], kind)),
                "lift": _text(row["lift"], lift(row["lift"], kind)),
                f"{100 * (1 - self.alpha):g} % interval": _text(
                    row["lower"], between(row["lower"], row["upper"], kind)
                ),
                "adjusted p": _text(
                    row["p_adjusted"], p_value(row["p_adjusted"]).removeprefix("p = ").removeprefix("p ")
                ),
                "status": row["why"] or _STATUS[row["status"]],
            }
            for row in rows
        ]
        return pd.DataFrame(shown)

    def __repr__(self) -> str:
        return "\n".join([*self._said(), self.table.to_string(index=False)])

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escape(text)}</p>" for text in self._said())
        return said + self.table.to_html(border=0, index=False, escape=True)

    def _said(self) -> list[str]:
        """Return what must be read before the table: failed checks, then the verdict."""
        failed = [check.message for check in self.checks if check.status == "failed"]
        return [*failed, *(finding.text for finding in self.verdict)]


def withhold(evaluation: Evaluation, reason: str) -> Evaluation:
    """Return the evaluation without a single estimate.

    Parameters
    ----------
    evaluation
        With its effects.
    reason
        Why they are hidden: ``sample_ratio`` or ``peeking``.
    """
    frames: dict[str, Any] = {
        name: _emptied(getattr(evaluation, name))
        for name in ("overall", "interaction", "tiers", "guardrails", "profit")
    }
    reasons = tuple(dict.fromkeys((*evaluation.withheld, reason)))
    return replace(evaluation, withheld=reasons, draws=evaluation.draws.iloc[:0], **frames)


def _emptied(frame: pd.DataFrame) -> pd.DataFrame:
    hidden: dict[str, Any] = {name: np.nan for name in frame.columns if name in ESTIMATES}
    hidden |= {name: text for name, text in (("status", "not_known"), ("why", WITHHELD), ("test", "")) if name in frame}
    return frame.assign(**hidden)


def _text(known: float, text: str) -> str:
    return text if np.isfinite(known) else ""
