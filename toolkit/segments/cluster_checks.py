"""What is doubtful about clusters, as checks, and in one sentence where they should not be taken for groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import Check
from toolkit.segments.cluster_choice import CLEARLY, SMALLEST_SHARE, STABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.segments.cluster_choice import Choice
    from toolkit.segments.cluster_features import Preparation

ENOUGH_BUYERS = 30
ONE_POINT = Check("one_point", "failed", "all buyers are alike on every feature")
_TRUSTED = 0.6
_DECISIVE = ("few_buyers", "one_point", "cluster_structure", "cluster_stability")
_FAITHFUL = 0.8


def number_checks(asked: int | None, k: int, best: int | None, before: int | None) -> list[Check]:
    """Say where the number of clusters is not what was asked for, or what the rule would take."""
    found = []
    if asked is not None and k < asked:
        message = f"{asked} clusters were asked for, but there are only {k} different customers"
        found.append(Check("k_capped", "informational", message, k))
    if asked is None and before is not None and best is not None and k != best:
        message = f"{k} clusters as in the earlier period; the criteria alone would take {best}"
        found.append(Check("k_kept", "informational", message, k))
    return found


def feature_checks(preparation: Preparation) -> list[Check]:
    """Name features that say nothing, and count values that were drawn in."""
    found = []
    if preparation.dropped:
        names = ", ".join(preparation.dropped)
        message = f"(nearly) one value only, left out: {names}"
        found.append(Check("constant_features", "informational", message, len(preparation.dropped), names))
    beyond = sum(step.beyond for step in preparation.steps)
    message = f"{beyond:,} values beyond the 1st or 99th percentile of their feature were drawn in to it"
    return [*found, Check("drawn_in", "informational" if beyond else "passed", message, beyond)]


def few_buyers(buyers: int) -> Check:
    """Say whether there are enough buyers to learn from."""
    few = buyers < ENOUGH_BUYERS
    told = "descriptive only, too few to model" if few else "enough to learn from"
    return Check("few_buyers", "failed" if few else "passed", f"{buyers:,} buyers: {told}", buyers)


def cluster_checks(
    sizes: NDArray[np.int64], names: Sequence[str], choice: Choice, halves: pd.DataFrame, agreed: float
) -> list[Check]:
    """Judge structure, stability, sizes and rules of fitted clusters."""
    ari = float(halves["ari"].mean())
    low, high = (float(halves["ari"].quantile(share)) for share in (0.05, 0.95))
    doubtful = [name for name in names if float(halves[name].mean()) < _TRUSTED]
    small = [name for name, size in zip(names, sizes, strict=True) if size < SMALLEST_SHARE * sizes.sum()]
    apart = "more" if choice.structured else "not clearly more"
    return [
        Check(
            "cluster_structure",
            "passed" if choice.structured else "failed",
            f"clusters are {apart} separate than those of a cloud without groups: {choice.surplus:+.3f}, which is"
            f" {choice.deviations:.1f} standard deviations where {CLEARLY:g} are asked for",
        ),
        Check(
            "cluster_stability",
            "passed" if ari >= STABLE else "failed",
            f"labels of random halves agree with ARI {ari:.2f} ({low:.2f} to {high:.2f} in nine of ten halves)",
        ),
        Check(
            "cluster_dissolves",
            "failed" if doubtful else "passed",
            f"clusters not found again in halves (mean Jaccard under {_TRUSTED:g}): {', '.join(doubtful) or 'none'}",
            len(doubtful),
            ", ".join(doubtful),
        ),
        Check(
            "small_clusters",
            "failed" if small else "passed",
            f"clusters with under {SMALLEST_SHARE:.0%} of the buyers: {', '.join(small) or 'none'}",
            len(small),
            ", ".join(small),
        ),
        Check(
            "rule_fidelity",
            "passed" if agreed >= _FAITHFUL else "failed",
            f"the rules put {agreed:.1%} of the buyers into their own cluster",
        ),
    ]


def banner(checks: Sequence[Check]) -> str:
    """Return why the clusters are not groups of their own, in one sentence; empty where they are."""
    failed = {check.code: check.message for check in checks if check.status == "failed"}
    why = [failed[code] for code in _DECISIVE if code in failed]
    return f"No stable clusters: {'; '.join(why)}." if why else ""
