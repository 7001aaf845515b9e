"""Whether a call on a webhook is the hub's, held against another's signer of the same standard."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks

from connectors.errors import InvalidCredentials, WebhookRefused
from connectors.webhooks import CHALLENGE, challenge_of, new_webhook_secret, verify_webhook

NOW = 1_780_000_000
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"t" * 32).decode()
EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "type": "be.schakel.activation.v1.referral.created",
    "trajectoryid": "t-1",
    "data": {"programme": "wijk_werken"},
}
BODY = json.dumps(EVENT).encode()


def signed(
    body: bytes = BODY, secret: str = SECRET, at: int = NOW, message_id: str = "e-1"
) -> dict[str, str]:
    """The headers that the reference implementation sends."""
    moment = datetime.fromtimestamp(at, UTC)
    signature = standardwebhooks.Webhook(secret).sign(message_id, moment, body.decode())
    return {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": signature,
    }


def verified(headers: dict[str, str], body: bytes = BODY, **changes: Any) -> Any:
    """What our verifier makes of it at that moment."""
    return verify_webhook(headers, body, changes.pop("secrets", [SECRET]), now=lambda: NOW)


def refusal(headers: dict[str, str], body: bytes = BODY) -> str:
    """The code with which it is refused."""
    with pytest.raises(WebhookRefused) as refused:
        verified(headers, body)
    assert refused.value.status == 401
    return refused.value.reason


def test_what_the_hub_signed_becomes_an_event() -> None:
    """Typed: name, attributes, data."""
    event = verified(signed())

    assert (event.id, event.type) == ("e-1", "referral.created")
    assert event["trajectoryid"] == "t-1"
    assert event.data == {"programme": "wijk_werken"}


def test_one_secret_may_be_given_alone() -> None:
    """A text is one secret, not a list of its letters."""
    assert verified(signed(), secrets=SECRET).id == "e-1"


def test_either_secret_counts_while_one_replaces_the_other() -> None:
    """The hub signs with both; a receiver may know either, or both."""
    both = signed() | {
        "Webhook-Signature": " ".join(
            signed(secret=one)["Webhook-Signature"] for one in (OTHER, SECRET)
        )
    }

    assert verified(both).id == "e-1"
    assert verified(both, secrets=[OTHER]).id == "e-1"
    assert verified(signed(), secrets=[OTHER, SECRET]).id == "e-1"


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({}, BODY + b" "),
        ({}, BODY.replace(b"wijk", b"Wijk")),
        ({"Webhook-Id": "e-2"}, BODY),
        ({"Webhook-Timestamp": str(NOW - 1)}, BODY),
        ({"Webhook-Signature": "v1,"}, BODY),
        ({"Webhook-Signature": "v1," + "A" * 44}, BODY),
        ({"Webhook-Signature": "v1,é"}, BODY),
        ({"Webhook-Signature": signed()["Webhook-Signature"].replace("v1,", "v2,")}, BODY),
        ({"Webhook-Signature": signed(secret=OTHER)["Webhook-Signature"]}, BODY),
    ],
)
def test_whatever_was_changed_is_refused(changes: dict[str, str], body: bytes) -> None:
    """Body, id, time and signature hang together, under this secret alone."""
    assert refusal(signed() | changes, body) == "signature"


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_each_header_is_needed(name: str) -> None:
    """Whoever leaves one out is not the hub."""
    headers = signed()
    del headers[name]

    assert refusal(headers) == "header"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_call_that_is_repeated_later_is_refused(seconds: int) -> None:
    """Five minutes either way; the edge itself still counts."""
    inside = seconds - 1 if seconds > 0 else seconds + 1

    assert refusal(signed(at=NOW + seconds)) == "timestamp"
    assert verified(signed(at=NOW + inside)).id == "e-1"


def test_a_time_that_is_no_number_is_refused_even_when_signed() -> None:
    """What cannot be compared is never near."""
    digest = hmac.digest(b"s" * 32, b"e-1.soon." + BODY, hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    headers = signed() | {"Webhook-Timestamp": "soon", "Webhook-Signature": signature}

    assert refusal(headers) == "timestamp"


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"type": "x"}'])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    """Nothing half read comes back."""
    assert refusal(signed(body), body) == "body"


@pytest.mark.parametrize("secrets", [[], ["kort"], ["whsec_!!"], ["whsec_" + "YQ=="], ""])
def test_what_cannot_be_a_secret_is_an_error_of_the_receiver(secrets: Any) -> None:
    """Never a call that passes because nothing was asked, and never a word of the secret."""
    with pytest.raises(InvalidCredentials) as refused:
        verified(signed(), secrets=secrets)

    assert "kort" not in refused.value.detail.en


def test_the_challenge_gives_its_word_and_no_other_event_does() -> None:
    """So that a receiver answers it and writes nothing."""
    body = json.dumps(EVENT | {"type": CHALLENGE, "data": {"challenge": "woord"}}).encode()

    assert challenge_of(verified(signed(body), body)) == "woord"
    other = json.dumps(EVENT | {"data": {"challenge": "woord"}}).encode()
    assert challenge_of(verified(signed(other), other)) is None


def test_a_new_secret_is_one_that_both_sides_take() -> None:
    """The standard's own package signs with it and ours verifies."""
    secret = new_webhook_secret()

    assert secret != new_webhook_secret()
    assert verified(signed(secret=secret), secrets=[secret]).id == "e-1"
