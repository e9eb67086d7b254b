"""The study as an analyst uses it: the tables behind their gate, and what the rooms make of one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.data.warehouse import Warehouse

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from toolkit.report.card import CustomerCard
    from toolkit.report.words import Language


class Study(Warehouse):
    """One business: its exports, cleaned once, and what can be asked of them at a date.

    Open one with `Study.open`, `Study.from_frames` or `Study.demo`; the methods that read tables are those of
    `toolkit.data.warehouse.Warehouse`.
    """

    def stored_snapshot(self, as_of: str | date, folder: Path | None = None) -> pd.DataFrame | None:
        """Return the snapshot as the report of a day saw it, or None where none was kept.

        Parameters
        ----------
        as_of
            The day of that report.
        folder
            Where reports keep them, such as ``reports/shop/kept``; inside a report its own folder is known.

        Returns
        -------
        DataFrame or None
            The columns that tiers need, as `snapshot` gives them; who is no longer known stands under a pseudonym.
        """
        from toolkit.report.keeping import kept  # noqa: PLC0415 - as below

        return kept(self, as_of, folder)

    def customer(self, customer_id: str, as_of: str | date, *, lang: Language | None = None) -> CustomerCard:
        """Show one customer on one card: portrait, timeline, scores and tiers with why, the way to the core.

        Parameters
        ----------
        customer_id
            Any id of the person, as text.
        as_of
            The day; nothing on the card depends on later rows.
        lang
            ``zh`` or ``en``; the study's own language where None.

        Returns
        -------
        CustomerCard
            Its fields are frames (`toolkit.report.card_facts.CustomerFacts`); as the last line of a cell it shows
            itself. On a published page it names neither the person's id nor other ids.

        Raises
        ------
        ArgumentError
            Nobody of that id is known at ``as_of``.
        InputError
            As for `snapshot`.

        Examples
        --------
        >>> import pandas as pd, toolkit as tk
        >>> orders = pd.DataFrame({"customer_id": ["C1", "C1", "C2"], "amount": ["1200.50", "80", "15"],
        ...                        "ordered_at": ["2026-01-05", "2026-02-01 10:30", "2026-02-03"]})
        >>> study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
        >>> card = study.customer("C1", as_of="2026-02-28")
        >>> card.segment
        'lapsing_core'
        >>> card.scores[["value", "score", "split"]]
                    value  score   split
        dimension
        recency      27.0      1   26.00
        frequency     2.0      2    1.50
        monetary   1280.5      2  647.75
        """
        from toolkit.report.card import CustomerCard  # noqa: PLC0415 - scikit-learn takes a second to load

        return CustomerCard.gather(self, customer_id, as_of, lang=lang)
