"""A drain takes rows in number order and lets them be deleted one by one; on both databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from consumers.database import Stores
from gateway.exchange import drains, records
from gateway.exchange.driver import is_down
from gateway.exchange.outbox import FACT_TOPIC
from schemas.attributes import TYPE_PREFIX
from schemas.facts import FACT_ID
from tests.gateway.exchange.ledger_world import CANARY, PERSON, desk, submission
from tests.gateway.exchange.relaying import LedgerReport, Outbox, outbox
from tests.gateway.exchange.two_gateways import until
from tests.store_fixtures import migrated, opened, stores

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["stores"]

ROOT = Path(__file__).parents[3]
HOLDS = """
import sys
from pathlib import Path
from consumers.database import open_engine
from gateway.exchange.drains import open_drain
drain = open_drain(open_engine(sys.argv[1]), None, Path(sys.argv[2]))
print(drain.acquire(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def box(stores: Stores, tmp_path: Path) -> Iterator[Outbox]:
    """An empty outbox."""
    with outbox(stores, tmp_path) as made:
        yield made


@pytest.fixture
def sqlite_box(tmp_path: Path) -> Iterator[Outbox]:
    """An empty outbox on SQLite."""
    with outbox(migrated(Stores.sqlite(tmp_path)), tmp_path) as made:
        yield made


@pytest.fixture
def postgres_box(postgres_url: str, tmp_path: Path) -> Iterator[Outbox]:
    """An empty outbox on PostgreSQL."""
    with outbox(migrated(Stores.postgres(postgres_url)), tmp_path) as made:
        yield made


def values(drain: drains.Drain, limit: int = 100) -> list[bytes]:
    """The values of the next rows."""
    return [row.value for row in drain.take(limit)]


def test_an_event_is_taken_as_its_ledger_row(box: Outbox) -> None:
    """The value is the sealed record, the headers say what it is and nothing about the person."""
    data = {"programme": "wijk_werken", "person": PERSON}
    receipt = box.desk.one(submission(data=data, source_record_id="D-7")).receipt
    drain = box.drain()
    assert drain.acquire()

    first, opening, fact = drain.take(10)

    assert receipt is not None
    headers = dict(first.headers)
    assert headers["ce_id"] == receipt.event_id.encode()
    assert headers["ce_type"] == f"{TYPE_PREFIX}referral.created".encode()
    assert {"content-type", "ce_specversion", "ce_source"} <= set(headers)
    assert first.key == opening.key == receipt.trajectory_id
    with box.engine.connect() as connection:
        row = records.row_of(connection, receipt.event_id)
    assert row is not None
    assert first.value == row.record
    assert not [name for name, value in first.headers if CANARY.encode() in value]
    assert not [name for name, value in first.headers if b"D-7" in value]
    assert (fact.topic, [name for name, _ in fact.headers]) == (
        FACT_TOPIC,
        ["content-type", FACT_ID],
    )
    drain.close()


def test_a_fact_keeps_its_id_however_often_it_is_taken(box: Outbox) -> None:
    """A relay that ended between the log's answer and its own note sends the same again."""
    for _ in range(2):
        box.desk.one(submission(data={"programme": "wijk_werken", "person": PERSON}))
    taken = []
    for _ in range(2):
        drain = box.drain()
        assert drain.acquire()
        taken.append([dict(row.headers).get(FACT_ID) for row in drain.take(100)])
        drain.close()

    ids = [one for one in taken[0] if one is not None]
    assert taken[0] == taken[1]
    assert len(set(ids)) == len(ids) > 1


def test_rows_come_in_number_order_up_to_the_limit(box: Outbox) -> None:
    """What was not taken out comes again."""
    numbers = box.add(b"1", b"2", b"3")
    drain = box.drain()
    assert drain.acquire()

    assert [row.seq for row in drain.take(2)] == numbers[:2]
    assert values(drain) == [b"1", b"2", b"3"]
    drain.close()


def test_exactly_the_published_rows_are_deleted(box: Outbox) -> None:
    """Rows between and below them stay, and the published ones do not come again."""
    one, two, three, four = box.add(b"1", b"2", b"3", b"4")
    drain = box.drain()
    assert drain.acquire()

    drain.done([two, four])

    assert values(drain) == [b"1", b"3"]
    until(lambda: box.numbers() == [one, three])
    assert values(drain) == [b"1", b"3"]
    drain.close()


def test_a_row_that_is_set_aside_lets_the_others_by(box: Outbox) -> None:
    """It is kept whole with the reason, and counted."""
    bad, good = box.add(b"bad", b"good")
    drain = box.drain()
    assert drain.acquire()
    assert drains.parked(box.engine) == 0

    drain.park(bad, "too large")

    assert box.numbers() == [good]
    assert drains.parked(box.engine) == 1
    with box.engine.connect() as connection:
        kept = connection.exec_driver_sql("select seq, value, reason from outbox_parked").one()
    assert tuple(kept) == (bad, b"bad", "too large")
    drain.close()


def test_there_is_one_relay_at_a_time(box: Outbox) -> None:
    """A second one is refused until the first lets go, and the first may ask again."""
    first, second = box.drain(), box.drain()

    assert [first.acquire(), second.acquire(), first.acquire()] == [True, False, True]
    first.close()
    assert [second.acquire(), first.acquire()] == [True, False]
    second.close()


def test_a_killed_relay_holds_nothing(box: Outbox, stores: Stores) -> None:
    """The lock ends with the process, without anybody waiting for a time-out."""
    command = [sys.executable, "-c", HOLDS, stores.ledger, str(box.lock_file)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        drain = box.drain()
        assert not drain.acquire()

        holder.kill()

    until(drain.acquire)
    drain.close()


def test_a_lost_session_is_a_lost_lock(postgres_box: Outbox) -> None:
    """The relay hears of it, and another one may take over."""
    postgres_box.add(b"1")
    first, second = postgres_box.drain(), postgres_box.drain()
    assert first.acquire()
    with postgres_box.engine.connect() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
            " and database = (select oid from pg_database where datname = current_database())"
        )

    until(second.acquire)

    with pytest.raises(psycopg.OperationalError) as lost:
        first.take(1)
    assert is_down(lost.value)
    assert not first.acquire()
    second.close()


def test_a_row_that_commits_late_is_still_taken(postgres_box: Outbox) -> None:
    """A higher number was published and deleted before; there is no cursor behind it."""
    drain = postgres_box.drain()
    assert drain.acquire()
    statement = "insert into outbox (topic, key, value) values ('t', 'k', 'late')"
    with postgres_box.engine.connect() as late:
        late.exec_driver_sql(statement)
        (early,) = postgres_box.add(b"early")
        assert [row.seq for row in drain.take(10)] == [early]
        late.commit()
        drain.done([early])

    (row,) = drain.take(10)
    assert row.value == b"late"
    assert row.seq < early
    drain.close()


def test_a_report_that_got_lost_is_sent_again(sqlite_box: Outbox) -> None:
    """The ledger deletes what it is told of; until then nothing is published twice."""
    numbers = sqlite_box.add(b"1", b"2")
    sqlite_box.report.is_lost = True
    drain = sqlite_box.drain()
    assert drain.acquire()
    drain.done(numbers)
    assert sqlite_box.report.told == [numbers]
    assert sqlite_box.numbers() == numbers

    sqlite_box.report.is_lost = False
    until(lambda: values(drain) == [] and len(sqlite_box.report.told) > 1)

    assert sqlite_box.report.told[-1] == numbers
    until(lambda: sqlite_box.numbers() == [])
    drain.close()


def test_a_relay_that_starts_again_forgets_nothing(sqlite_box: Outbox) -> None:
    """Rows that were published and not deleted come again: twice is harmless, never is not."""
    sqlite_box.report.is_lost = True
    numbers = sqlite_box.add(b"1", b"2")
    before = sqlite_box.drain()
    assert before.acquire()
    before.done(numbers)
    before.close()

    after = sqlite_box.drain()
    assert after.acquire()

    assert values(after) == [b"1", b"2"]
    after.close()


def test_too_much_undeleted_stops_the_relay(sqlite_box: Outbox) -> None:
    """With the ledger's writer away nothing piles up in the relay's memory without end."""
    sqlite_box.report.is_lost = True
    numbers = sqlite_box.add(*[b"x"] * drains.MOST_UNDELETED, b"next")
    drain = sqlite_box.drain()
    assert drain.acquire()

    drain.done(numbers[:-2])
    assert values(drain) == [b"x", b"next"]
    drain.done(numbers[-2:-1])
    assert values(drain) == []

    sqlite_box.desk.ledger.published(numbers[:-1])
    until(lambda: values(drain) == [b"next"])
    assert max(len(told) for told in sqlite_box.report.told) <= drains.REPORTED_AT_ONCE
    drain.close()


def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    """A relay that remembers what it published does not pass over what came after a restart."""
    stores = migrated(Stores.sqlite(tmp_path))
    with outbox(stores, tmp_path) as box:
        box.desk.one(submission())
        drain = box.drain()
        assert drain.acquire()
        old = [row.seq for row in drain.take(10)]
        drain.done(old)
        until(lambda: box.numbers() == [])
        with desk(stores, tmp_path) as restarted, opened(stores.ledger) as engine:
            restarted.one(submission())
            other = Outbox(engine, restarted, LedgerReport(restarted), box.lock_file)

            assert len(old) == len(other.numbers())
            assert min(other.numbers()) > max(old)
            assert [row.seq for row in drain.take(10)] == other.numbers()
        drain.close()
