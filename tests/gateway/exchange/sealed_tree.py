"""What the tests of the sealer and of the records share: sealers, and the tree that they left."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gateway.exchange.heads import HeadSigner
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.proof_keys import ProofKeys
from gateway.exchange.proof_tables import HEADS, LEAVES, UNSEALED
from gateway.exchange.sealer import SEALER_LOCK, Sealer
from gateway.exchange.seats import open_seat
from schemas.tree_head import TreeHead
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.database import Stores

HUB = "https://hub.example.org"


@dataclass(frozen=True)
class Tree:
    """The tables of one tree, and sealers on them."""

    engine: Engine
    reader: Engine
    keys: ProofKeys
    folder: Path

    def sealer(self, chunk: int = 1_000) -> Sealer:
        """One more sealer; it numbers whether or not it has the seat, when `step` is called."""
        seat = open_seat(self.engine, SEALER_LOCK, self.folder / "sealer.lock")
        return Sealer(
            self.engine,
            self.reader,
            seat=seat,
            stop=threading.Event(),
            chunk=chunk,
        )

    def signer(self) -> HeadSigner:
        """What signs its heads."""
        return HeadSigner(self.engine, self.reader, keys=self.keys, hub=HUB)

    def seal(self) -> int:
        """Let a new sealer number all there is, and sign it; how many leaves that gave."""
        sealer = self.sealer()
        while sealer.step():
            pass
        self.signer().step()
        return sealer.sealed

    def leaves(self) -> list[Any]:
        """All of them, in the tree's order."""
        return self._rows(select(LEAVES).order_by(LEAVES.c.idx))

    def heads(self) -> list[TreeHead]:
        """All signed heads, their signatures checked, oldest first."""
        rows = self._rows(select(HEADS).order_by(HEADS.c.tree_size))
        return [self.keys.public.read(TreeHead, one.signed) for one in rows]

    def waiting(self) -> int:
        """How many events have no leaf."""
        return len(self._rows(select(UNSEALED)))

    def _rows(self, query: Any) -> list[Any]:
        with self.reader.connect() as connection:
            return list(connection.execute(query))


@contextmanager
def tree(stores: Stores, folder: Path) -> Iterator[Tree]:
    """The tree of an installation."""
    with opened(stores.ledger) as engine, opened(stores.ledger, read_only=True) as reader:
        yield Tree(engine, reader, ProofKeys(engine, FileKeyEncryption(folder / "kek")), folder)
