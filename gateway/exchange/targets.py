"""Which aggregate an event is about: named, fresh, or the only one it can mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.errors import NotAllowedNow, RuleBroken
from gateway.exchange.draft import unknown_case
from gateway.exchange.locality import nis_of
from gateway.exchange.state import Trajectory
from schemas.errors import InvalidParam, Message
from schemas.lifecycle import NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.exchange.draft import Draft
    from gateway.exchange.state import Outcome, Placement, Referral, Right
    from schemas.lifecycle import Lifecycle

    Part = Referral | Placement | Outcome | Right

FIRST = "referral.created"
"""The only event that may open a trajectory (`domain.md` §3.4)."""

JOINED = "joined"
"""State of a trajectory that takes nothing any more."""

ELSEWHERE = frozenset({"agreement"})
"""Aggregates that the registry keeps."""

ABOUT_NOBODY = frozenset({"offer", "mandate"})
"""Aggregates that are no part of a person's case: no secret, and under no agreement."""

REGION = "02000"
"""NIS code of Flanders: what is of several municipalities is of the region."""


class Target(Struct, frozen=True, gc=False):
    """The aggregate an event is about, and the state that it is in."""

    kind: str
    id: str
    state: str


def find_target(draft: Draft, lifecycle: Lifecycle, name: str) -> Target:
    """Find the aggregate; make the trajectory when this is a first referral.

    Raises:
        UnknownCase: the case or aggregate does not exist.
        RuleBroken: it cannot be told which one is meant, or the municipality is unknown.
    """
    kind = lifecycle.aggregate
    if kind in ELSEWHERE:
        raise _kept_elsewhere(name)
    if kind == "offer":
        return _offer(draft, lifecycle, name)
    if kind == "mandate":
        return _mandate(draft, lifecycle, name)
    if draft.trajectory is None:
        _begin(draft, name)
    if kind == "trajectory":
        return Target(kind, draft.case.id, draft.case.state)
    if draft.case.state == JOINED:
        raise _joined(draft)
    subject = draft.submission.subject
    if subject is not None and subject in parts(draft.case, kind):
        return Target(kind, subject, state_of(draft, kind, subject))
    if name in lifecycle.creating:
        return Target(kind, subject or draft.context.new_id(), NONE)
    if subject is not None:
        raise unknown_case()
    return _only_one(draft, lifecycle, name)


def _begin(draft: Draft, name: str) -> None:
    """Start a trajectory in memory; it exists once the referral is accepted."""
    person = draft.context.subject_id
    if name != FIRST or draft.submission.trajectory_id is not None or person is None:
        raise unknown_case()
    draft.nis = nis_of(draft)
    draft.trajectory = Trajectory(
        id=draft.context.new_id(),
        subject_id=person,
        state=NONE,
        version=0,
        territory_nis=draft.nis,
        erased=() if draft.context.subject is None else draft.context.subject.erased,
    )


def _joined(draft: Draft) -> NotAllowedNow:
    return NotAllowedNow(
        Message(
            nl="Dit traject is samengevoegd met een ander. Ga daar verder.",
            en="This trajectory was joined into another one. Go on there.",
        ),
        leg="lifecycle",
        facts={"state": draft.case.state},
    )


def _offer(draft: Draft, lifecycle: Lifecycle, name: str) -> Target:
    if draft.offer is not None and draft.submission.subject == draft.offer.id:
        return Target("offer", draft.offer.id, draft.offer.state)
    if name in lifecycle.creating:
        return Target("offer", draft.submission.subject or draft.context.new_id(), NONE)
    if draft.submission.subject is None:
        return Target("offer", "", NONE)
    raise unknown_case()


def _mandate(draft: Draft, lifecycle: Lifecycle, name: str) -> Target:
    known, subject = draft.mandate, draft.submission.subject
    if known is not None and subject == known.id:
        return Target("mandate", known.id, known.state)
    if name in lifecycle.creating:
        places: list[str] = draft.data.get("nis") or []
        draft.nis = places[0] if len(places) == 1 else REGION
        return Target("mandate", subject or draft.context.new_id(), NONE)
    raise unknown_case()


def _only_one(draft: Draft, lifecycle: Lifecycle, name: str) -> Target:
    """Without a subject, the event means the one aggregate whose state allows it."""
    kind = lifecycle.aggregate
    sources = {source for row in lifecycle.by_event[name] for source in row.sources}
    everything = parts(draft.case, kind)
    fitting = [one for one in everything.values() if one.state in sources]
    if not everything:
        return Target(kind, "", NONE)
    if not fitting and len(everything) == 1:
        fitting = list(everything.values())
    if len(fitting) == 1:
        return Target(kind, fitting[0].id, fitting[0].state)
    message = Message(
        nl=f"Dit dossier heeft {len(fitting)} mogelijke onderdelen ({kind}). Geef subject mee.",
        en=f"This case has {len(fitting)} possible parts ({kind}). State subject.",
    )
    raise RuleBroken(
        message,
        leg="rules",
        invalid=(InvalidParam(name="subject", code="subject_missing", reason=message),),
        facts={"rule": "subject_missing"},
    )


def parts(case: Trajectory, kind: str) -> Mapping[str, Part]:
    """All aggregates of one kind in a case, by id."""
    everything: dict[str, Mapping[str, Part]] = {
        "referral": case.referrals,
        "placement": case.placements,
        "outcome": case.outcomes,
        "right": case.rights,
    }
    return everything[kind]


def state_of(draft: Draft, kind: str, aggregate_id: str) -> str:
    """The state of an aggregate; `none` when there is none of that id."""
    if kind == "offer":
        return NONE if draft.offer is None else draft.offer.state
    if kind == "mandate":
        return NONE if draft.mandate is None else draft.mandate.state
    if kind == "trajectory":
        return draft.case.state
    part = parts(draft.case, kind).get(aggregate_id)
    return NONE if part is None else part.state


def version_of(draft: Draft, kind: str, aggregate_id: str) -> tuple[int, str | None]:
    """The version of an aggregate and the programme it runs under, if it has one."""
    if kind == "offer":
        return (0 if draft.offer is None else draft.offer.version), None
    if kind == "mandate":
        return (0 if draft.mandate is None else draft.mandate.version), None
    if kind == "trajectory":
        return draft.case.version, None
    part = parts(draft.case, kind)[aggregate_id]
    return part.version, getattr(part, "programme", None)


def _kept_elsewhere(name: str) -> RuleBroken:
    return RuleBroken(
        Message(
            nl=f"{name} wordt niet als gebeurtenis ingestuurd; gebruik /v1/agreements.",
            en=f"{name} is not submitted as an event; use /v1/agreements.",
        ),
        leg="rules",
        facts={"rule": "kept_in_registry"},
    )
