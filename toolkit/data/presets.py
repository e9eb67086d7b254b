"""The exports that this field knows, as data: presets.yaml."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field

from toolkit.data.headers import folded
from toolkit.strict import StrictLoader

if TYPE_CHECKING:
    from collections.abc import Sequence


class Preset(BaseModel):
    """One known export.

    Attributes
    ----------
    zh, en
        What it is called.
    table
        The table that it holds.
    headers_known, source
        Whether the headers were seen, and where.
    fingerprint
        Headers that must all be there.
    columns, multiply
        Canonical column -> headers in order of preference; canonical column -> two factors.
    statuses, policies, amount_basis, guests
        What the study file should say; ``guests`` are ids that are no customer.
    continues
        Columns that are blank on the rows after an order's first.
    personal_id
        Whether the customer's id is itself personal.
    notes
        What the study file says about it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str
    en: str
    table: str
    headers_known: bool
    source: str
    fingerprint: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    multiply: dict[str, tuple[str, str]] = Field(default_factory=dict)
    statuses: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    policies: dict[str, str] = Field(default_factory=dict)
    amount_basis: str = ""
    guests: tuple[str, ...] = ()
    continues: tuple[str, ...] = ()
    personal_id: bool = False
    notes: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash(self.en)


@cache
def presets() -> dict[str, Preset]:
    """Return every known export by its short name."""
    text = (files("toolkit.data") / "presets.yaml").read_text("utf-8")
    content = yaml.load(text, Loader=StrictLoader)  # noqa: S506 - the loader derives from SafeLoader
    return {name: Preset.model_validate(preset) for name, preset in content.items()}


def preset_of(headers: Sequence[str]) -> Preset | None:
    """Return the known export whose fingerprint these headers hold; of several the one with the longest.

    Examples
    --------
    >>> preset_of(["主订单编号", "子订单编号", "选购商品", "商品数量"]).en
    'Douyin shop, order export'
    """
    there = {folded(header) for header in headers}
    fitting = [preset for preset in presets().values() if {folded(header) for header in preset.fingerprint} <= there]
    return max(fitting, key=lambda preset: len(preset.fingerprint), default=None)
