"""What has to answer for the gateway to take events."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.database import can_write, ping
from gateway.errors import Unavailable
from schemas.errors import Message

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.exchange.ledger import Ledger

BUSY = 8_000
"""Submissions that may wait before this gateway asks for no more."""
PROOF_SECONDS = 5.0
"""How long a proof that a store takes writes holds; one that failed is made anew every time."""
RECENT_SECONDS = 5.0
"""How long a ledger that could not write counts as unable, when nothing was written since."""


@dataclass(slots=True)
class StoreProbe:
    """A database answers and takes writes."""

    name: str
    reading: Engine
    writing: Engine
    _proved_at: float = float("-inf")

    def check(self) -> None:
        """Ask it something, and have it write something unless it did so a moment ago.

        Raises:
            Unavailable: it does not answer, or its disk is full or read-only.
        """
        if not ping(self.reading):
            raise Unavailable(
                Message(
                    nl=f"De databank {self.name} antwoordt niet.",
                    en=f"The database {self.name} does not answer.",
                )
            )
        now = time.monotonic()
        if now - self._proved_at < PROOF_SECONDS:
            return
        if not can_write(self.writing):
            self._proved_at = float("-inf")
            raise Unavailable(
                Message(
                    nl=f"De databank {self.name} kan niet schrijven; is de schijf vol?",
                    en=f"The database {self.name} cannot write; is the disk full?",
                )
            )
        self._proved_at = now


@dataclass(slots=True)
class LedgerProbe:
    """The ledger's writer keeps up, and writes."""

    ledger: Ledger
    name: str = "writer"

    def check(self) -> None:
        """Look at its queue and its last commit.

        Raises:
            Unavailable: too much waits, or it failed a moment ago.
        """
        if self.ledger.waiting > BUSY:
            raise Unavailable(Message(nl="Het grootboek loopt achter.", en="The ledger is behind."))
        if time.monotonic() - self.ledger.failed_at < RECENT_SECONDS:
            raise Unavailable(
                Message(nl="Het grootboek kan niet schrijven.", en="The ledger cannot write.")
            )
