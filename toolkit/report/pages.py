"""A run's notebooks as pages that load nothing, and the page that leads to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from toolkit.report.markup import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEMPLATE = Path(__file__).parent / "template"
FIGURES_SHOWN = 6
FRAME: dict[str, dict[str, str]] = {
    "en": {
        "html_lang": "en",
        "report": "Customer-tier report",
        "as_of": "as of",
        "pages": "All pages",
        "turn": "Previous and next page",
        "previous": "Previous",
        "next": "Next",
        "computed_on": "computed on",
        "results": "figures (JSON)",
        "manifest": "how it was made (JSON)",
        "notebook": "executed notebook",
    },
    "zh": {
        "html_lang": "zh-CN",
        "report": "用户分层运营报告",
        "as_of": "截至",
        "pages": "全部页面",
        "turn": "上一页与下一页",
        "previous": "上一页",
        "next": "下一页",
        "computed_on": "计算于",
        "results": "数据结果（JSON）",
        "manifest": "计算记录（JSON）",
        "notebook": "已执行的笔记本",
    },
}


@dataclass(frozen=True)
class Page:
    """One notebook's place in a report: its file's stem, its question, and what it found."""

    stem: str
    title: str
    results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Return the name of the page's file."""
        return f"{self.stem}.html"

    @property
    def verdict(self) -> str:
        """Return the sentence that answers the question, empty where none was recorded."""
        return str(self.results.get("verdict", ""))

    @property
    def figures(self) -> list[dict[str, str]]:
        """Return the figures of the strip, at most six, as people read them."""
        shown = self.results.get("figures", [])[:FIGURES_SHOWN]
        return [{"label": str(figure["label"]), "value": _readable(figure["value"])} for figure in shown]


@dataclass(frozen=True)
class Pages:
    """All pages of one report.

    Attributes
    ----------
    study
        Name of the study, as people read it.
    as_of
        The report's date, ISO.
    computed_on
        The day the run ended, ISO.
    language
        ``zh`` or ``en``: the language of the pages' frame.
    pages
        The pages in their order.
    """

    study: str
    as_of: str
    computed_on: str
    language: str
    pages: Sequence[Page]

    def page(self, nb: Any, stem: str) -> str:
        """Return one notebook's page: prose and outputs, no code, nothing loaded.

        Parameters
        ----------
        nb
            The executed notebook, fit to be published.
        stem
            Which of the pages it is.

        Returns
        -------
        str
            A whole HTML document.
        """
        place = [page.stem for page in self.pages].index(stem)
        around = {
            "title": self.pages[place].title,
            "page": self.pages[place].file,
            "previous": self.pages[place - 1] if place else None,
            "next": self.pages[place + 1] if place + 1 < len(self.pages) else None,
            "links": [{"file": f"notebooks/{stem}.ipynb", "title": self.words["notebook"]}],
        }
        html, _ = self._exporter.from_notebook_node(nb, {"frame": self._frame | around, "style": self._style})
        return f"{html.strip()}\n"

    def overview(self) -> str:
        """Return the report's first page: a card for each notebook, with its question, verdict and figures."""
        links = [{"file": f"{name}.json", "title": self.words[name]} for name in ("results", "manifest")]
        page = self._environment.get_template("overview.html.j2")
        return page.render(frame=self._frame | {"links": links}, style=self._style) + "\n"

    @property
    def words(self) -> dict[str, str]:
        """Return the frame's words in the report's language."""
        return FRAME[self.language]

    @property
    def _frame(self) -> dict[str, Any]:
        about = {"study": self.study, "as_of": self.as_of, "computed_on": self.computed_on}
        return about | {"pages": self.pages, "words": self.words}

    @property
    def _style(self) -> Markup:
        return Markup((TEMPLATE / "style.css.j2").read_text("utf-8"))  # noqa: S704 - our own file, no one else's words

    @cached_property
    def _environment(self) -> Environment:
        return Environment(loader=FileSystemLoader(TEMPLATE), autoescape=True)

    @cached_property
    def _exporter(self) -> HTMLExporter:
        exporter = HTMLExporter(  # type: ignore[no-untyped-call]  # the library has no types
            template_name=TEMPLATE.name,
            extra_template_basedirs=[str(TEMPLATE.parent)],
            exclude_input=True,
            exclude_anchor_links=True,
            config=Config({"NbConvertBase": {"display_data_priority": SHOWN}}),
        )
        exporter.register_filter("tidy", tidy)  # type: ignore[no-untyped-call]  # the library has no types
        return exporter


SHOWN = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain"]
"""What a page shows of an output, the first that is there; nothing that runs."""


def title(nb: Any, stem: str) -> str:
    """Return a notebook's question: its first heading of the first level, or its name where it has none."""
    for cell in nb.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source.splitlines()[0][2:].strip())
    return stem.replace("_", " ")


def template_hash() -> str:
    """Return the sha256 of the page template's files, names included."""
    digest = hashlib.sha256()
    for path in sorted(TEMPLATE.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _readable(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
