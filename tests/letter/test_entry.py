"""The letter on who leads people in, how simply, and who does what (R1, R2, R3, R4, R14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.letter import steps
from tests.letter.partners import (
    CAW,
    HOST,
    LEUVEN,
    OCMW,
    ORGANISER,
    TIENEN,
    TOWN,
    URN,
    VDAB,
)

if TYPE_CHECKING:
    from tests.letter.region import Region


def test_r01_three_channels(around: Region) -> None:
    """'toeleiding … via VDAB, OCMW én andere lokale partners': the same event, the same answer."""
    for number, who in enumerate((VDAB, OCMW, CAW)):
        person = {"given_name": "Bilal", "family_name": f"Proef{number}", "postcode": "3300"}
        case = steps.refer(around, who, programme="samenlevingsjob", person=person)
        steps.accept(around, case)

        assert around.state(who, case, "referral") == ["accepted"]
        got = around.given(ORGANISER, "referral.created", case)
        assert got["data"]["person"]["family_name"] == f"Proef{number}"
        assert "referral.accepted" in around.names(who, case)


def test_r01_open_referral(around: Region) -> None:
    """A partner without an address refers openly: candidates see no person, a taker gets all."""
    case = steps.refer(around, CAW, programme="samenlevingsjob", target_org=None)
    shown = around.given(OCMW, "referral.advertised", case)

    assert shown["data"]["status"] == "open"
    assert "Proefman" not in str(around.feed(OCMW, case))
    assert "Proefman" not in str(around.feed(VDAB, case))
    answer = {"handled_by": {"name": "Balie"}, "answer_due": around.day(7)}
    around.send(OCMW, "referral.claimed", answer, trajectoryid=case)
    got = around.given(OCMW, "referral.created", case)
    assert got["backfill"] is True
    assert got["data"]["person"]["family_name"] == "Proefman"
    assert around.given(VDAB, "referral.advertised", case)["data"]["status"] == "closed"
    assert "Proefman" not in str(around.feed(VDAB, case))


def test_r02_seven_fields(around: Region) -> None:
    """'eenvoudige instap': seven fields, and an answer that says who replies by when."""
    answer = around.refer(CAW, known_at="ocmw")

    assert answer["proposed_holder"] == "OCMW Tienen"
    assert answer["answer_due"] == around.day(14)
    assert answer["message"].startswith("OCMW Tienen antwoordt vóór 16 maart;")
    assert answer["receipt"]["event_id"]
    case = around.case(CAW, answer["trajectory_id"])
    assert case["proposed_holder"]["name"] == "OCMW Tienen"


def test_r02_one_field_forgotten(around: Region) -> None:
    """What is missing is named, with what to do, in the language of who sends."""
    for field in ("given_name", "family_name", "phone", "postcode", "informed_person_at"):
        refused = around.form(CAW, **{field: None})
        problem = refused.json()

        assert refused.status_code == 422, field
        assert field in str(problem["invalidParams"])
        assert problem["invalidParams"][0]["reason"]
    assert around.feed(OCMW) == []


def test_r02_postcode_of_two_municipalities(around: Region) -> None:
    """A postcode that lies in Vilvoorde and in Zemst is not guessed."""
    problem = around.form(CAW, postcode="1804").json()

    assert problem["code"] == "territory_ambiguous"
    assert "Vilvoorde" in str(problem)
    assert "Zemst" in str(problem)


def test_r03_wrong_role(around: Region) -> None:
    """'duidelijke rolverdeling': who may not, hears which role or place is missing."""
    case = steps.refer(around, VDAB)
    steps.accept(around, case)
    steps.plan(around, case)
    end = {"end_date": around.day(), "reason": "goal_reached", "early": True}
    recorded = {"type": "regular_job", "on": around.day()}
    by_host = around.refuse(HOST, "outcome.recorded", recorded, trajectoryid=case)
    by_town = around.refuse(TOWN, "referral.created", steps.referral(around), territorynis=TIENEN)
    by_stranger = around.publish(LEUVEN, "placement.ended", end, trajectoryid=case)

    assert (by_host["status"], by_host["leg"]) == (403, "role")
    assert (by_town["status"], by_town["leg"]) == (403, "role")
    assert by_stranger.status_code == 404
    early = around.publish(ORGANISER, "placement.ended", end, trajectoryid=case)
    assert early.status_code == 409
    assert "placement.started" in early.json()["allowed"]


def test_r03_one_case_holder(around: Region) -> None:
    """Every case names the one who holds it, or who is asked to and by when."""
    held = steps.refer(around, VDAB)
    waiting = around.refer(CAW)["trajectory_id"]

    assert around.case(ORGANISER, held)["case_holder"]["name"] == "VDAB"
    seen = around.case(CAW, waiting)
    assert seen["case_holder"] is None
    assert seen["proposed_holder"]["name"] == "OCMW Tienen"
    assert seen["holder_due"] == around.day(14)
    said = {"holder": URN[OCMW], "contact": {"name": "Activering"}}
    around.send(OCMW, "trajectory.case_holder_assigned", said, trajectoryid=waiting)
    assert around.case(CAW, waiting)["case_holder"]["name"] == "OCMW Tienen"


def test_r14_territory(around: Region) -> None:
    """'Lokaal georganiseerd': the place decides who is asked, and who is not."""
    case = around.refer(CAW)["trajectory_id"]
    elsewhere = around.form(LEUVEN, postcode="3300")
    far = around.form(CAW, postcode="8400").json()

    assert around.feed(LEUVEN, case) == []
    assert elsewhere.status_code in (403, 422)
    assert far["code"] in ("no_agreement", "outside_territory")
