"""What `ChurnModel` refuses to be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.risk.ladder import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Outcome = Literal["order", "end"]
HORIZONS = (7, 30, 90)
_OUTCOMES = {"order": ("order",), "end": ("end", "lost_reach")}


def refuse_options(
    episodes: pd.DataFrame, *, kind: Kind, outcome: Outcome, penalizer: float, strata: str | None
) -> None:
    """Refuse options of the model that are unknown, or that do not go with the episodes.

    Raises
    ------
    ArgumentError
        Which.
    """
    for name, value, known in (("kind", kind, get_args(Kind)), ("outcome", outcome, get_args(Outcome))):
        if value not in known:
            raise ArgumentError(name, f"{name} is {value!r}", hint=f'{name}="{known[0]}"')
    if not (np.isfinite(penalizer) and penalizer >= 0):
        raise ArgumentError("penalizer", f"penalizer is 0 or more, not {penalizer!r}", hint="penalizer=0.0")
    if strata is not None and kind != "cox":
        raise ArgumentError("strata", "only Cox models have strata", hint='kind="cox"')
    given = episodes.attrs.get("outcome", outcome)
    if given not in _OUTCOMES[outcome]:
        hint = f'ChurnModel(outcome="{"order" if given == "order" else "end"}")'
        raise ArgumentError("outcome", f"the episodes are of the outcome {given!r}", hint=hint)


def refuse_horizons(horizons: Sequence[float], follow_up_days: float) -> None:
    """Refuse horizons that are no days ahead, or that nothing in the training reached.

    Raises
    ------
    ArgumentError
        Which.
    """
    if not len(horizons):
        raise ArgumentError("horizon", "there is no horizon", hint=f"horizons={HORIZONS}")
    for days in horizons:
        if not 0 < days < np.inf:
            what = f"a horizon is a number of days above 0, not {days!r}"
            raise ArgumentError("horizon", what, hint="horizons=(30,)")
        if days > follow_up_days:
            what = f"{days:g} days are beyond the follow-up of the training, {follow_up_days:g} days"
            hint = f"horizons=({follow_up_days:g},), or earlier landmarks"
            raise ArgumentError("horizon", what, hint=hint)
