"""Journeys at the entry, played through the public interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.organisations import (
    CAW,
    HAGELAND,
    LIMBURG,
    OCMW_DIEST,
    OCMW_HASSELT,
    OCMW_LEUVEN,
    OCMW_TIENEN,
    SCHOOL,
    TRAINING,
    WERKPUNT,
)

if TYPE_CHECKING:
    from tests.scenarios.stage import Stage


def test_journey_b_passed_on(stage: Stage) -> None:
    """Nobody falls out: declined becomes a task, a new referral, and a training that fits."""
    stage.went_well("B")

    assert stage.states(OCMW_TIENEN, "B", "referral")[:2] == ["declined", "redirected"]
    assert "referral.accepted" in stage.names(OCMW_TIENEN, "B")
    names = stage.names(HAGELAND, "B")
    assert names.index("referral.advertised") < names.index("referral.created")
    shown = next(one for one in stage.inbox(HAGELAND, "B") if one.type == "referral.advertised")
    assert "person" not in shown.data
    assert "referral.created" in stage.names(TRAINING, "B")
    assert stage.given(CAW, "B", "referral.declined").data == {"reason": "no_capacity"}
    assert "guidance.contact_recorded" not in stage.names(CAW, "B")


def test_journey_j_same_file(stage: Stage) -> None:
    """Three people are referred once each, though their file came twice, and one is corrected."""
    stage.went_well("J")

    for case in ("j", "j-1", "j-2"):
        assert stage.names(LIMBURG, case).count("referral.created") == 1
        assert len(stage.states(OCMW_HASSELT, case, "referral")) == 1
    assert stage.names(LIMBURG, "j").count("referral.corrected") == 1
    assert len({stage.trajectory(case) for case in ("j", "j-1", "j-2")}) == 3


def test_journey_n_rescued(stage: Stage) -> None:
    """Silence is reminded of, then somebody's task, and the person still gets a place."""
    stage.went_well("N")

    names = stage.names(OCMW_DIEST, "N")
    assert names.index("trajectory.task_raised") < names.index("trajectory.task_answered")
    assert "referral.expired" not in names
    assert stage.states(OCMW_DIEST, "N", "placement") == ["active"]
    assert sorted(stage.states(OCMW_DIEST, "N", "referral")) == ["closed", "withdrawn"]
    assert "placement.started" not in stage.names(HAGELAND, "N")


def test_journey_s_too_young(stage: Stage) -> None:
    """A school reaches an OCMW only, with a parent informed; no organiser ever hears of it."""
    stage.went_well("S")

    assert stage.refusals("S") == [
        ("referral.created", "minor_needs_desk"),
        ("referral.created", "representative_missing"),
        ("referral.redirected", "minor_needs_desk"),
    ]
    assert "redirected" in stage.states(OCMW_LEUVEN, "S", "referral")
    assert "referral.accepted" in stage.names(OCMW_LEUVEN, "S")
    assert stage.names(HAGELAND, "S") == stage.names(WERKPUNT, "S") == []
    assert "referral.redirected" in stage.names(SCHOOL, "S")
