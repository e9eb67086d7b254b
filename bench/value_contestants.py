"""One contestant of the value benchmark in a process of its own: ``python value_contestants.py NAME FILE``.

The file holds repeat order days, last one and tenure in days. The clock runs from arrays in memory, and imports done,
until parameters stand. One line of JSON tells seconds, parameters, log-likelihood and peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    Contest = Callable[[Any, Any, Any], dict[str, Any]]

NAMES = ("r", "alpha", "a", "b")


def toolkit() -> Contest:
    """Run this toolkit: checks of the snapshot, parameters, errors, and the check of orders reproduced."""
    model_class = import_module("toolkit.risk.value").BetaGeo

    def run(x: Any, last: Any, tenure: Any) -> dict[str, Any]:
        snap = pd.DataFrame({"order_days": x + 1, "recency_days": tenure - last, "tenure_days": tenure})
        start = time.perf_counter()
        model = model_class(unit_days=7).fit(snap)
        fit = time.perf_counter() - start
        start = time.perf_counter()
        model.expected_orders(snap, 90)
        expected = time.perf_counter() - start
        start = time.perf_counter()
        model.forecast(snap, 90)
        intervals = time.perf_counter() - start
        return {
            "seconds": fit,
            "params": [float(value) for value in model.params_["value"]],
            "log_likelihood": model.log_likelihood_,
            "served": model.served_,
            "expected_orders": expected,
            "with_intervals": intervals,
        }

    return run


def lifetimes() -> Contest:
    """Run ``BetaGeoFitter`` of lifetimes, no penalty; its log-likelihood at its parameters, in weeks."""
    fitter_class = import_module("lifetimes").BetaGeoFitter

    def run(x: Any, last: Any, tenure: Any) -> dict[str, Any]:
        weeks = last / 7, tenure / 7
        start = time.perf_counter()
        model = fitter_class(penalizer_coef=0.0).fit(x, *weeks)
        seconds = time.perf_counter() - start
        params = np.array([model.params_[name] for name in NAMES])
        mean = model._negative_log_likelihood(np.log(params), x, *weeks, np.ones(len(x)), 0.0)
        return {"seconds": seconds, "params": params.tolist(), "log_likelihood": -float(mean) * len(x)}

    return run


def pymc_marketing() -> Contest:
    """Run ``BetaGeoModel`` of pymc-marketing, maximum a posteriori with its default priors: speed only."""
    model_class = import_module("pymc_marketing.clv").BetaGeoModel

    def run(x: Any, last: Any, tenure: Any) -> dict[str, Any]:
        frame = pd.DataFrame({"customer_id": np.arange(len(x)), "frequency": x, "recency": last / 7, "T": tenure / 7})
        start = time.perf_counter()
        model = model_class(data=frame)
        model.fit(method="map", progressbar=False)
        seconds = time.perf_counter() - start
        found = model.fit_result.posterior if hasattr(model.fit_result, "posterior") else model.fit_result
        return {"seconds": seconds, "params": [float(np.asarray(found[name]).mean()) for name in NAMES]}

    return run


CONTESTS: dict[str, Callable[[], Contest]] = {
    "toolkit": toolkit,
    "lifetimes": lifetimes,
    "pymc-marketing": pymc_marketing,
}

if __name__ == "__main__":
    name, file = sys.argv[1:]
    contest, rows = CONTESTS[name](), np.load(file)
    answer = contest(rows["x"].astype(np.int64), rows["last"].astype(np.int64), rows["tenure"].astype(np.int64))
    answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{json.dumps(answer)}\n")
