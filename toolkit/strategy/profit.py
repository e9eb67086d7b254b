"""What an arm earns per unit, after what its offer costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.strategy.effect_tables import Effects
    from toolkit.strategy.experiment import Profit

COLUMNS = ["arm", "tier", "n", "value_lift", "cost", "lift", "lower", "upper", "total"]
TOTAL = "total"


def profit_table(
    found: Effects, profit: Profit | None, control: str, customers: dict[str, NDArray[np.float64]]
) -> pd.DataFrame:
    """Return profit per unit by arm and tier, the overall one last.

    Parameters
    ----------
    found
        Effects, the metric of money among them.
    profit
        Which metric is money, the margin on it, and what each arm's offer costs per unit; None: an empty table.
    control
        Its own cost is saved where another arm is given.
    customers
        Arm -> customers by tier.

    Returns
    -------
    DataFrame
        ``arm tier n value_lift cost lift lower upper total``: ``lift`` = margin x ``value_lift`` less ``cost`` (of the
        arm, less that of control), per unit; ``total`` = ``lift`` x ``n``, the customers who were in the arm.
    """
    if profit is None:
        return pd.DataFrame(columns=COLUMNS)
    rows = slice(None) if found.tiers else slice(-1, None)
    parts = []
    for arm in found.arms:
        at = found.at(profit.of, arm)
        value = {name: found.columns[name][at, rows] for name in ("lift", "lower", "upper")}
        n = np.append(customers[arm], customers[arm].sum())[rows]
        cost = profit.offer_cost.get(arm, 0.0) - profit.offer_cost.get(control, 0.0)
        earned = {name: profit.margin * each - cost for name, each in value.items()}
        names = {"arm": arm, "tier": [*found.tiers, TOTAL], "n": n.astype(np.int64)}
        money = {"value_lift": value["lift"], "cost": cost, **earned, "total": earned["lift"] * n}
        parts.append(pd.DataFrame(names | money))
    return pd.concat(parts, ignore_index=True)
