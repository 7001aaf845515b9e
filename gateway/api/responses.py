"""Answers of the bare ASGI endpoints: one head message, one body message, nothing in between."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

JSON = b"application/json"


async def send_bytes(
    send: Send, status: int, content_type: bytes, body: bytes, headers: Headers = ()
) -> None:
    """Send a whole answer as two messages, so that the server writes it in one go."""
    head = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, content: Any, headers: Headers = ()) -> None:
    """Send `content` as JSON; times and ids in it are already plain."""
    await send_bytes(send, status, JSON, orjson.dumps(content), headers)
