"""A journey as the JSON that the API answers and `schakel trace` draws; a stable shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumers.traceparent import parse_traceparent
from gateway.exchange.decision import HUB
from gateway.exchange.legs import reason
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from consumers.deliveries import Delivery
    from consumers.spans import Span
    from gateway.exchange.passages import Journey, Passage
    from gateway.exchange.registry import Registry

HUB_NAME = "Schakel"


def document(journey: Journey, registry: Registry) -> dict[str, Any]:
    """The journey of one event; times are RFC 3339 in UTC, absent members are left out."""
    row = journey.row
    context = parse_traceparent(row.traceparent) if journey.shows_all else None
    return _present(
        {
            "event_id": row.event_id,
            "id": row.sender_event_id if journey.is_own and row.participant != HUB else None,
            "type": row.event_name,
            "aggregate_type": row.aggregate_type,
            "aggregate_id": row.aggregate_id,
            "aggregate_version": row.aggregate_version,
            "trajectory_id": row.trajectory_id,
            "causation_id": row.causation_id,
            "sender": journey.sender,
            "from": party(journey.sender, registry),
            "own": journey.is_own,
            "territory_nis": row.territory_nis,
            "programme": row.programme,
            "rule_set": row.rule_set,
            "agreement": row.agreement_id if journey.shows_all else None,
            "decision": row.decision,
            "occurred_at": to_rfc3339(row.occurred_at),
            "recorded_at": to_rfc3339(row.recorded_at),
            "published": journey.published,
            "complete": journey.shows_all,
            "recipients": [_passage(one, journey, registry) for one in journey.passages],
            "trace_id": context.trace_id if context else None,
            "spans": [_span(one) for one in journey.spans] or None,
        }
    )


def party(participant_id: str | None, registry: Registry) -> dict[str, str] | None:
    """A participant by id, name and role; None when it may not be named."""
    if participant_id is None:
        return None
    if participant_id == HUB:
        return {"participant": HUB, "name": HUB_NAME, "role": "HUB"}
    participant = registry.participant(participant_id)
    if participant is None:
        return {"participant": participant_id, "name": participant_id, "role": ""}
    return {"participant": participant_id, "name": participant.name, "role": participant.role}


def _passage(passage: Passage, journey: Journey, registry: Registry) -> dict[str, Any]:
    why = reason(passage.reason) if passage.reason else None
    return _present(
        {
            **(party(passage.participant, registry) or {}),
            "role": passage.role,
            "relations": list(passage.relations),
            "state": passage.state,
            "reason": passage.reason,
            "why": {"nl": why.nl, "en": why.en} if why else None,
            "backfill": passage.backfill or None,
            # An agreement names its parties, so it would unmask a masked sender.
            "agreement": passage.agreement_id if journey.sender else None,
            "seq": passage.seq,
            "routed_at": to_rfc3339(passage.routed_at) if passage.routed_at else None,
            "doors": [{"door": door, "at": to_rfc3339(moment)} for door, moment in passage.doors],
            "deliveries": [_delivery(one) for one in passage.deliveries] or None,
            "withheld": list(passage.withheld),
        }
    )


def _delivery(one: Delivery) -> dict[str, Any]:
    """What became of it at one webhook; whose address it is stays with the recipient."""
    return _present(
        {
            "door": "webhook",
            "state": one.state,
            "attempts": one.tries,
            "code": one.code,
            "next_attempt_at": None if one.next_at is None else to_rfc3339(one.next_at),
            "at": None if one.ended_at is None else to_rfc3339(one.ended_at),
        }
    )


def _span(span: Span) -> dict[str, Any]:
    return _present(
        {
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "service": span.service,
            "name": span.name,
            "kind": span.kind,
            "started_at": to_rfc3339(span.started_at),
            "duration_us": span.ended_at - span.started_at,
            "status": span.status,
            "attributes": span.attributes,
            "linked": span.linked or None,
        }
    )


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
