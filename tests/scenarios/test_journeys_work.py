"""Journeys on a work floor, played through the public interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.organisations import (
    CARE_HOME,
    HAGELAND,
    OCMW_DIEST,
    OCMW_LEUVEN,
    OCMW_TIENEN,
    SCHOOLYARD,
    VDAB,
)

if TYPE_CHECKING:
    from tests.scenarios.stage import Stage


def test_journey_a_whole_path(stage: Stage) -> None:
    """From a living wage to a job that lasts: each sees its part of it, and the case closes."""
    stage.went_well("A")

    assert stage.case(OCMW_TIENEN, "A")["state"] == "closed"
    assert stage.states(OCMW_TIENEN, "A", "placement") == ["ended"]
    assert stage.states(OCMW_TIENEN, "A", "outcome") == ["confirmed"]
    referred = stage.given(HAGELAND, "A", "referral.created")
    assert "insz" not in referred.data
    assert "income_status" not in referred.data
    floor = stage.names(CARE_HOME, "A")
    assert not [name for name in floor if name.startswith(("referral.", "guidance.", "outcome."))]
    assert floor.count("placement.hours_reported") == 12


def test_journey_a_reminders_are_settled(stage: Stage) -> None:
    """Every follow-up that the hub asked for on the way is done at the end."""
    names = stage.names(OCMW_TIENEN, "A")

    assert names.count("guidance.follow_up_due") > 3
    assert names.count("guidance.follow_up_due") == names.count("guidance.follow_up_done")


def test_journey_d_new_case_holder(stage: Stage) -> None:
    """Offered the case, the OCMW sees little; holding it, first all that happened, then the new."""
    stage.went_well("D")

    assert OCMW_TIENEN in stage.case(OCMW_TIENEN, "D")["case_holder"].values()
    inbox = stage.inbox(OCMW_TIENEN, "D")
    offered, held = [n for n, one in enumerate(inbox) if one.type == "referral.created"]
    assert "insz" in str(inbox[offered].attributes["withheld"])
    assert "income_status" in inbox[held].data
    history = [one for one in inbox[held:] if one.attributes.get("backfill")]
    assert "placement.started" in [one.type for one in history]
    assert inbox[held : held + len(history)] == history
    assert inbox[held + len(history)].type == "placement.hours_reported"
    assert stage.states(OCMW_TIENEN, "D", "placement") == ["active"]
    assert "trajectory.case_holder_changed" in stage.names(VDAB, "D")


def test_journey_g_three_rests(stage: Stage) -> None:
    """The OCMW gets the reasons, the school the dates, and the case holder confirms the end."""
    stage.went_well("G")

    names = stage.names(OCMW_DIEST, "G")
    assert names.count("placement.suspended") == names.count("placement.resumed") == 3
    rests = [one for one in stage.inbox(SCHOOLYARD, "G") if one.type == "placement.suspended"]
    assert len(rests) == 3
    assert all("reason" not in one.data and "expected_until" in one.data for one in rests)
    assert stage.states(OCMW_DIEST, "G", "outcome") == ["confirmed"]


def test_journey_o_moves_house(stage: Stage) -> None:
    """The case goes to the OCMW of the new municipality while the placement goes on."""
    stage.went_well("O")

    case = stage.case(HAGELAND, "O")
    assert case["territory_nis"] == "24062"
    assert OCMW_LEUVEN in case["case_holder"].values()
    assert stage.states(OCMW_LEUVEN, "O", "placement") == ["active"]


def test_journey_p_late_hours(stage: Stage) -> None:
    """Hours after the end count, a correction replaces them, and a month to come is refused."""
    stage.went_well("P")

    hours = [
        one.data["hours"]
        for one in stage.inbox(OCMW_TIENEN, "P")
        if one.type == "placement.hours_reported"
    ]
    assert hours == ["24.00", "36.00", "26.00"]
    assert "correction_of" in stage.given(OCMW_TIENEN, "P", "placement.hours_reported").data
    assert stage.refusals("P") == [("placement.hours_reported", "period_in_future")]
