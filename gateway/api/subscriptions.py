"""`/v1/subscriptions`: webhooks, by whoever is called (scope `sj_feed_read`).

Administrators (`sj_admin`) see them all, may pause and resume them, and change nothing else.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from consumers import dead_letters, deliveries, subscriptions, views
from consumers.scope import Scope
from gateway.api import alert_desk, parameters, secret_desk, subscription_documents
from gateway.api.authentication import principal_with
from gateway.api.dead_letters import add_dead_letters
from gateway.api.documented import refusals
from gateway.api.subscription_desk import ADMIN_SCOPE, Desk, scope_of
from gateway.api.subscription_documents import (
    HOUR_US,
    AlertsAsked,
    CredentialsAsked,
    NewSubscription,
    Replay,
    Rotation,
)
from gateway.oauth.verifier import Principal

SCOPE: Final = "sj_feed_read"
PREFIX: Final = "/v1/subscriptions"
REPEATED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "It was made before; the secret is not shown again."}
}

Id = Annotated[str, Path(max_length=36)]


def router(desk: Desk) -> APIRouter:
    """All routes."""
    caller = principal_with(desk.verifier, SCOPE, ADMIN_SCOPE)
    owner = principal_with(desk.verifier, SCOPE)
    routes = APIRouter(tags=["webhooks"])
    _add_reading(routes, desk, caller)
    _add_standing(routes, desk, caller)
    _add_owning(routes, desk, owner)
    add_dead_letters(routes, desk, caller)
    return routes


def _add_reading(routes: APIRouter, desk: Desk, caller: Any) -> None:
    @routes.get(PREFIX, summary="The webhook subscriptions, and how they stand")
    def every(principal: Annotated[Principal, Depends(caller)]) -> dict[str, Any]:
        with desk.reading.connect() as connection:
            found = subscriptions.every(connection, scope_of(principal))
            return {"subscriptions": _documents(desk, connection, scope_of(principal), found)}

    @routes.get(PREFIX + "/{subscription_id}", summary="One of them", responses=refusals(404))
    def one(
        principal: Annotated[Principal, Depends(caller)], subscription_id: Id
    ) -> dict[str, Any]:
        return _shown(desk, desk.one(subscription_id, scope_of(principal)))

    @routes.get(
        PREFIX + "/{subscription_id}/deliveries",
        summary="What became of each event, the newest first",
        responses=refusals(404),
    )
    def listed(
        principal: Annotated[Principal, Depends(caller)],
        subscription_id: Id,
        state: Literal["pending", "delivered", "failed", "stopped"] | None = None,
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        scope = scope_of(principal)
        found = desk.one(subscription_id, scope)
        with desk.reading.connect() as connection:
            rows = deliveries.newest(
                connection, scope, found.id, state=state, before=before, limit=limit
            )
        return {
            "deliveries": [subscription_documents.delivery(one) for one in rows],
            "before": rows[-1].seq if len(rows) == limit else None,
        }


def _add_standing(routes: APIRouter, desk: Desk, caller: Any) -> None:
    @routes.post(
        PREFIX + "/{subscription_id}/pause",
        summary="Send nothing more; what comes waits",
        responses=refusals(404, 409),
    )
    def pause(
        principal: Annotated[Principal, Depends(caller)], subscription_id: Id
    ) -> dict[str, Any]:
        return _shown(desk, desk.pause(desk.one(subscription_id, scope_of(principal))))

    @routes.post(
        PREFIX + "/{subscription_id}/resume",
        summary="Go on where it stopped; challenges a receiver that was pending or gone",
        responses=refusals(404, 409),
    )
    def resume(
        principal: Annotated[Principal, Depends(caller)], subscription_id: Id
    ) -> dict[str, Any]:
        return _shown(desk, desk.resume(desk.one(subscription_id, scope_of(principal)), principal))


def _add_owning(routes: APIRouter, desk: Desk, owner: Any) -> None:
    _add_making(routes, desk, owner)

    @routes.post(
        PREFIX + "/{subscription_id}/test",
        summary="Send a message that says nothing",
        responses=refusals(404, 409),
    )
    def test(
        principal: Annotated[Principal, Depends(owner)], subscription_id: Id
    ) -> dict[str, Any]:
        tried = desk.test(desk.one(subscription_id, Scope(principal.participant)))
        return {
            "delivered": tried.verdict.kind == "delivered",
            "code": tried.verdict.code or None,
            "duration_us": tried.duration_us,
            "excerpt": tried.excerpt,
        }

    @routes.post(
        PREFIX + "/{subscription_id}/secret",
        summary="Sign with a new secret; the former one signs too until the grace is over",
        responses=refusals(404, 422),
    )
    def rotate(
        principal: Annotated[Principal, Depends(owner)], subscription_id: Id, wanted: Rotation
    ) -> dict[str, Any]:
        found = desk.one(subscription_id, Scope(principal.participant))
        return {
            "secret": secret_desk.rotate(
                desk, found, principal, wanted.secret, wanted.grace_hours * HOUR_US
            )
        }

    @routes.post(
        PREFIX + "/{subscription_id}/oauth",
        summary="Get the receiver's tokens with other credentials, or with null send without any",
        responses=refusals(404, 422),
    )
    def authorise(
        principal: Annotated[Principal, Depends(owner)],
        subscription_id: Id,
        wanted: CredentialsAsked,
    ) -> dict[str, Any]:
        found = desk.one(subscription_id, Scope(principal.participant))
        return _shown(desk, secret_desk.authorise(desk, found, principal, wanted.kept()))

    @routes.post(
        PREFIX + "/{subscription_id}/alerts",
        summary="Say where the hub tells, once a day at most, that dead letters wait",
        responses=refusals(404, 409, 422),
    )
    def redirect(
        principal: Annotated[Principal, Depends(owner)], subscription_id: Id, wanted: AlertsAsked
    ) -> dict[str, Any]:
        found = desk.one(subscription_id, Scope(principal.participant))
        return _shown(desk, alert_desk.redirect(desk, found, principal, wanted))

    @routes.post(
        PREFIX + "/{subscription_id}/replay",
        summary="Send again what reached the inbox since a time",
        responses=refusals(404),
    )
    def replay(
        principal: Annotated[Principal, Depends(owner)], subscription_id: Id, wanted: Replay
    ) -> dict[str, Any]:
        found = desk.one(subscription_id, Scope(principal.participant))
        return {"rows": desk.replay(found, parameters.instant_us(wanted.since, "since"))}

    @routes.delete(
        PREFIX + "/{subscription_id}",
        status_code=204,
        summary="Take it away, with its deliveries and dead letters",
        responses=refusals(404),
    )
    def remove(principal: Annotated[Principal, Depends(owner)], subscription_id: Id) -> Response:
        desk.remove(desk.one(subscription_id, Scope(principal.participant)), principal)
        return Response(status_code=204)


def _add_making(routes: APIRouter, desk: Desk, owner: Any) -> None:
    @routes.post(
        PREFIX,
        status_code=201,
        summary="Have events sent to a receiver, which is challenged first",
        responses=refusals(422) | REPEATED,
    )
    def create(
        principal: Annotated[Principal, Depends(owner)],
        wanted: NewSubscription,
        response: Response,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        key = parameters.idempotency_key(idempotency_key, required=True) or ""
        since = subscription_documents.instant(wanted.since, "since")
        made, secret = desk.create(principal, wanted, key, since)
        if secret is None:
            response.status_code = 200
            return _shown(desk, made)
        return {**_shown(desk, made), "secret": secret}


def _shown(desk: Desk, found: subscriptions.Subscription) -> dict[str, Any]:
    with desk.reading.connect() as connection:
        return _documents(desk, connection, Scope(found.participant), [found])[0]


def _documents(
    desk: Desk, connection: Connection, scope: Scope, found: Sequence[subscriptions.Subscription]
) -> list[dict[str, Any]]:
    counts = dead_letters.counts(connection, scope)
    forgotten = {
        name: views.position(connection, Scope(name)).forgotten
        for name in {one.participant for one in found}
    }
    return [
        subscription_documents.subscription(
            one,
            counts.get(one.id, 0),
            forgotten[one.participant],
            alert_desk.shown(desk.registry(), one),
        )
        for one in found
    ]
