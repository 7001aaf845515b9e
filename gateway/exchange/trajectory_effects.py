"""What trajectory events do: who holds the case, tasks, viewing rights (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange import person_tasks
from gateway.exchange.business_days import working_days_after
from gateway.exchange.clock import UNDETERMINED
from gateway.exchange.decision import HUB
from gateway.exchange.desks import DESKS, first_competent, no_desk
from gateway.exchange.state import Task, Viewing
from gateway.exchange.tasks import raise_task

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

HOLDERS = ("V", "O")


ASSIGN, OFFER_HANDOVER = "assign_case_holder", "offer_handover"


def moved(draft: Draft, move: Move) -> None:
    """Count the event and take over the state."""
    draft.change(state=move.state, version=draft.case.version + 1)


def opened(draft: Draft, move: Move) -> None:
    """Held by the sender when it is VDAB or an OCMW; else proposed to the desk, with a date."""
    moved(draft, move)
    if move.state == "held":
        draft.change(holder=move.actor.caused_by)
        return
    proposed = draft.resolve(move.data["proposed_holder"], HOLDERS)
    draft.change(proposed_holder=proposed, holder_due=move.data.get("due"))


def assigned(draft: Draft, move: Move) -> None:
    """The case has a holder."""
    moved(draft, move)
    holder = draft.resolve(move.data["holder"], HOLDERS)
    draft.change(holder=holder, proposed_holder=None, holder_due=None)


def offered(draft: Draft, move: Move) -> None:
    """The new holder is asked; the old one stays responsible."""
    moved(draft, move)
    draft.change(offered_holder=draft.resolve(move.data["to"], HOLDERS))


def changed(draft: Draft, move: Move) -> None:
    """The offered holder has taken over."""
    moved(draft, move)
    draft.change(holder=move.actor.id, offered_holder=None)


def declined(draft: Draft, move: Move) -> None:
    """The old holder goes on."""
    moved(draft, move)
    draft.change(offered_holder=None)


def closed(draft: Draft, move: Move) -> None:
    """Remember when, for after-care."""
    moved(draft, move)
    draft.change(closed_at=draft.context.now)


def reopened(draft: Draft, move: Move) -> None:
    """The former holder holds it again; without one it needs a proposed holder anew."""
    moved(draft, move)
    draft.change(closed_at=None, reopened_at=draft.context.now)
    if move.state == "unassigned":
        proposed = first_competent(draft, DESKS)
        if proposed is None:
            raise no_desk()
        draft.change(holder=None, proposed_holder=proposed, holder_due=holder_due(draft))


def holder_due(draft: Draft) -> str | None:
    """By when a case without holder is to be taken; None while no rule says it."""
    days = draft.rules(UNDETERMINED).unassigned_working_days
    return None if days is None else working_days_after(draft.today, days).isoformat()


def territory_changed(draft: Draft, move: Move) -> None:
    """The person moved; from now on the new municipality counts, for the holder too."""
    moved(draft, move)
    draft.nis = move.data["nis"]
    draft.change(territory_nis=draft.nis)
    competent = first_competent(draft, DESKS)
    holder = draft.context.registry.participant(draft.case.holder or "")
    if competent is None or competent == draft.case.holder:
        return
    if move.state == "unassigned":
        draft.change(proposed_holder=competent, holder_due=holder_due(draft))
    elif move.state == "held" and not (holder and holder.serves(draft.nis, draft.today)):
        found = draft.context.registry.participant(competent)
        raise_task(draft, OFFER_HANDOVER, other_org=None if found is None else found.organisation)


def task_raised(draft: Draft, move: Move) -> None:
    """Keep the task of a clock or errand; who is asked to take the case is proposed from now on."""
    moved(draft, move)
    data = move.data
    if data["task_id"] in draft.case.tasks:
        return
    addressee = move.actor.caused_by
    if data["addressee"] != move.actor.organisation:
        addressee = draft.resolve(data["addressee"], HOLDERS)
    other = data.get("other_ref")
    task = Task(
        data["task_id"],
        data["what"],
        addressee,
        data["due"],
        concerns=data.get("concerns"),
        pair=None if other is None else (draft.case.subject_id, other),
        twin_case=draft.submission.beside,
    )
    if task.what == ASSIGN:
        # Every five working days may bring one, so those that were answered are not kept.
        tasks = draft.case.tasks.values()
        draft.change(
            tasks={one.id: one for one in tasks if one.what != ASSIGN or one.answered is None}
        )
        if draft.case.holder is None:
            draft.change(proposed_holder=addressee, holder_due=task.due)
    draft.put_task(task)


def task_answered(draft: Draft, move: Move) -> None:
    """The task is done; that two are not one person is remembered, and the other side told."""
    moved(draft, move)
    task = draft.case.tasks[move.data["task_id"]]
    draft.put_task(replace(task, answered=move.data["answer"]))
    if task.pair is not None and move.data["answer"] == "not_same" and move.actor.id != HUB:
        known = draft.person
        draft.subject = replace(known, not_same=tuple(sorted({*known.not_same, task.pair[1]})))
        person_tasks.answer_twin(draft, task, "not_same")


def viewing_granted(draft: Draft, move: Move) -> None:
    """A further participant may look along (inzagerecht)."""
    moved(draft, move)
    viewer, until = move.data["participant"], move.data.get("until")
    if viewer not in draft.case.viewers:
        draft.change(viewers=(*draft.case.viewers, viewer))
    viewing = _without(draft.case.viewing, viewer)
    if until is not None:
        viewing[viewer] = Viewing(move.data["ground"], until)
    draft.change(viewing=viewing)


def viewing_ended(draft: Draft, move: Move) -> None:
    """A participant no longer looks along."""
    moved(draft, move)
    kept = tuple(one for one in draft.case.viewers if one != move.data["participant"])
    draft.change(viewers=kept, viewing=_without(draft.case.viewing, move.data["participant"]))


def _without(viewing: dict[str, Viewing], viewer: str) -> dict[str, Viewing]:
    return {one: said for one, said in viewing.items() if one != viewer}
