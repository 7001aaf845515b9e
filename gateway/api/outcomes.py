"""What the sender reads about its events: receipts, batch items and the dry run's whole decision.

The same words everywhere: a single receipt is the `receipt` of a batch item with the item's own
members beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consumers.clock import date_of
from gateway.api import problems
from gateway.errors import AccessError, NoDelegation
from schemas.moments import to_rfc3339
from schemas.projection import projection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.exchange.decision import DecidedEvent, Recipient
    from gateway.exchange.publication import ItemOutcome, Receipt
    from gateway.exchange.registry import Registry
    from schemas.errors import SchakelError

RECORDED: Final = frozenset({"accepted", "duplicate"})
_PARSE_CODES: Final = frozenset({"malformed_request", "malformed_json", "invalid_envelope"})


def step_of(error: SchakelError) -> str:
    """The step at which an event was refused before the ledger saw it: parse, schema or access."""
    if isinstance(error, (AccessError, NoDelegation)):
        return "authorisation"
    return "parse" if error.code in _PARSE_CODES else "schema"


def refused(error: SchakelError, step: str | None) -> SchakelError:
    """The refusal with its step as a further problem member."""
    if step:
        error.facts.setdefault("step", step)
    return error


def receipt(found: Receipt) -> dict[str, Any]:
    """A receipt as JSON; bytes as hexadecimal."""
    return {
        "event_id": found.event_id,
        "trajectory_id": found.trajectory_id,
        "aggregate_id": found.aggregate_id,
        "aggregate_version": found.aggregate_version,
        "recorded_at": to_rfc3339(found.recorded_at),
        "decision": found.decision,
        "agreement": found.agreement,
        "agreement_hash": found.agreement_hash,
        "record_sha256": _hex(found.record_sha256),
        "commitment": _hex(found.commitment),
        "salt": _hex(found.salt),
    }


def single(sender_event_id: str, outcome: ItemOutcome, language: str) -> dict[str, Any]:
    """The answer to one recorded event: its receipt, with warnings and what followed from it."""
    body = receipt(outcome.receipt) if outcome.receipt else {}
    return {"id": sender_event_id, "status": outcome.status, **body, **_extras(outcome, language)}


def item(sender_event_id: str, outcome: ItemOutcome, language: str) -> dict[str, Any]:
    """The batch item of an event that reached the ledger."""
    if outcome.error is not None:
        return rejected(sender_event_id, outcome.error, outcome.step, language, outcome.status)
    body: dict[str, Any] = {"id": sender_event_id, "status": outcome.status}
    if outcome.receipt is not None:
        body["receipt"] = receipt(outcome.receipt)
    body.update(_extras(outcome, language))
    return body


def rejected(
    sender_event_id: str,
    error: SchakelError,
    step: str | None,
    language: str,
    status: str = "rejected",
) -> dict[str, Any]:
    """The batch item of an event that was refused."""
    body: dict[str, Any] = {
        "id": sender_event_id,
        "status": status,
        "step": step or step_of(error),
        "code": error.code,
        "detail": error.detail.text(language),
    }
    for name, value in error.facts.items():
        body.setdefault(name, value)
    if error.invalid:
        body["invalidParams"] = problems.invalid_params(error.invalid, language)
    return body


def decision(outcome: ItemOutcome, registry: Registry) -> list[dict[str, Any]]:
    """What a dry run shows: each event that would be recorded, for whom, and what is withheld."""
    events = (outcome.event, *outcome.follow) if outcome.event else outcome.follow
    return [
        {
            "type": event.event.name,
            "aggregate_id": event.aggregate_id,
            "recipients": [_recipient(event, one, registry) for one in event.recipients],
        }
        for event in events
    ]


def _recipient(event: DecidedEvent, one: Recipient, registry: Registry) -> dict[str, Any]:
    body: dict[str, Any] = {"participant": one.participant, "role": one.role}
    if one.excluded is not None:
        return {**body, "excluded": one.excluded}
    return {**body, "agreement": one.agreement_id, "withheld": _withheld(event, one, registry)}


def _withheld(event: DecidedEvent, one: Recipient, registry: Registry) -> list[str]:
    """The fields this recipient will not get, with or without a value."""
    participant = registry.participant(one.participant)
    if participant is None or one.agreement_id is None:
        return []
    grant = registry.grants.applicable(
        from_org=event.producer_org,
        to_org=participant.organisation,
        to_role=participant.role,
        event=event.event.name,
        territory=event.territory_nis,
        on=date_of(event.recorded_at),
    )
    if grant is None:
        return []
    relations = frozenset(one.relations)
    view = projection(
        event.event,
        role=one.role,
        relations=relations,
        fieldsets=grant.fieldsets,
        has_art9_ground=grant.art9_ground is not None,
    )
    return list(view.withheld)


def warnings(settled: Iterable[ItemOutcome], language: str) -> dict[str, Any]:
    """What the sender is told beside an acceptance, as `warnings`; empty when nothing is."""
    found = [
        {"code": one.code, "detail": one.detail.text(language)}
        | ({"rules": list(one.rules)} if one.rules else {})
        for outcome in settled
        for one in outcome.warnings
    ]
    return {"warnings": found} if found else {}


def _extras(outcome: ItemOutcome, language: str) -> dict[str, Any]:
    extras = warnings((outcome,), language)
    if outcome.follow:
        extras["follow"] = [
            {"event_id": one.event_id, "type": one.event.name} for one in outcome.follow
        ]
    return extras


def _hex(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
