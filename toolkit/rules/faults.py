"""What is wrong with rules."""

from __future__ import annotations


class RuleError(Exception):
    """What is wrong with a rule or a scheme, in one clause.

    Attributes
    ----------
    what
        The clause.
    keys
        Where it stands in the study file, below ``tiers``: scheme and class, or fewer.
    """

    def __init__(self, what: str, *keys: str) -> None:
        super().__init__(what)
        self.what = what
        self.keys = keys
