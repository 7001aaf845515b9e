"""The schema registry, read-only, in the interface that existing Avro clients speak.

Paths, bodies, media type and error codes are those of the Confluent Schema Registry's API, so that
its clients decode our topics without code of ours. Schemas are public and about nobody: no token
is needed. Nothing can be registered here: schemas come with a release of the hub, and a client that
registers what it uses gets the id of the same schema when there is one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.routing import APIRoute

from gateway.api.documented import refusals
from gateway.api.throttle import Throttle
from schemas import compatibility
from schemas.errors import InvalidSchema, StrictJsonError
from schemas.strictjson import loads
from schemas.subjects import COMPATIBILITY, SubjectVersion, by_id, same_schema, subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"
LATEST: Final = "latest"
LONGEST_SCHEMA: Final = 65_536
"""Comparing takes time by the size, and anybody may ask."""
BURST: Final = 300
"""A client asks for each schema once; a consumer that starts asks for all of them."""

_Subject = Annotated[str, Path(max_length=200)]
_Version = Annotated[str, Path(max_length=20)]


class Refusal(NamedTuple):
    """A refusal in the registry's own shape, which its clients read."""

    status: int
    code: int
    message: str


NO_SUBJECT: Final = Refusal(404, 40401, "Subject not found.")
NO_VERSION: Final = Refusal(404, 40402, "Version not found.")
NO_SCHEMA: Final = Refusal(404, 40403, "Schema not found.")
INVALID_SCHEMA: Final = Refusal(422, 42201, "The input is not a valid Avro schema.")
INVALID_VERSION: Final = Refusal(422, 42202, "A version is a number above 0, or latest.")
READ_ONLY: Final = Refusal(422, 42205, "Schemas come with the hub; nothing is registered here.")

_SHAPE: Final = {
    "type": "object",
    "required": ["error_code", "message"],
    "properties": {"error_code": {"type": "integer"}, "message": {"type": "string"}},
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "As the registry's clients expect it.", "content": {MEDIA_TYPE: {}}},
    404: {"description": "No such subject, version or schema.",
          "content": {MEDIA_TYPE: {"schema": _SHAPE}}},
    422: {"description": "No valid schema or version, or something to register.",
          "content": {MEDIA_TYPE: {"schema": _SHAPE}}},
}  # fmt: skip


class _RefusedError(Exception):
    """Ends a route with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class _Route(APIRoute):
    """Answers refusals in the registry's own shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except _RefusedError as error:
                refusal = error.refusal
                body = {"error_code": refusal.code, "message": refusal.message}
                return _answer(body, refusal.status)

        return handled


def router() -> APIRouter:
    """All routes; they read what is in memory."""
    throttle = Throttle(time.monotonic, burst=BURST)

    def counted(request: Request) -> None:
        throttle.take(request.client.host if request.client else "")

    routes = APIRouter(
        tags=["schema registry"],
        route_class=_Route,
        dependencies=[Depends(counted)],
        responses=RESPONSES | refusals(429),
        default_response_class=Response,
    )

    _add_schemas(routes)
    _add_subjects(routes)
    _add_settings(routes)
    _add_checks(routes)
    return routes


def _add_schemas(routes: APIRouter) -> None:
    @routes.get("/schemas/ids/{schema_id}", summary="The schema of an id")
    def schema(schema_id: _Version) -> Response:
        return _answer({"schema": _of_id(schema_id).schema})

    @routes.get("/schemas/ids/{schema_id}/schema", summary="The schema of an id, bare")
    def bare(schema_id: _Version) -> Response:
        return Response(_of_id(schema_id).schema, media_type=MEDIA_TYPE)

    @routes.get("/schemas/ids/{schema_id}/subjects", summary="The subjects of an id")
    def of_id(schema_id: _Version) -> Response:
        return _answer([_of_id(schema_id).subject])

    @routes.get("/schemas/ids/{schema_id}/versions", summary="The versions of an id")
    def versions_of_id(schema_id: _Version) -> Response:
        found = _of_id(schema_id)
        return _answer([{"subject": found.subject, "version": found.version}])

    @routes.get("/schemas/types", summary="The kinds of schemas")
    def types() -> Response:
        return _answer(["AVRO"])


def _add_subjects(routes: APIRouter) -> None:
    @routes.get("/subjects", summary="Every subject: the full name of a record")
    def every(
        prefix: Annotated[str, Query(alias="subjectPrefix", max_length=200)] = "",
    ) -> Response:
        return _answer([one for one in subjects() if one.startswith(prefix)])

    @routes.get("/subjects/{subject}/versions", summary="The versions of a subject")
    def versions(subject: _Subject) -> Response:
        return _answer([one.version for one in _versions(subject)])

    @routes.get("/subjects/{subject}/versions/{version}", summary="One version of a subject")
    def version(subject: _Subject, version: _Version) -> Response:
        return _answer(_shown(_version(subject, version)))

    @routes.get("/subjects/{subject}/versions/{version}/schema", summary="Its schema, bare")
    def version_schema(subject: _Subject, version: _Version) -> Response:
        return Response(_version(subject, version).schema, media_type=MEDIA_TYPE)


def _add_settings(routes: APIRouter) -> None:
    @routes.get("/config", summary="What schemas have to be compatible with")
    def config() -> Response:
        return _answer({"compatibilityLevel": COMPATIBILITY})

    @routes.get("/config/{subject}", summary="What a subject's schemas are compatible with")
    def subject_config(subject: _Subject) -> Response:
        _versions(subject)
        return _answer({"compatibilityLevel": COMPATIBILITY})

    @routes.get("/mode", summary="That nothing is registered here")
    def mode() -> Response:
        return _answer({"mode": "READONLY"})


def _add_checks(routes: APIRouter) -> None:
    @routes.post("/subjects/{subject}", summary="The version that a schema is")
    async def look_up(request: Request, subject: _Subject) -> Response:
        _versions(subject)
        found = same_schema(subject, await _sent(request))
        if found is None:
            raise _RefusedError(NO_SCHEMA)
        return _answer(_shown(found))

    @routes.post("/subjects/{subject}/versions", summary="The id of a schema that is known")
    async def register(request: Request, subject: _Subject) -> Response:
        found = same_schema(subject, await _sent(request))
        if found is None:
            raise _RefusedError(READ_ONLY)
        return _answer({"id": found.id})

    @routes.post(
        "/compatibility/subjects/{subject}/versions/{version}",
        summary="Whether a schema is compatible with a version",
    )
    async def compatible(request: Request, subject: _Subject, version: _Version) -> Response:
        against = (_version(subject, version),)
        return await _compared(await _sent(request), against)

    @routes.post(
        "/compatibility/subjects/{subject}/versions",
        summary="Whether a schema is compatible with all versions",
    )
    async def compatible_with_all(request: Request, subject: _Subject) -> Response:
        return await _compared(await _sent(request), _versions(subject))


async def _compared(schema: dict[str, Any], against: tuple[SubjectVersion, ...]) -> Response:
    olds = [orjson.loads(one.schema) for one in against]
    try:
        problems = await run_in_threadpool(compatibility.check, schema, olds)
    except InvalidSchema:
        raise _RefusedError(INVALID_SCHEMA) from None
    messages = [f"{one.direction} {one.location}: {one.message}" for one in problems]
    return _answer({"is_compatible": not problems, "messages": messages})


async def _sent(request: Request) -> dict[str, Any]:
    """The schema in a body `{"schema": "<JSON text>"}`."""
    try:
        body = loads(await request.body())
        schema = loads(body["schema"].encode())
    except (StrictJsonError, KeyError, TypeError, AttributeError, UnicodeEncodeError):
        raise _RefusedError(INVALID_SCHEMA) from None
    if not isinstance(schema, dict) or len(body["schema"]) > LONGEST_SCHEMA:
        raise _RefusedError(INVALID_SCHEMA)
    if body.get("schemaType", "AVRO") != "AVRO":
        raise _RefusedError(INVALID_SCHEMA)
    return schema


def _of_id(text: str) -> SubjectVersion:
    found = by_id().get(int(text)) if text.isascii() and text.isdigit() else None
    if found is None:
        raise _RefusedError(NO_SCHEMA)
    return found


def _versions(subject: str) -> tuple[SubjectVersion, ...]:
    found = subjects().get(subject)
    if found is None:
        raise _RefusedError(NO_SUBJECT)
    return found


def _version(subject: str, text: str) -> SubjectVersion:
    found = _versions(subject)
    if text in (LATEST, "-1"):
        return found[-1]
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise _RefusedError(INVALID_VERSION)
    if int(text) > len(found):
        raise _RefusedError(NO_VERSION)
    return found[int(text) - 1]


def _shown(found: SubjectVersion) -> dict[str, Any]:
    return {
        "subject": found.subject,
        "version": found.version,
        "id": found.id,
        "schema": found.schema,
    }


def _answer(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type=MEDIA_TYPE)
