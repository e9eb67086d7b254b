"""Which of a study's experiments a page shows, where it stands at the report's day, and how to write a first one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.report.note import Note
from toolkit.report.outlook import Reason
from toolkit.report.tables import Table
from toolkit.segments.tiers import Tiers
from toolkit.strategy.experiment import Experiment
from toolkit.strategy.plan import promised_plan
from toolkit.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.errors import ToolkitError
    from toolkit.report.page import Page
    from toolkit.strategy.plan import Plan

State = Literal["planned", "running", "closed"]

IN_THE_STUDY_FILE = "experiments: [coupon.yaml]"
A_FIRST_ONE = """\
experiment: coupon
arms: {none: 0.5, coupon: 0.5}
control: none
tier: segment
assigned: {first: 2026-12-01, last: 2026-12-07}
window_days: 28
primary: bought
metrics:
  bought: {kind: proportion, of: orders}
  paid: {kind: mean, of: spend}
smallest_effect: 0.02
covariate: {days: 90}"""


@dataclass(frozen=True, eq=False)
class Promise:
    """One experiment as a page looks at it.

    Attributes
    ----------
    spec
        What its file promises.
    path
        The file.
    state
        ``planned``: nobody is assigned yet at the report's day; ``running``: some window is still open; ``closed``.
    plan
        What was written beside the file before anybody was assigned; None where nothing was by the report's day.
    """

    spec: Experiment
    path: Path
    state: State
    plan: Plan | None


@dataclass(frozen=True)
class Recipe:
    """A sentence and the few lines of a file to write.

    Attributes
    ----------
    said
        The sentence.
    files
        Name of each file and its lines.
    """

    said: str
    files: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return "\n\n".join([self.said, *(f"{name}\n{lines}" for name, lines in self.files)])

    def _repr_html_(self) -> str:
        parts = "".join(f"<p><code>{escape(name)}</code></p><pre>{escape(lines)}</pre>" for name, lines in self.files)
        return f'<p class="note">{escape(self.said)}</p>{parts}'


def promised(study: Warehouse, page: Page, experiment: str = "", *, begun: bool = False) -> Promise | None:
    """Return the experiment that a page shows, or None where the study has none.

    Parameters
    ----------
    study
        The study.
    page
        The report's page.
    experiment
        Its id; the last by first day of assignment where empty.
    begun
        Of those whose assignment has begun, if any has.

    Raises
    ------
    ArgumentError
        The study has no experiment of that id.
    StudyFileError
        As for ``Experiment.open``.
    """
    known = _opened(study)
    if experiment:
        found = [pair for pair in known if pair[0].experiment == experiment]
        if not found:
            ids = [spec.experiment for spec, _ in known]
            what = f"the study has no experiment {experiment!r}{nearest(experiment, ids)}"
            raise ArgumentError("experiment", what, hint=f"one of {', '.join(ids)}" if ids else "experiments: [FILE]")
    else:
        started = [pair for pair in known if pair[0].assigned.first <= page.as_of] if begun else []
        found = sorted(started or known, key=lambda pair: pair[0].assigned.first)
    if not found:
        return None
    spec, path = found[-1]
    return Promise(spec, path, state_of(spec, page.as_of), promised_plan(spec, page.as_of))


def listing(study: Warehouse, page: Page) -> Table | Recipe | None:
    """List all experiments where there are several; where there is none, say how to write one."""
    words = page.words
    known = _opened(study)
    if not known:
        files = (("study.yaml", IN_THE_STUDY_FILE), ("coupon.yaml", A_FIRST_ONE))
        return Recipe(words.say("no_experiment"), files)
    if len(known) == 1:
        return None
    rows = [
        {
            "experiment_id": spec.experiment,
            "one_question": spec.question,
            "assigned_days": words.span(spec.assigned.first, spec.assigned.last),
            "reading_day": words.date(spec.closes_on),
            "state": words.label(f"state_{state_of(spec, page.as_of)}"),
        }
        for spec, _ in sorted(known, key=lambda pair: pair[0].assigned.first)
    ]
    shown = pd.DataFrame(rows).set_index("experiment_id")
    labels = {name: words.label(str(name)) for name in ("experiment_id", *shown.columns)}
    return Table(shown, {}, labels, words.say("experiments_listed"))


def state_of(spec: Experiment, day: date) -> State:
    """Say where an experiment stands at a day."""
    if day < spec.assigned.first:
        return "planned"
    return "running" if day < spec.closes_on else "closed"


def plan_note(promise: Promise, page: Page) -> Note | None:
    """Say that nothing was written before the experiment began, or nothing at all where a plan was."""
    if promise.plan is not None:
        return None
    day = page.words.date(promise.spec.assigned.first)
    key = "plan_to_write" if promise.state == "planned" else "plan_not_written"
    return Note(page.words.say(key, file=f"{promise.path.stem}.plan.yaml", day=day))


def tiering(study: Warehouse, spec: Experiment) -> Tiers | None:
    """Return what gives customers the tiers of an experiment; None where they are a column of the snapshot."""
    return None if spec.tier in study.columns else Tiers(study)


def refused(error: ToolkitError, promise: Promise, page: Page) -> Reason:
    """Return why an experiment could not be planned or evaluated."""
    if error.code == "no-tier":
        return Reason("no_tier_column", {"tier": promise.spec.tier})
    if error.code == "no-closed-window":
        return Reason("windows_open", {"day": page.words.date(promise.spec.closes_on)})
    return Reason.of(error)


def _opened(study: Warehouse) -> Sequence[tuple[Experiment, Path]]:
    return [(Experiment.open(path), Path(path)) for path in study.experiments]
