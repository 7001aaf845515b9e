"""The letter on what there was before: rights, organisers, inflow to the OCMW (R10, R11, R12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.letter import steps
from tests.letter.partners import OCMW, ORGANISER, SUCCESSOR, TIENEN, URN, VDAB

if TYPE_CHECKING:
    from tests.letter.region import Region

RIGHT = {
    "basis": "pwa_agreement_2017_09_30",
    "source_org": URN[ORGANISER],
    "first_pwa_date": "2009-02-01",
    "last_activity_month": "2026-02",
    "hours_cap_month": 60,
}


def test_r10_unlimited_right(around: Region) -> None:
    """'onbeperkte rechten in het voormalige PWA': verified once, and no end date is asked again."""
    case = steps.refer(around, VDAB)
    steps.accept(around, case)
    without_end = steps.placement(around, planned_end=None)
    before = around.refuse(ORGANISER, "placement.planned", without_end, trajectoryid=case)
    right = around.send(ORGANISER, "transition.right_registered", RIGHT, trajectoryid=case)
    verified = {"on": around.day(), "evidence": "pwa_agreement"}
    around.send(VDAB, "transition.right_verified", verified, subject=right["aggregate_id"])
    around.send(ORGANISER, "placement.planned", without_end, trajectoryid=case)

    assert before["invalidParams"][0]["code"] == "planned_end_missing"
    assert around.state(ORGANISER, case, "right") == ["active"]
    assert "transition.right_verified" in around.names(ORGANISER, case)


def test_r10_lapse_and_back(around: Region) -> None:
    """A right that lapses says how to appeal, ends later, and comes back when it was an error."""
    case = steps.refer(around, VDAB)
    steps.accept(around, case)
    quiet = {**RIGHT, "last_activity_month": "2025-02"}
    right = around.send(ORGANISER, "transition.right_registered", quiet, trajectoryid=case)
    found = right["aggregate_id"]
    verified = {"on": around.day(), "evidence": "pwa_agreement"}
    around.send(VDAB, "transition.right_verified", verified, subject=found)
    lapse = {"on": around.day(), "ground": "no_activity_12m"}
    silent = around.refuse(VDAB, "transition.right_lapsed", lapse, subject=found)
    said = {**lapse, "appeal_info": "Beroep kan binnen 30 dagen bij de beroepsdienst."}
    around.send(VDAB, "transition.right_lapsed", said, subject=found)
    around.send(
        VDAB,
        "transition.right_reinstated",
        {"on": around.day(), "ground": "error"},
        subject=found,
    )

    assert silent["invalidParams"][0]["name"] == "appeal_info"
    told = around.given(ORGANISER, "transition.right_lapsed", case)["data"]
    assert told["appeal_info"].startswith("Beroep kan")
    assert around.state(VDAB, case, "right") == ["active"]


def test_r11_mandate_moves(around: Region) -> None:
    """'… als voor de wijk-werkorganisatoren': open files go over whole, under the same numbers."""
    cases = [steps.at_work(around, VDAB)[0] for _ in range(3)]
    moved = {
        "from_org": URN[ORGANISER],
        "to_org": URN[SUCCESSOR],
        "nis": [TIENEN],
        "effective": around.day(),
    }
    mandate = around.send(VDAB, "transition.organiser_mandate_changed", moved, territorynis=TIENEN)[
        "aggregate_id"
    ]
    around.send(SUCCESSOR, "transition.organiser_mandate_accepted", {}, subject=mandate)
    around.wait(1)
    for case in cases:
        assert "trajectory.organiser_changed" in around.names(VDAB, case)
        assert around.given(SUCCESSOR, "placement.started", case)["backfill"] is True
        contact = {"kind": "phone", "with": ["pes"], "on": around.day(), "signal": "none"}
        around.send(SUCCESSOR, "guidance.contact_recorded", contact, trajectoryid=case)
    placement = next(
        one["id"] for one in around.case(SUCCESSOR, cases[0])["aggregates"]
        if one["type"] == "placement"
    )  # fmt: skip
    around.send(
        ORGANISER,
        "placement.hours_reported",
        steps.hours(around.day(-1)[:7], "12.00"),
        subject=placement,
    )
    refused = around.publish(
        ORGANISER,
        "placement.ended",
        {"end_date": around.day(), "reason": "goal_reached", "early": True},
        subject=placement,
    )
    assert 400 <= refused.status_code < 500


def test_r12_warm_hand_over(around: Region) -> None:
    """'snellere doorstroom richting OCMW's': offered, accepted, and no day without a holder."""
    case, _ = steps.at_work(around, VDAB)
    offered = {"to": URN[OCMW], "reason": "benefit_ended", "effective": around.day(10)}
    around.send(VDAB, "trajectory.handover_offered", offered, trajectoryid=case)
    assert around.case(ORGANISER, case)["case_holder"]["name"] == "VDAB"
    taken = {
        "from": URN[VDAB],
        "to": URN[OCMW],
        "reason": "benefit_ended",
        "effective": around.day(10),
        "contact": {"name": "Activering"},
    }
    around.send(OCMW, "trajectory.case_holder_changed", taken, trajectoryid=case)

    assert around.given(OCMW, "placement.started", case)["backfill"] is True
    assert around.names(OCMW, case)[-1] != "trajectory.case_holder_changed"
    assert around.case(ORGANISER, case)["case_holder"]["name"] == "OCMW Tienen"
    cells = around.figures(OCMW, "benefit_handovers", own="true")
    assert sum(one["value"] for one in cells) == 1


def test_r12_no_answer_goes_back(around: Region) -> None:
    """Without an answer in ten working days the case stays where it was, and everybody hears it."""
    case, _ = steps.at_work(around, VDAB)
    offered = {"to": URN[OCMW], "reason": "benefit_ended", "effective": around.day(10)}
    around.send(VDAB, "trajectory.handover_offered", offered, trajectoryid=case)
    around.wait(20)

    declined = around.given(VDAB, "trajectory.handover_declined", case)["data"]
    assert declined["reason"] == "no_answer"
    assert around.case(VDAB, case)["state"] == "held"


def test_r12_forecast(around: Region) -> None:
    """When benefits end is counted ahead, by municipality and month, for whoever prepares."""
    ends = around.day(90)
    for number in range(12):
        person = {"given_name": "Bilal", "family_name": f"Proef{number}", "postcode": "3300"}
        steps.refer(around, VDAB, person=person, benefit_ends_on=ends)
    asked: dict[str, Any] = {"to": ends[:7]}
    cells = around.figures(OCMW, "inflow_forecast", own="false", **asked)

    assert [one["value"] for one in cells if not one["suppressed"]] == [10]
