"""How the names and figures of an experiment are written: tiers, arms, metrics, effects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from toolkit.report.labels import SEGMENT_WORDS
from toolkit.report.words import MISSING, TOTAL
from toolkit.report.words_trial_names import TIERS
from toolkit.schema import SEGMENT
from toolkit.strategy.experiment import NO_TIER
from toolkit.strategy.unit_tiers import NEW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.data.measures import Measure
    from toolkit.report.frame import Frame
    from toolkit.report.words import Language
    from toolkit.strategy.experiment import Experiment, Metric

CLAUSE = {"zh": "；", "en": "; "}
"""What stands between clauses."""
_WITHOUT = {NO_TIER: "no_tier", NEW: "new_tier"}
_BRACKETS = {"zh": "{}（{}）", "en": "{} ({})"}
_SHARES = ("proportion", "retention")
_COLOURS = ("#15498b", "#dd9a2f", "#2a9d8f", "#7b3f9d", "#8c4a2f", "#6d6d6d")
_SHAPES = ("o", "s", "^", "v", "P", "X")


@dataclass(frozen=True)
class Scale:
    r"""How a metric's values and effects are written.

    Attributes
    ----------
    kind
        ``proportion``, ``retention``, ``mean`` or ``ratio``.
    money
        Whether its values are money.
    frame
        Language and currency.

    Examples
    --------
    >>> from toolkit.report.frame import Frame
    >>> scale = Scale("proportion", money=False, frame=Frame("2026-10-31"))
    >>> scale.value(0.123), scale.lift(0.0412), scale.lift(-0.0004), scale.span(0.01, 0.07)
    ('12.3%', '+4.1 pp', '−0.04 pp', '+1.0\xa0to\xa0+7.0 pp')
    >>> scale.promised(0.03), scale.tick(-0.02)
    ('3 pp', '−2')
    """

    kind: str
    money: bool
    frame: Frame

    def value(self, value: float) -> str:
        """Write the value of an arm."""
        if _unknown(value):
            return MISSING
        if self.kind in _SHARES:
            return self.frame.words.percent(value)
        return self.frame.money(value) if self.money else self.frame.words.number(value)

    def lift(self, lift: float) -> str:
        """Write an effect with its sign: percentage points for shares, else the metric's own unit."""
        if _unknown(lift):
            return MISSING
        sign = "−" if lift < 0 else "+" if lift > 0 else "±"
        return f"{sign}{self.size(lift)}"

    def size(self, lift: float) -> str:
        """Write how large an effect is, without its sign."""
        if _unknown(lift):
            return MISSING
        return f"{_points(lift)}{self.unit}" if self.kind in _SHARES else self.value(abs(lift))

    def promised(self, effect: float) -> str:
        """Write an effect that somebody chose: without idle zeros."""
        return f"{abs(100 * effect):g}{self.unit}" if self.kind in _SHARES else self.size(effect)

    def tick(self, lift: float) -> str:
        """Write an effect at an axis, whose label names the unit."""
        if lift == 0:
            return "0"
        return f"{100 * lift:+.3g}".replace("-", "−") if self.kind in _SHARES else self.lift(lift)

    @property
    def unit(self) -> str:
        """Unit of an effect, empty where the figure itself says it."""
        return self.frame.words.label("pp") if self.kind in _SHARES else ""

    def span(self, lower: float, upper: float) -> str:
        """Write the interval of an effect."""
        if _unknown(lower) or _unknown(upper):
            return MISSING
        return self.frame.say("from_to", low=self.lift(lower).removesuffix(self.unit), high=self.lift(upper))

    def bare_span(self, lower: float, upper: float) -> str:
        """Write the interval of an effect without its unit, which stands beside it."""
        return self.span(lower, upper).removesuffix(self.unit) if self.unit else self.span(lower, upper)

    @classmethod
    def of_money(cls, frame: Frame) -> Self:
        """Return how a mean amount of money is written."""
        return cls("mean", money=True, frame=frame)


@dataclass(frozen=True)
class Names:
    """What the tiers, arms and metrics of an experiment are called on a page.

    Attributes
    ----------
    spec
        The experiment.
    frame
        Language and currency.
    """

    spec: Experiment
    frame: Frame

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that are compared with the control, in their order."""
        return tuple(arm for arm in self.spec.arms if arm != self.spec.control)

    @property
    def units(self) -> str:
        """What was assigned: customers or groups."""
        return self.frame.words.label(f"units_{self.spec.unit}")

    def tier(self, key: object) -> str:
        """Return the name of a tier; one that only the study knows keeps its own name."""
        words, name = self.frame.words, str(key)
        if name == TOTAL:
            return name
        if f"{self.spec.tier}.{name}" in TIERS:
            return TIERS[f"{self.spec.tier}.{name}"][words.language == "en"]
        known = name if self.spec.tier == SEGMENT and name not in SEGMENT_WORDS else words.tier(self.spec.tier, name)
        return words.label(_WITHOUT[name]) if known == name and name in _WITHOUT else known

    @property
    def scheme(self) -> str:
        """Return the name of the tiers' scheme."""
        words = self.frame.words
        return words.label("top_layer") if self.spec.tier == "top_layer" else words.scheme(self.spec.tier)

    def scale(self, metric: str) -> Scale:
        """Return how a metric is written."""
        found = self.metric(metric)
        money = found.of.quantity == "spend" and found.kind in ("mean", "ratio")
        return Scale(found.kind, money=money, frame=self.frame)

    def metric(self, name: str) -> Metric:
        """Return a metric or guardrail by its name."""
        return self.spec.metrics[name] if name in self.spec.metrics else self.spec.guardrails[name]

    def describe(self, name: str) -> str:
        """Say in words what a metric counts, and over which days."""
        say, found = self.frame.say, self.metric(name)
        days = found.days or (0, self.spec.window_days)
        span = say("on_days", first=str(days[0]), last=str(days[1])) if found.days else say("within", n=str(days[1]))
        if found.kind == "mean":
            key = "metric_mean" if found.of.quantity == "spend" else "metric_count"
            return say(key, of=self._quantity(found.of), span=span)
        if found.per is not None:
            return say("metric_ratio", of=self._quantity(found.of), per=self._quantity(found.per, one=True), span=span)
        return say("metric_share", of=self._quantity(found.of), span=span)

    def listed(self, tiers: Sequence[object]) -> str:
        """Write tiers one after another."""
        return self.frame.words.label("between").join(self.tier(tier) for tier in tiers)

    def _quantity(self, measure: Measure, *, one: bool = False) -> str:
        words = self.frame.words
        if measure.quantity == "events":
            return words.label("or").join(f"“{words.act(kind).lower()}”" for kind in measure.kinds)
        return words.label(f"{'one' if one else 'quantity'}_{measure.quantity}")


def arm_looks(arms: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the colour and the shape of each arm, which differ in grey print too."""
    return {arm: (_COLOURS[at % len(_COLOURS)], _SHAPES[at % len(_SHAPES)]) for at, arm in enumerate(arms)}


def bracketed(text: str, note: str, language: Language) -> str:
    """Write a note behind a text, in brackets of the language.

    Examples
    --------
    >>> bracketed("Entry", "+4.0 pp", "en"), bracketed("入门品", "+4.0%", "zh")
    ('Entry (+4.0 pp)', '入门品（+4.0%）')
    """
    return _BRACKETS[language].format(text, note)


def unbroken(text: str) -> str:
    r"""Keep a short text in one line, where a narrow column would break it.

    Examples
    --------
    >>> unbroken("not known"), len(unbroken("未知"))
    ('not\xa0known', 3)
    """
    return "\u2060".join(text.replace(" ", "\u00a0")) if text and ord(text[0]) > 0x2E7F else text.replace(" ", "\u00a0")


def relative_text(lift: float, lower: float, upper: float) -> str:
    """Write an effect as a percentage of the control's value, with its interval where it has one."""
    if _unknown(lift):
        return MISSING
    told = percent_signed(lift)
    if _unknown(lower) or _unknown(upper):
        return told
    low, high = percent_signed(lower).removesuffix("%"), percent_signed(upper)
    return f"{told} ({low}\u00a0–\u2060\u00a0{high})"


def percent_signed(share: float) -> str:
    """Write a relative change with its sign.

    Examples
    --------
    >>> percent_signed(0.1234), percent_signed(-0.05), percent_signed(2.5)
    ('+12.3%', '−5.0%', '+250%')
    """
    size = abs(100 * share)
    return f"{'−' if share < 0 else '+'}{size:,.{0 if size >= 100 else 1}f}%"


def _points(lift: float) -> str:
    points = abs(100 * lift)
    return f"{points:.2f}" if 0 < points < 0.1 else f"{points:,.1f}"


def _unknown(value: float) -> bool:
    return value is None or not math.isfinite(value)
