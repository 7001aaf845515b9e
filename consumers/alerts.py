"""Alerts that owners are owed: written down with what they tell of, ended once they were told.

A row stands for one way of telling, so that a mail server that is away holds up no webhook. Its
text is not kept: it says what waits at the moment of sending. Times are business time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa

from consumers import bulk, subscriptions
from consumers.retrying import DAY_US, SECOND_US
from consumers.scope import WHOLE_HUB, Scope, scoped
from consumers.tables import alerts, kafka_positions
from consumers.waiting import KAFKA, is_late
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from consumers.subscriptions import Subscription

MAIL: Final = "mail"
WEBHOOK: Final = "webhook"
GATHER_US: Final = 60 * SECOND_US
"""What fails together is told together."""
FIRST_WAIT_US: Final = 60 * SECOND_US
LONGEST_WAIT_US: Final = 30 * FIRST_WAIT_US
_DOUBLINGS: Final = 10

Outcome = Literal["sent", "unsure", "refused", "nobody", "off", "moot", "superseded"]
TOLD: Final = ("sent", "unsure")
"""Outcomes after which nobody is told again before a day has passed."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One row.

    Attributes:
        id: of the message, the same at every attempt and for every channel.
        about: a subscription's id, or `KAFKA`.
        handed_at: since when the mail server may have it.
    """

    id: str
    channel: str
    participant: str
    about: str
    owed_at: int
    next_at: int
    tries: int
    handed_at: int | None = None
    ended_at: int | None = None
    outcome: str | None = None


def wait_us(tries: int) -> int:
    """How long after an attempt began the next one may begin: 1 minute, doubling to 30."""
    return min(FIRST_WAIT_US << min(tries - 1, _DOUBLINGS), LONGEST_WAIT_US)


def owe(connection: sa.Connection, current: Subscription, now: int) -> bool:
    """Owe the owner an alert about this subscription, once a day; whether this call did.

    Args:
        connection: of the transaction that writes the dead letters.
        current: the row, locked by this transaction.
        now: business time.
    """
    is_time = current.alerted_at is None or now - current.alerted_at >= DAY_US
    if not is_time or _is_in_hand(connection, current.participant, current.id):
        return False
    subscriptions.change(connection, Scope(current.participant), current.id, alerted_at=now)
    _write(connection, current.participant, current.id, (MAIL, WEBHOOK), now)
    return True


def owe_again(connection: sa.Connection, participant: str, about: str, now: int) -> bool:
    """Owe an alert about what `waiting.untold` found; whether this call did."""
    scope = Scope(participant)
    if about != KAFKA:
        current = subscriptions.one(connection, scope, about, locked=True)
        return current is not None and owe(connection, current, now)
    if _is_in_hand(connection, participant, KAFKA):
        return False
    table = kafka_positions.c
    told = (
        sa.update(kafka_positions)
        .where(table.untold, is_late(table.alerted_at, now - DAY_US))
        .values(alerted_at=now, untold=False)
    )
    if connection.execute(scoped(told, scope)).rowcount != 1:
        return False
    _write(connection, participant, KAFKA, (MAIL,), now)
    return True


def due(connection: sa.Connection, now: int) -> list[Alert]:
    """The alerts that may be tried now, the longest due first."""
    query = (
        sa.select(alerts)
        .where(alerts.c.ended_at.is_(None), alerts.c.next_at <= now)
        .order_by(alerts.c.next_at, alerts.c.id, alerts.c.channel)
    )
    return [Alert(*row) for row in connection.execute(scoped(query, WHOLE_HUB))]


def claim(connection: sa.Connection, seen: Alert, now: int) -> bool:
    """Have the next attempt at it, whoever else tries; a claim lapses after `wait_us`."""
    tries = seen.tries + 1
    is_as_seen = alerts.c.tries == seen.tries
    return _change(connection, seen, is_as_seen, tries=tries, next_at=now + wait_us(tries))


def hand(connection: sa.Connection, seen: Alert, now: int) -> bool:
    """Note, before the mail server gets it, that it may have it; false when somebody did so."""
    return _change(connection, seen, alerts.c.handed_at.is_(None), handed_at=now)


def take_back(connection: sa.Connection, seen: Alert) -> None:
    """The mail server said that it does not have it."""
    _change(connection, seen, sa.true(), handed_at=None)


def end(connection: sa.Connection, seen: Alert, outcome: Outcome, now: int) -> None:
    """Close it. A day without alerts begins when it was told; if nobody was told, none does."""
    scope = Scope(seen.participant)
    _locked(connection, seen)
    if not _change(connection, seen, sa.true(), ended_at=now, outcome=outcome):
        return
    if outcome in TOLD:
        _mark(connection, seen, now)
    elif outcome == "moot":
        query = sa.select(alerts.c.id).where(
            alerts.c.id == seen.id,
            sa.or_(alerts.c.ended_at.is_(None), alerts.c.outcome.in_(TOLD)),
        )
        if connection.execute(scoped(query, scope)).first() is None:
            _mark(connection, seen, None)


def forget(connection: sa.Connection, *, before: int) -> None:
    """Remove what ended before a time."""
    gone = sa.delete(alerts).where(alerts.c.ended_at < before)
    connection.execute(scoped(gone, WHOLE_HUB))


def _write(
    connection: sa.Connection, participant: str, about: str, channels: tuple[str, ...], now: int
) -> None:
    """New rows; what an earlier one could not tell within its day, these tell."""
    older = sa.update(alerts).where(alerts.c.about == about, alerts.c.ended_at.is_(None))
    ended: dict[str, Any] = {"ended_at": now, "outcome": "superseded"}
    connection.execute(scoped(older.values(**ended), Scope(participant)))
    identifier = uuid7()
    rows = [
        (identifier, channel, participant, about, now, now + GATHER_US, 0, None, None, None)
        for channel in channels
    ]
    bulk.insert(connection, alerts, rows)


def _change(
    connection: sa.Connection, seen: Alert, holds: sa.ColumnElement[bool], **values: Any
) -> bool:
    """Set columns of a row that is still open, if a condition holds; whether it was."""
    query = sa.update(alerts).where(
        alerts.c.id == seen.id, alerts.c.channel == seen.channel, alerts.c.ended_at.is_(None), holds
    )
    done = connection.execute(scoped(query.values(**values), Scope(seen.participant)))
    return done.rowcount == 1


def _is_in_hand(connection: sa.Connection, participant: str, about: str) -> bool:
    """Whether a mail server may be reading one, so that a day begins only when that is known."""
    query = sa.select(alerts.c.id).where(
        alerts.c.about == about, alerts.c.ended_at.is_(None), alerts.c.handed_at.is_not(None)
    )
    return connection.execute(scoped(query, Scope(participant))).first() is not None


def _locked(connection: sa.Connection, seen: Alert) -> None:
    """Wait for whoever else ends an alert about the same, or owes one."""
    scope = Scope(seen.participant)
    if seen.about == KAFKA:
        query = sa.select(kafka_positions.c.seq).with_for_update()
        connection.execute(scoped(query, scope))
    else:
        subscriptions.one(connection, scope, seen.about, locked=True)


def _mark(connection: sa.Connection, seen: Alert, alerted_at: int | None) -> None:
    scope = Scope(seen.participant)
    if seen.about == KAFKA:
        change = sa.update(kafka_positions).values(alerted_at=alerted_at)
        connection.execute(scoped(change, scope))
    else:
        subscriptions.change(connection, scope, seen.about, alerted_at=alerted_at)
