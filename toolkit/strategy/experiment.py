"""The promise of an experiment, read strictly: arms, units, window, metrics, and what would be worth acting on."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from toolkit.data.measures import Measure
from toolkit.errors import StudyFileError, ToolkitError
from toolkit.schema import as_day
from toolkit.strict import line_of, nearest, read_yaml

Kind = Literal["proportion", "mean", "ratio", "retention"]
HOLDOUT = "holdout"
"""The arm of those who are kept out of every arm."""
NO_TIER = "none"
"""The tier of customers whose column of tiers is empty."""
_TOLERANCE = 1e-9


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _measure(value: object) -> object:
    """Read ``spend`` or ``{events: [lesson_complete]}`` as a measure."""
    try:
        if isinstance(value, str):
            return Measure(value)  # type: ignore[arg-type]  # the measure checks it
        if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), list | tuple):
            ((quantity, kinds),) = value.items()
            return Measure(quantity, tuple(map(str, kinds)))
    except ToolkitError as error:
        raise ValueError(error.what if error.what.endswith("?") else f"{error.what}: write {error.hint}") from None
    if not isinstance(value, Measure) and not (isinstance(value, dict) and "quantity" in value):
        raise ValueError(f"{value!r} is no measure: write spend, or {{events: [lesson_complete]}}")
    return value


def _day(value: object) -> date:
    try:
        return as_day(value)
    except ToolkitError:
        raise ValueError(f"{value!r} is no day: write it as 2026-08-23") from None


_Day = Annotated[date, BeforeValidator(_day)]
_Name = Annotated[str, Field(min_length=1)]
_Number = Annotated[float, Field(strict=True)]
_Share = Annotated[float, Field(strict=True, gt=0, lt=1)]
_Whole = Annotated[int, Field(strict=True)]
_Words = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
_Measured = Annotated[Measure, BeforeValidator(_measure)]


class Metric(_Part):
    """What is compared between arms: a number per unit over its window, and how it becomes a value of an arm.

    ``proportion``: share of units with ``of`` above 0. ``mean``: mean of ``of``. ``ratio``: sum of ``of`` over sum of
    ``per``. ``retention``: share of units with ``of`` above 0 on ``days`` (from, to) after assignment.
    """

    kind: Kind
    of: _Measured
    per: _Measured | None = None
    days: tuple[_Whole, _Whole] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "ratio") != (self.per is not None):
            raise ValueError("per: goes with kind: ratio, such as {kind: ratio, of: spend, per: orders}")
        if (self.kind == "retention") != (self.days is not None):
            raise ValueError(
                "days: goes with kind: retention, such as {kind: retention, of: active_days, days: [21, 28]}"
            )
        if self.days is not None and not 0 <= self.days[0] < self.days[1]:
            raise ValueError(f"days: {list(self.days)} do not rise from 0")
        return self


class Guardrail(Metric):
    """A metric that must not get worse by as much as a margin (a test of non-inferiority)."""

    margin: _Number = Field(gt=0)
    worse: Literal["higher", "lower"]


class Assigned(_Part):
    """First and last day of assignment."""

    first: _Day
    last: _Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("assignment ends before it starts")
        return self


class Covariate(_Part):
    """What is known of a unit before its assignment, to take noise out of the outcome (CUPED).

    Each metric is adjusted by its own measure over the ``days`` before assignment, or by ``of``.
    """

    days: int = Field(ge=1, strict=True)
    of: _Measured | None = None


class Profit(_Part):
    """Which metric is money, what share of it is left, and what an arm costs per unit in it."""

    of: str
    margin: _Number = Field(1.0, gt=0, le=1)
    offer_cost: dict[str, Annotated[float, Field(strict=True, ge=0)]] = Field(default_factory=dict)


class Experiment(_Part):
    """A whole experiment file: everything that is promised before anybody is assigned.

    Attributes
    ----------
    experiment
        Its id in the table assignments.
    question
        What it is to answer, in a sentence.
    arms
        Arm -> share of the units, together 1; ``shares_by_tier`` has other shares for single tiers.
    control
        The arm that the others are compared with.
    unit
        ``customer``, or ``cluster`` where whole groups are assigned (column ``cluster_id``).
    cluster
        Column of the tiered frame that names the groups, for assignment and planning.
    tier
        Column of tiers, frozen at assignment.
    assigned, window_days
        First and last day of assignment, and how long each unit's outcome counts from its own assignment.
    primary, metrics, guardrails
        The metric that decides, all metrics, and those that must not get worse.
    alpha, smallest_effect
        Level of every test (two-sided), and the smallest lift of the primary metric that is worth acting on, in its
        own units (a share for proportions).
    covariate, profit
        See `Covariate` and `Profit`; none by default.
    campaigns
        Arm -> campaigns of the table contacts that deliver it.
    holdout
        Share of the units that is kept out of every arm.
    capacity
        At most so many units outside the control arm.
    salt
        Makes its assignment independent of that of other experiments; its id by default.
    """

    experiment: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    question: str = ""
    arms: dict[_Name, _Share] = Field(min_length=2)
    shares_by_tier: dict[str, dict[str, _Share]] = Field(default_factory=dict)
    control: str
    unit: Literal["customer", "cluster"] = "customer"
    cluster: _Name | None = None
    tier: _Name
    assigned: Assigned
    window_days: int = Field(ge=1, strict=True)
    primary: str
    metrics: dict[_Name, Metric] = Field(min_length=1)
    guardrails: dict[_Name, Guardrail] = Field(default_factory=dict)
    alpha: _Number = Field(0.05, gt=0, lt=0.5)
    power: _Number = Field(0.8, gt=0.5, lt=1)
    smallest_effect: _Number = Field(gt=0)
    covariate: Covariate | None = None
    profit: Profit | None = None
    campaigns: dict[str, _Words] = Field(default_factory=dict)
    holdout: _Number = Field(0.0, ge=0, lt=1)
    capacity: _Whole | None = Field(None, ge=1)
    salt: str = ""
    _path: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _arms_add_up(self) -> Self:
        if self.control not in self.arms:
            raise _fault(f"control {self.control!r} is no arm{nearest(self.control, self.arms)}", "control")
        if HOLDOUT in self.arms:
            raise _fault(f"an arm may not be called {HOLDOUT!r}: write holdout: 0.1", "arms", HOLDOUT)
        for tier, shares in {"": self.arms, **self.shares_by_tier}.items():
            keys = ("shares_by_tier", tier) if tier else ("arms",)
            if set(shares) != set(self.arms):
                raise _fault(f"shares of tier {tier!r} must name the arms {', '.join(self.arms)}", *keys)
            if abs(sum(shares.values()) - 1) > _TOLERANCE:
                raise _fault(f"shares add up to {sum(shares.values()):g} and not to 1", *keys)
        for what, named in (
            ("campaigns", self.campaigns),
            ("offer_cost", self.profit.offer_cost if self.profit else {}),
        ):
            unknown = [arm for arm in named if arm not in self.arms]
            if unknown:
                raise _fault(f"{what}: {unknown[0]!r} is no arm{nearest(unknown[0], self.arms)}", what, unknown[0])
        return self

    @model_validator(mode="after")
    def _metrics_are_known(self) -> Self:
        if self.primary not in self.metrics:
            raise _fault(f"primary {self.primary!r} is no metric{nearest(self.primary, self.metrics)}", "primary")
        twice = sorted(set(self.metrics) & set(self.guardrails))
        if twice:
            raise _fault(f"{twice[0]!r} is a metric and a guardrail; give one another name", "guardrails", twice[0])
        for name, metric in {**self.metrics, **self.guardrails}.items():
            if metric.days is not None and metric.days[1] > self.window_days:
                raise _fault(
                    f"days {list(metric.days)} end after the window of {self.window_days} days", "metrics", name, "days"
                )
        if self.profit and (self.profit.of not in self.metrics or self.metrics[self.profit.of].kind != "mean"):
            raise _fault(f"profit: of: {self.profit.of!r} is no metric of kind mean", "profit", "of")
        if self.unit == "customer" and self.cluster is not None:
            raise _fault("cluster: goes with unit: cluster", "cluster")
        return self

    @property
    def closes_on(self) -> date:
        """The day at whose end every window is closed: no effect is read before."""
        return self.assigned.last + timedelta(days=self.window_days)

    @property
    def sha256(self) -> str:
        """Hash of everything that is promised, the same however the file is laid out."""
        content = self.model_dump(mode="json", exclude_defaults=False)
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def plan_path(self) -> Path | None:
        """Where its plan stands: ``coupon.plan.yaml`` beside ``coupon.yaml``; None where it came from no file."""
        return self._path and self._path.with_name(f"{self._path.stem}.plan.yaml")

    def shares(self, tier: object) -> dict[str, float]:
        """Return the share of each arm in a tier."""
        return dict(self.shares_by_tier.get(str(tier), self.arms))

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read an experiment file.

        Parameters
        ----------
        path
            YAML, UTF-8.

        Raises
        ------
        StudyFileError
            Missing file, unknown or repeated key, wrong type, a promise that contradicts itself: with the line.
        """
        path = Path(path)
        content, text = read_yaml(path)
        found = cls.parse(content, where=path.name, text=text)
        found._path = path  # noqa: SLF001 - its own
        return found

    @classmethod
    def parse(cls, content: dict[str, Any], *, where: str = "experiment", text: str = "") -> Self:
        """Check an experiment given as a dictionary; see `open`.

        Examples
        --------
        >>> spec = Experiment.parse({
        ...     "experiment": "coupon", "arms": {"none": 0.5, "coupon": 0.5}, "control": "none", "tier": "stage",
        ...     "assigned": {"first": "2026-09-01", "last": "2026-09-07"}, "window_days": 28, "smallest_effect": 0.02,
        ...     "primary": "bought", "metrics": {"bought": {"kind": "proportion", "of": "orders"}}})
        >>> spec.closes_on
        datetime.date(2026, 10, 5)
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            what, keys = _said(error)
            where = line_of(keys, text, where)
            raise StudyFileError("experiment-key", what, where=where, hint="mend it in the experiment file") from None


def _said(error: ValidationError) -> tuple[str, list[str]]:
    """Return what is wrong, and the keys that lead to its line."""
    found = error.errors(include_url=False)
    first = min(found, key=lambda one: (one["type"] not in ("extra_forbidden", "invalid_key"), found.index(one)))
    keys = first.get("ctx", {}).get("keys") or [str(part) for part in first["loc"] if not isinstance(part, int)]
    what = str(first["msg"]).removeprefix("Value error, ")
    if "[key]" in keys or first["type"] == "invalid_key":
        above = [str(part) for part in first["loc"][: -2 if "[key]" in keys else -1]]
        what = "a name is empty, or YAML reads it as no text (yes, no, on, off, numbers): write it in quotes"
        return f"{'.'.join(above)}: {what}", above
    if first["type"] == "extra_forbidden":
        return f"unknown key {keys[-1]!r}{nearest(keys[-1], _known_keys(keys[:-1]))}", keys
    if first["type"] == "missing" and isinstance(first["loc"][-1], str):
        return f"key {keys[-1]!r} is required", keys[:-1]
    if first["type"] not in ("value_error", "experiment"):
        return f"{'.'.join(keys)}: {what[:1].lower()}{what[1:]}", keys
    return what, keys


def _known_keys(keys: list[str]) -> list[str]:
    parts: dict[str, type[BaseModel]] = {
        "metrics": Metric, "guardrails": Guardrail, "assigned": Assigned, "covariate": Covariate, "profit": Profit,
    }  # fmt: skip
    return list((parts[keys[0]] if keys and keys[0] in parts else Experiment).model_fields)


def _fault(what: str, *keys: str) -> PydanticCustomError:
    return PydanticCustomError("experiment", "{what}", {"what": what, "keys": list(keys)})
