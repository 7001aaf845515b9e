"""`POST /v1/feed/backfill`: get back what the inbox no longer keeps, from a time on."""

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from gateway.api import cursors, parameters
from gateway.api.authentication import principal_with
from gateway.api.collaborators import TokenVerifier
from gateway.exchange.refill import Refilled
from gateway.oauth.verifier import Principal
from schemas.moments import to_rfc3339

SCOPE = "sj_feed_read"


class Since(BaseModel):
    """From when on."""

    model_config = ConfigDict(extra="forbid")

    moment: Annotated[str, Field(alias="from", max_length=40, examples=["2026-03-02T09:00:00Z"])]


class Refills(Protocol):
    """Fills inboxes again; `gateway.exchange.refill.Refill` is the real one."""

    def since(self, participant: str, moment_us: int) -> Refilled:
        """Address again what was recorded at or after a time. Idempotent; blocks."""
        ...


def router(*, refill: Refills, verifier: TokenVerifier) -> APIRouter:
    """The one route."""
    reader = principal_with(verifier, SCOPE)
    routes = APIRouter(tags=["feed"])

    @routes.post("/v1/feed/backfill", summary="Put back into the inbox what it no longer keeps")
    def backfill(principal: Annotated[Principal, Depends(reader)], wanted: Since) -> dict[str, Any]:
        moment = parameters.instant_us(wanted.moment, "from")
        found = refill.since(principal.participant, moment)
        return {
            "added": found.added,
            "after": cursors.encode(principal.participant, found.after),
            "more_from": None if found.more_from is None else to_rfc3339(found.more_from),
        }

    return routes
