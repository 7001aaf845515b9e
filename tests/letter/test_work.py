"""The letter on work: long enough, open, of use, in nobody's place (R7, R9, R13, R19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.letter import steps
from tests.letter.partners import CAW, HOST, ORGANISER, SCHOOL, SOCIAL, TIENEN, TOWN, URN, VDAB

if TYPE_CHECKING:
    import httpx

    from tests.letter.region import Region


SECOND = "0195a8f0-0000-7000-8000-0000000000a2"


def offer(around: Region, **changes: Any) -> dict[str, Any]:
    """Two places in the garden of the care home."""
    whole: dict[str, Any] = {
        "title": "Helpende hand in de tuin",
        "description": "Onkruid wieden en planten, met een vaste mentor.",
        "activity_code": "green_maintenance",
        "host_org": URN[HOST],
        "location": {"name": "De Linde", "nis": TIENEN},
        "places": 2,
        "dayparts": ["monday_morning"],
        "languages": ["nl"],
        "accessibility": ["step_free"],
        "mentor_available": True,
        "programme_scope": ["wijk_werken", "samenlevingsjob"],
        "community_need": "green",
        "valid_to": around.day(200),
        "non_displacement": {
            "declared": True,
            "declared_by": "diensthoofd",
            "declared_on": around.day(),
            "grounds": ["on_activity_list"],
        },
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def published(around: Region, **changes: Any) -> str:
    """An offer of the organiser's; its id."""
    receipt = around.send(
        ORGANISER, "offer.published", offer(around, **changes), territorynis=TIENEN
    )
    return str(receipt["aggregate_id"])


def open_places(around: Region, query: str = "") -> list[dict[str, Any]]:
    """What anybody finds, without a token."""
    response: httpx.Response = around.client.call("GET", f"/v1/offers?nis={TIENEN}{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["offers"]
    return found


def test_r07_long_enough(around: Region) -> None:
    """'werkvloerervaring moet lang genoeg zijn': the rules say how long, and how often longer."""
    case = steps.refer(around, VDAB)
    steps.accept(around, case)
    plan = steps.placement(around, planned_end=around.day(7 + 190))
    too_long = around.refuse(ORGANISER, "placement.planned", plan, trajectoryid=case)
    found = steps.plan(around, case, planned_end=around.day(185))
    steps.start(around, case, planned_end=around.day(180))
    around.wait(170)
    longer = {
        "new_end": around.day(180),
        "motive": "slow_progress",
        "decided_by": URN[ORGANISER],
        "extension_no": 1,
    }
    around.send(ORGANISER, "placement.extended", longer, subject=found)
    again = {**longer, "new_end": around.day(300), "extension_no": 2}
    refused = around.refuse(ORGANISER, "placement.extended", again, subject=found)

    assert too_long["invalidParams"][0]["code"] == "too_long"
    assert "hoogstens 6 maanden" in too_long["detail"]
    assert refused["invalidParams"][0]["code"] == "extended_too_often"
    assert around.given(VDAB, "placement.extended", case)["data"]["motive"] == "slow_progress"


def test_r07_early_end_has_a_reason(around: Region) -> None:
    """An early end says why; without a reason it is not taken."""
    case, found = steps.at_work(around, VDAB)
    end = {"end_date": around.day(), "early": True}
    refused = around.refuse(ORGANISER, "placement.ended", end, subject=found)
    around.send(ORGANISER, "placement.ended", {**end, "reason": "person_stopped"}, subject=found)

    assert refused["invalidParams"][0]["name"] == "reason"
    assert around.given(VDAB, "placement.ended", case)["data"]["reason"] == "person_stopped"
    assert "reason" not in around.given(HOST, "placement.ended", case)["data"]


def test_r09_no_declaration_no_offer(around: Region) -> None:
    """'complementair … zonder verdringingseffecten': without a declaration it stays a draft."""
    published(around, non_displacement=None)
    assert open_places(around) == []
    published(around)
    assert len(open_places(around)) == 1


def test_r09_displacement_is_judged_by_others(around: Region) -> None:
    """A maatwerkbedrijf reports; VDAB decides, never whoever gains by it; the offer waits."""
    found = published(around)
    report = {"reporter_role": "social_economy", "ground": "replaces_social_economy"}
    around.send(SOCIAL, "offer.displacement_reported", report, subject=found)
    unfounded = {"decision": "unfounded", "decided_by": URN[VDAB]}
    own = around.refuse(ORGANISER, "offer.displacement_resolved", unfounded, subject=found)
    assert open_places(around, "&free=true") == []
    around.send(VDAB, "offer.displacement_resolved", unfounded, subject=found)

    assert own["status"] == 403
    assert len(open_places(around)) == 1
    assert "offer.displacement_resolved" in around.names(TOWN)


def test_r09_overlap(around: Region) -> None:
    """'concurrentie/overlap': two capped programmes warn the case holder and block none."""
    case, _ = steps.at_work(around, VDAB)
    again = steps.referral(around, programme="gemeenschapsdienst")
    second = around.send(VDAB, "referral.created", again, trajectoryid=case)["aggregate_id"]
    around.send(ORGANISER, "referral.accepted", {}, subject=second)
    other = steps.placement(
        around,
        programme="gemeenschapsdienst",
        contract_form="community_service_agreement",
        allowance_scheme="gd_1_30",
        referral_id=second,
        assignments=[
            steps.assignment(around, assignment_id="0195a8f0-0000-7000-8000-0000000000a2")
        ],
        start_date=around.day(),
        declaration=steps.DECLARATION,
    )
    planned = around.send(ORGANISER, "placement.planned", other, trajectoryid=case)["aggregate_id"]
    around.send(ORGANISER, "placement.started", other, subject=planned)

    warned = around.given(VDAB, "trajectory.warning_raised", case)
    assert warned["data"]["kind"] == "overlap"
    assert "trajectory.warning_raised" not in around.names(ORGANISER, case)


def test_r09_hours_over_the_cap(around: Region) -> None:
    """Hours that were worked are recorded as they were; too many are flagged."""
    case, found = steps.at_work(around, VDAB)
    around.wait(35)
    month = around.day(-10)[:7]
    receipt = around.send(
        ORGANISER, "placement.hours_reported", steps.hours(month, "61.00"), subject=found
    )

    assert "rule_breach" in str(receipt["warnings"])
    assert around.given(VDAB, "trajectory.warning_raised", case)["data"]["kind"] == "hours_cap"
    assert around.given(HOST, "placement.hours_reported", case)["data"]["hours"] == "61.00"


def test_r13_look_before_you_refer(around: Region) -> None:
    """'snel inzetbaar … laagdrempelig': open places, by what matters, without a word of anybody."""
    found = published(around)
    by_need = open_places(around, "&programme=samenlevingsjob&daypart=monday_morning&language=nl")
    elsewhere = around.client.call("GET", "/v1/offers?nis=24062").json()["offers"]
    around.send(ORGANISER, "offer.capacity_changed", {"free_places": 0}, subject=found)

    assert [one["offer_id"] for one in by_need] == [found]
    assert by_need[0]["free_places"] == 2
    assert elsewhere == []
    assert open_places(around, "&accessibility=step_free&free=true") == []


def test_r13_open_referral_against_an_offer(around: Region) -> None:
    """From a place that is open to somebody at it: the owner of the offer takes it up."""
    found = published(around)
    case = steps.refer(around, CAW, programme="samenlevingsjob", target_org=None, offer_id=found)
    answer = {"handled_by": {"name": "Coördinatie"}, "answer_due": around.day(7)}
    assert "referral.advertised" in around.names(ORGANISER, case)
    around.send(ORGANISER, "referral.claimed", answer, trajectoryid=case)
    around.send(ORGANISER, "referral.accepted", {"offer_id": found}, trajectoryid=case)

    assert around.state(CAW, case, "referral") == ["accepted"]
    assert SCHOOL not in str(around.case(ORGANISER, case))


def test_r19_needs_of_the_community(around: Region) -> None:
    """'maatschappelijke noden opvangt': each place says which need it answers."""
    published(around, community_need="care", title="Gezelschap aan tafel")
    published(around, community_need="school", title="Toezicht aan de schoolpoort")

    assert {one["community_need"] for one in open_places(around)} == {"care", "school"}
