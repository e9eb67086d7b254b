"""One contestant of the benchmark in a process of its own: ``python contestants.py NAME FILE RESULT``.

The clock runs from before the file is opened until the result stands as a frame; imports are outside. The result is
then written to ``RESULT`` for comparison, and one line of JSON tells the time and the peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Frame = Any
    Contest = Callable[[str], tuple[Frame, dict[str, float]]]

AS_OF, EARLIER = "2026-10-31", "2026-09-30"
COLUMNS = ["order_days", "recency_days", "tenure_days", "spend"]
STUDY = """\
name: bench
timezone: Asia/Shanghai
currency: CNY
tables: {{orders: {{files: {file}}}}}
"""


def toolkit_snapshot() -> Contest:
    """Run this toolkit, gate included: ``gate`` is opening and a fate for every row, ``again`` a second snapshot."""
    study_class = import_module("toolkit.data.warehouse").Warehouse

    def run(file: str) -> tuple[Frame, dict[str, float]]:
        settings = Path(file).with_suffix(".yaml")
        settings.write_text(STUDY.format(file=Path(file).name), encoding="utf-8")
        start = time.perf_counter()
        study = study_class.open(settings)
        study.check(AS_OF)
        gate = time.perf_counter() - start
        found = study.snapshot(AS_OF, columns=COLUMNS).reset_index()
        seconds = time.perf_counter() - start
        study.snapshot(EARLIER, columns=COLUMNS)
        return found, {"gate": gate, "seconds": seconds, "again": time.perf_counter() - start - seconds}

    return run


def duckdb_sql() -> Contest:
    """Run bare SQL: no gate, money summed as floating point."""
    duckdb = import_module("duckdb")

    def run(file: str) -> tuple[Frame, dict[str, float]]:
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
        day = import_module("datetime").date.fromisoformat(AS_OF)
        return duckdb.connect().execute(statement, {"file": file, "as_of": day}).df(), {}

    return run


def polars_groupby() -> Contest:
    """Run polars, lazily and streaming, by customer and day and then by customer: its fastest of those tried."""
    pl = import_module("polars")
    day = import_module("datetime").date.fromisoformat(AS_OF)

    def run(file: str) -> tuple[Frame, dict[str, float]]:
        found = (
            pl.scan_parquet(file)
            .filter(pl.col("ordered_at").dt.date() <= day)
            .group_by("customer_id", pl.col("ordered_at").dt.date().alias("day"))
            .agg(pl.col("amount").sum())
            .group_by("customer_id")
            .agg(pl.len().alias("order_days"), pl.col("day").min().alias("first"), pl.col("day").max().alias("last"),
                 pl.col("amount").sum().alias("spend"))
            .sort("customer_id")
            .select(
                "customer_id",
                "order_days",
                (pl.lit(day) - pl.col("last")).dt.total_days().alias("recency_days"),
                (pl.lit(day) - pl.col("first")).dt.total_days().alias("tenure_days"),
                "spend",
            )
            .collect(engine="streaming")
        )  # fmt: skip
        return found, {}

    return run


def pandas_groupby() -> Contest:
    """Run a pandas group-by with a distinct count."""
    pd = import_module("pandas")

    def run(file: str) -> tuple[Frame, dict[str, float]]:
        lines = pd.read_parquet(file, columns=["customer_id", "ordered_at", "amount"])
        lines["day"] = lines["ordered_at"].dt.normalize()
        end = pd.Timestamp(AS_OF)
        by = lines[lines["day"] <= end].groupby("customer_id")
        found = by.agg(
            order_days=("day", "nunique"), first=("day", "min"), last=("day", "max"), spend=("amount", "sum")
        )
        found["recency_days"] = (end - found["last"]).dt.days
        found["tenure_days"] = (end - found["first"]).dt.days
        return found.reset_index(), {}

    return run


def pymc_rfm_summary(*, sort: bool = True) -> Contest:
    """Run `pymc_marketing.clv.utils.rfm_summary`; asked for all transactions, it returns no tenure."""
    pd = import_module("pandas")
    rfm_summary = import_module("pymc_marketing.clv.utils").rfm_summary

    def run(file: str) -> tuple[Frame, dict[str, float]]:
        lines = pd.read_parquet(file, columns=["customer_id", "ordered_at", "amount"])
        found = rfm_summary(
            lines, "customer_id", "ordered_at", "amount", observation_period_end=AS_OF, include_first_transaction=True,
            sort_transactions=sort,
        )  # fmt: skip
        return found, {}

    return run


def pymc_rfm_summary_sorted() -> Contest:
    """Run the same, told that the lines are in the order of time, which our file happens to be."""
    return pymc_rfm_summary(sort=False)


def lifetimes_summary() -> Contest:
    """Run `lifetimes.utils.summary_data_from_transaction_data`."""
    pd = import_module("pandas")
    summary = import_module("lifetimes.utils").summary_data_from_transaction_data

    def run(file: str) -> tuple[Frame, dict[str, float]]:
        lines = pd.read_parquet(file, columns=["customer_id", "ordered_at", "amount"])
        found = summary(
            lines, "customer_id", "ordered_at", "amount", observation_period_end=AS_OF, include_first_transaction=True
        )
        return found.reset_index(), {}

    return run


CONTESTANTS: dict[str, Callable[[], Contest]] = {
    "toolkit": toolkit_snapshot,
    "duckdb": duckdb_sql,
    "polars": polars_groupby,
    "pandas": pandas_groupby,
    "rfm_summary": pymc_rfm_summary,
    "rfm_summary_sorted": pymc_rfm_summary_sorted,
    "lifetimes": lifetimes_summary,
}


def as_snapshot(name: str, found: Frame) -> Frame:
    """Bring a result to the columns of the snapshot: ``monetary_value`` is a mean over days, ``T`` is the tenure."""
    if name == "polars":
        found = found.to_pandas()
    if "monetary_value" in found.columns:
        found["spend"] = found["monetary_value"] * found["frequency"]
        found = found.rename(columns={"frequency": "order_days", "recency": "recency_days", "T": "tenure_days"})
    if name == "lifetimes":
        found["recency_days"] = found["tenure_days"] - found["recency_days"]
    return found[["customer_id", *(column for column in COLUMNS if column in found.columns)]]


if __name__ == "__main__":
    contestant, source, result = sys.argv[1:]
    contest = CONTESTANTS[contestant]()
    began = time.perf_counter()
    frame, facts = contest(source)
    facts.setdefault("seconds", time.perf_counter() - began)
    facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    as_snapshot(contestant, frame).to_parquet(result, index=False)
    sys.stdout.write(json.dumps(facts))
