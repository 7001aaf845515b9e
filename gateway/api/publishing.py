"""From a CloudEvent to a submission: whose it is, what it is, whether this client may send it.

Everything here is pure, apart from the catalogue that is compiled once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumers.clock import date_of
from gateway import errors
from gateway.exchange.acting import acted_for
from gateway.exchange.submission import Submission
from schemas import codec, envelope
from schemas.errors import InvalidParam, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from consumers.clock import Clock
    from gateway.exchange.registry import Registry
    from gateway.oauth.verifier import Principal
    from schemas.catalogue import Catalogue, EventType
    from schemas.envelope import CloudEvent


class Publisher:
    """Turns what clients send into submissions, for one installation.

    Args:
        catalogue: all event types, compiled.
        environment: `test` or `production`; decides which identifiers exist.
        registry: the newest snapshot: who may act for whom.
        clock: the day on which it may.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        environment: str,
        registry: Callable[[], Registry],
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._environment = environment
        self._registry = registry
        self._clock = clock

    def structured(self, body: Any, principal: Principal, traceparent: str) -> Submission:
        """A submission from one CloudEvent in JSON.

        Raises:
            SchakelError: refused; nothing of it was written.
        """
        event = envelope.from_structured(body)
        event_type = self._admit(event, principal)
        data = self._parse(event, event_type, event.data)
        content = envelope.content(event, event.data)
        made = _submission(event, event_type, principal, traceparent, data=data, canonical=content)
        return self._for_whom(made)

    def binary(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        principal: Principal,
        traceparent: str,
    ) -> Submission:
        """A submission from a CloudEvent in binary mode with an Avro body.

        Raises:
            SchakelError: refused; nothing of it was written.
        """
        event = envelope.from_binary_headers(headers)
        event_type = self._admit(event, principal)
        written, sent = codec.decode_submitted(body)
        if written is not event_type:
            raise _other_type(event_type.name, written.name)
        data = self._parse(event, event_type, sent)
        content = envelope.content(event, sent)
        made = _submission(event, event_type, principal, traceparent, data=data, canonical=content)
        return self._for_whom(made)

    def _parse(self, event: CloudEvent, event_type: EventType, sent: Any) -> dict[str, Any]:
        return codec.parse(event_type, sent, environment=self._environment, on=date_of(event.time))

    def _for_whom(self, submission: Submission) -> Submission:
        """The submission, as the principal's when its sender acts for another."""
        if submission.on_behalf_of is None:
            return submission
        return acted_for(submission, self._registry(), date_of(self._clock.now_us()))

    def _admit(self, event: CloudEvent, principal: Principal) -> EventType:
        """The event's type, when this client may send it at all."""
        event_type = self._catalogue.event(event.event_name)
        if event.participant != principal.participant:
            raise _foreign_source()
        if event_type.hub_only:
            raise _hub_only(event_type.name)
        if event_type.scope not in principal.scopes:
            raise _missing_scope(event_type)
        return event_type


def _submission(
    event: CloudEvent,
    event_type: EventType,
    principal: Principal,
    traceparent: str,
    *,
    data: dict[str, Any],
    canonical: bytes,
) -> Submission:
    return Submission(
        participant=principal.participant,
        client_id=principal.client_id,
        scopes=principal.scopes,
        event=event_type,
        sender_event_id=event.id,
        occurred_at=event.time,
        data=data,
        canonical=canonical,
        subject=event.subject,
        trajectory_id=event.trajectoryid,
        source_record_id=event.sourcerecordid,
        causation_id=event.causationid,
        on_behalf_of=event.onbehalfof,
        purpose=event.purpose,
        territory_nis=event.territorynis,
        actor_ref=event.actorref,
        traceparent=traceparent,
        expected_version=event.aggregateversion,
    )


def _other_type(named: str, written: str) -> errors.MalformedRequest:
    reason = Message(
        nl=f"ce-type zegt {named}, de Avro-inhoud is {written}.",
        en=f"ce-type says {named}, the Avro body is {written}.",
    )
    return errors.MalformedRequest(reason, invalid=(InvalidParam("type", "mismatch", reason),))


def _foreign_source() -> errors.ForeignSource:
    reason = Message(
        nl="source moet urn:schakel:participant: met uw eigen deelnemer zijn.",
        en="source must be urn:schakel:participant: with your own participant.",
    )
    return errors.ForeignSource(
        reason,
        invalid=(InvalidParam("source", "foreign_source", reason),),
        facts={"leg": "participant"},
    )


def _hub_only(name: str) -> errors.RoleRefused:
    return errors.RoleRefused(
        Message(nl=f"{name} komt alleen van de hub.", en=f"{name} comes from the hub only."),
        leg="role",
    )


def _missing_scope(event_type: EventType) -> errors.MissingScope:
    return errors.MissingScope(
        Message(
            nl=f"{event_type.name} vraagt scope {event_type.scope}, die dit token niet heeft.",
            en=f"{event_type.name} needs scope {event_type.scope}, which this token lacks.",
        ),
        facts={"leg": "scope", "requiredScope": event_type.scope},
    )
