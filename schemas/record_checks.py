"""Checking a file of exchange records offline, with nothing but the hub's public key.

What holds when it passes: the hub signed a tree that has every record of the file, and the
participant has exactly these records in it, in this order, from the first to the last that the
account names. With an older file: the tree only grew since. With the events themselves: each is
what its record commits to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from schemas import envelope, merkle
from schemas.errors import EnvelopeError, InvalidProof, Message, StrictJsonError
from schemas.record_file import RecordFile, broken
from schemas.tree_head import Account, PublicKeys, TreeHead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from schemas.leaf import Leaf
    from schemas.record_file import Growth, Record


@dataclass(frozen=True, slots=True)
class Salt:
    """What opens the commitment of one event, by the sender's own id of it."""

    event_id: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that holds.

    Attributes:
        account: what the hub signed about the participant's records.
        grown_from: size of the older tree that this one begins with, if that was checked.
        contents: how many events were compared with what their records commit to.
    """

    account: Account
    grown_from: int | None = None
    contents: int = 0

    @property
    def records(self) -> int:
        """How many records the file has."""
        return self.account.count - self.account.first + 1


class Checker:
    """Checks files against one hub's keys.

    Args:
        keys: of the hub, from where they are trusted.
    """

    def __init__(self, keys: PublicKeys) -> None:
        self._keys = keys

    def check(
        self,
        lines: Iterable[bytes],
        *,
        see: Callable[[Leaf], None] | None = None,
    ) -> Checked:
        """Check one file by itself; reads it once and keeps none of it.

        Args:
            lines: of the file, with their line ends.
            see: called with each leaf that holds, in order.

        Raises:
            InvalidProof: the first thing that does not hold, with its line.
        """
        return self._check(RecordFile(lines), see)[0]

    def check_after(
        self,
        lines: Iterable[bytes],
        older: Iterable[bytes],
        *,
        see: Callable[[Leaf], None] | None = None,
    ) -> Checked:
        """Check a file, and that it carries on from an older one that holds by itself.

        Raises:
            InvalidProof: either file does not hold, they are of different participants or hubs,
                the tree did not only grow, or records between the two are missing.
        """
        before = self.check(older).account
        overlap: list[Leaf] = []

        def watch(leaf: Leaf) -> None:
            if leaf.count == before.count:
                overlap.append(leaf)
            if see is not None:
                see(leaf)

        found, growth = self._check(RecordFile(lines), watch)
        _same_tree(before, found.account, growth)
        if overlap:
            known = overlap[0].hash()
        elif found.account.first == before.count + 1:
            known = found.account.previous
        else:
            raise _not_joined()
        if known != before.last:
            raise _not_joined()
        return replace(found, grown_from=before.tree_size)

    def _check(
        self, file: RecordFile, see: Callable[[Leaf], None] | None
    ) -> tuple[Checked, Growth | None]:
        account = self._keys.read(Account, file.opening.account)
        head = self._keys.read(TreeHead, file.opening.head)
        about = (account.hub, account.tree_size, account.root_hash, account.timestamp)
        if (head.hub, head.tree_size, head.root_hash, head.timestamp) != about:
            raise broken(1, "head", "Account en boom verschillen.", "Account and head differ.")
        if file.growth is not None:
            _grew(file.growth, account)
        number, count, previous = 1, account.first - 1, account.previous
        for number, record in file.records():
            _follows(number, record, account, count, previous)
            count, previous = record.leaf.count, record.leaf.hash()
            if see is not None:
                see(record.leaf)
        if (count, previous) != (account.count, account.last):
            raise broken(
                number + 1,
                "missing",
                f"Er zijn {account.count} records, het bestand stopt bij {count}.",
                f"There are {account.count} records, the file ends at {count}.",
            )
        return Checked(account), file.growth


def _follows(number: int, record: Record, account: Account, count: int, previous: bytes) -> None:
    """That a record is the next one, and in the tree."""
    leaf = record.leaf
    if leaf.participant != account.participant:
        raise broken(number, "participant", "Van een andere deelnemer.", "Of another participant.")
    if leaf.count != count + 1 or leaf.previous != previous:
        raise broken(
            number,
            "order",
            f"Hier hoort record {count + 1}: er is er een weg, bij, gewijzigd of verplaatst.",
            f"Record {count + 1} belongs here: one is gone, added, changed or moved.",
        )
    path, tree = record.path, (account.tree_size, account.root_hash)
    if not merkle.includes(leaf.hash(), record.index, tree[0], path, tree[1]):
        raise broken(
            number,
            "inclusion",
            "Dit record staat niet zo in de boom die de hub tekende.",
            "This record is not in the tree that the hub signed.",
        )


def _grew(growth: Growth, account: Account) -> None:
    tree = (account.tree_size, account.root_hash)
    if not merkle.is_consistent(growth.size, growth.root_hash, *tree, growth.path):
        raise broken(
            2,
            "consistency",
            "De boom begint niet met de oudere boom.",
            "The tree does not begin with the older tree.",
        )


def _same_tree(before: Account, now: Account, growth: Growth | None) -> None:
    if (before.hub, before.participant) != (now.hub, now.participant):
        raise _not_joined()
    if (before.tree_size, before.root_hash) == (now.tree_size, now.root_hash):
        return
    proven = growth is not None and (growth.size, growth.root_hash) == (
        before.tree_size,
        before.root_hash,
    )
    if not proven:
        raise InvalidProof(
            Message(
                nl="Niets bewijst dat de boom sinds het oudere bestand alleen groeide. "
                "Haal de records op met --since en dat bestand.",
                en="Nothing proves that the tree only grew since the older file. "
                "Fetch the records with --since and that file.",
            ),
            facts={"reason": "consistency"},
        )


class Contents:
    """Compares events with what their records commit to; hand `see` to a `Checker`.

    Args:
        events: CloudEvents as they were sent, structured JSON, one a line.
        salts: by the sender's own event id, from `salts_from`.

    Raises:
        InvalidProof: a line is no CloudEvent, or its salt is missing.
    """

    def __init__(self, events: Iterable[bytes], salts: Mapping[str, Salt]) -> None:
        self._wanted: dict[str, tuple[int, bytes, bytes]] = {}
        for number, line in enumerate(events, 1):
            sender_id, content = _content(number, line)
            salt = salts.get(sender_id)
            if salt is None:
                raise broken(number, "salt", "Geen zout bij deze id.", "No salt for this id.")
            self._wanted[salt.event_id] = (number, salt.salt, content)
        self.compared = 0

    def see(self, leaf: Leaf) -> None:
        """Compare, when the record is of one of the events. Raises InvalidProof."""
        wanted = self._wanted.pop(leaf.event_id, None)
        if wanted is None:
            return
        number, salt, content = wanted
        if not leaf.commits_to(salt, content):
            raise broken(
                number,
                "content",
                "Deze gebeurtenis is niet wat de hub vastlegde.",
                "This event is not what the hub recorded.",
            )
        self.compared += 1

    def finish(self) -> int:
        """How many were compared. Raises InvalidProof when an event has no record in the file."""
        for number, _, _ in self._wanted.values():
            raise broken(
                number, "absent", "Geen record in dit bestand.", "No record of it in this file."
            )
        return self.compared


def salts_from(lines: Iterable[bytes]) -> dict[str, Salt]:
    """The salts of a file that `schakel events records --salts` wrote, by the sender's id.

    Raises:
        InvalidProof: a line is not one.
    """
    found = {}
    for number, line in enumerate(lines, 1):
        try:
            values: dict[str, Any] = orjson.loads(line)
            found[str(values["id"])] = Salt(values["event_id"], bytes.fromhex(values["salt"]))
        except (ValueError, KeyError, TypeError) as error:
            raise broken(number, "salt", "Geen regel met een zout.", "No line with a salt.") from (
                error
            )
    return found


def _content(number: int, line: bytes) -> tuple[str, bytes]:
    try:
        event = envelope.from_structured(orjson.loads(line))
        return event.id, envelope.content(event, event.data)
    except (EnvelopeError, StrictJsonError, ValueError) as error:
        raise broken(number, "event", "Geen CloudEvent in JSON.", "No CloudEvent in JSON.") from (
            error
        )


def _not_joined() -> InvalidProof:
    return InvalidProof(
        Message(
            nl="Dit bestand sluit niet aan op het oudere: andere records, hub of deelnemer.",
            en="This file does not carry on from the older one: other records, hub or participant.",
        ),
        facts={"reason": "joined"},
    )
