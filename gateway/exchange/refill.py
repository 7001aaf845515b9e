"""Filling an inbox again from the ledger, for a reader that fell behind what inboxes keep.

The ledger knows for each event to whom it was addressed. Rows that an inbox still has stay where
they are; those that retention removed come anew, at its end and in their old order. They are
handed over under today's agreements like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers import inbox, views
from consumers.scope import Scope
from gateway.exchange import records
from gateway.exchange.inbox_rows import InboxRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from consumers.clock import Clock
    from consumers.wake import Waker
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Registry

SLICE = 500
"""Events in one transaction: others write to the same inboxes meanwhile."""
MOST = 10_000
"""Events that one call adds; the answer says where to go on. Those that are there do not count, so
that a call from the same instant gets further."""


@dataclass(frozen=True, slots=True)
class Refilled:
    """What one call did.

    Attributes:
        added: inbox rows that came.
        after: the last row there was before: what came lies after it.
        more_from: microseconds UTC from which there is more; None when that was all.
    """

    added: int
    after: int
    more_from: int | None


@dataclass(frozen=True, slots=True)
class Refill:
    """Fills inboxes again; safe from several threads.

    Args:
        ledger: read-only engine of the ledger.
        consumers: writing engine of the consumers' store.
        wakers: the doors.
    """

    ledger: sa.Engine
    consumers: sa.Engine
    registry: Callable[[], Registry]
    clock: Clock
    wakers: Sequence[Waker] = ()

    def since(self, participant: str, moment_us: int) -> Refilled:
        """Address again what was recorded at or after a time; idempotent.

        Blocks for as long as it takes to read the ledger from there on, or until `MOST` came.

        Raises:
            SQLAlchemyError: a store does not answer; what was added stays, call again.
        """
        with self.consumers.connect() as connection:
            after = views.newest(connection, Scope(participant))
        added = 0
        rows = self._rows(participant, moment_us, after_seq=0)
        while rows and added < MOST:
            added += self._append(participant, rows)
            rows = self._rows(participant, moment_us, after_seq=rows[-1].seq)
        if added:
            for waker in self.wakers:
                waker.wake(participant.encode())
        return Refilled(added, after, rows[0].recorded_at if rows else None)

    def _rows(self, participant: str, moment_us: int, *, after_seq: int) -> list[LedgerRow]:
        with self.ledger.connect() as connection:
            return records.rows_addressed_to(
                connection, participant, since=moment_us, after_seq=after_seq, limit=SLICE
            )

    def _append(self, participant: str, rows: Sequence[LedgerRow]) -> int:
        now = self.clock.now_us()
        with self.consumers.begin() as connection:
            before = views.newest(connection, Scope(participant))
            addresses = InboxRows(self.ledger, self.registry).of(connection, rows, now=now)
            own = [one for one in addresses if one.participant == participant]
            inbox.append(connection, own, now=now)
            return views.newest(connection, Scope(participant)) - before
