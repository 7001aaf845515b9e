"""Journeys of change between organisations, played through the public interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.organisations import (
    DEMER,
    LEARNING,
    OCMW_AARSCHOT,
    SUCCESSOR,
)

if TYPE_CHECKING:
    from tests.scenarios.stage import Stage

FILES = ["i", *(f"i{number}" for number in range(1, 40))]


def test_journey_i_mandate(stage: Stage) -> None:
    """Forty open files go to the new organiser, each once, with its history and its numbers."""
    stage.went_well("I")

    for case in FILES:
        assert not [one for one in stage.refusals(case) if case != "i"]
        names = stage.names(SUCCESSOR, case)
        assert names.index("referral.created") < names.index("placement.started")
        assert stage.names(OCMW_AARSCHOT, case).count("trajectory.organiser_changed") == 1
        assert stage.states(SUCCESSOR, case, "placement") == ["ended"]
        assert stage.case(OCMW_AARSCHOT, case)["state"] == "closed"
    assert ("placement.ended", "rejected") in stage.refusals("i")
    assert "guidance.contact_recorded" not in stage.names(DEMER, "i")


def test_journey_k_revoked(stage: Stage) -> None:
    """What waited is not handed over, what is sent is refused, and the hub says why."""
    stage.went_well("K")

    assert "referral.corrected" not in stage.names(LEARNING, "K")
    assert stage.refusals("K") == [("referral.intake_held", "no_agreement")]
    corrected = next(
        one.answer.receipt
        for one in stage.player.played.sent
        if one.step.case == "k" and one.step.name == "referral.corrected"
    )
    assert corrected is not None
    told = str(stage.get(OCMW_AARSCHOT, f"/v1/events/{corrected.event_id}"))
    assert LEARNING in told
    assert "agreement" in told
