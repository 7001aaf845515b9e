"""Ends agreements whose last day has passed or whose successor begins: one of the hub's chores.

Their grants end by themselves on that day; this writes the end down and tells of it, once. It
looks at the snapshot at hand and asks the database only when there is something to end, so that
it costs nothing on other days; several gateways may run it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from consumers.clock import date_of
from gateway.exchange.agreement_life import has_ended

if TYPE_CHECKING:
    from gateway.exchange.agreement_store import AgreementStore
    from gateway.exchange.registry_live import LiveRegistry

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AgreementExpiry:
    """Ends what is past and sees it in this process at once."""

    store: AgreementStore
    live: LiveRegistry

    def when_due(self, now_us: int) -> bool:
        """End what has passed its last day or was replaced by now; whether anything did. Blocks.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        today = date_of(now_us)
        if not has_ended(self.live.current().agreements.values(), today):
            return False
        ended = self.store.expire()
        self.live.refresh()
        for one in ended:
            log.info("agreement_expired", agreement=one)
        return bool(ended)
