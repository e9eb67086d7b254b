"""Evaluate an experiment on one row per unit: a frame or a Parquet file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from toolkit.strategy import asked as ask
from toolkit.strategy.arm_counts import count_arms
from toolkit.strategy.chosen_test import run_tests
from toolkit.strategy.effect_tables import (
    draw_table,
    effects,
    guardrail_table,
    interaction_table,
    overall_table,
    tier_table,
)
from toolkit.strategy.evaluation import Evaluation, withhold
from toolkit.strategy.lifts import lifts
from toolkit.strategy.profit import profit_table
from toolkit.strategy.read_units import read_units
from toolkit.strategy.redraws import Redraws
from toolkit.strategy.sample_ratio import sample_ratio
from toolkit.strategy.unit_doubts import balance_check, effect_checks, order_of_moments, without_repeats
from toolkit.strategy.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from toolkit.strategy.experiment import Kind, Profit


def evaluate_units(
    units: pd.DataFrame | str | Path,
    *,
    arm: str,
    control: str,
    metrics: Mapping[str, Kind | tuple[str, str]],
    tier: str | None = None,
    cluster: str | None = None,
    primary: str | None = None,
    covariates: Mapping[str, str] | None = None,
    guardrails: Mapping[str, tuple[float, Literal["higher", "lower"]]] | None = None,
    shares: Mapping[str, float] | Mapping[str, Mapping[str, float]] | None = None,
    sample_ratio_by: Sequence[str] = (),
    balance: Sequence[str] = (),
    assigned_at: str | None = None,
    covariate_at: str | None = None,
    outcome_at: str | None = None,
    profit: Profit | None = None,
    alpha: float = 0.05,
    smallest_effect: float | None = None,
    power: Mapping[str, float] | None = None,
    test: Literal["auto", "welch", "randomisation"] = "auto",
    draws: int = 10_000,
    seed: int = 0,
    despite: Collection[str] = (),
) -> Evaluation:
    """Say whether arms differ from control: checks first, then effects overall and by tier, then a verdict.

    Parameters
    ----------
    units
        One row per unit that was assigned, whatever became of it; or the path of a Parquet file of the same, which is
        read in batches, only the columns that are named.
    arm, control
        Column of arms, and which of them the others are compared with.
    metrics
        Name -> ``proportion`` or ``retention`` (column of 0 and 1), ``mean`` (column of numbers), or a pair of columns
        whose sums make a ratio.
    tier
        Column of tiers, frozen at assignment.
    cluster
        Column of groups, where whole groups were assigned: the group is then the unit of analysis.
    primary
        The metric that decides; the first one by default.
    covariates
        Metric -> column known before assignment that takes noise out of it (CUPED).
    guardrails
        Metric -> margin of harm, and whether ``higher`` or ``lower`` is harm.
    shares
        Planned arm -> share, or tier -> arm -> share; equal by default.
    sample_ratio_by
        Further columns (day, source) by which the sample ratio is tested.
    balance
        Further columns known before assignment in which arms should not differ.
    assigned_at, covariate_at, outcome_at
        Columns of moments. A covariate dated at or after assignment stops the evaluation; outcomes dated before it are
        counted.
    profit
        Which metric is money and what an arm costs per unit.
    alpha
        Level of every test, two-sided.
    smallest_effect
        Smallest lift of the primary metric that is worth acting on.
    power
        Tier -> power that the plan promised, for the verdict.
    test
        ``auto`` deals arms anew where a t-test would lie; see `toolkit.strategy.rerandomise.needs_rerandomisation`.
    draws, seed
        Of the randomisation test.
    despite
        ``sample_ratio`` shows effects although that is red; ``peeking`` is for `evaluate`.

    Returns
    -------
    Evaluation
        See there for its tables.

    Raises
    ------
    ArgumentError
        A column that is missing or holds something else; units without arm, tier or outcome; an unknown control; one
        arm only; a proportion that is not 0 or 1; more than 1 % of customers in several rows; an option that means
        nothing.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> units = pd.DataFrame({"arm": np.repeat(["none", "coupon"], 400), "tier": np.tile(["new", "old"], 400)})
    >>> units["spend"] = rng.normal(10, 2, 800) + (units["arm"] == "coupon")
    >>> found = evaluate_units(units, arm="arm", control="none", tier="tier", metrics={"spend": "mean"})
    >>> found.overall[["metric", "arm", "n", "status"]].values.tolist()
    [['spend', 'coupon', 400, 'better']]
    """
    ask.check_numbers(alpha, smallest_effect, draws, test, despite)
    made = ask.read_metrics(metrics, covariates or {}, groups=cluster is not None)
    names = [metric.name for metric in made]
    decides = names[0] if primary is None else primary
    ask.known([decides], names, "primary", "metric")
    ask.check_guardrails(guardrails or {}, names)
    if profit is not None:
        ask.known(
            [profit.of], [metric.name for metric in made if metric.kind == "mean"], "profit", "metric of kind mean"
        )
    asked = ask.Asked(
        arm, tier, cluster, str(control), made, decides, ask.read_balance(made, balance, groups=cluster is not None)
    )
    rows, checks = without_repeats(units)
    moments_of_time = [name for name in (assigned_at, covariate_at, outcome_at) if name is not None]
    rows.need([*asked.texts, *asked.numbers, *sample_ratio_by, *moments_of_time])
    checks += order_of_moments(rows, assigned_at, covariate_at, outcome_at)
    read = read_units(rows, asked, shares)
    treatments = [name for name in read.arms if name != asked.control]
    if profit is not None:
        ask.known(profit.offer_cost, read.arms, "offer_cost", "arm")
    ratio = sample_ratio(count_arms(rows, asked, read, sample_ratio_by))

    place = {name: at for at, name in enumerate(read.arms)}
    compared = [
        lifts(
            read.found[metric],
            metric.kind,
            (place[name], place[asked.control]),
            customers=read.customers,
            across=read.across.get(metric),
            groups=read.groups,
        )
        for metric in made
        for name in treatments
    ]
    redraws = Redraws(rows, asked, read, treatments, compared, draws=draws, seed=seed)
    tested = run_tests(compared, alpha, test, redraws, groups=cluster is not None)
    found = effects(
        names,
        treatments,
        read.tiers if tier else (),
        compared,
        tested,
        primary=decides,
        unadjusted=list(guardrails or {}),
        alpha=alpha,
        smallest_effect=smallest_effect,
    )
    looked = [*ratio.checks, *checks, *balance_check(asked, read, treatments), *effect_checks(asked, read, found)]
    evaluation = Evaluation(
        experiment="",
        question="",
        control=asked.control,
        arms=tuple(treatments),
        tier_order=tuple(read.tiers) if tier else (),
        primary=decides,
        kinds={metric.name: metric.kind for metric in made},
        alpha=alpha,
        smallest_effect=smallest_effect,
        units=read.units,
        as_of="",
        checks=tuple(looked),
        sample_ratio=ratio.table,
        sample_ratio_status=ratio.status,
        withheld=(),
        overall=overall_table(found),
        interaction=interaction_table(found),
        tiers=tier_table(found, alpha),
        guardrails=guardrail_table(found, guardrails or {}, alpha),
        profit=profit_table(
            found, profit, asked.control, {name: read.customers[:, place[name]] for name in treatments}
        ),
        draws=draw_table(found, decides),
        write_verdict=partial(verdict, power=power),
    )
    if ratio.status == "red" and "sample_ratio" not in despite:
        return withhold(evaluation, "sample_ratio")
    return evaluation
