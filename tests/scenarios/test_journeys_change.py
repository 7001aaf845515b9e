"""Journeys of caps and programmes that change, played through the public interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.world.organisations import HAGELAND, OCMW_DIEST, OCMW_TIENEN, VDAB, WERKPUNT

if TYPE_CHECKING:
    from tests.scenarios.stage import Stage

HOURS, WARNED = "placement.hours_reported", "trajectory.warning_raised"
BREACH = {"kind": "hours_cap", "detail_code": "hours_per_month_max"}


def test_journey_e_above_the_cap(stage: Stage) -> None:
    """Hours of two organisers count together: recorded, flagged once, and told to the holder."""
    stage.went_well("E")

    hours = [one.data["hours"] for one in stage.inbox(VDAB, "E") if one.type == HOURS]
    assert hours == ["36.00", "34.00"]
    warned = [one.data for one in stage.inbox(VDAB, "E") if one.type == WARNED]
    assert warned == [BREACH]


def test_journey_e_overlap(stage: Stage) -> None:
    """A second capped programme begins all the same, and its case holder alone is told."""
    warned = stage.given(OCMW_TIENEN, "E-ocmw", WARNED)

    assert warned.data == {"kind": "overlap", "detail_code": "gemeenschapsdienst"}
    assert stage.states(OCMW_TIENEN, "E-ocmw", "placement") == ["active"]
    assert WARNED not in stage.names(HAGELAND, "E-ocmw")
    assert stage.names(OCMW_TIENEN, "E") == stage.names(WERKPUNT, "E-ocmw") == []


def test_journey_r_converted(stage: Stage) -> None:
    """One placement under one number; the caps of the old programme hold until the day, no more."""
    stage.went_well("R")

    assert stage.states(OCMW_DIEST, "R", "placement") == ["active"]
    (placed,) = {
        one.attributes["subject"]
        for one in stage.inbox(OCMW_DIEST, "R")
        if one.type in ("placement.started", "transition.placement_converted", HOURS)
    }
    assert placed
    assert stage.given(OCMW_DIEST, "R", WARNED).data == BREACH
    names = stage.names(OCMW_DIEST, "R")
    assert names.count(WARNED) == 1
    assert names.index(WARNED) < names.index("transition.placement_converted")
