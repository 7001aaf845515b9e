"""Asking somebody for the next step of a case, so that nobody falls out (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.business_days import days_after
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.desks import DESKS, first_competent
from gateway.exchange.person_tasks import desk_of
from gateway.exchange.state import Task

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft
    from gateway.exchange.registry import Participant

RAISED = "trajectory.task_raised"


def raise_task(
    draft: Draft,
    what: str,
    concerns: str | None = None,
    addressee: str | None = None,
    other_org: str | None = None,
) -> None:
    """Give somebody something to answer; the case holder, or the competent OCMW, by default.

    There is always somebody: a task that would be nobody's goes to a VDAB or OCMW that ever took
    part, else back to the referrer.
    """
    asked = _able(draft, addressee, concerns)
    task_id = draft.context.new_id()
    due = days_after(draft.today, draft.rules(UNDETERMINED).answer_days or 0).isoformat()
    draft.put_task(Task(id=task_id, what=what, addressee=asked.id, due=due, concerns=concerns))
    draft.follow(
        RAISED,
        draft.case.id,
        task_id=task_id,
        what=what,
        addressee=asked.organisation,
        due=due,
        concerns=concerns,
        other_org=other_org,
        desk=None if other_org is None else desk_of(draft, other_org),
    )


def _able(draft: Draft, addressee: str | None, concerns: str | None) -> Participant:
    """Whoever of them takes part today; the sender when nobody else does."""
    case, registry = draft.case, draft.context.registry
    referral = case.referrals.get(concerns or "")
    asked = (
        addressee,
        case.holder,
        case.proposed_holder,
        first_competent(draft, DESKS),
        *(one for one, role in case.members.items() if role in DESKS),
        None if referral is None else referral.referrer,
    )
    found = (registry.participant(one or "") for one in asked)
    return next(
        (one for one in found if one is not None and one.is_valid(draft.today)), draft.sender
    )
