"""The clocks of an offer (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.clock import date_of
from gateway.exchange.business_days import days_after, start_of
from gateway.exchange.clock import UNDETERMINED, Clock, key_of, next_by_days, on_day
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.clock import Ground
    from gateway.exchange.offer_state import Offer

LAPSES, UNANSWERED = "offer_lapses", "displacement_unanswered"


def clocks(offer: Offer, ground: Ground) -> list[Clock]:
    """It lapses on the day after its last; in review VDAB is asked for an answer."""
    if not lifecycles()["offer"].is_active(offer.state):
        return []
    found = []
    last = on_day(offer.valid_to)
    if last is not None:
        due_at = start_of(days_after(last, 1))
        data = {"valid_to": last.isoformat()}
        found.append(Clock(LAPSES, offer.id, due_at, "offer.lapsed", data, offer.owner))
    if offer.state == "under_review":
        found += _displacement(offer, ground)
    return found


def _displacement(offer: Offer, ground: Ground) -> list[Clock]:
    days = ground.rules(UNDETERMINED).displacement_answer_days
    service = ground.competent("V", offer.territory_nis)
    if days is None or service is None:
        return []
    reported = date_of(offer.since)
    first = days_after(reported, days)
    due = next_by_days(first, days, offer.reminded.get(key_of(UNANSWERED, offer.id)))
    data = {
        "addressee": ground.organisation(service),
        "reported_on": reported.isoformat(),
        "due": first.isoformat(),
    }
    event = "offer.displacement_escalated"
    return [Clock(UNANSWERED, offer.id, start_of(due), event, data, service)]
