"""How far the processes behind the gateway are behind, read from the stores when somebody asks.

They serve no figures of their own, and the gateway sees what they leave lying.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from consumers.backlog import webhook_backlog
from gateway.exchange.drains import parked
from gateway.exchange.outbox import oldest_recorded_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Engine

    from consumers.clock import Clock

SECOND_US = 1_000_000


class Backlog:
    """Reads the outbox and the subscriptions.

    Args:
        ledger: reads the ledger's store.
        consumers: reads the consumers'.
        clock: the time that rows are written with.
    """

    def __init__(self, ledger: Engine, consumers: Engine, clock: Clock) -> None:
        self._ledger = ledger
        self._consumers = consumers
        self._clock = clock

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows: five rows or so; nothing while a store is away. Never raises."""
        try:
            return self._read(self._clock.now_us())
        except SQLAlchemyError:
            return {}

    def _read(self, now: int) -> Mapping[str, float]:
        with self._ledger.connect() as connection:
            recorded_at = oldest_recorded_at(connection)
        set_aside = parked(self._ledger)
        with self._consumers.connect() as connection:
            webhooks = webhook_backlog(connection, now)
        age = 0 if recorded_at is None else max(0, now - recorded_at)
        return {
            "outbox_oldest_seconds": age / SECOND_US,
            "outbox_set_aside": float(set_aside),
            "webhooks_overdue_seconds": webhooks.overdue_us / SECOND_US,
            "dead_letters_open": float(webhooks.dead_letters),
        }
