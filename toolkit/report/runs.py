"""A report: notebooks run side by side, judged, turned into pages and published all together or not at all."""

from __future__ import annotations

import re
import secrets
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from toolkit.errors import ArgumentError, RunError
from toolkit.report.publish import keep_failed, publish, workplace
from toolkit.schema import as_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from toolkit.report.kernels import Outcome, Task

LANGUAGES = ("en", "zh")
_NAME = re.compile(r"\w[\w .-]*")


@dataclass(frozen=True)
class Report:
    """A published report.

    Attributes
    ----------
    path
        Its folder; ``index.html`` leads to everything in it.
    seconds
        How long it took.
    """

    path: Path
    seconds: float


def run_report(
    study: str,
    *,
    name: str,
    as_of: str,
    language: str,
    notebooks: Sequence[Path],
    out: Path,
    inputs: Mapping[str, str],
    jobs: int = 2,
    facts: Mapping[str, object] | None = None,
    translations: Mapping[str, str] | None = None,
) -> Report:
    """Run notebooks for one study and one date, and publish what they show as one folder.

    Parameters
    ----------
    study
        ``"demo"``, or the absolute path of the study file; the notebooks' parameter ``study``.
    name
        The study's name; the folder that holds its reports.
    as_of
        ISO date; the notebooks' parameter ``as_of`` and the name of the report's folder.
    language
        ``"zh"`` or ``"en"``; the notebooks' parameter ``lang``.
    notebooks
        The notebooks' files, in the order of their pages.
    out
        Where reports are kept.
    inputs
        Name of each input to its sha256, for the manifest.
    jobs
        How many notebooks run at a time.
    facts
        What else the manifest says about the study, such as its seed or how many rows are later than ``as_of``.
    translations
        A Markdown cell's source to the one that is published for it.

    Returns
    -------
    Report
        Its folder ``out/name/as_of`` holds ``index.html``, a page and an executed copy of each notebook,
        ``results.json`` (the same bytes for the same results) and ``manifest.json``.

    Raises
    ------
    ArgumentError
        Where a value cannot be used.
    RunError
        Where any notebook did not come to a good end. The last good report is untouched; the failed copy, which may
        show raw values, is kept under ``out/name/failed/as_of`` for its owner only.
    RunLockedError
        Where another run is writing the same report.

    Notes
    -----
    Workers are spawned, so a script that calls this needs ``if __name__ == "__main__":`` around the call.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    _check(name, language, notebooks, jobs)
    as_of = as_day(as_of).isoformat()
    target = out / name / as_of
    parameters = {"study": study, "as_of": as_of, "lang": language}
    with (
        tqdm(desc=f"{name} {as_of}", unit=" cells", total=0, leave=False, disable=None) as bar,
        workplace(target) as folder,
    ):
        tqdm.write(f"{name} {as_of}: {len(notebooks)} notebooks, {jobs} at a time", file=sys.stderr)
        tasks = _tasks(notebooks, parameters, folder / "executed")
        executed = _executed(tasks, jobs, bar, target.parent / "failed" / as_of)
        _write(
            folder / "report",
            executed,
            study=study,
            about={"name": name, **(facts or {})},
            parameters=parameters,
            inputs=inputs,
            notebooks=notebooks,
            translations=translations or {},
            started=started,
        )
        publish(folder / "report", target)
    shutil.rmtree(target.parent / "failed" / as_of, ignore_errors=True)
    return Report(target, time.monotonic() - clock)


def select_notebooks(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks of a folder in their order, or those that are named.

    Parameters
    ----------
    folder
        Holds files such as ``01_segments.ipynb``.
    only
        Names without their number, such as ``segments``; none means all.

    Raises
    ------
    ArgumentError
        Where there is no notebook, or none of a name.
    """
    found = {re.sub(r"^\d+_", "", path.stem): path for path in sorted(folder.glob("[0-9]*.ipynb"))}
    known = ", ".join(found)
    if not found:
        raise ArgumentError("no-notebooks", "holds no notebooks", where=str(folder), hint="the project's own folder")
    if missing := [name for name in only if name not in found]:
        raise ArgumentError(
            "unknown-notebook", f"no notebook is called {', '.join(missing)}", hint=f"--only with some of {known}"
        )
    return [path for name, path in found.items() if not only or name in only]


def _check(name: str, language: str, notebooks: Sequence[Path], jobs: int) -> None:
    if not _NAME.fullmatch(name):
        raise ArgumentError("study-name", f"{name!r} cannot name a folder", hint="a name of letters, digits, - and _")
    if language not in LANGUAGES:
        raise ArgumentError(
            "language", f"{language!r} is not a language of the pages", hint=f"--lang {' or '.join(LANGUAGES)}"
        )
    if not notebooks:
        raise ArgumentError("no-notebooks", "no notebook to run", hint="--only with a notebook's name")
    if jobs < 1:
        raise ArgumentError("jobs", f"{jobs} notebooks at a time is no number of them", hint="--jobs 2")


def _executed(tasks: Sequence[Task], jobs: int, bar: tqdm[Any], failed: Path) -> dict[str, Any]:
    """Return the executed notebooks by their stem, or refuse if any did not come to a good end."""
    from toolkit.report.notebooks import code_cells, read  # noqa: PLC0415 - see _tasks
    from toolkit.report.pool import run_all  # noqa: PLC0415 - see _tasks
    from toolkit.report.preflight import check_kernel, checked_notebook  # noqa: PLC0415 - see _tasks

    check_kernel()
    bar.total = sum(len(code_cells(checked_notebook(task.notebook, task.parameters))) + 1 for task in tasks)
    outcomes = run_all(tasks, jobs, bar)
    if any(outcome.failure for outcome in outcomes):
        raise _failed(outcomes, tasks[0].executed.parent, failed)
    return {task.notebook.stem: read(task.executed) for task in tasks}


def _tasks(notebooks: Sequence[Path], parameters: dict[str, str], folder: Path) -> list[Task]:
    """Return what there is to run, to be executed into ``folder``."""
    from toolkit.report.kernels import Task  # noqa: PLC0415 - seconds of import, after the first sign of life

    folder.mkdir()
    token = secrets.token_hex(16)
    return [Task(path.resolve(), folder.resolve() / path.name, parameters, token) for path in notebooks]


def _failed(outcomes: Sequence[Outcome], copies: Path, folder: Path) -> RunError:
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    kept = [
        keep_failed(copy, folder) for failure in failures if (copy := copies / f"{failure.notebook}.ipynb").exists()
    ]
    first, others = failures[0], [failure.notebook for failure in failures[1:]]
    what = f"{first.what} ({first.error})" if first.error not in first.what else first.what
    also = f"; failed too: {', '.join(others)}" if others else ""
    return RunError(
        "notebook-failed",
        f"{what}{also}; the last good report is untouched",
        where=f"{first.notebook}.ipynb code cell {first.cell}" if first.cell else f"{first.notebook}.ipynb",
        hint=f"jupyter lab {kept[0]} (yours alone to read), then the same command again"
        if kept
        else "the same command again",
    )


def _write(
    folder: Path,
    executed: Mapping[str, Any],
    *,
    study: str,
    about: Mapping[str, object],
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
    notebooks: Sequence[Path],
    translations: Mapping[str, str],
    started: datetime,
) -> None:
    """Write all files of a report."""
    from toolkit.report import copies, pages  # noqa: PLC0415 - see _tasks
    from toolkit.report.manifest import Ingredients, stable_json  # noqa: PLC0415 - see _tasks
    from toolkit.report.notebooks import write  # noqa: PLC0415 - see _tasks

    shown = {**parameters, "study": Path(study).name}
    scrub = copies.Scrubber([Path(study).parent, folder.parent.parent, notebooks[0].parent])
    published = {stem: copies.publishable(nb, shown, scrub, translations) for stem, nb in executed.items()}
    results = {stem: copies.results(nb) for stem, nb in published.items()}
    ingredients = Ingredients(scrub.tree(dict(about)), shown, inputs, notebooks, pages.template_hash(), translations)
    finished = datetime.now(UTC)
    report = pages.Pages(
        study=str(about["name"]),
        as_of=parameters["as_of"],
        computed_on=finished.date().isoformat(),
        language=parameters["lang"],
        pages=[pages.Page(stem, pages.title(nb, stem), results[stem]) for stem, nb in published.items()],
    )
    (folder / "notebooks").mkdir(parents=True)
    for stem, nb in published.items():
        write(nb, folder / "notebooks" / f"{stem}.ipynb")
        (folder / f"{stem}.html").write_text(report.page(copies.without_results_cell(nb), stem), "utf-8")
    (folder / "index.html").write_text(report.overview(), "utf-8")
    (folder / "results.json").write_text(stable_json(results), "utf-8")
    (folder / "manifest.json").write_text(stable_json(ingredients.manifest(results, started, finished)), "utf-8")
