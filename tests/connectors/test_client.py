"""The partner's client of the hub, over real HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from connectors.client import HubClient
from connectors.credentials import load_credentials, parse_credentials
from connectors.errors import HubRefused, HubUnavailable, InvalidCredentials
from tests.connectors.workshop import credentials

if TYPE_CHECKING:
    from pathlib import Path

    from tests.connectors.stub_hub import StubHub


def event(name: str, **changed: Any) -> dict[str, Any]:
    """A CloudEvent that the stub records."""
    kind = "be.schakel.activation.v1.referral.created"
    return {"specversion": "1.0", "id": name, "type": kind, "data": {}} | changed


def test_a_duplicate_gives_the_receipt_of_the_first(hub: StubHub) -> None:
    """Publishing the same event again is safe and tells the same."""
    with HubClient(hub.url, credentials()) as client:
        assert client.publish(event("a")) == client.publish(event("a"))
    assert len(hub.events) == 1


def test_other_content_under_one_id_is_refused(hub: StubHub) -> None:
    """An id belongs to one content."""
    with HubClient(hub.url, credentials()) as client:
        client.publish(event("a"))
        with pytest.raises(HubRefused) as refused:
            client.publish(event("a", data={"x": 1}))
    assert refused.value.problem_code == "id_reused"


def test_a_refused_token_is_asked_for_anew_once(hub: StubHub) -> None:
    """One 401 is an expired token; a second one is the credentials."""
    with HubClient(hub.url, credentials()) as client:
        hub.failures.append((401, {}))
        client.publish(event("a"))
        hub.failures.extend([(401, {}), (401, {})])
        with pytest.raises(InvalidCredentials):
            client.publish(event("b"))
    assert hub.authorizations.count("DPoP t2") >= 1


def test_retry_after_is_told(hub: StubHub) -> None:
    """What the hub asks for reaches whoever decides how long to wait."""
    hub.failures.append((503, {"retry-after": "7"}))
    with HubClient(hub.url, credentials()) as client, pytest.raises(HubUnavailable) as error:
        client.publish(event("a"))
    assert error.value.retry_after_seconds == 7


def test_a_private_key_proves_who_asks(hub: StubHub, tmp_path: Path) -> None:
    """The assertion is short-lived, for the issuer only, and signed with the client's key."""
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    path = tmp_path / "credentials.json"
    path.touch(0o600)
    path.write_text(json.dumps({"client_id": "c", "private_key": key.as_dict(private=True)}))
    with HubClient(hub.url, load_credentials(path)) as client:
        client.publish(event("a"))
    token = jwt.decode(hub.tokens[0]["client_assertion"][0], key, algorithms=["ES256"])
    assert token.header["kid"] == "k1"
    assert token.claims["aud"] == "https://issuer.test"
    assert token.claims["exp"] - token.claims["iat"] == 60


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    """A key that more than one person holds proves nothing."""
    path = tmp_path / "credentials.json"
    path.write_text('{"client_id": "c", "client_secret": "s"}')
    path.chmod(0o644)
    with pytest.raises(InvalidCredentials):
        load_credentials(path)


def test_credentials_never_print_their_secret() -> None:
    """Whatever prints them prints stars."""
    found = parse_credentials('{"client_id": "c", "client_secret": "kanarie"}')
    assert "kanarie" not in repr(found)
