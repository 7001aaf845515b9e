"""From the log to the table of facts: each fact once, whatever is sent or read again.

A fact's own id is the key, so that it counts once when the relay publishes it twice, and whatever
lay at its place before a topic was made anew; one from before there were ids has its place. Offsets
are committed after the rows. What cannot be read is parked and counted. Reading them back is
`figures.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from consumers import bulk, parked
from consumers.errors import LogUnavailable
from consumers.parked import Parked
from consumers.tables import fact_owners, facts
from schemas.codec import decode_fact
from schemas.errors import SchakelError
from schemas.facts import FACT_ID

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    import sqlalchemy as sa

    from consumers.clock import Clock
    from consumers.log import Fetched
    from schemas.facts import Fact

TOPIC = "activation.fact.v1"
GROUP = "route.evidence"
"""The route's certificate may read with groups that begin like its own."""
POLL_SECONDS = 0.5
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0

log = structlog.get_logger()


class Log(Protocol):
    """The part of `consumers.log.LogConsumer` that counting needs."""

    def poll(self, timeout_seconds: float, /) -> Sequence[Fetched]:
        """The next records, in order per partition; blocks up to the time-out."""
        ...

    def commit(self) -> None:
        """Note that everything polled so far has had its effect."""
        ...


@dataclass(slots=True)
class Evidence:
    """Keeps the facts. One thread uses it.

    Args:
        consumers: writing engine of the consumers' store.
    """

    log: Log
    consumers: sa.Engine
    clock: Clock
    pending: Sequence[Fetched] = ()

    def step(self, timeout_seconds: float = POLL_SECONDS) -> int:
        """Poll once and keep what came; returns how many records that was.

        Raises:
            LogUnavailable: the broker does not answer; call again.
            SQLAlchemyError: the database does not; call again, nothing is lost.
        """
        # What could not be kept comes first: the consumer has moved on past it.
        self.pending = self.pending or self.log.poll(timeout_seconds)
        if not self.pending:
            return 0
        self._keep(self.pending)
        self.log.commit()
        kept, self.pending = len(self.pending), ()
        return kept

    def _keep(self, fetched: Sequence[Fetched]) -> None:
        read = [(record, _read(record)) for record in fetched]
        good = [(record, fact) for record, fact in read if fact is not None]
        aside = [record for record, fact in read if fact is None]
        with self.consumers.begin() as connection:
            bulk.insert(connection, facts, [_row(*one) for one in good], skip_present=True)
            owners = [row for one in good for row in _owners(*one)]
            bulk.insert(connection, fact_owners, owners, skip_present=True)
            parked.park(connection, [self._set_aside(record) for record in aside])

    def _set_aside(self, record: Fetched) -> Parked:
        place = (record.topic, record.partition, record.offset)
        log.error("fact_parked", topic=place[0], partition=place[1], offset=place[2])
        return Parked(*place, None, "undecodable", 1, self.clock.now_us())


def _read(record: Fetched) -> Fact | None:
    try:
        return decode_fact(record.value)
    except SchakelError:
        return None


def _row(record: Fetched, fact: Fact) -> tuple[object, ...]:
    return (
        _id(record),
        record.partition,
        record.offset,
        record.topic,
        fact.indicator,
        fact.month,
        fact.nis,
        fact.programme,
        fact.channel,
        fact.code,
        fact.count,
        fact.days,
        fact.detail,
        fact.value,
        fact.rule_set,
    )


def _owners(record: Fetched, fact: Fact) -> list[tuple[object, ...]]:
    known = _id(record)
    return [(one, known) for one in fact.concerned]


def _id(record: Fetched) -> str:
    own = dict(record.headers).get(FACT_ID)
    return f"{record.topic}/{record.partition}/{record.offset}" if own is None else own.decode()


def run(evidence: Evidence, stop: threading.Event) -> None:
    """Keep facts until `stop` is set; waits out a broker or database that does not answer."""
    pause = PAUSE_SECONDS
    while not stop.is_set():
        try:
            evidence.step()
        except (LogUnavailable, SQLAlchemyError) as error:
            log.warning("evidence_waits", error=type(error).__name__, seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            pause = PAUSE_SECONDS
