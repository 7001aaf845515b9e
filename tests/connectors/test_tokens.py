"""Our own client proves who sends its tokens, against the hub's real issuer and verifier."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from connectors.calls import Calls
from connectors.credentials import Credentials
from connectors.errors import HubUnavailable, InvalidCredentials
from connectors.sdk import Secret
from connectors.tokens import TokenSource
from schemas.proofs import Prover
from tests.hub_front import ADMIN, ISSUER, HubFront, hub_front
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = Credentials("a-client", secret=Secret("x"), issuer=ISSUER)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[HubFront]:
    """An issuer, a verifier and the administrator's calls."""
    with hub_front(sqlite_url(tmp_path), tmp_path) as opened:
        yield opened


def administrator(front: HubFront) -> Credentials:
    """The administrator's credentials."""
    key = Secret(json.dumps(front.private_keys[ADMIN]))
    return Credentials(ADMIN, private_key=key, issuer=ISSUER)


class Watched(httpx.HTTPTransport):
    """The network, with what was asked and answered kept."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int, str]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send on."""
        answer = super().handle_request(request)
        scheme = request.headers.get("authorization", "").partition(" ")[0]
        self.seen.append((request.url.path, answer.status_code, scheme))
        return answer


def test_a_client_learns_the_nonce_and_keeps_it(front: HubFront) -> None:
    """One refused request a session: the first one; what follows carries the nonce."""
    wire = Watched()
    with httpx.Client(base_url=front.client.base_url, transport=wire) as http:
        tokens = TokenSource(http, administrator(front), prover=Prover())
        answers = [tokens.send(http.build_request("GET", "/v1/clients")) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 200]
    assert wire.seen == [
        ("/oauth/token", 400, ""),
        ("/oauth/token", 200, ""),
        *[("/v1/clients", 200, "DPoP")] * 3,
    ]


def test_a_new_nonce_is_taken_on_the_way(front: HubFront, tmp_path: Path) -> None:
    """At another gateway, or after a restart, one request is sent once more with its body."""
    wire = Watched()
    with (
        hub_front(sqlite_url(tmp_path), tmp_path) as second,
        httpx.Client(base_url=front.client.base_url, transport=wire) as http,
    ):
        tokens = TokenSource(http, administrator(front), prover=Prover())
        tokens.token()
        wire.seen.clear()
        url = second.client.base_url.join("/v1/registry/plan")
        answer = tokens.send(http.build_request("POST", url, json={"organisations": 5}))

    assert wire.seen == [("/v1/registry/plan", 401, "DPoP"), ("/v1/registry/plan", 422, "DPoP")]
    assert answer.json()["code"] == "registry_invalid"


def test_without_a_prover_tokens_are_bearers(front: HubFront) -> None:
    """For tools of test installations that cannot make proofs."""
    with httpx.Client(base_url=front.client.base_url) as http:
        tokens = TokenSource(http, administrator(front))
        answer = tokens.send(http.build_request("GET", "/v1/clients"))

    assert answer.status_code == 200
    assert answer.request.headers["authorization"].startswith("Bearer ")


@pytest.mark.parametrize("kind", ["Bearer", None])
def test_a_token_of_anybodys_is_not_used(kind: str | None) -> None:
    """RFC 9449 §5: who asked for a token of its key discards any other."""
    body = {"access_token": "t", "expires_in": 300, **({"token_type": kind} if kind else {})}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    with (
        httpx.Client(base_url="http://hub.test", transport=transport) as http,
        pytest.raises(InvalidCredentials),
    ):
        TokenSource(http, SECRET, prover=Prover()).token()


def test_a_nonce_is_tried_once_more_and_not_for_ever() -> None:
    """A hub that never stops asking for nonces is not asked for ever."""
    asked: list[Any] = []

    def challenge(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        headers = {"dpop-nonce": f"nonce-{len(asked)}"}
        return httpx.Response(400, json={"error": "use_dpop_nonce"}, headers=headers)

    transport = httpx.MockTransport(challenge)
    with (
        httpx.Client(base_url="http://hub.test", transport=transport) as http,
        pytest.raises(InvalidCredentials),
    ):
        TokenSource(http, SECRET, prover=Prover()).token()

    assert len(asked) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, "<html>404 page not found</html>"),
        (403, '{"message": "maintenance"}'),
        (400, '{"error": {"code": 400}}'),
        (400, '{"error": "invalid_dpop_proof"}'),
    ],
)
def test_what_may_pass_does_not_end_a_connector(status: int, body: str) -> None:
    """A proxy that answers for the hub, and a clock that differs, are waited out."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text=body))
    with (
        httpx.Client(base_url="http://hub.test", transport=transport) as http,
        pytest.raises(HubUnavailable) as told,
    ):
        TokenSource(http, SECRET, prover=Prover()).token()

    assert ("zet de klok gelijk" in told.value.detail.nl) == ("dpop" in body)


def test_credentials_that_the_hub_refuses_end_it() -> None:
    """That word is the hub's, and no waiting helps."""
    body = {"error": "invalid_client"}
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=body))
    with (
        httpx.Client(base_url="http://hub.test", transport=transport) as http,
        pytest.raises(InvalidCredentials, match="invalid_client"),
    ):
        TokenSource(http, SECRET, prover=Prover()).token()


def test_a_refused_proof_of_a_call_is_waited_out() -> None:
    """The token was good a moment ago: it is the clock, not the client."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            token = {"access_token": "t", "token_type": "DPoP", "expires_in": 300}
            return httpx.Response(200, json=token)
        return httpx.Response(401, json={"code": "invalid_dpop_proof"})

    transport = httpx.MockTransport(answer)
    with (
        closing(Calls("http://hub.test", SECRET, transport=transport)) as calls,
        pytest.raises(HubUnavailable, match="set the clock"),
    ):
        calls.get("/v1/me")
