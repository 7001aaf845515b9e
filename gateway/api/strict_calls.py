"""Texts that have one meaning and a place in every store, for all routes of the web framework.

The framework's own parser takes the last of two equal keys, NaN, half characters, and any depth.
What is signed, hashed or kept may not depend on who reads it, so such a body is refused before a
route sees it. NUL is refused wherever it stands: PostgreSQL keeps none, and looks for none.
"""

from collections.abc import Iterator

from fastapi.routing import APIRoute
from starlette.requests import Request

from gateway.api import limits, parameters
from schemas.strictjson import loads


async def strict_call(request: Request) -> None:
    """A dependency of the whole application: refuse NUL, and a body that is no strict JSON.

    A route that reads its body by itself judges it by itself.
    Async because reading a body is; the framework has it in memory already.

    Raises:
        InvalidParameter: 400, NUL in the path or the query.
        StrictJsonError: 400, with the rule that the body breaks (`schemas/strictjson.py`).
    """
    for name, value in _texts(request):
        if "\0" in value:
            raise parameters.invalid(
                name, "nul", "Een tekst bevat NUL (%00).", "A text holds NUL (%00)."
            )
    route = request.scope["route"]
    if isinstance(route, APIRoute) and route.body_field is not None:
        body = await request.body()
        if body:
            loads(body, limits.JSON_DEPTH)


def _texts(request: Request) -> Iterator[tuple[str, str]]:
    """What the path and the query say, by the names that the interface gave."""
    yield from request.path_params.items()
    for name, value in request.query_params.multi_items():
        yield "query", name
        yield parameters.shown_name(name), value
