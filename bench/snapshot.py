"""How fast `Study.snapshot` is beside its peers: ``python -m bench.snapshot [--rounds 5]``, or ``make bench``.

Ten million order lines of a million customers with text ids, one Parquet file. The clock runs from before the file is
opened until the result stands as a frame; every result is compared with ours.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.harness import FOLDER, Facts, middle, race, ratio, say, table, timed, wanted

ENVIRONMENTS = {
    "toolkit": None,
    "duckdb": None,
    "polars": "polars",
    "pandas": None,
    "rfm_summary": "pymc-marketing",
    "rfm_summary_sorted": "pymc-marketing",
    "lifetimes": "lifetimes",
}
FASTER = {"polars": 2, "pandas": 2, "rfm_summary": 6, "lifetimes": 6}
AS_OF, EARLIER = "2026-10-31", "2026-09-30"
DAY = dt.date.fromisoformat(AS_OF)
COLUMNS = ["order_days", "recency_days", "tenure_days", "spend"]
STUDY = """\
name: bench
timezone: Asia/Shanghai
currency: CNY
tables: {{orders: {{files: {file}}}}}
"""


def data_file(lines: int, customers: int) -> Path:
    """Return the file of order lines, made if it is not there."""
    import pyarrow.parquet as pq

    from bench.orders import order_lines

    file = FOLDER / f"orders_{lines}_{customers}.parquet"
    if not file.exists():
        say(f"making {file.name} ...")
        FOLDER.mkdir(exist_ok=True)
        partial_file = file.with_suffix(".partial")
        pq.write_table(order_lines(lines, customers), partial_file, row_group_size=1_000_000)
        partial_file.rename(file)
    return file


def result_of(name: str) -> Path:
    """Return where a contestant writes its result, for comparison."""
    return FOLDER / f"result_{name}.parquet"


def written(name: str, found: pd.DataFrame, seconds: float, **more: float) -> Facts:
    """Write a result for comparison and return its facts."""
    found[["customer_id", *found.columns.intersection(COLUMNS)]].to_parquet(result_of(name), index=False)
    return {"seconds": seconds} | more


def toolkit(file: str) -> Facts:
    """Run this toolkit: ``gate`` is opening and a fate for every row, ``again`` a second snapshot."""
    import toolkit as tk

    _ = tk.Study
    settings = Path(file).with_suffix(".yaml")
    settings.write_text(STUDY.format(file=Path(file).name), "utf-8")
    start = time.perf_counter()
    study = tk.Study.open(settings)
    study.check(AS_OF)
    gate = time.perf_counter() - start
    found = study.snapshot(AS_OF, columns=COLUMNS).reset_index()
    seconds = time.perf_counter() - start
    again, _ = timed(partial(study.snapshot, EARLIER, columns=COLUMNS))
    return written("toolkit", found, seconds, gate=gate, again=again)


def bare_duckdb(file: str) -> Facts:
    """Run bare SQL: no gate, money summed as floating point."""
    import duckdb

    statement = """
        SELECT customer_id, COUNT(*) AS order_days, DATE_DIFF('day', MAX(day), $as_of) AS recency_days,
               DATE_DIFF('day', MIN(day), $as_of) AS tenure_days, SUM(spend) AS spend
        FROM (
            SELECT customer_id, CAST(ordered_at AS DATE) AS day, SUM(amount) AS spend
            FROM read_parquet($file)
            WHERE ordered_at < $as_of + INTERVAL 1 DAY
            GROUP BY customer_id, day
        )
        GROUP BY customer_id ORDER BY customer_id"""
    seconds, found = timed(lambda: duckdb.connect().execute(statement, {"file": file, "as_of": DAY}).df())
    return written("duckdb", found, seconds)


def polars(file: str) -> Facts:
    """Run polars, lazily and streaming, by customer and day and then by customer: its fastest of those tried."""
    import polars as pl  # type: ignore[import-not-found]

    def work() -> Any:
        by_day = (
            pl.scan_parquet(file)
            .filter(pl.col("ordered_at").dt.date() <= DAY)
            .group_by("customer_id", pl.col("ordered_at").dt.date().alias("day"))
            .agg(pl.col("amount").sum())
        )
        first, last = pl.col("day").min(), pl.col("day").max()
        return (
            by_day.group_by("customer_id")
            .agg(
                pl.len().alias("order_days"),
                (pl.lit(DAY) - last).dt.total_days().alias("recency_days"),
                (pl.lit(DAY) - first).dt.total_days().alias("tenure_days"),
                pl.col("amount").sum().alias("spend"),
            )
            .sort("customer_id")
            .collect(engine="streaming")
        )

    seconds, found = timed(work)
    return written("polars", found.to_pandas(), seconds)


def lines_of(file: str) -> pd.DataFrame:
    return pd.read_parquet(file, columns=["customer_id", "ordered_at", "amount"])


def pandas(file: str) -> Facts:
    """Run a pandas group-by with a distinct count."""

    def work() -> pd.DataFrame:
        lines, end = lines_of(file), pd.Timestamp(AS_OF)
        lines["day"] = lines["ordered_at"].dt.normalize()
        by = lines[lines["day"] <= end].groupby("customer_id")
        found = by.agg(
            order_days=("day", "nunique"), first=("day", "min"), last=("day", "max"), spend=("amount", "sum")
        )
        found["recency_days"] = (end - found["last"]).dt.days
        found["tenure_days"] = (end - found["first"]).dt.days
        return found.reset_index()

    seconds, found = timed(work)
    return written("pandas", found, seconds)


def summary(name: str, function: Any, file: str, **more: Any) -> Facts:
    """Run a peer's summary of transactions: ``monetary_value`` is a mean over days, ``T`` is the tenure."""
    options = {"observation_period_end": AS_OF, "include_first_transaction": True} | more
    seconds, found = timed(lambda: function(lines_of(file), "customer_id", "ordered_at", "amount", **options))
    found = found.reset_index()
    found["spend"] = found["monetary_value"] * found["frequency"]
    found = found.rename(columns={"frequency": "order_days", "recency": "recency_days", "T": "tenure_days"})
    if name == "lifetimes":
        found["recency_days"] = found["tenure_days"] - found["recency_days"]
    return written(name, found, seconds)


def rfm_summary(file: str, *, sort: bool = True) -> Facts:
    """Run pymc-marketing, by default or told that the lines are in the order of time, which ours happen to be."""
    from pymc_marketing.clv import utils  # type: ignore[import-not-found]

    return summary("rfm_summary" if sort else "rfm_summary_sorted", utils.rfm_summary, file, sort_transactions=sort)


def lifetimes(file: str) -> Facts:
    """Run ``summary_data_from_transaction_data``."""
    from lifetimes import utils

    return summary("lifetimes", utils.summary_data_from_transaction_data, file)


CONTESTANTS = {
    "toolkit": toolkit,
    "duckdb": bare_duckdb,
    "polars": polars,
    "pandas": pandas,
    "rfm_summary": rfm_summary,
    "rfm_summary_sorted": partial(rfm_summary, sort=False),
    "lifetimes": lifetimes,
}


def compare(name: str) -> None:
    """Say where a contestant's last result is not ours: customers and days exactly, money to a millionth."""
    ours, theirs = (pd.read_parquet(result_of(who)).set_index("customer_id").sort_index() for who in ("toolkit", name))
    if list(ours.index) != list(theirs.index):
        say(f"  NOT THE SAME RESULT: {len(theirs):,} customers, not the same as our {len(ours):,}")
        return
    for column in theirs.columns:
        left, right = (frame[column].to_numpy(dtype=float) for frame in (ours, theirs))
        same = np.isclose(left, right, rtol=1e-9, atol=1e-6) if column == "spend" else left == right
        if not same.all():
            say(f"  NOT THE SAME RESULT: {column} differs for {int((~same).sum()):,} customers")


def main() -> None:
    """Make what is missing, run the rounds, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--contestants", nargs="+", default=list(ENVIRONMENTS), choices=list(ENVIRONMENTS))
    options = parser.parse_args()
    file = data_file(options.lines, options.customers)
    names = {name: ENVIRONMENTS[name] for name in dict.fromkeys(["toolkit", *options.contestants])}
    runs = race("bench.snapshot", names, options.rounds, after=compare, file=str(file))
    table(runs, "toolkit")
    for name in FASTER.keys() & runs.keys():
        wanted(f"{name} / ours", ratio(runs, name, "toolkit"), least=FASTER[name])
    say(f"the gate alone (open, and a fate for every row): {middle(runs, 'toolkit', 'gate'):.2f} s")
    say(f"a second snapshot of the same study, at another day: {middle(runs, 'toolkit', 'again'):.2f} s")


if __name__ == "__main__":
    main()
