"""What has to answer for the gateway to take events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.database import ping
from gateway.errors import Unavailable
from schemas.errors import Message

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.exchange.ledger import Ledger

BUSY = 8_000
"""Submissions that may wait before this gateway asks for no more."""


@dataclass(slots=True)
class StoreProbe:
    """A database answers."""

    name: str
    engine: Engine

    def check(self) -> None:
        """Ask it something.

        Raises:
            Unavailable: it does not answer.
        """
        if not ping(self.engine):
            raise Unavailable(
                Message(
                    nl=f"De databank {self.name} antwoordt niet.",
                    en=f"The database {self.name} does not answer.",
                )
            )


@dataclass(slots=True)
class LedgerProbe:
    """The ledger's writer keeps up."""

    ledger: Ledger
    name: str = "writer"

    def check(self) -> None:
        """Look at its queue.

        Raises:
            Unavailable: too much waits.
        """
        if self.ledger.waiting > BUSY:
            raise Unavailable(Message(nl="Het grootboek loopt achter.", en="The ledger is behind."))
