"""A command finds the hub and its credentials, and asks as one client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.commands.hub_place import Place, find
from gateway.commands.session import Session
from gateway.errors import CredentialsMissing, HubUnreachable, RefusedByHub
from tests.gateway.commands.hub_answers import SECRET, Hub

if TYPE_CHECKING:
    from pathlib import Path

ADMIN = {"client_id": "admin", "client_secret": SECRET}


def test_a_data_folder_says_where_the_hub_is(tmp_path: Path) -> None:
    """The administrator's file and hub.toml of a hub on this machine are enough."""
    (tmp_path / "admin.json").write_text(json.dumps(ADMIN))
    (tmp_path / "hub.toml").write_text('issuer = "http://127.0.0.1:8080"\n')

    place = find(tmp_path, None, None)

    assert (place.url, place.document["client_id"]) == ("http://127.0.0.1:8080", "admin")
    assert SECRET not in repr(place)


def test_what_is_given_goes_before_what_is_found(tmp_path: Path) -> None:
    """An address and a credentials file on the command line win."""
    own = tmp_path / "own.json"
    own.write_text(json.dumps({**ADMIN, "client_id": "own", "hub": "http://elsewhere.test"}))

    assert find(tmp_path, None, own).url == "http://elsewhere.test"
    assert find(None, "https://given.test/", own).url == "https://given.test"


@pytest.mark.parametrize("content", [None, "no json", "[]", "{}", json.dumps(ADMIN)])
def test_unusable_credentials_are_said_without_their_content(
    tmp_path: Path, content: str | None
) -> None:
    """No file, no JSON, no client, no address: each is one sentence that holds no secret."""
    if content is not None:
        (tmp_path / "admin.json").write_text(content)

    with pytest.raises(CredentialsMissing) as caught:
        find(tmp_path, None, None)

    assert SECRET not in caught.value.detail.en


def test_a_token_is_asked_once_and_again_when_refused() -> None:
    """The token serves several calls; one that ended is replaced without bothering anybody."""
    hub = Hub({"/v1/me": {"participant": "ocmw"}})
    with hub.session() as session:
        session.get("/v1/me")
        session.get("/v1/me")
        assert hub.tokens == 1
        hub.revoked = True
        assert session.get("/v1/me") == {"participant": "ocmw"}

    assert hub.tokens == 2


def test_refusals_keep_their_status_and_sentence() -> None:
    """What the hub says about a refusal is what the person reads; 404 can be asked for."""
    with Hub({}).session() as session:
        with pytest.raises(RefusedByHub) as caught:
            session.get("/v1/nothing")
        assert session.find("/v1/nothing") is None

    assert caught.value.status == 404
    assert "niet gevonden" in caught.value.detail.nl


def test_a_hub_that_is_away_is_one_sentence() -> None:
    """No answer names the address and what to look at."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with (
        Session(Place("http://hub.test", ADMIN), "nl", httpx.MockTransport(refuse)) as session,
        pytest.raises(HubUnreachable),
    ):
        session.get("/v1/me")


def test_a_private_key_signs_for_the_issuer_only() -> None:
    """Without a secret the client proves itself by a short assertion for the issuer."""
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    forms: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/.well-known/oauth-authorization-server":
            return httpx.Response(200, json={"issuer": "http://issuer.test"})
        if request.url.path == "/oauth/token":
            forms.append(dict(httpx.QueryParams(request.content.decode())))
            return httpx.Response(200, json={"access_token": "t"})
        return httpx.Response(200, json={})

    document = {"client_id": "c", "private_key": key.as_dict(private=True)}
    with Session(Place("http://hub.test", document), "nl", httpx.MockTransport(answer)) as session:
        session.get("/v1/me")

    token = jwt.decode(forms[0]["client_assertion"], key, algorithms=["ES256"])
    assert token.claims["aud"] == "http://issuer.test"
    assert token.claims["iss"] == token.claims["sub"] == "c"
    assert token.claims["exp"] - token.claims["iat"] == 60
    assert token.header["kid"] == "k1"


def test_an_unusable_key_is_not_repeated() -> None:
    """A key that cannot be read is refused without its text."""
    document = {"client_id": "c", "private_key": SECRET, "issuer": "http://issuer.test"}
    never = httpx.MockTransport(lambda _: httpx.Response(500))
    with (
        Session(Place("http://hub.test", document), "nl", never) as session,
        pytest.raises(CredentialsMissing) as caught,
    ):
        session.get("/v1/me")

    assert SECRET not in caught.value.detail.nl
