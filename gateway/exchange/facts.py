"""Every fact that evidence is counted from, made in one place from the events that were accepted.

Called once a decision, after all effects, so that no effect has to remember to count.
Pure, like `decide`: the tally in the state says what already stands, and what a correction or a
void takes back. What the facts add up to is in `schemas/evidence/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange import guidance_facts as guidance
from gateway.exchange import offer_facts as offer
from gateway.exchange import placement_facts as placement
from gateway.exchange import referral_facts as referral
from gateway.exchange.counting import Count, Counting
from gateway.exchange.decision import HUB
from gateway.exchange.offer_state import Offer
from gateway.exchange.state import Trajectory
from schemas.facts import Fact
from schemas.lifecycle import lifecycle_of, lifecycles

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Pending


def count(draft: Draft) -> None:
    """Count what this decision changed: facts go to the draft, the tally to the state."""
    counting = Counting.of(draft)
    if draft.trajectory is not None:
        guidance.close_periods(counting)
    for pending in draft.done:
        count_event = COUNTED.get(pending.name)
        if count_event is not None:
            count_event(counting, pending)
        _quality(counting, pending)
    if draft.trajectory is not None:
        _open_case(counting, draft.trajectory)
    draft.facts.extend(counting.facts)
    _remember(draft, counting)


def _remember(draft: Draft, counting: Counting) -> None:
    tally = counting.tally()
    if isinstance(draft.trajectory, Trajectory):
        if tally != draft.trajectory.tally:
            draft.change(tally=tally)
    elif isinstance(draft.offer, Offer) and tally != draft.offer.tally:
        draft.offer = replace(draft.offer, tally=tally)


def _voided(counting: Counting, pending: Pending) -> None:
    counting.drop(pending.aggregate_id)


def _right(counting: Counting, pending: Pending) -> None:
    right = counting.draft.case.rights[pending.aggregate_id]
    fact = counting.fact("right_state", code=right.state, concerned=(right.registrant,))
    counting.stock(f"{right.id}/right", fact)


def _handed_over(counting: Counting, pending: Pending) -> None:
    before = counting.draft.context.trajectory
    registry = counting.draft.context.registry
    held = registry.participant(before.holder or "") if before is not None else None
    by = "" if held is None else held.role
    fact = counting.fact(
        "handover",
        pending.data.get("effective"),
        code=pending.data.get("reason"),
        detail=f"{by}-{pending.actor.role}",
        concerned=(before.holder if before is not None else None,),
    )
    counting.add(fact)


def _open_case(counting: Counting, case: Trajectory) -> None:
    key = f"{case.id}/open"
    if not lifecycles()["trajectory"].is_active(case.state):
        counting.stock(key, None)
        return
    holder = counting.draft.context.registry.participant(case.holder or "")
    code = "unassigned" if holder is None else holder.role
    if not counting.stands(key, code):
        counting.stock(key, counting.fact("open_case", code=code))


def _warned(counting: Counting, pending: Pending) -> None:
    counting.add(counting.fact("warning", code=pending.data.get("kind")))


def _quality(counting: Counting, pending: Pending) -> None:
    """How well a partner registers: what it makes, corrects and voids, and how long after."""
    if pending.actor.id == HUB:
        return
    ending = pending.name.rpartition(".")[2]
    code = ending if ending in ("corrected", "voided") else None
    if code is None and pending.name in lifecycle_of(pending.name).creating:
        code = "created"
    if code is None:
        return
    draft = counting.draft
    fact = Fact(
        indicator="registration",
        month=counting.month(),
        nis=draft.nis,
        programme=pending.programme,
        channel=pending.actor.role,
        code=code,
        days=max(0, (draft.today - draft.occurred_on).days),
        concerned=(pending.actor.id,),
    )
    counting.add(fact)


COUNTED: dict[str, Count] = {
    "referral.created": referral.referred,
    "referral.corrected": referral.corrected,
    "referral.accepted": referral.answered("accepted"),
    "referral.declined": referral.answered("declined"),
    "referral.endorsement_refused": referral.answered("refused"),
    "referral.expired": referral.answered("expired"),
    "referral.reopened": referral.reopened,
    "referral.voided": _voided,
    "placement.started": placement.started,
    "placement.corrected": placement.corrected,
    "placement.ended": placement.ended,
    "placement.end_revoked": placement.end_revoked,
    "placement.voided": _voided,
    "guidance.contact_recorded": guidance.contacted,
    "guidance.evaluation_completed": guidance.evaluated,
    "outcome.recorded": placement.exited,
    "outcome.corrected": placement.exited,
    "outcome.follow_up_recorded": placement.followed_up,
    "outcome.voided": _voided,
    "transition.right_registered": _right,
    "transition.right_verified": _right,
    "transition.right_refused": _right,
    "transition.right_dormant": _right,
    "transition.right_revived": _right,
    "transition.right_lapsed": _right,
    "transition.right_closed": _right,
    "transition.right_reinstated": _right,
    "trajectory.case_holder_changed": _handed_over,
    "trajectory.warning_raised": _warned,
    "offer.published": offer.offered,
    "offer.updated": offer.offered,
    "offer.capacity_changed": offer.offered,
    "offer.displacement_reported": offer.displacement("reported", "ground"),
    "offer.displacement_escalated": offer.escalated,
    "offer.displacement_resolved": offer.displacement("resolved", "decision"),
    "offer.withdrawn": offer.offered,
    "offer.lapsed": offer.offered,
}
"""What each event counts; an event that is not here counts nothing but its own registration."""
