"""What ``toolkit check`` says about a study's exports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from toolkit.report.export import disarm
from toolkit.strategy.experiment import Experiment

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.data.warehouse import Warehouse


def describe(study: Warehouse, as_of: str | None) -> str:
    """Describe the files, their mapping and the ledger, as text for a terminal."""
    lines: list[str] = []
    for table, files in study.files.items():
        for file in files:
            how = ", ".join(
                part
                for part in (
                    file.encoding,
                    f"delimiter {file.delimiter!r}" * bool(file.delimiter),
                    f"sheet {file.sheet!r}" * bool(file.sheet),
                )
                if part
            )
            lines.append(f"{table}: {file.name}{f' ({how})' if how else ''}")
            if file.repairs:
                lines.append("    " + ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in file.repairs.items()))
            lines += [f"    {' x '.join(headers)} -> {column}" for column, headers in file.mapping.items()]
    lines += [_described(spec) for spec in promised(study)]
    ledger = study.ledger_at(as_of)
    ledger["money"] = [f"{money:,.4f}" for money in ledger["money"]]
    ledger["rows"] = [f"{rows:,}" for rows in ledger["rows"]]
    return "\n".join([*lines, "", ledger.drop(columns="rows_without_money").to_string(index=False), ""])


def promised(study: Warehouse) -> list[Experiment]:
    """Read the experiment files that the study file names, so that one that is wrong stops at once."""
    return [Experiment.open(path) for path in study.experiments]


def _described(spec: Experiment) -> str:
    days = f"assigned {spec.assigned.first} to {spec.assigned.last}, to be read from {spec.closes_on}"
    return f"experiment: {spec.experiment} ({', '.join(spec.arms)}; {days})"


def write_quarantine(study: Warehouse, as_of: str | None, path: Path) -> Path | None:
    """Write the quarantined rows as they were read, for the analyst alone (mode 0600).

    Returns
    -------
    Path or None
        ``path``; None where no row is quarantined, and an older file is then removed.
    """
    rows = study.quarantine(as_of)
    if rows.empty:
        path.unlink(missing_ok=True)
        return None
    draft = path.with_suffix(".part")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8-sig", newline=""
    ) as file:
        disarm(rows).to_csv(file, index=False)
    draft.replace(path)
    return path
