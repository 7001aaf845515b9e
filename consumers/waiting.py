"""What waits for an owner to look at it, counted: nothing of any event is read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from consumers.dead_letters import OPEN
from consumers.kafka_door import UNPUBLISHABLE
from consumers.scope import WHOLE_HUB, Scope, scoped
from consumers.tables import dead_letters, inbox, kafka_positions, subscriptions

if TYPE_CHECKING:
    from collections.abc import Iterable

KAFKA: Final = "kafka-door"
"""What an alert is about when it is not about a subscription."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits.

    Attributes:
        since: when the oldest was given up on, microseconds.
        codes: why, with how many of each, the most frequent first.
    """

    count: int
    since: int
    codes: tuple[tuple[str, int], ...]


def of_subscription(
    connection: sa.Connection, participant: str, subscription_id: str
) -> Waiting | None:
    """The open dead letters of one subscription; None when there are none."""
    table = dead_letters.c
    query = (
        sa.select(table.code, sa.func.count(), sa.func.min(table.dead_at))
        .where(table.subscription_id == subscription_id, table.state == OPEN)
        .group_by(table.code)
    )
    return _together(connection.execute(scoped(query, Scope(participant))))


def of_kafka(connection: sa.Connection, participant: str) -> Waiting | None:
    """What the participant's inbox keeps that its topic will never hold; None for nothing."""
    query = (
        sa.select(inbox.c.stopped_leg, sa.func.count(), sa.func.min(inbox.c.routed_at))
        .where(inbox.c.status == "stopped", inbox.c.stopped_leg == UNPUBLISHABLE)
        .group_by(inbox.c.stopped_leg)
    )
    return _together(connection.execute(scoped(query, Scope(participant))))


def untold(connection: sa.Connection, since: int) -> list[tuple[str, str]]:
    """What waits and was not told since a time: participant, and a subscription's id or `KAFKA`."""
    table, letter, position = subscriptions.c, dead_letters.c, kafka_positions.c
    waits = sa.exists().where(letter.subscription_id == table.id, letter.state == OPEN)
    query = sa.select(table.participant, table.id).where(is_late(table.alerted_at, since), waits)
    found = [(row[0], row[1]) for row in connection.execute(scoped(query, WHOLE_HUB))]
    query = sa.select(position.participant, sa.literal(KAFKA)).where(
        position.untold, is_late(position.alerted_at, since)
    )
    return found + [(row[0], row[1]) for row in connection.execute(scoped(query, WHOLE_HUB))]


def is_late(alerted_at: sa.ColumnElement[Any], since: int) -> sa.ColumnElement[bool]:
    """Whether the last alert, if there was one, was not after a time."""
    return sa.or_(alerted_at.is_(None), alerted_at <= since)


def _together(rows: Iterable[Any]) -> Waiting | None:
    found = sorted(rows, key=lambda row: (-row[1], row[0]))
    if not found:
        return None
    return Waiting(
        sum(row[1] for row in found),
        min(row[2] for row in found),
        tuple((row[0], row[1]) for row in found),
    )
