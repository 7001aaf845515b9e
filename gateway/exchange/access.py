"""The legs between role and lifecycle: membership, agreement, territory; and actors' relations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import NoAgreement, OutsideTerritory
from gateway.exchange import acting
from gateway.exchange import relations as rel
from gateway.exchange.decision import HUB
from gateway.exchange.draft import unknown_case
from gateway.exchange.locality import nis_of
from gateway.exchange.targets import ABOUT_NOBODY
from schemas.errors import Message
from schemas.lifecycle import COMPETENT, NONE, OUTSIDER, lifecycle_of

if TYPE_CHECKING:
    from gateway.exchange.draft import Actor, Draft
    from gateway.exchange.state import Referral
    from gateway.exchange.targets import Target

HOLDER_ROLES = ("V", "O")


def check_access(draft: Draft, actor: Actor, target: Target) -> frozenset[str]:
    """Check membership, delegation, agreement and territory in order; settle the municipality.

    Returns the relations in which the actor stands to the aggregate.

    Raises:
        UnknownCase, NoDelegation, NoAgreement, OutsideTerritory: the leg that failed.
    """
    creates_case = draft.trajectory is not None and draft.trajectory.version == 0
    draft.nis = draft.nis or nis_of(draft)
    relations = relations_of(draft, actor, target)
    if actor.role == "HUB":
        return relations
    is_about_somebody = target.kind not in ABOUT_NOBODY
    if is_about_somebody and not creates_case and _is_stranger(draft, relations):
        raise unknown_case()
    acting.check_place(draft, target.kind)
    if is_about_somebody:
        _check_agreement(draft)
    if target.kind == "mandate":
        return relations
    if creates_case or target.state == NONE or relations == frozenset({"candidate"}):
        _check_territory(draft, actor)
    return relations


def _is_stranger(draft: Draft, relations: frozenset[str]) -> bool:
    """Whether the case is none of the sender's business, as far as this event goes."""
    if relations != OUTSIDER:
        return not relations
    name = draft.submission.event.name
    rows = lifecycle_of(name).by_event[name]
    return all(one.relation != COMPETENT for row in rows for one in row.by)


def _check_agreement(draft: Draft) -> None:
    name = draft.submission.event.name
    covered = draft.context.registry.grants.covers_sender(
        draft.sender.organisation, name, draft.nis, draft.today
    )
    if not covered:
        raise NoAgreement(
            Message(
                nl=f"Geen actieve overeenkomst van uw organisatie dekt {name} "
                f"voor gemeente {draft.nis}.",
                en=f"No active agreement of your organisation covers {name} "
                f"for municipality {draft.nis}.",
            ),
            leg="agreement",
        )


def _check_territory(draft: Draft, actor: Actor) -> None:
    if not draft.sender.serves(draft.nis, draft.occurred_on):
        raise OutsideTerritory(
            Message(
                nl=f"Gemeente {draft.nis} ligt buiten het werkingsgebied van {actor.id}.",
                en=f"Municipality {draft.nis} lies outside the territory of {actor.id}.",
            ),
            leg="territory",
        )


def relations_of(draft: Draft, actor: Actor, target: Target) -> frozenset[str]:
    """The relations in which the actor stands to an aggregate; all to the case when it is new."""
    if actor.role == "HUB":
        return frozenset()
    if target.kind == "offer":
        found = {} if draft.offer is None else rel.to_offer(draft.offer)
        return frozenset(found.get(actor.id, ()))
    if target.kind == "mandate":
        found = {} if draft.mandate is None else rel.to_mandate(draft.mandate)
        return frozenset(found.get(actor.id, ()))
    case = draft.case
    held = set(rel.parties(case).get(actor.id, ())) if target.state == NONE else set[str]()
    if target.kind == "referral" and target.id in case.referrals:
        held = _to_referral(draft, actor, case.referrals[target.id])
    elif target.kind == "placement" and target.id in case.placements:
        held = rel.acting_on_placement(case, case.placements[target.id], actor.id)
    elif target.kind == "outcome" and target.id in case.outcomes:
        held = rel.to_outcome(rel.parties(case), case, case.outcomes[target.id]).get(
            actor.id, set()
        )
    elif target.kind in ("trajectory", "right"):
        held = _to_trajectory(draft, actor)
    return frozenset(held)


def _to_referral(draft: Draft, actor: Actor, referral: Referral) -> set[str]:
    held = set(rel.to_referral(rel.parties(draft.case), draft.case, referral).get(actor.id, ()))
    if referral.state == "open" and actor.id in referral.candidates:
        held.add("candidate")
    if _is_closer(draft, actor, referral):
        held.add("closer")
    return held


def _is_closer(draft: Draft, actor: Actor, referral: Referral) -> bool:
    """Who closed it; if the hub did: the handler or case holder, else the competent OCMW."""
    if referral.closed_by != HUB:
        return referral.closed_by == actor.id
    able = {referral.handler, draft.case.holder} - {None}
    if able:
        return actor.id in able
    return _is_competent(draft, actor, ("O",))


def _to_trajectory(draft: Draft, actor: Actor) -> set[str]:
    held = set(rel.parties(draft.case).get(actor.id, ()))
    if actor.role in HOLDER_ROLES and _is_competent(draft, actor, HOLDER_ROLES):
        held.add(COMPETENT)
    task = draft.case.tasks.get(draft.data.get("task_id", ""))
    if task is not None and task.addressee == actor.id:
        held.add("addressee")
    return held


def _is_competent(draft: Draft, actor: Actor, roles: tuple[str, ...]) -> bool:
    for role in roles:
        found = draft.context.registry.competent(role, draft.nis, draft.today)
        if found is not None and found.id == actor.id:
            return True
    return False
