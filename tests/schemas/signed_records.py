"""A hub's signed tree of a few participants, and the files that it would give out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey

from schemas import merkle
from schemas.leaf import GENESIS, Leaf
from schemas.record_file import Growth, Opening, Record
from schemas.tree_head import Account, ProofKey, PublicKeys, TreeHead

HUB = "https://hub.example.org"
RECORDED = 1_760_000_000_000_000


def new_key() -> tuple[ProofKey, dict[str, Any]]:
    """A key that signs, and the JWK Set of its public part."""
    key = ECKey.generate_key("P-256")
    private = key.as_dict(private=True) | {"kid": key.thumbprint()}
    public = key.as_dict(private=False) | {"kid": key.thumbprint()}
    return ProofKey(private), {"keys": [public]}


@dataclass
class SignedTree:
    """A tree as the hub keeps it, signed with a key of its own."""

    leaves: list[Leaf] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the key."""
        self.key, self.jwks = new_key()
        self.keys = PublicKeys(self.jwks)

    def add(self, participant: str, content: bytes = b"", salt: bytes = b"") -> Leaf:
        """Number one more event of a participant."""
        own = self.of(participant)
        number = len(self.leaves)
        leaf = Leaf(
            participant=participant,
            count=len(own) + 1,
            previous=own[-1].hash() if own else GENESIS,
            event_id=f"01890000-0000-7000-8000-{number:012d}",
            recorded_at=RECORDED + number,
            decision="accepted",
            agreement="prot-1",
            agreement_hash=hashlib.sha256(b"prot-1").hexdigest(),
            record_sha256=hashlib.sha256(b"record %d" % number).digest(),
            commitment=hashlib.sha256(salt + content).digest(),
        )
        self.leaves.append(leaf)
        return leaf

    def of(self, participant: str) -> list[Leaf]:
        """A participant's own records."""
        return [one for one in self.leaves if one.participant == participant]

    def file(self, participant: str, first: int = 1, grown_from: int | None = None) -> list[bytes]:
        """The lines of a participant's file, from its record `first`."""
        size, subtree = len(self.leaves), self._subtree()
        own = self.of(participant)
        before = own[first - 2].hash() if first > 1 else GENESIS
        head = TreeHead(HUB, size, merkle.root(size, subtree), RECORDED + size)
        account = Account(
            hub=HUB,
            tree_size=size,
            root_hash=head.root_hash,
            timestamp=head.timestamp,
            participant=participant,
            first=first,
            previous=before,
            count=len(own),
            last=own[-1].hash() if own else GENESIS,
        )
        lines = [Opening(self.key.sign(account), self.key.sign(head)).line()]
        if grown_from is not None:
            path = tuple(merkle.consistency_path(grown_from, size, subtree))
            lines.append(Growth(grown_from, merkle.root(grown_from, subtree), path).line())
        for leaf in own[first - 1 :]:
            index = self.leaves.index(leaf)
            path = tuple(merkle.inclusion_path(index, size, subtree))
            lines.append(Record(index, leaf, path).line())
        return lines

    def _subtree(self) -> merkle.Subtree:
        return merkle.of_leaves([one.hash() for one in self.leaves])
