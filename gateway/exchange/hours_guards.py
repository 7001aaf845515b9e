"""What must hold for a report of hours: which assignment, which month, once (`domain.md` §3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.business_days import last_day
from gateway.exchange.draft import broken
from gateway.exchange.hours import HUNDREDTHS, as_text, hundredths, of_host

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Assignment, Placement

MONTHS = 12
HOURS_A_DAY = 24


def period_not_future(draft: Draft, move: Move) -> None:
    """Hours of a month that has not begun cannot have been worked."""
    if move.data["period"] > draft.today.isoformat()[:7]:
        raise broken(
            "period_in_future",
            "period ligt in de toekomst. Meld uren van een begonnen maand.",
            "period lies in the future. Report hours of a month that has begun.",
            "period",
        )


def report_fits(draft: Draft, move: Move) -> None:
    """A report is of a known assignment, of a month in it, not too late, and once."""
    placement = draft.case.placements[move.aggregate_id]
    assignment = placement.assignments.get(move.data["assignment_id"])
    if assignment is None:
        raise _unknown_assignment()
    _within(placement, assignment, move.data["period"])
    _in_time(draft, placement, move.data["period"])
    _possible(move.data["period"], move.data["hours"])
    _once(assignment, move)


def statement_fits(draft: Draft, move: Move) -> None:
    """A host states hours of one of its own assignments."""
    placement = draft.case.placements[move.aggregate_id]
    if of_host(placement, move.actor.id, move.data.get("assignment_id")) is None:
        raise _unknown_assignment()


def _unknown_assignment() -> Exception:
    return broken(
        "unknown_assignment",
        "assignment_id hoort niet bij deze plaatsing. Neem die van de plaatsing over.",
        "assignment_id is not part of this placement. Take over one of the placement's.",
        "assignment_id",
    )


def _within(placement: Placement, assignment: Assignment, period: str) -> None:
    first = placement.start_date or assignment.begins
    last = assignment.ends if assignment.ended else placement.ended_on
    if first is not None and period < first[:7]:
        raise broken(
            "period_before_start",
            f"period ligt voor de start ({first}). Meld een maand vanaf {first[:7]}.",
            f"period lies before the start ({first}). Report a month from {first[:7]} on.",
            "period",
        )
    if last is not None and period > last[:7]:
        raise broken(
            "period_after_end",
            f"period ligt na het einde ({last}). Meld een maand tot en met {last[:7]}.",
            f"period lies after the end ({last}). Report a month up to {last[:7]}.",
            "period",
        )


def _in_time(draft: Draft, placement: Placement, period: str) -> None:
    late = draft.rules(placement.programme).hours_late_months
    today = draft.today
    year, month = int(period[:4]), int(period[5:])
    age = (today.year - year) * MONTHS + today.month - month
    if late is not None and age > late:
        raise broken(
            "period_too_old",
            f"Uren kunnen tot {late} maanden later worden gemeld. Neem contact op met de hub.",
            f"Hours may be reported up to {late} months later. Contact the hub.",
            "period",
        )


def _possible(period: str, hours: str) -> None:
    days = last_day(period).day
    if not 0 <= hundredths(hours) <= days * HOURS_A_DAY * HUNDREDTHS:
        raise broken(
            "hours_impossible",
            f"{hours} uur past niet in {period}. Kijk hours na.",
            f"{hours} hours do not fit in {period}. Check hours.",
            "hours",
        )


def _once(assignment: Assignment, move: Move) -> None:
    known = assignment.reports.get(move.data["period"])
    correction_of = move.data.get("correction_of")
    if known is None and correction_of is not None:
        raise broken(
            "nothing_to_correct",
            "Van deze maand is nog niets gemeld. Laat correction_of weg.",
            "Nothing was reported of this month yet. Leave correction_of out.",
            "correction_of",
        )
    if known is not None and correction_of != known.event_id:
        raise broken(
            "already_reported",
            f"Van deze maand is al {as_text(known.hours)} uur gemeld. Geef in correction_of het "
            "id van die melding om ze te vervangen.",
            f"{as_text(known.hours)} hours of this month were reported already. Give that "
            "report's id in correction_of to replace it.",
            "correction_of",
        )
