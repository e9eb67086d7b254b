"""One person, many ids: the ids that an export links are one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from toolkit.errors import InputError

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from toolkit.study import StudyFile

    Codes = NDArray[np.int64]

PEOPLE_COLUMNS = ("id", "person")


def people(links: pd.DataFrame, *, max_ids: int = 12) -> pd.DataFrame:
    """Say which person is behind which id.

    Parameters
    ----------
    links
        One row per link, text columns ``customer_id``, ``id_kind`` (may be missing) and ``id_value``: the value is an
        id of that customer. Equal values of one kind are one id, and a value that stands as a ``customer_id`` too is
        that customer.
    max_ids
        A person with more ids than this stops: links through a shared phone or a till's id merge strangers.

    Returns
    -------
    pandas.DataFrame
        Columns ``id`` and ``person``, sorted by ``id``: every id that stands for another person than itself says.
        The person's id is the smallest ``customer_id`` among the linked ones that is nobody else's ``id_value``.

    Raises
    ------
    InputError
        Ids are linked in a circle, a person has too many ids, or one text is an id of two persons.

    Notes
    -----
    People are the connected components of the graph whose edges are the links; a circle is a strongly connected
    component of the graph from customer to value (Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972).

    Examples
    --------
    >>> links = pd.DataFrame({"customer_id": ["C1", "C1", "wm7"], "id_kind": ["external_userid", "unionid", "unionid"],
    ...                       "id_value": ["wm1", "u5", "u5"]})
    >>> people(links).to_numpy().tolist()
    [['u5', 'C1'], ['wm1', 'C1'], ['wm7', 'C1']]
    """
    links = links[links["customer_id"] != links["id_value"]].astype(object)
    if links.empty:
        return pd.DataFrame(columns=list(PEOPLE_COLUMNS), dtype=object)
    codes, texts = pd.factorize(pd.concat([links["customer_id"], links["id_value"]]), sort=True)
    customer, value = np.split(codes.astype(np.int64), 2)
    kind = pd.factorize(links["id_kind"].fillna(""))[0] + 1
    is_customer, is_value = np.zeros((2, len(texts)), dtype=bool)
    is_customer[customer] = is_value[value] = True
    value_nodes = np.where(is_customer[value], value, value + kind * len(texts))
    nodes, ends = np.unique(np.concatenate([customer, value_nodes]), return_inverse=True)
    text = nodes % len(texts)
    start, to = np.split(ends, 2)
    graph = coo_array((np.ones(len(start), dtype=bool), (start, to)), shape=(len(nodes), len(nodes))).tocsr()

    _refuse_circles(connected_components(graph, connection="strong")[1], text, texts)
    count, cluster = connected_components(graph, directed=False)
    _refuse_large(cluster, text, texts, max_ids)
    person = np.full(count, len(texts))
    root = is_customer[text] & ~is_value[text]
    np.minimum.at(person, cluster[root], text[root])
    known = pd.DataFrame({"id": text, "person": person[cluster]}).drop_duplicates()
    _refuse_two_persons(known["id"], texts)
    others = known[known["id"] != known["person"]].sort_values("id", ignore_index=True)
    return pd.DataFrame({name: texts[others[name]] for name in PEOPLE_COLUMNS})


def link(connection: duckdb.DuckDBPyConnection, settings: StudyFile) -> None:
    """Make the engine's table ``people`` (``id``, ``person``) from the clean table ``identities``."""
    links = connection.execute(
        "SELECT customer_id, id_kind, id_value FROM identities WHERE fate = 'used' ORDER BY ALL"
    ).df()
    found = people(links, max_ids=settings.identity.max_ids)
    columns = {name: pa.array(found[name], pa.string()) for name in PEOPLE_COLUMNS}
    connection.register("people_found", pa.table(columns))
    connection.execute("CREATE OR REPLACE TABLE people AS SELECT id, person FROM people_found")
    connection.unregister("people_found")
    connection.execute(
        "SET VARIABLE exclude_customers = (SELECT list(COALESCE(person, out.id))"
        " FROM (SELECT unnest(getvariable('exclude_customers')) AS id) AS out LEFT JOIN people ON out.id = people.id)"
    )


def left_out(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return every id of the people whom the study leaves out."""
    rows = connection.execute(
        "SELECT unnest(getvariable('exclude_customers')) AS id"
        " UNION SELECT id FROM people WHERE list_contains(getvariable('exclude_customers'), person) ORDER BY id"
    ).fetchall()
    return tuple(row[0] for row in rows)


def _refuse_circles(component: NDArray[np.int32], text: Codes, texts: pd.Index[str]) -> None:
    sizes = np.bincount(component)
    circles = np.flatnonzero(sizes > 1)
    if len(circles) == 0:
        return
    raise InputError(
        "identity-circle",
        "ids are linked in a circle: nobody is the person behind them"
        f" (ids per circle: {_sizes(sizes[circles].tolist(), len(circles))})",
        where="identities",
        column="id_value",
        count=len(circles),
        examples=[texts[text[component == circle].min()] for circle in circles[:3]],
        hint="list each link once, from the person's own id to the other one",
    )


def _refuse_large(cluster: NDArray[np.int32], text: Codes, texts: pd.Index[str], max_ids: int) -> None:
    ids = pd.DataFrame({"cluster": cluster, "id": text}).drop_duplicates().groupby("cluster")["id"]
    sizes = ids.size()
    large = sizes[sizes > max_ids].sort_values(ascending=False, kind="stable")
    if large.empty:
        return
    raise InputError(
        "identity-large",
        f"links merge more than {max_ids} ids into one person (ids per person: {_sizes(large.tolist(), len(large))})",
        where="identities",
        column="id_value",
        count=len(large),
        examples=texts[ids.min().loc[large.index[:3]]],
        hint=f"remove links through shared phones and tills, or identity: {{max_ids: {large.iloc[0]}}}",
    )


def _refuse_two_persons(known: pd.Series[int], texts: pd.Index[str]) -> None:
    several = known[known.duplicated()].unique()
    if len(several) == 0:
        return
    raise InputError(
        "identity-ambiguous",
        "one text is an id of two persons, in two kinds of id",
        where="identities",
        column="id_value",
        count=len(several),
        examples=texts[np.sort(several)[:3]],
        hint="write the kind into the id, such as phone:138..., or remove one of the kinds",
    )


def _sizes(sizes: list[int], count: int) -> str:
    return ", ".join(f"{size:,}" for size in sizes[:5]) + (", ..." if count > 5 else "")
