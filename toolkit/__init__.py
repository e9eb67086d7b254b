"""Research toolkit for customer-tier operations: import toolkit as tk."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.report.results import record
    from toolkit.report.workbench import Study
    from toolkit.risk.churn import ChurnModel
    from toolkit.risk.clock import churn_clock
    from toolkit.risk.curves import survival_curves
    from toolkit.risk.validation import backtest
    from toolkit.risk.value import BetaGeo, GammaGamma, customer_value
    from toolkit.segments.accounting import growth_accounting
    from toolkit.segments.clusters import Clusters
    from toolkit.segments.core import core_gap
    from toolkit.segments.history import tier_history
    from toolkit.segments.identity_effect import identity_effect
    from toolkit.segments.migration import migrate
    from toolkit.segments.portrait import portrait
    from toolkit.segments.retention import cohort_retention
    from toolkit.segments.rfm import RFM
    from toolkit.segments.stages import stage_figures
    from toolkit.segments.summary import segment_summary
    from toolkit.segments.tiers import Tiers
    from toolkit.segments.tiers_compare import compare
    from toolkit.strategy.assign import assign
    from toolkit.strategy.evaluate import evaluate
    from toolkit.strategy.experiment import Experiment
    from toolkit.strategy.plan import plan_experiment
    from toolkit.strategy.units import evaluate_units

_HOMES = {
    "Study": "toolkit.report.workbench",
    "RFM": "toolkit.segments.rfm",
    "segment_summary": "toolkit.segments.summary",
    "Tiers": "toolkit.segments.tiers",
    "compare": "toolkit.segments.tiers_compare",
    "Clusters": "toolkit.segments.clusters",
    "core_gap": "toolkit.segments.core",
    "identity_effect": "toolkit.segments.identity_effect",
    "migrate": "toolkit.segments.migration",
    "tier_history": "toolkit.segments.history",
    "growth_accounting": "toolkit.segments.accounting",
    "cohort_retention": "toolkit.segments.retention",
    "portrait": "toolkit.segments.portrait",
    "stage_figures": "toolkit.segments.stages",
    "ChurnModel": "toolkit.risk.churn",
    "churn_clock": "toolkit.risk.clock",
    "survival_curves": "toolkit.risk.curves",
    "backtest": "toolkit.risk.validation",
    "BetaGeo": "toolkit.risk.value",
    "GammaGamma": "toolkit.risk.value",
    "customer_value": "toolkit.risk.value",
    "Experiment": "toolkit.strategy.experiment",
    "plan_experiment": "toolkit.strategy.plan",
    "assign": "toolkit.strategy.assign",
    "evaluate": "toolkit.strategy.evaluate",
    "evaluate_units": "toolkit.strategy.units",
    "record": "toolkit.report.results",
}

__all__ = [
    "RFM",
    "BetaGeo",
    "ChurnModel",
    "Clusters",
    "Experiment",
    "GammaGamma",
    "Study",
    "Tiers",
    "assign",
    "backtest",
    "churn_clock",
    "cohort_retention",
    "compare",
    "core_gap",
    "customer_value",
    "evaluate",
    "evaluate_units",
    "growth_accounting",
    "identity_effect",
    "migrate",
    "plan_experiment",
    "portrait",
    "record",
    "segment_summary",
    "stage_figures",
    "survival_curves",
    "tier_history",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'toolkit' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
