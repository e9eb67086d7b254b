"""Out of time on published data: the survival model against BG/NBD, a recency rule and a logistic model.

Features, their forms and the landmarks stand in the code; none was chosen by looking at these origins.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln

import toolkit as tk
from toolkit.risk.past import look_back

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CDNOW = ("1997-09-30", "1997-12-31", "1998-03-31")
RETAIL = ("2011-06-30", "2011-07-31", "2011-08-31")
LOSSES = ("brier", "log_loss")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("published back-tests")]


@pytest.fixture(scope="module")
def of_cdnow(cdnow: tk.Study) -> Any:
    return tk.backtest(cdnow, tk.ChurnModel(), origins=CDNOW, horizon=91)


@pytest.fixture(scope="module")
def of_retail(online_retail: tk.Study) -> Any:
    return tk.backtest(online_retail, tk.ChurnModel(), origins=RETAIL, horizon=90)


@pytest.fixture(params=["of_cdnow", "of_retail"])
def found(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def test_no_significant_loss_to_bg_nbd_nor_to_the_recency_rule(found: Any) -> None:
    rows = found.means[found.means["model"].isin(["bg_nbd", "recency_rule"]) & found.means["metric"].isin(LOSSES)]
    surely_better = rows[rows["difference_upper"] < 0]
    assert len(rows) == 4
    assert surely_better.empty, surely_better.to_string()


def test_better_than_kaplan_meier_everywhere(found: Any) -> None:
    ours = found.scores[found.scores["model"] == "churn_model"]
    assert len(ours) == 3
    assert (ours["brier"] < ours["brier_km"]).all()
    assert (ours["log_loss"] < ours["log_loss_km"]).all()
    assert ours["use_here"].all()


def test_calibrated_out_of_time(found: Any) -> None:
    """Seasons that one year of log cannot show move the mean; the spread of risks must be right."""
    ours = found.table.loc["churn_model"]
    assert 0.85 <= ours["slope"] <= 1.15
    assert abs(ours["mean_risk"] - ours["observed"]) < 0.03


def test_the_survival_model_itself_served(found: Any) -> None:
    served = found.served.loc[found.served["model"] == "churn_model", "served"]
    assert served.str.startswith("cox").all(), served.tolist()


def test_nothing_looks_like_a_leak(found: Any) -> None:
    status = {check.code: check.status for check in found.checks}
    assert status["leak_suspected"] == status["too_good_in_training"] == "passed"


def test_everybody_who_has_bought_is_scored(of_cdnow: Any, of_retail: Any, online_retail: tk.Study) -> None:
    assert set(of_cdnow.scores["n"]) == {23_570}
    buyers = [int((online_retail.snapshot(day, columns=["order_days"])["order_days"] > 0).sum()) for day in RETAIL]
    assert of_retail.scores.groupby("origin")["n"].first().tolist() == buyers


def test_no_significant_loss_to_the_limit_of_bg_nbd_in_which_nobody_leaves(
    of_retail: Any, online_retail: tk.Study
) -> None:
    """On Online Retail the likelihood of BG/NBD rises as ``a`` falls to 0: its limit, the NBD, is compared by hand."""
    apart = []
    for day in RETAIL:
        past, came = look_back(
            online_retail, date.fromisoformat(day), 90, outcome="order", columns=["order_days", "tenure_days"]
        )
        limit = nbd_risk(past.buyers["order_days"].to_numpy() - 1.0, past.buyers["tenure_days"].to_numpy(), 90)
        rows = of_retail.risks[
            (of_retail.risks["origin"] == pd.Timestamp(day)) & (of_retail.risks["model"] == "churn_model")
        ]
        risk = rows.set_index("customer_id")["risk"].loc[came.index].to_numpy()
        bad = came["bad"].to_numpy()
        apart.append(pd.DataFrame(losses_of(limit, bad), came.index) - pd.DataFrame(losses_of(risk, bad), came.index))
    people = pd.Index(sorted(set().union(*(frame.index for frame in apart))))
    weights = np.random.default_rng(7).poisson(1.0, (1_000, len(people))).astype(np.float64)
    drawn = []
    for frame in apart:
        mine = weights[:, people.get_indexer(frame.index)]
        drawn.append(mine @ frame.to_numpy() / mine.sum(axis=1)[:, None])
    upper = np.percentile(np.mean(drawn, axis=0), 97.5, axis=0)
    assert (upper >= 0).all()


def losses_of(risk: Floats, bad: NDArray[np.bool_]) -> dict[str, Floats]:
    chosen = np.clip(np.where(bad, risk, 1 - risk), 1e-6, 1)
    return {"brier": (risk - bad) ** 2, "log_loss": -np.log(chosen)}


def nbd_risk(repeats: Floats, tenure: Floats, days: int) -> Floats:
    """Probability of no order within ``days`` where rates are gamma and nobody leaves, by maximum likelihood."""

    def negative(logs: Floats) -> float:
        r, alpha = np.exp(logs)
        rows = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha) - (r + repeats) * np.log(alpha + tenure)
        return -float(rows.sum())

    r, alpha = np.exp(minimize(negative, [0.0, 4.0], method="Nelder-Mead").x)
    risk: Floats = ((alpha + tenure) / (alpha + tenure + days)) ** (r + repeats)
    return risk
