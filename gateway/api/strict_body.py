"""Bodies that have one meaning, for routes of the web framework.

The framework's own parser takes the last of two equal keys, NaN, and any depth. What is signed,
hashed or kept may not depend on who reads it, so such a body is refused before the route sees it.
"""

from starlette.requests import Request

from gateway.api import limits
from schemas.strictjson import loads


async def strict_body(request: Request) -> None:
    """A route dependency: refuse a body that is no strict JSON (`schemas/strictjson.py`).

    Async because reading a body is; the framework has it in memory already.

    Raises:
        StrictJsonError: 400, with the rule that it breaks.
    """
    body = await request.body()
    if body:
        loads(body, limits.JSON_DEPTH)
