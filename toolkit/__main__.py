"""The command line."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.errors import ArgumentError, ToolkitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.report.workbench import Study

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Research toolkit for customer-tier operations.")


@app.callback()
def main() -> None:
    """Research toolkit for customer-tier operations."""


@contextmanager
def refusals() -> Iterator[None]:
    """Show a refusal as one line on stderr, and end with its exit status."""
    try:
        yield
    except ToolkitError as error:
        typer.echo(error, err=True)
        raise typer.Exit(error.exit_status) from None


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder of exports: CSV, TSV, TXT, XLSX, Parquet.")],
    *,
    timezone: Annotated[str | None, typer.Option(help="The shop's time zone, such as Asia/Shanghai.")] = None,
    currency: Annotated[str | None, typer.Option(help="The currency of its money, such as CNY.")] = None,
) -> None:
    """Look at a folder of exports and write FOLDER/study.yaml, with every guess marked."""
    with refusals():
        typer.echo(f"looking at {folder} ...", err=True)

        from toolkit.data.drafting import draft, write_draft  # noqa: PLC0415 - takes a second: after the first sign of life
        from toolkit.data.survey import describe, survey  # noqa: PLC0415

        found = survey(folder)
        place = write_draft(folder / "study.yaml", draft(found, timezone=timezone, currency=currency))
        typer.echo(describe(found))
        typer.echo(f"wrote {place}; what it is unsure of is marked there with # unsure:")
        asked = [key for key, said in (("timezone:", timezone), ("currency:", currency)) if not said]
        asked += [f"{column}:" for kind in found.tables.values() for column in kind.found.missing]
        first = f"set {' and '.join(asked)} in {place}, then  " if asked else ""
        typer.echo(f"Next: {first}toolkit check {place}")


@app.command()
def check(
    study: Annotated[Path, typer.Argument(help="The study file.")],
    *,
    as_of: Annotated[
        str | None, typer.Option(help="Look at the rows visible at this date; without it, at all.")
    ] = None,
) -> None:
    """Read the exports, say where every row and its money went, and write what could not be read to quarantine.csv."""
    with refusals():
        typer.echo("reading the study ...", err=True)

        from toolkit.report.inspection import describe, write_quarantine  # noqa: PLC0415
        from toolkit.report.workbench import Study  # noqa: PLC0415 - takes a second: after the first sign of life

        opened = Study.open(study)
        typer.echo(describe(opened, as_of))
        place = write_quarantine(opened, as_of, study.resolve().parent / "quarantine.csv")
        if place:
            typer.echo(f"quarantined rows: {place} (real ids: yours alone to read)")
        opened.check(as_of)
        for found in opened.checks(as_of):
            typer.echo(f"{found.status:13} {found.code}: {found.message}")
        typer.echo(f"fine. Next: toolkit report {study} --as-of {as_of or _last_order_day(opened)}")


def _last_order_day(opened: Study) -> str:
    """Return the last day with a used order line: the day that a first report is likely to be about."""
    days = opened.snapshot("9998-12-31", columns=["last_order_date"])["last_order_date"]
    return f"{days.max():%Y-%m-%d}"


@app.command()
def report(
    study: Annotated[Path | None, typer.Argument(help="The study file; without it, the demo study.")] = None,
    *,
    as_of: Annotated[
        str | None, typer.Option(help="The report's date, such as 2026-10-31. The demo has its own.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; without it, the study's own language.")] = None,
    only: Annotated[
        str, typer.Option(help="Notebooks by name, such as segments,churn_risk; the report holds only these.")
    ] = "",
    jobs: Annotated[int, typer.Option(help="How many notebooks run at a time.")] = 2,
    cell_seconds: Annotated[int, typer.Option(help="How long a cell of a notebook may take.")] = 3_600,
    out: Annotated[Path, typer.Option(help="Where reports are kept.")] = Path("reports"),
) -> None:
    """Run the notebooks and publish their pages: OUT/STUDY/DATE/index.html."""
    with refusals():
        if study and not as_of:
            raise ArgumentError("no-as-of", "a report needs its date", where=str(study), hint="--as-of 2026-10-31")
        typer.echo("reading the study ...", err=True)

        from toolkit.report.inspection import promised  # noqa: PLC0415
        from toolkit.report.keeping import keep, kept_hashes, key_of  # noqa: PLC0415
        from toolkit.report.prose import translations  # noqa: PLC0415
        from toolkit.report.runs import KEPT, run_report, select_notebooks  # noqa: PLC0415
        from toolkit.report.workbench import Study  # noqa: PLC0415 - takes a second: after the first sign of life

        notebooks = select_notebooks(NOTEBOOKS, [name.strip() for name in only.split(",") if name.strip()])
        opened = Study.open(study) if study else Study.demo()
        promised(opened)
        day, language = as_of or str(opened.last_day), lang or opened.language
        place = out / opened.name / KEPT
        made = run_report(
            str(study.resolve()) if study else "demo",
            name=opened.name,
            as_of=day,
            language=language,
            notebooks=notebooks,
            out=out,
            inputs=opened.input_hashes(),
            jobs=jobs,
            cell_seconds=cell_seconds,
            facts={**opened.manifest(day), "kept": kept_hashes(place, day)},
            translations=translations(notebooks) if language == "zh" else None,
        )
        pseudonyms = key_of(opened)
        if pseudonyms.created:
            typer.echo(f"key of the pseudonyms, yours alone to read: {pseudonyms.place}", err=True)
        keep(opened, day, place, pseudonyms)
        typer.echo(made.path / "index.html")


if __name__ == "__main__":
    app()
