"""The decision: one pure function from a submitted event to what is recorded, or refused.

Legs, in this order: scope, delegation, role, membership, agreement, territory, lifecycle, rules
(`design/architecture.md` §7). The first that fails is named. Hub events that follow from the
event go through the same tables, with the hub as actor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gateway.errors import ActorRefused, ExchangeError, NotAllowedNow, RoleRefused, ScopeRefused
from gateway.exchange import acting, caps, overlap, work
from gateway.exchange import conversion_effects as conversion
from gateway.exchange import erasure_effects as erasure
from gateway.exchange import hold_effects as hold
from gateway.exchange import mandate_effects as mandate
from gateway.exchange import person_effects as person
from gateway.exchange import right_effects as right
from gateway.exchange.acceptance import accepted
from gateway.exchange.access import check_access, relations_of
from gateway.exchange.choices import CHOICES
from gateway.exchange.decision import HUB, Accepted, Context, Refused, Step
from gateway.exchange.draft import Actor, Draft, Move, Pending, open_draft, unknown_case
from gateway.exchange.due import due_clock, remember
from gateway.exchange.effects import EFFECTS, MOVED
from gateway.exchange.guards import GUARDS
from gateway.exchange.person_tasks import acts_for, completed
from gateway.exchange.settlement import settle
from gateway.exchange.submission_guards import as_expected, known_programmes, not_in_future
from gateway.exchange.targets import ABOUT_NOBODY, Target, find_target, state_of, version_of
from schemas.errors import Message
from schemas.lifecycle import BEFORE, SAME, Lifecycle, Transition, lifecycle_of

if TYPE_CHECKING:
    from gateway.exchange.submission import Submission


STEPS: dict[str, Step] = {"lifecycle": "lifecycle", "rules": "rules"}
"""Step that a refusal is reported under, by leg; every other leg is authorisation."""


class Intent(Struct, frozen=True, gc=False):
    """One event that wants to go through its table."""

    name: str
    actor: Actor
    target: Target
    data: dict[str, Any]
    relations: frozenset[str] = frozenset()


def decide(submission: Submission, context: Context) -> Accepted | Refused:
    """Accept or refuse one event. Pure; never raises for what a sender can cause."""
    sender = context.registry.participant(acts_for(submission, context) or "")
    if submission.participant != HUB or sender is None:
        sender = context.registry.participant(submission.participant)
    if sender is None:
        return Refused(unknown_case(), "authorisation")
    draft = open_draft(submission, context, sender)
    try:
        _run(draft)
        return accepted(draft)
    except ExchangeError as error:
        error.facts.setdefault("leg", "rules")
        error.facts.setdefault("allowed", list(_allowed_now(draft)))
        return Refused(error, STEPS.get(error.leg, "authorisation"))


def _run(draft: Draft) -> None:
    name = draft.submission.event.name
    lifecycle = lifecycle_of(name)
    actor = _actor(draft)
    _check_scope(draft, actor)
    acting.check_event(draft)
    _check_role(lifecycle, name, actor)
    not_in_future(draft)
    known_programmes(draft)
    clock = due_clock(draft)
    target = find_target(draft, lifecycle, name)
    relations = check_access(draft, actor, target)
    erasure.check_not_erased(draft)
    as_expected(draft, target)
    data = mandate.completed(draft) if name == mandate.CHANGED else completed(draft)
    _apply(draft, Intent(name, actor, target, data, relations))
    if clock is not None:
        remember(draft, clock)
    _follow(draft)
    person.recognise(draft)
    hold.consented(draft)
    settle(draft)
    _follow(draft)
    erasure.check_parties(draft)


def _follow(draft: Draft) -> None:
    """Take the hub events that follow through their tables, and those that follow from them."""
    while draft.queue:
        follow = draft.queue.pop(0)
        hub = Actor(HUB, "HUB", draft.sender.id, draft.sender.organisation)
        table = lifecycle_of(follow.name)
        state = state_of(draft, table.aggregate, follow.aggregate_id)
        known = Target(table.aggregate, follow.aggregate_id, state)
        _apply(draft, Intent(follow.name, hub, known, follow.data))


def _actor(draft: Draft) -> Actor:
    sender = draft.sender
    if draft.submission.participant == HUB:
        return Actor(HUB, "HUB", sender.id, sender.organisation)
    return Actor(sender.id, sender.role, sender.id, sender.organisation)


def _check_scope(draft: Draft, actor: Actor) -> None:
    scope = draft.submission.event.scope
    if actor.role != "HUB" and scope not in draft.submission.scopes:
        raise ScopeRefused(
            Message(
                nl=f"Uw client mist de scope {scope}. Vraag hem aan bij de beheerder van de hub.",
                en=f"Your client lacks the scope {scope}. Ask the hub's administrator for it.",
            ),
            leg="scope",
            facts={"scope": scope},
        )


def _check_role(lifecycle: Lifecycle, name: str, actor: Actor) -> None:
    if lifecycle.has_role(name, actor.role):
        return
    raise RoleRefused(
        Message(
            nl=f"{name} kan niet door een deelnemer in uw rol worden gestuurd.",
            en=f"{name} cannot be sent by a participant in your role.",
        ),
        leg="role",
    )


def _apply(draft: Draft, step: Intent) -> None:
    """Take one event through its table: transition, guards, effect.

    Raises:
        NotAllowedNow, ActorRefused: the table says no.
        RuleBroken: a guard says no.
    """
    row = _row(step)
    state, nis = _next_state(draft, step, row), draft.nis
    event_id = draft.context.new_id()
    move = Move(step.name, step.actor, step.target.id, state, step.data, event_id)
    for guard in row.guards:
        GUARDS[guard](draft, move)
    EFFECTS.get(step.name, MOVED[step.target.kind])(draft, move)
    if step.target.kind == "placement":
        work.note(draft, step.target.id)
        overlap.check(draft, move)
        caps.check(draft, move)
        conversion.follow(draft, move)
    _keep_rights(draft, step.target.kind)
    draft.done.append(_pending(draft, step, event_id, nis))


def _keep_rights(draft: Draft, kind: str) -> None:
    """Hours keep a right awake, and the person's record says how every right stands."""
    if kind == "placement" and (draft.case.rights or draft.person.rights):
        right.keep_awake(draft)
    if kind in ("placement", "right") and draft.case.rights:
        right.note(draft)


def _row(step: Intent) -> Transition:
    lifecycle = lifecycle_of(step.name)
    rows = lifecycle.transition(step.name, step.target.state)
    if not rows:
        raise NotAllowedNow(
            Message(
                nl=f"{step.name} kan niet in toestand {step.target.state}.",
                en=f"{step.name} is not possible in state {step.target.state}.",
            ),
            leg="lifecycle",
            facts={"state": step.target.state},
        )
    for row in rows:
        if row.admits(step.actor.role, step.relations):
            return row
    who = ", ".join(str(by) for row in rows for by in row.by)
    raise ActorRefused(
        Message(
            nl=f"{step.name} wordt in toestand {step.target.state} gestuurd door: {who}.",
            en=f"In state {step.target.state}, {step.name} is sent by: {who}.",
        ),
        leg="lifecycle",
        facts={"state": step.target.state},
    )


def _next_state(draft: Draft, step: Intent, row: Transition) -> str:
    if row.choose is not None:
        return CHOICES[row.choose](draft, step.actor, step.target.id, step.data)
    if row.targets[0] == SAME:
        return step.target.state
    if row.targets[0] == BEFORE:
        return draft.case.referrals[step.target.id].previous or step.target.state
    return row.targets[0]


def _pending(draft: Draft, step: Intent, event_id: str, nis: str) -> Pending:
    kind, aggregate_id = step.target.kind, step.target.id
    version, programme = version_of(draft, kind, aggregate_id)
    return Pending(
        name=step.name,
        aggregate_type=kind,
        aggregate_id=aggregate_id,
        version=version,
        actor=step.actor,
        data=step.data,
        nis=nis,
        programme=programme,
        event_id=event_id,
        hidden=kind == "referral" and step.name != "referral.advertised",
    )


def _allowed_now(draft: Draft) -> tuple[str, ...]:
    """What this sender may send now to the aggregate it named; nothing when it is no part of it."""
    fresh = _as_found(draft)
    lifecycle = lifecycle_of(draft.submission.event.name)
    actor = _actor(draft)
    try:
        target = find_target(fresh, lifecycle, draft.submission.event.name)
    except ExchangeError:
        return ()
    relations = relations_of(fresh, actor, target)
    is_part = relations or actor.role == "HUB" or target.kind in ABOUT_NOBODY or _is_new(draft)
    if not is_part:
        return ()
    return lifecycle.allowed(target.state, actor.role, relations)


def _is_new(draft: Draft) -> bool:
    return draft.context.trajectory is None and draft.submission.trajectory_id is None


def _as_found(draft: Draft) -> Draft:
    """The draft as it was before anything was applied."""
    return replace(
        draft,
        trajectory=draft.context.trajectory,
        offer=draft.context.offer,
        mandate=draft.context.mandate,
    )
