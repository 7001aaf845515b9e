"""Access to participants' topics follows the registry on a real broker, and goes with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from consumers.kafka_access import KafkaAccess
from consumers.log import (
    LogAdmin,
    LogConsumer,
    LogSettings,
    LogUnavailable,
    Record,
    SupervisedProducer,
)
from consumers.log_client import KafkaAdminClient, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.embedded.broker import Broker
    from tests.token_issuer import TokenIssuer

PATIENCE_SECONDS = 20.0


@pytest.fixture
def admin(broker: Broker) -> Iterator[LogAdmin]:
    """The session broker's administrator."""
    administrator = LogAdmin(broker.log_settings("admin"))
    yield administrator
    administrator.close()


def test_a_client_reads_its_own_topic_until_it_may_not(
    broker: Broker, admin: LogAdmin, token_issuer: TokenIssuer
) -> None:
    """Given by the registry's word, narrow to the letter, and taken away with it.

    `acme` and `acme-2` begin alike: neither topic nor group of the one is open to the other.
    """
    stem = uuid4().hex[:8]
    acme, second = f"acme-{stem}", f"acme-{stem}-2"
    readers = {acme: frozenset({f"{acme}-c"}), second: frozenset({f"{second}-c"})}
    access = KafkaAccess(admin)
    access.apply(readers)
    producer = SupervisedProducer(broker.log_settings("admin"))
    producer.publish([Record(access.topic_of(one), b"k", one.encode()) for one in readers])
    producer.close()

    def settings(client: str) -> LogSettings:
        return LogSettings(
            broker.client_address, token=lambda: token_issuer.token(client), client_id=client
        )

    mine = _first(settings(f"{acme}-c"), access.topic_of(acme), f"{acme}.reader")
    assert mine == acme.encode()
    with pytest.raises(LogUnavailable):
        _poll(settings(f"{acme}-c"), access.topic_of(second), f"{acme}.other")
    with pytest.raises(LogUnavailable):
        _poll(settings(f"{acme}-c"), access.topic_of(acme), f"{second}.reader")

    access.apply({second: readers[second]})
    assert _until(lambda: f"{acme}-c" not in admin.readers("out."))
    with pytest.raises(LogUnavailable):
        _refused(settings(f"{acme}-c"), access.topic_of(acme), f"{acme}.reader")


def test_entries_of_an_earlier_process_are_found_and_go(broker: Broker, admin: LogAdmin) -> None:
    """What the broker has counts, not what this process remembers; the hub's own stay."""
    gone, kept = f"gone-{uuid4().hex[:8]}", f"kept-{uuid4().hex[:8]}"
    KafkaAccess(admin).apply({gone: frozenset({f"{gone}-c"}), kept: frozenset({f"{kept}-c"})})
    assert _until(lambda: {f"{gone}-c", f"{kept}-c"} <= admin.readers("out.").keys())

    later = LogAdmin(broker.log_settings("admin"))
    KafkaAccess(later).apply({kept: frozenset({f"{kept}-c"})})

    assert _until(lambda: f"{gone}-c" not in later.readers("out."))
    assert later.readers("out.")[f"{kept}-c"] == {f"out.{kept}.v1"}
    later.close()


def test_a_topic_that_was_deleted_at_the_broker_is_made_again(
    broker: Broker, admin: LogAdmin
) -> None:
    """Once the door has found that it cannot be written to."""
    name = f"lost-{uuid4().hex[:8]}"
    readers = {name: frozenset({f"{name}-c"})}
    access, client = (
        KafkaAccess(admin),
        KafkaAdminClient(**connection(broker.log_settings("admin"))),
    )
    topic = access.topic_of(name)
    access.apply(readers)
    client.delete_topics([topic])
    assert _until(lambda: topic not in client.list_topics())
    access.apply(readers)
    remembered = topic in client.list_topics()
    access.forget(name)
    access.apply(readers)

    assert not remembered
    assert _until(lambda: topic in client.list_topics())
    client.close()


def _first(settings: LogSettings, topic: str, group: str) -> bytes:
    """The first value, once entries have reached the broker's authorizer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = _poll(settings, topic, group)
        if found:
            return found[0]
    pytest.fail("nothing came")


def _refused(settings: LogSettings, topic: str, group: str) -> None:
    """Read until the broker refuses: entries reach its authorizer a moment after they go."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        _poll(settings, topic, group)


def _poll(settings: LogSettings, topic: str, group: str) -> list[bytes]:
    consumer = LogConsumer(settings, [topic], group, "one")
    try:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            found = [one.value for one in consumer.poll(0.5)]
            if found:
                return found
        return []
    finally:
        consumer.close()


def _until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False
