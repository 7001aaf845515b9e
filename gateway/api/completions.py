"""Answers that wait for a commit.

The ledger's writer thread settles many requests with one commit. `complete` is handed to the
ledger and posts all of a commit to the event loop with a single wake-up; each waiting request then
continues with its own outcomes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway import errors
from schemas.errors import Message, SchakelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.api.collaborators import Submits
    from gateway.exchange.publication import ItemOutcome, PublishRequest

    Settled = tuple[ItemOutcome, ...] | SchakelError
    Ticket = asyncio.Future[tuple[ItemOutcome, ...]]


class Completions:
    """The waiting requests of one gateway process. One event loop, one writer thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: set[Ticket] = set()

    async def settle(self, ledger: Submits, request: PublishRequest) -> tuple[ItemOutcome, ...]:
        """Submit a request and wait for the commit that holds or refuses it.

        Raises:
            SchakelError: the request failed as a whole; 503 leaves its outcome open.
        """
        ticket = self._ticket()
        try:
            ledger.submit(request, ticket)
            return await ticket
        finally:
            self._open.discard(ticket)

    def _ticket(self) -> Ticket:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        ticket: Ticket = self._loop.create_future()
        self._open.add(ticket)
        return ticket

    @property
    def waiting(self) -> int:
        """How many requests wait for a commit."""
        return len(self._open)

    def complete(self, settled: Sequence[tuple[object, Settled]]) -> None:
        """Settle a commit's requests. Called on the writer thread; never blocks or raises."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(_resolve, settled)
        except RuntimeError:
            # The loop has ended: the callers are gone, and what was committed stays committed.
            self._open.clear()

    def abandon(self) -> None:
        """Answer whoever still waits with 503: the outcome is unknown to it. On the event loop."""
        for ticket in list(self._open):
            if not ticket.done():
                ticket.set_exception(unknown_outcome())


def _resolve(settled: Sequence[tuple[object, Settled]]) -> None:
    for ticket, outcome in settled:
        if not isinstance(ticket, asyncio.Future) or ticket.done():
            continue
        if isinstance(outcome, SchakelError):
            ticket.set_exception(outcome)
        else:
            ticket.set_result(outcome)


def unknown_outcome() -> errors.Unavailable:
    """The refusal that leaves the outcome open: the caller repeats the same call."""
    return errors.Unavailable(
        Message(
            nl="De hub kon niet bevestigen. Herhaal dezelfde oproep met dezelfde id.",
            en="The hub could not confirm. Repeat the same call with the same id.",
        )
    )
