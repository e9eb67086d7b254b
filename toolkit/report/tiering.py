"""Tiers as a page shows them: every scheme with its classes, small ones hidden with whatever tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.report.note import Note
from toolkit.report.small_cells import HIDDEN, Mark, suppress_small
from toolkit.segments.classify import SCORED
from toolkit.segments.portrait_index import TIER
from toolkit.segments.scheme_summary import SCHEME, scheme_summary
from toolkit.segments.tiers import Tiers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.frame import Frame
    from toolkit.segments.rfm import RFM

_COUNT = "customers"
_BETWEEN = {"zh": "、", "en": ", "}


def tiers_at(study: Warehouse, as_of: date) -> tuple[Tiers, pd.DataFrame]:
    """Learn the tiers of a study on its cut date and read them at a day; a snapshot is asked for once a day."""
    learned_at = study.cuts_date(as_of)
    snap = study.snapshot(as_of, cuts_at=learned_at)
    tiers = Tiers(study).fit(snap if learned_at == as_of else study.snapshot(learned_at, cuts_at=learned_at))
    return tiers, tiers.transform(snap)


def scored_at(study: Warehouse, as_of: date, rfm: RFM) -> pd.DataFrame:
    """Score the snapshot of another day with cut points that were learned already."""
    return rfm.transform(study.snapshot(as_of, columns=list(SCORED)))


def schemes(tiered: pd.DataFrame, names: Sequence[str], *, frame: Frame) -> pd.DataFrame:
    """Return ``scheme_summary``; small classes are hidden where the page is published, with whatever tells them.

    Notes
    -----
    A class that is made of whole classes of another scheme is hidden where one of these is: its count, less those that
    are shown, would tell.
    """
    table = scheme_summary(tiered, names)
    if not frame.min_cell:
        return table
    parts = {
        str(name): suppress_small(part, counts=_COUNT, min_cell=frame.min_cell)
        for name, part in table.groupby(level=SCHEME, sort=False)
    }
    hidden = {name: _tiers_of(part.index[part[_COUNT].map(_is_mark)]) for name, part in parts.items()}
    for union in names:
        for fine in names:
            if fine != union and hidden[fine]:
                for tier in _made_of(tiered, union, fine, hidden[fine]) - hidden[union]:
                    hidden[union].add(tier)
                    parts[union] = parts[union].astype(object)
                    parts[union].loc[(union, tier)] = HIDDEN
    return pd.concat([parts[name] for name in names])


def named(table: pd.DataFrame, *, frame: Frame) -> pd.DataFrame:
    """Write the names of schemes and classes; a scheme's own name stands in its first row."""
    words = frame.words
    keys = [(str(scheme), str(tier)) for scheme, tier in table.index]
    first = ["", *(scheme for scheme, _ in keys)]
    names = ["" if scheme == before else words.scheme(scheme) for (scheme, _), before in zip(keys, first, strict=False)]
    index = pd.MultiIndex.from_arrays([names, [words.tier(*key) for key in keys]], names=table.index.names)
    return table.set_axis(index)


def left_out(tiers: Tiers, *, frame: Frame) -> Note | None:
    """Say which schemes this study cannot have."""
    words = frame.words
    names = _BETWEEN[words.language].join(words.scheme(name) for name in tiers.left_out_)
    return Note(words.say("schemes_left_out", names=names)) if names else None


def _tiers_of(index: pd.Index[Any]) -> set[str]:
    return set(map(str, index.get_level_values(TIER)))


def _is_mark(value: object) -> bool:
    return isinstance(value, Mark)


def _made_of(tiered: pd.DataFrame, union: str, fine: str, hidden: set[str]) -> set[str]:
    """Return the classes of ``union`` that are made of whole classes of ``fine``, a hidden one among them."""
    pairs = tiered[[union, fine]].drop_duplicates().astype(str)
    shared = set(pairs[fine][pairs[fine].duplicated(keep=False)])
    torn = set(pairs[union][pairs[fine].isin(shared)])
    return set(pairs[union][pairs[fine].isin(hidden)]) - torn
