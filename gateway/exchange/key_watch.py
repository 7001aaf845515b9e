"""Empties this process's memory of keys within two seconds after any process destroyed one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from gateway.exchange.key_state import read_state

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.exchange.keys import KeyStore

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5


class KeyWatch:
    """Runs beside a key store of one process.

    While the store is away it knows of nothing to forget; a process that cannot read the store
    opens nothing new, and asks again.

    Args:
        engine: the keys' own store.
        keys: what is emptied.
    """

    def __init__(self, engine: Engine, keys: KeyStore, poll_seconds: float = POLL_SECONDS) -> None:
        self._engine = engine
        self._keys = keys
        self._poll_seconds = poll_seconds
        self._version: int | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="key-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Idempotent."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> bool:
        """Look once; whether something was forgotten. Raises SQLAlchemyError."""
        version = read_state(self._engine).version
        has_changed = self._version is not None and version != self._version
        if has_changed:
            self._keys.forget_cached()
        self._version = version
        return has_changed

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the edge of the worker: it has to survive
                # What is in memory may be destroyed by now, and nobody can say.
                self._keys.forget_cached()
                log.warning("key_watch_failed", error=type(error).__name__)
            self._stopped.wait(self._poll_seconds)
