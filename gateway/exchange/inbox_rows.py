"""The inbox rows of accepted events: who gets each, with the history first for who is new.

Reads the ledger, and of the consumers' store what is there already; writes neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers import inbox
from consumers.clock import date_of
from gateway.exchange import records
from gateway.exchange.addressing import addressed, backfilled, judged, newcomers
from gateway.exchange.standing import Standings, holds_of, memberships_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from consumers.inbox import InboxRow
    from gateway.exchange.decision import Recipient
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Registry

LATE_US = 3_000_000
"""What took longer to come here may be of a case that somebody has left since."""


@dataclass(frozen=True, slots=True)
class InboxRows:
    """Makes inbox rows.

    Args:
        ledger: read-only engine of the ledger.
        registry: the newest snapshot.
    """

    ledger: sa.Engine
    registry: Callable[[], Registry]

    def of(
        self, connection: sa.Connection, rows: Sequence[LedgerRow], *, now: int
    ) -> list[InboxRow]:
        """The rows of these events, in order; those that a wider one replaces are taken back.

        Args:
            connection: of the transaction that will append them.
            rows: ledger rows, in their order.
            now: business time, microseconds UTC.
        """
        joining = [row.event_id for row in rows if row.joined]
        done = inbox.present_rows(connection, joining) if joining else set()
        addresses: list[InboxRow] = []
        looked_up = list(rows)
        for row in rows:
            for newcomer in newcomers(row):
                if (newcomer.participant, row.event_id) not in done:
                    earlier = self._earlier(row)
                    looked_up += earlier
                    history = self._backfill(earlier, row, newcomer, now)
                    addresses = inbox.withdraw_narrower(connection, history, addresses)
            addresses += addressed(row)
        return self._judged(looked_up, addresses, now)

    def _judged(
        self, rows: Sequence[LedgerRow], addresses: list[InboxRow], now: int
    ) -> list[InboxRow]:
        """Stop at once what no door would hand over: reviews see only what was there before."""
        late = [row for row in rows if now - row.recorded_at > LATE_US]
        with self.ledger.connect() as connection:
            found = Standings(holds_of(connection, rows), memberships_of(connection, late))
        if not found.holds and not found.cases:
            return addresses
        return judged(rows, addresses, found, self.registry(), on=date_of(now), now=now)

    def _earlier(self, row: LedgerRow) -> list[LedgerRow]:
        with self.ledger.connect() as connection:
            return records.trajectory_rows(connection, str(row.trajectory_id), row.seq)

    def _backfill(
        self, earlier: Sequence[LedgerRow], row: LedgerRow, newcomer: Recipient, now: int
    ) -> list[InboxRow]:
        on, nis = date_of(now), row.territory_nis
        joined_by = row.aggregate_id
        return backfilled(
            self.registry(), earlier, newcomer, joined_by=joined_by, on=on, now=now, nis=nis
        )
