"""What the made-up course seller is like: who joins, from where, what is sold, how often people buy."""

from __future__ import annotations

from typing import NamedTuple

LAYERS: tuple[str, ...] = ("lead_in", "entry", "premium")
AGE_BANDS: tuple[str, ...] = ("18-24", "25-34", "35-44", "45-54", "55+")
GENDERS: tuple[str, ...] = ("female", "male")
REGIONS: dict[str, float] = {
    "Guangdong": 0.19,
    "Jiangsu": 0.15,
    "Zhejiang": 0.14,
    "Shandong": 0.12,
    "Henan": 0.11,
    "Sichuan": 0.11,
    "Beijing": 0.10,
    "Shanghai": 0.08,
}
SALES_CHANNELS: dict[str, float] = {
    "mini_program": 0.46,
    "live_room": 0.22,
    "service_account": 0.17,
    "wecom": 0.15,
}


class Persona(NamedTuple):
    """A kind of person.

    ``share`` of the joiners, ``active`` hours ``[from, to)`` in which ``ACTIVE_SHARE`` of the orders fall, share who
    are ``female``, shares of ``AGE_BANDS``, and a shift of the spend level.
    """

    share: float
    active: tuple[int, int]
    female: float
    ages: tuple[float, ...]
    spend_level: float


ACTIVE_SHARE = 0.85
PERSONAS: dict[str, Persona] = {
    "office_worker": Persona(0.36, (20, 23), 0.55, (0.14, 0.48, 0.28, 0.09, 0.01), 0.2),
    "full_time_mother": Persona(0.24, (10, 15), 0.98, (0.04, 0.47, 0.42, 0.07, 0.00), 0.1),
    "student": Persona(0.18, (21, 24), 0.56, (0.91, 0.09, 0.00, 0.00, 0.00), -0.6),
    "retiree": Persona(0.12, (6, 11), 0.63, (0.00, 0.00, 0.00, 0.12, 0.88), 0.1),
    "freelancer": Persona(0.10, (13, 18), 0.48, (0.12, 0.44, 0.29, 0.12, 0.03), 0.0),
}


class Acquisition(NamedTuple):
    """A channel that people come from.

    ``share`` of the joiners, share of them who ever ``buys``, factors on the rates of ``purchase`` and ``dropout``,
    and a shift of the spend level.
    """

    share: float
    buys: float
    purchase: float
    dropout: float
    spend_level: float


ACQUISITION_CHANNELS: dict[str, Acquisition] = {
    "short_video": Acquisition(0.34, 0.80, 0.85, 1.30, -0.2),
    "official_account": Acquisition(0.22, 0.88, 1.10, 0.85, 0.1),
    "search_ads": Acquisition(0.18, 0.83, 0.90, 1.15, 0.0),
    "referral": Acquisition(0.16, 0.94, 1.30, 0.65, 0.3),
    "offline_event": Acquisition(0.10, 0.91, 1.15, 0.80, 0.4),
}

PURCHASE_SHAPE, PURCHASE_MEAN = 1.8, 0.019
"""Gamma distribution of the purchases per day of one who is alive, before the channel's factor."""
DROPOUT_SHAPE, DROPOUT_MEAN = 1.5, 0.007
"""Gamma distribution of the drop-outs per day, before the channel's factor."""
FIRST_PURCHASE_DAYS = 6.0
"""Mean wait from joining to the first purchase."""


class Product(NamedTuple):
    """What is sold: ``trial``, ``material`` or ``course``; the layer as a position in ``LAYERS``; yuan."""

    kind: str
    layer: int
    list_price: float


PRODUCTS: dict[str, Product] = {
    "T01": Product("trial", 0, 0.0),
    "M01": Product("material", 0, 19.9),
    "M02": Product("material", 0, 29.0),
    "M03": Product("material", 0, 45.0),
    "L01": Product("course", 0, 1.0),
    "L02": Product("course", 0, 9.9),
    "L03": Product("course", 0, 19.9),
    "L04": Product("course", 0, 29.9),
    "L05": Product("course", 0, 49.0),
    "E01": Product("course", 1, 199.0),
    "E02": Product("course", 1, 299.0),
    "E03": Product("course", 1, 399.0),
    "E04": Product("course", 1, 499.0),
    "E05": Product("course", 1, 699.0),
    "E06": Product("course", 1, 899.0),
    "E07": Product("course", 1, 999.0),
    "P01": Product("course", 2, 2999.0),
    "P02": Product("course", 2, 3999.0),
    "P03": Product("course", 2, 4999.0),
    "P04": Product("course", 2, 6999.0),
    "P05": Product("course", 2, 9800.0),
    "P06": Product("course", 2, 12800.0),
    "P07": Product("course", 2, 19800.0),
}
"""Every product; the courses of a layer stand in order of price."""
LEVEL_COUNTS, CLIMB, WISH_NOISE = 0.4, 0.5, 0.7
ENTRY_AT, PREMIUM_AT = 0.1, 3.0
"""A purchase is of the layer that the wish reaches: spend level and ln(number of purchase), weighted, plus chance."""
TASTE_LEVEL, TASTE_NOISE, PREMIUM_RESTRAINT = 0.5, 0.7, 2.0
"""How far up the layer's price list: logistic function of the spend level, weighted, plus chance, less for premium."""
DISCOUNTS: dict[int, float] = {100: 0.64, 95: 0.12, 90: 0.12, 80: 0.08, 70: 0.04}
"""Per cent of the list price paid for a course of the upper two layers, and how often."""
MATERIALS: tuple[float, ...] = (0.75, 0.18, 0.07)
"""How often a course of the upper two layers is bought with 0, 1 and 2 materials."""
TWICE = 0.02
"""Share of the courses of the lower two layers bought for two people."""

TRIED = 0.40
"""Share of the joiners who take the free trial."""
CANCELLED = 0.02
"""Share of the purchases that come after a cancelled attempt."""
REFUNDED, REFUND_DAYS, HALF_REFUNDED = 0.03, 60, 0.20
"""Share of the purchases refunded, the longest delay, and the share of refunds that give back half."""
NOBODY, UNREADABLE, REPEATED = 0.004, 0.001, 0.002
"""Shares of the lines without a customer, without a readable amount, and written twice."""
