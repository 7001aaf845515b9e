"""`GET /v1/events/{id}`: where an event is, per recipient, and why somebody did not get it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from gateway import errors
from gateway.api.authentication import caller
from gateway.api.collaborators import Collaborators
from gateway.exchange.journey_document import document
from gateway.oauth.verifier import Principal
from schemas.errors import Message


def router(collaborators: Collaborators) -> APIRouter:
    """The one route; any valid token may ask about events it sent or was given."""
    routes = APIRouter()
    authenticated = caller(collaborators)

    @routes.get("/v1/events/{event_id}")
    def journey(
        principal: Annotated[Principal, Depends(authenticated)],
        event_id: Annotated[str, Path(max_length=128)],
    ) -> dict[str, Any]:
        found = collaborators.journeys.event(event_id, principal.participant)
        if found is None:
            raise errors.UnknownRecord(
                Message(
                    nl="Deze gebeurtenis bestaat niet, of u zond noch kreeg ze.",
                    en="This event does not exist, or you neither sent nor got it.",
                )
            )
        return document(found, collaborators.registry())

    return routes
