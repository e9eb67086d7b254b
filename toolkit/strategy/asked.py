"""What `evaluate_units` was asked, checked before a single unit is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from toolkit.errors import ArgumentError
from toolkit.strategy.arm_values import SIZE, Metric
from toolkit.strategy.experiment import Kind
from toolkit.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from toolkit.strategy.unit_rows import Must

DESPITE = ("sample_ratio", "peeking")
TESTS = ("auto", "welch", "randomisation")
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Asked:
    """Metrics as columns, and what is asked of them.

    Attributes
    ----------
    arm, tier, cluster
        Columns of text.
    control
        Name of the control arm.
    metrics
        In order; where groups were assigned, means and shares are per customer of the group.
    primary
        Name of the metric that decides.
    balance
        Columns known before assignment that arms are compared in.
    """

    arm: str
    tier: str | None
    cluster: str | None
    control: str
    metrics: tuple[Metric, ...]
    primary: str
    balance: tuple[Metric, ...]

    @property
    def texts(self) -> list[str]:
        """Columns that become codes."""
        return [name for name in (self.arm, self.tier, self.cluster) if name is not None]

    @property
    def numbers(self) -> list[str]:
        """Columns of numbers that are read, each once."""
        parts = (name for metric in (*self.metrics, *self.balance) for name in metric.columns)
        return [name for name in dict.fromkeys(parts) if name != SIZE]

    @property
    def zero_one(self) -> list[str]:
        """Columns that hold 0 and 1 only."""
        return [metric.value for metric in self.metrics if metric.kind in ("proportion", "retention")]

    @property
    def must(self) -> dict[str, Must]:
        """Column -> what its numbers must be."""
        denominators = (metric.per for metric in self.metrics if metric.per not in (None, SIZE))
        found: dict[str, Must] = {name: "not_negative" for name in denominators if name}
        return found | dict.fromkeys(self.zero_one, "zero_one")


def read_metrics(metrics: Mapping[str, Any], covariates: Mapping[str, str], *, groups: bool) -> tuple[Metric, ...]:
    """Turn metrics and covariates as the caller wrote them into columns.

    Raises
    ------
    ArgumentError
        No metrics, an unknown kind, a covariate of no metric, or one that is the metric itself.
    """
    if not metrics:
        raise ArgumentError("metrics", "no metrics", hint='metrics={"visit": "proportion"}')
    known(covariates, metrics, "covariates", "metric")
    found = []
    for name, kind in metrics.items():
        x = covariates.get(name)
        size = SIZE if groups else None
        before = (x, size if x is not None else None)
        if isinstance(kind, tuple | list):
            if len(kind) != 2 or kind[0] == kind[1] or not all(isinstance(each, str) for each in kind):
                what = f"metric {name!r} is the ratio of {list(kind)}, not of two columns"
                raise ArgumentError("metrics", what, hint=f'{{"{name}": ("spend", "orders")}}')
            metric = Metric(name, "ratio", kind[0], kind[1], *before)
        elif kind == "ratio":
            what = f"metric {name!r} is a ratio without its columns"
            raise ArgumentError("metrics", what, hint=f'{{"{name}": ("spend", "orders")}}')
        elif kind in get_args(Kind):
            metric = Metric(name, kind, name, size, *before)
        else:
            hint = f"one of {', '.join(get_args(Kind))}, or a pair of columns for a ratio"
            raise ArgumentError(
                "metrics", f"metric {name!r} has unknown kind {kind!r}{nearest(str(kind), get_args(Kind))}", hint=hint
            )
        if x is not None and x in (metric.value, metric.per):
            what = f"covariate {x!r} of {name!r} is the metric itself: it would take its own effect away"
            raise ArgumentError("covariate", what, hint="a column that was known before assignment")
        found.append(metric)
    return tuple(found)


def read_balance(metrics: Iterable[Metric], balance: Iterable[str], *, groups: bool) -> tuple[Metric, ...]:
    """Return all columns known before assignment as metrics of their own."""
    names = dict.fromkeys([*(one.covariate for one in metrics if one.covariate), *balance])
    return tuple(Metric(name, "mean", name, SIZE if groups else None) for name in names)


def read_shares(
    shares: Mapping[str, Any] | None, arms: Iterable[str], tiers: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Return the share of each arm in each tier; equal ones where none are given.

    Raises
    ------
    ArgumentError
        Shares that do not name the arms or the tiers, are not above 0, or do not add up to 1.
    """
    arms, tiers = list(arms), list(tiers)
    if not shares:
        return {tier: dict.fromkeys(arms, 1 / len(arms)) for tier in tiers}
    by_tier = shares_by_tier(shares)
    if by_tier is None:
        by_tier = dict.fromkeys(tiers, shares)
    known(tiers, by_tier, "shares", "tier")
    found = {}
    for tier in tiers:
        mine = {str(arm): float(share) for arm, share in by_tier[tier].items()}
        known(arms, mine, "shares", "arm")
        if not all(0 < share < 1 for share in mine.values()) or abs(sum(mine.values()) - 1) > _TOLERANCE:
            what = f"shares {mine} are not all above 0, or do not add up to 1"
            raise ArgumentError("shares", what, hint='shares={"none": 0.5, "coupon": 0.5}')
        found[tier] = mine
    return found


def shares_by_tier(shares: Mapping[str, Any] | None) -> dict[str, Mapping[str, float]] | None:
    """Return shares of single tiers; None where they are of arms."""
    if shares and all(isinstance(each, dict) for each in shares.values()):
        return {str(tier): each for tier, each in shares.items()}
    return None


def check_numbers(alpha: float, smallest_effect: float | None, draws: int, test: str, despite: Collection[str]) -> None:
    """Refuse options that mean nothing.

    Raises
    ------
    ArgumentError
        One of them.
    """
    if not 0 < alpha < 0.5:
        raise ArgumentError("alpha", f"alpha={alpha} is no level between 0 and 0.5", hint="alpha=0.05")
    if smallest_effect is not None and not (smallest_effect > 0 and math.isfinite(smallest_effect)):
        raise ArgumentError(
            "smallest-effect", f"smallest_effect={smallest_effect} is not above 0", hint="0.02 for 2 points"
        )
    if draws < 1:
        raise ArgumentError("draws", f"draws={draws} deals no arms anew", hint="draws=2_000")
    if test not in TESTS:
        raise ArgumentError("test", f"unknown test {test!r}{nearest(test, TESTS)}", hint=f"one of {', '.join(TESTS)}")
    known([despite] if isinstance(despite, str) else despite, DESPITE, "despite", "reason")


def check_guardrails(guardrails: Mapping[str, Any], metrics: Iterable[str]) -> None:
    """Refuse guardrails without a metric, a margin above 0 or a direction.

    Raises
    ------
    ArgumentError
        One of them.
    """
    known(guardrails, metrics, "guardrails", "metric")
    for name, (margin, worse) in guardrails.items():
        if not (margin > 0 and math.isfinite(margin)) or worse not in ("higher", "lower"):
            what = f"guardrail {name!r} is {(margin, worse)}"
            raise ArgumentError(
                "guardrails", what, hint=f'{{"{name}": (0.01, "higher")}}: a margin above 0, and what is worse'
            )


def known(names: Iterable[str], among: Iterable[str], option: str, what: str) -> None:
    """Refuse a name that is not among those there are."""
    among = list(among)
    for name in names:
        if name not in among:
            raise ArgumentError(
                option,
                f"{option}: {name!r} is no {what}{nearest(str(name), among)}",
                hint=f"one of {', '.join(map(str, among))}",
            )
