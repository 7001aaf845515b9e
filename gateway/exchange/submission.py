"""An event as a partner submitted it: parsed, bounded and schema-valid, not yet decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from schemas.canonical import canonical

if TYPE_CHECKING:
    from schemas.catalogue import EventType


def content(event_id: str, name: str, subject: str, data: dict[str, Any]) -> bytes:
    """What an event commits to that no partner sent as a CloudEvent: RFC 8785 of these members."""
    return canonical({"id": event_id, "type": name, "subject": subject, "data": data})


class Submission(Struct, frozen=True, gc=False):
    """One submitted event (`design/architecture.md` §5).

    Attributes:
        participant: whose event it is, from the token; `hub` for the hub's own timers. When
            another acts for it under a delegation, the one that is acted for.
        client_id: the OAuth client that sent it.
        scopes: scopes of that client, read from the registry.
        event: the event's type, from the catalogue.
        sender_event_id: the sender's own event id; idempotency key with `participant`.
        occurred_at: microseconds since the epoch, UTC.
        data: plain JSON, already normalised by `schemas.codec.parse`.
        canonical: RFC 8785 of all attributes sent and the data, without traceparent and time.
        subject: aggregate id, if the sender named one.
        source_record_id: the sender's own case number; personal, never logged.
        actor_ref: opaque staff reference; personal, sealed.
        expected_version: version of the aggregate that the sender saw last, when it says so.
        traceparent: continued or linked W3C trace context.
        clock: id of the hub's clock that this is for; it is refused when that one is not due.
        beside: another trajectory that a hub event has to do with; no part of what is delivered.
        repeats: sender key of the event whose data a hub event repeats.
        told: participants that an erasure is told to.
        agent: the participant of the token, when it acts for `participant`.
    """

    participant: str
    client_id: str
    scopes: frozenset[str]
    event: EventType
    sender_event_id: str
    occurred_at: int
    data: dict[str, Any]
    canonical: bytes
    subject: str | None = None
    trajectory_id: str | None = None
    source_record_id: str | None = None
    causation_id: str | None = None
    on_behalf_of: str | None = None
    purpose: str | None = None
    territory_nis: str | None = None
    actor_ref: str | None = None
    traceparent: str | None = None
    expected_version: int | None = None
    clock: str | None = None
    beside: str | None = None
    repeats: str | None = None
    told: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """What it is and where it came from, never what it says of a person."""
        return f"Submission({self.event.name}, {self.participant}, {self.sender_event_id})"

    agent: str | None = None

    @property
    def sender(self) -> str:
        """The participant that sent it: its event ids and idempotency keys are its own."""
        return self.agent or self.participant
