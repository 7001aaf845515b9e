"""The door webhook: an event's copy as the bytes that a subscription sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import orjson

from consumers.sending import Copy
from gateway import errors
from gateway.exchange.authorise import Stopped
from gateway.exchange.handover import MISSING
from gateway.exchange.legs import reason
from schemas import envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.views import InboxEntry
    from gateway.exchange.handover import Outcome

DOOR: Final = "webhook"


class HandsOver(Protocol):
    """Renders and discloses; `gateway.exchange.handover.HandOver` is the real one."""

    def hand_over(
        self, participant: str, entries: Sequence[InboxEntry], door: str
    ) -> list[Outcome]:
        """Each entry's copy or the leg that stops it; the disclosure is committed on return."""
        ...


class WebhookDoor:
    """What `consumers.turn` asks for copies."""

    def __init__(self, hand_over: HandsOver) -> None:
        self._hand_over = hand_over

    def copies(self, participant: str, entries: Sequence[InboxEntry]) -> list[Copy | None]:
        """Each entry's copy, None where a leg stops it. Raises as `HandOver.hand_over`.

        Raises:
            Unavailable: the ledger does not show one of them yet; that is no reason to skip it.
        """
        outcomes = self._hand_over.hand_over(participant, entries, DOOR)
        if MISSING in outcomes:
            raise errors.Unavailable(reason(MISSING.leg))
        return [None if isinstance(one, Stopped) else _copy(one.event) for one in outcomes]


def _copy(event: envelope.CloudEvent) -> Copy:
    return Copy(orjson.dumps(envelope.to_structured(event)), event.dataschema)
