"""One attempt: a signed CloudEvent to one receiver, and what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consumers import retrying, signatures
from consumers.errors import NotSent
from consumers.excerpts import excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.posting import Answer
    from consumers.receiver_tokens import Posts, ReceiverTokens
    from consumers.retrying import Verdict
    from consumers.webhook_secrets import Oauth

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
AGENT: Final = "schakel-webhook/1"
UNAUTHORISED: Final = 401


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where to send and as whom; made once for many messages. Its repr shows no secret."""

    subscription_id: str
    url: str
    secrets: Sequence[str]
    oauth: Oauth | None = None

    def __repr__(self) -> str:
        return f"Envelope({self.subscription_id})"


@dataclass(frozen=True, slots=True)
class Copy:
    """One event as its recipient gets it.

    Attributes:
        body: the CloudEvent in structured JSON; never to be logged.
        dataschema: path of the schema of its data.
    """

    body: bytes = field(repr=False)
    dataschema: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt.

    Attributes:
        excerpt: of the answer, None when there was none or it was delivered.
    """

    verdict: Verdict
    duration_us: int
    excerpt: str | None = None


class Sender:
    """Sends; safe from several threads."""

    def __init__(self, poster: Posts, tokens: ReceiverTokens) -> None:
        self._poster = poster
        self._tokens = tokens

    def send(self, envelope: Envelope, message_id: str, body: bytes) -> Tried:
        """Send once; blocks for ten seconds, and for ten more when a token has to be got."""
        began = time.monotonic_ns()
        kept = None
        try:
            answer = self.post(envelope, message_id, body)
            wait = answer.headers.get("retry-after")
            verdict = retrying.of_answer(answer.status, wait, time.time())
            if verdict.kind != "delivered":
                kept = excerpt(answer.body, body)
        except NotSent as error:
            verdict = retrying.of_silence(error.reason)
        return Tried(verdict, (time.monotonic_ns() - began) // 1000, kept)

    def post(self, envelope: Envelope, message_id: str, body: bytes) -> Answer:
        """The answer to one signed message. A token that was refused is replaced once.

        Raises:
            NotSent: there was none.
        """
        token = self._token(envelope)
        answer = self._posted(envelope, message_id, body, token)
        if answer.status == UNAUTHORISED and token is not None:
            # Of several that were refused together each is sent again, whoever replaced the token.
            self._tokens.forget(envelope.subscription_id, token)
            answer = self._posted(envelope, message_id, body, self._token(envelope))
        return answer

    def _token(self, envelope: Envelope) -> str | None:
        if envelope.oauth is None:
            return None
        return self._tokens.bearer(envelope.subscription_id, envelope.oauth)

    def _posted(
        self, envelope: Envelope, message_id: str, body: bytes, token: str | None
    ) -> Answer:
        # Real time: receivers refuse a message whose time is not theirs.
        stamp = int(time.time())
        headers = {
            "content-type": CONTENT_TYPE,
            "user-agent": AGENT,
            **signatures.headers(envelope.secrets, message_id, stamp, body),
        }
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return self._poster.post(envelope.url, headers, body)
