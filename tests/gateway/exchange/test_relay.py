"""The relay publishes every row at least once, in order, whatever fails; on both databases."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from consumers.database import Stores
from consumers.errors import NotPublished
from consumers.log_records import MAX_RECORD_BYTES
from consumers.wake import wakers
from gateway.exchange import drains
from gateway.exchange.relay import Relay
from tests.gateway.exchange.relaying import Outbox, ScriptedLog, outbox
from tests.gateway.exchange.two_gateways import until
from tests.store_fixtures import migrated, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consumers.wake import Listener

__all__ = ["stores"]

RIGHT = "TopicAuthorizationFailedError"
TOO_LARGE = b"x" * MAX_RECORD_BYTES


@pytest.fixture
def box(stores: Stores, tmp_path: Path) -> Iterator[Outbox]:
    """An empty outbox."""
    with outbox(stores, tmp_path) as made:
        yield made


@pytest.fixture
def listener(stores: Stores, tmp_path: Path) -> Iterator[Listener]:
    """What wakes the relay."""
    made = wakers(stores, tmp_path).listener("relay")
    yield made
    made.close()


@pytest.fixture
def relay_to(box: Outbox, listener: Listener) -> Iterator[Callable[[ScriptedLog], Relay]]:
    """The one relay of the outbox, publishing to this log."""
    made: list[Relay] = []

    def make(log: ScriptedLog) -> Relay:
        made.append(Relay(box.drain(), log, listener, threading.Event(), chunk=4))
        assert made[0].drain.acquire()
        return made[0]

    yield make
    for one in made:
        one.drain.close()


@contextmanager
def running(relay: Relay) -> Iterator[threading.Thread]:
    """The relay at work in a thread, for the length of the block."""
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield thread
    finally:
        relay.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_a_chunk_goes_out_in_order_and_is_deleted(
    box: Outbox, relay_to: Callable[[ScriptedLog], Relay]
) -> None:
    """Chunk after chunk, until there is nothing."""
    box.add(b"1", b"2", b"3", b"4", b"5")
    log = ScriptedLog()
    relay = relay_to(log)

    assert [relay.step(), relay.step(), relay.step()] == [True, True, False]

    assert log.attempts == [[b"1", b"2", b"3", b"4"], [b"5"]]
    assert relay.published == 5
    until(lambda: box.numbers() == [])


def test_a_failed_or_late_chunk_goes_again_whole(
    box: Outbox, relay_to: Callable[[ScriptedLog], Relay]
) -> None:
    """Nothing is deleted by a failure, although half of the chunk may be in the log."""
    numbers = box.add(b"1", b"2", b"3", b"4")
    log = ScriptedLog(failures=2)
    relay = relay_to(log)

    for _ in range(2):
        with pytest.raises(NotPublished):
            relay.step()
        assert box.numbers() == numbers
    assert relay.published == 0
    relay.step()

    assert log.attempts == [[b"1", b"2", b"3", b"4"]] * 3
    assert list(dict.fromkeys(log.values)) == [b"1", b"2", b"3", b"4"]
    assert relay.published == 4
    until(lambda: box.numbers() == [])


def test_a_row_too_large_is_set_aside(
    box: Outbox, relay_to: Callable[[ScriptedLog], Relay]
) -> None:
    """Nothing of its chunk was sent, and the others follow at once."""
    _, bad, _ = box.add(b"1", TOO_LARGE, b"3")
    log = ScriptedLog()
    relay = relay_to(log)

    while relay.step():
        pass

    assert log.values == [b"1", b"3"]
    assert box.numbers("outbox_parked") == [bad]
    assert (relay.published, relay.set_aside) == (2, 1)


def test_rows_that_the_broker_rejects_are_set_aside(
    box: Outbox, relay_to: Callable[[ScriptedLog], Relay]
) -> None:
    """Their chunk is published one by one; the others get out once and in order."""
    numbers = box.add(b"1", b"bad", b"3", b"worse", b"5")
    log = ScriptedLog(refused={b"bad": "CorruptRecord", b"worse": "InvalidTimestamp"})
    relay = relay_to(log)

    while relay.step():
        pass

    assert log.values == [b"1", b"3", b"5"]
    assert box.numbers("outbox_parked") == [numbers[1], numbers[3]]
    assert drains.parked(box.engine) == relay.set_aside == 2


def test_a_single_poison_row_does_not_come_for_ever(
    box: Outbox, relay_to: Callable[[ScriptedLog], Relay]
) -> None:
    """Alone in the outbox it is set aside at once."""
    (bad,) = box.add(b"bad")
    relay = relay_to(ScriptedLog(refused={b"bad": "CorruptRecord"}))

    assert [relay.step(), relay.step()] == [True, False]

    assert box.numbers("outbox_parked") == [bad]


def test_a_broker_that_refuses_everything_empties_nothing(
    box: Outbox, relay_to: Callable[[ScriptedLog], Relay]
) -> None:
    """The fault is not in the rows: they wait, until one that is taken shows otherwise."""
    bad = box.add(b"bad", b"worse")
    log = ScriptedLog(refused={b"bad": "CorruptRecord", b"worse": "CorruptRecord"})
    relay = relay_to(log)

    for _ in range(3):
        with pytest.raises(NotPublished):
            relay.step()
    assert (box.numbers(), box.numbers("outbox_parked")) == (bad, [])

    box.add(b"good")
    relay.step()
    assert log.values == [b"good"]
    assert box.numbers("outbox_parked") == bad


def test_a_missing_right_sets_nothing_aside(
    box: Outbox, relay_to: Callable[[ScriptedLog], Relay]
) -> None:
    """What may not be written waits for the right; what went is not sent with every try."""
    _, barred, _ = box.add(b"1", b"barred", b"3")
    log = ScriptedLog(refused={b"barred": RIGHT})
    relay = relay_to(log)

    for _ in range(3):
        with pytest.raises(NotPublished):
            relay.step()
    assert log.values == [b"1", b"3"]
    until(lambda: box.numbers() == [barred])
    assert relay.set_aside == 0

    log.refused.clear()
    relay.step()
    assert log.values == [b"1", b"3", b"barred"]


def test_a_running_relay_outlives_failures_and_lets_go_at_the_end(
    box: Outbox, listener: Listener
) -> None:
    """It tries again by itself; afterwards another one may take over."""
    log = ScriptedLog(failures=2)
    box.add(b"1", b"2")

    with running(Relay(box.drain(), log, listener, threading.Event())):
        until(lambda: box.numbers() == [])
        box.add(b"3")
        until(lambda: log.values[-1] == b"3")

    assert log.is_closed
    after = box.drain()
    until(after.acquire)  # PostgreSQL lets go when it notices, which may be a moment later
    after.close()


def test_of_two_relays_one_works_and_the_other_takes_over(
    box: Outbox, stores: Stores, tmp_path: Path, listener: Listener
) -> None:
    """No row goes out twice while both run, and none is left when the first ends."""
    other = wakers(stores, tmp_path / "other").listener("relay")
    logs = ScriptedLog(), ScriptedLog()
    first, second = (
        Relay(box.drain(), log, heard, threading.Event())
        for log, heard in zip(logs, (listener, other), strict=True)
    )
    with running(second):
        with running(first):
            box.add(*(b"%d" % number for number in range(50)))
            until(lambda: box.numbers() == [])
            worked = logs[0].values + logs[1].values
            assert sorted(worked) == sorted(b"%d" % number for number in range(50))
            assert [] in (logs[0].values, logs[1].values)
        box.add(b"after")
        until(lambda: logs[1].values[-1:] == [b"after"])
    other.close()


def test_a_relay_outlives_its_session(postgres_url: str, tmp_path: Path) -> None:
    """When PostgreSQL ends the session, lock and reading begin again on a new one."""
    stores = migrated(Stores.postgres(postgres_url))
    listener = wakers(stores, tmp_path).listener("relay")
    log = ScriptedLog()
    with outbox(stores, tmp_path) as box:
        box.add(b"1")
        with running(Relay(box.drain(), log, listener, threading.Event())):
            until(lambda: box.numbers() == [])
            with box.engine.connect() as connection:
                connection.exec_driver_sql(
                    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                    " and database ="
                    " (select oid from pg_database where datname = current_database())"
                )
            box.add(b"2")
            until(lambda: box.numbers() == [])
    listener.close()
    assert log.values == [b"1", b"2"]
