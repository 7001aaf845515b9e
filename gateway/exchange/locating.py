"""Which case a submission means, and whose (`domain.md` §3.12).

A sender may name a trajectory, something on it, or its own number; a referral may also be
recognised by its INSZ or by what the same referrer sent before.
Numbers and names are only ever kept as keyed digests.
"""

from __future__ import annotations

import hmac
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from gateway.errors import IdentifierTaken
from gateway.exchange.decision import HUB
from gateway.exchange.draft import unknown_case
from gateway.exchange.likeness import folded, traits
from gateway.exchange.relations import parties
from schemas.errors import Message
from schemas.identifiers import is_uuid
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gateway.exchange.state import Trajectory
    from gateway.exchange.submission import Submission
    from gateway.exchange.working import Working

DIGEST_CHARACTERS = 40
OWN, INSZ, NATURAL = "own", "insz", "natural"
LIKE = "like"
PERSON_FIELDS = ("other_ref", "old_ref", "new_ref")
"""Fields that name a person by a pseudonym of the sender; `pseudonym.py` says in which events."""

ABOUT_PERSONS = frozenset(
    {"subject.details_changed", "subject.linked", "subject.unlinked", "subject.merged",
     "subject.objection_recorded", "subject.objection_lifted", "subject.consent_withdrawn",
     "trajectory.joined"}
)  # fmt: skip
"""Events that have to do with the other trajectories of the person."""


class Known(NamedTuple):
    """What a digest stands for: a person, and a trajectory (or an offer) they are met on."""

    subject_id: str | None
    target_id: str


class Handles(Struct, frozen=True, gc=False):
    """Everything by which one submission may refer to a case.

    Attributes:
        creates: the event begins a referral, placement, outcome, right or offer.
        named: ids in the submission that a trajectory can be found by, the likeliest first.
        own: digest of the sender's own number.
        insz: digest of an INSZ in the data.
        natural: digest of what the same referrer would send of the same person again.
        likeness: kind and digest of traits that another record of the same person may share.
        persons: references to persons that the data names, in the sender's pseudonyms.
        beside: another trajectory that the event has to do with.
        whole: the event is about the person, so that all of its trajectories are looked at.
    """

    creates: bool
    named: tuple[str, ...]
    own: str | None = None
    insz: str | None = None
    natural: str | None = None
    likeness: tuple[tuple[str, str], ...] = ()
    persons: tuple[str, ...] = ()
    beside: str | None = None
    whole: bool = False

    def digests(self) -> Iterable[tuple[str, str]]:
        """Kind and digest of those that are there."""
        pairs = ((OWN, self.own), (INSZ, self.insz), (NATURAL, self.natural))
        return ((kind, digest) for kind, digest in pairs if digest is not None)

    def touched(self) -> set[str]:
        """All of it, to tell whether two submissions may be about one case."""
        return {*self.named, *(digest for _, digest in self.digests())}


class Place(Struct, frozen=True, gc=False):
    """Where a submission lands: an existing trajectory or offer, or a person known before."""

    target_id: str | None
    subject_id: str | None = None


@cache
def creating_events() -> frozenset[str]:
    """The event types that begin something, by the lifecycle tables."""
    return frozenset[str]().union(*(table.creating for table in lifecycles().values()))


class Locator:
    """Finds handles.

    Args:
        key: of the blind index.
        matching: whether persons are looked for by likeness; a controller has to answer for it.
    """

    def __init__(self, key: bytes, *, matching: bool = True) -> None:
        self._key = key
        self._matching = matching

    def handles(self, submission: Submission) -> Handles:
        """The handles of one submission; pure, costs a few microseconds."""
        data = submission.data
        creates = submission.event.name in creating_events()
        named = [one for one in (submission.trajectory_id, submission.subject) if one]
        if creates:
            named += [one for name in ("referral_id", "placement_id") if (one := data.get(name))]
        own = insz = natural = None
        if submission.source_record_id and not is_mandate(submission):
            own = self.own_number(
                submission.participant, submission.source_record_id, is_offer(submission)
            )
        number = data.get("insz") or (data.get("values") or {}).get("insz")
        if number:
            insz = self._digest(INSZ, number)
        if own is None and submission.event.name == "referral.created":
            natural = self._natural(submission.participant, data.get("person") or {})
        return Handles(
            creates,
            tuple(named),
            own,
            insz,
            natural,
            likeness=self._likeness(submission),
            persons=tuple(data[one] for one in PERSON_FIELDS if one in data),
            beside=data.get("into") or submission.beside,
            whole=submission.event.name in ABOUT_PERSONS,
        )

    def _likeness(self, submission: Submission) -> tuple[tuple[str, str], ...]:
        if not self._matching or not submission.event.personal or submission.participant == HUB:
            return ()
        found = traits(submission.data)
        return tuple((kind, self._digest(LIKE, kind, *values)) for kind, values in found)

    def own_number(self, participant: str, number: str, of_offer: bool = False) -> str:  # noqa: FBT001, FBT002
        """The digest under which a participant's own number is kept."""
        return self._digest(OWN, "offer" if of_offer else "case", participant, number)

    def own_numbers(self, participants: Iterable[str], number: str) -> set[str]:
        """All digests under which a number may be kept that one of these participants gave."""
        kinds = (False, True)
        return {self.own_number(one, number, kind) for one in participants for kind in kinds}

    def _natural(self, participant: str, person: dict[str, Any]) -> str | None:
        names = (person.get("family_name"), person.get("given_name"))
        if not (all(names) and person.get("phone")):
            return None
        given = (folded(str(name)) for name in names)
        return self._digest(NATURAL, participant, *given, str(person["phone"]))

    def _digest(self, *values: str) -> str:
        made = hmac.digest(self._key, "\x1f".join(values).encode(), "sha256")
        return made.hex()[:DIGEST_CHARACTERS]


def is_mandate(submission: Submission) -> bool:
    """Whether the submission is about the mandate of an organiser and so about no person."""
    return submission.event.aggregate_type == "mandate"


def is_offer(submission: Submission) -> bool:
    """Whether the submission is about an offer and so about no person."""
    return submission.event.aggregate_type == "offer"


def offer_named(submission: Submission) -> str | None:
    """The offer that an event about a person names in its data, if it names one."""
    if is_offer(submission):
        return None
    found: str | None = submission.data.get("offer_id")
    return found


def locate(
    submission: Submission,
    handles: Handles,
    working: Working,
    apart: frozenset[str] = frozenset(),
) -> Place:
    """The case that a submission means; persons in `apart` are not recognised by what they share.

    Raises:
        UnknownCase: it names one that does not exist, or two different ones.
        IdentifierTaken: it gives something new an id that is no UUID or exists.
    """
    if handles.creates and submission.subject:
        _must_be_fresh(submission.subject, working)
    if is_offer(submission):
        return _offer(submission, handles, working)
    if is_mandate(submission):
        return _mandate(submission, handles, working)
    trajectory_id = _named(submission, handles, working)
    if trajectory_id is None and handles.own is not None and handles.own in working.digests:
        trajectory_id = working.digests[handles.own].target_id
    if trajectory_id is not None:
        return Place(trajectory_id, working.trajectories[trajectory_id].subject_id)
    if submission.event.name == "referral.created":
        return _recognised(submission.participant, handles, working, apart)
    raise unknown_case()


def _named(submission: Submission, handles: Handles, working: Working) -> str | None:
    """The one trajectory that the named ids lead to."""
    if submission.trajectory_id and submission.trajectory_id not in working.trajectories:
        raise unknown_case()
    found = {trajectory for name in handles.named if (trajectory := working.trajectory_of(name))}
    if len(found) > 1:
        raise unknown_case()
    if not found and submission.subject and not handles.creates:
        raise unknown_case()
    return found.pop() if found else None


def _recognised(sender: str, handles: Handles, working: Working, apart: frozenset[str]) -> Place:
    """A known person: the same trajectory only when the sender is already a member of one."""
    for digest in (handles.insz, handles.natural):
        known = working.digests.get(digest) if digest is not None else None
        if known is not None and known.subject_id is not None:
            subject_id = working.canonical(known.subject_id)
            if subject_id in apart or working.is_erased_for(subject_id, sender):
                continue
            if digest == handles.natural and _has_another_number(subject_id, handles, working):
                continue
            own = [
                one
                for one in working.trajectories_of(subject_id)
                if one.state != "joined" and sender in parties(one)
            ]
            latest = max(own, key=_last_event, default=None)
            return Place(latest.id if latest else None, subject_id)
    return Place(None)


def _has_another_number(subject_id: str, handles: Handles, working: Working) -> bool:
    """Whether somebody of the same name and telephone is known by another INSZ than the one given.

    A number that is not known yet is of somebody else then: a parent and a child may share both.
    """
    subject = working.subjects.get(subject_id)
    return handles.insz is not None and subject is not None and subject.recognised_by == INSZ


def _offer(submission: Submission, handles: Handles, working: Working) -> Place:
    if handles.creates:
        return Place(None)
    offer_id = submission.subject
    if offer_id is None and handles.own is not None and handles.own in working.digests:
        offer_id = working.digests[handles.own].target_id
    if offer_id is None or offer_id not in working.offers:
        raise unknown_case()
    return Place(offer_id)


def _mandate(submission: Submission, handles: Handles, working: Working) -> Place:
    if handles.creates:
        return Place(None)
    if submission.subject is None or submission.subject not in working.mandates:
        raise unknown_case()
    return Place(submission.subject)


def _must_be_fresh(given: str, working: Working) -> None:
    known = given in working.offers or given in working.mandates
    if is_uuid(given) and working.trajectory_of(given) is None and not known:
        return
    raise IdentifierTaken(
        Message(
            nl="Geef iets nieuws een nieuw UUID als subject, of laat subject weg.",
            en="Give something new a fresh UUID as its subject, or leave subject out.",
        ),
        leg="rules",
    )


def _last_event(trajectory: Trajectory) -> tuple[int, str]:
    return trajectory.last_event_at, trajectory.id
