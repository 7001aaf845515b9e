"""The outbox: what still has to reach the log, numbered under the ledger's locks.

A row points to its ledger row, whose record is the value; a fact's row holds its own bytes, and
where others have the event's id, one of its own by which it counts once however often it is sent.
Rows are taken in number order and deleted one by one, by id: never by range, never behind a
cursor, because on PostgreSQL commits of different trajectories do not follow the numbers.
What no broker would take never gets a row: it would have been acknowledged and go to nobody.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import text

from consumers.log_records import MAX_RECORD_BYTES
from gateway.errors import EventTooLarge
from gateway.exchange.driver import Insert
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Connection

    from gateway.exchange.decision import DecidedEvent
    from schemas.facts import Fact

FACT_TOPIC = "activation.fact.v1"
OUTBOX = Insert(
    "outbox", (("topic", "text"), ("key", "text"), ("event_id", "text"), ("value", "bytea"))
)
# The rest is for the routing header and Kafka's own headers, whose values are all short.
MAX_EVENT_BYTES = MAX_RECORD_BYTES - 16 * 1024
OutboxInsert = tuple[str, str, str | None, bytes | None]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row to publish, with its key, value and Kafka headers."""

    seq: int
    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def event_row(event: DecidedEvent) -> OutboxInsert:
    """The row of an accepted event; the key keeps a trajectory's or an offer's order."""
    return event.event.topic, event.trajectory_id or event.aggregate_id, event.event_id, None


def fact_row(fact: Fact, value: bytes) -> OutboxInsert:
    """The row of an anonymous fact, with a fresh id.

    A random one: an id that tells the time would lead to the event of that moment, and the number
    of the row is given again after a restore.
    """
    return FACT_TOPIC, f"{fact.indicator}:{fact.nis}", str(uuid4()), value


def oldest_recorded_at(connection: Connection) -> int | None:
    """When the first event was accepted that is not in the log yet; None while none waits.

    Two rows by their keys. Facts have no time of their own, and follow the event they tell of.
    """
    found = connection.execute(
        text(
            "select l.recorded_at from outbox o join ledger l on l.event_id = o.event_id"
            " order by o.seq limit 1"
        )
    ).scalar()
    return None if found is None else int(found)


def too_large() -> EventTooLarge:
    """The refusal of an event over `MAX_EVENT_BYTES`."""
    return EventTooLarge(
        Message(
            nl="Deze gebeurtenis is groter dan 1 MB. Splits ze of laat lange teksten weg.",
            en="This event is larger than 1 MB. Split it, or leave long texts out.",
        ),
        facts={"limit": MAX_EVENT_BYTES},
    )


def pack(numbers: Iterable[int]) -> bytes:
    """Row numbers as the payload of a wake-up."""
    return array("q", numbers).tobytes()


def unpack(payload: bytes) -> Iterator[int]:
    """The inverse of `pack`; a payload that cannot be one is nothing, it was only a hint."""
    numbers = array("q")
    if len(payload) % numbers.itemsize == 0:
        numbers.frombytes(payload)
    return iter(numbers)
