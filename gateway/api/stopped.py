"""`GET /v1/stopped`: what lies in inboxes and may not be handed over, each with the leg.

The hub's administrators (`sj_admin`) see it of everybody, without payload. A participant sees its
own, and no more of each than that something of one of its cases is held back and why: not what
kind of event it is nor who sent it, for that is what it may not have.
The sender of an event sees in its journey who did not get it.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from sqlalchemy.engine import Engine

from consumers import views
from consumers.clock import Clock
from consumers.scope import Scope
from consumers.views import InboxEntry
from gateway.api import parameters
from gateway.api.authentication import principal_with
from gateway.api.collaborators import TokenVerifier
from gateway.exchange import arrivals
from gateway.exchange.legs import LEGS, reason
from gateway.oauth.verifier import Principal
from schemas.moments import to_rfc3339

SCOPE: Final = "sj_feed_read"
ADMIN_SCOPE: Final = "sj_admin"
FIRST: Final = ("", 0)


def router(*, reader: Engine, clock: Clock, verifier: TokenVerifier) -> APIRouter:
    """The one route. `reader` is of the consumers' store."""
    caller = principal_with(verifier, SCOPE, ADMIN_SCOPE)
    routes = APIRouter(tags=["events"])

    @routes.get("/v1/stopped", summary="What may not be handed over, and why")
    def read(
        principal: Annotated[Principal, Depends(caller)],
        leg: Annotated[str | None, Query(max_length=40)] = None,
        participant: Annotated[str | None, Query(max_length=40)] = None,
        after: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        if leg is not None and leg not in LEGS:
            known = ", ".join(sorted(LEGS))
            raise parameters.invalid(
                "leg", "unknown_leg", f"Geef één van: {known}.", f"Give one of: {known}."
            )
        # Whose rows: an administrator's question is about everybody, or about whom it names.
        oversees = ADMIN_SCOPE in principal.scopes
        scope = Scope(participant if oversees else principal.participant)
        place = _place(after)
        with reader.connect() as connection:
            found = views.stopped(connection, scope, after=place, limit=limit, leg=leg)
            gone = arrivals.left(connection, scope, found, now=clock.now_us())
        shown = [one for one in found if (one.event_id, one.participant) not in gone]
        last = found[-1] if len(found) == limit else None
        return {
            "stopped": [_whole(one) if oversees else _own(one) for one in shown],
            "next": None if last is None else f"{last.participant}:{last.seq}",
        }

    return routes


def _place(after: str | None) -> tuple[str, int]:
    """Where the page before this one ended.

    Raises:
        InvalidParameter: it was not given out here.
    """
    if after is None:
        return FIRST
    participant, _, number = after.partition(":")
    if not number.isdecimal() or int(number) >= 2**63:
        raise parameters.invalid(
            "after", "cursor_invalid",
            "Gebruik next van een vorig antwoord, ongewijzigd.",
            "Use next of an earlier answer, unchanged.",
        )  # fmt: skip
    return participant, int(number)


def _own(entry: InboxEntry) -> dict[str, Any]:
    leg = entry.stopped_leg or ""
    why = reason(leg)
    return {
        "event_id": entry.event_id,
        "trajectory_id": entry.trajectory_id,
        "leg": leg,
        "why": {"nl": why.nl, "en": why.en},
        "routed_at": to_rfc3339(entry.routed_at),
    }


def _whole(entry: InboxEntry) -> dict[str, Any]:
    return {
        **_own(entry),
        "participant": entry.participant,
        "type": entry.event_name,
        "recorded_at": to_rfc3339(entry.recorded_at),
    }
