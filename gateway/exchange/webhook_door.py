"""The door webhook: an event's copy as the bytes that a subscription sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from consumers.sending import Copy
from schemas import envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.views import InboxEntry
    from gateway.exchange.handover import HandOver

DOOR: Final = "webhook"


class WebhookDoor:
    """What `consumers.turn` asks for copies."""

    def __init__(self, hand_over: HandOver) -> None:
        self._hand_over = hand_over

    def copies(self, participant: str, entries: Sequence[InboxEntry]) -> list[Copy | None]:
        """Each entry's copy, None where a leg stops it. Raises as `HandOver.copies`."""
        found = self._hand_over.copies(participant, entries, DOOR)
        return [None if event is None else _copy(event) for event in found]


def _copy(event: envelope.CloudEvent) -> Copy:
    return Copy(orjson.dumps(envelope.to_structured(event)), event.dataschema)
