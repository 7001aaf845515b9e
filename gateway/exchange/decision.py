"""What `decide` takes and gives: the context it may look at, and the accepted or refused event.

Everything here is a value. The ledger fills the context under its locks and writes what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from gateway.exchange.mandate import Mandate
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.registry import Registry
    from gateway.exchange.rounds import Round
    from gateway.exchange.state import Trajectory
    from gateway.exchange.subject_state import Subject
    from gateway.exchange.submission import Submission
    from schemas.catalogue import EventType
    from schemas.errors import Message, SchakelError
    from schemas.facts import Fact

HUB = "hub"
"""The pseudo participant that sends the hub's own events."""

Step = Literal["rules", "authorisation", "lifecycle"]


class Recipient(Struct, frozen=True, gc=False, omit_defaults=True):
    """One possible recipient of one event, as decided when the event was accepted.

    `excluded` names the leg that keeps the event from this participant; None means entitled.
    `agreement_id` is None for an entitled recipient when no grant is needed: the participant
    that caused a hub event, or an event that everybody may read. `served` tells that it then
    served the municipality, in a role that is given for a territory.
    """

    participant: str
    role: str
    relations: tuple[str, ...]
    agreement_id: str | None = None
    excluded: str | None = None
    served: bool = False


class Warning(Struct, frozen=True, gc=False):  # noqa: A001 - the field's word, and the built-in is never raised here
    """Something the sender is told beside an acceptance; it never blocks.

    `rules` names the rules it is about, when it is about rules.
    """

    code: str
    detail: Message
    rules: tuple[str, ...] = ()


class DecidedEvent(Struct, frozen=True, gc=False):
    """One accepted event, or a hub event that follows from it.

    Attributes:
        producer: participant id of the sender, or `hub`.
        producer_org: URN of the organisation it is sealed and disclosed under.
        caused_by: participant whose event led to this one; the producer itself if not the hub.
        joined: participants that became members of the trajectory by this event and have to
            get the earlier events their grants allow first (`domain.md` §3.13).
        data: plain JSON as the schema's readers see it; nothing of it may be logged.
    """

    event_id: str
    event: EventType
    aggregate_type: str
    aggregate_id: str
    aggregate_version: int
    trajectory_id: str | None
    subject_id: str | None
    producer: str
    producer_org: str
    caused_by: str
    actor_role: str
    purpose: str | None
    legal_basis: str | None
    agreement_id: str | None
    agreement_hash: str | None
    territory_nis: str
    rule_set: str
    causation_id: str | None
    occurred_at: int
    recorded_at: int
    source_record_id: str | None
    actor_ref: str | None
    data: dict[str, Any]
    programme: str | None
    recipients: tuple[Recipient, ...]
    joined: tuple[str, ...] = ()


class Errand(Struct, frozen=True, gc=False):
    """A hub event to be sent on another case, or later: written with the event that asks for it.

    It is submitted once, under its own id, by whichever gateway takes it first, and survives a
    crash of all of them. It is kept in the open, so `data` holds ids, codes and dates only.

    Attributes:
        id: sender event id of the submission; fixed, so that twice sent is once recorded.
        due_at: microseconds since the epoch.
        target_id: the trajectory or offer.
        aggregate_id: the referral, placement, outcome or right; None for the target itself.
        acts_for: participant under whose grants the event is disclosed.
        beside: another trajectory that it has to do with; no part of what is delivered.
        repeats: sender key of the event whose data it repeats, opened when it is sent.
        told: participants that an erasure is told to, whoever is a member.
    """

    id: str
    due_at: int
    name: str
    target_id: str
    aggregate_id: str | None
    acts_for: str
    data: dict[str, Any]
    beside: str | None = None
    repeats: str | None = None
    told: tuple[str, ...] = ()


class Accepted(Struct, frozen=True, gc=False):
    """The submitted event comes first in `events`; hub events that follow from it come after.

    `others` are further persons whose state changed.
    """

    events: tuple[DecidedEvent, ...]
    trajectory: Trajectory | None = None
    offer: Offer | None = None
    subject: Subject | None = None
    warnings: tuple[Warning, ...] = ()
    facts: tuple[Fact, ...] = ()
    errands: tuple[Errand, ...] = ()
    others: tuple[Subject, ...] = ()
    mandate: Mandate | None = None
    rounds: tuple[Round, ...] = ()


class Refused(Struct, frozen=True, gc=False):
    """Nothing is written. `error.facts` names the failing `leg` and the `allowed` events now."""

    error: SchakelError
    step: Step


def no_offer_owners(_programme: str, _nis: str) -> frozenset[str]:
    """Nobody has a published offer: the default of `Context.offer_owners`."""
    return frozenset()


def no_offers(_nis: str) -> tuple[Offer, ...]:
    """No offer is near: the default of `Context.offers_at`."""
    return ()


def no_offer(_offer_id: str) -> Offer | None:
    """There is no such offer: the default of `Context.find_offer`."""
    return None


class Other(Struct, frozen=True, gc=False):
    """Another person as the hub knows persons, with its trajectories that were not joined."""

    subject: Subject
    cases: tuple[Trajectory, ...] = ()


def no_files(_organiser: str, _nis: tuple[str, ...]) -> int:
    """No case is open: the default of `Context.open_files`."""
    return 0


class Context(Struct, frozen=True, gc=False):
    """All that `decide` may look at, read under the ledger's locks.

    Attributes:
        subject_id: the hub's id of the person, known or fresh; None for events about nobody.
        subject: the person's state; None when the hub does not know the person yet.
        linked: the states of the same person's other subjects, by confirmed links.
        elsewhere: the person's other trajectories, where the event may have to do with them;
            those of linked subjects among them.
        twin: who the INSZ in the data belongs to, when that is another subject than the case's.
        candidates: whoever else the data may be about, by likeness.
        named: persons whom the data names, by the reference in it.
        now: microseconds since the epoch, UTC, from the business clock.
        new_id: gives a fresh UUIDv7.
        offer_owners: participants with a published offer of a programme in a municipality.
        offers_at: published offers of a municipality.
        named_offer: the offer that the data of an event about a person name, under its lock.
        find_offer: any other offer by its id, as it is without a lock.
        mandate: what an event about a mandate is about.
        open_files: how many open cases in some municipalities an organiser has a part in.
    """

    registry: Registry
    trajectory: Trajectory | None
    offer: Offer | None
    subject_id: str | None
    now: int
    new_id: Callable[[], str]
    environment: str
    offer_owners: Callable[[str, str], frozenset[str]] = no_offer_owners
    subject: Subject | None = None
    linked: tuple[Subject, ...] = ()
    elsewhere: tuple[Trajectory, ...] = ()
    twin: Other | None = None
    candidates: tuple[Other, ...] = ()
    named: Mapping[str, Other] = {}
    named_offer: Offer | None = None
    offers_at: Callable[[str], tuple[Offer, ...]] = no_offers
    find_offer: Callable[[str], Offer | None] = no_offer
    mandate: Mandate | None = None
    open_files: Callable[[str, tuple[str, ...]], int] = no_files


Decide = Callable[["Submission", Context], Accepted | Refused]
"""Pure: same arguments, same result, apart from the ids that `Context.new_id` hands out."""
