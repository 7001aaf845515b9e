"""Reported and stated hours: what is valid of each month, and how much a person worked.

Sums are whole hundredths of an hour, so that nothing is lost to rounding. One report a placement,
assignment and month is valid; a correction takes its place (`domain.md` §3.8).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange.decision import Warning as Notice
from gateway.exchange.placement_effects import moved
from gateway.exchange.state import Report
from schemas.errors import Message

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Assignment, Placement

HUNDREDTHS = 100
DIFFERS = "hours_differ"
MONTHS_KEPT = 36
"""Reported months that a placement remembers: what is late by a year, and a year before that."""


def hundredths(hours: str) -> int:
    """Hours as a decimal text, in hundredths."""
    return int(Decimal(hours) * HUNDREDTHS)


def as_text(hours: int) -> str:
    """Hundredths of an hour as people write hours."""
    return f"{Decimal(hours) / HUNDREDTHS:f}"


def by_month(placement: Placement) -> dict[str, int]:
    """The sum of the valid reports of each month."""
    found: dict[str, int] = {}
    for one in placement.assignments.values():
        for month, report in one.reports.items():
            found[month] = found.get(month, 0) + report.hours
    return found


def reported(draft: Draft, move: Move) -> None:
    """The report is the valid one of its month; what it breaks is recorded and said."""
    moved(draft, move)
    data, placement = move.data, draft.case.placements[move.aggregate_id]
    assignment = placement.assignments[data["assignment_id"]]
    report = Report(move.event_id, hundredths(data["hours"]))
    assignment = replace(assignment, reports={**assignment.reports, data["period"]: report})
    months = sorted({*placement.reported, data["period"]})[-MONTHS_KEPT:]
    _put(draft, replace(placement, reported=tuple(months)), assignment)
    stated = assignment.stated.get(data["period"])
    if stated is not None:
        _compare(draft, placement, report.hours, stated)


def stated(draft: Draft, move: Move) -> None:
    """What the host says stands beside the report; it changes none."""
    moved(draft, move)
    data, placement = move.data, draft.case.placements[move.aggregate_id]
    worked = hundredths(data["hours"])
    assignment = of_host(placement, move.actor.id, data.get("assignment_id"))
    if assignment is None:
        return
    assignment = replace(assignment, stated={**assignment.stated, data["period"]: worked})
    _put(draft, placement, assignment)
    report = assignment.reports.get(data["period"])
    if report is not None:
        _compare(draft, placement, report.hours, worked)


def of_host(placement: Placement, host: str, assignment_id: str | None) -> Assignment | None:
    """The assignment that a host means: the one it names, else its only one."""
    own = [one for one in placement.assignments.values() if one.host == host]
    if assignment_id is not None:
        own = [one for one in own if one.id == assignment_id]
    return own[0] if len(own) == 1 else None


def compare_total(draft: Draft, placement: Placement, total: str | None) -> None:
    """Warn when the total that somebody gives at the end is not that of the reports."""
    worked = sum(by_month(placement).values())
    if total is None or hundredths(total) == worked:
        return
    draft.warnings.append(
        Notice(
            "total_hours_differ",
            Message(
                nl=f"total_hours is {total}, de gemelde maanden samen zijn {as_text(worked)}. "
                "Corrigeer een maand, of meld wat ontbreekt.",
                en=f"total_hours is {total}, the reported months are {as_text(worked)} together. "
                "Correct a month, or report what is missing.",
            ),
        )
    )


def _put(draft: Draft, placement: Placement, assignment: Assignment) -> None:
    everything = {**placement.assignments, assignment.id: assignment}
    draft.put_placement(replace(placement, assignments=everything))


def _compare(draft: Draft, placement: Placement, reported_hours: int, stated_hours: int) -> None:
    """Organiser and host hear of it from the answer to their own event, and nobody else does."""
    percent = draft.rules(placement.programme).hours_difference_percent
    if percent is None:
        return
    if abs(reported_hours - stated_hours) * 100 <= percent * max(reported_hours, stated_hours):
        return
    draft.warnings.append(
        Notice(
            DIFFERS,
            Message(
                nl=f"Gemeld: {as_text(reported_hours)} uur; volgens de werkplek "
                f"{as_text(stated_hours)}. Bel elkaar, en corrigeer wie zich vergiste.",
                en=f"Reported: {as_text(reported_hours)} hours; by the workplace "
                f"{as_text(stated_hours)}. Call each other, and correct what is wrong.",
            ),
        )
    )
