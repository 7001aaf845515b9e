"""A whole exchange on migrated stores, with the log in memory and the demonstration's registry.

Journey A of the domain begins: OCMW Tienen refers to the organiser, with VDAB, a CAW, a host, the
town and OCMW Leuven taking part.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consumers import views
from consumers.clock import FixedClock
from consumers.log_records import Fetched
from consumers.scope import Scope
from consumers.spans import Tracing
from gateway.exchange import journey_document, records
from gateway.exchange.decide import decide
from gateway.exchange.handover import HandOver, Outcome
from gateway.exchange.journey import Journeys
from gateway.exchange.keys import KeyStore
from gateway.exchange.ledger import Ledger, PublishRequest
from gateway.exchange.registry import RegisteredAgreement, Registry
from gateway.exchange.registry_document import parse, read_yaml
from gateway.exchange.render import Renderer
from gateway.exchange.review_store import ReviewStore
from gateway.exchange.round_store import RoundStore
from gateway.exchange.route import Route
from gateway.exchange.submission import Submission
from gateway.exchange.sweeper import Sweeper
from gateway.exchange.timer_store import TimerStore
from gateway.exchange.timers import Timers
from schemas.canonical import canonical
from schemas.catalogue import catalogue
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Engine

    from consumers.database import Stores
    from consumers.views import InboxEntry
    from gateway.exchange.publication import ItemOutcome
    from gateway.exchange.records import LedgerRow

OCMW, ORGANISER, VDAB = "ocmw-tienen", "wijkwerk-hageland", "vdab"
CAW, HOST, TOWN, LEUVEN = "caw-hageland", "wzc-de-linde", "stad-tienen", "ocmw-leuven"
ORGANISER_URN, VDAB_URN = "urn:be:kbo:1999000249", "urn:be:kbo:0887010362"
OCMW_URN = "urn:be:kbo:1999000150"
NIS = "24107"
NOW = 1_780_000_000_000_000
CANARY = "Kanarie"
WAIT = threading.Event()
DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "registry.yaml"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

REFERRAL: dict[str, Any] = {
    "programme": "wijk_werken",
    "reason_codes": ["work_rhythm"],
    "target_org": ORGANISER_URN,
    "person": {
        "given_name": "Amina",
        "family_name": CANARY,
        "phone": "+32000123456",
        "postcode": "3300",
        "nis": NIS,
        "language": "nl",
    },
    "income_status": "leefloon",
    "work_limits": ["no_heavy_lifting"],
    "contact_person": {"name": "Onthaal", "phone": "+32000160001"},
    "informed": {
        "on": "2026-05-20",
        "channel": "oral",
        "notice_version": "2026-01",
        "language": "nl",
        "by_role": "welfare_centre",
    },
}


@cache
def demo_registry() -> Registry:
    """The registry that `make demo` loads."""
    document = parse(read_yaml(DEMO), "test")
    return Registry.build(
        version=1,
        environment="test",
        organisations=[one.organisation for one in document.organisations],
        participants=[one.participant for one in document.participants],
        agreements=[RegisteredAgreement(one.agreement) for one in document.agreements],
    )


def without_agreement(registry: Registry, agreement_id: str) -> Registry:
    """The same registry after one agreement was revoked."""
    kept = {
        name: replace(one, status="revoked") if name == agreement_id else one
        for name, one in registry.agreements.items()
    }
    return rebuilt(registry, agreements=kept.values())


def rebuilt(registry: Registry, **changes: Any) -> Registry:
    """The same registry with some of its parts replaced."""
    parts: dict[str, Any] = {
        "organisations": registry.organisations.values(),
        "participants": registry.participants.values(),
        "agreements": registry.agreements.values(),
        **changes,
    }
    return Registry.build(version=registry.version + 1, environment="test", **parts)


@dataclass
class MemoryLog:
    """The log as the route sees it; `replay` starts again from what was committed."""

    records: list[Fetched] = field(default_factory=list)
    position: int = 0
    committed: int = 0

    def poll(self, _timeout_seconds: float, /) -> Sequence[Fetched]:
        """What has not been polled yet."""
        found = self.records[self.position :]
        self.position = len(self.records)
        return found

    def commit(self) -> None:
        """Remember the position."""
        self.committed = self.position

    def replay(self, committed: int | None = None) -> None:
        """Start again, as after a crash; from an earlier offset when given."""
        self.position = self.committed if committed is None else committed

    def add(self, event_id: str | None, value: bytes = b"") -> None:
        """Append a record; without an event id it has no headers."""
        headers = (("ce_id", event_id.encode()),) if event_id is not None else ()
        made = Fetched("activation.trajectory.v1", 0, len(self.records), b"k", value, headers, 0)
        self.records.append(made)


@dataclass
class RecordingWaker:
    """Keeps the wake-ups it was asked for."""

    payloads: list[bytes] = field(default_factory=list)

    def wake(self, payload: bytes = b"") -> None:
        """Note one."""
        self.payloads.append(payload)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class World:
    """Everything between an accepted event and its copies."""

    ledger: Ledger
    engines: dict[str, Engine]
    keys: KeyStore
    clock: FixedClock
    log: MemoryLog
    waker: RecordingWaker
    tracing: Tracing
    registry: Registry
    page: int = 500
    route: Route = field(init=False)
    handover: HandOver = field(init=False)
    journeys: Journeys = field(init=False)
    timers: Timers = field(init=False)
    sweeper: Sweeper = field(init=False)
    _answers: dict[object, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Wire the parts to the registry that a test may change."""
        engines = self.engines
        self.route = Route(
            self.log,
            engines["ledger_read"],
            engines["consumers"],
            lambda: self.registry,
            self.clock,
            wakers=(self.waker,),
            tracing=self.tracing,
            pause=lambda _seconds: None,
        )
        renderer = Renderer(lambda: self.registry, self.keys, self.clock)
        self.handover = HandOver(
            renderer,
            engines["ledger_read"],
            engines["consumers_read"],
            engines["consumers"],
            self.clock,
        )
        self.journeys = Journeys(
            lambda: self.registry,
            self.clock,
            engines["ledger_read"],
            engines["consumers_read"],
            engines["spans_read"],
        )
        self.timers = self.new_timers()
        self.sweeper = Sweeper(
            registry=lambda: self.registry,
            clock=self.clock,
            reviews=ReviewStore(engines["ledger_read"], engines["ledger"]),
            ledger=engines["ledger_read"],
            reading=engines["consumers_read"],
            writing=engines["consumers"],
            wake=self.waker.wake,
        )

    def new_timers(
        self,
        store: TimerStore | None = None,
        submit: Callable[[PublishRequest, object], None] | None = None,
        rounds: RoundStore | None = None,
    ) -> Timers:
        """The worker that does what is due, as after a restart; a test lets it step."""
        pair = (self.engines["ledger_read"], self.engines["ledger"])
        self.timers = Timers(
            store or TimerStore(*pair),
            rounds or RoundStore(*pair, page=self.page),
            submit or self.ledger.submit,
            self.clock,
            lambda: self.registry,
        )
        return self.timers

    def pass_time(self, days: float) -> None:
        """Move the business clock, and do all that becomes due by it."""
        self.clock.advance(days * 86_400)
        while self.timers.step():
            pass

    def send(self, name: str, participant: str, data: dict[str, Any], **given: Any) -> ItemOutcome:
        """Publish one event and wait for its outcome; it has to be accepted."""
        outcome = self.try_send(name, participant, data, **given)
        assert outcome.status == "accepted", outcome.error and outcome.error.detail
        return outcome

    def try_send(
        self, name: str, participant: str, data: dict[str, Any], **given: Any
    ) -> ItemOutcome:
        """Publish one event and wait for its outcome."""
        submission = submitted(name, participant, data, **given)
        ticket = object()
        self.ledger.submit(PublishRequest((submission,)), ticket)
        return self.answer(ticket)

    def answer(self, ticket: object) -> ItemOutcome:
        """The outcome of the one event that was handed in under this ticket, waited for."""
        (outcome,) = self.answers_of(ticket)
        return outcome

    def answers_of(self, ticket: object) -> tuple[ItemOutcome, ...]:
        """The outcomes of all events that were handed in under this ticket, waited for."""
        for _ in range(2000):
            if ticket in self._answers:
                break
            WAIT.wait(0.005)
        made: tuple[ItemOutcome, ...] = self._answers[ticket]
        return made

    def complete(self, pairs: Sequence[tuple[object, Any]]) -> None:
        """What the ledger calls after a commit."""
        self._answers.update(pairs)
        self.timers.complete(pairs)

    def relay(self) -> int:
        """Move the outbox to the log, as the relay does; returns how many events."""
        with self.engines["ledger"].begin() as connection:
            rows = connection.exec_driver_sql(
                "select event_id from outbox where value is null order by seq"
            ).all()
            connection.exec_driver_sql("delete from outbox")
        for (event_id,) in rows:
            self.log.add(event_id)
        return len(rows)

    def deliver(self) -> int:
        """Relay and route everything that waits."""
        self.relay()
        return self.route.step(0)

    def inbox(self, participant: str) -> list[InboxEntry]:
        """All rows of an inbox."""
        with self.engines["consumers_read"].connect() as connection:
            return views.feed_page(connection, Scope(participant), after=0, limit=1000)

    def inbox_of_all(self, participant: str) -> list[InboxEntry]:
        """All rows of an inbox, however many."""
        with self.engines["consumers_read"].connect() as connection:
            return views.feed_page(connection, Scope(participant), after=0, limit=100_000)

    def names(self, participant: str) -> list[str]:
        """The event names in an inbox, in order; backfilled ones in brackets."""
        return [
            f"({one.event_name})" if one.backfill else one.event_name
            for one in self.inbox(participant)
        ]

    def journey_of(self, event_id: str, viewer: str) -> dict[str, Any] | None:
        """An event's journey as the interface answers it."""
        found = self.journeys.event(event_id, viewer)
        return None if found is None else journey_document.document(found, self.registry)

    def journeys_of(self, trajectory_id: str, viewer: str) -> list[dict[str, Any]]:
        """The journeys of a case as the interface answers them."""
        found = self.journeys.trajectory(trajectory_id, viewer)
        return [journey_document.document(one, self.registry) for one in found]

    def fetch(self, participant: str, door: str = "feed") -> list[Outcome]:
        """Hand a whole inbox over."""
        return self.handover.hand_over(participant, self.inbox(participant), door)

    def rows(self, trajectory_id: str) -> list[LedgerRow]:
        """The ledger rows of a trajectory."""
        with self.engines["ledger_read"].connect() as connection:
            return records.trajectory_rows(connection, trajectory_id)

    def rows_of(self, event_id: str) -> list[LedgerRow]:
        """The ledger rows of the trajectory that an event belongs to."""
        with self.engines["ledger_read"].connect() as connection:
            row = records.row_of(connection, event_id)
        return self.rows(str(row.trajectory_id)) if row is not None else []

    def disclosed(self, participant: str) -> int:
        """How many disclosure lines a participant has."""
        ids = [entry.event_id for entry in self.inbox(participant)]
        with self.engines["consumers_read"].connect() as connection:
            return len(views.hand_overs_of(connection, Scope(participant), ids))


def submitted(name: str, participant: str, data: dict[str, Any], **given: Any) -> Submission:
    """An event as the interface would hand it to the ledger."""
    event = catalogue().event(name)
    sender_id = given.pop("sender_event_id", None) or uuid.uuid4().hex
    return Submission(
        participant=participant,
        client_id=f"{participant}-connector",
        scopes=frozenset({event.scope}),
        event=event,
        sender_event_id=sender_id,
        occurred_at=given.pop("occurred_at", NOW),
        data=data,
        canonical=canonical({"id": sender_id, "type": name, "data": data}),
        traceparent=given.pop("traceparent", TRACEPARENT),
        **given,
    )


@contextmanager
def exchange(stores: Stores, folder: Path) -> Iterator[World]:
    """A running exchange on these stores."""
    with ExitStack() as stack:
        engines = {
            name: stack.enter_context(opened(getattr(stores, name)))
            for name in ("ledger", "keys", "consumers")
        }
        for name in ("ledger", "consumers", "spans"):
            engine = stack.enter_context(opened(getattr(stores, name), read_only=True))
            engines[f"{name}_read"] = engine
        tracing = Tracing("route", stores.spans)
        stack.callback(tracing.close)
        keys, clock = KeyStore(engines["keys"], folder / "kek"), FixedClock(NOW)
        made: list[World] = []
        ledger = Ledger(
            engines["ledger"],
            keys=keys,
            decide=decide,
            registry=lambda: made[0].registry,
            clock=clock,
            environment="test",
            complete=lambda pairs: made[0].complete(pairs),  # noqa: PLW0108 - made below
            wake=lambda: None,
        )
        made.append(
            World(
                ledger, engines, keys, clock, MemoryLog(), RecordingWaker(), tracing,
                demo_registry(),
            )
        )  # fmt: skip
        ledger.start()
        stack.callback(ledger.stop)
        yield made[0]
