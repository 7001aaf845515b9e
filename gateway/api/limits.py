"""What one request may cost, and the refusals of whoever asks for more.

The figures are promises in the API's description. Slow senders are cut off where the bytes arrive
(`connections.py`); here the head is measured and the body is counted while it is read, also when
it is chunked and announces no length.
"""

from typing import Any, Final

from gateway import errors
from gateway.api.responses import Message as AsgiMessage
from gateway.api.responses import Receive, Scope, Send
from schemas.errors import Message

BODY_BYTES: Final = 1024 * 1024
JSON_DEPTH: Final = 32
BATCH_EVENTS: Final = 500
HEADER_COUNT: Final = 64
HEADER_BYTES: Final = 16 * 1024
AUTHORIZATION_BYTES: Final = 8 * 1024
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 30.0
CONNECTIONS: Final = 4096
CONNECTIONS_EACH: Final = 1024
"""Of one address: a proxy in front keeps far fewer, and one address cannot take them all."""


class ClientGone(Exception):  # noqa: N818 - not an error: nobody is left to answer
    """The caller went away before its request was read or answered."""


def body_too_large() -> errors.BodyTooLarge:
    """The refusal of a body over `BODY_BYTES`."""
    return errors.BodyTooLarge(
        Message(
            nl="De inhoud is groter dan 1 MiB. Splits ze in kleinere delen.",
            en="The body is larger than 1 MiB. Split it into smaller parts.",
        ),
        facts={"limit": BODY_BYTES},
    )


def headers_too_large() -> errors.HeadersTooLarge:
    """The refusal of a head over `HEADER_COUNT`, `HEADER_BYTES` or `AUTHORIZATION_BYTES`."""
    return errors.HeadersTooLarge(
        Message(
            nl="Ten hoogste 64 headers, samen 16 KiB, Authorization ten hoogste 8 KiB.",
            en="At most 64 headers, 16 KiB together, Authorization at most 8 KiB.",
        )
    )


def read_headers(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by lower-case name, measured.

    A name that occurs twice keeps its first value; `authorization` and `content-type` may not.

    Raises:
        HeadersTooLarge: too many, too long, or an overlong Authorization.
        MalformedRequest: Authorization, Content-Type or Idempotency-Key occurs twice.
    """
    pairs = scope["headers"]
    if len(pairs) > HEADER_COUNT:
        raise headers_too_large()
    headers: dict[bytes, bytes] = {}
    size = 0
    for name, value in pairs:
        size += len(name) + len(value) + 4
        if name not in headers:
            headers[name] = value
        elif name in _SINGLE:
            raise errors.MalformedRequest(
                Message(
                    nl=f"De header {name.decode()} komt twee keer voor.",
                    en=f"The header {name.decode()} occurs twice.",
                )
            )
    if size > HEADER_BYTES or len(headers.get(b"authorization", b"")) > AUTHORIZATION_BYTES:
        raise headers_too_large()
    return headers


_SINGLE: Final = frozenset(
    {b"authorization", b"content-type", b"content-length", b"idempotency-key"}
)


def check_length(headers: dict[bytes, bytes]) -> None:
    """Refuse an announced length over the limit before a byte of it is read.

    Raises:
        BodyTooLarge: the announced length is over `BODY_BYTES`.
        MalformedRequest: the length is no number.
    """
    length = headers.get(b"content-length")
    if length is None:
        return
    if not length.isdigit() or len(length) > 20:  # noqa: PLR2004 - more digits than 64 bits hold
        raise errors.MalformedRequest(
            Message(nl="Content-Length is geen getal.", en="Content-Length is not a number.")
        )
    if int(length) > BODY_BYTES:
        raise body_too_large()


async def read_body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """The whole body, at most `BODY_BYTES`.

    Raises:
        BodyTooLarge: more bytes came than allowed, announced or not.
        ClientGone: the caller closed the connection first.
    """
    check_length(headers)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        if len(body) > BODY_BYTES:
            raise body_too_large()
        return body
    parts = [body]
    size = len(body)
    while message["type"] == "http.request" and message.get("more_body"):
        if size > BODY_BYTES:
            raise body_too_large()
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if message["type"] != "http.request":
        raise ClientGone
    if size > BODY_BYTES:
        raise body_too_large()
    return b"".join(parts)


class BoundedBody:
    """An ASGI application whose request bodies are counted while it reads them.

    For the endpoints that read their body through the web framework. Raises `BodyTooLarge` into
    the application, which lets it pass to the one problem handler.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application on a receive channel that counts."""
        size = 0

        async def counted() -> AsgiMessage:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > BODY_BYTES:
                raise body_too_large()
            return message

        await self._app(scope, counted, send)
