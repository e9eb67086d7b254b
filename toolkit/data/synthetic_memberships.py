"""The made-up course seller's memberships and surveys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.data import synthetic_community as community
from toolkit.data.synthetic_columns import DAY_SECONDS, choose, clock, labelled, moments, text, within
from toolkit.data.synthetic_experiment import NEVER

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def memberships(
    rng: np.random.Generator, times: NDArray[np.int64], days: int
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Draw periods and renewals of those who become members on reaching a layer.

    Parameters
    ----------
    rng
        Where chance comes from.
    times
        When each customer reached each layer, as `synthetic_experiment.layer_times` returns it.
    days
        Length of the whole time.

    Returns
    -------
    periods : pandas.DataFrame
        ``customer``, ``start``, ``end`` and ``cancelled`` (seconds; -1 where not cancelled by ``as_of``).
    renewal : numpy.ndarray
        Each customer's probability of each renewal; missing for those who are no members.
    """
    size, last = len(times[0]), days * DAY_SECONDS
    chosen = rng.random(times.shape) < np.array(community.MEMBERS)[:, None]
    reached: NDArray[np.int64] = np.minimum.reduce(np.where(chosen, times, NEVER))
    wait = rng.integers(60, 3_600, size)
    member = np.flatnonzero(reached < last - wait)
    start = reached[member] + wait[member]
    layer = (times[:, member] <= reached[member]).sum(axis=0) - 1
    plan = choose(rng, [kind.share for kind in community.PLANS], len(member))
    renewal = np.array([kind.renewal for kind in community.PLANS])[plan, layer]
    length = np.array([kind.days for kind in community.PLANS])[plan] * DAY_SECONDS
    wanted = rng.geometric(1 - renewal)
    count = np.minimum(wanted, (last - 1 - start) // length + 1)
    cancels = (rng.random(len(member)) < community.CANCELLED) & (wanted == count)
    cancelled = start + count * length - 1 - (rng.random(len(member)) * (length - 1)).astype(np.int64)
    row, number = np.repeat(np.arange(len(member)), count), within(count)
    begins = start[row] + number * length[row]
    ended = cancels[row] & (number == count[row] - 1) & (cancelled[row] < last)
    periods = pd.DataFrame(
        {
            "customer": member[row],
            "start": begins,
            "end": begins + length[row],
            "cancelled": np.where(ended, cancelled[row], -1),
        }
    )
    probability = np.full(size, np.nan)
    probability[member] = renewal
    return periods, probability


def exported_memberships(periods: pd.DataFrame, ids: pa.Array, origin: np.datetime64) -> pd.DataFrame:
    """Return the periods in order of their starts; see `toolkit.data.synthetic.course_seller` for the columns."""
    periods = periods.sort_values("start", kind="stable")
    cancelled = moments(origin, periods["cancelled"])
    cancelled[periods["cancelled"].to_numpy() < 0] = np.datetime64("NaT")
    return pd.DataFrame(
        {
            "customer_id": text(ids.take(periods["customer"].to_numpy())),
            "starts_at": moments(origin, periods["start"]),
            "ends_at": moments(origin, periods["end"]),
            "cancelled_at": cancelled,
        }
    )


def surveys(
    rng: np.random.Generator,
    people: pd.DataFrame,
    process: pd.DataFrame,
    level: pd.DataFrame,
    *,
    bought: pd.DataFrame,
    days: int,
) -> pd.DataFrame:
    """Draw answers after purchases: ``customer``, ``second``, ``kind`` (code) and ``score``."""
    parts = []
    for kind, share in enumerate(community.ANSWERED):
        row = np.flatnonzero(rng.random(len(bought)) < share)
        customer = bought["customer"].to_numpy()[row]
        at = bought["at"].to_numpy()[row] + rng.exponential(community.ANSWER_DAYS[kind], len(row))
        part = rng.normal(community.SCORE_LEVEL, community.SCORE_NOISE, len(row))
        part += community.SCORE_SPEND * process["spend_level"].to_numpy()[customer]
        part += community.SCORE_COMPLETION * (level["completion"].to_numpy()[customer] - 0.5)
        low, high = community.LOWEST[kind], community.HIGHEST[kind]
        score = np.clip(np.rint(low + part * (high - low)), low, high).astype(np.int64)
        kept = at < np.minimum(level["leaves"].to_numpy()[customer], days)
        answers = {"customer": customer, "at": at, "kind": np.int8(kind), "score": score}
        parts.append(pd.DataFrame(answers)[kept])
    answered: pd.DataFrame = pd.concat(parts, ignore_index=True)
    persona = people["persona"].to_numpy()[answered["customer"]]
    answered["second"] = clock(answered["at"].to_numpy(), persona)
    return answered


def exported_surveys(answered: pd.DataFrame, ids: pa.Array, origin: np.datetime64) -> pd.DataFrame:
    """Return the answers in order of time; see `toolkit.data.synthetic.course_seller` for the columns."""
    answered = answered.sort_values("second", kind="stable")
    return pd.DataFrame(
        {
            "customer_id": text(ids.take(answered["customer"].to_numpy())),
            "answered_at": moments(origin, answered["second"]),
            "kind": labelled(answered["kind"], community.SURVEY_KINDS),
            "score": answered["score"].to_numpy(),
        }
    )
