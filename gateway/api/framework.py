"""The part of the HTTP interface that is ordinary FastAPI: its routes, and its refusals.

Whatever FastAPI or a route refuses becomes a problem through `problems.problem`, like everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.routing import Match, Route

from gateway import errors
from gateway.api import (
    acceptances,
    asyncapi,
    evidence,
    journeys,
    me,
    offers,
    openapi,
    problems,
    referrals,
    schema_registry,
    traces,
    trajectories,
)
from gateway.api.parameters import shown_name
from gateway.api.strict_calls import strict_call
from schemas.errors import InvalidParam, Message, SchakelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.api.collaborators import Collaborators

_REASON = Message(
    nl="Ontbreekt of heeft niet de juiste vorm.", en="Is missing or does not have the right form."
)


def framework_app(collaborators: Collaborators) -> FastAPI:
    """The FastAPI application with the routes of this package and the routers it was handed."""
    app = FastAPI(
        title="Schakel",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(strict_call)],
    )
    for kind in (SchakelError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, refuse)
    for module in (me, trajectories, journeys, referrals, acceptances, offers, evidence):
        app.include_router(module.router(collaborators))
    app.include_router(schema_registry.router())
    for router in collaborators.routers:
        app.include_router(router)
    openapi.install(app, collaborators.public_url)
    asyncapi.install(
        app,
        kafka=collaborators.kafka_address,
        gateway=collaborators.public_url,
        is_encrypted=collaborators.environment == "production",
    )
    return app


async def refuse(request: Request, error: Exception) -> Response:
    """Answer any exception of a route with a problem."""
    trace = request.scope.get(traces.SCOPE_KEY) or traces.unsampled()
    answer = problems.problem(
        _as_ours(error, request),
        language=problems.language_of(request.headers.get("accept-language")),
        trace_id=trace.trace_id,
    )
    response = Response(answer.body, answer.status, media_type=problems.CONTENT_TYPE.decode())
    for name, value in answer.headers:
        response.raw_headers.append((name, value))
    return response


def _as_ours(error: Exception, request: Request) -> SchakelError:
    if isinstance(error, SchakelError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid_parameters(error.errors())
    if isinstance(error, HTTPException):
        # FastAPI wraps whatever fails while a body is read, our own refusals included.
        if isinstance(error.__cause__, SchakelError):
            return error.__cause__
        return problems.from_status(error.status_code, allow=_allowed(request))
    return problems.from_failure(error)


def _allowed(request: Request) -> str:
    """The methods of the path that was asked: Starlette names those of its first route only."""
    app: FastAPI = request.app
    matching = [
        context.original_route
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, Route)
        and context.original_route.matches(request.scope)[0] is not Match.NONE
    ]
    # `/preview` is no id: the path with fewest places to fill in is the one that is meant.
    meant = min(matching, key=lambda route: len(route.param_convertors), default=None)
    found = (route.methods or () for route in matching if meant and route.path == meant.path)
    return ", ".join(sorted({method for methods in found for method in methods}))


def _invalid_parameters(found: Sequence[Any]) -> errors.InvalidParameter:
    """FastAPI's findings without the values it found, and without keys that are no names."""
    return errors.InvalidParameter(
        Message(nl="Een of meer parameters kloppen niet.", en="One or more parameters are wrong."),
        invalid=[
            InvalidParam(".".join(_shown(part) for part in one["loc"][1:]), one["type"], _REASON)
            for one in found
        ],
    )


def _shown(part: str | int) -> str:
    return str(part) if isinstance(part, int) else shown_name(part, "?")
