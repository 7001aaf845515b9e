"""Facts are kept once, whatever the log gives twice; what cannot be read is set aside."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

from consumers import parked
from consumers.clock import SystemClock
from consumers.database import Stores
from consumers.evidence import TOPIC, Evidence, Log, run
from consumers.log import LogAdmin, LogConsumer, Record, SupervisedProducer
from consumers.migrating import upgrade
from schemas.facts import encode_fact
from schemas.topics import topics
from tests.consumers.fact_store import AtMidnight, ListLog, fact, fetched, rows
from tests.store_fixtures import MIGRATIONS, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sqlalchemy as sa

    from consumers.log import Fetched, LogSettings

MANY = 3
OWN = fact("inflow", concerned=("ocmw-tienen", "vdab"))
_PLACE = f"'{TOPIC}', 0, 7"
_FACT = "insert into facts (topic, partition, record_offset, indicator, month, nis, count)"
_OWNER = "insert into fact_owners (topic, partition, record_offset, participant)"
OLD = (
    f"{_FACT} values ({_PLACE}, 'inflow', '2026-05', '24107', 1)",
    *(f"{_OWNER} values ({_PLACE}, '{one}')" for one in OWN.concerned),
)
"""One fact as it stood before facts had ids."""


def test_a_fact_is_kept_once_with_those_it_concerns(engine_of: Callable[..., sa.Engine]) -> None:
    """The same place in the log, read again, adds nothing."""
    engine = engine_of("consumers")
    log = ListLog([fetched(1, encode_fact(OWN)), fetched(2, encode_fact(OWN))])
    evidence = Evidence(log, engine, AtMidnight())
    evidence.step()
    log.position = 0
    evidence.step()

    assert rows(engine) == (2, 4)
    assert log.committed == 2


def test_a_fact_that_is_sent_twice_counts_once(engine_of: Callable[..., sa.Engine]) -> None:
    """The relay sends again what it has no answer to: in the same batch, or after a restart."""
    engine, one = engine_of("consumers"), encode_fact(OWN)
    for records in ((1, 2), (3,)):
        log = ListLog([fetched(offset, one, "fact-1") for offset in records])
        Evidence(log, engine, AtMidnight()).step()
    assert rows(engine) == (1, 2)

    Evidence(ListLog([fetched(4, one, "fact-2")]), engine, AtMidnight()).step()
    assert rows(engine) == (2, 4)


def test_a_topic_that_is_made_anew_brings_new_facts(engine_of: Callable[..., sa.Engine]) -> None:
    """Its places begin again, and what lay there before is another fact."""
    engine, other = engine_of("consumers"), fact("displacement_reported", concerned=("vdab",))
    for name, said in (("fact-1", OWN), ("fact-2", other)):
        log = ListLog([fetched(0, encode_fact(said), name)])
        Evidence(log, engine, AtMidnight()).step()

    assert rows(engine) == (2, 3)


def test_facts_of_before_there_were_ids_are_known_still(
    request: pytest.FixtureRequest, stores: Stores, tmp_path: Path
) -> None:
    """They keep their place as their id, with those they concern; read again, nothing is added."""
    is_file = stores.consumers.startswith("sqlite")
    url = f"sqlite:///{tmp_path / 'old.db'}" if is_file else empty_postgres(request)
    before = tmp_path / "before"
    before.mkdir()
    for one in MIGRATIONS["consumers"].glob("000[1-8]_*.py"):
        shutil.copy(one, before)
    upgrade(url, before)
    with opened(url) as engine:
        with engine.begin() as connection:
            for statement in OLD:
                connection.exec_driver_sql(statement)
        upgrade(url, MIGRATIONS["consumers"])

        assert rows(engine) == (1, 2)
        log = ListLog([fetched(7, encode_fact(OWN)), fetched(8, encode_fact(OWN))])
        Evidence(log, engine, AtMidnight()).step()
        assert rows(engine) == (2, 4)


def empty_postgres(request: pytest.FixtureRequest) -> str:
    """The consumers' schema of a database in which nothing was made."""
    return Stores.postgres(request.getfixturevalue("postgres_url")).consumers


def test_what_is_no_fact_is_parked_and_the_rest_kept(engine_of: Callable[..., sa.Engine]) -> None:
    """One broken record holds nobody up and is counted."""
    engine = engine_of("consumers")
    log = ListLog([fetched(1, b"no fact"), fetched(2, encode_fact(OWN))])
    Evidence(log, engine, AtMidnight()).step()

    with engine.connect() as connection:
        assert [(one.offset, one.code) for one in parked.unresolved(connection)] == [
            (1, "undecodable")
        ]
    assert rows(engine) == (1, 2)


def test_a_database_that_is_away_loses_nothing(
    engine_of: Callable[..., sa.Engine], tmp_path: Path
) -> None:
    """The batch that could not be kept comes first when it is back."""
    log = ListLog([fetched(1, encode_fact(OWN))])
    with opened(f"sqlite:///{tmp_path / 'gone' / 'consumers.db'}") as away:
        evidence = Evidence(log, away, AtMidnight())
        with pytest.raises(OperationalError):
            evidence.step()
    assert log.committed == 0

    evidence.consumers = engine_of("consumers")
    evidence.step()
    assert (rows(evidence.consumers), log.committed) == ((1, 2), 1)


def test_facts_of_a_real_log_are_kept_once_over_a_restart(
    engine_of: Callable[..., sa.Engine],
    admin_settings: LogSettings,
    topic_name: Callable[[str], str],
) -> None:
    """A worker that ends before its offsets are committed reads again and adds nothing."""
    engine, name = engine_of("consumers"), topic_name("fact")
    (topic,) = (one for one in topics() if one.name == TOPIC)
    admin = LogAdmin(admin_settings)
    admin.ensure_topics([replace(topic, name=name)])
    admin.close()
    producer = SupervisedProducer(admin_settings)
    producer.publish([Record(name, b"inflow:24107", encode_fact(OWN)) for _ in range(MANY)])
    producer.close()

    seen = []
    for commits in (False, True):
        log = LogConsumer(admin_settings, [name], name, "evidence-test")
        _read_all(log if commits else Uncommitted(log), engine)
        log.close()
        seen.append(rows(engine))

    assert seen == [(MANY, 2 * MANY)] * 2


class Uncommitted:
    """A log's consumer that ends before it commits."""

    def __init__(self, log: LogConsumer) -> None:
        self._log = log

    def poll(self, timeout_seconds: float, /) -> list[Fetched]:
        """What the log gives."""
        return self._log.poll(timeout_seconds)

    def commit(self) -> None:
        """Nothing: the process is gone."""


def _read_all(log: Log, engine: sa.Engine) -> None:
    """Read until everything came."""
    evidence, came = Evidence(log, engine, SystemClock()), 0
    for _ in range(60):
        came += evidence.step(1.0)
        if came == MANY:
            return
    raise AssertionError("not everything came within a minute")


def test_a_worker_that_is_asked_to_stop_stops() -> None:
    """The loop ends between two polls."""
    stop = threading.Event()
    stop.set()

    run(Evidence(ListLog(), None, AtMidnight()), stop)  # type: ignore[arg-type] # never used
    assert stop.is_set()
