"""The letter on guidance, time enough and a way out (R5, R6, R7, R8, R16, R18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.letter import steps
from tests.letter.partners import CAW, HOST, OCMW, ORGANISER, URN, VDAB

if TYPE_CHECKING:
    from tests.letter.region import Region


def contact(around: Region, **changes: Any) -> dict[str, Any]:
    """A talk at the work floor."""
    return {
        "kind": "coach_visit",
        "with": ["host"],
        "on": around.day(),
        "duration_min": 45,
        "topics": ["work_rhythm"],
        "signal": "none",
        **changes,
    }


def due(around: Region, who: str, case: str) -> list[str]:
    """What the hub reminded somebody of."""
    return [
        one["data"]["what"]
        for one in around.feed(who, case)
        if one["type"].endswith("guidance.follow_up_due")
    ]


def test_r05_nobody_starts_without_a_mentor(around: Region) -> None:
    """'structurele begeleiding … (mentorschap, coaching, opvolging)': first the mentor."""
    case = steps.refer(around, VDAB)
    steps.accept(around, case)
    alone = [steps.assignment(around, mentor=None)]
    found = steps.plan(around, case, assignments=alone)
    begin = steps.placement(around, assignments=alone, declaration=steps.DECLARATION)
    refused = around.refuse(ORGANISER, "placement.started", begin, trajectoryid=case)

    assert refused["invalidParams"][0]["code"] == "mentor_missing"
    assert "placement.mentor_assigned" in refused["detail"]
    assigned = {"mentor": steps.MENTOR, "from": around.day(), "assignment_id": steps.ASSIGNMENT}
    around.send(ORGANISER, "placement.mentor_assigned", assigned, subject=found)
    around.send(ORGANISER, "placement.started", begin, subject=found)
    assert around.state(VDAB, case, "placement") == ["active"]


def test_r05_rhythm(around: Region) -> None:
    """'opvolging, afstemming met trajectbegeleiding': silence is noticed by the hub, once."""
    case, _ = steps.at_work(around, VDAB)
    around.wait(27)
    assert "contact_overdue" not in due(around, ORGANISER, case)
    around.wait(3)

    assert due(around, ORGANISER, case).count("contact_overdue") == 1
    around.send(ORGANISER, "guidance.contact_recorded", contact(around), trajectoryid=case)
    assert "guidance.follow_up_done" in around.names(ORGANISER, case)
    assert around.given(VDAB, "guidance.contact_recorded", case)["data"]["kind"] == "coach_visit"


def test_r05_alignment(around: Region) -> None:
    """'afstemming met trajectbegeleiding': the counsellor hears what was agreed, the host not."""
    case, _ = steps.at_work(around, OCMW)
    agreed = {
        "counsellor_org": URN[OCMW],
        "on": around.day(),
        "agreed_actions": [{"code": "follow_training", "owner": "pes", "due": around.day(60)}],
    }
    around.send(ORGANISER, "guidance.plan_aligned", agreed, trajectoryid=case)

    assert around.given(OCMW, "guidance.plan_aligned", case)["data"]["agreed_actions"]
    assert "guidance.plan_aligned" not in around.names(HOST, case)


def test_r06_lack_of_guidance_shows(around: Region) -> None:
    """'gebrek aan begeleiding … fundamentele zwakte': the counsellor is told of the silence."""
    case, _ = steps.at_work(around, VDAB)
    around.wait(62)

    assert "counsellor_silent" in {*due(around, VDAB, case), *due(around, ORGANISER, case)}


def test_r08_way_out(around: Region) -> None:
    """'duidelijke uitstroomperspectieven': aim at the start, result at the end, proof a year on."""
    case, found = steps.at_work(around, VDAB, exit_target_date=None)
    end = {"end_date": around.day(), "reason": "regular_job", "early": True}
    around.send(ORGANISER, "placement.ended", end, subject=found)
    result = {"type": "regular_job", "on": around.day(), "placement_id": found}
    receipt = around.send(ORGANISER, "outcome.recorded", result, trajectoryid=case)
    outcome = receipt["aggregate_id"]
    confirm = {"evidence": "dimona_checked"}
    around.send(VDAB, "outcome.confirmed", confirm, subject=outcome)
    for month in (3, 6, 12):
        around.wait(92 if month < 12 else 184)
        assert "guidance.follow_up_due" in around.names(VDAB, case)
        still = {"month": month, "still_in": "yes"}
        around.send(VDAB, "outcome.follow_up_recorded", still, subject=outcome)

    assert around.given(ORGANISER, "outcome.follow_up_recorded", case)["data"]["still_in"] == "yes"
    started = around.given(VDAB, "placement.started", case)
    assert started["data"]["exit_perspective"] == "regular_job"


def test_r16_part_of_a_path(around: Region) -> None:
    """'onderdeel van een ruimer traject': the next step hangs on the same path."""
    case, found = steps.at_work(around, OCMW)
    end = {"end_date": around.day(), "reason": "goal_reached", "early": True}
    around.send(ORGANISER, "placement.ended", end, subject=found)
    first = around.case(OCMW, case)["aggregates"]
    before = next(one["id"] for one in first if one["type"] == "referral")
    onward = steps.referral(
        around, programme="art60_7", target_org=URN[VDAB], predecessor_referral_id=before
    )
    around.send(OCMW, "referral.created", onward, trajectoryid=case)

    kinds = [one["type"] for one in around.case(OCMW, case)["aggregates"]]
    assert kinds.count("referral") == 2
    assert kinds.count("placement") == 1


def test_r18_rhythm_and_competences(around: Region) -> None:
    """'arbeidsritme en basiscompetenties … opbouwen': from first to last evaluation."""
    case, _ = steps.at_work(around, VDAB)
    for level, rhythm in ((2, "unstable"), (4, "stable")):
        evaluation = {
            "on": around.day(),
            "scores": [{"competence": "punctual", "level": level}],
            "rhythm": rhythm,
            "goal_status": "under_way",
            "exit_perspective": "regular_job",
            "advice": "continue",
        }
        around.send(ORGANISER, "guidance.evaluation_completed", evaluation, trajectoryid=case)
        around.wait(30)

    got = [
        one["data"]
        for one in around.feed(VDAB, case)
        if one["type"].endswith("evaluation_completed")
    ]
    assert [one["rhythm"] for one in got] == ["unstable", "stable"]
    assert "guidance.evaluation_completed" not in around.names(CAW, case)
