"""Write power_peers.json: power of Welch's test by tea-tasting and of the t- and z-test by statsmodels.

Run with a Python that has them (tea-tasting 1.14, statsmodels 0.14), which the toolkit does not need:
``.bench/peers/tea/bin/python tests/oracles/power_peers.py``.
"""

from __future__ import annotations

import json
from math import isnan
from pathlib import Path


def answers() -> list[dict[str, float | None]]:
    """Ask both peers."""
    import tea_tasting as tt  # type: ignore[import-not-found]  # only who makes the numbers anew has it
    from statsmodels.stats.power import NormalIndPower, TTestIndPower  # type: ignore[import-not-found]  # the same
    from tea_tasting.aggr import Aggregates  # type: ignore[import-not-found]  # the same

    found: list[dict[str, float | None]] = []
    for treated, control in ((10, 10), (30, 90), (400, 100), (5_000, 95_000)):
        for effect in (0.05, 0.4, 0.9):
            for alpha in (0.05, 0.0125):
                case = {"treated": treated, "control": control, "effect": effect, "alpha": alpha}
                ratio = control / treated
                student = TTestIndPower().power(effect, treated, alpha, ratio=ratio)
                normal = NormalIndPower().power(effect, treated, alpha, ratio=ratio)
                whole = Aggregates(count_=treated + control, mean_={"y": 2.0}, var_={"y": 1.0})
                metric = tt.Mean("y", alpha=alpha, ratio=treated / control, equal_var=False, effect_size=effect)
                (welch,) = metric.solve_power_from_aggregates(whole, "power")
                powers = {"student": student, "normal": normal, "welch": welch.power}
                # both have no number where scipy has none for the far tail
                found.append(
                    {**case, **{name: None if isnan(value) else float(value) for name, value in powers.items()}}
                )
    return found


if __name__ == "__main__":
    text = "[\n" + ",\n".join(json.dumps(row) for row in answers()) + "\n]\n"
    Path(__file__).with_suffix(".json").write_text(text, encoding="ascii")
