"""Who may have an accepted event, and who may not and why (`domain.md` §3.3, §3.13).

Evaluated once at acceptance and kept in the ledger; every door evaluates the grant again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from consumers.clock import MICROSECONDS_PER_DAY
from gateway.exchange import relations as rel
from gateway.exchange.authorise import BY_TERRITORY
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.decision import Recipient
from gateway.exchange.responsible import ABOUT_A_PART, for_part
from gateway.exchange.sealing import NOTICE
from schemas.catalogue import catalogue
from schemas.projection import projection
from schemas.roles import PARTNER_LETTERS

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.draft import Draft, Pending
    from gateway.exchange.registry import Participant
    from gateway.exchange.state import Left, Trajectory
    from schemas.catalogue import EventType
    from schemas.grants import Grant


class _Asked(TypedDict):
    """The question to the grants, put once for the answer and once for the reason."""

    from_org: str
    to_org: str
    to_role: str
    event: str
    territory: str
    on: date


FOR_HOLDER_ALONE = frozenset({"overlap"})
"""Warnings about what a person does elsewhere, which is nobody's business but the holder's."""
HOLDS = frozenset({"case_holder", "proposed_holder"})

_MANDATE_ROLES = ("V", "O", "W", "G")
CLOSING = frozenset({"trajectory.closed", "trajectory.joined"})
"""Events by which a case ends."""

OWN = "own_event"
"""Leg of a sender that joins by its own event: it gets the history, not its own event back."""


def recipients(draft: Draft, pending: Pending, event: EventType) -> tuple[Recipient, ...]:
    """Every participant in some relation to the event, entitled or with the leg that excludes."""
    found = []
    for participant_id, relations in sorted(_related(draft, pending).items()):
        participant = draft.context.registry.participant(participant_id)
        if participant is None or participant_id == pending.actor.id:
            continue
        found.append(_recipient(draft, pending, event, participant, frozenset(relations)))
    return tuple(found)


def _related(draft: Draft, pending: Pending) -> rel.Relations:
    if pending.aggregate_type == "offer":
        return _offer_audience(draft)
    if pending.aggregate_type == "mandate":
        return _mandate_audience(draft)
    if pending.name == NOTICE:
        return {one: {rel.MEMBER} for one in draft.submission.told}
    if pending.name == "referral.advertised":
        referral = draft.case.referrals[pending.aggregate_id]
        return {candidate: {"candidate"} for candidate in referral.candidates}
    now = related_to(draft, pending.aggregate_type, pending.aggregate_id)
    if pending.name == "trajectory.warning_raised" and pending.data.get("kind") in FOR_HOLDER_ALONE:
        return {one: held for one, held in now.items() if held & HOLDS}
    if pending.name in ABOUT_A_PART:
        _only_responsible(now, draft.case, pending)
    for participant, relations in (_before(draft) | _former(draft, pending)).items():
        now.setdefault(participant, relations)
    return now


def _former(draft: Draft, pending: Pending) -> rel.Relations:
    """Who left lately and still hears that the case itself is over."""
    if pending.name not in CLOSING:
        return {}
    left = draft.case.left.items()
    return {one: set(said.relations) for one, said in left if is_in_grace(draft, said)}


def is_in_grace(draft: Draft, left: Left) -> bool:
    """Whether a former member still hears of the end; without a rule that goes on."""
    days = draft.rules(UNDETERMINED).closing_event_grace_days
    return days is None or draft.context.now - left.at <= days * MICROSECONDS_PER_DAY


def _only_responsible(found: rel.Relations, case: Trajectory, pending: Pending) -> None:
    """Responsible is whoever has to act on this one; organisers of other placements are not."""
    part = pending.data.get("task_id") or pending.data.get("concerns")
    for participant in found:
        found[participant] = found[participant] - {"responsible"}
    one = for_part(case, part)
    if one is not None:
        found.setdefault(one, set()).add("responsible")


def related_to(draft: Draft, aggregate_type: str, aggregate_id: str) -> rel.Relations:
    """Members of the case with the relations that count for one of its aggregates."""
    case = draft.case
    known = draft.members(case)
    if aggregate_type == "referral":
        return rel.to_referral(known, case, case.referrals[aggregate_id])
    if aggregate_type == "placement":
        return rel.to_placement(known, case, case.placements[aggregate_id])
    if aggregate_type == "outcome":
        return rel.to_outcome(known, case, case.outcomes[aggregate_id])
    return {participant: set(relations) for participant, relations in known.items()}


def _before(draft: Draft) -> rel.Relations:
    """Who was a member when the event came in: a former holder hears that it is one no more."""
    before = draft.context.trajectory
    return {} if before is None else draft.members(before)


def _offer_audience(draft: Draft) -> rel.Relations:
    """Offers are open to every participant that serves the municipality."""
    registry, nis, today = draft.context.registry, draft.nis, draft.today
    found = {
        one.id: set[str]()
        for role in sorted(PARTNER_LETTERS)
        for one in registry.in_role(role, nis, today)
    }
    if draft.offer is not None:
        for participant, relations in rel.to_offer(draft.offer).items():
            found.setdefault(participant, set()).update(relations)
    return found


def _mandate_audience(draft: Draft) -> rel.Relations:
    """Whoever refers, holds or organises in one of the municipalities, and who they are."""
    registry, today, mandate = draft.context.registry, draft.today, draft.mandate
    if mandate is None:
        return {}
    found: rel.Relations = {
        one.id: set()
        for role in _MANDATE_ROLES
        for nis in mandate.nis
        for one in registry.in_role(role, nis, today)
    }
    for participant, relations in rel.to_mandate(mandate).items():
        found.setdefault(participant, set()).update(relations)
    return found


def _recipient(
    draft: Draft,
    pending: Pending,
    event: EventType,
    participant: Participant,
    relations: frozenset[str],
) -> Recipient:
    excluded: str | None = None
    grant: Grant | None = None
    fieldsets: frozenset[str] | None = None
    if _is_hidden(draft, pending, relations):
        excluded = "referral_not_sent"
    elif not participant.is_valid(draft.today):
        excluded = "participant_inactive"
    elif event.personal and pending.name != NOTICE and participant.id != pending.actor.caused_by:
        grant, excluded = _grant(draft, pending, participant)
        fieldsets = None if grant is None else grant.fieldsets
    if excluded is None and _sees_nothing(event.name, participant.role, relations, fieldsets):
        excluded = "audience"
    return Recipient(
        participant=participant.id,
        role=participant.role,
        relations=tuple(sorted(relations)),
        agreement_id=None if grant is None or excluded else grant.agreement_id,
        excluded=excluded,
        served=event.personal
        and participant.role in BY_TERRITORY
        and participant.serves(pending.nis, draft.today),
    )


def _is_hidden(draft: Draft, pending: Pending, relations: frozenset[str]) -> bool:
    """Open referrals show no person, and one that waits for its endorser goes to it alone."""
    if not pending.hidden:
        return False
    state = draft.case.referrals[pending.aggregate_id].state
    if state == rel.ENDORSING:
        return not relations & {"endorser", "referrer"}
    return state in rel.HIDDEN and "referrer" not in relations


def _grant(
    draft: Draft, pending: Pending, participant: Participant
) -> tuple[Grant | None, str | None]:
    """The one grant that applies, or the leg that leaves none."""
    grants = draft.context.registry.grants
    asked: _Asked = {
        "from_org": pending.actor.organisation,
        "to_org": participant.organisation,
        "to_role": participant.role,
        "event": pending.name,
        "territory": pending.nis,
        "on": draft.today,
    }
    grant = grants.applicable(**asked)
    return grant, None if grant is not None else grants.failing_leg(**asked)


@lru_cache(maxsize=100_000)
def _sees_nothing(
    name: str, role: str, relations: frozenset[str], fieldsets: frozenset[str] | None
) -> bool:
    """Whether nothing of an event is left for such a reader; an event without fields never is."""
    event = catalogue().event(name)
    if fieldsets is None:
        fieldsets = frozenset(one.fieldset for one in event.fields)
    kept = projection(event, role=role, relations=relations, fieldsets=fieldsets).delivered
    return bool(event.fields) and not kept
