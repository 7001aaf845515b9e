"""From a finished draft to what the ledger records: recipients, grants, members, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange import facts
from gateway.exchange.consulted import unset_warning
from gateway.exchange.decision import HUB, Accepted, DecidedEvent, Recipient
from gateway.exchange.person_tasks import is_question
from gateway.exchange.recipients import OWN, recipients
from gateway.exchange.state import Left
from schemas.catalogue import catalogue
from schemas.grants import DEFAULT_LEGAL_BASIS

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Pending
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.registry import RegisteredAgreement
    from gateway.exchange.state import Trajectory
    from schemas.catalogue import EventType

PURPOSES = {
    "referral": "activation_referral",
    "placement": "placement_execution",
    "outcome": "outcome_monitoring",
    "right": "rights_transition",
    "trajectory": "activation_referral",
}
WIDENING = frozenset({"case_holder", "handler"})
"""Relations whose gain opens fields of earlier events."""

SUCCEEDED = "trajectory.organiser_changed"
ALIGNED = "guidance.plan_aligned"
GUIDANCE = "guidance_coordination"
UNDETERMINED = "to_be_determined"


def accepted(draft: Draft) -> Accepted:
    """Everything that is recorded for this event, the submitted one first."""
    joined = _joined(draft)
    if draft.needed:
        draft.warnings.append(unset_warning(draft.needed))
    events = tuple(
        _decided(draft, pending, joined if position == 0 else ())
        for position, pending in enumerate(draft.done)
    )
    _remember_members(draft)
    _remember_times(draft, events)
    facts.count(draft)
    return Accepted(
        events=events,
        trajectory=draft.trajectory,
        offer=draft.offer or _used(draft),
        subject=draft.subject,
        warnings=tuple(draft.warnings),
        facts=tuple(draft.facts),
        errands=tuple(draft.errands),
        others=tuple(draft.others),
        mandate=draft.mandate,
        rounds=tuple(draft.rounds),
    )


def _used(draft: Draft) -> Offer | None:
    """The offer that a person's event named, when the event changed something about it."""
    named = draft.named_offer
    return None if named is draft.context.named_offer else named


def _joined(draft: Draft) -> tuple[str, ...]:
    """Who became a member, or may now see what was hidden, and has to get the history first."""
    if draft.trajectory is None or draft.context.trajectory is None:
        return ()
    before = draft.members(draft.context.trajectory)
    now = draft.members(draft.trajectory)
    if now is before and not draft.opened:
        return ()
    fresh = [one for one, held in now.items() if _sees_more(held, before.get(one))]
    return tuple(sorted({*fresh, *draft.opened}))


def _sees_more(held: set[str], before: set[str] | None) -> bool:
    """New here, or now in a relation that may read more of what it was given."""
    return before is None or bool((held - before) & WIDENING)


def _remember_members(draft: Draft) -> None:
    case = draft.trajectory
    if case is None:
        return
    registry, members = draft.context.registry, case.members
    fresh = [one for one in draft.members(case) if one not in members]
    if fresh:
        found = (registry.participant(one) for one in fresh)
        members = {**members, **{one.id: one.role for one in found if one is not None}}
    known = draft.context.trajectory
    draft.trajectory = replace(
        case,
        members=members,
        left=case.left if known is None else _left(draft, known, case),
        last_event_at=case.last_event_at if is_question(draft) else draft.context.now,
    )


def _left(draft: Draft, before: Trajectory, case: Trajectory) -> dict[str, Left]:
    """Who has ceased to be a member: it still hears of the end a while, and of nothing before."""
    held, now = draft.members(before), draft.members(case)
    if not case.left and now.keys() >= held.keys():
        return case.left
    first = draft.done[0]
    keeps = first.name == SUCCEEDED
    gone = {
        one: Left(draft.context.now, tuple(sorted(relations)), first.event_id, keeps)
        for one, relations in held.items()
        if one not in now
    }
    return {one: said for one, said in case.left.items() if one not in now} | gone


def _remember_times(draft: Draft, events: tuple[DecidedEvent, ...]) -> None:
    """When the state began, when somebody last did something, and when the holder last heard."""
    now, known = draft.context.now, draft.context
    offer = draft.offer
    if offer is not None and (known.offer is None or known.offer.state != offer.state):
        draft.offer = replace(offer, since=now)
    if draft.trajectory is None:
        return
    case = draft.case
    is_new = known.trajectory is None or known.trajectory.state != case.state
    is_active = draft.submission.participant != HUB
    draft.change(
        since=now if is_new else case.since,
        active_at=now if is_active or not case.active_at else case.active_at,
        holder_told_at=now if _tells_holder(draft, events) else case.holder_told_at,
    )


def _tells_holder(draft: Draft, events: tuple[DecidedEvent, ...]) -> bool:
    """Whether the counsellor hears something, or has just become it, or aligned its plan."""
    holder, before = draft.case.holder, draft.context.trajectory
    if holder is None:
        return False
    if before is None or before.holder != holder or events[0].event.name == ALIGNED:
        return True
    return draft.submission.participant not in (HUB, holder) and any(
        recipient.participant == holder and recipient.excluded is None
        for event in events
        for recipient in event.recipients
    )


def _decided(draft: Draft, pending: Pending, joined: tuple[str, ...]) -> DecidedEvent:
    event = catalogue().event(pending.name)
    addressed = recipients(draft, pending, event)
    own = _own(draft, pending, joined)
    agreement = _agreement(draft, addressed)
    programme = pending.programme or event_programme(pending)
    first = pending is draft.done[0] and pending.actor.id != HUB
    submission = draft.submission
    return DecidedEvent(
        event_id=pending.event_id,
        event=event,
        aggregate_type=pending.aggregate_type,
        aggregate_id=pending.aggregate_id,
        aggregate_version=pending.version,
        trajectory_id=None if draft.trajectory is None else draft.trajectory.id,
        subject_id=None if draft.trajectory is None else draft.trajectory.subject_id,
        producer=pending.actor.id,
        producer_org=pending.actor.organisation,
        caused_by=pending.actor.caused_by,
        actor_role=pending.actor.role,
        purpose=_purpose(draft, pending, event),
        legal_basis=DEFAULT_LEGAL_BASIS if event.personal else None,
        agreement_id=None if agreement is None else agreement.id,
        agreement_hash=None if agreement is None else agreement.hash,
        territory_nis=pending.nis,
        rule_set=draft.rules(programme or UNDETERMINED).version,
        causation_id=submission.causation_id if first else None,
        occurred_at=submission.occurred_at,
        recorded_at=draft.context.now,
        source_record_id=submission.source_record_id if first else None,
        actor_ref=submission.actor_ref if first else None,
        data=pending.data,
        programme=programme,
        recipients=(*addressed, *own),
        joined=joined,
    )


def event_programme(pending: Pending) -> str | None:
    """The programme that the event itself names, when its aggregate has none."""
    programme = pending.data.get("programme")
    return programme if isinstance(programme, str) else None


def _own(draft: Draft, pending: Pending, joined: tuple[str, ...]) -> tuple[Recipient, ...]:
    """A sender that joins by its own event gets the history, though not this event."""
    if pending.actor.id not in joined or draft.trajectory is None:
        return ()
    relations = draft.members(draft.trajectory).get(pending.actor.id, set())
    return (
        Recipient(pending.actor.id, pending.actor.role, tuple(sorted(relations)), excluded=OWN),
    )


def _agreement(draft: Draft, addressed: tuple[Recipient, ...]) -> RegisteredAgreement | None:
    """The agreement of the first entitled recipient; the receipt names it."""
    named = next((one.agreement_id for one in addressed if one.agreement_id is not None), None)
    return None if named is None else draft.context.registry.agreement(named)


def _purpose(draft: Draft, pending: Pending, event: EventType) -> str | None:
    if not event.personal:
        return None
    if draft.submission.purpose is not None:
        return draft.submission.purpose
    if pending.name.startswith("guidance."):
        return GUIDANCE
    return PURPOSES[pending.aggregate_type]
