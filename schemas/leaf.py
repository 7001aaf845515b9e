"""The leaf that the hub's Merkle tree holds for each accepted event (`architecture.md` §7).

A leaf numbers its participant's own records from 1 and names the hash of the one before, so that
the last hash alone fixes the whole series: none can be dropped, moved or put in between.
It holds ids, times and hashes; nothing of what was sent can be read from it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from schemas.canonical import canonical
from schemas.merkle import hash_from, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

GENESIS: Final = bytes(32)
"""What the first record of a participant names as the one before."""


class Leaf(Struct, frozen=True, gc=False):
    """One accepted event, as it is proven.

    Attributes:
        participant: who sent it; `hub` for what the hub itself decided.
        count: its number among the participant's own records, from 1.
        previous: leaf hash of the participant's record before it.
        event_id: the hub's id.
        recorded_at: microseconds UTC.
        agreement_hash: of the document under which it was accepted, if any.
        record_sha256: of the sealed record that the hub keeps.
        commitment: SHA-256(salt ‖ canonical JSON of what was sent).
    """

    participant: str
    count: int
    previous: bytes
    event_id: str
    recorded_at: int
    decision: str
    agreement: str | None
    agreement_hash: str | None
    record_sha256: bytes
    commitment: bytes

    def document(self) -> dict[str, Any]:
        """The leaf as plain JSON, hashes in hexadecimal."""
        return {
            "participant": self.participant,
            "count": self.count,
            "previous": self.previous.hex(),
            "event_id": self.event_id,
            "recorded_at": self.recorded_at,
            "decision": self.decision,
            "agreement": self.agreement,
            "agreement_hash": self.agreement_hash,
            "record_sha256": self.record_sha256.hex(),
            "commitment": self.commitment.hex(),
        }

    def canonical(self) -> bytes:
        """The bytes that are hashed: RFC 8785 of `document`."""
        return canonical(self.document())

    def hash(self) -> bytes:
        """The leaf's hash in the tree."""
        return leaf_hash(self.canonical())

    def commits_to(self, salt: bytes, content: bytes) -> bool:
        """Whether this is the record of that content, under the salt of its receipt."""
        return hashlib.sha256(salt + content).digest() == self.commitment


_NAMES: Final = frozenset(Leaf.__struct_fields__)
_HASHES: Final = ("previous", "record_sha256", "commitment")
_NUMBERS: Final = ("count", "recorded_at")
_TEXTS: Final = ("participant", "event_id", "decision")


def leaf_from(document: Mapping[str, Any]) -> Leaf:
    """The leaf of a JSON document.

    Raises:
        ValueError: members are missing, unknown or of another type.
    """
    values = dict(document)
    sound = (
        values.keys() == _NAMES
        and all(type(values[name]) is str for name in (*_HASHES, *_TEXTS))
        and all(type(values[name]) is int for name in _NUMBERS)
        and all(type(values[name]) in (str, type(None)) for name in ("agreement", "agreement_hash"))
    )
    if not sound:
        message = "not the members of a leaf"
        raise ValueError(message)
    return Leaf(**values | {name: hash_from(values[name]) for name in _HASHES})
