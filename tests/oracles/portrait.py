"""The snapshot once more, in plain Python, row by row: what the engine's answer is compared with."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.builders.made_up import Row

INTERACTIONS = {"like", "comment", "share", "check_in"}
NO_ACTS = {"reply", "follow_up", "unfollow", "注销"}
LAYERS = {"lead_in": ("lead_in", "引流课"), "entry": ("entry",), "premium": ("premium",)}
NO_OFFER = {None, "content", "内容"}
BANDS = ("low", "mid", "high")
LOGS = {
    "events": "occurred_at",
    "contacts": "sent_at",
    "surveys": "answered_at",
    "memberships": "starts_at",
    "assignments": "assigned_at",
}


def day_of(moment: str | None) -> date | None:
    return None if moment is None else datetime.fromisoformat(moment).date()


def persons(links: Iterable[Row]) -> dict[str, str]:
    """Say who is behind every linked id, by following links until nothing is new."""
    links = list(links)
    neighbours: dict[str, set[str]] = {}
    for link in links:
        one, other = link["customer_id"], link["id_value"]
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    values = {link["id_value"] for link in links if link["id_value"] != link["customer_id"]}
    customers = {link["customer_id"] for link in links}
    found: dict[str, str] = {}
    for start in neighbours:
        reached, new = {start}, [start]
        while new:
            new = [other for one in new for other in neighbours[one] if other not in reached]
            reached.update(new)
        found[start] = min((reached & customers) - values)
    return found


def rows_up_to(tables: Mapping[str, list[Row]], until: date, known: date) -> dict[str, list[Row]]:
    """Return the rows dated up to a day and recorded by another, as an export of then would hold them."""
    kept = dict(tables)
    kept["orders"] = [
        row
        for row in tables["orders"]
        if _by(row["ordered_at"], until) and (row["recorded_at"] is None or _by(row["recorded_at"], known))
    ]
    kept["customers"] = [row for row in tables["customers"] if _by(row["valid_from"] or row["joined_at"], until)]
    for name, when in LOGS.items():
        kept[name] = [row for row in tables[name] if _by(row[when], until)]
    kept["memberships"] = [
        row if _by(row["cancelled_at"], until) else row | {"cancelled_at": None} for row in kept["memberships"]
    ]
    return kept


def _by(moment: str | None, day: date) -> bool:
    return (day_of(moment) or date.min) <= day


class Portrait:
    """What is known of every customer at the end of a local day, worked out one column at a time."""

    def __init__(
        self,
        tables: Mapping[str, list[Row]],
        as_of: date,
        *,
        window_days: int = 365,
        count_zero_orders: bool = False,
        staff: str = "staff",
        price_cuts: tuple[Fraction, Fraction] | None = None,
    ) -> None:
        self.as_of, self.window_days = as_of, window_days
        self.count_zero_orders = count_zero_orders
        who = persons(tables.get("identities", ()))
        self.rows: dict[str, list[Row]] = {
            name: [
                row | {"customer_id": who.get(row["customer_id"], row["customer_id"]), "own_id": row["customer_id"]}
                for row in rows
                if row["customer_id"] is not None and who.get(row["customer_id"], row["customer_id"]) != staff
            ]
            for name, rows in tables.items()
            if name != "identities"
        }
        for row in self.rows["customers"]:
            row["referred_by"] = who.get(row["referred_by"], row["referred_by"])
        self.rows["orders"] = [row | self._order(row) for row in self.rows["orders"] if self._order_is_there(row)]
        self.rows["customers"] = [row for row in self.rows["customers"] if self._known(row)]
        for name, when in LOGS.items():
            self.rows[name] = [
                row | {"day": day_of(row[when])} for row in self.rows[name] if self._fits(name, row, when)
            ]
        self.price_cuts = price_cuts or self._price_cuts()
        ids = {row["customer_id"] for rows in self.rows.values() for row in rows}
        self.columns = {who: self._of(who) for who in sorted(ids)}

    def _order_is_there(self, row: Row) -> bool:
        days = day_of(row["ordered_at"]), day_of(row["recorded_at"])
        return all(day is None or day <= self.as_of for day in days)

    def _order(self, row: Row) -> Row:
        amount = Fraction(row["amount"])
        bought, back = Fraction(0), Fraction(0)
        used = False
        if row["status"] == "refunded":
            back = abs(amount)
        elif row["status"] != "cancelled" and amount < 0:
            back = -amount
        elif row["status"] != "cancelled" and (amount > 0 or self.count_zero_orders):
            used, bought = True, amount
        free = row["status"] not in {"cancelled", "refunded"} and amount == 0
        return {"day": day_of(row["ordered_at"]), "used": used, "paid": bought, "back": back, "free": free}

    def _known(self, row: Row) -> bool:
        day = day_of(row["valid_from"] or row["joined_at"])
        return day is None or day <= self.as_of

    def _fits(self, name: str, row: Row, when: str) -> bool:
        if name == "surveys" and row["kind"] == "nps" and not 0 <= row["score"] <= 10:
            return False
        if name == "memberships" and row["ends_at"] is not None:
            starts, ends = datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"])
            if ends < starts:
                return False
        day = day_of(row[when])
        return day is not None and day <= self.as_of

    def _of(self, who: str) -> Row:
        mine = {name: [row for row in rows if row["customer_id"] == who] for name, rows in self.rows.items()}
        found: Row = {}
        found |= self._orders(mine["orders"]) | self._discount(mine["orders"])
        found |= self._person(mine["customers"]) | {"referrals": self._referrals(who)}
        found |= self._events(mine["events"]) | self._lessons(mine["events"])
        found |= {"intent_30d": self._intent(mine["events"], mine["orders"])}
        found |= self._contacts(mine["contacts"])
        found["opted_out"] = self._opted_out(mine["contacts"], mine["customers"], mine["events"])
        found |= self._nps(mine["surveys"])
        found |= self._layers(mine["orders"]) | self._bands(mine["orders"])
        found["idle_days"] = self._idle(found, mine)
        return found | self._membership(mine["memberships"], mine["orders"])

    def _last(self, rows: Iterable[Row], days: int) -> list[Row]:
        """Return the rows of the last so many days, ``as_of`` included."""
        return [row for row in rows if self.as_of - row["day"] < timedelta(days=days)]

    def _orders(self, rows: list[Row]) -> Row:
        used = [row for row in rows if row["used"]]
        window = self._last(rows, self.window_days)
        days = sorted({row["day"] for row in used})
        orders: dict[Any, list[Row]] = {}
        for place, row in enumerate(used):
            orders.setdefault(row["order_id"] or place, []).append(row)
        values = [
            (min(datetime.fromisoformat(row["ordered_at"]) for row in lines), sum(row["paid"] for row in lines))
            for lines in orders.values()
        ]
        prices = [row["paid"] / (row["quantity"] if (row["quantity"] or 0) > 0 else 1) for row in used]
        gaps = [(late - early).days for early, late in pairwise(days)]
        return {
            "first_order_date": days[0] if days else None,
            "last_order_date": days[-1] if days else None,
            "recency_days": (self.as_of - days[-1]).days if days else None,
            "tenure_days": (self.as_of - days[0]).days if days else None,
            "order_count": len(orders),
            "order_days": len(days),
            "spend": sum(row["paid"] - row["back"] for row in rows),
            "window_order_days": len({row["day"] for row in window if row["used"]}),
            "window_spend": sum(row["paid"] - row["back"] for row in window),
            "mean_order_value": sum(value for _, value in values) / len(values) if values else None,
            "last_order_value": max(values)[1] if values else None,
            "max_price": max(prices) if prices else None,
            "refund_amount": sum(row["back"] for row in rows),
            "repeat_spend": sum(row["paid"] for row in used if row["day"] > days[0]),
            "mean_gap_days": Fraction(sum(gaps), len(gaps)) if gaps else None,
        }

    def _discount(self, rows: list[Row]) -> Row:
        listed = [row for row in self._last(rows, self.window_days) if row["paid"] > 0 and (row["list_price"] or 0) > 0]
        if not listed:
            return {"discount_share": None}
        whole = sum(row["list_price"] * (row["quantity"] if (row["quantity"] or 0) > 0 else 1) for row in listed)
        return {"discount_share": max(Fraction(0), 1 - sum(row["paid"] for row in listed) / whole)}

    def _person(self, rows: list[Row]) -> Row:
        latest = self._latest(self._own(rows))
        columns = ("acquisition_channel", "persona", "gender", "age_band", "region", "occupation", "interests",
                   "followers", "override")  # fmt: skip
        joined = None if latest is None else day_of(latest["joined_at"])
        return {"joined_date": joined, **{column: latest and latest[column] for column in columns}}

    def _price_cuts(self) -> tuple[Fraction, Fraction]:
        """Return the terciles of the products' prices, a product's price being its median."""
        prices: dict[Any, list[Fraction]] = {}
        for row in self._last(self.rows["orders"], self.window_days):
            if row["paid"] > 0:
                prices.setdefault(row["product_id"] or _price(row), []).append(_price(row))
        middles = sorted({quantile(sorted(of_one), Fraction(1, 2)) for of_one in prices.values()})
        if not middles:
            return Fraction(10**9), Fraction(10**9)
        return quantile(middles, Fraction(1, 3)), quantile(middles, Fraction(2, 3))

    def _bands(self, rows: list[Row]) -> Row:
        paid = {band: Fraction(0) for band in BANDS}
        lines = [row for row in self._last(rows, self.window_days) if row["paid"] > 0]
        counts = dict.fromkeys(BANDS, 0)
        for row in lines:
            band = BANDS[sum(_price(row) > cut for cut in self.price_cuts)]
            paid[band] += row["paid"]
            counts[band] += 1
        return {
            "lines": len(lines),
            "main_price_band": max(BANDS, key=lambda band: (paid[band], BANDS.index(band))) if lines else None,
            "high_band_share": Fraction(counts["high"], len(lines)) if lines else None,
            "low_band_share": Fraction(counts["low"], len(lines)) if lines else None,
        }

    def _layers(self, rows: list[Row]) -> Row:
        bought = [
            (place, row["day"], row["product_id"])
            for row in rows
            if row["used"] or row["free"]
            for place, words in enumerate(LAYERS.values())
            if row["product_layer"] and row["product_layer"].lower() in words
        ]
        lowest = [(day, product) for place, day, product in bought if place == 0 and product is not None]
        return {
            "top_layer": [*LAYERS][max(place for place, _, _ in bought)] if bought else None,
            "lead_in_product": min(lowest)[1] if lowest else None,
        }

    def _idle(self, found: Row, mine: dict[str, list[Row]]) -> int | None:
        acts = [day for day in (found["last_order_date"], found["last_active_date"]) if day]
        seen = [row["day"] for name in LOGS for row in mine[name]]
        joined = found["joined_date"]
        seen += [joined] if joined and joined <= self.as_of else []
        last = max(acts) if acts else min(seen, default=None)
        return None if last is None else (self.as_of - last).days

    def _own(self, rows: list[Row]) -> list[Row]:
        """Return the rows of the id that was seen first."""
        if not rows:
            return []
        first = min(rows, key=lambda row: (_from(row).date(), row["own_id"] != row["customer_id"], row["own_id"]))
        return [row for row in rows if row["own_id"] == first["own_id"]]

    def _latest(self, rows: list[Row]) -> Row | None:
        return max(rows, key=lambda row: (_from(row).date(), row["valid_from"] or ""), default=None)

    def _referrals(self, who: str) -> int:
        others: dict[str, list[Row]] = {}
        for row in self.rows["customers"]:
            others.setdefault(row["customer_id"], []).append(row)
        named = (
            [row for row in self._own(rows) if row["referred_by"] not in {None, customer}]
            for customer, rows in others.items()
        )
        return sum(latest["referred_by"] == who for rows in named if (latest := self._latest(rows)))

    def _events(self, rows: list[Row]) -> Row:
        acts = [row for row in rows if row["kind"] not in NO_ACTS]
        found: Row = {"last_active_date": max((row["day"] for row in acts), default=None)}
        for suffix, days in (("", self.window_days), ("_30d", 30)):
            recent = self._last(acts, days)
            found[f"active_days{suffix}"] = len({row["day"] for row in recent})
            found[f"interactions{suffix}"] = sum(row["kind"] in INTERACTIONS for row in recent)
            found[f"opens{suffix}"] = sum(row["kind"] == "open" for row in recent)
        seconds = [row["duration_seconds"] for row in self._last(acts, 30)]
        days = found["active_days"]
        found["interaction_rate"] = Fraction(found["interactions"], days) if days else None
        return found | {"stay_seconds_30d": sum(long for long in seconds if long is not None and long >= 0)}

    def _lessons(self, rows: list[Row]) -> Row:
        touched = [row for row in rows if row["kind"] in {"lesson_start", "lesson_complete"}]
        keyed = [(row["content_id"] or place, row["kind"]) for place, row in enumerate(touched)]
        started = len({lesson for lesson, _ in keyed})
        completed = len({lesson for lesson, kind in keyed if kind == "lesson_complete"})
        rate = Fraction(completed, started) if started else None
        return {"lessons_started": started, "lessons_completed": completed, "completion_rate": rate}

    def _intent(self, events: list[Row], orders: list[Row]) -> int:
        sold = {row["product_id"] for row in self.rows["orders"] if row["paid"] > 0}
        looks: dict[str, list[date]] = {}
        for row in self._last(events, 30):
            priced = (row["value"] or 0) > 0 or row["content_id"] in sold
            if row["kind"] in {"view", "click"} and row["content_id"] and priced:
                looks.setdefault(row["content_id"], []).append(row["day"])
        return sum(
            not any(row["used"] and row["product_id"] == content and row["day"] >= min(days) for row in orders)
            for content, days in looks.items()
        )

    def _contacts(self, rows: list[Row]) -> Row:
        found: Row = {}
        for days in (7, 30, 90):
            recent = self._last(rows, days)
            found[f"contacts_{days}d"] = sum(row["delivered"] != "no" for row in recent)
            found[f"contact_opens_{days}d"] = sum(row["opened"] == "yes" for row in recent)
        sent = [row["day"] for row in rows if row["delivered"] != "no"]
        offers = [row for row in rows if row["offer_price"] is not None or row["offer_kind"] not in NO_OFFER]
        found["offers"] = sum(row["delivered"] != "no" for row in offers)
        return found | {"days_since_contact": (self.as_of - max(sent)).days if sent else None}

    def _opted_out(self, contacts: list[Row], customers: list[Row], events: list[Row]) -> bool:
        own = self._latest(self._own(customers))
        others = [row for row in customers if own and row["own_id"] != own["own_id"]]
        said = [row["opted_out"] for row in (*contacts, *others, *([own] if own else []))]
        return "yes" in said or any(row["kind"] == "unfollow" for row in events)

    def _nps(self, rows: list[Row]) -> Row:
        answers = [(datetime.fromisoformat(row["answered_at"]), row["score"]) for row in rows if row["kind"] == "nps"]
        if not answers:
            return {"last_nps": None, "days_since_nps": None}
        moment, score = max(answers)
        return {"last_nps": score, "days_since_nps": (self.as_of - moment.date()).days}

    def _membership(self, periods: list[Row], orders: list[Row]) -> Row:
        ends = []
        for row in periods:
            day = day_of(row["cancelled_at"])
            last = day_of(row["ends_at"]) or date.max
            ends.append(min(last, day - timedelta(days=1)) if day and day <= self.as_of else last)
        if ends:
            state = "member" if max(ends) >= self.as_of else "lapsed"
        else:
            state = "trial" if any(row["free"] for row in orders) else "prospect"
        end = max(ends, default=date.max)
        return {"membership_state": state, "membership_end_date": None if end == date.max else end}


def _from(row: Row) -> datetime:
    """Return when a row of the table customers begins to hold; one that says nothing always did."""
    return datetime.fromisoformat(row["valid_from"] or row["joined_at"] or "0001-01-01")


def _price(row: Row) -> Fraction:
    """Return the price of one unit."""
    if (row["list_price"] or 0) > 0:
        return Fraction(row["list_price"])
    return Fraction(row["paid"]) / (row["quantity"] if (row["quantity"] or 0) > 0 else 1)


def quantile(ranked: list[Fraction], share: Fraction) -> Fraction:
    """Return the type-7 quantile."""
    place = (len(ranked) - 1) * share
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (place - low) * (ranked[high] - ranked[low])
