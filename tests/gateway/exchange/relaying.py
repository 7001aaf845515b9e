"""What the tests of relay and drains share: an outbox with rows, and a log that does as told."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.errors import NotPublished, Poison
from consumers.log_records import MAX_RECORD_BYTES
from gateway.exchange.drains import Drain, open_drain
from gateway.exchange.outbox import FACT_TOPIC, unpack
from schemas.errors import Message
from tests.gateway.exchange.ledger_world import Desk, desk
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from consumers.database import Stores
    from consumers.log_records import Record

AWAY = NotPublished(Message("Niet bevestigd.", "Not acknowledged."))


@dataclass
class LedgerReport:
    """Brings the numbers of published rows to a ledger in this process, unless they get lost."""

    desk: Desk
    is_lost: bool = False
    told: list[list[int]] = field(default_factory=list)

    def wake(self, payload: bytes = b"") -> None:
        """Report."""
        self.told.append(list(unpack(payload)))
        if not self.is_lost:
            self.desk.ledger.published(self.told[-1])

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class ScriptedLog:
    """Publishes into a list, as the supervised producer does into Kafka.

    Attributes:
        failures: how many chunks fail, each after its first half went.
        refused: values that the broker rejects, and why.
        attempts: the values of every chunk that was tried.
    """

    failures: int = 0
    refused: dict[bytes, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    attempts: list[list[bytes]] = field(default_factory=list)
    is_closed: bool = False

    @property
    def values(self) -> list[bytes]:
        """What is in the log."""
        return [one.value for one in self.records]

    def publish(self, records: Sequence[Record]) -> None:
        """All, or Poison or NotPublished as the real one."""
        self.attempts.append([one.value for one in records])
        for one in records:
            if one.size > MAX_RECORD_BYTES:
                raise Poison(one, "too large")
        if self.failures:
            self.failures -= 1
            self.records += records[: len(records) // 2]
            raise AWAY
        bad = [one for one in records if one.value in self.refused]
        if bad and len(records) == 1:
            raise Poison(bad[0], self.refused[bad[0].value])
        if bad:
            raise NotPublished(AWAY.detail, rejected=True)
        self.records += records

    def publish_separately(self, records: Sequence[Record]) -> tuple[Poison, ...]:
        """One by one."""
        poisons = []
        for one in records:
            try:
                self.publish([one])
            except Poison as poison:
                poisons.append(poison)
        return tuple(poisons)

    def close(self) -> None:
        """Remember that."""
        self.is_closed = True


@dataclass
class Outbox:
    """An outbox on one of the databases, with the ledger that owns it."""

    engine: Engine
    desk: Desk
    report: LedgerReport
    lock_file: Path

    def drain(self) -> Drain:
        """One more drain; `acquire` decides whether it is the one."""
        return open_drain(self.engine, self.report, self.lock_file)

    def add(self, *values: bytes) -> list[int]:
        """Rows as those of facts, with these values; their numbers."""
        with self.engine.begin() as connection:
            mark = "%s" if connection.dialect.name == "postgresql" else "?"
            statement = f"insert into outbox (topic, key, value) values ({mark}, {mark}, {mark})"  # noqa: S608
            for value in values:
                connection.exec_driver_sql(statement, (FACT_TOPIC, "k", value))
        return self.numbers()[-len(values) :]

    def numbers(self, table: str = "outbox") -> list[int]:
        """The numbers in the table."""
        with self.engine.connect() as connection:
            found = connection.exec_driver_sql(f"select seq from {table} order by seq")  # noqa: S608
            return list(found.scalars())


@contextmanager
def outbox(stores: Stores, folder: Path) -> Iterator[Outbox]:
    """An empty one."""
    with ExitStack() as stack:
        engine = stack.enter_context(opened(stores.ledger))
        at = stack.enter_context(desk(stores, folder))
        yield Outbox(engine, at, LedgerReport(at), folder / "relay.lock")
