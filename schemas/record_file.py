"""A file of exchange records: what a participant keeps to prove what the hub accepted.

JSON lines, each in its canonical form (RFC 8785) so that every record has one spelling:
first the hub's signed account and tree head; then, when the file carries on from an older one, the
proof that the tree only grew; then the participant's records in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from schemas.canonical import canonical
from schemas.errors import InvalidProof, Message, StrictJsonError
from schemas.leaf import Leaf, leaf_from
from schemas.merkle import hash_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeVar

    Read = TypeVar("Read")

FORMAT: Final = "schakel-records-1"


@dataclass(frozen=True, slots=True)
class Opening:
    """The first line: both statements as compact JWS."""

    account: str
    head: str

    def line(self) -> bytes:
        """The line that says so."""
        return _line({"format": FORMAT, "account": self.account, "head": self.head})


@dataclass(frozen=True, slots=True)
class Growth:
    """The proof that the tree begins with an older one."""

    size: int
    root_hash: bytes
    path: tuple[bytes, ...]

    def line(self) -> bytes:
        """The line that says so."""
        path = [one.hex() for one in self.path]
        document = {"size": self.size, "root_hash": self.root_hash.hex(), "path": path}
        return _line({"grown_from": document})


@dataclass(frozen=True, slots=True)
class Record:
    """One record with the proof that it is leaf `index` of the tree."""

    index: int
    leaf: Leaf
    path: tuple[bytes, ...]

    def line(self) -> bytes:
        """The line that says so."""
        path = [one.hex() for one in self.path]
        return _line({"index": self.index, "leaf": self.leaf.document(), "path": path})


class RecordFile:
    """A file as it is read, line by line.

    Args:
        lines: of the file, each with its line end; read once, lazily.

    Raises:
        InvalidProof: the first lines are not as they should be.

    Attributes:
        opening: the first line.
        growth: the second, when it is a proof of growth.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = enumerate(lines, 1)
        self.opening = _opening(*self._next())
        self._ahead = next(self._lines, None)
        self.growth: Growth | None = None
        if self._ahead is not None and self._ahead[1].startswith(b'{"grown_from"'):
            self.growth = _growth(*self._ahead)
            self._ahead = next(self._lines, None)

    def records(self) -> Iterator[tuple[int, Record]]:
        """The records with their line numbers. Raises InvalidProof at a line that is none."""
        if self._ahead is not None:
            yield self._ahead[0], _record(*self._ahead)
            for number, line in self._lines:
                yield number, _record(number, line)

    def _next(self) -> tuple[int, bytes]:
        found = next(self._lines, None)
        if found is None:
            raise broken(1, "empty", "Het bestand is leeg.", "The file is empty.")
        return found


def record_from(document: Any) -> Record:
    """A record of its document.

    Raises:
        ValueError: it is not one, or spelt in another way.
    """
    members = _members(document, {"index", "leaf", "path"})
    if type(members["index"]) is not int or not isinstance(members["leaf"], dict):
        message = "not a record"
        raise ValueError(message)
    return Record(members["index"], leaf_from(members["leaf"]), _path(members["path"]))


def broken(line: int, reason: str, nl: str, en: str) -> InvalidProof:
    """The refusal of a file at one of its lines."""
    return InvalidProof(
        Message(nl=f"Regel {line}: {nl}", en=f"Line {line}: {en}"),
        facts={"reason": reason, "line": line},
    )


def _opening(number: int, line: bytes) -> Opening:
    def read(document: Any) -> Opening:
        members = _members(document, {"format", "account", "head"})
        texts = all(isinstance(one, str) for one in members.values())
        if not texts or members["format"] != FORMAT:
            message = "another format"
            raise ValueError(message)
        return Opening(members["account"], members["head"])

    return _read(number, line, read)


def _growth(number: int, line: bytes) -> Growth:
    def read(document: Any) -> Growth:
        members = _members(
            _members(document, {"grown_from"})["grown_from"], {"size", "root_hash", "path"}
        )
        if type(members["size"]) is not int:
            message = "no size"
            raise ValueError(message)
        return Growth(members["size"], hash_from(members["root_hash"]), _path(members["path"]))

    return _read(number, line, read)


def _record(number: int, line: bytes) -> Record:
    return _read(number, line, record_from)


def _read(number: int, line: bytes, read: Callable[[Any], Read]) -> Read:
    try:
        document = orjson.loads(line)
        if _line(document) == line:
            return read(document)
    except (ValueError, TypeError, StrictJsonError) as error:
        raise _unreadable(number) from error
    raise _unreadable(number)


def _members(document: Any, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(document, dict) or document.keys() != names:
        message = "other members"
        raise ValueError(message)
    return document


def _path(found: Any) -> tuple[bytes, ...]:
    if not isinstance(found, list):
        message = "no path"
        raise TypeError(message)
    return tuple(hash_from(one) for one in found)


def _line(document: Mapping[str, Any]) -> bytes:
    return canonical(document) + b"\n"


def _unreadable(number: int) -> InvalidProof:
    return broken(
        number,
        "format",
        "Deze regel is niet zoals de hub hem schreef.",
        "This line is not as the hub wrote it.",
    )
