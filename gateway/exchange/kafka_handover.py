"""The door Kafka: an event's copy as CloudEvents, or nothing where a leg stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway import errors
from gateway.exchange.authorise import Stopped
from gateway.exchange.handover import MISSING
from gateway.exchange.legs import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.views import InboxEntry
    from gateway.exchange.handover import Outcome
    from schemas.envelope import CloudEvent


class HandsOver(Protocol):
    """Renders and discloses; `gateway.exchange.handover.HandOver` is the real one."""

    def hand_over(
        self, participant: str, entries: Sequence[InboxEntry], door: str
    ) -> list[Outcome]:
        """Each entry's copy or the leg that stops it; the disclosure is committed on return."""
        ...


class KafkaHandOver:
    """What `consumers.kafka_door` asks for copies."""

    def __init__(self, hand_over: HandsOver) -> None:
        self._hand_over = hand_over

    def __call__(
        self, participant: str, entries: Sequence[InboxEntry], door: str
    ) -> list[CloudEvent | None]:
        """Each entry's copy, None where a leg stops it. Raises as `HandOver.hand_over`.

        Raises:
            Unavailable: the ledger does not show one of them yet; that is no reason to skip it.
        """
        outcomes = self._hand_over.hand_over(participant, entries, door)
        if MISSING in outcomes:
            raise errors.Unavailable(reason(MISSING.leg))
        return [None if isinstance(one, Stopped) else one.event for one in outcomes]
