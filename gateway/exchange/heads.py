"""Signing the heads of the Merkle tree, in the gateway's process, which alone may use the key.

A head is signed only over a tree that begins with the one signed before: whoever rewrites a stored
hash stops the signing, not the ledger. Several gateways need no turns: heads of one size are the
same, and the second one is left out.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from consumers import bulk
from gateway.errors import KeysUnusable, TreeDiffers
from gateway.exchange.driver import is_down
from gateway.exchange.proof_tables import HEADS
from gateway.exchange.stored_tree import StoredTree, newest_head, size_of, tree_differs, waiting
from schemas import merkle
from schemas.tree_head import TreeHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, Engine

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 2.0
BROKEN_SECONDS: Final = 60.0


class Signs(Protocol):
    """Signs heads; `gateway.exchange.proof_keys.ProofKeys` is the real one."""

    def sign(self, statement: TreeHead) -> str:
        """The head as a compact JWS."""
        ...


class HeadSigner:
    """Signs what the sealer numbered; one thread of its own.

    Args:
        engine: the ledger's store, writing.
        reader: the same store, reading.
        keys: sign.
        hub: the installation, by its issuer identifier.
        now_us: real time.
    """

    def __init__(
        self,
        engine: Engine,
        reader: Engine,
        *,
        keys: Signs,
        hub: str,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._keys = keys
        self._hub = hub
        self._now_us = now_us
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heads", daemon=True)
        self.differs = False
        """Whether the stored tree was found to be another than the one signed."""
        self.waiting = 0
        """Events without a leaf at the last look; it grows while no sealer works."""

    def start(self) -> None:
        """Begin signing. Raises nothing when the database is down."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after what it is doing."""
        self._stopped.set()
        self._thread.join()

    def step(self) -> bool:
        """Sign a head if the tree grew, or has none; whether one was signed. Blocks.

        Raises:
            TreeDiffers: the stored tree does not begin with the one signed last.
        """
        with self._reader.connect() as connection:
            self.waiting = waiting(connection)
            head = self._next(connection)
        if head is None:
            return False
        row = (head.tree_size, head.root_hash, head.timestamp, self._keys.sign(head))
        with self._engine.begin() as connection:
            bulk.insert(connection, HEADS, [row], skip_present=True)
        return True

    def _next(self, connection: Connection) -> TreeHead | None:
        size, last = size_of(connection), newest_head(connection)
        if last is not None and last.tree_size == size:
            return None
        tree = StoredTree(connection)
        signed_at = self._now_us()
        if last is not None:
            if last.tree_size > size or merkle.root(last.tree_size, tree) != last.root_hash:
                raise tree_differs()
            # A clock that was set back does not make a head older than the one before.
            signed_at = max(signed_at, last.signed_at + 1)
        return TreeHead(self._hub, size, merkle.root(size, tree), signed_at)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._stopped.wait(self._turn())

    def _turn(self) -> float:
        """One step; how long to wait before the next."""
        try:
            self.step()
        except TreeDiffers as error:
            self.differs = True
            log.error("tree_differs", code=error.code)  # noqa: TRY400 - told, not traced
            return BROKEN_SECONDS
        except Exception as error:  # noqa: BLE001 - the edge of the thread: it has to survive
            # No traceback: a driver's message may hold values.
            known = is_down(error) or isinstance(error, KeysUnusable)
            (log.warning if known else log.error)("heads_not_signed", error=type(error).__name__)
        else:
            self.differs = False
        return EVERY_SECONDS
