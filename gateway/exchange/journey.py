"""Where an event is: accepted, published, and for every possible recipient what became of it.

Read from the ledger, the outbox, the inboxes and the disclosure log, never from telemetry or
Kafka, so it is complete, true right after the answer to the sender, and available while Kafka is
down. No payload is opened.

Who may know what: the sender (and whoever caused a hub event) sees every possible recipient; a
recipient sees that it was addressed, and its own line; the hub's administrators and auditors see
all. Everybody else is told that there is no such event; so is a recipient that may not have it any
more and never got it, for what kind of event it is may be just what it may not know. It finds it
among what is stopped in its inbox, with the leg (`GET /v1/stopped`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from consumers import deliveries, kafka_positions, views
from consumers.clock import date_of
from consumers.scope import WHOLE_HUB, Scope
from consumers.spans import read_trace
from consumers.traceparent import parse_traceparent
from gateway.exchange import arrivals, records
from gateway.exchange.authorise import Stopped, authorise
from gateway.exchange.decision import Recipient
from gateway.exchange.kafka_readers import kafka_readers
from gateway.exchange.passages import Journey, Passage
from gateway.exchange.standing import CASE_HOLDER, Standings, standings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from consumers.clock import Clock
    from consumers.deliveries import Delivery
    from consumers.views import HandOver, InboxEntry
    from gateway.exchange.authorise import Verdict
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Registry

OVERSEERS = frozenset("AD")
"""Role letters that may see every journey, without payload."""

WAITING, EXCLUDED = "waiting", "excluded"


@dataclass(frozen=True, slots=True)
class _Found:
    """What the stores hold about a few events.

    `waits` says why some are not in Kafka yet, `written` how far each topic of a participant is.
    """

    entries: dict[str, dict[str, InboxEntry]] = field(default_factory=dict)
    hand_overs: dict[tuple[str, str], list[HandOver]] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], list[Delivery]] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        entries: Sequence[InboxEntry],
        hand_overs: Sequence[HandOver],
        sent: Sequence[Delivery],
    ) -> None:
        for entry in entries:
            self.entries.setdefault(entry.event_id, {})[entry.participant] = entry
        for one in hand_overs:
            self.hand_overs.setdefault((one.event_id, one.participant), []).append(one)
        for delivery in sent:
            place = (delivery.event_id, delivery.participant)
            self.deliveries.setdefault(place, []).append(delivery)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Who looks at what; of the events in `whole` it may see every recipient."""

    viewer: str
    registry: Registry
    found: _Found
    whole: frozenset[str]
    now: Standings
    kafka_readers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Journeys:
    """Reads journeys; safe from several threads. All engines are read-only.

    Args:
        spans: engine of the spans' store; None leaves spans out.
    """

    registry: Callable[[], Registry]
    clock: Clock
    ledger: sa.Engine
    consumers: sa.Engine
    spans: sa.Engine | None = None

    def event(self, event_id: str, viewer: str) -> Journey | None:
        """The journey of an event by its hub id, or by the viewer's own id for it.

        None when there is no such event for this viewer. Blocks on the stores.
        """
        with self.ledger.connect() as connection:
            row = records.row_of(connection, event_id)
            if row is None:
                row = records.by_sender_key(connection, viewer, event_id)
        if row is None:
            return None
        journeys = self._journeys([row], viewer)
        return self._with_spans(journeys[0]) if journeys else None

    def trajectory(self, trajectory_id: str, viewer: str) -> tuple[Journey, ...]:
        """The journeys of those events of a trajectory that the viewer may know, in order."""
        with self.ledger.connect() as connection:
            rows = records.trajectory_rows(connection, trajectory_id)
        return tuple(self._journeys(rows, viewer))

    def _journeys(self, rows: Sequence[LedgerRow], viewer: str) -> list[Journey]:
        registry = self.registry()
        one = registry.participant(viewer)
        oversees = one is not None and one.role in OVERSEERS
        whole = [row.event_id for row in rows if oversees or is_own(row, viewer)]
        part = [row.event_id for row in rows if row.event_id not in set(whole)]
        found = self._found(whole, part, viewer)
        with self.ledger.connect() as connection:
            now = standings(connection, rows)
        readers = frozenset(kafka_readers(registry, date_of(self.clock.now_us())))
        seen = _Seen(viewer, registry, found, frozenset(whole), now, readers)
        made = (self._journey(row, seen) for row in rows)
        return [journey for journey in made if journey is not None]

    def _found(self, whole: Sequence[str], part: Sequence[str], viewer: str) -> _Found:
        """Everybody's lines of the events in `whole`, the viewer's own of those in `part`."""
        found = _Found()
        with self.consumers.connect() as connection:
            for scope, ids in ((WHOLE_HUB, whole), (Scope(viewer), part)):
                if ids:
                    found.add(
                        views.entries_of(connection, scope, ids),
                        views.hand_overs_of(connection, scope, ids),
                        deliveries.of_events(connection, scope, ids),
                    )
            holders = {name for entries in found.entries.values() for name in entries}
            positions = kafka_positions.written(connection, holders)
        found.written.update(positions)
        with self.ledger.connect() as connection:
            found.waits.update(_unpublished(connection, [*whole, *part]))
        return found

    def _journey(self, row: LedgerRow, seen: _Seen) -> Journey | None:
        recipients = {one.participant: one for one in row.recipients}
        entries = seen.found.entries.get(row.event_id, {})
        if row.event_id in seen.whole:
            wanted = dict.fromkeys([*recipients, *entries])
        else:
            wanted = dict.fromkeys([*entries, *_addressed(recipients, seen.viewer)])
        passages = [
            self._passage(row, seen, participant, recipients.get(participant))
            for participant in wanted
            if participant != row.participant
        ]
        known = any(one.state != arrivals.STOPPED for one in passages)
        if not known and row.event_id not in seen.whole:
            return None
        return Journey(
            row=row,
            is_own=is_own(row, seen.viewer),
            sender=_sender(row, seen, passages),
            published=row.event_id not in seen.found.waits,
            shows_all=row.event_id in seen.whole,
            passages=tuple(passages),
        )

    def _passage(
        self, row: LedgerRow, seen: _Seen, participant: str, recipient: Recipient | None
    ) -> Passage:
        entry = seen.found.entries.get(row.event_id, {}).get(participant)
        if entry is None:
            return self._outside(row, seen, recipient or _nobody(participant))
        given = seen.found.hand_overs.get((row.event_id, participant), [])
        sent = seen.found.deliveries.get((row.event_id, participant), [])
        written = seen.found.written.get(participant, 0)
        verdict = None
        if not arrivals.has_arrived(entry, given, sent, written, now=self.clock.now_us()):
            verdict = self._verdict(row, seen, entry)
        reads_kafka = participant in seen.kafka_readers
        state, reason = arrivals.state_of(
            entry, verdict, given, sent, is_for_kafka=reads_kafka and entry.seq > written
        )
        member = seen.registry.participant(participant)
        return Passage(
            participant=participant,
            role=member.role if member else (recipient.role if recipient else ""),
            relations=entry.relations,
            state=state,
            reason=reason,
            seq=entry.seq,
            routed_at=entry.routed_at,
            doors=tuple((one.door, one.disclosed_at) for one in given),
            deliveries=tuple(sent),
            withheld=given[0].withheld if given else _withheld(verdict),
            agreement_id=entry.agreement_id,
            backfill=entry.backfill,
        )

    def _outside(self, row: LedgerRow, seen: _Seen, recipient: Recipient) -> Passage:
        """A recipient without an inbox row: excluded, or not routed yet."""
        waits = seen.found.waits.get(row.event_id, "not_routed")
        return Passage(
            participant=recipient.participant,
            role=recipient.role,
            relations=recipient.relations,
            state=EXCLUDED if recipient.excluded else WAITING,
            reason=recipient.excluded or waits,
            agreement_id=recipient.agreement_id,
        )

    def _verdict(self, row: LedgerRow, seen: _Seen, entry: InboxEntry) -> Verdict:
        """What a door would say now, so that a stop shows before anybody comes to read."""
        now = self.clock.now_us()
        return authorise(
            seen.registry,
            row,
            entry.participant,
            frozenset(entry.relations),
            on=date_of(now),
            now=now,
            backfill=entry.backfill,
            nis=entry.nis,
            standing=seen.now.of(row),
        )

    def _with_spans(self, journey: Journey) -> Journey:
        context = parse_traceparent(journey.row.traceparent)
        if self.spans is None or context is None or not journey.shows_all:
            return journey
        try:
            return replace(journey, spans=tuple(read_trace(self.spans, context.trace_id)))
        except SQLAlchemyError:
            return journey  # telemetry never stands in the way of the journey


def is_own(row: LedgerRow, viewer: str) -> bool:
    """Whether the viewer sent this event, or caused it when the hub sent it."""
    return viewer in (row.participant, row.caused_by)


def _addressed(recipients: dict[str, Recipient], viewer: str) -> tuple[str, ...]:
    """The viewer, when the event was addressed to it; an excluded one may not even know."""
    own = recipients.get(viewer)
    return (viewer,) if own is not None and own.excluded is None else ()


def _withheld(verdict: Verdict | None) -> tuple[str, ...]:
    """What would be taken out if it were handed over now."""
    return () if verdict is None or isinstance(verdict, Stopped) else verdict.projection.withheld


def _sender(row: LedgerRow, seen: _Seen, passages: Sequence[Passage]) -> str | None:
    """The producer, unless it is a sensitive sender and the viewer does not hold the case."""
    organisation = seen.registry.organisation(row.producer_org)
    masked = organisation is not None and organisation.sensitive_sender
    if not masked or row.event_id in seen.whole:
        return row.participant
    holds = any(CASE_HOLDER in one.relations for one in passages)
    return row.participant if holds else None


def _nobody(participant: str) -> Recipient:
    return Recipient(participant, "", ())


def _unpublished(connection: sa.Connection, event_ids: Sequence[str]) -> dict[str, str]:
    """Which of these events are still in the outbox, or were set aside by the relay."""
    waits: dict[str, str] = {}
    for table, code in (("outbox", "not_published"), ("outbox_parked", "set_aside")):
        where, value = records.any_of(connection, "event_id", event_ids)
        query = f"select event_id from {table} where {where}"  # noqa: S608 - our own names
        for (event_id,) in connection.exec_driver_sql(query, (value,)):
            waits[event_id] = code
    return waits
