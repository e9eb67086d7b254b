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
from toolkit.report.drift import LOCK_FILE, drifted
from toolkit.report.publish import keep_failed, publish, workplace, writable
from toolkit.report.sockets import open_sockets
from toolkit.report.stops import stoppable
from toolkit.schema import as_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from toolkit.report.kernels import Outcome, Task

LANGUAGES = ("en", "zh")
KEPT = "kept"
"""Folder of snapshots that reports keep for later ones, beside the reports of a study."""
CELL_SECONDS = 3_600
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
    cell_seconds: int = CELL_SECONDS,
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
    cell_seconds
        How long a cell may take before the run is ended as failed.
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
        show raw values, is kept under ``out/name/failed/as_of`` for its owner only. Also where a disk is full.
    RunStoppedError
        Where SIGINT, SIGTERM or SIGHUP came; workers, kernels and temporary files are gone then.
    RunLockedError
        Where another run is writing the same report.

    Notes
    -----
    Workers are spawned, so a script that calls this needs ``if __name__ == "__main__":`` around the call.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    _check(study, name, language, notebooks, {"jobs": jobs, "cell_seconds": cell_seconds})
    as_of = as_day(as_of).isoformat()
    target = out / name / as_of
    parameters = {"study": study, "as_of": as_of, "lang": language}
    with (
        stoppable() as check,
        tqdm(desc=f"{name} {as_of}", unit=" cells", total=0, leave=False, disable=None) as bar,
        workplace(target) as folder,
        writable(target.parent),
    ):
        tqdm.write(f"{name} {as_of}: {len(notebooks)} notebooks, {jobs} at a time", file=sys.stderr)
        if drift := drifted(LOCK_FILE):
            tqdm.write(f"versions other than those tested: {', '.join(drift)}. Try: make env", file=sys.stderr)
        tasks = _tasks(
            notebooks,
            folder / "executed",
            parameters=parameters,
            sockets=open_sockets(folder),
            cell_seconds=cell_seconds,
            kept=(target.parent / KEPT).resolve(),
        )
        executed = _executed(tasks, jobs, bar, check, target.parent / "failed" / as_of)
        bar.set_description(f"{name} {as_of}: pages")
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
        check()
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
        Where there is no notebook, none of a name, or two of one.
    """
    paths = sorted(folder.glob("[0-9]*.ipynb"))
    found = {re.sub(r"^\d+_", "", path.stem): path for path in paths}
    known = ", ".join(found)
    if not found:
        raise ArgumentError("no-notebooks", "holds no notebooks", where=str(folder), hint="the project's own folder")
    if len(found) < len(paths):
        raise ArgumentError("notebook-names", "holds two notebooks of one name", where=str(folder), hint="rename one")
    if missing := [name for name in only if name not in found]:
        raise ArgumentError(
            "unknown-notebook", f"no notebook is called {', '.join(missing)}", hint=f"--only with some of {known}"
        )
    return [path for name, path in found.items() if not only or name in only]


def _check(study: object, name: object, language: str, notebooks: Sequence[Path], counts: Mapping[str, object]) -> None:
    if not isinstance(study, str) or not (study == "demo" or Path(study).is_absolute()):
        raise ArgumentError("study-path", f"{study!r} is no absolute path", hint="str(Path('study.yaml').resolve())")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ArgumentError("study-name", f"{name!r} cannot name a folder", hint="a name of letters, digits, - and _")
    if language not in LANGUAGES:
        raise ArgumentError(
            "language", f"{language!r} is not a language of the pages", hint=f"--lang {' or '.join(LANGUAGES)}"
        )
    if not notebooks:
        raise ArgumentError("no-notebooks", "no notebook to run", hint="--only with a notebook's name")
    for word, count in counts.items():
        if not isinstance(count, int) or count < 1:
            option = word.replace("_", "-")
            raise ArgumentError(option, f"{word} is {count!r} and not a whole number from 1", hint=f"--{option} 2")


def _executed(
    tasks: Sequence[Task], jobs: int, bar: tqdm[Any], check: Callable[[], None], failed: Path
) -> dict[str, Any]:
    """Return the executed notebooks by their stem, or refuse if any did not come to a good end."""
    from toolkit.report.notebooks import code_cells, read  # noqa: PLC0415 - see _tasks
    from toolkit.report.pool import run_all  # noqa: PLC0415 - see _tasks
    from toolkit.report.preflight import check_kernel, checked_notebook  # noqa: PLC0415 - see _tasks

    check_kernel()
    bar.total = sum(len(code_cells(checked_notebook(task.notebook, task.parameters))) + 1 for task in tasks)
    outcomes = run_all(tasks, jobs, bar, check)
    if any(outcome.failure for outcome in outcomes):
        raise _failed(outcomes, tasks[0].executed.parent, failed)
    return {task.notebook.stem: read(task.executed) for task in tasks}


def _tasks(
    notebooks: Sequence[Path],
    folder: Path,
    *,
    parameters: dict[str, str],
    sockets: Path,
    cell_seconds: int,
    kept: Path,
) -> list[Task]:
    """Return what there is to run, to be executed into ``folder``."""
    from toolkit.report.kernels import Task  # noqa: PLC0415 - seconds of import, after the first sign of life

    folder.mkdir()
    token = secrets.token_hex(16)
    return [
        Task(
            path.resolve(),
            folder.resolve() / path.name,
            parameters,
            token,
            sockets / f"{number}.json",
            cell_seconds,
            kept,
        )
        for number, path in enumerate(notebooks)
    ]


def _failed(outcomes: Sequence[Outcome], copies: Path, folder: Path) -> RunError:
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    made = [path for failure in failures if (path := copies / f"{failure.notebook}.ipynb").exists()]
    kept = [copy for path in made if (copy := keep_failed(path, folder))]
    first, others = failures[0], [failure.notebook for failure in failures[1:]]
    what = f"{first.what} ({first.error})" if first.error not in first.what else first.what
    again = "the same command again"
    also = f"; failed too: {', '.join(others)}" if others else ""
    return RunError(
        "notebook-failed",
        f"{what}{also}; the last good report is untouched",
        where=f"{first.notebook}.ipynb code cell {first.cell}" if first.cell else f"{first.notebook}.ipynb",
        hint=first.hint or (f"jupyter lab {kept[0]} (yours alone to read), then {again}" if kept else again),
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
