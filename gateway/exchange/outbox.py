"""The outbox: what still has to reach the log, numbered under the ledger's locks.

A row points to its ledger row, whose record is the value; a fact's row holds its own bytes.
Rows are taken in number order and deleted one by one, by id: never by range, never behind a
cursor, because on PostgreSQL commits of different trajectories do not follow the numbers.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.exchange.driver import Insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.exchange.decision import DecidedEvent
    from schemas.facts import Fact

FACT_TOPIC = "activation.fact.v1"
OUTBOX = Insert(
    "outbox", (("topic", "text"), ("key", "text"), ("event_id", "text"), ("value", "bytea"))
)
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
    """The row of an anonymous fact."""
    return FACT_TOPIC, f"{fact.indicator}:{fact.nis}", None, value


def pack(numbers: Iterable[int]) -> bytes:
    """Row numbers as the payload of a wake-up."""
    return array("q", numbers).tobytes()


def unpack(payload: bytes) -> Iterator[int]:
    """The inverse of `pack`; a payload that cannot be one is nothing, it was only a hint."""
    numbers = array("q")
    if len(payload) % numbers.itemsize == 0:
        numbers.frombytes(payload)
    return iter(numbers)
