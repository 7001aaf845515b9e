"""Does this receiver want what it would be sent? It has to repeat a word before it gets anything.

So nobody can point the hub at somebody else's server.
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import orjson

from consumers.errors import NotSent
from schemas.identifiers import uuid7
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from consumers.sending import Envelope, Sender

TYPE: Final = "be.schakel.webhook.v1.challenge"
TEST_TYPE: Final = "be.schakel.webhook.v1.test"
SOURCE: Final = "urn:schakel:hub"
WRONG: Final = "challenge_not_repeated"


def failed(sender: Sender, envelope: Envelope) -> str | None:
    """Why the receiver did not pass, None when it did; blocks for ten seconds.

    It passes with 2xx and the word as the whole body, or as `challenge` of a JSON object.
    """
    word = secrets.token_urlsafe(32)
    message_id = uuid7()
    try:
        answer = sender.post(envelope, message_id, message(message_id, TYPE, {"challenge": word}))
    except NotSent as error:
        return error.reason
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - what HTTP calls success
        return f"http_{answer.status}"
    return None if hmac.compare_digest(_said(answer.body), word.encode()) else WRONG


def test_message() -> tuple[str, bytes]:
    """Id and body of a message that says nothing, to try a receiver with."""
    message_id = uuid7()
    return message_id, message(message_id, TEST_TYPE, {})


def message(message_id: str, kind: str, data: dict[str, Any]) -> bytes:
    """A CloudEvent of the hub's own, of now."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": message_id,
            "source": SOURCE,
            "type": kind,
            "time": to_rfc3339(time.time_ns() // 1000),
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def _said(body: bytes) -> bytes:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.strip()
    if isinstance(content, dict):
        content = content.get("challenge")
    return content.encode() if isinstance(content, str) else b""
