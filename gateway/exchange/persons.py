"""What one shared commit knows about the persons of a submission, for its decision.

Who the case is about and who is the same person by a link; who else it may be, by INSZ or by
likeness; and whom the sender names by a pseudonym of its own (`domain.md` §3.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from gateway.exchange.decision import HUB, Other
from gateway.exchange.likeness import MOST_SHARING, is_candidate
from gateway.exchange.locating import PERSON_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.exchange.locating import Handles
    from gateway.exchange.state import Trajectory
    from gateway.exchange.subject_state import Subject
    from gateway.exchange.submission import Submission
    from gateway.exchange.working import Working


class Persons(Struct, frozen=True, gc=False):
    """The person of a submission, and everybody else it has to do with; see `Context`."""

    subject: Subject | None = None
    linked: tuple[Subject, ...] = ()
    elsewhere: tuple[Trajectory, ...] = ()
    twin: Other | None = None
    candidates: tuple[Other, ...] = ()
    named: dict[str, Other] = {}


NOBODY = Persons()


def around(
    subject_id: str | None,
    handles: Handles,
    target: str | None,
    known: Working,
    sender: str = HUB,
    *,
    apart: frozenset[str] = frozenset(),
) -> Persons:
    """Everybody that a submission about this person, on this trajectory, has to do with.

    A sender whose organisation had its data about somebody erased is not led back to them, and
    nobody to those who are kept `apart`.
    """
    if subject_id is None:
        return NOBODY
    own = known.canonical(subject_id)
    linked = tuple(_linked(own, known))
    same = {own, *(one.id for one in linked)}
    cases = [case for one in sorted(same) for case in _cases(one, known) if case.id != target]
    twin = _twin(own, handles, known)
    subject, here = known.subjects.get(own), known.trajectories.get(target or "")
    if twin is not None and (
        sender in twin.subject.erased
        or twin.subject.id in apart
        or is_kept_apart(subject, [*cases, *([] if here is None else [here])], twin)
    ):
        twin = None
    return Persons(
        subject=subject,
        linked=linked,
        elsewhere=tuple(cases),
        twin=twin,
        candidates=tuple(
            one
            for one in _candidates(same, handles, known)
            if sender not in one.subject.erased and one.subject.id not in apart
        ),
        named=_named(handles, known),
    )


def is_kept_apart(subject: Subject | None, cases: Iterable[Trajectory], other: Other) -> bool:
    """Whether somebody in a case of the one had its data about the other erased.

    To it they are two people since; as one, it could not seal what it still writes.
    """
    mine = {one for case in cases for one in _with_part(case)}
    theirs = {one for case in other.cases for one in _with_part(case)}
    erased = () if subject is None else subject.erased
    return not mine.isdisjoint(other.subject.erased) or not theirs.isdisjoint(erased)


def _with_part(case: Trajectory) -> set[str]:
    """Its members, and whom a referral will reach that still waits for a decision."""
    targets = {one.target for one in case.referrals.values() if one.target is not None}
    return {*case.members, *targets}


def resolved(submission: Submission, known: Working) -> Submission:
    """With the hub's ids of persons where the sender named them by its own pseudonyms."""
    if submission.participant == HUB:
        return submission
    found = {
        name: subject
        for name in PERSON_FIELDS
        if (said := submission.data.get(name)) is not None
        and (subject := known.references.get((submission.participant, said))) is not None
    }
    return replace(submission, data=submission.data | found) if found else submission


def _named(handles: Handles, known: Working) -> dict[str, Other]:
    """By the hub's id; what a sender named in vain is not among them."""
    meant = {*handles.persons, *known.references.values()} if handles.persons else ()
    return {one: _other(known.canonical(one), known) for one in meant if one in known.subjects}


def _linked(own: str, known: Working) -> Iterator[Subject]:
    """Whoever is linked to the person, and to those, each once."""
    seen, waiting = {own}, [own]
    while waiting:
        subject = known.subjects.get(waiting.pop())
        links = () if subject is None else subject.links
        for one in map(known.canonical, links):
            if one not in seen and one in known.subjects:
                seen.add(one)
                waiting.append(one)
                yield known.subjects[one]


def _twin(own: str, handles: Handles, known: Working) -> Other | None:
    found = known.digests.get(handles.insz or "")
    if found is None or found.subject_id is None:
        return None
    twin = known.canonical(found.subject_id)
    return None if twin == own or twin not in known.subjects else _other(twin, known)


def _candidates(same: set[str], handles: Handles, known: Working) -> Iterator[Other]:
    hits: dict[str, set[str]] = {}
    for kind, digest in handles.likeness:
        sharing = {known.canonical(one) for one in known.likeness.get(digest, ())}
        for one in sharing if len(sharing) <= MOST_SHARING else ():
            hits.setdefault(one, set()).add(kind)
    for one in sorted(hits.keys() - same):
        if is_candidate(hits[one]) and one in known.subjects:
            yield _other(one, known)


def _other(subject_id: str, known: Working) -> Other:
    return Other(known.subjects[subject_id], _cases(subject_id, known))


def _cases(subject_id: str, known: Working) -> tuple[Trajectory, ...]:
    found = [one for one in known.trajectories_of(subject_id) if one.state != "joined"]
    return tuple(sorted(found, key=lambda one: (one.last_event_at, one.id)))
