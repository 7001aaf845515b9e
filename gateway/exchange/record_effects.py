"""What outcome, acquired-right and offer events do (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.outcome_clocks import WITHOUT_SEQUEL
from gateway.exchange.state import Offer, Outcome, Right

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move


def outcome_recorded(draft: Draft, move: Move) -> None:
    """Add the outcome; who records it is its recorder."""
    draft.put_outcome(
        Outcome(
            id=move.aggregate_id,
            state=move.state,
            version=1,
            recorder=move.actor.id,
            placement_id=move.data.get("placement_id"),
            on=move.data.get("on"),
            lasts=move.data.get("type") not in WITHOUT_SEQUEL,
        )
    )


def outcome_corrected(draft: Draft, move: Move) -> None:
    """Take over what the clocks count from."""
    outcome_moved(draft, move)
    outcome, data = draft.case.outcomes[move.aggregate_id], move.data
    lasts = data["type"] not in WITHOUT_SEQUEL if "type" in data else outcome.lasts
    draft.put_outcome(replace(outcome, on=data.get("on", outcome.on), lasts=lasts))


def outcome_followed_up(draft: Draft, move: Move) -> None:
    """Remember that it was said how it goes on after so many months."""
    outcome_moved(draft, move)
    outcome, month = draft.case.outcomes[move.aggregate_id], move.data.get("month")
    if month is not None:
        followed_up = tuple(sorted({*outcome.followed_up, month}))
        draft.put_outcome(replace(outcome, followed_up=followed_up))


def outcome_moved(draft: Draft, move: Move) -> None:
    """Change the outcome's state."""
    before = draft.case.outcomes[move.aggregate_id]
    draft.put_outcome(replace(before, state=move.state, version=before.version + 1))


def right_registered(draft: Draft, move: Move) -> None:
    """Add the right; VDAB joins to verify it."""
    registrant = move.actor.id
    draft.put_right(
        Right(
            id=move.aggregate_id,
            state=move.state,
            version=1,
            registrant=registrant,
            last_activity=move.data.get("last_activity_month"),
        )
    )
    service = draft.context.registry.competent("V", draft.nis, draft.today)
    if service is not None and service.id not in draft.case.viewers:
        draft.change(viewers=(*draft.case.viewers, service.id))


def right_dormant(draft: Draft, move: Move) -> None:
    """Remember when it is to be decided on."""
    right_moved(draft, move)
    right = draft.case.rights[move.aggregate_id]
    draft.put_right(replace(right, lapses_on=move.data.get("lapses_on")))


def right_moved(draft: Draft, move: Move) -> None:
    """Change the right's state."""
    before = draft.case.rights[move.aggregate_id]
    draft.put_right(replace(before, state=move.state, version=before.version + 1))


def offer_published(draft: Draft, move: Move) -> None:
    """Add the offer; its sender owns it."""
    draft.offer = Offer(
        id=move.aggregate_id,
        state=move.state,
        version=1,
        owner=move.actor.id,
        territory_nis=draft.nis,
        hosts=_host_participants(draft, move.data),
        programmes=tuple(move.data.get("programme_scope", ())),
        valid_to=move.data.get("valid_to"),
        declared=is_declared(move.data),
    )


def _host_participants(draft: Draft, data: dict[str, Any]) -> tuple[str, ...]:
    found = draft.context.registry.participants_of(data.get("host_org", ""))
    return tuple(one.id for one in found if one.role == "H")


def is_declared(data: dict[str, Any]) -> bool:
    """Whether the data hold a non-displacement declaration that says yes."""
    return data.get("non_displacement", {}).get("declared") is True


def offer_moved(draft: Draft, move: Move) -> None:
    """Change the offer's state and what the rules need of its changed fields."""
    before = draft.offer
    if before is None:  # the engine found it already; this keeps the type checker's word
        return
    data = move.data
    draft.offer = replace(
        before,
        state=move.state,
        version=before.version + 1,
        programmes=tuple(data.get("programme_scope", before.programmes)),
        valid_to=data.get("valid_to", before.valid_to),
        declared=is_declared(data) if "non_displacement" in data else before.declared,
    )
