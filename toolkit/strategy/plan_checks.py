"""Is an experiment evaluated as it was planned, and not before its last window is closed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from toolkit.errors import Check

if TYPE_CHECKING:
    from toolkit.strategy.experiment import Experiment
    from toolkit.strategy.plan import Plan


def plan_check(spec: Experiment, plan: Plan | None) -> Check:
    """Compare an experiment with the plan that was written before it.

    Parameters
    ----------
    spec
        The experiment as it is evaluated.
    plan
        The plan; None where there is none.
    """
    if plan is None:
        message = "no plan was given: nothing shows that metrics and effect sizes were promised before"
        return Check("no_plan", "informational", message)
    if plan.spec_sha256 != spec.sha256:
        message = (
            f"the experiment is not the one that was planned on {plan.as_of}: its file was changed since"
            f" ({plan.spec_sha256[:8]} then, {spec.sha256[:8]} now)"
        )
        return Check("plan_changed", "failed", message, 0, plan.as_of)
    if date.fromisoformat(plan.as_of) >= spec.assigned.first:
        message = f"the plan is of {plan.as_of}, not before the first assignment on {spec.assigned.first}"
        return Check("plan_late", "failed", message, 0, plan.as_of)
    return Check("plan_matches", "passed", f"evaluated as planned on {plan.as_of}", 0, plan.as_of)


def promised_power(plan: Plan | None) -> dict[tuple[str, str], float]:
    """Return the power that a plan promised, by tier and arm."""
    if plan is None:
        return {}
    rows = plan.tiers.reset_index()
    return {(str(tier), str(arm)): float(power) for tier, arm, power in rows[["tier", "arm", "power"]].to_numpy()}


def peeking_check(spec: Experiment, as_of: date) -> Check:
    """Check that the last window is closed."""
    closes = spec.closes_on.isoformat()
    if as_of < spec.closes_on:
        message = f"looked at on {as_of}, before the last window closes on {closes}"
        return Check("peeking", "failed", message, (spec.closes_on - as_of).days, closes)
    return Check("peeking", "passed", f"the last window closed on {closes}", 0, closes)
