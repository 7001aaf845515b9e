"""The worker that does what is due: it sends the hub's events of clocks and errands.

Every event has an id that follows from what it is for, and the decision asks under the ledger's
locks whether it is still due.
So several gateways, restarts and crashes at any point give each one exactly once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from consumers.clock import date_of
from gateway.errors import ClockNotDue
from gateway.exchange import clocks
from gateway.exchange.clock import Ground
from gateway.exchange.firing import UNKNOWN, Firing, for_clock, for_errand
from gateway.exchange.publication import PublishRequest
from gateway.exchange.rounds import of_conversion
from gateway.exchange.timer_store import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from consumers.clock import Clock as BusinessClock
    from gateway.exchange.decision import Errand
    from gateway.exchange.registry import Registry
    from gateway.exchange.round_store import RoundStore
    from gateway.exchange.timer_store import Due, TimerStore
    from gateway.exchange.writer import Answer
    from schemas.errors import SchakelError
    from schemas.programmes import ProgrammeRules

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Cases and errands of one step; they share a few commits."""
PAUSE_SECONDS = 1.0
ANSWER_SECONDS = 30.0
SETTLE_SECONDS = 60.0
LOOK_SECONDS = 0.05


class Timers:
    """Runs beside the ledger of one gateway.

    Args:
        store: what waits.
        rounds: what is done on many cases, a page at a time.
        submit: hands a request to the ledger, which answers through `complete`.
        clock: business time.
        registry: gives the registry's snapshot.
    """

    def __init__(
        self,
        store: TimerStore,
        rounds: RoundStore,
        submit: Callable[[PublishRequest, object], None],
        clock: BusinessClock,
        registry: Callable[[], Registry],
    ) -> None:
        self._store = store
        self._rounds = rounds
        self._submit = submit
        self._clock = clock
        self._registry = registry
        self._stopped = threading.Event()
        self._nudged = threading.Event()
        self._stepped = threading.Condition()
        self._seen_at = 0
        self._swept = ""
        self._planned: ProgrammeRules | None = None
        self._waiting = Waiting(0, 0, 0)
        self._fired = self._late = self._refused = 0
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        """Begin to look for what is due. A database that is down is asked again."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step under way. Idempotent."""
        self._stopped.set()
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join(ANSWER_SECONDS)

    def complete(self, settled: Iterable[tuple[object, Answer]]) -> None:
        """Take the ledger's answers to what this worker submitted. Never blocks or raises."""
        for ticket, answer in settled:
            if isinstance(ticket, Firing):
                ticket.answer(answer)

    def settle(self, at: int, patience_seconds: float = SETTLE_SECONDS) -> int:
        """Wait until nothing is left that is due at a time; how much is, when patience ends.

        What was refused and put off is not waited for.
        """
        deadline = time.monotonic() + patience_seconds
        while True:
            self._nudged.set()
            waiting = self._store.waiting(at)
            left = waiting.clocks + waiting.errands
            if (not left and self._seen_at >= at) or time.monotonic() >= deadline:
                return left
            with self._stepped:
                self._stepped.wait(LOOK_SECONDS)

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows: what is due and put off, what was sent, late and refused."""
        return {
            "timers_due": float(self._waiting.clocks),
            "errands_due": float(self._waiting.errands),
            "timers_put_off": float(self._waiting.put_off),
            "timers_fired_total": float(self._fired),
            "timers_late_total": float(self._late),
            "timers_refused_total": float(self._refused),
        }

    def step(self) -> int:
        """Send what is due now and wait for the answers; how many were recorded by it.

        Raises what the database's driver raises when it is down.
        """
        now = self._clock.now_us()
        ground = Ground(self._registry(), date_of(now))
        self._sweep(ground)
        errands = {one.id: for_errand(one, now) for one in self._errands(ground, now)}
        due = self._store.due(now, AT_ONCE)
        firings = [*errands.values(), *self._next(due, ground, now)]
        self._send(firings)
        for one in firings:
            self._judge(one, ground)
        self._store.forget([one for one, firing in errands.items() if firing.is_decided])
        self._store.delay([one for one, firing in errands.items() if firing.has_failed], now)
        if len(errands) < AT_ONCE and len(due) < AT_ONCE:
            self._seen_at = now
        self._waiting = self._store.waiting(now)
        return sum(one.is_new for one in firings)

    def _errands(self, ground: Ground, now: int) -> list[Errand]:
        """What is due; rounds go on when that is little."""
        self._plan(ground.registry)
        found = self._store.errands(now, AT_ONCE)
        if len(found) < AT_ONCE and self._rounds.advance(ground.registry, now, AT_ONCE):
            found = self._store.errands(now, AT_ONCE)
        return found

    def _plan(self, registry: Registry) -> None:
        """Plan a round for each conversion that was published; one that is known stays as it is."""
        if registry.rules is not self._planned:
            self._rounds.plan(of_conversion(one) for one in registry.rules.conversions())
            self._planned = registry.rules

    def _next(self, due: Sequence[Due], ground: Ground, now: int) -> Iterable[Firing]:
        """What each case is due for; a row that says so though nothing is, is put right."""
        for state, put_off in due:
            clock = clocks.first_due(state, ground, now, put_off)
            if clock is None:
                self._store.derive([state.id], ground)
            else:
                yield for_clock(state.id, clock, now)

    def _send(self, firings: Sequence[Firing]) -> None:
        """Hand everything in at once, so that it shares commits, and wait for the answers."""
        for one in firings:
            try:
                self._submit(PublishRequest((one.submission,)), one)
            except UNKNOWN as error:
                one.answer(error)
        for one in firings:
            one.wait(ANSWER_SECONDS)

    def _judge(self, firing: Firing, ground: Ground) -> None:
        """Count what became of it, and keep a clock that is refused from being tried at once."""
        if firing.is_new:
            self._fired += 1
        elif firing.error is None or isinstance(firing.error, ClockNotDue):
            self._late += 1
        elif firing.is_final:
            self._refused += 1
            self._warn(firing, firing.error)
        clock = firing.submission.clock
        if clock is not None and firing.is_final and not firing.is_new:
            self._store.put_off(firing.target_id, clock, ground, self._clock.now_us())

    def _warn(self, firing: Firing, error: SchakelError) -> None:
        log.warning(
            "timer_refused",
            event_type=firing.submission.event.name,
            target=firing.target_id,
            code=error.code,
        )

    def _sweep(self, ground: Ground) -> None:
        """Derive every row anew when the rules of today are others than those of the last sweep."""
        fingerprint = clocks.fingerprint(ground)
        if fingerprint == self._swept:
            return
        if self._store.swept_under() != fingerprint:
            for page in self._store.every_case(AT_ONCE):
                self._store.derive(page, ground)
            self._store.sweep_done(fingerprint)
        self._swept = fingerprint

    def _run(self) -> None:
        while not self._stopped.is_set():
            recorded = 0
            try:
                recorded = self.step()
            except Exception as error:  # noqa: BLE001 - the edge of the worker: it has to survive
                # No traceback: a driver's message may hold values.
                log.error("timers_failed", error=type(error).__name__)  # noqa: TRY400
            with self._stepped:
                self._stepped.notify_all()
            if not recorded:
                self._nudged.wait(PAUSE_SECONDS)
                self._nudged.clear()
