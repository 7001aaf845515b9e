"""Journeys of acquired rights and of contested work, played through the public interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.organisations import (
    HAGELAND,
    MAATWERK,
    OCMW_LEUVEN,
    PAJOTTENLAND,
    SCHOOLYARD,
    TOWN_TIENEN,
    VDAB,
)

if TYPE_CHECKING:
    from tests.scenarios.stage import Stage


def test_journey_c_right_sleeps(stage: Stage) -> None:
    """A year without hours puts the right to sleep, VDAB is told, and it can be woken."""
    stage.went_well("C")

    names = stage.names(HAGELAND, "C")
    assert names.index("transition.right_dormant") < names.index("transition.right_revived")
    asleep = stage.given(VDAB, "C", "transition.right_dormant")
    assert asleep.data["last_activity_month"] == "2026-03"
    assert "transition.right_registered" not in stage.names(SCHOOLYARD, "C")
    assert stage.names(OCMW_LEUVEN, "C") == []


def test_journey_f_contested(stage: Stage) -> None:
    """The offer was reviewed, nobody judged in its own case, and it goes on under conditions."""
    stage.went_well("F")

    assert stage.refusals("F") == [("offer.displacement_resolved", "role_not_allowed")]
    offer = next(
        str(one.event["subject"]) for one in stage.player.played.sent if one.step.case == "f"
    )
    for who in (HAGELAND, TOWN_TIENEN, VDAB):
        inbox = stage.player.inboxes.of(who, frozenset(), frozenset({offer}))
        assert [one.type for one in inbox if "displacement" in one.type]
    told = stage.player.inboxes.of(MAATWERK, frozenset(), frozenset({offer}))
    assert all(one.attributes.get("trajectoryid") is None for one in told)


def test_journey_q_given_back(stage: Stage) -> None:
    """A right that lapsed by mistake is active again, and how to appeal was said."""
    stage.went_well("Q")

    assert stage.states(VDAB, "Q", "right") == ["active"]
    lapsed = stage.given(PAJOTTENLAND, "Q", "transition.right_lapsed")
    assert lapsed.data["appeal_info"]
    names = stage.names(PAJOTTENLAND, "Q")
    assert names.index("transition.right_lapsed") < names.index("transition.right_reinstated")
