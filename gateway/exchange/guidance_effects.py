"""What guidance events do: the clocks of contact and evaluation begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange import trajectory_effects as trajectory

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft, Move


def contacted(draft: Draft, move: Move) -> None:
    """Remember the last day on which anybody spoke with the person."""
    trajectory.moved(draft, move)
    draft.change(last_contact_on=_later(draft, draft.case.last_contact_on, move))


def evaluated(draft: Draft, move: Move) -> None:
    """Remember the day of the last evaluation, which is a contact too."""
    trajectory.moved(draft, move)
    draft.change(
        last_contact_on=_later(draft, draft.case.last_contact_on, move),
        last_evaluation_on=_later(draft, draft.case.last_evaluation_on, move),
    )


def _later(draft: Draft, known: str | None, move: Move) -> str:
    """What is reported late moves nothing back, and a date in the future puts nothing off."""
    today = draft.today.isoformat()
    on: str = move.data.get("on", today)
    return max(known or "", min(on, today))
