"""Ids leave the toolkit as keyed pseudonyms: the same person has the same one as long as the key stays."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError, RunError
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    import numpy.typing as npt

Labels = TypeVar("Labels", "pd.Series[Any]", "pd.Index[Any]")

KEY_VARIABLE = "TOOLKIT_KEY"
PERSON_IDS = frozenset({CUSTOMER_ID, "referred_by"})
"""Names of the columns, index levels and axes that hold the id of a person."""

_DEMO_KEY = b"the demo study invents its people, so its key is public"
_SHORTEST_KEY = 16
_PSEUDONYM_CHARACTERS = 12


@dataclass(frozen=True)
class Pseudonyms:
    """Turn ids of persons into pseudonyms such as ``p_dpo7oqzkj5bl``.

    Parameters
    ----------
    key
        Secret of at least 16 bytes; whoever holds it can find a person by trying ids.
    place
        Where the key came from, for a message: ``TOOLKIT_KEY``, a path, or ``public demo key``.
    created
        Whether the key was made just now.

    Notes
    -----
    A pseudonym is ``p_`` and the first 12 characters (60 bits) of the lower-case base32 form of HMAC-SHA256 (RFC 2104)
    of the id's UTF-8 text. Two ids of one export that meet in one pseudonym are refused: at a million ids the chance is
    one in two million.

    Examples
    --------
    >>> people = pd.Series(["C1", None, "C1"], name="customer_id")
    >>> Pseudonyms.demo().of(people).tolist()
    ['p_dpo7oqzkj5bl', None, 'p_dpo7oqzkj5bl']
    """

    key: bytes = field(repr=False)
    place: str = "given"
    created: bool = False

    def __post_init__(self) -> None:
        if len(self.key) < _SHORTEST_KEY:
            raise ArgumentError(
                "key-too-short",
                f"the key has {len(self.key)} bytes, fewer than {_SHORTEST_KEY}",
                where=self.place,
                hint="python -c 'import secrets; print(secrets.token_hex(32))' makes one",
            )

    @classmethod
    def demo(cls) -> Self:
        """Return the pseudonyms of the demo study: a public key, the same pages on every machine."""
        return cls(_DEMO_KEY, "public demo key")

    @classmethod
    def open(cls, *, outside: Iterable[Path] = (), environment: Mapping[str, str] | None = None) -> Self:
        """Take the key from ``TOOLKIT_KEY``, else from a file of the user's, made on first use.

        The file is ``toolkit/key`` in ``XDG_CONFIG_HOME``, or in ``~/.config`` where that is not set.

        Parameters
        ----------
        outside
            Folders that travel (the study's, the project's): a key file inside one of them is refused.
        environment
            Variables to read; those of the process by default.

        Returns
        -------
        Pseudonyms
            With ``place`` and ``created``, for the message that tells where the key is.

        Raises
        ------
        RunError
            Where the key file lies inside a folder that travels, or others may read it.
        """
        variables = os.environ if environment is None else environment
        if text := variables.get(KEY_VARIABLE):
            return cls(text.encode(), KEY_VARIABLE)
        configuration = Path(variables.get("XDG_CONFIG_HOME", ""))
        home = configuration if configuration.is_absolute() else Path.home() / ".config"
        place = home / "toolkit" / "key"
        _refuse_inside(place, outside)
        created = not place.exists() and _make_key(place)
        _refuse_readable_by_others(place)
        return cls(place.read_bytes().strip(), str(place), created)

    def of(self, ids: Labels) -> Labels:
        """Return the pseudonyms of a column or index of ids; what is missing stays missing.

        Parameters
        ----------
        ids
            Texts, or a categorical of texts.

        Returns
        -------
        Series or Index
            Same name, same index, object dtype.

        Raises
        ------
        ArgumentError
            Where an id is not text: ``1`` and ``1.0`` would be two people.
        RunError
            Where two ids meet in one pseudonym.
        """
        values = ids.to_numpy(dtype=object)
        places: dict[Any, int] = {}
        # pandas' own table of texts stops at a NUL and would take "a" and "a\0b" for one person
        pairs = zip(values, pd.isna(values), strict=True)
        found = [-1 if lost else places.setdefault(one, len(places)) for one, lost in pairs]
        codes = np.array(found, dtype=np.int64)
        people = list(places)
        strangers = [person for person in people if not isinstance(person, str)]
        if strangers:
            raise ArgumentError(
                "id-not-text",
                f"ids must be text, found {type(strangers[0]).__name__}",
                column=str(ids.name),
                count=len(strangers),
                examples=strangers,
                hint=f"astype(str) on {ids.name} as it was read, before any arithmetic",
            )
        names = self._names(people)
        known = np.append(names, np.array([None], dtype=object))
        if isinstance(ids, pd.Series):
            return pd.Series(known[codes], index=ids.index, name=ids.name, dtype=object)
        return pd.Index(known[codes], name=ids.name, dtype=object)

    def _names(self, people: Iterable[str]) -> npt.NDArray[np.object_]:
        digests = (hmac.digest(self.key, person.encode(), "sha256") for person in people)
        names = ["p_" + base64.b32encode(digest[:10])[:_PSEUDONYM_CHARACTERS].decode().lower() for digest in digests]
        if met := len(names) - len(set(names)):
            raise RunError("pseudonyms-meet", "two ids have one pseudonym", count=met, hint="another key")
        return np.array(names, dtype=object)


def pseudonymised(frame: pd.DataFrame, pseudonyms: Pseudonyms | None) -> pd.DataFrame:
    """Put pseudonyms for the ids of persons, in columns, index levels and column headers.

    Parameters
    ----------
    frame
        Any frame; `customer_id` and `referred_by` are looked for among the names of its columns and of both its axes.
    pseudonyms
        What to put; None will do where the frame holds no id of a person.

    Returns
    -------
    DataFrame
        A copy where ids were replaced, else the frame itself.

    Raises
    ------
    ArgumentError
        Where the frame holds ids and ``pseudonyms`` is None.

    Examples
    --------
    >>> frame = pd.DataFrame({"orders": [3]}, index=pd.Index(["C1"], name="customer_id"))
    >>> pseudonymised(frame, Pseudonyms.demo()).index[0]
    'p_dpo7oqzkj5bl'
    """
    places = [place for place, label in enumerate(frame.columns) if _names_person(label)]
    if not places and PERSON_IDS.isdisjoint(frame.index.names) and PERSON_IDS.isdisjoint(frame.columns.names):
        return frame
    if pseudonyms is None:
        raise ArgumentError("ids-leave", "the table holds ids of persons", hint="pseudonyms=Pseudonyms.open()")
    result = frame.copy()
    for place in places:
        result.isetitem(place, pseudonyms.of(frame.iloc[:, place]).array)
    result.index = _pseudonymised_axis(frame.index, pseudonyms)
    result.columns = _pseudonymised_axis(frame.columns, pseudonyms)
    return result


def _names_person(label: Hashable) -> bool:
    return not PERSON_IDS.isdisjoint(label if isinstance(label, tuple) else (label,))


def _pseudonymised_axis(axis: pd.Index[Any], pseudonyms: Pseudonyms) -> pd.Index[Any]:
    if isinstance(axis, pd.MultiIndex):
        levels = [axis.get_level_values(place) for place in range(axis.nlevels)]
        return pd.MultiIndex.from_arrays([_pseudonymised_axis(level, pseudonyms) for level in levels], names=axis.names)
    return pseudonyms.of(axis) if axis.name in PERSON_IDS else axis


def _refuse_inside(place: Path, outside: Iterable[Path]) -> None:
    for folder in outside:
        if place.resolve().is_relative_to(folder.resolve()):
            raise RunError(
                "key-inside-project",
                f"the key of the pseudonyms would travel with {folder}",
                where=str(place),
                hint=f"set XDG_CONFIG_HOME to a folder outside, or {KEY_VARIABLE}",
            )


def _refuse_readable_by_others(place: Path) -> None:
    if os.name == "posix" and place.stat().st_mode & 0o077:
        raise RunError(
            "key-readable",
            "others on this machine may read the key of the pseudonyms",
            where=str(place),
            hint=f"chmod 600 {place}",
        )


def _make_key(place: Path) -> bool:
    """Write a new key and tell whether it stands: of two runs that start at once, one wins and both read the same."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        place.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
