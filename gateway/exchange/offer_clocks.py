"""The clocks of an offer (`domain.md` §3.4)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from gateway.exchange.business_days import days_after, start_of
from gateway.exchange.clock import Clock
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.clocks import Rules
    from gateway.exchange.state import Offer


def clocks(offer: Offer, _rules: Rules) -> list[Clock]:
    """It lapses on the day after its last valid one."""
    if offer.valid_to is None or not lifecycles()["offer"].is_active(offer.state):
        return []
    return [
        Clock(
            kind="offer_lapses",
            aggregate_id=offer.id,
            due_at=start_of(days_after(date.fromisoformat(offer.valid_to), 1)),
            event="offer.lapsed",
            data={"valid_to": offer.valid_to},
            acts_for=offer.owner,
        )
    ]
