"""What else must hold for an event of an acquired right (R10; `domain.md` §3.4).

Pure checks on the draft, by the names that the tables use; see `guards.py`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from gateway.exchange.business_days import months_after
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.draft import broken
from gateway.exchange.right_clocks import counted_from, unreported

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

INACTIVITY = "no_activity_12m"
REINSTATING = frozenset({"error", "appeal"})


def registered_once(draft: Draft, move: Move) -> None:
    """One right of one basis on a case; what became of it is VDAB's to change."""
    for right in draft.case.rights.values():
        if right.basis == move.data.get("basis"):
            raise broken(
                "right_exists",
                f"Dit recht is al aangemeld en is nu {right.state}. VDAB kijkt het na of herstelt "
                "het; stuur het niet opnieuw.",
                f"This right was registered already and is {right.state} now. VDAB verifies or "
                "reinstates it; do not send it again.",
                "basis",
            )


def activity_not_future(draft: Draft, move: Move) -> None:
    """Nobody has worked in a month that has not begun."""
    if move.data.get("last_activity_month", "") > draft.today.isoformat()[:7]:
        raise broken(
            "month_in_future",
            "last_activity_month ligt in de toekomst. Geef de laatste gewerkte maand.",
            "last_activity_month lies in the future. Give the last month with work.",
            "last_activity_month",
        )


def decided(draft: Draft, move: Move) -> None:
    """A decision has been taken, today at the latest."""
    if move.data.get("on", "") > draft.today.isoformat():
        raise broken(
            "decision_in_future",
            "on ligt in de toekomst. Stuur de beslissing op de dag zelf of later.",
            "on lies in the future. Send the decision on its day or later.",
            "on",
        )


def lapse_ground(draft: Draft, move: Move) -> None:
    """Only want of activity lets a right lapse, after as many months as the rules say (R10)."""
    if move.data.get("ground") != INACTIVITY:
        raise broken(
            "not_a_lapse",
            f"Een recht vervalt enkel wegens {INACTIVITY}. Stuur voor een andere grond "
            "transition.right_closed.",
            f"A right lapses because of {INACTIVITY} only. For another ground send "
            "transition.right_closed.",
            "ground",
        )
    right = draft.case.rights[move.aggregate_id]
    if right.lapses_on is not None and right.lapses_on > draft.today.isoformat():
        raise broken(
            "lapse_too_early",
            f"Dit recht kan pas vanaf {right.lapses_on} vervallen. Wacht tot dan.",
            f"This right can lapse from {right.lapses_on} on. Wait until then.",
            "on",
        )
    _inactive_long_enough(draft, move.aggregate_id)


def _inactive_long_enough(draft: Draft, right_id: str) -> None:
    month = counted_from(draft.case.rights[right_id])
    months = draft.rules(UNDETERMINED).right_inactive_months
    if month is None or months is None:
        return
    first = months_after(date.fromisoformat(f"{month}-01"), months + 1)
    if first > draft.today:
        raise broken(
            "still_active",
            f"Er telt nog een maand mee die minder dan {months} maanden geleden is ({month}). "
            f"Het recht kan ten vroegste op {first.isoformat()} vervallen.",
            f"A month less than {months} months ago still counts ({month}). "
            f"The right can lapse on {first.isoformat()} at the earliest.",
            "ground",
        )
    missing = unreported(draft.case, first, months)
    if missing is not None:
        draft.warn(
            "hours_missing",
            f"Van {missing[1]} zijn geen uren gemeld. Vraag ze bij de organisator op; het verval "
            "kan met transition.right_reinstated worden hersteld.",
            f"No hours were reported of {missing[1]}. Ask the organiser for them; the lapse can "
            "be put right with transition.right_reinstated.",
        )


def closing_ground(_draft: Draft, move: Move) -> None:
    """Want of activity is a lapse, with its notice."""
    if move.data.get("ground") == INACTIVITY:
        raise broken(
            "is_a_lapse",
            "Wegens inactiviteit sluit een recht niet, het vervalt: stuur transition.right_lapsed.",
            "For want of activity a right is not closed, it lapses: send transition.right_lapsed.",
            "ground",
        )


def reinstating_ground(_draft: Draft, move: Move) -> None:
    """What was decided is undone because it was wrong, or on appeal."""
    if move.data.get("ground") not in REINSTATING:
        raise broken(
            "not_a_reinstatement",
            "Herstellen gebeurt na een vergissing (error) of een beroep (appeal).",
            "Reinstating follows an error or an appeal.",
            "ground",
        )
