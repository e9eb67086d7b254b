"""The demo study: the made-up course seller, and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.data.synthetic import course_seller
from toolkit.study import parse_study

if TYPE_CHECKING:
    from toolkit.data.synthetic import Business
    from toolkit.study import StudyFile

DEMO = "demo"
"""What stands in the place of a study file where the demo is meant."""


def demo(customers: int, seed: int) -> tuple[StudyFile, Business]:
    """Return the demo's settings and its business."""
    business = course_seller(customers=customers, seed=seed)
    settings = parse_study(
        {
            "name": DEMO,
            "timezone": "Asia/Shanghai",
            "currency": "CNY",
            "tables": {name: {"files": f"{name} (made up)"} for name in business.tables},
            "policies": {"missing_customer": "exclude", "negative_amounts": "refund", "zero_orders": "exclude"},
            "experiments": "checkin_cashback.yaml",
            "amount_basis": "paid by the customer, in yuan",
            "purpose": "demonstration on made-up customers",
        }
    )
    return settings, business
