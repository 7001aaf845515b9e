"""Whether a clock of the hub is still due, asked again under the ledger's locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.errors import ClockNotDue
from gateway.exchange.clock import Ground
from gateway.exchange.clocks import due_now
from gateway.exchange.state import Sent
from schemas.errors import Message

if TYPE_CHECKING:
    from gateway.exchange.clock import Clock
    from gateway.exchange.draft import Draft


def due_clock(draft: Draft) -> Clock | None:
    """The clock that the submission is for; None when it is for none.

    Raises:
        ClockNotDue: the state has changed meanwhile, and this clock is not due any more.
    """
    named = draft.submission.clock
    if named is None:
        return None
    state = draft.trajectory or draft.offer
    ground = Ground(draft.context.registry, draft.today)
    # Any that is due, not the first alone: an earlier one that is refused holds up no other.
    due = () if state is None else due_now(state, ground, draft.context.now)
    found = next((one for one in due if one.id == named), None)
    if found is None:
        raise ClockNotDue(
            Message(
                nl="Dit is intussen niet meer nodig; er gebeurde al iets anders.",
                en="This is no longer due; something else has happened meanwhile.",
            ),
            leg="lifecycle",
        )
    return found


def remember(draft: Draft, clock: Clock) -> None:
    """Note in the state that a clock was sent."""
    sent = Sent(clock.due_at, draft.context.now, clock.data.get("due"))
    if draft.trajectory is not None:
        draft.change(reminded={**draft.case.reminded, clock.key: sent})
    elif draft.offer is not None:
        reminded = {**draft.offer.reminded, clock.key: sent}
        draft.offer = replace(draft.offer, reminded=reminded)
