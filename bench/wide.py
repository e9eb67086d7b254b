"""How long a snapshot of everything takes: ``python -m bench.wide``, and with ``--orders-only``.

Wide: 10 M order lines, 1 M customers, 30 M events, 10 M contacts, and the smaller tables, one Parquet file each.
Orders only: 100 M order lines of 10 M customers in ten files. The time includes opening the study and a fate for every
row.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.harness import FOLDER, Facts, peak_mb, race, say, table, timed
from bench.orders import FIRST_DAY, LAST_DAY, order_lines

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = "2026-10-31"
STUDY = "name: bench\ntimezone: Asia/Shanghai\ncurrency: CNY\ntables:\n"
KINDS = ("open", "view", "click", "like", "comment", "share", "check_in", "lesson_start", "lesson_complete", "login")
KIND_SHARES = (0.2, 0.3, 0.1, 0.06, 0.02, 0.02, 0.1, 0.08, 0.05, 0.07)


def log(random: np.random.Generator, rows: int, names: pa.Array, when: str, visit: int = 1) -> dict[str, pa.Array]:
    """Draw customers, skewed, and moments, in order, for a log; a visit holds so many rows, a minute apart."""
    rate = random.gamma(0.7, size=len(names))
    visits = rows // visit
    who = np.repeat(random.choice(len(names), size=visits, p=rate / rate.sum()), visit)
    seconds = int((LAST_DAY - FIRST_DAY + 1) / np.timedelta64(1, "s")) - 60 * visit
    starts = np.repeat(np.sort(random.integers(seconds, size=visits)), visit)
    moments = FIRST_DAY + (starts + 60 * np.tile(np.arange(visit), visits)).astype("timedelta64[s]")
    return {"customer_id": names.take(pa.array(who)), when: pa.array(moments.astype("datetime64[us]"))}


def write_wide(folder: Path, lines: int, customers: int, events: int, seed: int = 12) -> None:
    """Write one Parquet file per table."""
    random = np.random.default_rng(seed)
    orders = order_lines(lines, customers)
    product = pa.array([f"P{number:04d}" for number in range(300)])
    orders = orders.append_column("product_id", product.take(pa.array(random.integers(300, size=lines))))
    listed = np.round(orders["amount"].to_numpy() * random.choice([1.0, 1.1, 1.5], size=lines), 2)
    pq.write_table(orders.append_column("list_price", pa.array(listed)), folder / "orders.parquet")
    names = pa.array([f"C{1_000_000 + number:09d}" for number in range(customers)])
    joined = FIRST_DAY + random.integers(1_000, size=customers).astype("timedelta64[D]")
    people = {
        "customer_id": names,
        "joined_at": pa.array(joined.astype("datetime64[us]")),
        "persona": pa.array(["a", "b", "c"]).take(pa.array(random.integers(3, size=customers))),
        "referred_by": names.take(pa.array(random.integers(customers, size=customers))),
    }
    pq.write_table(pa.table(people), folder / "customers.parquet")
    content = pa.array([*(f"P{number:04d}" for number in range(300)), *(f"L{number:04d}" for number in range(2_000))])
    acts = log(random, events, names, "occurred_at", visit=5) | {
        "kind": pa.array(KINDS).take(pa.array(random.choice(len(KINDS), size=events, p=KIND_SHARES))),
        "content_id": content.take(pa.array(random.integers(len(content), size=events))),
        "duration_seconds": pa.array(random.integers(1, 600, size=events).astype("float64")),
    }
    pq.write_table(pa.table(acts), folder / "events.parquet")
    messages = log(random, lines, names, "sent_at") | {
        "delivered": pa.array(random.random(lines) < 0.98),
        "opened": pa.array(random.random(lines) < 0.3),
        "opted_out": pa.array(random.random(lines) < 0.001),
    }
    pq.write_table(pa.table(messages), folder / "contacts.parquet")
    few = lines // 10
    answers = log(random, few, names, "answered_at") | {
        "kind": pa.array(["nps"] * few),
        "score": pa.array(random.integers(0, 11, size=few)),
    }
    pq.write_table(pa.table(answers), folder / "surveys.parquet")
    periods = log(random, few, names, "starts_at")
    ends = periods["starts_at"].to_numpy() + np.timedelta64(365, "D")
    pq.write_table(pa.table(periods | {"ends_at": pa.array(ends)}), folder / "memberships.parquet")


def write_orders(folder: Path, lines: int, customers: int, files: int = 10) -> None:
    """Write orders in several files, one span of time each, so that no order stands in two."""
    for number in range(files):
        part = order_lines(lines // files, customers, seed=100 + number)
        span = (LAST_DAY - FIRST_DAY + 1) / files
        shift = part["ordered_at"].to_numpy() - FIRST_DAY.astype("datetime64[us]")
        start = FIRST_DAY.astype("datetime64[us]") + np.timedelta64(int(number * span / np.timedelta64(1, "us")), "us")
        moment = start + (shift / files).astype("timedelta64[us]")
        order = pa.compute.binary_join_element_wise(part["order_id"], str(number), "-")
        part = part.set_column(1, "ordered_at", pa.array(moment)).set_column(2, "order_id", order)
        pq.write_table(part, folder / f"orders-{number:02d}.parquet", row_group_size=1_000_000)


def everything(settings: str) -> Facts:
    """Open the study, give every row a fate, make the whole snapshot; ``again`` is a second one at another day."""
    import toolkit as tk

    start = time.perf_counter()
    study = tk.Study.open(settings)
    study.check(AS_OF)
    gate = time.perf_counter() - start
    found = study.snapshot(AS_OF)
    seconds = time.perf_counter() - start
    first_peak = peak_mb()
    again, _ = timed(partial(study.snapshot, "2026-07-31"))
    customers, columns = found.shape
    return {
        "seconds": seconds, "gate": gate, "again": again, "peak_of_one": first_peak, "customers": customers,
        "columns": columns,
    }  # fmt: skip


CONTESTANTS = {"toolkit": everything}


def study_file(*, orders_only: bool, scale: float) -> Path:
    """Return the study's file, all made if it is not there."""
    folder = FOLDER / f"{'orders_only' if orders_only else 'wide'}_{scale:g}"
    settings = folder / "study.yaml"
    if settings.exists():
        return settings
    folder.mkdir(parents=True, exist_ok=True)
    say(f"making {folder.name} ...")
    if orders_only:
        write_orders(folder, int(100_000_000 * scale), int(10_000_000 * scale))
        settings.write_text(f"{STUDY}  orders: {{files: 'orders-*.parquet'}}\n", encoding="utf-8")
        return settings
    write_wide(folder, int(10_000_000 * scale), int(1_000_000 * scale), int(30_000_000 * scale))
    tables = ("orders", "customers", "events", "contacts", "surveys", "memberships")
    named = "".join(f"  {name}: {{files: {name}.parquet}}\n" for name in tables)
    settings.write_text(STUDY + named, encoding="utf-8")
    return settings


def main() -> None:
    """Make what is missing, measure in fresh processes, and say the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders-only", action="store_true", help="100 M order lines of 10 M customers, nothing else")
    parser.add_argument("--scale", type=float, default=1.0, help="of the rows")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    settings = study_file(orders_only=options.orders_only, scale=options.scale)
    runs = race("bench.wide", dict.fromkeys(CONTESTANTS), options.rounds, settings=str(settings))
    table(runs, "toolkit", ["gate", "seconds", "again", "peak_of_one", "peak_mb", "customers", "columns"])


if __name__ == "__main__":
    main()
