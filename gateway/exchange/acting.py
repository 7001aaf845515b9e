"""Acting for another organisation under a delegation (`design/domain.md` §3.2, §4).

An event that says `onbehalfof` is the principal's own: it is sealed under its keys, disclosed
under its agreements and stands in its name, and the ledger keeps the client that sent it. Whether
the delegation holds is asked when the event comes in, to know whose it is, and again in the
decision, where the registry of that moment and the municipality of the case are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.errors import NoDelegation
from schemas.errors import Message

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.draft import Draft
    from gateway.exchange.registry import Registry
    from gateway.exchange.submission import Submission


def acted_for(submission: Submission, registry: Registry, today: date) -> Submission:
    """The submission as the one of the organisation that it says it is sent for.

    The principal's participant is the one in the sender's own role. Whoever names its own
    organisation acts for nobody else.

    Raises:
        NoDelegation: 403, nothing in the registry lets the sender act for that organisation.
        UnknownOrganisation, TargetAmbiguous: 422, it has not one participant in that role.
    """
    agent = registry.participant(submission.participant)
    principal = submission.on_behalf_of
    if agent is None or principal is None or agent.organisation == principal:
        return submission
    name = submission.event.name
    if registry.delegations.failing(agent.organisation, principal, name, None, today):
        raise _refused(name)
    found = registry.resolve(principal, {agent.role}, None, today)
    return replace(submission, participant=found.id, agent=agent.id)


def check_event(draft: Draft) -> None:
    """Check that who acts may send this kind of event for the sender today.

    Raises:
        NoDelegation: 403.
    """
    if draft.submission.agent is not None:
        _check(draft, None)


def check_place(draft: Draft, kind: str) -> None:
    """Check that who acts may do so in the municipality of the case or offer.

    A mandate moves whole territories, so nobody else proposes or accepts it.

    Raises:
        NoDelegation: 403.
    """
    if draft.submission.agent is None:
        return
    if kind == "mandate":
        raise _refused(draft.submission.event.name)
    _check(draft, draft.nis)


def _check(draft: Draft, nis: str | None) -> None:
    registry, name = draft.context.registry, draft.submission.event.name
    agent = registry.participant(draft.submission.agent or "")
    if agent is None or not agent.is_valid(draft.today):
        raise _refused(name)
    principal = draft.sender.organisation
    if registry.delegations.failing(agent.organisation, principal, name, nis, draft.today):
        raise _refused(name, nis)


def _refused(name: str, nis: str | None = None) -> NoDelegation:
    where = ("", "") if nis is None else (f" in gemeente {nis}", f" in municipality {nis}")
    return NoDelegation(
        Message(
            nl=f"Geen volmacht in het register laat u {name} sturen{where[0]} voor de organisatie "
            "in onbehalfof. Laat ze bij de hub registreren, of stuur in eigen naam.",
            en=f"No delegation in the registry lets you send {name}{where[1]} for the organisation "
            "in onbehalfof. Have it registered with the hub, or send in your own name.",
        ),
        leg="delegation",
    )
