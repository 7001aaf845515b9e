"""Stops what is queued as soon as the right to it ends, without waiting for its reader.

Every door asks again at hand-over, so nothing leaves that may not; this worker makes the inbox say
so within two seconds, and gives again what may be handed over again. It looks at the participants
whom a change of the registry concerns (a date at which an agreement ends is one), and at the cases
that the ledger left a review of: somebody ceased to be a member, or the person said no to something
or takes that back. Small transactions, one a slice, so that nobody waits long for the store.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from consumers import inbox, views
from consumers.clock import date_of
from consumers.inbox import InboxRow
from consumers.scope import WHOLE_HUB, Scope
from consumers.wake import naming
from gateway.exchange import arrivals, records
from gateway.exchange.authorise import AT_THE_DOOR, Stopped, authorise
from gateway.exchange.entitlements import changed, entitlements
from gateway.exchange.standing import standings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    import sqlalchemy as sa

    from consumers.clock import Clock
    from consumers.views import InboxEntry
    from gateway.exchange.entitlements import Entitlements
    from gateway.exchange.registry import Registry
    from gateway.exchange.review_store import Review, ReviewStore

log = structlog.get_logger(__name__)

SLICE = 250
"""Rows that are judged and marked in one transaction."""
PAUSE_SECONDS = 0.4
BREATH_SECONDS = 0.005
SETTLED_US = 5_000_000
"""After this long the route looks at standings itself, so a review need not wait for it."""


@dataclass(slots=True)
class _Verdicts:
    """What changes for some rows: marks by participant and leg, and rows to give again."""

    marks: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    again: list[InboxEntry] = field(default_factory=list)


@dataclass(slots=True)
class Swept:
    """What one sweeper has done since it started, for the metrics."""

    stopped: int = 0
    restored: int = 0


class Sweeper:
    """Runs in the gateway. One thread uses it.

    Args:
        registry: the newest snapshot.
        clock: business time.
        reviews: what the ledger left to be looked at again.
        ledger: read-only engine of the ledger.
        reading: read-only engine of the consumers' store.
        writing: writing engine of the consumers' store.
        wake: told which participants got something again (names joined by commas).
    """

    def __init__(
        self,
        *,
        registry: Callable[[], Registry],
        clock: Clock,
        reviews: ReviewStore,
        ledger: sa.Engine,
        reading: sa.Engine,
        writing: sa.Engine,
        wake: Callable[[bytes], object],
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._reviews = reviews
        self._ledger = ledger
        self._reading = reading
        self._writing = writing
        self._wake = wake
        self._seen: set[str] = set()
        self._known: Entitlements = {}
        self._known_under: tuple[Registry, date] | None = None
        self._waiting: list[str] = []
        self._counts = Swept()
        self._nudged = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin with everybody, for what changed while nobody looked. A database is waited for."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the slice under way. Idempotent."""
        self._stopped.set()
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join()

    def nudge(self, _registry: object = None) -> None:
        """The registry changed: look at once. Never blocks."""
        self._nudged.set()

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows: how many queued rows were stopped and given again."""
        return {
            "queued_stopped_total": float(self._counts.stopped),
            "queued_restored_total": float(self._counts.restored),
        }

    def step(self) -> int:
        """Look at what has changed since the last time; how many rows that altered.

        Raises what the database's driver raises when it is down; what was left is done next time.
        """
        altered = 0
        waiting = self._reviews.waiting()
        self._seen &= {one.mark for one in waiting}  # another gateway may have removed some
        for one in waiting:
            altered += self._review(one)
        self._forget(one for one in waiting if self._is_settled(one))
        self._note_changes()
        while self._waiting and not self._stopped.is_set():
            altered += self._participant(self._waiting[0])
            self._waiting.pop(0)
        return altered

    def _note_changes(self) -> None:
        """Whom a newer registry or another day concerns."""
        registry, on = self._registry(), date_of(self._clock.now_us())
        known, day = self._known_under or (None, None)
        if known is registry and day == on:
            return
        now = entitlements(registry, on)
        concerned = changed(self._known, now)
        self._waiting += [one for one in concerned if one not in self._waiting]
        self._known, self._known_under = now, (registry, on)

    def _review(self, review: Review) -> int:
        """One case: at once, and once more when nothing of it can be on its way unseen."""
        if review.mark in self._seen and not self._is_settled(review):
            return 0
        altered = self._case(review.trajectory_id)
        self._seen.add(review.mark)
        return altered

    def _is_settled(self, review: Review) -> bool:
        return self._clock.now_us() - review.at > SETTLED_US

    def _forget(self, done: Iterable[Review]) -> None:
        marks = [one.mark for one in done]
        if marks:
            self._reviews.forget(marks)

    def _case(self, trajectory_id: str) -> int:
        """Everybody's queued events of one case."""
        with self._ledger.connect() as connection:
            rows = records.trajectory_rows(connection, trajectory_id)
        altered, again = 0, []
        for first in range(0, len(rows), SLICE):
            ids = [row.event_id for row in rows[first : first + SLICE]]
            found = self._judged(self._queued(WHOLE_HUB, ids))
            altered += self._mark(found)
            again += found.again
        return altered + self._restore(again)

    def _participant(self, participant: str) -> int:
        """One inbox, the newest first: what is queued lies at its end."""
        scope, before, altered = Scope(participant), None, 0
        again: list[InboxEntry] = []
        while not self._stopped.is_set():
            with self._reading.connect() as connection:
                page = views.newest_first(connection, scope, before=before, limit=SLICE)
            if not page:
                break
            before = page[-1].seq
            found = self._judged(self._unread(scope, page))
            altered += self._mark(found)
            again += found.again
            self._stopped.wait(BREATH_SECONDS)
        return altered + self._restore(sorted(again, key=lambda one: one.seq))

    def _queued(self, scope: Scope, event_ids: Sequence[str]) -> list[InboxEntry]:
        with self._reading.connect() as connection:
            entries = views.entries_of(connection, scope, event_ids)
        return self._unread(scope, entries)

    def _unread(self, scope: Scope, entries: Sequence[InboxEntry]) -> list[InboxEntry]:
        """Those that no door has let out."""
        with self._reading.connect() as connection:
            return _unread(connection, scope, entries, now=self._clock.now_us())

    def _judged(self, entries: Sequence[InboxEntry]) -> _Verdicts:
        found = _Verdicts()
        if not entries:
            return found
        with self._ledger.connect() as connection:
            rows = records.rows_by_ids(connection, {one.event_id for one in entries})
            now = standings(connection, rows.values())
        registry, moment = self._registry(), self._clock.now_us()
        for one in entries:
            row = rows.get(one.event_id)
            if row is None:
                continue
            verdict = authorise(
                registry,
                row,
                one.participant,
                frozenset(one.relations),
                on=date_of(moment),
                now=moment,
                backfill=one.backfill,
                nis=one.nis,
                standing=now.of(row),
            )
            if isinstance(verdict, Stopped):
                if verdict.leg != one.stopped_leg:
                    found.marks.setdefault((one.participant, verdict.leg), []).append(one.seq)
            elif one.stopped_leg is not None and one.stopped_leg not in AT_THE_DOOR:
                found.again.append(one)
        return found

    def _mark(self, found: _Verdicts) -> int:
        if not found.marks:
            return 0
        with self._writing.begin() as connection:
            for (participant, leg), seqs in sorted(found.marks.items()):
                inbox.mark(connection, participant, seqs, leg)
        marked = sum(len(seqs) for seqs in found.marks.values())
        self._counts.stopped += marked
        return marked

    def _restore(self, again: Sequence[InboxEntry]) -> int:
        """Give rows again, in their order; those handed over meanwhile stay as they are."""
        restored = 0
        for first in range(0, len(again), SLICE):
            with self._writing.begin() as connection:
                now = self._clock.now_us()
                slice_ = _unread(connection, WHOLE_HUB, again[first : first + SLICE], now=now)
                rows = [_row(one) for one in slice_]
                touched = inbox.restore(connection, rows, now=now)
            restored += len(rows)
            if touched:
                self._wake(naming(touched))
        self._counts.restored += restored
        return restored

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - the edge of the worker: it has to survive
                # No traceback: a driver's message may hold values.
                log.error("sweeper_failed", error=type(error).__name__)  # noqa: TRY400
            self._nudged.wait(PAUSE_SECONDS)
            self._nudged.clear()


def _unread(
    connection: sa.Connection, scope: Scope, entries: Iterable[InboxEntry], *, now: int
) -> list[InboxEntry]:
    listed = list(entries)
    gone = arrivals.left(connection, scope, listed, now=now)
    return [one for one in listed if (one.event_id, one.participant) not in gone]


def _row(entry: InboxEntry) -> InboxRow:
    return InboxRow(
        participant=entry.participant,
        event_id=entry.event_id,
        event_name=entry.event_name,
        trajectory_id=entry.trajectory_id,
        agreement_id=entry.agreement_id,
        relations=entry.relations,
        nis=entry.nis,
        programme=entry.programme,
        backfill=entry.backfill,
        recorded_at=entry.recorded_at,
    )
