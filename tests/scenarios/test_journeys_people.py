"""Journeys of one person in several cases, played through the public interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.organisations import (
    CAW,
    HAGELAND,
    OCMW_DIEST,
    OCMW_LEUVEN,
    OCMW_TIENEN,
    VDAB,
    WERKPUNT,
    urn,
)

if TYPE_CHECKING:
    from connectors.sdk import Event
    from tests.scenarios.stage import Stage

ASKED, ANSWERED = "trajectory.task_raised", "trajectory.task_answered"
TWO_CASES, PERHAPS = "same_person_two_trajectories", "possible_same_person"


def _asked(stage: Stage, who: str, case: str, what: str) -> list[Event]:
    """The questions of a kind that somebody was asked of a case."""
    inbox = stage.inbox(who, case)
    return [one for one in inbox if one.type == ASKED and one.data["what"] == what]


def _answers(stage: Stage, who: str, case: str, what: str) -> list[str]:
    """What became of those questions."""
    ids = {one.data["task_id"] for one in _asked(stage, who, case, what)}
    answered = (one for one in stage.inbox(who, case) if one.type == ANSWERED)
    return [str(one.data["answer"]) for one in answered if one.data["task_id"] in ids]


def test_journey_h_new_number(stage: Stage) -> None:
    """Two persons become one: each holder hears it in its own words, and hours count together."""
    stage.went_well("H")

    first = stage.given(OCMW_DIEST, "H", "subject.merged")
    second = stage.given(VDAB, "H-vdab", "subject.merged")
    assert {*first.data.values()}.isdisjoint(second.data.values())
    assert stage.names(VDAB, "H") == stage.names(OCMW_DIEST, "H-vdab") == []
    for who, case in ((OCMW_DIEST, "H"), (VDAB, "H-vdab")):
        assert _answers(stage, who, case, PERHAPS) == ["linked"]
    warned = stage.given(VDAB, "H-vdab", "trajectory.warning_raised")
    assert warned.data["kind"] == "hours_cap"


def test_journey_m_without_address(stage: Stage) -> None:
    """Linked and parted without anybody seeing another's case, or a partner that it was asked."""
    stage.went_well("M")

    assert stage.case(OCMW_LEUVEN, "M")["territory_nis"] == "24062"
    assert "insz" not in stage.given(OCMW_LEUVEN, "M", "referral.created").data
    for who in (OCMW_TIENEN, OCMW_DIEST):
        assert stage.names(who, "M") == []
    for who, case in ((CAW, "M"), (HAGELAND, "M"), (WERKPUNT, "M-tienen"), (WERKPUNT, "M-diest")):
        names = stage.names(who, case)
        assert names
        assert not {"subject.linked", "subject.unlinked"} & set(names)
        assert not _asked(stage, who, case, PERHAPS)
    assert _answers(stage, OCMW_LEUVEN, "M", PERHAPS) == ["linked", "linked"]


def test_journey_m_is_not_asked_again(stage: Stage) -> None:
    """A link that was undone stays undone: the same telephone raises no second question."""
    again = stage.given(WERKPUNT, "M-diest", "subject.details_changed")

    assert "phone" in again.data["person"]
    assert len(_asked(stage, OCMW_DIEST, "M-diest", PERHAPS)) == 1
    assert len(_asked(stage, OCMW_LEUVEN, "M", PERHAPS)) == 2


def test_journey_t_two_desks(stage: Stage) -> None:
    """Both holders are asked and told whom to call; one case goes on, with its members alone."""
    stage.went_well("T")

    for who, case, other in ((VDAB, "T", OCMW_TIENEN), (OCMW_TIENEN, "T-ocmw", VDAB)):
        (asked,) = _asked(stage, who, case, TWO_CASES)
        assert asked.data["other_org"] == urn(other)
        assert asked.data["desk"]["phone"].startswith("+32000")
        assert "other_ref" not in asked.data
        assert _answers(stage, who, case, TWO_CASES) == ["done"]
    assert stage.case(OCMW_TIENEN, "T-ocmw")["state"] == "joined"
    assert "referral.accepted" in stage.names(VDAB, "T")
    assert stage.names(OCMW_TIENEN, "T") == stage.names(WERKPUNT, "T") == []
