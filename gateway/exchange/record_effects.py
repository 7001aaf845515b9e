"""What outcome and acquired-right events do (`domain.md` §3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange.outcome_clocks import WITHOUT_SEQUEL
from gateway.exchange.state import Outcome

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
