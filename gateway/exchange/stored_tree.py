"""The Merkle tree as its tables hold it: sizes, signed heads, and the hash of any subtree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from gateway.errors import TreeDiffers
from gateway.exchange.frontier import LEVELS, WIDTH
from gateway.exchange.proof_tables import HEADS, LEAVES, NODES, UNSEALED
from schemas import merkle
from schemas.errors import Message

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


class SignedHead(NamedTuple):
    """A head that was signed, and its compact JWS."""

    tree_size: int
    root_hash: bytes
    signed_at: int
    signed: str


def size_of(connection: Connection) -> int:
    """How many leaves there are."""
    newest = connection.execute(select(func.max(LEAVES.c.idx))).scalar()
    return 0 if newest is None else int(newest) + 1


def waiting(connection: Connection) -> int:
    """How many accepted events have no leaf yet."""
    found = connection.execute(select(func.count()).select_from(UNSEALED)).scalar()
    return int(found or 0)


def newest_head(connection: Connection) -> SignedHead | None:
    """The head that was signed last; None while none was."""
    query = select(HEADS).order_by(HEADS.c.tree_size.desc()).limit(1)
    row = connection.execute(query).first()
    return SignedHead(*row) if row is not None else None


def head_of(connection: Connection, tree_size: int) -> SignedHead | None:
    """The head that was signed at that size, if one was."""
    row = connection.execute(select(HEADS).where(HEADS.c.tree_size == tree_size)).first()
    return SignedHead(*row) if row is not None else None


class StoredTree:
    """The subtrees of the stored tree; a `schemas.merkle.Subtree`.

    Reads groups of 256 hashes and remembers them, and what it made of them, so make one for each
    question. Raises TreeDiffers for a subtree that the tables do not hold.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._groups: dict[tuple[int, int], list[bytes]] = {}
        self._known: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of a subtree."""
        found = self._known.get((level, index))
        if found is None:
            found = self._kept(level, index) if level % LEVELS == 0 else self._made(level, index)
            self._known[level, index] = found
        return found

    def _made(self, level: int, index: int) -> bytes:
        return merkle.node_hash(self(level - 1, 2 * index), self(level - 1, 2 * index + 1))

    def _kept(self, level: int, index: int) -> bytes:
        number, place = divmod(index, WIDTH)
        group = self._groups.get((level, number))
        if group is None:
            group = self._groups[level, number] = self._read(level, number)
        if place >= len(group):
            raise tree_differs()
        return group[place]

    def _read(self, level: int, number: int) -> list[bytes]:
        first, end = number * WIDTH, (number + 1) * WIDTH
        if level == 0:
            query = select(LEAVES.c.leaf_hash).where(LEAVES.c.idx >= first, LEAVES.c.idx < end)
            query = query.order_by(LEAVES.c.idx)
        else:
            query = select(NODES.c.hash).where(
                NODES.c.level == level, NODES.c.idx >= first, NODES.c.idx < end
            )
            query = query.order_by(NODES.c.idx)
        return [bytes(one) for (one,) in self._connection.execute(query)]


def tree_differs() -> TreeDiffers:
    """The stored tree is not the one that was signed."""
    return TreeDiffers(
        Message(
            nl="De bewaarde boom is niet die van het laatste getekende hoofd. "
            "Er wordt niets meer getekend; vergelijk met een back-up.",
            en="The stored tree is not that of the last signed head. "
            "Nothing more is signed; compare with a backup.",
        )
    )
