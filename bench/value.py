"""How fast `BetaGeo` is beside its peers: ``python -m bench.value [--customers 1000000] [--rounds 5]``.

A million simulated customers in whole days, and the 2,357 of CDNOW where its file is at hand. The clock runs from
arrays in memory, and imports done, until parameters stand. lifetimes has no penalty, and its log-likelihood is compared
with ours; pymc-marketing's maximum a posteriori has priors, so only its speed is shown.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd

from bench.harness import FOLDER, ROOT, Facts, middle, race, ratio, say, table, timed, wanted

SAMPLE = ROOT.parent / "shared" / "datasets" / "cdnow" / "CDNOW_sample.txt"
ENVIRONMENTS = {"toolkit": None, "lifetimes": "lifetimes", "pymc-marketing": "pymc-marketing"}
FASTER, SAME, CDNOW_SECONDS = 10, 1e-6, 0.1
NAMES = ("r", "alpha", "a", "b")


def simulated(n: int, seed: int = 7) -> dict[str, Any]:
    """Make histories in whole days of buyers who came within 700 days and are followed to day 730."""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(0.35, 1 / 32.0, n), rng.beta(0.8, 2.4, n)
    start = rng.integers(0, 701, n)
    x, last, now = (np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), start.astype(np.float64))
    there = np.arange(n)
    while len(there):
        now[there] += rng.exponential(1.0, len(there)) / rate[there]
        there = there[now[there] <= 730]
        day = np.ceil(now[there]).astype(np.int64) - start[there]
        x[there] += day > last[there]
        last[there] = day
        there = there[rng.random(len(there)) >= leave[there]]
    return {"x": x, "last": last, "tenure": 730 - start}


def cdnow() -> dict[str, Any]:
    """Read the sample of CDNOW up to 1997-09-30, purchases of a day merged."""
    lines = pd.read_csv(SAMPLE, sep=r"\s+", names=["master", "who", "day", "discs", "dollars"])
    lines["day"] = pd.to_datetime(lines["day"], format="%Y%m%d")
    end = pd.Timestamp("1997-09-30")
    day = lines[lines["day"] <= end].groupby("who")["day"]
    first, last = day.min(), day.max()
    return {
        "x": day.nunique().to_numpy() - 1,
        "last": (last - first).dt.days.to_numpy(),
        "tenure": (end - first).dt.days.to_numpy(),
    }


def histories(file: str) -> tuple[Any, Any, Any]:
    """Read repeat order days, last one and tenure, in days."""
    rows = np.load(file)
    return rows["x"].astype(np.int64), rows["last"].astype(np.int64), rows["tenure"].astype(np.int64)


def toolkit(file: str) -> Facts:
    """Run this toolkit: checks of the snapshot, parameters, errors, and the check of orders reproduced."""
    import toolkit as tk

    x, last, tenure = histories(file)
    snap = pd.DataFrame({"order_days": x + 1, "recency_days": tenure - last, "tenure_days": tenure})
    unfitted = tk.BetaGeo(unit_days=7)
    seconds, model = timed(lambda: unfitted.fit(snap))
    return {
        "seconds": seconds,
        "params": [float(value) for value in model.params_["value"]],
        "log_likelihood": model.log_likelihood_,
        "served": model.served_,
        "expected_orders": timed(lambda: model.expected_orders(snap, 90))[0],
        "with_intervals": timed(lambda: model.forecast(snap, 90))[0],
    }


def lifetimes(file: str) -> Facts:
    """Run ``BetaGeoFitter`` of lifetimes, no penalty; its log-likelihood at its parameters, in weeks."""
    from lifetimes import BetaGeoFitter

    x, last, tenure = histories(file)
    weeks = last / 7, tenure / 7
    seconds, model = timed(lambda: BetaGeoFitter(penalizer_coef=0.0).fit(x, *weeks))
    params = np.array([model.params_[name] for name in NAMES])
    mean = model._negative_log_likelihood(np.log(params), x, *weeks, np.ones(len(x)), 0.0)
    return {"seconds": seconds, "params": params.tolist(), "log_likelihood": -float(mean) * len(x)}


def pymc_marketing(file: str) -> Facts:
    """Run ``BetaGeoModel`` of pymc-marketing, maximum a posteriori with its default priors: speed only."""
    from pymc_marketing.clv import BetaGeoModel  # type: ignore[import-not-found]

    x, last, tenure = histories(file)
    frame = pd.DataFrame({"customer_id": np.arange(len(x)), "frequency": x, "recency": last / 7, "T": tenure / 7})

    def work() -> Any:
        model = BetaGeoModel(data=frame)
        model.fit(method="map", progressbar=False)
        return model.fit_result

    seconds, result = timed(work)
    found = getattr(result, "posterior", result)
    return {"seconds": seconds, "params": [float(np.asarray(found[name]).mean()) for name in NAMES]}


CONTESTANTS = {"toolkit": toolkit, "lifetimes": lifetimes, "pymc-marketing": pymc_marketing}


def contest(title: str, rows: dict[str, Any], names: dict[str, str | None], rounds: int) -> None:
    """Race on some histories and print medians, ratios and likelihoods."""
    file = FOLDER / "value_histories.npz"
    np.savez(file, **rows)
    runs = race("bench.value", names, rounds, file=str(file))
    say(title)
    table(runs, "toolkit")
    ours = runs["toolkit"][-1]
    say(f"  ours: {ours['served']}, r alpha a b {np.round(ours['params'], 4).tolist()}")
    for name in ("expected_orders", "with_intervals"):
        say(f"  ours, {name}: {middle(runs, 'toolkit', name):.3f} s")
    if "lifetimes" in runs:
        off = abs(runs["lifetimes"][-1]["log_likelihood"] / ours["log_likelihood"] - 1)
        wanted("log-likelihoods apart by", off, most=SAME)
    if "CDNOW" in title:
        wanted("our slowest run, seconds", max(one["seconds"] for one in runs["toolkit"]), most=CDNOW_SECONDS)
    elif "lifetimes" in runs:
        wanted("lifetimes / ours", ratio(runs, "lifetimes", "toolkit"), least=FASTER)


def main() -> None:
    """Make the data, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--contestants", nargs="+", default=list(ENVIRONMENTS), choices=list(ENVIRONMENTS))
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    names = {name: ENVIRONMENTS[name] for name in dict.fromkeys(["toolkit", *options.contestants])}
    if SAMPLE.exists():
        contest("CDNOW, 2,357 customers", cdnow(), names, options.rounds)
    contest(f"{options.customers:,} simulated customers", simulated(options.customers), names, options.rounds)


if __name__ == "__main__":
    main()
