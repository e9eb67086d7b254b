"""How thorough a run is: ``dev`` before a change, ``ci`` with all examples (``make test PROFILE=ci``)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

PROFILE = os.environ.get("PROFILE") or "dev"
THOROUGH = {"dev": False, "ci": True}[PROFILE]


def several(dev: int, ci: int) -> int:
    """Return how many seeds, draws or rows this run takes."""
    return ci if THOROUGH else dev


def examples(dev: int, ci: int) -> settings:
    """Return how many examples of a property this run makes: always the same ones, and no shrinking of what fails."""
    return settings(
        max_examples=several(dev, ci),
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
