"""What is recognised, linked, merged and changed about a person (`domain.md` §3.12).

Linking joins people, not memberships: the rules over a person then see both, and nobody who is a
member of one trajectory sees anything of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange import holds
from gateway.exchange import person_tasks as tasks
from gateway.exchange.decision import HUB, Errand
from gateway.exchange.relations import members
from gateway.exchange.responsible import for_case
from gateway.exchange.trajectory_effects import moved
from gateway.exchange.working import sender_key
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from gateway.exchange.decision import Other
    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.state import Task, Trajectory
    from gateway.exchange.subject_state import Subject

MERGED, DETAILS = "subject.merged", "subject.details_changed"
BY_NUMBER = "insz"


def recognise(draft: Draft) -> None:
    """What the submitted data says about who it is: the same by INSZ, or perhaps the same.

    The hub merges by itself on an equal INSZ alone; look-alikes are a question to case holders.
    """
    if draft.trajectory is None or draft.submission.participant == HUB:
        return
    context = draft.context
    if _has_number(draft.data) and draft.person.recognised_by != BY_NUMBER:
        draft.subject = replace(draft.person, recognised_by=BY_NUMBER)
    if context.twin is not None:
        older, younger = by_age(draft.person, context.twin.subject)
        draft.follow(MERGED, draft.case.id, old_ref=younger.id, new_ref=older.id)
    if context.trajectory is None:
        same = [one for one in context.elsewhere if _is_same(draft.person, one)]
        if same:
            tasks.ask(draft, tasks.TWO_CASES, None, same)
    own = draft.person
    for one in context.candidates:
        if one.subject.id not in own.not_same and own.id not in one.subject.not_same:
            tasks.ask(draft, tasks.SAME, one.subject.id, one.cases)


def _has_number(data: dict[str, Any]) -> bool:
    return bool(data.get("insz") or (data.get("values") or {}).get("insz"))


def _is_same(person: Subject, case: Trajectory) -> bool:
    return case.subject_id == person.id or case.subject_id in person.merged


def by_age(one: Subject, other: Subject) -> tuple[Subject, Subject]:
    """The older one, which stands for both after a merge, and the younger one."""
    older, younger = sorted((one, other), key=lambda subject: (subject.since, subject.id))
    return older, younger


def details_changed(draft: Draft, move: Move) -> None:
    """Repeat it on the person's other trajectories in which the sender takes part.

    An errand is kept in the open, so it names this event; its data are opened when it is sent.
    """
    moved(draft, move)
    if move.actor.id == HUB:
        return
    key = sender_key(draft.submission)
    table = lifecycles()["trajectory"]
    for case in draft.context.elsewhere:
        is_open = table.transition(DETAILS, case.state)
        if is_open and _is_same(draft.person, case) and move.actor.id in members(case):
            draft.errands.append(
                _repetition(draft, case, DETAILS, errand_id=f"details:{case.id}:{key}", repeats=key)
            )


def linked(draft: Draft, move: Move) -> None:
    """Both persons know of the link; the question whether they are one is settled."""
    moved(draft, move)
    other, own = draft.context.named[move.data["other_ref"]], draft.person
    draft.subject = _with(own, other.subject)
    draft.others.append(_with(other.subject, own))
    _settle(draft, own, other)


def _settle(draft: Draft, own: Subject, other: Other) -> None:
    """Nobody need say any more whether these two are one person, on either side."""
    ids = {other.subject.id, *other.subject.merged}
    for task in _asking(draft.case, ids):
        draft.follow(tasks.ANSWERED, draft.case.id, task_id=task.id, answer="linked")
    ids = {own.id, *own.merged, draft.case.subject_id}
    for case in other.cases:
        for task in _asking(case, ids):
            tasks.answer_on(draft, case, task, "linked")


def _asking(case: Trajectory, ids: set[str]) -> list[Task]:
    """The open questions whether the person of a case is one of these."""
    waiting = (one for one in case.tasks.values() if one.answered is None)
    return [one for one in waiting if one.pair is not None and one.pair[1] in ids]


def _with(one: Subject, other: Subject) -> Subject:
    """Linked, and what the person said no to on one record counts on the other as well."""
    links = tuple(sorted({*one.links, other.id}))
    said = holds.united(one.holds, other.holds)
    return replace(one, links=links, not_same=_without(one.not_same, other.id), holds=said)


def _without(ids: tuple[str, ...], other: str) -> tuple[str, ...]:
    return tuple(one for one in ids if one != other)


def unlinked(draft: Draft, move: Move) -> None:
    """Both are as before the link, which is not proposed again."""
    moved(draft, move)
    other, own = draft.context.named[move.data["other_ref"]].subject, draft.person
    draft.subject = _parted(own, other)
    draft.others.append(_parted(other, own))


def _parted(one: Subject, other: Subject) -> Subject:
    """Without the link, and without what the other person said no to."""
    said = holds.without(one.holds, (other.id, *other.merged))
    return apart(replace(one, links=_without(one.links, other.id), holds=said), other.id)


def apart(one: Subject, other: str) -> Subject:
    """With the answer remembered that the other is somebody else."""
    return replace(one, not_same=tuple(sorted({*one.not_same, other})))


def joined(draft: Draft, move: Move) -> None:
    """The case goes on in the other one, where nobody need say any more that there are two."""
    moved(draft, move)
    for case in draft.context.elsewhere:
        for task in case.tasks.values():
            if task.answered is None and task.twin_case == draft.case.id:
                tasks.answer_on(draft, case, task, "done" if task.pair is None else "linked")


def merged(draft: Draft, move: Move) -> None:
    """The older subject stands for both; every trajectory is told, and keeps its members."""
    moved(draft, move)
    own, other = draft.person, another(draft, move.data)
    if other is not None:
        _settle(draft, own, other)
        older, younger = by_age(own, other.subject)
        draft.subject = _united(older, younger)
        draft.others.append(replace(younger, merged_into=older.id))
        data = {"old_ref": younger.id, "new_ref": older.id}
        told = {case.id: case for case in (*draft.context.elsewhere, *other.cases)}
        told.pop(draft.case.id, None)
        for case in told.values():
            name = f"merged:{case.id}:{younger.id}"
            # Its own members are told, whom the sender may have no agreement with.
            acts_for = for_case(case) or draft.sender.id
            draft.errands.append(
                _repetition(draft, case, MERGED, errand_id=name, data=data, acts_for=acts_for)
            )
        own = older
    erased = tuple(sorted({*draft.case.erased, *draft.person.erased}))
    draft.change(subject_id=own.id, erased=erased)


def another(draft: Draft, data: dict[str, Any]) -> Other | None:
    """The person to merge with; None on a trajectory that is told of a merge afterwards."""
    context, own = draft.context, draft.person
    meant = [context.named.get(data[name]) for name in ("old_ref", "new_ref")]
    for one in (*meant, context.twin):
        if one is not None and one.subject.id != own.id:
            return one
    return None


def _united(older: Subject, younger: Subject) -> Subject:
    both = {older.id, younger.id}
    return replace(
        older,
        recognised_by=BY_NUMBER,
        links=tuple(sorted({*older.links, *younger.links} - both)),
        not_same=tuple(sorted({*older.not_same, *younger.not_same} - both)),
        work={**younger.work, **older.work},
        rights={**younger.rights, **older.rights},
        merged=tuple(sorted({*older.merged, *younger.merged, younger.id})),
        erased=tuple(sorted({*older.erased, *younger.erased})),
        holds=holds.united(older.holds, younger.holds),
    )


def _repetition(draft: Draft, case: Trajectory, name: str, **given: Any) -> Errand:
    return Errand(
        id=given.pop("errand_id"),
        due_at=draft.context.now,
        name=name,
        target_id=case.id,
        aggregate_id=None,
        acts_for=given.pop("acts_for", draft.sender.id),
        data=given.pop("data", {}),
        **given,
    )
