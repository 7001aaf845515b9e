"""The working copy of one shared commit: what was read under locks, changed decision by decision.

A later submission sees what an earlier one changed, also one of another request, because they
commit together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from gateway.exchange.likeness import MOST_SHARING
from gateway.exchange.locating import INSZ, Known
from gateway.exchange.publication import ItemOutcome
from gateway.exchange.subject_state import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.decision import Accepted, DecidedEvent, Errand
    from gateway.exchange.decision import Warning as Notice
    from gateway.exchange.locating import Handles
    from gateway.exchange.mandate import Mandate
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.rounds import Round
    from gateway.exchange.sealing import Prepared
    from gateway.exchange.state import Trajectory
    from gateway.exchange.submission import Submission
    from schemas.facts import Fact


class Entry(Struct, frozen=True, gc=False):
    """An accepted submission: its own event and the hub's that follow, waiting to be sealed."""

    submission: Submission
    prepared: tuple[Prepared, ...]
    warnings: tuple[Notice, ...]


class Repeat(Struct, frozen=True, gc=False):
    """A submission that was accepted before: in this commit, or long ago.

    `accepted` tells that a kept answer is given again, as it was given first.
    """

    of: Entry | LedgerRow
    salt: bytes
    accepted: bool = False
    warnings: tuple[Notice, ...] = ()


Verdict = Entry | Repeat | ItemOutcome
"""What was decided about one submission; an `ItemOutcome` for everything not accepted."""


class Stored(NamedTuple):
    """An idempotency key that was used before."""

    request_hash: bytes
    answer: bytes


@dataclass(slots=True)
class Changes:
    """What has to be written, in the order it came about.

    `held` are persons that said no to something or take that back. `reviews` are cases whose queued
    events have to be looked at again: those of such a person, and those that somebody has left.
    """

    subjects: dict[str, None] = field(default_factory=dict)
    trajectories: dict[str, None] = field(default_factory=dict)
    offers: dict[str, None] = field(default_factory=dict)
    mandates: dict[str, None] = field(default_factory=dict)
    aggregates: dict[str, tuple[str, str]] = field(default_factory=dict)
    digests: dict[str, tuple[str, str | None, Known]] = field(default_factory=dict)
    likeness: dict[tuple[str, str], str] = field(default_factory=dict)
    references: dict[tuple[str, str], None] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    held: dict[str, None] = field(default_factory=dict)
    reviews: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Working:
    """What is known inside one shared commit.

    Attributes:
        aggregates: on which trajectory a referral, placement, outcome or right lives.
        digests: what keyed digests stand for.
        likeness: persons that share a trait, by its digest.
        references: persons by participant and its pseudonym of them.
        priors: events accepted before, by sender key.
        event_ids: the hub's ids of events by sender key, to resolve causation.
        answered: answers by idempotency key: stored ones, and those of this commit.
        dues: when the earliest clock of each trajectory and offer is due, and how many of them are
            put off, by its row.
    """

    subjects: dict[str, Subject] = field(default_factory=dict)
    trajectories: dict[str, Trajectory] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    mandates: dict[str, Mandate] = field(default_factory=dict)
    aggregates: dict[str, str] = field(default_factory=dict)
    digests: dict[str, Known] = field(default_factory=dict)
    likeness: dict[str, frozenset[str]] = field(default_factory=dict)
    references: dict[tuple[str, str], str] = field(default_factory=dict)
    priors: dict[str, Entry | LedgerRow] = field(default_factory=dict)
    event_ids: dict[str, str] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)
    answered: dict[str, tuple[bytes, list[Verdict]]] = field(default_factory=dict)
    dues: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    _cases: dict[str, dict[str, None]] | None = None

    def fork(self) -> Working:
        """A copy that a dry run may change without anybody seeing it."""
        copies = {name: getattr(self, name).copy() for name in _COPIED}
        return replace(self, **copies, changes=Changes(), _cases=None)

    def trajectory_of(self, name: str) -> str | None:
        """The trajectory that an id names: itself, or where that aggregate lives."""
        if name in self.trajectories:
            return name
        return self.aggregates.get(name)

    def trajectories_of(self, subject_id: str) -> Iterator[Trajectory]:
        """The trajectories of one person that were read; also of whom it was merged with."""
        if self._cases is None:
            self._cases = self._by_person()
        return (self.trajectories[one] for one in self._cases.get(subject_id, ()))

    def _by_person(self) -> dict[str, dict[str, None]]:
        """The trajectories of each person, under every id it has had.

        Kept between decisions: going through all of a large commit for each of its events would
        cost the square of it.
        """
        found: dict[str, dict[str, None]] = {}
        for one in self.trajectories.values():
            self._file(one, found)
        return found

    def _file(self, case: Trajectory, cases: dict[str, dict[str, None]]) -> None:
        for subject_id in (case.subject_id, self.canonical(case.subject_id)):
            cases.setdefault(subject_id, {})[case.id] = None

    def canonical(self, subject_id: str) -> str:
        """The subject that stands for this one; itself unless it was merged."""
        known = self.subjects.get(subject_id)
        while known is not None and known.merged_into is not None:
            subject_id = known.merged_into
            known = self.subjects.get(subject_id)
        return subject_id

    def is_erased_for(self, subject_id: str, participant: str) -> bool:
        """Whether its organisation had its data erased, so that it knows the person no more."""
        subject = self.subjects.get(subject_id)
        return subject is not None and participant in subject.erased

    def apply(self, entry: Entry, accepted: Accepted, handles: Handles) -> None:
        """Take an acceptance over: states, places, digests, the event itself and its facts."""
        submission, changes = entry.submission, self.changes
        if accepted.trajectory is not None:
            self.take_case(accepted.trajectory, accepted.subject)
        for other in accepted.others:
            self.take_person(other)
        if accepted.offer is not None:
            self.offers[accepted.offer.id] = accepted.offer
            changes.offers[accepted.offer.id] = None
        if accepted.mandate is not None:
            self.mandates[accepted.mandate.id] = accepted.mandate
            changes.mandates[accepted.mandate.id] = None
        for event in accepted.events:
            self._place(event)
        self._digests(submission.participant, accepted.events[0], handles)
        self._likeness(accepted.events[0], handles)
        key = sender_key(submission)
        self.priors[key] = entry
        self.event_ids[key] = accepted.events[0].event_id
        changes.entries.append(entry)
        changes.facts.extend(accepted.facts)
        changes.errands.extend(accepted.errands)
        changes.rounds.extend(accepted.rounds)

    def take_case(self, trajectory: Trajectory, subject: Subject | None) -> None:
        """Take a new or changed trajectory over, with its person."""
        if subject is None and trajectory.subject_id not in self.subjects:
            subject = Subject(trajectory.subject_id, trajectory.last_event_at)
        if subject is not None:
            self.take_person(subject)
        before = self.trajectories.get(trajectory.id)
        if before is not None and trajectory.left.keys() - before.left.keys():
            self.changes.reviews[trajectory.id] = None
        self._references(trajectory, before)
        self.trajectories[trajectory.id] = trajectory
        if before is not None and before.subject_id != trajectory.subject_id:
            self._cases = None
        elif before is None and self._cases is not None:
            self._file(trajectory, self._cases)
        self.changes.trajectories[trajectory.id] = None

    def take_person(self, subject: Subject) -> None:
        """Take a new or changed person over."""
        before = self.subjects.get(subject.id)
        if before is subject:
            return
        self._holds(subject, before)
        self.subjects[subject.id] = subject
        self.changes.subjects[subject.id] = None
        if subject.merged_into != (None if before is None else before.merged_into):
            self._cases = None

    def _holds(self, after: Subject, before: Subject | None) -> None:
        """What a person says no to has changed, or under which ids the doors look it up."""
        held, merged = ((), ()) if before is None else (before.holds, before.merged)
        if after.holds != held or (after.holds and after.merged != merged):
            self.changes.held[after.id] = None
            cases = self.trajectories_of(after.id)
            self.changes.reviews.update((one.id, None) for one in cases)

    def _references(self, after: Trajectory, before: Trajectory | None) -> None:
        """Whom VDAB and OCMWs know by a pseudonym from now on, so that they may name them."""
        known = self.changes.references
        is_new = before is None or before.subject_id != after.subject_id
        if is_new or (before is not None and before.members is not after.members):
            services = (one for one, role in after.members.items() if role in ("V", "O"))
            known.update(((one, after.subject_id), None) for one in services)
        if before is None or before.tasks is not after.tasks:
            for task in after.tasks.values():
                if task.pair is not None and task.answered is None:
                    known[task.addressee, task.pair[1]] = None

    def _likeness(self, event: DecidedEvent, handles: Handles) -> None:
        for kind, digest in handles.likeness:
            known = self.likeness.get(digest, frozenset())
            if event.subject_id is None or event.subject_id in known or len(known) > MOST_SHARING:
                continue
            self.likeness[digest] = known | {event.subject_id}
            self.changes.likeness[digest, event.subject_id] = kind

    def _place(self, event: DecidedEvent) -> None:
        trajectory_id = event.trajectory_id
        if trajectory_id is None or event.aggregate_id == trajectory_id:
            return
        # Follow-on events may touch aggregates that were not read; only a first version is new.
        if event.aggregate_version == 1 and event.aggregate_id not in self.aggregates:
            self.aggregates[event.aggregate_id] = trajectory_id
            self.changes.aggregates[event.aggregate_id] = (trajectory_id, event.subject_id or "")

    def _digests(self, participant: str, event: DecidedEvent, handles: Handles) -> None:
        known = Known(event.subject_id, event.trajectory_id or event.aggregate_id)
        for kind, digest in handles.digests():
            if digest in self.digests:
                continue
            owner = None if kind == INSZ else participant
            self.digests[digest] = known
            self.changes.digests[digest] = (kind, owner, known)


_COPIED = (
    "subjects", "trajectories", "offers", "mandates", "aggregates", "digests", "likeness",
    "priors", "event_ids",
)  # fmt: skip


def sender_key(submission: Submission) -> str:
    """What makes a submission the same one when it is sent again."""
    return f"{submission.sender}/{submission.sender_event_id}"
