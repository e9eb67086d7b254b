"""The made-up course seller's experiment: who got which arm, and lessons with a known effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.data import synthetic_community as community
from toolkit.data import synthetic_market as market
from toolkit.data.synthetic_columns import DAY_SECONDS, choose, clock, labelled, moments, text
from toolkit.data.synthetic_engagement import LESSON_COUNTS, lesson_of, taken

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
_TRIAL = next(code for code, item in enumerate(market.PRODUCTS.values()) if item.kind == "trial")


def layer_times(bought: pd.DataFrame, size: int) -> NDArray[np.int64]:
    """Return when each customer first reached each layer or a higher one: (layers, customers), second or `NEVER`."""
    times = np.full((len(market.LAYERS), size), NEVER)
    for layer in range(len(market.LAYERS)):
        reached = bought.loc[bought["layer"] >= layer].iloc[::-1]
        times[layer, reached["customer"]] = reached["second"]
    return times


def tier_at(times: NDArray[np.int64], customer: NDArray[np.int32], second: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the tier of customers at a time: how many layers they had reached before it."""
    tier: NDArray[np.int8] = (times[:, customer] < second).sum(axis=0, dtype=np.int8)
    return tier


def assign(rng: np.random.Generator, people: pd.DataFrame, times: NDArray[np.int64], days: int) -> pd.DataFrame:
    """Assign who joined before, one to one within each tier.

    Returns
    -------
    pandas.DataFrame
        ``customer``, ``second`` (of the assignment), ``tier`` and ``arm`` (codes).
    """
    size = len(people)
    day = days - community.ASSIGNED_BEFORE + rng.integers(0, community.ASSIGNED_WITHIN, size)
    second = day * DAY_SECONDS + rng.integers(9 * 3_600, 18 * 3_600, size)
    customer = np.flatnonzero(people["joined_second"].to_numpy() < second).astype(np.int32)
    second = second[customer]
    tier = tier_at(times, customer, second)
    order = np.lexsort((rng.random(len(customer)), tier))
    arm = np.zeros(len(customer), dtype=np.int8)
    arm[order] = np.arange(len(customer)) % len(community.ARMS)
    return pd.DataFrame({"customer": customer, "second": second, "tier": tier, "arm": arm})


def window_starts(units: pd.DataFrame, size: int) -> NDArray[np.int64]:
    """Return from when each customer's outcome counts, in seconds; -1 for those who are no units."""
    starts = np.full(size, -1, dtype=np.int64)
    starts[units["customer"]] = units["second"]
    return starts


def completion_probabilities(units: pd.DataFrame, level: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability that each unit completes a lesson in its window: (arms, units), known exactly.

    Notes
    -----
    Units that have left cannot complete any. The effect on the others is the tier's (`synthetic_community.EFFECTS`)
    over the share still there, so that the average over all units of a tier is the tier's.
    """
    mine = level.take(units["customer"].to_numpy())
    there = (mine["leaves"].to_numpy() >= units["second"].to_numpy() // DAY_SECONDS + 2).astype(np.float64)
    engagement = mine["engagement"].to_numpy()
    keen = mine["completion"].to_numpy() * engagement / (1 + engagement)
    tier = units["tier"].to_numpy()
    of_tier = np.bincount(tier, minlength=len(community.TIERS))
    still = np.bincount(tier, weights=there, minlength=len(community.TIERS))
    effect = np.minimum(np.array(community.EFFECTS) * of_tier / np.maximum(still, 1), community.LARGEST_EFFECT)
    control = there * (community.BASE_COMPLETES + community.COMPLETES * keen)
    return np.stack([control, control + there * effect[tier]])


def true_effects(units: pd.DataFrame, probabilities: NDArray[np.float64]) -> pd.DataFrame:
    """Return the known effect per tier; see `toolkit.data.synthetic.Business`."""
    added = pd.Series(probabilities[1] - probabilities[0]).groupby(units["tier"]).mean()
    added = added.reindex(range(len(community.TIERS)))
    mean_lessons = np.average(1 + np.arange(len(community.LESSONS_DONE)), weights=community.LESSONS_DONE)
    arms = {
        f"{name}_units": np.bincount(units.loc[units["arm"] == arm, "tier"], minlength=len(community.TIERS))
        for arm, name in enumerate(community.ARMS)
    }
    return pd.DataFrame(
        {
            "tier": community.TIERS,
            "effect_points": 100 * added.to_numpy(),
            "effect_lessons": mean_lessons * added.to_numpy(),
            **arms,
        }
    )


def outcome_lessons(
    rng: np.random.Generator,
    people: pd.DataFrame,
    level: pd.DataFrame,
    *,
    bought: pd.DataFrame,
    units: pd.DataFrame,
    probabilities: NDArray[np.float64],
) -> list[pd.DataFrame]:
    """Draw the lessons of the units in their windows: of the last course bought before, else of the free trial."""
    size, arm = len(units), units["arm"].to_numpy()
    completes = rng.random(size) < probabilities[arm, np.arange(size)]
    starts = ~completes & (probabilities[0] > 0) & (rng.random(size) < community.ONLY_STARTED)
    number = np.where(completes, 1 + choose(rng, community.LESSONS_DONE, size), starts)
    unit = np.repeat(np.arange(size), number)
    customer = units["customer"].to_numpy()[unit]
    first = units["second"].to_numpy()[unit] // DAY_SECONDS + 1
    span = np.minimum(community.OUTCOME_DAYS - 1, level["leaves"].to_numpy()[customer] - first)
    at = first + rng.random(len(unit)) * span
    at = at[np.lexsort((at, unit))]
    product = _last_bought(bought, units)
    done_before = rng.integers(0, LESSON_COUNTS[product] - len(community.LESSONS_DONE) + 1)
    place = np.arange(len(unit)) - np.searchsorted(unit, unit)
    content = lesson_of(product[unit], done_before[unit] + place)
    second = clock(at, people["persona"].to_numpy()[customer])
    return list(taken(rng, customer, second, content, completes[unit]))


def _last_bought(bought: pd.DataFrame, units: pd.DataFrame) -> NDArray[np.int8]:
    product = np.full(len(units), _TRIAL, dtype=np.int8)
    has_bought = units["tier"].to_numpy() > 0
    width = np.int64(1 + max(bought["second"].max(), units["second"].max())) if has_bought.any() else np.int64(1)
    keys = bought["customer"].to_numpy() * width + bought["second"].to_numpy()
    mine = units["customer"].to_numpy() * width + units["second"].to_numpy()
    place = np.searchsorted(keys, mine[has_bought]) - 1
    product[has_bought] = bought["product"].to_numpy()[place]
    return product


def exported_assignments(units: pd.DataFrame, ids: pa.Array, origin: np.datetime64) -> pd.DataFrame:
    """Return the assignments in order of time; see `toolkit.data.synthetic.course_seller` for the columns."""
    units = units.sort_values("second", kind="stable")
    experiment = np.zeros(len(units), dtype=np.int8)
    return pd.DataFrame(
        {
            "experiment_id": labelled(experiment, (community.EXPERIMENT,)),
            "customer_id": text(ids.take(units["customer"].to_numpy())),
            "arm": labelled(units["arm"], community.ARMS),
            "assigned_at": moments(origin, units["second"]),
            "tier": labelled(units["tier"], community.TIERS, ordered=True),
        }
    )
