"""Two gateways on one PostgreSQL: nothing deadlocks, and the relay loses and reorders nothing.

Each gateway is a ledger with a key store of its own in a process of its own; both publish about
the same cases at once while one relay drains the outbox.
Before that, one gateway has drawn its numbers and commits only after the other has, so that
commits do not follow the numbers whatever the machine does.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest

from consumers.database import Stores
from consumers.log import LogConsumer, SupervisedProducer
from consumers.log_admin import LogAdmin
from consumers.wake import wakers
from gateway.errors import NotAllowedNow
from gateway.exchange.decision import Accepted, Refused
from gateway.exchange.drains import PostgresDrain
from gateway.exchange.keys import KeyStore
from gateway.exchange.ledger import PublishRequest
from gateway.exchange.locating import Locator
from gateway.exchange.outbox import FACT_TOPIC
from gateway.exchange.relay import Relay
from schemas.errors import Message
from schemas.topics import topics
from tests.gateway.exchange.broken_drains import CursorDrain, NewestFirstDrain, RangeDrain
from tests.gateway.exchange.ledger_world import desk, judge, submission
from tests.gateway.exchange.published_order import Findings, accepted_by, compare, ids_of
from tests.gateway.exchange.two_gateways import (
    CASES,
    PEOPLE,
    Answer,
    Crossing,
    Gateway,
    Hold,
    beginnings,
    contact,
    contacts,
    deadlocks,
    gateways,
    referral,
    standing_on,
    until,
)
from tests.store_fixtures import migrated, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from consumers.errors import Poison
    from consumers.log_records import LogSettings, Record
    from gateway.embedded.broker import Broker
    from gateway.exchange.decision import Context
    from gateway.exchange.relay import Publish
    from gateway.exchange.submission import Submission

CHUNK = 30
TRAJECTORY_TOPIC = "activation.trajectory.v1"


@dataclass
class Witness:
    """Publishes to `log`, if any, and keeps what went; `meanwhile` happens during the first."""

    log: Publish | None = None
    meanwhile: Callable[[], None] | None = None
    published: list[Record] = field(default_factory=list)

    def publish(self, records: Sequence[Record]) -> None:
        """Publish, and then let happen what is to happen before the relay hears of it."""
        if self.log is not None:
            self.log.publish(records)
        self.published += records
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()

    def publish_separately(self, records: Sequence[Record]) -> tuple[Poison, ...]:
        """Nothing is ever rejected here."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the log."""
        if self.log is not None:
            self.log.close()


@dataclass
class Run:
    """What one run of the load left behind."""

    findings: Findings
    answers: list[Answer]
    overtaken: set[str]
    published: list[Record]
    trajectories: int
    deadlocks: int

    @property
    def accepted(self) -> list[str]:
        """The ids that senders were told."""
        return [str(one.event_id) for one in self.answers if one.status == "accepted"]


@dataclass
class Installation:
    """The database and folder that both gateways and the relay share."""

    url: str
    stores: Stores
    folder: Path

    def run(self, drain_kind: type[PostgresDrain], log: Publish | None = None) -> Run:
        """The whole load through a relay with this kind of drain."""
        listener = wakers(self.stores, self.folder).listener("relay")
        witness = Witness(log)
        with opened(self.stores.ledger) as engine:
            relay = Relay(drain_kind(engine), witness, listener, threading.Event(), CHUNK)
            try:
                with gateways(self.url, self.folder) as pair:
                    overtaken = self._overtake(relay, witness, pair)
                    for step in (beginnings, contacts):
                        for name, gateway in zip("ab", pair, strict=True):
                            gateway.publish(step(name))
                        _relay_while_busy(relay, pair)
            finally:
                relay.drain.close()
                relay.producer.close()
                listener.close()
            answers = [answer for gateway in pair for answer in gateway.answers]
            headers = [(one.topic, one.headers) for one in witness.published]
            return Run(
                compare(accepted_by(engine), ids_of(headers)),
                answers,
                overtaken,
                witness.published,
                self._count("select count(*) from exchange.trajectories"),
                deadlocks(self.url, pair),
            )

    def digests(self) -> dict[str, str]:
        """Under what the gateways find some cases, by the sender's number."""
        with opened(self.stores.keys) as engine:
            locator = Locator(KeyStore(engine, self.folder / "kek").blind_index_key())
            owns = [f"crossed-{one}" for one in range(CASES)]
            return {own: locator.own_number("partner-a", own) for own in owns}

    def _overtake(self, relay: Relay, witness: Witness, pair: tuple[Gateway, Gateway]) -> set[str]:
        """One gateway commits lower numbers, after the other's were taken and before they are done.

        Returns the events that were overtaken.
        """
        slow, fast = pair
        hold = Hold(self.url, slow)
        try:
            slow.publish([[referral("slow", "case-0")]])
            until(hold.is_holding)
            fast.publish([[referral("fast", "case-1")]])
            fast.finish()

            def commit() -> None:
                hold.release()
                slow.finish()

            witness.meanwhile = commit
            _relay_while_busy(relay, (fast,))
        finally:
            hold.release()
        return {str(one.event_id) for one in slow.answers}

    def _count(self, query: str) -> int:
        with psycopg.connect(self.url) as connection:
            found = connection.execute(query.encode()).fetchone()
            return int(found[0]) if found is not None else 0


def _relay_while_busy(relay: Relay, busy: Sequence[Gateway]) -> None:
    """Relay beside the gateways, and then what is left; a broken drain may find nothing left."""
    while any(one.is_busy for one in busy):
        if not (relay.drain.acquire() and relay.step()):
            relay.listener.wait(0.1)
    assert relay.drain.acquire()
    while relay.step():
        pass


def _read_back(settings: LogSettings, count: int) -> list[str]:
    """The ids in the log, once there are at least so many; in order within a case."""
    consumer = LogConsumer(settings, [TRAJECTORY_TOPIC], "test.two-gateways", "one")
    read: list[str] = []
    try:
        while len(read) < count:
            read += ids_of((one.topic, one.headers) for one in consumer.poll(1.0))
    finally:
        consumer.close()
    return read


def _is_referral(record: Record) -> bool:
    return dict(record.headers).get("ce_type", b"").endswith(b"referral.created")


def _once(given: Submission, context: Context) -> Accepted | Refused:
    """A case can be contacted once, and then no more."""
    if context.trajectory is not None and context.trajectory.version > 1:
        return Refused(NotAllowedNow(Message("Nu niet.", "Not now."), leg="lifecycle"), "lifecycle")
    return judge(given, context)


@pytest.fixture
def installation(postgres_url: str, tmp_path: Path) -> Installation:
    """An empty, migrated database."""
    return Installation(postgres_url, migrated(Stores.postgres(postgres_url)), tmp_path)


def test_overlapping_load_deadlocks_nothing_and_fails_nobody(installation: Installation) -> None:
    """Every event is accepted once, by whichever gateway, and every case exists once."""
    run = installation.run(PostgresDrain)

    assert {one.status for one in run.answers} == {"accepted", "duplicate"}
    by_sender = {one.sent for one in run.answers}
    assert len(run.accepted) == len(set(run.accepted)) == len(by_sender)
    assert run.trajectories == CASES + PEOPLE
    assert run.deadlocks == 0


def test_opposite_orders_wait_for_each_other_and_never_in_a_circle(
    installation: Installation,
) -> None:
    """Both take new cases, then known ones, from opposite ends, and meet in the middle."""
    with gateways(installation.url, installation.folder) as pair:
        pair[0].publish([[referral("first", "case-0")]])  # makes the key of the digests
        pair[0].finish()
        crossing = Crossing(installation.url, installation.digests())
        for event in (referral, contact, contact):
            crossing.meet(pair, event)

    assert {one.status for gateway in pair for one in gateway.answers} == {"accepted"}
    assert deadlocks(installation.url, pair) == 0


@pytest.mark.parametrize("key", [None, "k"])
def test_twins_at_two_gateways_get_one_answer(installation: Installation, key: str | None) -> None:
    """A call repeated at the other gateway meanwhile is no second event, refused for the first."""
    stores, folder = installation.stores, installation.folder
    with desk(stores, folder, decide=_once) as one, desk(stores, folder, decide=_once) as other:
        one.one(submission(source_record_id="crossed-0"))
        contacted = submission("guidance.contact_recorded", source_record_id="crossed-0")
        twin = PublishRequest((contacted,), idempotency_key=key)
        with standing_on(installation.url, installation.digests()["crossed-0"], waiting=2):
            tickets = [(at, at.send(twin)) for at in (one, other)]
        (first,), (second,) = (at.answer(ticket) for at, ticket in tickets)

    again = "duplicate" if key is None else "accepted"
    assert {first.status, second.status} == {"accepted", again}
    assert first.receipt == second.receipt


def test_what_both_accepted_is_relayed_whole_and_in_order(
    installation: Installation, broker: Broker
) -> None:
    """Kafka holds every event, in the order of its case, also those whose commit came late."""
    settings = broker.log_settings("admin")
    admin = LogAdmin(settings)
    admin.ensure_topics([one for one in topics() if not one.is_per_participant], replication=1)
    admin.close()

    run = installation.run(PostgresDrain, SupervisedProducer(settings))

    read = _read_back(settings, sum(one.topic == TRAJECTORY_TOPIC for one in run.published))
    with opened(installation.stores.ledger) as engine:
        assert compare(accepted_by(engine), read) == Findings()
    assert set(run.accepted) <= set(read)
    assert run.overtaken <= set(read)
    assert run.overtaken
    facts = sum(one.topic == FACT_TOPIC for one in run.published)
    assert facts == sum(_is_referral(one) for one in run.published)


@pytest.mark.parametrize("drain", [CursorDrain, RangeDrain])
def test_a_relay_that_trusts_the_numbers_is_caught(
    installation: Installation, drain: type[PostgresDrain]
) -> None:
    """With a cursor or a deleted range the same load loses the events that committed late."""
    run = installation.run(drain)

    assert run.overtaken
    assert run.overtaken <= run.findings.lost


def test_a_relay_that_takes_the_newest_first_is_caught(installation: Installation) -> None:
    """The same load comes out of order, though nothing is lost."""
    findings = installation.run(NewestFirstDrain).findings

    assert not findings.lost
    assert findings.reordered
