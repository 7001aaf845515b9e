"""An offer lapses by its date, and a report of displacement does not stay without an answer."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import days, noon, sent, the


@pytest.mark.parametrize("state", ["draft", "published", "under_review"])
def test_an_offer_lapses_after_its_last_day(state: str) -> None:
    """Drafts too, and the last day still counts."""
    offer = replace(cast.offer(state), valid_to="2026-12-31", since=noon("2026-12-30"))

    assert days(offer)["offer_lapses"] == "2027-01-01"
    assert the(offer, "offer_lapses").acts_for == cast.RELATED["W"]


@pytest.mark.parametrize("state", ["withdrawn", "lapsed"])
def test_an_offer_that_is_over_has_no_clock(state: str) -> None:
    """Nothing more becomes of it."""
    assert days(replace(cast.offer(state), valid_to="2026-12-31")) == {}


def test_an_unanswered_displacement_goes_to_vdab_after_sixty_days() -> None:
    """And again every sixty days, until somebody resolves it."""
    offer = replace(cast.offer("under_review"), since=noon("2026-01-10"))
    again = replace(offer, reminded={f"displacement_unanswered/{cast.OFFER}": sent("2026-03-11")})

    clock = the(offer, "displacement_unanswered")
    assert days(offer) == {"displacement_unanswered": "2026-03-11"}
    assert clock.event == "offer.displacement_escalated"
    assert clock.data == {
        "addressee": cast.urn_of(cast.RELATED["V"]),
        "reported_on": "2026-01-10",
        "due": "2026-03-11",
    }
    assert days(again) == {"displacement_unanswered": "2026-05-10"}
