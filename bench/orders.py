"""The order lines of the benchmarks, the same bytes every time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

FIRST_DAY, LAST_DAY = np.datetime64("2023-11-01"), np.datetime64("2026-10-31")


def order_lines(lines: int, customers: int, seed: int = 11) -> pa.Table:
    """Make order lines as a shop's database would export them, in the order of time.

    Parameters
    ----------
    lines
        About how many order lines; an order has one to four, with one id and one time.
    customers
        How many customers there are; how often they buy is gamma-skewed, so some never do.
    seed
        Seed of everything.

    Returns
    -------
    pyarrow.Table
        ``customer_id ordered_at order_id amount``: text ids, local times, amounts with two decimals.

    Examples
    --------
    >>> table = order_lines(1_000, 100)
    >>> table.num_rows, table["customer_id"][0].as_py(), table["order_id"][0].as_py()
    (1000, 'C001000059', 'O000000000')
    """
    random = np.random.default_rng(seed)
    rate = random.gamma(0.7, size=customers)
    sizes = random.choice([1, 2, 3, 4], size=lines, p=[0.45, 0.3, 0.15, 0.1])
    orders = int(np.searchsorted(np.cumsum(sizes), lines)) + 1
    order = np.repeat(np.arange(orders), sizes[:orders])[:lines]
    buyer = random.choice(customers, size=orders, p=rate / rate.sum())
    seconds = int((LAST_DAY - FIRST_DAY + 1) / np.timedelta64(1, "s"))
    time = FIRST_DAY + np.sort(random.integers(seconds, size=orders)).astype("timedelta64[s]")
    names = pa.array([f"C{1_000_000 + number:09d}" for number in random.permutation(customers)])
    numbers = pa.array([f"O{number:09d}" for number in range(orders)])
    return pa.table(
        {
            "customer_id": names.take(pa.array(buyer[order])),
            "ordered_at": pa.array(time[order].astype("datetime64[us]")),
            "order_id": numbers.take(pa.array(order)),
            "amount": pa.array(np.round(random.lognormal(4, 1, size=lines), 2)),
        }
    )
