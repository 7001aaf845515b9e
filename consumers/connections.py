"""Connections to receivers that are kept for the next message, the one used last first.

httpcore's own pool looks at every connection that it has before and after each request; with many
receivers that costs more than the request. Here a request sees the connections of its own receiver
alone, and what was idle for too long is found from the other end.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpcore

    Origin = tuple[bytes, bytes, int | None]
    """Scheme, host and port."""

IDLE_SECONDS: Final = 20.0
MOST_IDLE: Final = 500


@dataclass(slots=True)
class Connections:
    """Safe from several threads; each connection is lent to one at a time.

    Args:
        make: a connection to an origin, not opened yet.
    """

    make: Callable[[httpcore.Origin], httpcore.HTTPConnection]
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _of: dict[Origin, deque[httpcore.HTTPConnection]] = field(init=False, default_factory=dict)
    # In the order in which they were given back, with when that was.
    _idle: dict[httpcore.HTTPConnection, tuple[Origin, float]] = field(
        init=False, default_factory=dict
    )

    @contextmanager
    def lent(self, origin: httpcore.Origin) -> Iterator[httpcore.HTTPConnection]:
        """A connection for one exchange; kept afterwards when it can serve another."""
        key = origin.scheme, origin.host, origin.port
        connection = self._take(key) or self.make(origin)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if connection.is_idle():
            self._keep(key, connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close what nobody uses."""
        with self._lock:
            found = list(self._idle)
            self._idle.clear()
            self._of.clear()
        for one in found:
            one.close()

    def _take(self, key: Origin) -> httpcore.HTTPConnection | None:
        while True:
            with self._lock:
                own = self._of.get(key)
                if not own:
                    return None
                found = own.pop()
                del self._idle[found]
                if not own:
                    del self._of[key]
            # It may have been closed by the other side, which only looking at it tells.
            if not found.has_expired():
                return found
            found.close()

    def _keep(self, key: Origin, connection: httpcore.HTTPConnection) -> None:
        now = time.monotonic()
        with self._lock:
            self._of.setdefault(key, deque()).append(connection)
            self._idle[connection] = key, now
            ended = self._old(now)
        for one in ended:
            one.close()

    def _old(self, now: float) -> list[httpcore.HTTPConnection]:
        """Those that were idle for too long, and the oldest of too many; forgotten with this."""
        found = []
        while self._idle:
            oldest, (key, since) = next(iter(self._idle.items()))
            if now - since <= IDLE_SECONDS and len(self._idle) <= MOST_IDLE:
                break
            del self._idle[oldest]
            own = self._of[key]
            own.popleft()  # the oldest of all is the oldest of its own
            if not own:
                del self._of[key]
            found.append(oldest)
        return found
