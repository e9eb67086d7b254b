"""Did a strategy work: an experiment of a study, from its assignments and logs to a verdict."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from toolkit.schema import as_day
from toolkit.strategy.evaluation import withhold
from toolkit.strategy.plan import promised_plan
from toolkit.strategy.plan_checks import peeking_check, plan_check, promised_power
from toolkit.strategy.unit_frame import ARM, CLUSTER, DAY, TIER, WHENCE, unit_frame
from toolkit.strategy.units import evaluate_units
from toolkit.strategy.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.risk.clock_looks import Tiering
    from toolkit.strategy.evaluation import Evaluation
    from toolkit.strategy.experiment import Experiment
    from toolkit.strategy.plan import Plan

PEEKING = "peeking"


def evaluate(
    study: Warehouse,
    spec: Experiment,
    *,
    as_of: str | date | None = None,
    tiers: Tiering | None = None,
    plan: Plan | None = None,
    test: Literal["auto", "welch", "randomisation"] = "auto",
    draws: int = 10_000,
    seed: int = 0,
    despite: Collection[str] = (),
) -> Evaluation:
    """Evaluate an experiment: everybody who was assigned, over windows that start at their own assignment.

    Parameters
    ----------
    study
        The study, with the table assignments.
    spec
        What was promised (`toolkit.Experiment.open`).
    as_of
        The day; only rows visible at its end count. By default the day on which the last window closes.
    tiers
        A transformer from snapshot to columns, such as ``Tiers(study)``: needed where the table assignments has none
        and ``spec.tier`` is no column of the snapshot. A copy is fitted to the snapshot of the day before the
        experiment.
    plan
        The plan that was written before (`toolkit.plan_experiment`); by default that beside the experiment's file.
    test, draws, seed
        As for `toolkit.strategy.units.evaluate_units`.
    despite
        ``sample_ratio`` and ``peeking`` show effects that are withheld otherwise.

    Returns
    -------
    Evaluation
        Checks first, then effects, then the verdict.

    Raises
    ------
    ArgumentError
        No table assignments, an unknown experiment or arm, more than 1 % of units in two arms, no closed window, a
        measure without its table.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    Units are those of the table assignments whose day is one of ``spec.assigned``; who is held out, stands in two arms
    or was assigned on other days is left out and counted. A window is closed when the day of assignment plus
    ``window_days`` is ``as_of`` or earlier. The tier is that of the table, frozen at assignment; without it that of
    the day before the first assignment, ``new`` for who was not there yet. Covariates end with the day before the
    unit's own assignment. Intention to treat: what was delivered is checked, and enters no effect.

    Examples
    --------
    >>> import toolkit as tk
    >>> study = tk.Study.demo(customers=500, seed=7)
    >>> spec = tk.Experiment.open(study.experiments[0])
    >>> result = evaluate(study, spec)
    >>> result.units, result.tier_order, result.sample_ratio_status
    (451, ('none', 'lead_in', 'entry', 'premium'), 'green')
    """
    day = spec.closes_on if as_of is None else as_day(as_of)
    plan = promised_plan(spec, day) if plan is None else plan
    frame = unit_frame(study, spec, day, tiers)
    found = evaluate_units(
        frame.units,
        arm=ARM,
        control=spec.control,
        tier=TIER,
        cluster=CLUSTER if spec.unit == "cluster" else None,
        metrics=frame.metrics,
        primary=spec.primary,
        covariates=frame.covariates,
        guardrails={name: (one.margin, one.worse) for name, one in spec.guardrails.items()},
        shares={name: spec.shares(name) for name in frame.units[TIER].cat.categories},
        sample_ratio_by=[name for name in (DAY, WHENCE) if name in frame.units],
        profit=spec.profit,
        alpha=spec.alpha,
        smallest_effect=spec.smallest_effect,
        test=test,
        draws=draws,
        seed=seed,
        despite=despite,
    )
    checks = (plan_check(spec, plan), peeking_check(spec, day), *frame.checks, *found.checks)
    found = replace(
        found,
        experiment=spec.experiment,
        question=spec.question,
        as_of=day.isoformat(),
        checks=checks,
        write_verdict=partial(
            verdict, power=promised_power(plan), window_days=spec.window_days, currency=study.currency
        ),
    )
    return withhold(found, PEEKING) if day < spec.closes_on and PEEKING not in despite else found
