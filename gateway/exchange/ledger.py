"""The ledger's one writer: takes what waits, in turns, and puts it into one transaction.

Callers hand in requests from any thread and are answered through `complete` after the commit, so
nothing is acknowledged from memory.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import structlog

from gateway.errors import InternalError, LedgerUnavailable, Overloaded
from gateway.exchange import outbox
from gateway.exchange.answers import KEPT_SECONDS
from gateway.exchange.driver import is_down, open_driver, was_first
from gateway.exchange.locating import Locator
from gateway.exchange.publication import ItemOutcome, PublishRequest, Receipt
from gateway.exchange.turns import Turns
from gateway.exchange.writer import Answer, Conflict, Parts, SharedCommit
from schemas.errors import Message, SchakelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.engine import Engine

    from consumers.clock import Clock
    from consumers.wake import Listener
    from gateway.exchange.decision import Decide
    from gateway.exchange.driver import Driver
    from gateway.exchange.keys import KeyStore
    from gateway.exchange.registry import Registry

__all__ = ["ItemOutcome", "Ledger", "PublishRequest", "Receipt"]

log = structlog.get_logger(__name__)

MAX_WAITING = 10_000
"""Submissions that may wait; more are refused with 503."""
SHARE = 2
"""One sender may take one in so many of the places where submissions wait."""
MAX_SHARED = 1_000
"""Submissions of one transaction, unless a single request has more."""
IDLE_SECONDS = 0.25
ATTEMPTS = 5
PURGE_SECONDS = 3600.0


class _Waiting(NamedTuple):
    request: PublishRequest
    ticket: object

    @property
    def sender(self) -> str:
        """Who takes its turn with it."""
        submissions = self.request.submissions
        return submissions[0].sender if submissions else ""


class Ledger:
    """Records what `decide` accepts. One per gateway process.

    Args:
        engine: the ledger's store, writing.
        keys: makes data keys durable before the ledger commits.
        decide: the judgement; pure.
        registry: gives the registry's snapshot, asked once a commit.
        complete: called once per commit, on the writer's thread, with (ticket, answer) pairs; an
            answer is the outcomes in order, or the error of the whole request. Must not block.
        wake: called after each commit that left something to publish. Must not block.
        matching: whether records of one person are looked for by likeness.
        published: brings the numbers of outbox rows that the relay published (SQLite only).
    """

    def __init__(
        self,
        engine: Engine,
        *,
        keys: KeyStore,
        decide: Decide,
        registry: Callable[[], Registry],
        clock: Clock,
        environment: str,
        complete: Callable[[Sequence[tuple[object, Answer]]], None],
        wake: Callable[[], None],
        published: Listener | None = None,
        matching: bool = True,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._decide = decide
        self._registry = registry
        self._clock = clock
        self._environment = environment
        self._complete = complete
        self._wake = wake
        self._listener = published
        self._matching = matching
        self._turns: Turns[_Waiting] = Turns(max_waiting, max(1, max_waiting // SHARE))
        self._lock = threading.Condition()
        self._is_idle = False
        self._stopped = threading.Event()
        self._published: deque[int] = deque()
        self._driver: Driver | None = None
        self._purged_at = float("-inf")
        self._failed_at = float("-inf")
        self._wrote = False
        self._threads = [threading.Thread(target=self._run, name="ledger", daemon=True)]
        if published is not None:
            self._threads.append(
                threading.Thread(target=self._listen, name="ledger-published", daemon=True)
            )

    def submit(self, request: PublishRequest, ticket: object) -> None:
        """Queue a request; the answer comes through `complete`. Any thread, never blocks.

        Raises:
            Overloaded: too much waits already, of this sender or in all.
            LedgerUnavailable: the ledger is stopping.
        """
        waiting = _Waiting(request, ticket)
        with self._lock:
            if self._stopped.is_set():
                raise unavailable()
            if not self._turns.put(waiting.sender, waiting, len(request.submissions)):
                raise _overloaded()
            if self._is_idle:
                self._lock.notify()

    @property
    def waiting(self) -> int:
        """Submissions that wait or are being recorded."""
        return self._turns.size

    @property
    def failed_at(self) -> float:
        """The monotonic time at which a store refused the last commit; long ago when it did not."""
        return self._failed_at

    def published(self, numbers: Iterable[int]) -> None:
        """Delete these outbox rows with the next transaction, or when idle. Never blocks."""
        self._published.extend(numbers)

    def start(self) -> None:
        """Start the writer. Raises nothing when the database is down: requests then get 503."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Refuse new requests, finish those that wait, and end the threads."""
        with self._lock:
            self._stopped.set()
            self._lock.notify()
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._gather()
            try:
                if batch:
                    self._record(batch)
                elif self._published:
                    self._tidy()
                if not stopping and time.monotonic() - self._purged_at > PURGE_SECONDS:
                    self._purge()
            except Exception as error:  # noqa: BLE001 - the edge of the writer: it has to survive
                # No traceback: a driver's message may hold values.
                log.error("ledger_writer_failed", error=type(error).__name__)  # noqa: TRY400
                self._drop_driver()
        self._drop_driver()

    def _gather(self) -> tuple[list[_Waiting], bool]:
        """What waits, up to one transaction's worth; and whether the end was reached."""
        batch: list[_Waiting] = []
        together = 0
        with self._lock:
            if not self._turns and not self._stopped.is_set():
                self._is_idle = True
                self._lock.wait(IDLE_SECONDS)
                self._is_idle = False
            while together < MAX_SHARED and (found := self._turns.take()) is not None:
                item, size = found
                batch.append(item)
                together += size
            return batch, self._stopped.is_set() and not self._turns

    def _record(self, batch: list[_Waiting]) -> None:
        self._wrote = False
        answers = self._answers([one.request for one in batch])
        with self._lock:
            for one in batch:
                self._turns.done(one.sender, len(one.request.submissions))
        if self._wrote:
            self._wake()
        self._complete([(one.ticket, answer) for one, answer in zip(batch, answers, strict=True)])

    def _answers(self, requests: list[PublishRequest]) -> list[Answer]:
        """Answers from one transaction; request by request when one of them breaks it."""
        try:
            return self._repeated(requests)
        except Exception as error:  # noqa: BLE001 - the edge: every request gets an answer
            self._drop_driver()
            down = is_down(error)
            if down:
                self._failed_at = time.monotonic()
            if len(requests) > 1 and not down:
                return [self._answers([one])[0] for one in requests]
            name = type(error).__name__
            log.error("ledger_write_failed", error=name, requests=len(requests))  # noqa: TRY400
            if isinstance(error, SchakelError):
                return [error]
            return [unavailable() if down or isinstance(error, Conflict) else _internal()] * len(
                requests
            )

    def _repeated(self, requests: Sequence[PublishRequest]) -> list[Answer]:
        """One transaction, begun again while another gateway was first."""
        for attempt in range(ATTEMPTS):
            try:
                return self._transaction(requests)
            except Exception as error:
                if not isinstance(error, Conflict) and not was_first(error):
                    raise
                log.info("ledger_repeats", attempt=attempt, error=type(error).__name__)
                if self._driver is not None:
                    self._driver.rollback()
        raise Conflict

    def _transaction(self, requests: Sequence[PublishRequest]) -> list[Answer]:
        if self._driver is None:
            self._driver = open_driver(self._engine)
        parts = Parts(
            self._keys,
            self._decide,
            self._registry,
            self._clock,
            self._environment,
            Locator(self._keys.blind_index_key(), matching=self._matching),
        )
        shared = SharedCommit.begin(self._driver, parts, requests)
        answers = shared.run()
        numbers = self._delete_published(self._driver)
        if shared.wrote or numbers:
            self._driver.commit()
            self._failed_at = float("-inf")
            self._wrote = self._wrote or shared.wrote
        else:
            self._driver.rollback()
        self._forget(numbers)
        return answers

    def _tidy(self) -> None:
        """Delete what was published although nobody publishes."""
        if self._driver is None:
            self._driver = open_driver(self._engine)
        self._driver.begin()
        numbers = self._delete_published(self._driver)
        self._driver.commit()
        self._forget(numbers)

    def _purge(self) -> None:
        """Delete old idempotency keys; also under constant load, and whoever publishes."""
        # Noted first: a database that is away is not asked again with every turn of the writer.
        self._purged_at = time.monotonic()
        if self._driver is None:
            self._driver = open_driver(self._engine)
        self._driver.begin()
        oldest = self._clock.now_us() - KEPT_SECONDS * 1_000_000
        self._driver.execute("delete from idempotency where created_at < ?", (oldest,))
        self._driver.commit()

    def _delete_published(self, driver: Driver) -> list[int]:
        numbers = list(self._published)
        if numbers:
            driver.delete("outbox", "seq", numbers)
        return numbers

    def _forget(self, numbers: list[int]) -> None:
        for _ in numbers:
            self._published.popleft()

    def _drop_driver(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.rollback()
            driver.close()

    def _listen(self) -> None:
        while not self._stopped.is_set() and self._listener is not None:
            for payload in self._listener.wait(1.0):
                self.published(outbox.unpack(payload))


def unavailable() -> LedgerUnavailable:
    """The outcome is unknown: the same call may be sent again."""
    return LedgerUnavailable(
        Message(
            nl="Het register is even niet beschikbaar. Stuur dezelfde oproep zo dadelijk opnieuw.",
            en="The ledger is unavailable for a moment. Send the same call again shortly.",
        )
    )


def _overloaded() -> Overloaded:
    return Overloaded(
        Message(
            nl="Er wacht te veel werk. Stuur dezelfde oproep zo dadelijk opnieuw.",
            en="Too much work is waiting. Send the same call again shortly.",
        )
    )


def _internal() -> InternalError:
    return InternalError(
        Message(
            nl="Er ging iets mis in de hub; er is niets vastgelegd. De beheerder is verwittigd.",
            en="Something went wrong in the hub; nothing was recorded. The operator is told.",
        )
    )
