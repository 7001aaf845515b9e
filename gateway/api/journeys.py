"""`GET /v1/events/{id}`: where an event is, per recipient, and why somebody did not get it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from gateway import errors
from gateway.api.authentication import caller
from gateway.api.collaborators import Collaborators
from gateway.api.inboxes import translated
from gateway.exchange.decision import HUB
from gateway.exchange.journey import Journey, Passage
from gateway.oauth.verifier import Principal
from schemas.errors import Message
from schemas.moments import to_rfc3339


def router(collaborators: Collaborators) -> APIRouter:
    """The one route; any valid token may ask about events it sent or was given."""
    routes = APIRouter()
    authenticated = caller(collaborators)

    @routes.get("/v1/events/{event_id}")
    def journey(
        principal: Annotated[Principal, Depends(authenticated)],
        event_id: Annotated[str, Path(max_length=128)],
    ) -> dict[str, Any]:
        with translated():
            found = collaborators.journeys.event(event_id, principal.participant)
        if found is None:
            raise errors.UnknownRecord(
                Message(
                    nl="Deze gebeurtenis bestaat niet, of u zond noch kreeg ze.",
                    en="This event does not exist, or you neither sent nor got it.",
                )
            )
        return document(found)

    return routes


def document(journey: Journey) -> dict[str, Any]:
    """A journey as JSON. The sender's own id for the event is told to the sender only."""
    row = journey.row
    body: dict[str, Any] = {
        "event_id": row.event_id,
        "type": row.event_name,
        "sender": journey.sender,
        "own": journey.is_own,
        "trajectory_id": row.trajectory_id,
        "aggregate_id": row.aggregate_id,
        "aggregate_version": row.aggregate_version,
        "occurred_at": to_rfc3339(row.occurred_at),
        "recorded_at": to_rfc3339(row.recorded_at),
        "published": journey.published,
        "recipients": [_passage(one) for one in journey.passages],
    }
    if journey.is_own and row.participant != HUB:
        body["id"] = row.sender_event_id
    if journey.is_own and row.traceparent:
        body["traceparent"] = row.traceparent
    return body


def _passage(one: Passage) -> dict[str, Any]:
    body: dict[str, Any] = {
        "participant": one.participant,
        "role": one.role,
        "relations": list(one.relations),
        "state": one.state,
    }
    if one.reason is not None:
        body["reason"] = one.reason
    if one.routed_at is not None:
        body["routed_at"] = to_rfc3339(one.routed_at)
        body["backfill"] = one.backfill
    if one.agreement_id is not None:
        body["agreement"] = one.agreement_id
    body["withheld"] = list(one.withheld)
    body["doors"] = [{"door": door, "at": to_rfc3339(at)} for door, at in one.doors]
    return body
