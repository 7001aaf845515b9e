"""The working copy of one decision: what the effects change and what they make follow.

A draft lives inside one call of `decide` and never leaves it, so the decision stays pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from consumers.clock import date_of
from gateway.errors import RuleBroken, UnknownCase
from gateway.exchange.consulted import consulted
from gateway.exchange.decision import Warning as Notice
from gateway.exchange.relations import members
from gateway.exchange.subject_state import Subject
from schemas.errors import InvalidParam, Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from gateway.exchange.decision import Context, Errand
    from gateway.exchange.mandate import Mandate
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.registry import Participant
    from gateway.exchange.relations import Relations
    from gateway.exchange.rounds import Round
    from gateway.exchange.state import Outcome, Placement, Referral, Right, Task, Trajectory
    from gateway.exchange.submission import Submission
    from schemas.facts import Fact
    from schemas.grants import Grant
    from schemas.rule_set import RuleSet


Part = TypeVar("Part", "Referral", "Placement", "Outcome", "Right")


class Actor(Struct, frozen=True, gc=False):
    """Who sends: a participant, or the hub on account of one.

    `caused_by` is the participant whose event or timer led here; the same as `id` for partners.
    """

    id: str
    role: str
    caused_by: str
    organisation: str


class Move(Struct, frozen=True, gc=False):
    """One event about to be applied: the table has already said that it leads to `state`."""

    name: str
    actor: Actor
    aggregate_id: str
    state: str
    data: dict[str, Any]
    event_id: str


class Pending(Struct, frozen=True, gc=False):
    """An event that was applied to the draft and waits for its recipients.

    `nis`: the municipality that counts for it; for a move the old one, whose members are told.
    """

    name: str
    aggregate_type: str
    aggregate_id: str
    version: int
    actor: Actor
    data: dict[str, Any]
    nis: str
    programme: str | None
    event_id: str
    hidden: bool = False


class FollowUp(Struct, frozen=True, gc=False):
    """A hub event that an effect makes follow; applied through the same tables."""

    name: str
    aggregate_id: str
    data: dict[str, Any]


@dataclass(slots=True)
class Draft:
    """One decision in the making.

    Attributes:
        sender: the submitting participant, or the one a hub timer acts for.
        today: the business day in Brussels; agreements and roles are read on it.
        occurred_on: the day the event happened; municipality codes are read on it.
        needed: rules that were asked for and that nobody has settled, as `programme.value`.
        offer: what an offer's event is about; `named_offer` is what a person's event names.
    """

    submission: Submission
    context: Context
    sender: Participant
    today: date
    occurred_on: date
    nis: str = ""
    trajectory: Trajectory | None = None
    offer: Offer | None = None
    subject: Subject | None = None
    others: list[Subject] = field(default_factory=list)
    named_offer: Offer | None = None
    mandate: Mandate | None = None
    done: list[Pending] = field(default_factory=list)
    queue: list[FollowUp] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    needed: dict[str, None] = field(default_factory=dict)
    memberships: list[tuple[Trajectory, Relations]] = field(default_factory=list)

    def members(self, trajectory: Trajectory) -> Relations:
        """Every member with all its relations; not to be changed. Worked out once per state."""
        for known, found in self.memberships:
            if known is trajectory or _same_parties(known, trajectory):
                return found
        found = members(trajectory)
        self.memberships.append((trajectory, found))
        return found

    @property
    def data(self) -> dict[str, Any]:
        """The submitted data."""
        return self.submission.data

    @property
    def case(self) -> Trajectory:
        """The trajectory; effects on a person's path only run when there is one.

        Raises:
            UnknownCase: there is none.
        """
        if self.trajectory is None:
            raise unknown_case()
        return self.trajectory

    def follow(self, name: str, aggregate_id: str, **data: Any) -> None:
        """Let a hub event follow from this one, in the same transaction. None values drop out."""
        kept = {key: value for key, value in data.items() if value is not None}
        self.queue.append(FollowUp(name, aggregate_id, kept))

    def warn(self, code: str, nl: str, en: str) -> None:
        """Tell the sender something beside the acceptance; nothing is blocked."""
        self.warnings.append(Notice(code, Message(nl=nl, en=en)))

    def change(self, **fields: Any) -> None:
        """Change fields of the trajectory itself."""
        self.trajectory = replace(self.case, **fields)

    def put_referral(self, referral: Referral) -> None:
        """Replace or add a referral."""
        referral = self._dated(referral, self.case.referrals.get(referral.id))
        self.change(referrals={**self.case.referrals, referral.id: referral})

    def put_placement(self, placement: Placement) -> None:
        """Replace or add a placement."""
        placement = self._dated(placement, self.case.placements.get(placement.id))
        self.change(placements={**self.case.placements, placement.id: placement})

    def put_outcome(self, outcome: Outcome) -> None:
        """Replace or add an outcome."""
        outcome = self._dated(outcome, self.case.outcomes.get(outcome.id))
        self.change(outcomes={**self.case.outcomes, outcome.id: outcome})

    def put_right(self, right: Right) -> None:
        """Replace or add a right."""
        right = self._dated(right, self.case.rights.get(right.id))
        self.change(rights={**self.case.rights, right.id: right})

    def _dated(self, part: Part, before: Part | None) -> Part:
        """With the time at which it came into its state, when that is a new one."""
        if before is not None and before.state == part.state:
            return part
        return replace(part, since=self.context.now)

    @property
    def person(self) -> Subject:
        """The person of this case, with no history yet when the hub meets it now."""
        if self.subject is None:
            self.subject = Subject(id=self.case.subject_id, since=self.context.now)
        return self.subject

    def rules(self, programme: str, on: date | None = None) -> RuleSet:
        """The rules of a programme today, or on the day of a fact that was reported later.

        Reading a value that is left open is noted in `needed`.

        Raises:
            UnknownProgramme: no programme has this code.
        """
        found = self.context.registry.rules.rule_set(programme, on or self.today)
        return consulted(found, self.needed)

    def grant(self, organisation: str, target: Participant, event: str) -> Grant | None:
        """The grant by which an organisation's event reaches a participant here today, if any."""
        return self.context.registry.grants.applicable(
            from_org=organisation,
            to_org=target.organisation,
            to_role=target.role,
            event=event,
            territory=self.nis,
            on=self.today,
        )

    def is_covered(self, organisation: str, target: Participant, event: str) -> bool:
        """Whether an event may go to a participant: its own organisation needs no agreement."""
        if target.organisation == organisation:
            return True
        return self.grant(organisation, target, event) is not None

    def put_task(self, task: Task) -> None:
        """Replace or add a task."""
        self.change(tasks={**self.case.tasks, task.id: task})

    def resolve(self, urn: str, roles: Sequence[str], target_role: str | None = None) -> str:
        """The participant that an organisation's URN means here.

        Raises:
            Unresolvable: nobody or several fit.
        """
        found = self.context.registry.resolve(
            urn, roles, self.nis or None, self.today, target_role=target_role
        )
        return found.id


def _same_parties(one: Trajectory, other: Trajectory) -> bool:
    """Whether two states of a case have the same members: parts are never changed in place."""
    return (
        one.referrals is other.referrals
        and one.placements is other.placements
        and one.holder == other.holder
        and one.proposed_holder == other.proposed_holder
        and one.offered_holder == other.offered_holder
        and one.viewers == other.viewers
        and one.reopened_at == other.reopened_at
        and one.outcomes is other.outcomes
        and one.rights is other.rights
    )


def open_draft(submission: Submission, context: Context, sender: Participant) -> Draft:
    """A draft on the state that the context brings; a new case has no municipality yet."""
    known = context.trajectory or context.offer or context.mandate
    return Draft(
        submission=submission,
        context=context,
        sender=sender,
        today=date_of(context.now),
        occurred_on=date_of(submission.occurred_at),
        nis="" if known is None else known.territory_nis,
        trajectory=context.trajectory,
        offer=context.offer,
        subject=context.subject,
        named_offer=context.named_offer,
        mandate=context.mandate,
    )


def unknown_case() -> UnknownCase:
    """The one answer for a case that does not exist and for one of somebody else."""
    return UnknownCase(
        Message(
            nl="Dit dossier bestaat niet, of u bent er geen partij in. Controleer het nummer.",
            en="This case does not exist, or you are no part of it. Check the identifier.",
        ),
        leg="membership",
    )


def broken(code: str, nl: str, en: str, field: str | None = None) -> RuleBroken:
    """A refusal by rule `code`; `field` is the one to mend, when there is one."""
    message = Message(nl=nl, en=en)
    invalid = () if field is None else (InvalidParam(name=field, code=code, reason=message),)
    return RuleBroken(message, leg="rules", invalid=invalid, facts={"rule": code})
