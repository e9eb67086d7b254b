"""The made-up course seller's orders: purchases, what the till adds to them, refunds and blemishes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.data import synthetic_market as market
from toolkit.data.synthetic_columns import DAY_SECONDS, choose, clock, labelled, moments, numbered, text, within

PAID, CANCELLED = 0, 1
_PRODUCTS = list(market.PRODUCTS)


def _codes(kind: str, layer: int) -> list[int]:
    return [code for code, item in enumerate(market.PRODUCTS.values()) if (item.kind, item.layer) == (kind, layer)]


def purchases(rng: np.random.Generator, people: pd.DataFrame, process: pd.DataFrame) -> pd.DataFrame:
    """Draw the purchases of the process: one row each, by customer and time.

    Returns
    -------
    pandas.DataFrame
        ``customer`` (row of ``people``), ``at`` (process days), ``second`` (since the first midnight), ``layer`` and
        ``product`` (codes).
    """
    buyer, span = process["buyer"].to_numpy(), process["exposure_days"].to_numpy()
    repeats = rng.poisson(np.where(buyer, process["purchase_rate"].to_numpy() * span, 0.0))
    count = repeats + buyer
    customer = np.repeat(np.arange(len(people), dtype=np.int32), count)
    earlier = within(count)
    part = np.zeros(len(customer))
    part[earlier > 0] = rng.random(int(repeats.sum()))
    part = part[np.lexsort((part, customer))]

    level = process["spend_level"].to_numpy()[customer]
    chance = rng.logistic(0.0, market.WISH_NOISE, len(customer))
    wish = market.LEVEL_COUNTS * level + market.CLIMB * np.log1p(earlier) + chance
    layer = (wish >= market.ENTRY_AT).astype(np.int8) + (wish >= market.PREMIUM_AT)
    chance = rng.logistic(0.0, market.TASTE_NOISE, len(customer))
    taste = market.TASTE_LEVEL * level + chance - market.PREMIUM_RESTRAINT * (layer == 2)
    courses = [_codes("course", at) for at in range(len(market.LAYERS))]
    cheapest, offered = np.array([row[0] for row in courses]), np.array([len(row) for row in courses])
    at = process["first"].to_numpy()[customer] + part * span[customer]
    return pd.DataFrame(
        {
            "customer": customer,
            "at": at,
            "second": clock(at, people["persona"].to_numpy()[customer]),
            "layer": layer,
            "product": (cheapest[layer] + np.floor(offered[layer] / (1.0 + np.exp(-taste)))).astype(np.int8),
        }
    )


def till(
    rng: np.random.Generator, people: pd.DataFrame, process: pd.DataFrame, bought: pd.DataFrame, days: int
) -> pd.DataFrame:
    """Write order lines in order of time: purchases with their materials, cancelled attempts, free trials.

    Returns
    -------
    pandas.DataFrame
        ``order`` (numbered by time from 1), ``line`` (from 1), ``customer``, ``second``, ``product``, ``quantity``,
        ``cents``, ``status`` and ``channel`` (codes).
    """
    size, upper = len(bought), bought["layer"].to_numpy() > 0
    percent = np.array(list(market.DISCOUNTS))[choose(rng, list(market.DISCOUNTS.values()), size)]
    courses = bought[["customer", "second", "product"]].assign(
        order=np.arange(size),
        line=1,
        status=PAID,
        quantity=1 + ((bought["layer"] < 2) & (rng.random(size) < market.TWICE)),
        percent=np.where(upper, percent, 100),
        channel=choose(rng, list(market.SALES_CHANNELS.values()), size),
    )
    extra = np.where(upper, choose(rng, market.MATERIALS, size), 0)
    materials = courses.loc[np.repeat(courses.index, extra)].assign(quantity=1, percent=100)
    materials["line"] = 2 + materials.groupby("order").cumcount()
    kinds = np.array(_codes("material", 0))
    turn = rng.integers(0, len(kinds), size)[materials["order"]] + materials["line"]
    materials["product"] = kinds[turn % len(kinds)]
    lines = _joined(courses, materials)

    attempted, earlier = rng.random(size) < market.CANCELLED, rng.integers(60, 1_800, size)
    attempts = lines.loc[attempted[lines["order"]]].assign(status=CANCELLED)
    joined = people["joined_second"].to_numpy()[attempts["customer"]]
    attempts["second"] = np.maximum(attempts["second"] - earlier[attempts["order"]], joined)
    attempts["order"] += size

    trial_at = people["joined"].to_numpy() + rng.random(len(people)) * process["wait"].to_numpy()
    tried = np.flatnonzero((rng.random(len(people)) < market.TRIED) & (trial_at < days)).astype(np.int32)
    trials = pd.DataFrame(
        {"customer": tried, "second": clock(trial_at[tried], people["persona"].to_numpy()[tried])}
    ).assign(
        product=_codes("trial", 0)[0],
        order=2 * size + np.arange(len(tried)),
        line=1,
        status=PAID,
        quantity=1,
        percent=100,
        channel=choose(rng, list(market.SALES_CHANNELS.values()), len(tried)),
    )
    return _by_time(_joined(lines, attempts, trials))


def _joined(*parts: pd.DataFrame) -> pd.DataFrame:
    """Stack lines; a part without rows must not turn codes into floats."""
    codes = ("line", "product", "quantity", "status", "channel")
    return pd.concat(parts, ignore_index=True).astype(dict.fromkeys(codes, "int8"))


def _by_time(lines: pd.DataFrame) -> pd.DataFrame:
    lines = lines.take(np.lexsort((lines["line"], lines["order"], lines["second"]))).reset_index(drop=True)
    price = np.array([round(item.list_price * 100) for item in market.PRODUCTS.values()])[lines["product"]]
    lines["cents"] = np.rint(price * lines["quantity"] * lines.pop("percent") / 100).astype(np.int64)
    lines["order"] = lines["order"].ne(lines["order"].shift()).cumsum()
    return lines


def refund(rng: np.random.Generator, lines: pd.DataFrame, days: int) -> pd.DataFrame:
    """Add refunds of courses, each a line 0 of its order, where they fall up to ``as_of``."""
    paid = lines.loc[(lines["line"] == 1) & (lines["status"] == PAID) & (lines["cents"] > 0)]
    size = len(paid)
    refunded = rng.random(size) < market.REFUNDED
    delay = DAY_SECONDS * (1 + (market.REFUND_DAYS - 1) * rng.random(size) ** 2)
    half = rng.random(size) < market.HALF_REFUNDED
    second = paid["second"] + delay.astype(np.int64)
    refunds = paid.assign(second=second, line=0, cents=-np.where(half, paid["cents"] // 2, paid["cents"]))
    refunds = refunds.loc[refunded & (second < days * DAY_SECONDS) & (refunds["cents"] < 0)]
    return _joined(lines, refunds).sort_values("second", kind="stable", ignore_index=True)


def blemish(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """Mark lines without a customer (``nobody``), mark lines ``unreadable``, write lines twice (``repeat``)."""
    fate = rng.random(len(lines))
    nobody = fate < market.NOBODY
    sold = (lines["cents"] > 0).to_numpy()
    unreadable = sold & ~nobody & (fate < market.NOBODY + market.UNREADABLE)
    repeated = sold & ~nobody & ~unreadable & (fate < market.NOBODY + market.UNREADABLE + market.REPEATED)
    written = np.repeat(np.arange(len(lines)), 1 + repeated)
    marked = lines.assign(nobody=nobody, unreadable=unreadable).take(written).reset_index(drop=True)
    return marked.assign(repeat=pd.Series(written).duplicated())


def planted(lines: pd.DataFrame) -> dict[str, int]:
    """Count what makes these lines unlike plain paid ones."""
    once = lines.loc[~lines["repeat"]]
    return {
        "free_orders": int((once["cents"] == 0).sum()),
        "cancelled_orders": int(((once["status"] == CANCELLED) & (once["line"] == 1)).sum()),
        "refund_lines": int((once["line"] == 0).sum()),
        "missing_customer_lines": int(lines["nobody"].sum()),
        "unreadable_amount_lines": int(lines["unreadable"].sum()),
        "repeated_lines": int(lines["repeat"].sum()),
    }


def exported(lines: pd.DataFrame, customer_ids: pa.Array, origin: np.datetime64) -> pd.DataFrame:
    """Return the lines as an export writes them; see `toolkit.data.synthetic.course_seller` for the columns.

    Parameters
    ----------
    lines
        As `blemish` returns them.
    customer_ids
        Id by which each line names its customer.
    origin
        First midnight.
    """
    order_id = numbered("O", lines["order"].to_numpy(), 8)
    suffix = pa.array(["-R", "-1", "-2", "-3"]).take(pa.array(lines["line"]))
    nobody = pa.array(lines["nobody"].to_numpy())
    product = lines["product"].to_numpy()
    items = list(market.PRODUCTS.values())
    return pd.DataFrame(
        {
            "order_id": text(order_id),
            "line_id": text(pc.binary_join_element_wise(order_id, suffix, "")),
            "customer_id": text(pc.if_else(nobody, None, customer_ids)),
            "ordered_at": moments(origin, lines["second"]),
            "product_id": labelled(product, _PRODUCTS),
            "product_layer": labelled(np.array([item.layer for item in items], dtype=np.int8)[product], market.LAYERS),
            "list_price": np.array([item.list_price for item in items])[product],
            "quantity": lines["quantity"].to_numpy().astype(np.int64),
            "amount": np.where(lines["unreadable"], np.nan, lines["cents"] / 100),
            "channel": labelled(lines["channel"], market.SALES_CHANNELS),
            "status": labelled(lines["status"], ("paid", "cancelled")),
        }
    )
