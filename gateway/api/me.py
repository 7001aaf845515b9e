"""`GET /v1/me`: who the hub takes the caller for, and what that lets it do."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from consumers.clock import date_of
from gateway.api.authentication import caller
from gateway.api.collaborators import Collaborators
from gateway.api.problems import invalid_caller
from gateway.exchange.registry import Participant, Registry
from gateway.oauth.verifier import Principal
from schemas.roles import NAME


def router(collaborators: Collaborators) -> APIRouter:
    """The one route; any valid token may call it."""
    routes = APIRouter()
    authenticated = caller(collaborators)

    @routes.get("/v1/me")
    def me(principal: Annotated[Principal, Depends(authenticated)]) -> dict[str, Any]:
        registry = collaborators.registry()
        participant = registry.participant(principal.participant)
        if participant is None:
            raise invalid_caller()
        return {
            "client_id": principal.client_id,
            "environment": collaborators.environment,
            **_participant(participant, date_of(collaborators.clock.now_us())),
            "roles": [NAME[one.role] for one in registry.participants_of(participant.organisation)],
            "scopes": sorted(principal.scopes),
            "agreements": _agreements(participant, registry),
            "delegations": _delegations(participant, registry),
        }

    return routes


def _participant(participant: Participant, today: date) -> dict[str, Any]:
    territory = participant.territory_on(today)
    return {
        "participant": participant.id,
        "name": participant.name,
        "organisation": {"urn": participant.organisation, "name": participant.organisation_name},
        "role": NAME[participant.role],
        "territory": "all" if territory is None else sorted(territory),
    }


def _agreements(participant: Participant, registry: Registry) -> list[dict[str, Any]]:
    """The agreements that the caller's organisation is a party to, with what they grant."""
    return [
        {
            "agreement_id": one.id,
            "hash": one.hash,
            "status": one.status,
            "parties": sorted(one.agreement.parties),
        }
        for one in sorted(registry.agreements.values(), key=lambda found: found.id)
        if participant.organisation in one.agreement.parties
    ]


def _delegations(participant: Participant, registry: Registry) -> list[dict[str, Any]]:
    """For whom the caller's organisation may act, and who may act for it."""
    return [
        {
            "id": one.id,
            "from": one.principal,
            "to": one.agent,
            "events": list(one.events),
            "territory": "all" if one.territory is None else sorted(one.territory),
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
            "status": one.status,
        }
        for one in sorted(registry.delegations.by_id.values(), key=lambda found: found.id)
        if participant.organisation in (one.principal, one.agent)
    ]
