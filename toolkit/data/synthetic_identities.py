"""One person, several ids: who is known in a channel by another id, and which links say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.data import synthetic_community as community
from toolkit.data.synthetic_columns import labelled, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_KINDS = ("external_userid", "openid", "unionid")
_LETTERS = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
_LENGTH, _UNIQUE = 10, 6


@dataclass(frozen=True, eq=False)
class Ids:
    """Every id of every person.

    Attributes
    ----------
    names
        All ids: first the customers' own, in the order of ``people``, then those of the channels.
    places
        Per channel with ids of its own: for each customer, where in ``names`` the id used in that channel stands.
    links
        The table ``identities``.
    owners
        Customer's own id by each other id.
    """

    names: pa.Array
    places: dict[str, NDArray[np.int32]]
    links: pd.DataFrame
    owners: pd.Series[str]

    def written(self, customer: NDArray[np.int32], channel: NDArray[np.int8], labels: Iterable[str]) -> pa.Array:
        """Return the id by which each row, of a channel coded by ``labels``, names its customer."""
        place = customer
        for code, label in enumerate(labels):
            if label in self.places:
                place = np.where(channel == code, self.places[label][customer], place)
        return self.names.take(pa.array(place))


def identify(rng: np.random.Generator, own: pa.Array) -> Ids:
    """Give some people ids of channels, each linked to their own id directly or by a shared ``unionid``.

    Parameters
    ----------
    rng
        Where chance comes from.
    own
        The customers' own ids.
    """
    size = len(own)
    shares = {community.WECOM: community.IN_WECOM, community.SERVICE_ACCOUNT: community.IN_SERVICE_ACCOUNT}
    prefixes = {community.WECOM: "wm", community.SERVICE_ACCOUNT: "o"}
    unions = _spread(rng, "u", size)
    names, places, rows, shared = [own], {}, [], np.zeros(size, dtype=bool)
    owners = [(pa.array([], pa.string()), np.array([], dtype=np.int64))]
    for kind, (channel, share) in enumerate(shares.items()):
        known = np.flatnonzero(rng.random(size) < share)
        ids = _spread(rng, prefixes[channel], size).take(pa.array(known))
        places[channel] = np.arange(size, dtype=np.int32)
        places[channel][known] = sum(map(len, names)) + np.arange(len(known), dtype=np.int32)
        names.append(ids)
        owners.append((ids, known))
        direct = rng.random(len(known)) < community.LINKED_DIRECTLY
        plain, by_union = known[direct], known[~direct]
        rows.append((plain, kind, own.take(pa.array(plain)), ids.filter(pa.array(direct))))
        rows.append((by_union, 2, ids.filter(pa.array(~direct)), unions.take(pa.array(by_union))))
        shared[by_union] = True
    union = np.flatnonzero(shared)
    rows.append((union, 2, own.take(pa.array(union)), unions.take(pa.array(union))))
    owners.append((unions.take(pa.array(union)), union))
    return Ids(pa.concat_arrays(names), places, _links(rows), _owners(owners, own))


def _links(rows: list[tuple[NDArray[np.int64], int, pa.Array, pa.Array]]) -> pd.DataFrame:
    order = np.argsort(np.concatenate([person for person, *_ in rows]), kind="stable")
    kinds = np.repeat(np.array([kind for _, kind, *_ in rows], dtype=np.int8), [len(person) for person, *_ in rows])
    return pd.DataFrame(
        {
            "customer_id": text(pa.concat_arrays([subject for *_, subject, _ in rows]).take(pa.array(order))),
            "id_kind": labelled(kinds[order], _KINDS),
            "id_value": text(pa.concat_arrays([value for *_, value in rows]).take(pa.array(order))),
        }
    )


def _owners(ids: list[tuple[pa.Array, NDArray[np.int64]]], own: pa.Array) -> pd.Series[str]:
    people = np.concatenate([person for _, person in ids])
    index = pd.Index(text(pa.concat_arrays([some for some, _ in ids])), name="id")
    return pd.Series(text(own.take(pa.array(people))), index=index, name="customer_id")


def _spread(rng: np.random.Generator, prefix: str, size: int) -> pa.Array:
    """Return ids that all differ: the digits of a multiple of the number coprime to their range, then any digits."""
    base = len(_LETTERS)
    step, start = 6 * rng.integers(base ** (_UNIQUE - 2), base ** (_UNIQUE - 1)) + 1, rng.integers(0, base**_UNIQUE)
    unique = (np.arange(size) * step + start) % base**_UNIQUE
    digits = rng.integers(0, base, (size, _LENGTH), dtype=np.int8)
    for place in range(_UNIQUE):
        unique, digits[:, place] = np.divmod(unique, base)
    written = pa.array(_LETTERS[digits].view(f"S{_LENGTH}").ravel()).cast(pa.string())
    return pc.binary_join_element_wise(prefix, written, "")
