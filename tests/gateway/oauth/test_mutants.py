"""Hundreds of mutants of tokens, proofs and assertions: refused every one, and never a 5xx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, import_key

from gateway.oauth.tokens import GATEWAY
from tests.gateway.api.asgi import AsgiClient
from tests.gateway.api.front_app import app_of
from tests.gateway.oauth.jwt_mutants import Jwt, mutants
from tests.hub_front import ASSERTION_TYPE, ISSUER, PARTNER, HubFront

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.proof_forger import Forger

PATHS = ("/v1/me", "/v1/feed", "/v1/events")
TOKEN_CLAIMS = (
    "iss",
    "sub",
    "aud",
    "iat",
    "exp",
    "jti",
    "client_id",
    "participant",
    "scope",
    "cnf",
)
PROOF_CLAIMS = ("jti", "htm", "htu", "iat", "ath", "nonce")
ASSERTION_CLAIMS = ("iss", "sub", "aud", "exp", "jti")


@pytest.fixture
def hub(front: HubFront) -> Iterator[AsgiClient]:
    """The whole interface, in process."""
    with AsgiClient(app_of(front)) as client:
        yield client


def ask(hub: AsgiClient, path: str, token: str, proof: str | None) -> httpx.Response:
    """One call with a token and its proof."""
    method = "POST" if path == "/v1/events" else "GET"
    headers = {b"authorization": f"DPoP {token}".encode()}
    if proof is not None:
        headers[b"dpop"] = proof.encode()
    return hub.call(method, path, headers=list(headers.items()), content=b"")


def proof_of(forger: Forger, path: str, token: str) -> str:
    """A good proof for a call."""
    return forger.proof("POST" if path == "/v1/events" else "GET", f"{ISSUER}{path}", token)


def token_of(front: HubFront, forger: Forger) -> Jwt:
    """A good token that is bound to the forger's key, in its parts."""
    key = front.signing.current()
    now = int(front.time.now())
    claims = {
        "iss": ISSUER,
        "sub": PARTNER,
        "aud": GATEWAY.audience,
        "iat": now,
        "exp": now + 300,
        "jti": "one",
        "client_id": PARTNER,
        "participant": "ocmw-tienen",
        "scope": "sj_feed_read",
        "cnf": {"jkt": forger.thumbprint},
    }
    return Jwt({"alg": "ES256", "typ": "at+jwt", "kid": key.kid}, claims, key)


def wrongly_answered(answers: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """What was not refused as a caller's fault."""
    return [(name, status) for name, status in answers if not 400 <= status < 500]


def test_no_mutant_of_a_token_is_taken(front: HubFront, hub: AsgiClient) -> None:
    """With a proof that fits it, at every kind of endpoint; the token itself is taken."""
    forger = front.forger()
    good = token_of(front, forger)
    allowed = (("jti", ""), ("scope", ""))
    answers = []
    for number, (name, text) in enumerate(mutants(good, TOKEN_CLAIMS, allowed)):
        path = PATHS[number % len(PATHS)]
        proof = proof_of(forger, path, text) if text.isascii() else None
        answers.append((name, ask(hub, path, text, proof).status_code))

    assert len(answers) > 200
    assert not wrongly_answered(answers)
    text = good.text()
    for path in PATHS:
        status = ask(hub, path, text, proof_of(forger, path, text)).status_code
        assert status == (415 if path == "/v1/events" else 200)


def test_no_mutant_of_a_proof_is_taken(front: HubFront, hub: AsgiClient) -> None:
    """With the token that fits it; the proof itself is taken."""
    forger = front.forger()
    assert isinstance(forger.key, ECKey)
    token = token_of(front, forger).text()
    answers, unlike = [], []
    for path in PATHS[:2]:
        good = Jwt(forger.header(), forger.claims("GET", f"{ISSUER}{path}", token), forger.key)
        for name, text in mutants(good, PROOF_CLAIMS):
            answer = ask(hub, path, token, text)
            answers.append((name, answer.status_code))
            code = answer.json()["code"]
            if code not in ("invalid_dpop_proof", "use_dpop_nonce"):
                unlike.append((name, code))
        assert ask(hub, path, token, good.text()).status_code == 200

    assert len(answers) > 400
    assert not wrongly_answered(answers)
    assert not unlike


def test_no_mutant_of_a_proof_gives_a_token(front: HubFront, hub: AsgiClient) -> None:
    """At the token endpoint, with a good assertion, which stays good."""
    forger = front.forger()
    assert isinstance(forger.key, ECKey)
    claims = forger.claims("POST", f"{ISSUER}/oauth/token")
    good = Jwt(forger.header(), claims, forger.key)
    assertion = front.assertion()

    def asked(proof: str) -> httpx.Response:
        headers = [(b"dpop", proof.encode())]
        return hub.call("POST", "/oauth/token", data=form_of(assertion), headers=headers)

    required = tuple(name for name in PROOF_CLAIMS if name != "ath")
    answers = [(name, asked(text).status_code) for name, text in mutants(good, required)]
    last = asked(good.text())

    assert len(answers) > 200
    assert not wrongly_answered(answers)
    assert (last.status_code, last.json()["token_type"]) == (200, "DPoP")


def test_no_mutant_of_an_assertion_gives_a_token(front: HubFront, hub: AsgiClient) -> None:
    """The client's own signature on a wrong assertion is no proof of the client."""
    key = import_key(front.private_keys[PARTNER])
    assert isinstance(key, ECKey)
    now = int(front.time.now())
    claims = {
        "iss": PARTNER,
        "sub": PARTNER,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 50,
        "jti": "the-only-one",
    }
    good = Jwt({"alg": "ES256", "typ": "JWT"}, claims, key)
    answers = []
    # An assertion without a type is taken: RFC 7523 asks for none.
    for name, text in mutants(good, ASSERTION_CLAIMS):
        if name not in ("no typ", "typ None"):
            answer = hub.call("POST", "/oauth/token", data=form_of(text))
            answers.append((name, answer.status_code))
    last = hub.call("POST", "/oauth/token", data=form_of(good.text()))

    assert len(answers) > 200
    assert not wrongly_answered(answers)
    assert last.status_code == 200


def form_of(assertion: str) -> dict[str, Any]:
    """A token request."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
