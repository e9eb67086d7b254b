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
    links = links[links["customer_id"] != links["id_value"]].astype(object).fillna({"id_kind": ""}).drop_duplicates()
    if links.empty:
        return pd.DataFrame(columns=list(PEOPLE_COLUMNS), dtype=object)
    customers = links["customer_id"].unique()
    values = links[["id_kind", "id_value"]].drop_duplicates()
    node_of_customer = pd.Series(np.arange(len(customers)), index=customers)
    node_of_value = pd.Series(
        np.arange(len(customers), len(customers) + len(values)), index=pd.MultiIndex.from_frame(values)
    )
    texts = np.concatenate([customers, values["id_value"].to_numpy()])
    to = node_of_value.loc[pd.MultiIndex.from_frame(links[["id_kind", "id_value"]])].to_numpy()
    start = node_of_customer.loc[links["customer_id"]].to_numpy()
    same_text = node_of_customer.reindex(values["id_value"]).to_numpy(dtype="float64")
    is_customer = ~np.isnan(same_text)
    start = np.concatenate([start, node_of_value.to_numpy()[is_customer]])
    to = np.concatenate([to, same_text[is_customer].astype("int64")])
    graph = coo_array((np.ones(len(start), dtype="int8"), (start, to)), shape=(len(texts), len(texts))).tocsr()

    _refuse_circles(connected_components(graph, connection="strong")[1], texts)
    _, cluster = connected_components(graph, directed=False)
    found = pd.DataFrame({"id": texts, "cluster": cluster, "customer": np.arange(len(texts)) < len(customers)})
    _refuse_large(found, max_ids)
    found["root"] = found["customer"] & ~found["id"].isin(values["id_value"])
    person = found[found["root"]].groupby("cluster")["id"].min()
    found["person"] = found["cluster"].map(person)
    found = found[["id", "person"]].drop_duplicates()
    _refuse_two_persons(found)
    return found[found["id"] != found["person"]].sort_values("id", ignore_index=True)


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


def _refuse_circles(component: NDArray[np.int32], texts: NDArray[np.object_]) -> None:
    sizes = np.bincount(component)
    circles = np.flatnonzero(sizes > 1)
    if len(circles) == 0:
        return
    ids = [len(set(texts[component == circle])) for circle in circles[:5]]
    raise InputError(
        "identity-circle",
        f"ids are linked in a circle: nobody is the person behind them (ids per circle: {_sizes(ids, len(circles))})",
        where="identities",
        column="id_value",
        count=len(circles),
        examples=[min(texts[component == circle]) for circle in circles[:3]],
        hint="list each link once, from the person's own id to the other one",
    )


def _refuse_large(found: pd.DataFrame, max_ids: int) -> None:
    sizes = found.drop_duplicates(["cluster", "id"]).groupby("cluster").size()
    large = sizes[sizes > max_ids].sort_values(ascending=False)
    if large.empty:
        return
    examples = found[found["customer"]].groupby("cluster")["id"].min().loc[large.index[:3]]
    raise InputError(
        "identity-large",
        f"links merge more than {max_ids} ids into one person (ids per person: {_sizes(large.tolist(), len(large))})",
        where="identities",
        column="id_value",
        count=len(large),
        examples=examples.tolist(),
        hint=f"remove links through shared phones and tills, or identity: {{max_ids: {large.iloc[0]}}}",
    )


def _refuse_two_persons(found: pd.DataFrame) -> None:
    several = found[found["id"].duplicated(keep=False)]
    if several.empty:
        return
    raise InputError(
        "identity-ambiguous",
        "one text is an id of two persons, in two kinds of id",
        where="identities",
        column="id_value",
        count=several["id"].nunique(),
        examples=several["id"].unique()[:3],
        hint="write the kind into the id, such as phone:138..., or remove one of the kinds",
    )


def _sizes(sizes: list[int], count: int) -> str:
    return ", ".join(f"{size:,}" for size in sizes[:5]) + (", ..." if count > 5 else "")
