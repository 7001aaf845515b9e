"""What was agreed and ended goes to `activation.organisation.v1`, with the change itself."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from consumers.clock import FixedClock
from consumers.log import LogAdmin, LogConsumer, SupervisedProducer
from consumers.wake import wakers
from gateway.errors import RegistryChanged
from gateway.exchange import records
from gateway.exchange.drains import open_drain
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_events import FLANDERS, OPERATOR
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.relay import Relay
from gateway.exchange.route import Route, event_id_of
from schemas import codec
from schemas.attributes import TYPE_PREFIX
from schemas.topics import topics
from tests.gateway.exchange.exchange_world import MemoryLog
from tests.registry_fixtures import demo_content
from tests.store_fixtures import engine_of, stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.database import Stores
    from consumers.log_records import Fetched
    from gateway.embedded.broker import Broker
    from gateway.exchange.records import LedgerRow

__all__ = ["engine_of", "stores"]

TOPIC = "activation.organisation.v1"
PATIENCE_SECONDS = 30
CANARY = "Kanarie"


@pytest.fixture
def engine(engine_of: Callable[..., Engine]) -> Engine:
    """The ledger's store, writing."""
    return engine_of("ledger")


@pytest.fixture
def store(engine: Engine) -> RegistryStore:
    """An empty registry on it."""
    return RegistryStore(engine, environment="test")


def content(agreements: int = 1, **changes: Any) -> dict[str, Any]:
    """The demonstration's registry with its first agreements; `changes` go into the first one."""
    whole: dict[str, Any] = demo_content()
    for organisation in whole["organisations"]:
        for participant in organisation["participants"]:
            contact = {"name": f"{CANARY} Testers", "email": "kanarie@example.org"}
            participant["contact"] = contact
    whole["agreements"] = [dict(one) for one in whole["agreements"][:agreements]]
    whole["agreements"][0] |= changes
    return whole


def rows(engine: Engine) -> list[LedgerRow]:
    """The ledger's rows, in order."""
    with engine.connect() as connection:
        ids = connection.exec_driver_sql("select event_id from ledger order by seq").scalars().all()
        found = records.rows_by_ids(connection, ids)
    return [found[one] for one in ids]


def outbox(engine: Engine) -> list[tuple[str, str, str]]:
    """Topic, key and event id of what waits to be published, in order."""
    query = "select topic, key, event_id from outbox order by seq"
    with engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.exec_driver_sql(query)]


def data_of(row: LedgerRow) -> dict[str, Any]:
    """The data of a row that is about nobody."""
    _, _, data = codec.decode_record(row.record)
    return data


def _header(record: bytes) -> dict[str, Any]:
    """The header that a record about nobody carries itself."""
    _, header, _ = codec.decode_record(record)
    return header


def test_a_new_agreement_is_proposed_and_accepted(store: RegistryStore, engine: Engine) -> None:
    """One event says what was proposed, one for each party that it signed; versions follow."""
    document = parse(content(), "test")
    (agreement,) = (entry.agreement for entry in document.agreements)
    store.apply(document, "hub-admin")
    found = rows(engine)

    accepted = ["agreement.accepted"] * len(agreement.parties)
    assert [row.event_name for row in found] == ["agreement.proposed", *accepted]
    assert [row.aggregate_version for row in found] == list(range(1, len(found) + 1))
    assert {row.aggregate_id for row in found} == {agreement.agreement_id}
    assert {row.client_id for row in found} == {"hub-admin"}
    assert data_of(found[0]) == {
        "document_hash": agreement.document_hash,
        "parties": list(agreement.parties),
        "effective": agreement.valid_from.isoformat(),
    }
    assert [data_of(row)["party"] for row in found[1:]] == list(agreement.parties)
    assert outbox(engine) == [(TOPIC, agreement.parties[0], row.event_id) for row in found]


def test_ending_one_says_who_ended_it(store: RegistryStore, engine: Engine) -> None:
    """The operator's own organisation when a client of it did, else the hub."""
    store.apply(parse(content(2), "test"), "tester")
    before = len(rows(engine))
    store.apply(parse(content(1, status="revoked"), "test"), "vdab-connector")
    (revoked,) = rows(engine)[before:]
    client = store.load().client("vdab-connector")
    assert client is not None
    participant = store.load().participant(client.participant)
    assert participant is not None

    assert revoked.event_name == "agreement.revoked"
    assert data_of(revoked)["party"] == participant.organisation
    assert data_of(revoked)["party"] != OPERATOR
    assert revoked.aggregate_version == 1 + sum(
        row.aggregate_id == revoked.aggregate_id for row in rows(engine)[:before]
    )


def test_what_changes_nothing_leaves_nothing(store: RegistryStore, engine: Engine) -> None:
    """Applying again, a plan that came too late and a change of clients leave no events."""
    store.apply(parse(content(), "test"), "tester")
    before = rows(engine)
    store.apply(parse(content(), "test"), "tester")
    with pytest.raises(RegistryChanged):
        store.apply(parse(content(2), "test"), "tester", expected_version=1)
    store.revoke_client("vdab-connector", "tester")

    assert rows(engine) == before
    assert store.load().agreements.keys() == {before[0].aggregate_id}


def test_nobody_is_named(store: RegistryStore, engine: Engine) -> None:
    """Contacts are people: neither their names nor their addresses are in an event."""
    store.apply(parse(content(), "test"), "tester")

    for row in rows(engine):
        assert row.subject_id is None
        text = row.record + orjson.dumps(data_of(row))
        assert CANARY.encode() not in text
        assert b"kanarie@example.org" not in text


def test_it_reaches_kafka(
    stores: Stores, engine_of: Callable[..., Engine], broker: Broker, tmp_path: Path
) -> None:
    """The relay publishes the events in order, and the route neither parks nor addresses them."""
    engine = engine_of("ledger")
    store = RegistryStore(engine, environment="test")
    store.apply(parse(content(), "test"), "tester")
    expected = rows(engine)
    _relay(engine, stores, broker, tmp_path)
    fetched = _fetched(broker, {row.event_id for row in expected})
    headers = [dict(one.headers) for one in fetched]
    reader, writer = engine_of("ledger", read_only=True), engine_of("consumers")
    route = Route(MemoryLog(fetched), reader, writer, store.load, FixedClock())
    route.step(0)

    assert [one["ce_id"].decode() for one in headers] == [row.event_id for row in expected]
    assert [one["ce_type"].decode() for one in headers] == [
        TYPE_PREFIX + row.event_name for row in expected
    ]
    assert {_header(one.value)["territory_nis"] for one in fetched} == {FLANDERS}
    assert [one.value for one in fetched] == [row.record for row in expected]
    assert {one.key for one in fetched} == {data_of(expected[0])["parties"][0].encode()}
    assert (route.counts.events, route.counts.rows, route.counts.parked) == (len(expected), 0, 0)


def _relay(engine: Engine, stores: Stores, broker: Broker, folder: Path) -> None:
    """One turn of the relay, on the session's broker."""
    admin = LogAdmin(broker.log_settings("admin"))
    admin.ensure_topics(one for one in topics() if one.name == TOPIC)
    admin.close()
    woken = wakers(stores, folder / "run")
    waker, listener = woken.waker("ledger"), woken.listener("relay")
    producer = SupervisedProducer(broker.log_settings("admin"))
    drain = open_drain(engine, waker, folder / "relay.lock")
    assert drain.acquire()
    assert Relay(drain, producer, listener, threading.Event()).step()
    for part in (producer, drain, listener, waker):
        part.close()


def _fetched(broker: Broker, wanted: set[str]) -> list[Fetched]:
    """Read the topic until all that are wanted came; other tests publish there too."""
    group = f"test.{uuid.uuid4().hex}"
    log = LogConsumer(broker.log_settings("admin"), [TOPIC], group, "one")
    found: list[Fetched] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < len(wanted) and time.monotonic() < deadline:
        found += [one for one in log.poll(0.5) if event_id_of(one) in wanted]
    log.close()
    return found
