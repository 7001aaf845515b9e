"""One call of the matrix, and what of its answer somebody could tell things by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.indicators import indicators

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.isolation.ways import Way
    from tests.letter.region import Region

OPERATION = {
    "client_id": "vdab-connector",
    "reference": "no-publication",
    "schema_id": "1",
    "subject": "activation.referral.created",
    "version": "1",
}
"""What the rest of the paths name; nobody's."""
_PER_CALL = re.compile("date|belgov-trace-id|ratelimit|ratelimit-policy|content-length")


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says beyond which call it answers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Any


def call(
    around: Region, who: str | None, operation: tuple[str, str], way: Way, things: Mapping[str, str]
) -> httpx.Response:
    """The operation as somebody, or without a token, with those things filled in."""
    method, path = operation
    names = {**OPERATION, "indicator": next(iter(indicators())), **things}
    options: dict[str, Any] = {
        "params": {key: _filled(text, names) for key, text in way.query.items()}
    }
    if way.body is not None:
        options["json"] = _filled(way.body, names)
    headers = {} if method == "GET" else {"idempotency-key": "matrix-try"}
    if who is not None:
        headers["authorization"] = f"Bearer {who}"
    return around.client.call(method, _filled(path, names), headers=headers, **options)


def told(response: httpx.Response) -> Told:
    """The answer without what differs between any two calls."""
    headers = [one for one in response.headers.items() if not _PER_CALL.fullmatch(one[0])]
    try:
        body = response.json()
    except ValueError:
        body = response.text
    if isinstance(body, dict):
        body.pop("instance", None)
    return Told(response.status_code, tuple(sorted(headers)), body)


def _filled(given: Any, names: Mapping[str, str]) -> Any:
    """The same with every `{name}` replaced; one that nothing is known of stays, and is seen."""
    if isinstance(given, dict):
        return {key: _filled(value, names) for key, value in given.items()}
    if isinstance(given, list):
        return [_filled(one, names) for one in given]
    if isinstance(given, str):
        return re.sub(r"{(\w+)}", lambda found: names.get(found[1], found[0]), given)
    return given
