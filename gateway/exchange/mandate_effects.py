"""What a change of mandate does, to the mandate itself and to each file (R11, `domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange import right_effects, rounds, work
from gateway.exchange.draft import broken, unknown_case
from gateway.exchange.mandate import Mandate
from gateway.exchange.succession import concerns, succeeded
from gateway.exchange.territory_moves import last_move
from gateway.exchange.trajectory_effects import moved as trajectory_moved
from gateway.exchange.trajectory_effects import reopened as trajectory_reopened

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move

CHANGED = "transition.organiser_mandate_changed"


def completed(draft: Draft) -> dict[str, Any]:
    """The data of a proposal, with how many open files would go over today."""
    data = draft.data
    giver = organiser(draft, data["from_org"], "from_org")
    return {**data, "open_trajectories": draft.context.open_files(giver, tuple(data["nis"]))}


def organiser(draft: Draft, urn: str, field: str) -> str:
    """The participant that an organisation is as organiser.

    Raises:
        RuleBroken: it is none, or several.
    """
    found = [
        one.id
        for one in draft.context.registry.participants_of(urn)
        if one.role == "W" and one.is_valid(draft.today)
    ]
    if len(found) != 1:
        raise broken(
            "no_organiser",
            f"{field} is niet precies één organisator in het register. Kijk het nummer na.",
            f"{field} is not exactly one organiser of the registry. Check the number.",
            field,
        )
    return found[0]


def proposed(draft: Draft, move: Move) -> None:
    """Keep what is proposed; nothing changes before it is accepted."""
    data = move.data
    draft.mandate = Mandate(
        id=move.aggregate_id,
        state=move.state,
        version=1,
        mover=move.actor.id,
        giver=organiser(draft, data["from_org"], "from_org"),
        receiver=organiser(draft, data["to_org"], "to_org"),
        nis=tuple(data["nis"]),
        effective=data["effective"],
        territory_nis=draft.nis,
    )


def accepted(draft: Draft, move: Move) -> None:
    """From its first day, or today when that has passed, the files go over and the offers end."""
    moved(draft, move)
    mandate = mandate_of(draft)
    mandate = replace(mandate, effective=max(mandate.effective, draft.today.isoformat()))
    draft.mandate = mandate
    registry = draft.context.registry
    found = (registry.participant(one) for one in (mandate.giver, mandate.receiver))
    giver, receiver = ("" if one is None else one.organisation for one in found)
    draft.rounds.extend(rounds.of_mandate(mandate, draft.context.now, (giver, receiver)))


def moved(draft: Draft, move: Move) -> None:
    """Change the state alone."""
    mandate = mandate_of(draft)
    draft.mandate = replace(mandate, state=move.state, version=mandate.version + 1)


def mandate_of(draft: Draft) -> Mandate:
    """The mandate at hand.

    Raises:
        UnknownCase: there is none.
    """
    if draft.mandate is None:
        raise unknown_case()
    return draft.mandate


def organiser_changed(draft: Draft, move: Move) -> None:
    """The successor takes over what the former organiser has on this case.

    Raises:
        RuleBroken: it has nothing on it any more, or the successor organises no more.
    """
    trajectory_moved(draft, move)
    before, data = draft.case, move.data
    receiver = organiser(draft, data["to"], "to")
    for giver in draft.context.registry.participants_of(data["from"]):
        if giver.role == "W":
            draft.trajectory = succeeded(draft.case, giver.id, receiver, data["effective"])
    if draft.case is before:
        raise broken(
            "nothing_to_take_over",
            "De vorige organisator heeft niets meer in dit traject.",
            "The former organiser has nothing left in this trajectory.",
        )
    for placement_id in draft.case.placements:
        work.note(draft, placement_id)
    if draft.case.rights:
        right_effects.note(draft)


def reopened(draft: Draft, move: Move) -> None:
    """A case that was closed when a mandate moved goes on with the organiser of today."""
    trajectory_reopened(draft, move)
    registry, case = draft.context.registry, draft.case
    for one in draft.members(case):
        giver = registry.participant(one)
        lost = None if giver is None else last_move(giver.moves, draft.nis, draft.today)
        receiver = None if lost is None or lost.gained else registry.participant(lost.other)
        if giver is None or lost is None or receiver is None or not concerns(case, one):
            continue
        if receiver.is_valid(draft.today):
            draft.follow(
                rounds.ORGANISER_CHANGED,
                case.id,
                **{"from": giver.organisation, "to": receiver.organisation},
                effective=lost.effective.isoformat(),
            )
