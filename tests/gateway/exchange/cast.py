"""A small registry and a case in any state, for tests of the decision.

Every role has somebody with a relation to the case and a stranger without one.
"""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.decision import HUB, Context, Other
from gateway.exchange.delegations import Delegation
from gateway.exchange.mandate import Mandate
from gateway.exchange.offer_state import Offer
from gateway.exchange.registry import (
    Organisation,
    Participant,
    RegisteredAgreement,
    Registry,
)
from gateway.exchange.state import Assignment, Outcome, Placement, Referral, Right, Task, Trajectory
from gateway.exchange.subject_state import Subject
from gateway.exchange.submission import Submission
from schemas.agreement import parse_agreement
from schemas.catalogue import catalogue
from schemas.programmes import ProgrammeRules, shipped_rules
from schemas.roles import NAME, PARTNER_LETTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.exchange.holds import Hold

NOW = 1_780_000_000_000_000
"""28 May 2026."""
TODAY = date(2026, 5, 28)
NIS = "24107"
DAY = 86_400_000_000

ROLES = "VOWPHSTG"
PRIVATE = "WPHS"
"""Roles whose organisations are private parties here."""

RELATED = {role: f"{NAME[role].replace('_', '-')}-1" for role in ROLES}
STRANGERS = {role: f"{NAME[role].replace('_', '-')}-2" for role in ROLES}
OFFERED = "welfare-centre-3"
"""The OCMW that a case is handed over to."""

DELEGATION = Delegation(
    id="offered-for-related",
    principal=f"urn:schakel:org:{RELATED['O']}",
    agent=f"urn:schakel:org:{OFFERED}",
    events=("offer.*", "referral.*"),
    territory=frozenset({NIS}),
    valid_from=TODAY,
)
"""One OCMW may refer for another, in one municipality."""

ALL_FIELDSETS = [
    "core",
    "identify",
    "name",
    "staff_contact",
    "insz",
    "status",
    "decision",
    "work_limits",
    "guidance",
    "outcome",
    "outcome_summary",
    "rights",
    "attendance",
    "note",
]


def urn_of(participant: str) -> str:
    """Each participant of the cast is an organisation of its own."""
    return f"urn:schakel:org:{participant}"


def _participants() -> list[Participant]:
    rows = [(role, name) for role in ROLES for name in (RELATED[role], STRANGERS[role])]
    rows.append(("O", OFFERED))
    # The competent OCMW and VDAB are the related ones: their territory is the narrowest.
    return [
        Participant(
            id=name,
            organisation=urn_of(name),
            organisation_name=name,
            role=role,
            name=name,
            territory=frozenset({NIS}) if name in RELATED.values() else frozenset({NIS, "24062"}),
        )
        for role, name in rows
    ]


def document(
    parties: list[str], agreement_id: str = "prot-2026-001", **changes: Any
) -> dict[str, Any]:
    """An agreement in which every party grants everything to every role of the others."""
    grants = [
        {
            "from": party,
            "to_role": NAME[role],
            "events": [
                "referral.*",
                "placement.*",
                "guidance.*",
                "outcome.*",
                "trajectory.*",
                "subject.*",
                "transition.*",
            ],
            "purpose": "activation_referral",
            "fieldsets": ALL_FIELDSETS,
            "territory_nis": [NIS],
            "doors": ["feed", "webhook", "kafka"],
            "onward": True,
        }
        for party in parties
        for role in sorted(PARTNER_LETTERS)
    ]
    return {
        "agreement_id": agreement_id,
        "parties": parties,
        "legal": {
            "instrument": "ivc_deliberation",
            "ref": "test",
            "dpo_advice": "2026-01-01",
            "art9_ground": "social_law_9_2_b",
        },
        "validity": {"from": "2026-01-01", "to": "2028-12-31"},
        "grants": grants,
        **changes,
    }


@cache
def registry() -> Registry:
    """The registry of the cast with its one agreement."""
    return registry_with(document([one.organisation for one in _participants()]))


def registry_with(*documents: dict[str, Any]) -> Registry:
    """The cast under other agreements."""
    participants = _participants()
    return Registry.build(
        version=1,
        environment="test",
        organisations=[
            Organisation(one.organisation, one.name, private=one.role in PRIVATE)
            for one in participants
        ],
        participants=participants,
        agreements=[RegisteredAgreement(parse_agreement(one), "active") for one in documents],
        delegations=[DELEGATION],
    )


def granting(places: list[str]) -> Registry:
    """The registry with an agreement of everybody for these municipalities."""
    whole = registry()
    made = document([one.organisation for one in whole.participants.values()])
    grants = [{**one, "territory_nis": places} for one in made["grants"]]
    return Registry.build(
        version=2,
        environment="test",
        organisations=whole.organisations.values(),
        participants=whole.participants.values(),
        agreements=[RegisteredAgreement(parse_agreement({**made, "grants": grants}))],
    )


def ruled(programme: str, **values: Any) -> Registry:
    """The registry, with other values in every rule set of one programme."""
    shipped = shipped_rules()
    sets = tuple(changed(one, **values) for one in shipped.rule_sets(programme))
    rules = ProgrammeRules({**shipped.own, programme: sets}, shipped.shared)
    return changed(registry(), rules=rules)


def ids() -> Callable[[], str]:
    """Predictable UUIDs."""
    numbers = count(1)
    return lambda: f"01950000-0000-7000-8000-{next(numbers):012d}"


REFERRAL = "01950000-0000-7000-9000-000000000001"
PLACEMENT = "01950000-0000-7000-9000-000000000002"
OUTCOME = "01950000-0000-7000-9000-000000000003"
RIGHT = "01950000-0000-7000-9000-000000000004"
TRAJECTORY = "01950000-0000-7000-9000-000000000005"
OFFER = "01950000-0000-7000-9000-000000000006"
TASK = "01950000-0000-7000-9000-000000000007"
ASSIGNMENT = "01950000-0000-7000-9000-000000000008"
SECOND_ASSIGNMENT = "01950000-0000-7000-9000-000000000010"
MANDATE = "01950000-0000-7000-9000-000000000011"
SUBJECT, OTHER = "subject-1", "subject-2"
"""The person of the case, and somebody else whom VDAB and OCMW know."""
FRESH = "01950000-0000-7000-9000-000000000009"


def referral(state: str) -> Referral:
    """A referral of the local partner to the organiser; open ones have candidates."""
    reached = state not in ("pending_endorsement", "open")
    return Referral(
        id=REFERRAL,
        state=state,
        version=3,
        programme="wijk_werken",
        referrer=RELATED["P"],
        target=None if state == "open" else RELATED["W"],
        handler=RELATED["W"] if reached else None,
        endorser=RELATED["O"],
        candidates=(RELATED["S"], RELATED["V"]) if state == "open" else (),
        previous="acknowledged" if state in ("declined", "withdrawn", "expired") else "accepted",
        closed_by=RELATED["W"],
        closed_at=NOW - DAY,
    )


def placement(state: str) -> Placement:
    """A placement of the organiser at the host."""
    return Placement(
        id=PLACEMENT,
        state=state,
        version=2,
        programme="wijk_werken",
        organiser=RELATED["W"],
        referral_id=REFERRAL,
        hosts=() if state in ("planned", "cancelled") else (RELATED["H"],),
        planned_hosts=(RELATED["H"],),
        mentored=True,
        start_date="2026-04-01",
        planned_end="2026-09-30",
        assignments={
            ASSIGNMENT: Assignment(ASSIGNMENT, RELATED["H"], mentored=True, begins="2026-04-01"),
            SECOND_ASSIGNMENT: Assignment(SECOND_ASSIGNMENT, household=True, begins="2026-04-01"),
        },
        started=state not in ("planned", "cancelled"),
        closed_by=RELATED["W"],
        closed_at=NOW - DAY,
    )


def case(state: str = "held", **parts: Any) -> Trajectory:
    """A case held by VDAB, in which OCMW, organiser, partner, host and training take part."""
    trajectory = Trajectory(
        id=TRAJECTORY,
        subject_id="subject-1",
        state=state,
        version=4,
        territory_nis=NIS,
        holder=None if state == "unassigned" else RELATED["V"],
        proposed_holder=RELATED["O"] if state == "unassigned" else None,
        offered_holder=OFFERED if state == "handing_over" else None,
        closed_at=NOW - DAY if state == "closed" else None,
        viewers=(RELATED["T"],),
        tasks={TASK: Task(TASK, "declined_referral", RELATED["O"], "2026-06-10")},
    )
    parts.setdefault("referrals", {REFERRAL: referral("accepted")})
    return replace(trajectory, **parts)


def case_with(kind: str, state: str) -> Trajectory:
    """A case whose aggregate of one kind is in one state."""
    if kind == "trajectory":
        closed = {REFERRAL: referral("closed")}
        ended = {PLACEMENT: placement("ended")}
        return case(state, referrals=closed, placements=ended)
    if kind == "referral":
        return case(referrals={REFERRAL: referral(state)} if state != "none" else {})
    started = {REFERRAL: referral("closed")}
    if kind == "placement":
        if state == "none":
            return case()
        first = referral("accepted" if state == "planned" else "closed")
        return case(referrals={REFERRAL: first}, placements={PLACEMENT: placement(state)})
    ended = {PLACEMENT: placement("ended")}
    if kind == "outcome":
        outcomes = {OUTCOME: Outcome(OUTCOME, state, 1, RELATED["S"], PLACEMENT)}
        return case(
            referrals=started, placements=ended, outcomes={} if state == "none" else outcomes
        )
    rights = {RIGHT: Right(RIGHT, state, 1, RELATED["W"])}
    return case(referrals=started, placements=ended, rights={} if state == "none" else rights)


def offer(state: str) -> Offer:
    """An offer of the organiser at the host."""
    return Offer(
        id=OFFER,
        state=state,
        version=1,
        owner=RELATED["W"],
        territory_nis=NIS,
        hosts=(RELATED["H"],),
        programmes=("wijk_werken",),
        declared=True,
        host_org=urn_of(RELATED["H"]),
        activity="green_maintenance",
        places=3,
        free_places=2,
    )


def mandate(state: str) -> Mandate:
    """The organiser's mandate goes to the other one on 1 June 2026."""
    return Mandate(
        id=MANDATE,
        state=state,
        version=1,
        mover=RELATED["V"],
        giver=RELATED["W"],
        receiver=STRANGERS["W"],
        nis=(NIS,),
        effective="2026-06-01",
        territory_nis=NIS,
    )


def context(
    trajectory: Trajectory | None = None,
    an_offer: Offer | None = None,
    known: Registry | None = None,
) -> Context:
    """What the ledger would bring."""
    return Context(
        registry=known or registry(),
        trajectory=trajectory,
        offer=an_offer,
        subject_id="subject-1",
        now=NOW,
        new_id=ids(),
        environment="test",
    )


def with_people(
    brought: Context, links: tuple[str, ...] = (), holds: tuple[Hold, ...] = ()
) -> Context:
    """The context, with the other person, and an open case of this one beside this case."""
    other = Subject(OTHER, NOW - DAY, links=(SUBJECT,) if links else ())
    return replace(
        brought,
        subject=Subject(SUBJECT, NOW - 2 * DAY, links=links, holds=holds),
        elsewhere=(replace(case(), id=FRESH),),
        named={OTHER: Other(other), SUBJECT: Other(Subject(SUBJECT, NOW - 2 * DAY))},
    )


def submission(name: str, participant: str, data: dict[str, Any], **changes: Any) -> Submission:
    """An event as the interface would hand it over; the hub acts for VDAB."""
    event = catalogue().event(name)
    made = Submission(
        participant=participant,
        client_id=f"{participant}-client",
        scopes=frozenset({event.scope}),
        event=event,
        sender_event_id="e-1",
        occurred_at=NOW,
        data=data,
        canonical=b"{}",
        on_behalf_of=RELATED["V"] if participant == HUB else None,
    )
    return replace(made, **changes)
