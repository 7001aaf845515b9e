"""The refusals that a description has to name: those that any call may meet, and a route's own.

FastAPI knows the answers of a route, not its refusals. A route names its own with `refusals`; what
authentication, the limits and the stores refuse is added to every operation here, so that it
cannot be forgotten.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "#/components/responses/"
_NAMES: Final = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorised",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.NOT_FOUND: "NotFound",
    HTTPStatus.NOT_ACCEPTABLE: "NotAcceptable",
    HTTPStatus.REQUEST_TIMEOUT: "Timeout",
    HTTPStatus.CONFLICT: "Conflict",
    HTTPStatus.GONE: "Gone",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "TooLarge",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UnsupportedMediaType",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyCalls",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "HeadersTooLarge",
    HTTPStatus.SERVICE_UNAVAILABLE: "Unavailable",
}
_FASTAPIS_OWN: Final = "HTTPValidationError"


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """A route's own refusals, for `responses=` of its decorator.

    Not needed for what every call may meet: 400, 401, 403, 408, 413, 429, 431 and 503.
    """
    return {status: _reference(HTTPStatus(status)) for status in statuses}


def complete(operation: dict[str, Any], *, is_public: bool) -> None:
    """Add to an operation of the description the refusals that it may meet like any other.

    Args:
        operation: changed in place; what it says itself stays.
        is_public: it asks no token.
    """
    said = operation["responses"]
    # Whatever FastAPI finds wrong becomes a 400 here, never its own 422.
    if _FASTAPIS_OWN in repr(said.get("422")):
        del said["422"]
    for status, answer in said.items():
        if "$ref" in answer:
            said[status] = {"$ref": answer["$ref"]}
    for status in _met_by_any(operation, is_public=is_public):
        said.setdefault(str(status.value), _reference(status))


def _met_by_any(operation: dict[str, Any], *, is_public: bool) -> Iterator[HTTPStatus]:
    has_body = "requestBody" in operation
    yield HTTPStatus.BAD_REQUEST  # any call may carry a header that cannot be taken
    if not is_public:
        yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
    if has_body:
        yield from (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    yield from (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE)


def _reference(status: HTTPStatus) -> dict[str, Any]:
    return {"$ref": _PREFIX + _NAMES[status]}
