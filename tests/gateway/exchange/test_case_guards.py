"""What the table of a trajectory asks beside state and sender."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Refused
from tests.gateway.exchange import cast

HOLDER, HOST, COACH = cast.RELATED["V"], cast.RELATED["H"], cast.RELATED["W"]


def declined(who: str, reason: str) -> Accepted | Refused:
    """Somebody says that a hand-over does not take place."""
    case = cast.case_with("trajectory", "handing_over")
    name = "trajectory.handover_declined"
    sent = cast.submission(name, who, {"reason": reason}, trajectory_id=case.id)
    return decide(sent, cast.context(case))


@pytest.mark.parametrize(
    ("who", "reason"),
    [(HOLDER, "withdrawn"), (cast.OFFERED, "not_competent"), (HUB, "no_answer")],
)
def test_a_hand_over_ends_for_the_reason_of_who_ends_it(who: str, reason: str) -> None:
    """Taken back by the holder, declined by the other, or unanswered."""
    others = {"withdrawn", "not_competent", "no_answer"} - {reason}

    assert isinstance(declined(who, reason), Accepted)
    for other in others:
        refused = declined(who, other)
        assert isinstance(refused, Refused)
        assert refused.error.facts["rule"] == "reason_of_another"
        assert refused.error.invalid[0].name == "reason"


def contact(who: str, kind: str) -> Accepted | Refused:
    """Somebody records a contact with a person who is at work."""
    case = cast.case_with("placement", "active")
    data = {"kind": kind, "on": "2026-05-27"}
    sent = cast.submission("guidance.contact_recorded", who, data, trajectory_id=case.id)
    return decide(sent, cast.context(replace(case, viewers=())))


def test_a_host_records_the_talks_of_its_mentor() -> None:
    """And no other contact, which is the coach's."""
    refused = contact(HOST, "coach_visit")

    assert isinstance(contact(HOST, "mentor_talk"), Accepted)
    assert isinstance(contact(COACH, "coach_visit"), Accepted)
    assert isinstance(refused, Refused)
    assert refused.error.facts["rule"] == "kind_of_another_role"
