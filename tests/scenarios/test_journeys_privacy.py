"""Journeys of erasure, played through the public interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.organisations import CAW, OCMW_TIENEN, VDAB, urn

if TYPE_CHECKING:
    from tests.scenarios.stage import Stage

ERASED = "subject.erased"


def test_journey_l_erased_then_sent_again(stage: Stage) -> None:
    """What was sent again brings nothing back, and the person comes back as somebody new."""
    stage.went_well("L")

    assert ("referral.created", "event_id_reused") in stage.refusals("L")
    assert ("subject.details_changed", "erased") in stage.refusals("L")
    assert stage.trajectory("L") != stage.trajectory("L-again")
    before = stage.given(OCMW_TIENEN, "L", ERASED).attributes["subjectref"]
    after = stage.given(OCMW_TIENEN, "L-again", "referral.created").attributes["subjectref"]
    assert before != after
    (order,) = stage.get(CAW, "/v1/erasures")["ordered"][-1:]
    assert order["erased"]["keys_destroyed_at"] is not None


def test_journey_u_only_the_own(stage: Stage) -> None:
    """VDAB gets what the OCMW wrote as history, and nothing that the CAW wrote."""
    stage.went_well("U")

    told = stage.given(OCMW_TIENEN, "U", ERASED).data
    assert told["ordered_by"] == urn(CAW)
    names = stage.names(VDAB, "U")
    assert "referral.accepted" in names
    assert "referral.created" not in names
    assert "trajectory.opened" not in names
