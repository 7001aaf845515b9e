"""The deliverer: gives every subscription that has something to send its turns, side by side.

Turns queue for a pool of threads, first come, first served, and a subscription has one at a time:
so a slow receiver keeps a few threads busy and delays nobody. It may borrow more of them, up to
its own concurrency, but never more than half of those that are free.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from consumers import deliveries, subscriptions, views
from consumers.excerpts import excerpt
from consumers.retrying import SECOND_US
from consumers.scope import WHOLE_HUB, Scope
from consumers.turn import After

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumers.leases import Leases
    from consumers.turn import Turns
    from consumers.wake import Listener, Waker

NAME: Final = "deliver"
THREADS: Final = 64
POLL_SECONDS: Final = 1.0
SHORTEST_POLL_SECONDS: Final = 0.02
FORGET_US: Final = 3600 * SECOND_US

_log = structlog.get_logger(__name__)


class Threads:
    """A pool that knows how many of its threads are free."""

    def __init__(self, size: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(size, "deliver")
        self._lock = threading.Lock()
        self._free = size

    def start(self, work: Callable[[], None]) -> None:
        """Have it called, after what was started before it."""
        with self._lock:
            self._free -= 1
        self._pool.submit(self._run, work)

    def lend(self, work: Callable[[], None], wanted: int) -> None:
        """Have it called by others too, by half of the free threads at most."""
        with self._lock:
            lent = max(0, min(wanted, self._free // 2))
        with suppress(RuntimeError):  # the pool ends: whoever asked does it alone
            for _ in range(lent):
                self.start(work)

    def close(self) -> None:
        """Wait for what runs; what has not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._free += 1


class Deliverer:
    """Finds work and starts turns.

    Args:
        turns: take one turn each; lend hands from `threads`.
        listener: woken when an inbox grew.
        waker: wakes that listener, from a turn that ended.
        stop: ends it; turns that run end first.
    """

    def __init__(
        self,
        turns: Turns,
        *,
        leases: Leases,
        threads: Threads,
        listener: Listener,
        waker: Waker,
        stop: threading.Event,
    ) -> None:
        self._turns = turns
        self._leases = leases
        self._threads = threads
        self._listener = listener
        self._waker = waker
        self._stop = stop
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._called: set[str] = set()
        self._forgotten_at = 0

    def run(self) -> None:
        """Deliver until `stop` is set."""
        self._rehearse()
        try:
            while not self._stop.is_set():
                self._listener.wait(self._look())
        finally:
            self._threads.close()
            self._leases.close()

    def _rehearse(self) -> None:
        """Put together and load now what a first failure needs, for a delivery that nobody has.

        Later it would hold up every other receiver for a fifth of a second.
        """
        excerpt(b"-", b"{}")
        nobody, nothing = Scope("-"), deliveries.Delivery("-", 0, "-", "-", "-")
        with suppress(SQLAlchemyError):
            with self._turns.reading.connect() as connection:
                deliveries.due(connection, nobody, "-", 0, 1)
                deliveries.behind(connection, nobody, [nothing], 1)
                deliveries.waiting(connection, nobody, "-")
                deliveries.busy_lanes(connection, nobody, "-", ["-"])
                views.entries_at(connection, nobody, [0])
            with self._turns.writing.begin() as connection:
                deliveries.head(connection, nobody, "-", ["-"], 0)
                deliveries.next_time(connection, nobody, "-")

    def _look(self) -> float:
        """Start what has work; how long to wait for more. While the store is away, it waits."""
        try:
            now = self._turns.clock.now_us()
            with self._turns.reading.connect() as connection:
                found = subscriptions.agenda(connection, now)
            for subscription_id in found.ready:
                self._begin(subscription_id)
            self._forget(now)
        except SQLAlchemyError as error:
            _log.warning("deliver_store_unavailable", error=type(error).__name__)
            return POLL_SECONDS
        if found.following is None:
            return POLL_SECONDS
        wait = max(SHORTEST_POLL_SECONDS, (found.following - now) / SECOND_US)
        return min(POLL_SECONDS, wait)

    def _begin(self, subscription_id: str) -> None:
        with self._lock:
            if subscription_id in self._busy:
                self._called.add(subscription_id)
                return
            if not self._leases.acquire(subscription_id):
                return
            self._busy.add(subscription_id)
        self._threads.start(lambda: self._turn(subscription_id))

    def _turn(self, subscription_id: str, *, is_first: bool = True) -> None:
        after = After.NOTHING
        try:
            if not self._stop.is_set():
                after = self._turns.take(subscription_id)
        except Exception as error:  # noqa: BLE001 - the edge of one turn; the next poll tries again
            _log.error(
                "delivery_turn_failed", subscription=subscription_id, error=type(error).__name__
            )
        if after is After.MORE and not self._stop.is_set():
            # Behind everybody who waits, so that a long backlog is no more than one of many.
            self._threads.start(lambda: self._turn(subscription_id, is_first=False))
            return
        with self._lock:
            self._busy.discard(subscription_id)
            was_called = subscription_id in self._called
            self._called.discard(subscription_id)
            self._leases.release(subscription_id)
        # What was looked for while it was busy, and times that an earlier turn of it set.
        if was_called or not is_first or after is After.LATER:
            self._waker.wake()

    def _forget(self, now: int) -> None:
        if now - self._forgotten_at < FORGET_US:
            return
        self._forgotten_at = now
        with self._turns.writing.begin() as connection:
            deliveries.forget(connection, WHOLE_HUB, before=now - deliveries.KEPT_US)
