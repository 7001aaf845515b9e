"""A gateway's chore of erasing that dies by its own hand before or after keys are destroyed.

Arguments: the stores of ledger, keys and consumers, the key file, and when to die.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from consumers.database import open_engine
from gateway.exchange.erasure_store import ErasureStore
from gateway.exchange.erasures import Erasures
from gateway.exchange.key_erasure import Destroyed, KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from tests.gateway.exchange.exchange_world import NOW, demo_registry

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Engine

    from gateway.exchange.erasure import Erasure


class MortalEraser(KeyEraser):
    """Dies around the destruction."""

    def __init__(self, engine: Engine, kek: FileKeyEncryption, when: str) -> None:
        super().__init__(engine, kek)
        self._when = when

    def erase(self, subject_ids: Collection[str], producer: str, now_us: int) -> Destroyed:
        """Destroy, and die before or after."""
        _die(self._when == "before")
        done = super().erase(subject_ids, producer, now_us)
        _die(self._when == "after")
        return done


class MortalStore(ErasureStore):
    """Dies right before what finds the person goes."""

    when = ""

    def clear(self, erasure: Erasure, after: Erasure, due_at: int, *, is_last: bool) -> None:
        """Never, when that is the moment."""
        _die(self.when == "clearing")
        super().clear(erasure, after, due_at, is_last=is_last)


def _die(is_time: bool) -> None:  # noqa: FBT001 - one question
    if is_time:
        os.kill(os.getpid(), signal.SIGKILL)


def main(ledger: str, keys: str, consumers: str, file: str, when: str) -> None:
    """Go on with every order until death."""
    store = MortalStore(open_engine(ledger))
    store.when = when
    key_engine = open_engine(keys)
    eraser = MortalEraser(key_engine, FileKeyEncryption(Path(file)), when)
    reading = open_engine(consumers, read_only=True)
    erasures = Erasures(store, eraser, key_engine, reading, demo_registry)
    while erasures.when_due(NOW):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
