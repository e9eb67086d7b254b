"""The snapshot as a report saw it, kept under pseudonyms, so that a later bridge can start from it."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.report.pseudonyms import Pseudonyms, pseudonymised
from toolkit.report.publish import writable
from toolkit.report.results import KEPT_VARIABLE
from toolkit.schema import as_day
from toolkit.segments.tiers import Tiers
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from toolkit.data.warehouse import Warehouse

_EVER = date.max


def keep(study: Warehouse, as_of: str | date, folder: Path, pseudonyms: Pseudonyms) -> Path:
    """Write what tiers need of the snapshot, for its owner only (mode 0600), in place of an older one of that day.

    Parameters
    ----------
    study
        The study.
    as_of
        The report's day.
    folder
        Where snapshots are kept; made where it is missing.
    pseudonyms
        What stands for the ids.

    Returns
    -------
    Path
        The file, ``folder/2026-10-31.parquet``.

    Raises
    ------
    RunError
        Where it cannot be written.
    """
    day = as_day(as_of)
    snap = pseudonymised(study.snapshot(day, columns=Tiers(study).columns_needed()), pseudonyms)
    place = folder / f"{day}.parquet"
    draft = place.with_suffix(".part")
    with writable(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        snap.to_parquet(draft)
        draft.replace(place)
    return place


def kept(study: Warehouse, as_of: str | date, folder: Path | None) -> pd.DataFrame | None:
    """Read the snapshot that the report of a day kept, under today's ids where these are known.

    Parameters
    ----------
    study
        The study.
    as_of
        The day of that report.
    folder
        Where snapshots are kept; None is where the running report keeps them.

    Returns
    -------
    DataFrame or None
        As `toolkit.Study.snapshot`, with the columns that tiers need; who is no longer known stands under a pseudonym.
        None where nothing was kept.
    """
    place = folder if folder is not None else os.environ.get(KEPT_VARIABLE)
    if place is None or not (file := Path(place) / f"{as_day(as_of)}.parquet").is_file():
        return None
    snap = pd.read_parquet(file)
    texts: dict[str, str] = dict.fromkeys(snap.select_dtypes("string").columns, "string[pyarrow]")
    cuts = snap.attrs.get("price_cuts")
    today = study.snapshot(as_of, columns=[], known=_EVER).index
    known = pd.Series(today, index=key_of(study).of(today))
    own = known.reindex(snap.index).fillna(pd.Series(snap.index, index=snap.index))
    snap = snap.astype(texts).set_axis(pd.Index(own.astype("string[pyarrow]").array, name=CUSTOMER_ID))
    snap.attrs["price_cuts"] = tuple(cuts) if cuts else None
    return snap.sort_index()


def key_of(study: Warehouse) -> Pseudonyms:
    """Return the pseudonyms of a study: public for the demo, else under the user's own key."""
    return Pseudonyms.open() if study.seed is None else Pseudonyms.demo()


def kept_hashes(folder: Path, before: str | date) -> dict[str, str]:
    """SHA-256 of the snapshots kept of earlier days, by their day; for the manifest only."""
    files = [file for file in sorted(folder.glob("*.parquet")) if file.stem < str(as_day(before))]
    return {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
