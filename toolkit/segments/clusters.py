"""Clusters: groups that buyers fall into by themselves, with what is needed to know whether to believe in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from toolkit.errors import ArgumentError, Check
from toolkit.schema import ORDER_COUNT, WINDOW_SPEND, refuse_undated
from toolkit.segments import cluster_models
from toolkit.segments.cluster_checks import (
    ENOUGH_BUYERS,
    ONE_POINT,
    banner,
    cluster_checks,
    feature_checks,
    few_buyers,
    number_checks,
)
from toolkit.segments.cluster_choice import RANGE, choose
from toolkit.segments.cluster_features import buyers_of, chosen, learn
from toolkit.segments.cluster_match import CLUSTER, agreement, by_value, matched
from toolkit.segments.cluster_models import METHODS, STARTS, Model, one_thread
from toolkit.segments.cluster_profile import cluster_profile
from toolkit.segments.cluster_rules import fidelity, rules
from toolkit.segments.cluster_stability import distinct, stability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.segments.cluster_choice import Choice
    from toolkit.segments.cluster_match import Agreement
    from toolkit.segments.cluster_models import Method
    from toolkit.segments.cluster_rules import Rule

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_MOST = 100
_FEWEST = 10


class Clusters(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # scikit-learn ships no types
    """Group buyers by what they do, say how stable the groups are, and name them so that names hold still.

    Parameters
    ----------
    k
        Number of clusters, 2 to 100; ``auto`` takes one of 2 to 10 by several criteria (`choice_`), at most one
        for every ten buyers.
    seed
        Seed of every start, sample and reference cloud.
    method
        ``kmeans``, or ``mixture`` (Gaussian mixture, full covariances).
    features
        Columns of the snapshot to group by. By default those of ``recency_days window_order_days window_spend
        mean_order_value tenure_days active_days`` that it has: when and how much was bought, and how often the
        customer was there. ``interactions`` would say the last a second time.
    n_init
        Starts of the final fit.

    Attributes
    ----------
    k_ : int
        Number of clusters; 1 where ``auto`` finds fewer than 30 buyers or all buyers alike.
    labels_ : Series, index of the snapshot
        Ordered category ``"1"`` to ``"k"``, missing for never-buyers.
    features_ : tuple of str
        Columns that are used; those with one value only are left out, and named in a check.
    choice_ : DataFrame, index ``k``
        All criteria, with the votes of the rule (`toolkit.segments.cluster_choice.choose`).
    stability_ : DataFrame, index ``draw``
        Agreement with the labels of 20 random halves: ``ari``, and the Jaccard similarity of each cluster.
    rules_ : DataFrame, index ``cluster``
        ``rule`` in natural units, ``customers`` it names, ``precision`` and ``recall``.
    conditions_ : dict of cluster to rule
        The same rules as `toolkit.segments.cluster_rules.Condition`.
    profile_ : DataFrame, index ``cluster``
        Customers, spend, and the median of each feature (`cluster_profile`).
    steps_ : DataFrame, index ``feature``
        What is done to each column, as learned.
    preparation_ : Preparation
        The same, to apply (`toolkit.segments.cluster_features.Preparation`).
    checks_ : tuple of Check
        What is doubtful.
    banner_ : str
        Why there are no stable clusters; empty where there are.

    Notes
    -----
    Money and counts go through a logarithm, values beyond the 1st and 99th percentile are drawn in, and every feature
    is scaled to mean 0 and variance 1, all learned at ``fit``. Neither the order of rows, nor ids, nor the unit of
    money matter. Cluster 1 has the highest mean ``window_spend`` (the first feature where the snapshot lacks it).
    Never-buyers teach nothing and have no cluster. Clusters that are no better than those of a cloud without groups
    are told by `banner_`; the labels then cut a continuum.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> often = np.repeat([9, 1], 60)
    >>> snap = pd.DataFrame({"order_count": often, "recency_days": rng.integers(1, 60, 120) + 300.0 * (often == 1),
    ...                      "window_order_days": often, "window_spend": often * rng.uniform(80, 120, 120)})
    >>> clusters = Clusters().fit(snap)
    >>> clusters.k_, clusters.banner_, float(clusters.stability_["ari"].mean())
    (2, '', 1.0)
    >>> clusters.rules_
                                rule  customers  precision  recall
    cluster
    1         window_order_days > 5         60        1.0     1.0
    2        window_order_days <= 5         60        1.0     1.0
    """

    k_: int
    conditions_: dict[str, Rule]

    def __init__(
        self,
        k: int | Literal["auto"] = "auto",
        seed: int = 7,
        method: Method = "kmeans",
        features: Sequence[str] | None = None,
        n_init: int = STARTS,
    ) -> None:
        self.k = k
        self.seed = seed
        self.method = method
        self.features = features
        self.n_init = n_init

    def fit(self, snap: pd.DataFrame, y: None = None, *, previous: Clusters | None = None) -> Self:  # noqa: ARG002  # scikit-learn passes y
        """Learn steps and clusters from the buyers of a snapshot.

        Parameters
        ----------
        snap
            One row per customer, with ``order_count`` and the features.
        y
            Ignored.
        previous
            Fitted clusters of an earlier period. The new ones start from where these put today's customers, keep
            their number where ``k`` is ``auto``, and take over their names.

        Returns
        -------
        Clusters
            Itself, fitted.

        Raises
        ------
        ArgumentError
            A column is missing, not numeric or not point-in-time; a buyer's value is missing or infinite; there is no
            buyer; ``k`` is given and all buyers are alike; or an option is wrong.
        """
        self._refuse_options()
        names = chosen(snap, self.features)
        refuse_undated(snap, names)
        buyers = buyers_of(snap)
        if not buyers.any():
            hint = "a later as_of"
            raise ArgumentError("no-buyers", "no customer has an order, so there is nothing to learn from", hint=hint)
        self.preparation_ = learn(snap, names, buyers)
        self.features_ = tuple(self.preparation_.columns)
        self.steps_ = self.preparation_.table()
        rows = self.preparation_.apply(snap, buyers)
        order = np.lexsort(rows.T[::-1]) if rows.size else np.arange(len(rows))
        places = np.flatnonzero(buyers)[order]
        more = previous.features_ if previous is not None else ()
        wanted = {ORDER_COUNT, WINDOW_SPEND, *names, *more}
        people = snap.loc[:, [name in wanted for name in snap.columns]].iloc[places]
        with one_thread():
            labels = self._learn(rows[order], people, previous)
        codes = np.full(len(snap), -1, dtype=np.int64)
        codes[places] = labels
        self.labels_ = self._named(codes, snap.index)
        self.profile_ = cluster_profile(people.assign(**{CLUSTER: self._named(labels, people.index)}), self.features_)
        return self

    def predict(self, snap: pd.DataFrame) -> pd.Series[Any]:
        """Return the cluster of each customer by the learned steps: an ordered category, missing for never-buyers.

        Parameters
        ----------
        snap
            One row per customer, with ``order_count`` and the features used.

        Raises
        ------
        ArgumentError
            A column is missing, or a buyer's value is missing or infinite.
        """
        return self._named(self.numbers(snap), snap.index)

    def transform(self, snap: pd.DataFrame) -> pd.DataFrame:
        """Return a shallow copy of a snapshot with the column ``cluster``; see `predict`."""
        clustered = snap.copy(deep=False)
        clustered[CLUSTER] = self.predict(snap)
        return clustered

    def numbers(self, snap: pd.DataFrame) -> Ints:
        """Return the clusters of `predict` as numbers from 0; -1 for never-buyers."""
        check_is_fitted(self, "k_")
        chosen(snap, self.features_ or self.features)
        buyers = buyers_of(snap)
        codes = np.full(len(snap), -1, dtype=np.int64)
        codes[buyers] = 0
        if self.k_ > 1 and buyers.any():
            with one_thread():
                codes[buyers] = self._model.assign(self.preparation_.apply(snap, buyers))
        return codes

    def agreement(self, tiered: pd.DataFrame, by: str = "segment") -> Agreement:
        """Cross the clusters with the classes of a scheme.

        Parameters
        ----------
        tiered
            The same customers with a column of classes, such as the output of ``RFM.transform``.
        by
            That column.

        Returns
        -------
        Agreement
            Its ``table`` counts customers by class and cluster; ``ari`` and ``ami`` say how far both agree.

        Raises
        ------
        ArgumentError
            The frame has no such column, or none of the customers.
        """
        check_is_fitted(self, "k_")
        return agreement(self.labels_, tiered, by)

    def _refuse_options(self) -> None:
        if self.method not in METHODS:
            raise ArgumentError("method", f"method is {self.method!r}", hint='method="kmeans"')
        if self.k != "auto" and not (isinstance(self.k, int | np.integer) and 2 <= self.k <= _MOST):
            raise ArgumentError(
                "k", f'k is "auto" or a whole number from 2 to {_MOST}, not {self.k!r}', hint='k="auto"'
            )
        if self.n_init < 1:
            raise ArgumentError("n_init", f"n_init must be at least 1, not {self.n_init}", hint=f"n_init={STARTS}")

    def _learn(self, rows: Floats, people: pd.DataFrame, previous: Clusters | None) -> Ints:
        """Fit, name and judge the clusters of buyers in sorted order, and return their numbers."""
        asked = None if self.k == "auto" else int(self.k)
        different = distinct(rows, asked or RANGE.stop) if rows.size else 1
        checks = [few_buyers(len(rows)), *feature_checks(self.preparation_)]
        if different < 2 and asked is not None:
            hint = 'k="auto", or other features'
            raise ArgumentError("one-point", "all buyers are alike on every feature", count=len(rows), hint=hint)
        if asked is None and (len(rows) < ENOUGH_BUYERS or different < 2):
            return self._alone(len(rows), checks if different > 1 else [*checks, ONE_POINT])
        sizes = (
            [min(asked, different)]
            if asked
            else [size for size in RANGE if size <= min(different, len(rows) // _FEWEST)]
        )
        choice = choose(rows, self.seed, method=self.method, sizes=sizes)
        earlier = previous.k_ if previous is not None and previous.k_ > 1 else None
        self.k_ = min(earlier, different) if earlier and not asked else choice.best
        before = previous.numbers(people) if previous is not None and earlier else None
        warm = _means(rows, before, self.k_) if before is not None and earlier == self.k_ else None
        model = cluster_models.fit(rows, self.k_, self.seed, method=self.method, starts=self.n_init, warm=warm)
        labels = model.assign(rows)
        worth = [name for name in (WINDOW_SPEND, *self.features_) if name in people.columns]
        order = by_value(labels, self.k_, [people[name].to_numpy(dtype=np.float64) for name in worth])
        if before is not None and earlier:
            order = matched(labels, self.k_, before, earlier, order)
        self._model: Model = model.ordered(order)
        labels = np.argsort(order)[labels]
        checks += number_checks(asked, self.k_, choice.best, earlier)
        self._judge(rows, people, labels, choice, checks)
        return labels

    def _judge(self, rows: Floats, people: pd.DataFrame, labels: Ints, choice: Choice, checks: list[Check]) -> None:
        """Learn stability and rules, and say what is doubtful."""
        columns = {name: people[name].to_numpy(dtype=np.float64) for name in self.features_}
        names = _names(self.k_)
        self.choice_ = choice.table
        self.stability_ = stability(rows, labels, self.k_, self.seed, method=self.method)
        self.conditions_, said = rules(columns, labels, names, self.seed)
        self.rules_ = fidelity(self.conditions_, said, labels)
        sizes = np.bincount(labels, minlength=self.k_)
        agreed = float((said == labels).mean())
        self.checks_ = (*checks, *cluster_checks(sizes, names, choice, self.stability_, agreed))
        self.banner_ = banner(self.checks_)

    def _alone(self, buyers: int, checks: list[Check]) -> Ints:
        """Put all buyers into one cluster: there is nothing to model."""
        self.k_ = 1
        self.choice_ = pd.DataFrame(index=pd.Index([], name="k", dtype="int64"))
        self.stability_ = pd.DataFrame(columns=["ari", "1"], index=pd.RangeIndex(1, 1, name="draw"), dtype="float64")
        self.conditions_ = {"1": ((),)}
        labels = np.zeros(buyers, dtype=np.int64)
        self.rules_ = fidelity(self.conditions_, labels, labels)
        self.checks_ = tuple(checks)
        self.banner_ = banner(self.checks_)
        return labels

    def _named(self, numbers: Ints, index: pd.Index[Any]) -> pd.Series[Any]:
        names = pd.Index(_names(self.k_))
        return pd.Series(pd.Categorical.from_codes(numbers, names, ordered=True), index, name=CLUSTER)  # type: ignore[arg-type]  # stub wants a list


def _names(k: int) -> list[str]:
    return [str(number + 1) for number in range(k)]


def _means(rows: Floats, numbers: Ints, k: int) -> Floats | None:
    """Return the middle of the rows of each number, None where a number has no row."""
    counts = np.bincount(numbers, minlength=k)
    if (counts == 0).any():
        return None
    return np.column_stack([np.bincount(numbers, column, minlength=k) / counts for column in rows.T])
