"""Relays as one would write them first, each with a defect that the tests have to catch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.drains import PostgresDrain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.exchange.outbox import OutboxRow

EVERYTHING = 100_000


class CursorDrain(PostgresDrain):
    """Remembers the last number and takes what comes after it."""

    last = 0

    def take(self, limit: int) -> list[OutboxRow]:
        """Rows behind the cursor: one that commits late with a lower number is passed over."""
        return [row for row in super().take(EVERYTHING) if row.seq > self.last][:limit]

    def done(self, numbers: Sequence[int]) -> None:
        """Move the cursor."""
        super().done(numbers)
        self.last = max(numbers)


class RangeDrain(PostgresDrain):
    """Deletes everything up to the last number it published."""

    def done(self, numbers: Sequence[int]) -> None:
        """A row that committed meanwhile with a lower number goes unpublished."""
        self._session().execute("delete from outbox where seq <= %s", (max(numbers),))


class NewestFirstDrain(PostgresDrain):
    """Takes the newest rows first."""

    def take(self, limit: int) -> list[OutboxRow]:
        """A trajectory's later event overtakes its earlier one."""
        return super().take(EVERYTHING)[::-1][:limit]
