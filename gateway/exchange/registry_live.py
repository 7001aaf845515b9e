"""Keeps the newest registry snapshot at hand in one process, by polling its version."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.exchange.registry import Registry

log = structlog.get_logger(__name__)


class SnapshotSource(Protocol):
    """Where snapshots come from; `RegistryStore` is the real one."""

    def version(self) -> int:
        """The newest version; blocks on the database."""
        ...

    def load(self) -> Registry:
        """The newest snapshot; blocks on the database."""
        ...


class LiveRegistry:
    """The newest snapshot, at most `poll_seconds` old while the database answers.

    When the database is away the last snapshot stays in use and the polls go on.

    Args:
        store: where snapshots come from; loaded once here, so construction blocks and may raise.
        poll_seconds: how long a change elsewhere may stay unseen.
    """

    def __init__(self, store: SnapshotSource, poll_seconds: float = 2.0) -> None:
        self._store = store
        self._poll_seconds = poll_seconds
        self._current = store.load()
        self._before: list[Callable[[], None]] = []
        self._after: list[Callable[[Registry], None]] = []
        self._reloading = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def current(self) -> Registry:
        """The newest snapshot known; costs an attribute look-up."""
        return self._current

    def before_change(self, callback: Callable[[], None]) -> None:
        """Call back before a newer version comes in use, on the thread that saw it.

        For what must be known first, such as signing keys. When it raises SQLAlchemyError the
        older version stays in use and the next poll tries again.
        """
        self._before.append(callback)

    def on_change(self, callback: Callable[[Registry], None]) -> None:
        """Call back after every change, on the thread that saw it. A callback must not raise."""
        self._after.append(callback)

    def refresh(self) -> Registry:
        """Look for a newer version now, as the process that made a change does.

        Blocks on the database and raises SQLAlchemyError when that is away.
        """
        with self._reloading:
            if self._store.version() != self._current.version:
                newer = self._store.load()
                for prepare in self._before:
                    prepare()
                self._current = newer
                for callback in self._after:
                    callback(newer)
            return self._current

    def start(self) -> None:
        """Poll on a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._poll, name="registry-poll", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling and wait for the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _poll(self) -> None:
        # A quarter off: a change must be *in use* within the promised time, load included.
        while not self._stopping.wait(self._poll_seconds * 0.75):
            try:
                self.refresh()
            except SQLAlchemyError as error:
                log.warning("registry_poll_failed", error=type(error).__name__)
