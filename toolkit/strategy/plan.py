"""What an experiment can learn before anybody is assigned: power by tier, who to leave out, how many, how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from toolkit.schema import as_day
from toolkit.strategy.plan_file import content_of, hash_of, parts_of, read_plan, write_plan
from toolkit.strategy.plan_history import history
from toolkit.strategy.plan_tables import planned

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from toolkit.data.warehouse import Warehouse
    from toolkit.errors import Check
    from toolkit.risk.clock_looks import Tiering
    from toolkit.strategy.experiment import Experiment


@dataclass(frozen=True, repr=False, eq=False)
class Plan:
    """What was promised before an experiment; see `plan_experiment`.

    Attributes
    ----------
    experiment
        Its id.
    as_of
        Last day whose rows were seen (ISO text).
    spec_sha256
        Hash of the experiment's file (`Experiment.sha256`): any promise that changes later changes it.
    seed
        Of the simulation.
    tiers
        Index ``tier``, a row per tier and arm outside control:

        - ``arm``;
        - ``units`` (customers of all arms), ``weight`` (share of all units), ``treated``, ``control``;
        - ``level``: of the test, see `plan_experiment`;
        - ``baseline`` (value of the primary metric over the window before), ``sd`` of a unit, ``rho`` (correlation with
          the covariate), ``sd_adjusted``;
        - ``mde``, ``mde_unadjusted``: effect found with the promised power, with and without the covariate;
        - ``power``, ``power_simulated`` at the smallest effect worth acting on, and the ``simulation_error`` (one
          standard error) of the latter;
        - ``units_needed`` (of all arms) for the promised power, ``weeks_to_fill`` until newcomers have brought them;
        - ``learn``: ``no`` where power is under one half, so that the tier is better not tested; and ``why``.
    overall
        Index ``arm``: the same of the weighted overall, and ``mde_neyman`` under the other allocation.
    allocation
        Index ``tier``: units outside control that are ``available``, and that take part in proportion to the tiers'
        sizes (``proportional``, which all other figures assume) or to weight times standard deviation (``neyman``).
    design_effect, icc
        What groups multiply variances by (1 where customers are assigned one by one), and how alike their members are.
    days
        From the first day of assignment to the end of the last window.
    weeks_to_fill
        Weeks until newcomers have brought what the overall needs: 0 where the pool has it, infinite where nobody comes.
    checks
        What is doubtful.
    """

    experiment: str
    as_of: str
    spec_sha256: str
    seed: int
    tiers: pd.DataFrame
    overall: pd.DataFrame
    allocation: pd.DataFrame
    design_effect: float
    icc: float
    days: int
    weeks_to_fill: float
    checks: tuple[Check, ...]

    @property
    def sha256(self) -> str:
        """Hash of everything in it."""
        return hash_of(content_of(vars(self)))

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        power, mde = float(self.overall["power"].min()), float(self.overall["mde"].max())
        dumb = list(dict.fromkeys(self.tiers.index[self.tiers["learn"] == "no"]))
        tiers = f"do not test by itself: {', '.join(dumb)}" if dumb else "every tier can learn by itself"
        return (
            f"{self.experiment}: {int(self.overall['units'].max()):,} units over {self.days} days; overall power"
            f" {power:.2f} at the smallest effect worth acting on, smallest detectable effect {mde:.3g}; {tiers}."
        )

    def write(self, path: str | Path) -> Path:
        """Write the plan as YAML that a person can read, closed by the hash of its content.

        Parameters
        ----------
        path
            Such as ``coupon.plan.yaml`` beside ``coupon.yaml``.

        Returns
        -------
        Path
            The file.
        """
        return write_plan(content_of(vars(self)), Path(path))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a plan that `write` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        StudyFileError
            No such file; a key unknown, missing or given twice; a content that its hash does not fit.
        """
        parts: dict[str, Any] = parts_of(read_plan(Path(path)))
        return cls(**parts)

    def __repr__(self) -> str:
        return "\n".join([self.sentence, *self._failed(), self._shown().to_string()])

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{escape(text)}</p>" for text in (self.sentence, *self._failed()))
        return said + self._shown().to_html(border=0)

    def _shown(self) -> pd.DataFrame:
        columns = ["arm", "units", "treated", "control", "baseline", "rho", "mde", "power", "learn", "why"]
        return self.tiers[columns].round({"baseline": 4, "rho": 2, "mde": 4, "power": 2})

    def _failed(self) -> list[str]:
        return [check.message for check in self.checks if check.status == "failed"]


def promised_plan(spec: Experiment, as_of: date) -> Plan | None:
    """Read the plan beside an experiment's file; None where there is none, or was none yet on that day.

    Raises
    ------
    StudyFileError
        As for `Plan.read`.
    """
    if spec.plan_path is None or not spec.plan_path.is_file():
        return None
    plan = Plan.read(spec.plan_path)
    return plan if plan.as_of <= as_of.isoformat() else None


def plan_experiment(
    study: Warehouse,
    spec: Experiment,
    *,
    tiers: Tiering | None = None,
    as_of: str | date | None = None,
    groups: pd.Series[Any] | None = None,
    simulations: int = 1_000,
    seed: int = 0,
) -> Plan:
    """Work out what an experiment can learn, from the study's own history.

    Parameters
    ----------
    study
        The study.
    spec
        The experiment.
    tiers
        A transformer from snapshot to columns, such as ``tk.Tiers(study)``, where ``spec.tier`` is no column of the
        snapshot; fitted, or a copy is fitted to the snapshot of ``as_of``. Customers without a value are the tier
        ``none``.
    as_of
        The day; only rows visible at its end count. By default the day before the first assignment.
    groups
        Group of each customer (index ``customer_id``), where the experiment assigns whole groups and ``spec.cluster``
        is no column of the snapshot or of the tiers.
    simulations, seed
        Simulated experiments per tier, and the seed of their draws. So many units that fewer than 100 simulations would
        be quick are not simulated.

    Returns
    -------
    Plan
        Frozen; `Plan.write` it before the first assignment, and give it to `toolkit.evaluate`.

    Raises
    ------
    ArgumentError
        No column of tiers or groups; nobody was a customer a window ago; the primary metric's table is not there.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    History: everybody who was a customer ``window_days`` before ``as_of`` is taken as assigned then, in the tier of
    that time; the primary metric is measured since, the covariate before. Sizes are today's.

    Power: `toolkit.strategy.power`, with the variance that the covariate leaves, ``1 - rho**2``, and the design effect
    of groups. The level of a tier is ``alpha`` over the number of contrasts of tiers that can be estimated (first step
    of Holm, which the evaluation uses: the power is at least this), that of the overall ``alpha`` over the arms.
    Simulation: units drawn from history with replacement, the smallest effect added outside control, the evaluation's
    own Welch test at the same levels.

    Allocation by weight times standard deviation finds smaller effects in today's mix of tiers; the evaluation weights
    tiers as they were assigned, so it then speaks of another mix.

    Examples
    --------
    >>> import toolkit as tk
    >>> study = tk.Study.demo(customers=500, seed=7)
    >>> spec = tk.Experiment.open(study.experiments[0])
    >>> plan = plan_experiment(study, spec, simulations=200)
    >>> plan.days, plan.weeks_to_fill > 20
    (35, True)
    >>> plan.tiers[["treated", "control", "learn"]]
             treated  control learn
    tier
    none          20       20    no
    lead_in       59       60    no
    entry        122      122    no
    premium       23       24    no
    """
    day = spec.assigned.first - timedelta(days=1) if as_of is None else as_day(as_of)
    found = history(study, spec, day, tiers=tiers, groups=groups)
    parts = planned(found, spec, simulations=simulations, seed=seed)
    return Plan(experiment=spec.experiment, as_of=day.isoformat(), spec_sha256=spec.sha256, seed=seed, **parts)
