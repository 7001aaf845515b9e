"""Receiving by webhook: is this call the hub's, and what does it say?

The signatures are those of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over id, time and
the body as it came. While a secret is being replaced a receiver knows both; either may have signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
import time
from typing import TYPE_CHECKING, Final

import orjson

from connectors.answers import event_of
from connectors.errors import HubUnavailable, InvalidCredentials, WebhookRefused
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.sdk import Event

CHALLENGE: Final = "be.schakel.webhook.v1.challenge"
TEST: Final = "be.schakel.webhook.v1.test"
TOLERANCE_SECONDS: Final = 300
_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
_FEWEST_BYTES, _MOST_BYTES = 24, 64
_VERSION: Final = "v1,"
_MOST_SIGNATURES: Final = 16
_LONGEST_STAMP: Final = 15


def new_webhook_secret() -> str:
    """A secret that nobody had before, to give to `HubClient.subscribe` and to the receiver."""
    return _PREFIX + base64.b64encode(randomness.token_bytes(_SECRET_BYTES)).decode()


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: str | Sequence[str],
    *,
    tolerance_seconds: int = TOLERANCE_SECONDS,
    now: Callable[[], float] = time.time,
) -> Event:
    """The event of one call, when the hub signed it; does not block.

    Args:
        headers: of the request; the case of their names does not matter.
        body: exactly as it came: what was parsed and written again has another signature.
        secrets: the subscription's, `whsec_` and base64; two while one replaces the other.
        tolerance_seconds: how far the signature's time may lie from `now`, in either direction.
        now: real time in seconds since the epoch.

    Returns:
        The event; the same `id` comes again when the hub got no 2xx, so write it once by its id,
        and anew when its `redelivery` is higher: that copy holds more.
        A call that asks whether this receiver is yours gives its word to `challenge_of`.

    Raises:
        WebhookRefused: not signed with one of the secrets, too old or too new, or no event. Answer
            400 or 401; nothing of the body is to be believed.
        InvalidCredentials: none of the secrets given, or not one at all, can be a secret.
    """
    keys = [_key(one) for one in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys:
        raise _no_secret()
    found = {name.lower(): value for name, value in headers.items()}
    message_id, stamp = _given(found, "webhook-id"), _given(found, "webhook-timestamp")
    signatures = _given(found, "webhook-signature")
    # The signature first: the time of a forged call tells its forger nothing.
    if not _is_signed(keys, f"{message_id}.{stamp}.".encode() + body, signatures):
        raise _refused("signature", "geen geldige handtekening", "no valid signature")
    if not _is_near(stamp, now(), tolerance_seconds):
        raise _refused("timestamp", "te oud of te nieuw", "too old or too new")
    try:
        return event_of(orjson.loads(body))
    except (orjson.JSONDecodeError, HubUnavailable) as error:
        raise _refused("body", "geen CloudEvent", "no CloudEvent") from error


def challenge_of(event: Event) -> str | None:
    """The word to answer with as the whole body of a 200, None for every other event.

    The hub asks when a subscription is made or resumed, so that it calls nobody who does not want
    to be called.
    """
    word = event.data.get("challenge")
    return word if event.type == CHALLENGE and isinstance(word, str) else None


def _is_signed(keys: Sequence[bytes], signed: bytes, given: str) -> bool:
    offered = [
        one.removeprefix(_VERSION).encode()
        for one in given.split(" ")[:_MOST_SIGNATURES]
        if one.startswith(_VERSION)
    ]
    right = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    # Every pair is compared, each in constant time: what matches, and when, does not show.
    return any([hmac.compare_digest(one, other) for one in offered for other in right])  # noqa: C419


def _is_near(stamp: str, now: float, tolerance_seconds: int) -> bool:
    is_number = stamp.isascii() and stamp.isdecimal() and len(stamp) <= _LONGEST_STAMP
    return is_number and abs(now - int(stamp)) <= tolerance_seconds


def _given(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise _refused("header", f"header {name} ontbreekt", f"header {name} is missing")
    return value


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise _no_secret() from None  # without `from`: the cause's text may hold the secret
    if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        raise _no_secret()
    return key


def _no_secret() -> InvalidCredentials:
    return InvalidCredentials(
        Message(
            nl="Geef het geheim van het abonnement: whsec_ met 24 tot 64 bytes in base64.",
            en="Give the subscription's secret: whsec_ with 24 to 64 bytes in base64.",
        )
    )


def _refused(reason: str, nl: str, en: str) -> WebhookRefused:
    return WebhookRefused(
        reason,
        Message(
            nl=f"Deze oproep is niet van de hub: {nl}.", en=f"This call is not the hub's: {en}."
        ),
    )
