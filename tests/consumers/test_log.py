"""The log on a real broker: what goes in comes out, whatever its client and the broker do."""

import contextlib
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka.admin import MemberToRemove
from kafka.record import util

from consumers.log import (
    Fetched,
    LogAdmin,
    LogConsumer,
    LogSettings,
    LogUnavailable,
    NotPublished,
    Poison,
    Record,
    SupervisedProducer,
)
from consumers.log_client import KafkaAdminClient, connection
from gateway.embedded.broker import Broker
from tests.kafka_fixtures import start_test_broker
from tests.token_issuer import TokenIssuer

# A client of a broker that is away leaves its refused sockets to the garbage collector.
AWAY = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass(frozen=True)
class Plan:
    """A topic as `schemas.topics` describes one."""

    name: str
    partitions: int = 3
    retention_ms: int | None = 86_400_000
    configs: tuple[tuple[str, str], ...] = (("segment.ms", "86400000"),)


@pytest.fixture
def admin(broker: Broker) -> Iterator[LogAdmin]:
    """The session broker's administrator."""
    administrator = LogAdmin(broker.log_settings("admin"))
    yield administrator
    administrator.close()


@pytest.fixture
def own_broker(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Broker]:
    """A broker of the test's own, to stop and kill; its clients' sockets are collected with it."""
    # Captured records would hold the client's errors, and with them the sockets, to the very end.
    caplog.set_level(logging.CRITICAL, logger="kafka")
    issuer = TokenIssuer()
    own = start_test_broker(tmp_path, issuer)
    yield own
    own.kill()
    issuer.close()
    gc.collect()


def records(topic: str, count: int) -> list[Record]:
    """Numbered records over five keys."""
    return [Record(topic, b"k%d" % (number % 5), b"%d" % number) for number in range(count)]


def read_values(settings: LogSettings, topic: str, expected: int) -> list[tuple[bytes, int]]:
    """Return key and number of everything in a topic, once at least `expected` records came."""
    consumer = LogConsumer(settings, [topic], f"test.{topic}", "one")
    found: list[tuple[bytes, int]] = []
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            polled = consumer.poll(0.5)
            found += [(record.key, int(record.value)) for record in polled]
            if len(found) >= expected and not polled:
                break
    finally:
        consumer.close()
    return found


def first_appearances(found: list[tuple[bytes, int]]) -> dict[bytes, list[int]]:
    """Return each key's numbers in order of first appearance."""
    seen: dict[bytes, list[int]] = {}
    for key, number in found:
        numbers = seen.setdefault(key, [])
        if number not in numbers:
            numbers.append(number)
    return seen


def publish_until_done(producer: SupervisedProducer, chunk: list[Record], seconds: float) -> int:
    """Publish the same records until they are acknowledged; return how often that failed."""
    failures = 0
    deadline = time.monotonic() + seconds
    while True:
        try:
            producer.publish(chunk)
        except NotPublished:
            failures += 1
            assert time.monotonic() < deadline, "the producer recovers"
            time.sleep(0.2)
        else:
            return failures


def test_checksums_are_computed_in_c() -> None:
    """Without the package crc32c each record costs three times as much."""
    assert util.crc32c_c is not None


def test_what_is_published_is_read_in_order(
    broker: Broker, admin: LogAdmin, topic_name: Callable[[str], str]
) -> None:
    """Every record comes out once, in order per key."""
    topic = topic_name("round")
    admin.ensure_topics([Plan(topic)])
    producer = SupervisedProducer(broker.log_settings("admin"))

    producer.publish(records(topic, 1000))
    producer.close()
    found = read_values(broker.log_settings("admin"), topic, 1000)

    assert len(found) == 1000
    assert all(numbers == sorted(numbers) for numbers in first_appearances(found).values())


def test_uncommitted_records_come_again(
    broker: Broker, admin: LogAdmin, topic_name: Callable[[str], str]
) -> None:
    """A member that ends before its commit gets the same records when it is back."""
    topic = topic_name("again")
    admin.ensure_topics([Plan(topic, partitions=1)])
    producer = SupervisedProducer(broker.log_settings("admin"))
    producer.publish(records(topic, 10))
    producer.close()

    first = read_values(broker.log_settings("admin"), topic, 10)
    second = read_values(broker.log_settings("admin"), topic, 10)

    assert first == second


def test_committed_records_do_not_come_again(
    broker: Broker, admin: LogAdmin, topic_name: Callable[[str], str]
) -> None:
    """After a commit the next member begins behind it, and nothing is left to read."""
    topic = topic_name("once")
    admin.ensure_topics([Plan(topic, partitions=1)])
    producer = SupervisedProducer(broker.log_settings("admin"))
    producer.publish(records(topic, 10))
    consumer = LogConsumer(broker.log_settings("admin"), [topic], f"test.{topic}", "one")
    polled = 0
    while polled < 10:
        polled += len(consumer.poll(1))
    consumer.commit()
    lag = sum(consumer.lag().values())
    consumer.close()
    producer.publish([Record(topic, b"k0", b"10")])
    producer.close()

    assert lag == 0
    assert read_values(broker.log_settings("admin"), topic, 1) == [(b"k0", 10)]


def test_rewinding_gives_the_last_poll_again(
    broker: Broker, admin: LogAdmin, topic_name: Callable[[str], str]
) -> None:
    """A caller whose work failed polls the same records once more."""
    topic = topic_name("rewind")
    admin.ensure_topics([Plan(topic, partitions=1)])
    producer = SupervisedProducer(broker.log_settings("admin"))
    producer.publish(records(topic, 10))
    producer.close()
    consumer = LogConsumer(broker.log_settings("admin"), [topic], f"test.{topic}", "one")
    first: list[Fetched] = []
    while not first:
        first = consumer.poll(1)
    consumer.rewind()
    again: list[Fetched] = []
    while not again:
        again = consumer.poll(1)
    consumer.close()

    assert again == first


def test_a_member_that_its_group_dropped_reads_on(
    broker: Broker, admin: LogAdmin, topic_name: Callable[[str], str]
) -> None:
    """As after a process that stood still too long: what it owed comes again, then what is new."""
    topic = topic_name("dropped")
    admin.ensure_topics([Plan(topic, partitions=1)])
    settings, group = broker.log_settings("admin"), f"test.{topic}"
    producer = SupervisedProducer(settings)
    producer.publish(records(topic, 10))
    consumer = LogConsumer(settings, [topic], group, "one", commit_seconds=0)
    while not consumer.poll(1):
        pass
    drop_members(settings, group)
    with pytest.raises(LogUnavailable):
        consumer.commit()
    producer.publish([Record(topic, b"k0", b"10")])
    producer.close()
    found: list[int] = []
    while 10 not in found:
        found += [int(one.value) for one in consumer.poll(1)]
        consumer.commit()
    consumer.close()

    assert found == list(range(11))


def drop_members(settings: LogSettings, group: str) -> None:
    """Let the broker drop everybody from a group, as it does with who does not answer."""
    administrator = KafkaAdminClient(**connection(settings))
    administrator.remove_group_members(group, [MemberToRemove(group_instance_id="one")])
    administrator.close()


def test_a_topic_that_may_not_be_seen_is_said(broker: Broker) -> None:
    """The client polls nothing for ever there; the log raises at once."""
    consumer = LogConsumer(broker.log_settings("admin"), ["no.such.topic"], "test.none", "one")

    with pytest.raises(LogUnavailable, match=r"no\.such\.topic"):
        consumer.poll(0.1)


def test_topics_are_brought_to_their_plan(
    admin: LogAdmin, topic_name: Callable[[str], str]
) -> None:
    """A missing topic is made, an unchanged one left alone, a differing one changed."""
    topic = topic_name("plan")

    assert admin.ensure_topics([Plan(topic)]) == (topic,)
    assert admin.ensure_topics([Plan(topic)]) == ()
    assert admin.ensure_topics([Plan(topic, partitions=4, retention_ms=1_000_000)]) == (topic,)


def test_what_can_never_be_published_is_refused_beforehand(broker: Broker) -> None:
    """A record without key or over a megabyte never reaches the client."""
    producer = SupervisedProducer(broker.log_settings("admin"))

    with pytest.raises(Poison):
        producer.publish([Record("any", b"", b"1")])
    with pytest.raises(Poison):
        producer.publish([Record("any", b"k", b"x" * 1024 * 1024)])

    assert producer.replaced == 0


def test_a_rejected_record_does_not_poison_the_log(
    broker: Broker, admin: LogAdmin, topic_name: Callable[[str], str]
) -> None:
    """The broker rejects one record of a chunk: the others arrive in order, that one is named."""
    topic, small = topic_name("good"), topic_name("small")
    admin.ensure_topics([Plan(topic), Plan(small, configs=(("max.message.bytes", "2000"),))])
    rejected = Record(small, b"k", b"x" * 10_000)
    chunk = [*records(topic, 20), rejected, *records(topic, 40)[20:]]
    producer = SupervisedProducer(broker.log_settings("admin"))

    with pytest.raises(NotPublished) as failure:
        producer.publish(chunk)
    poisons = producer.publish_separately(chunk)
    producer.publish([Record(topic, b"k0", b"40")])
    producer.close()
    found = read_values(broker.log_settings("admin"), topic, 41)

    assert failure.value.rejected
    assert [poison.record for poison in poisons] == [rejected]
    assert {number for _key, number in found} == set(range(41))
    assert all(numbers == sorted(numbers) for numbers in first_appearances(found).values())


@AWAY
def test_a_broker_that_hangs_loses_nothing(own_broker: Broker) -> None:
    """SIGSTOP past the flush deadline: the same records arrive afterwards, in order per key."""
    settings = own_broker.log_settings("admin")
    administrator = LogAdmin(settings)
    administrator.ensure_topics([Plan("hang")])
    producer = SupervisedProducer(settings, flush_seconds=2)
    chunk = records("hang", 500)
    pid = own_broker.status().pid
    assert pid is not None
    try:
        producer.publish(chunk[:100])
        os.kill(pid, signal.SIGSTOP)
        resume = threading.Timer(6, os.kill, (pid, signal.SIGCONT))
        resume.start()
        failures = publish_until_done(producer, chunk[100:], 60)
        resume.join()
        found = read_values(settings, "hang", 500)
    finally:
        producer.close()
        administrator.close()

    assert failures > 0
    assert producer.replaced > 0
    assert {number for _key, number in found} == set(range(500))
    assert all(numbers == sorted(numbers) for numbers in first_appearances(found).values())


@AWAY
def test_a_killed_broker_comes_back_with_everything(own_broker: Broker) -> None:
    """After kill -9 of the broker the acknowledged is still there, the rest arrives later."""
    settings = own_broker.log_settings("admin")
    administrator = LogAdmin(settings)
    administrator.ensure_topics([Plan("killed")])
    producer = SupervisedProducer(settings, flush_seconds=2)
    chunk = records("killed", 500)
    pid = own_broker.status().pid
    assert pid is not None
    try:
        producer.publish(chunk[:250])
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(NotPublished):
            producer.publish(chunk[250:])
        own_broker.start()
        publish_until_done(producer, chunk[250:], 60)
        found = read_values(settings, "killed", 500)
    finally:
        producer.close()
        administrator.close()

    assert {number for _key, number in found} == set(range(500))
    assert all(numbers == sorted(numbers) for numbers in first_appearances(found).values())


def test_a_participant_reads_its_own_topic_only(
    broker: Broker, admin: LogAdmin, token_issuer: TokenIssuer
) -> None:
    """With a grant on out.acme.v1, out.acme-2.v1 cannot be read, nor even seen."""
    mine, theirs = "out.acme.v1", "out.acme-2.v1"
    admin.ensure_topics([Plan(mine, partitions=1), Plan(theirs, partitions=1)])
    admin.grant_read("acme", mine, "acme.")
    producer = SupervisedProducer(broker.log_settings("admin"))
    producer.publish([Record(mine, b"k", b"1"), Record(theirs, b"k", b"2")])
    producer.close()
    settings = LogSettings(
        bootstrap=broker.client_address,
        token=lambda: token_issuer.token("acme"),
        client_id="acme",
    )
    consumer = LogConsumer(settings, [mine], "acme.one", "one")
    foreign = LogConsumer(settings, [theirs], "acme.two", "two")
    found: list[Fetched] = []
    deadline = time.monotonic() + 20
    while not found and time.monotonic() < deadline:
        # Entries reach the authorizer a moment after they are made.
        with contextlib.suppress(LogUnavailable):
            found = consumer.poll(1)
    consumer.close()

    assert [record.value for record in found] == [b"1"]
    with pytest.raises(LogUnavailable, match=r"out\.acme-2\.v1"):
        foreign.poll(0.1)
    assert admin.revoke("acme") == 3
