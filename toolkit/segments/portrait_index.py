"""What a group's share is beside everybody's: 100 is the same, 200 twice as much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

TIER = "tier"


def against_everybody(counts: pd.DataFrame, of: pd.DataFrame) -> pd.DataFrame:
    """Compare each group's share of customers with that of all groups together.

    Parameters
    ----------
    counts
        Customers: one row per thing, one column per group.
    of
        Of how many, of the same shape.

    Returns
    -------
    DataFrame
        One row per thing and group (last index level ``tier``): ``customers``, ``of``, ``share``, ``everybody`` (the
        share of all groups together), ``index`` (100 is everybody's share), ``lower`` and ``upper`` (95 % Wilson
        interval of the group's share, as an index; everybody's share is taken as known).

    Examples
    --------
    >>> counts, of = (pd.DataFrame([row], index=["f"], columns=["a", "b"]) for row in ([30, 10], [40, 40]))
    >>> against_everybody(counts, of)[["share", "everybody", "index"]]
            share  everybody  index
      tier
    f a      0.75        0.5  150.0
      b      0.25        0.5   50.0
    """
    things = [counts.index.get_level_values(level) for level in range(counts.index.nlevels)]
    arrays = [thing.repeat(counts.shape[1]) for thing in things]
    index = pd.MultiIndex.from_arrays(
        [*arrays, np.tile(counts.columns.to_numpy(), len(counts))], names=[*counts.index.names, TIER]
    )
    told = pd.DataFrame({"customers": counts.to_numpy().ravel().astype("int64")}, index=index)
    told["of"] = of.to_numpy().ravel().astype("int64")
    hits, whole = counts.sum(axis="columns").to_numpy(), of.sum(axis="columns").to_numpy()
    told["share"] = shares(told["customers"], told["of"])
    told["everybody"] = np.repeat(shares(hits, whole), counts.shape[1])
    lower, upper = wilson(told["customers"], told["of"])
    for name, values in (("index", told["share"]), ("lower", lower), ("upper", upper)):
        told[name] = 100 * shares(values, told["everybody"])
    return told


def shares(part: ArrayLike, whole: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Divide; missing where the whole is not above 0."""
    below = np.asarray(whole, dtype=np.float64)
    return np.asarray(part, dtype=np.float64) / np.where(below > 0, below, np.nan)


def strongest(told: pd.DataFrame, *, each: int, min_cell: int) -> pd.DataFrame:
    """Pick what marks each group: the shares that are surely above or below everybody's.

    Parameters
    ----------
    told
        Output of `against_everybody`.
    each
        How many rows at most, above and below, per group.
    min_cell
        Shares that rest on fewer customers are left out; for those below everybody's it is the expected count that
        must reach it.

    Returns
    -------
    DataFrame
        Rows of ``told`` in the order of groups, the surest first, with ``side`` (``over`` or ``under``).

    Notes
    -----
    Ranked by the end of the interval that is nearer to 100, so that a few customers cannot make a trait. Of many
    shares compared, one in twenty lies outside its interval by chance: read them as hints.
    """
    over = (told["lower"] > 100) & (told["customers"] >= min_cell)
    under = (told["upper"] < 100) & (told["of"] * told["everybody"] >= min_cell)
    marked = told[over | under].assign(side=np.where(over[over | under], "over", "under"))
    near = marked["lower"].where(marked["side"] == "over", marked["upper"])
    marked["surely"] = np.abs(np.log(np.maximum(near.to_numpy(dtype=np.float64), 1e-9) / 100))
    ranked = marked.sort_values("surely", ascending=False, kind="stable")
    kept = ranked.groupby([TIER, "side"], observed=True, sort=False).head(each)
    order = {name: place for place, name in enumerate(dict.fromkeys(told.index.get_level_values(TIER)))}
    place = kept.index.get_level_values(TIER).map(order)
    sorted_rows = kept.assign(place=place).sort_values(["place", "side"], kind="stable")
    return sorted_rows.drop(columns=["place", "surely"])
