"""The FAPI 2.0 Security Profile for client credentials, as the OpenID conformance suite tests it.

Ported by hand: each row is named after the suite's module and says which of its cases it is. The
modules are those of `fapi2-security-profile-final-client-credentials-grant-test-plan` that a hub
without browsers can meet; what they say about authorisation codes, PAR and PKCE does not apply.
Everything is asked of a production installation, over its whole interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.exchange.credentials import public_part
from gateway.exchange.registry import Client, Credential
from schemas.proofs import token_hash
from tests.gateway.api.asgi import AsgiClient
from tests.gateway.api.front_app import app_of
from tests.hub_front import ADMIN, ASSERTION_TYPE, ISSUER, HubFront, hub_front
from tests.proof_forger import Forger
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

PREFIX = "fapi2-security-profile-final-"
TOKEN_URL = f"{ISSUER}/oauth/token"
ME = "/v1/me"
URL = f"{ISSUER}{ME}"


@dataclass
class Production:
    """A production hub, its interface, and a client's key for proofs."""

    front: HubFront
    hub: AsgiClient
    forger: Forger

    def now(self) -> int:
        """The hub's time."""
        return int(self.front.time.now())

    def request(self, *proofs: str, form: dict[str, Any] | None = None) -> httpx.Response:
        """A token request; without proofs it has none."""
        sent = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.front.assertion(ADMIN),
            **(form or {}),
        }
        content = {name: value for name, value in sent.items() if value is not None}
        headers = [(b"dpop", one.encode()) for one in proofs]
        return self.hub.call("POST", "/oauth/token", data=content, headers=headers)

    def ask(self, **form: Any) -> httpx.Response:
        """A token request with a good proof; a field of None is left out."""
        return self.request(self.forger.proof("POST", TOKEN_URL), form=form)

    def assertion(self, **changes: Any) -> httpx.Response:
        """A token request with a good proof and a changed assertion."""
        return self.ask(client_assertion=self.front.assertion(ADMIN, **changes))

    def token(self) -> str:
        """A good token of the forger's key."""
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def call(self, token: str, *proofs: str, scheme: str = "DPoP") -> httpx.Response:
        """A call of a resource."""
        headers = [(b"authorization", f"{scheme} {token}".encode())]
        headers += [(b"dpop", one.encode()) for one in proofs]
        return self.hub.call("GET", ME, headers=headers)

    def resource(self, **changes: Any) -> httpx.Response:
        """A call with a changed proof."""
        token = self.token()
        return self.call(token, self.forger.proof("GET", URL, token, **changes))

    def resource_header(self, **changes: Any) -> httpx.Response:
        """A call with a proof whose header is changed."""
        token = self.token()
        header = {**self.forger.header(), **changes}
        return self.call(token, self.forger.sign(header, self.forger.claims("GET", URL, token)))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubFront, AsgiClient]]:
    """One production installation for all rows."""
    folder = tmp_path_factory.mktemp("fapi")
    with (
        hub_front(sqlite_url(folder), folder, environment="production") as front,
        AsgiClient(app_of(front)) as hub,
    ):
        yield front, hub


@pytest.fixture
def production(opened: tuple[HubFront, AsgiClient]) -> Production:
    """The installation with a new key."""
    front, hub = opened
    return Production(front, hub, front.forger())


def rs256(hub: Production) -> httpx.Response:
    """An assertion that a registered RSA key signed with RS256."""
    key = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)
    client = Client(
        "rsa",
        ADMIN,
        "private_key_jwt",
        frozenset({"sj_admin"}),
        credentials=(Credential(jwk=public_part(key)),),
    )
    hub.front.store.create_client(client, "test")
    hub.front.live.refresh()
    good = hub.front.assertion("rsa", key=key, algorithm="PS256")
    assert hub.ask(client_assertion=good).status_code == 200
    return hub.ask(client_assertion=hub.front.assertion("rsa", key=key, algorithm="RS256"))


def unsigned(hub: Production) -> httpx.Response:
    """An assertion with `alg` none."""
    head, payload, _ = hub.front.assertion(ADMIN).split(".")
    forged = Forger().sign({"alg": "none", "typ": "JWT"}, b"{}").split(".")[0]
    assert head != forged
    return hub.ask(client_assertion=f"{forged}.{payload}.")


def spoilt(hub: Production) -> httpx.Response:
    """An assertion with another signature."""
    head, payload, _ = hub.front.assertion(ADMIN).split(".")
    return hub.ask(client_assertion=f"{head}.{payload}.{'A' * 86}")


def ahead(seconds: int) -> Callable[[Production], httpx.Response]:
    """An assertion whose `iat` and `nbf` are ahead."""

    def asked(hub: Production) -> httpx.Response:
        later = hub.now() + seconds
        return hub.assertion(iat=later, nbf=later, exp=later + 50)

    return asked


INVALID_CLIENT = f"{PREFIX}ensure-invalid-client-assertions-fail"
TOKEN_REFUSED: list[tuple[str, str, Callable[[Production], httpx.Response]]] = [
    (INVALID_CLIENT, "no assertion", lambda hub: hub.ask(client_assertion=None)),
    (INVALID_CLIENT, "no type", lambda hub: hub.ask(client_assertion_type=None)),
    (INVALID_CLIENT, "wrong type", lambda hub: hub.ask(client_assertion_type="urn:wrong")),
    (INVALID_CLIENT, "no sub", lambda hub: hub.assertion(sub=None)),
    (INVALID_CLIENT, "wrong sub", lambda hub: hub.assertion(sub="somebody")),
    (INVALID_CLIENT, "no iss", lambda hub: hub.assertion(iss=None)),
    (INVALID_CLIENT, "wrong iss", lambda hub: hub.assertion(iss="somebody")),
    (INVALID_CLIENT, "no aud", lambda hub: hub.assertion(aud=None)),
    (INVALID_CLIENT, "unrelated aud", lambda hub: hub.assertion(aud="https://x.example.org")),
    (INVALID_CLIENT, "token endpoint as aud", lambda hub: hub.assertion(aud=TOKEN_URL)),
    (INVALID_CLIENT, "list as aud", lambda hub: hub.assertion(aud=[ISSUER, TOKEN_URL])),
    (INVALID_CLIENT, "list of one as aud", lambda hub: hub.assertion(aud=[ISSUER])),
    (INVALID_CLIENT, "exp in the past", lambda hub: hub.assertion(exp=hub.now() - 300)),
    (INVALID_CLIENT, "iat and nbf over 60 s ahead", ahead(70)),
    (INVALID_CLIENT, "alg none", unsigned),
    (INVALID_CLIENT, "invalid signature", spoilt),
    (f"{PREFIX}ensure-signed-client-assertion-with-RS256-fails", "an RSA key", rs256),
    (
        f"{PREFIX}ensure-client-assertion-in-token-endpoint",
        "only client_id",
        lambda hub: hub.ask(client_assertion=None, client_assertion_type=None, client_id=ADMIN),
    ),
    (
        f"{PREFIX}ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
        "exp",
        lambda hub: hub.assertion(exp=hub.now() - 300, iat=hub.now() - 360),
    ),
    (
        f"{PREFIX}ensure-client-assertion-with-wrong-aud-fails",
        "aud",
        lambda hub: hub.assertion(aud="https://other.example.org"),
    ),
    (
        f"{PREFIX}ensure-client-assertion-with-no-sub-fails",
        "sub",
        lambda hub: hub.assertion(sub=None),
    ),
    (
        f"{PREFIX}ensure-client-id-in-token-endpoint",
        "another client's id with this client's key",
        lambda hub: hub.ask(client_id="somebody-else"),
    ),
    (f"{PREFIX}ensure-holder-of-key-required", "no proof", lambda hub: hub.request()),
]

NEGATIVE = f"{PREFIX}dpop-negative-tests"


def two_proofs(hub: Production) -> httpx.Response:
    """A call with two headers, each of them good."""
    token = hub.token()
    return hub.call(token, *(hub.forger.proof("GET", URL, token) for _ in range(2)))


def no_proof(hub: Production) -> httpx.Response:
    """A bound token without a proof."""
    return hub.call(hub.token())


def downgraded(hub: Production) -> httpx.Response:
    """A bound token as a bearer's, with a good proof beside it."""
    token = hub.token()
    return hub.call(token, hub.forger.proof("GET", URL, token), scheme="Bearer")


def another_key(hub: Production) -> httpx.Response:
    """A proof of a key that is not the token's."""
    token = hub.token()
    return hub.call(token, hub.front.forger().proof("GET", URL, token))


def same_id(hub: Production) -> httpx.Response:
    """The second use of a `jti`, in a proof that is new in everything else."""
    token = hub.token()
    first = hub.call(token, hub.forger.proof("GET", URL, token, jti="the-same"))
    assert first.status_code == 200
    return hub.call(token, hub.forger.proof("GET", URL, token, jti="the-same", iat=hub.now() - 5))


def broken_signature(hub: Production) -> httpx.Response:
    """A proof whose signature is another's."""
    token = hub.token()
    head, _, _ = hub.forger.proof("GET", URL, token).rpartition(".")
    return hub.call(token, f"{head}.{'A' * 86}")


def private_key(hub: Production) -> httpx.Response:
    """A proof that gives its private key away."""
    return hub.resource_header(jwk=hub.forger.key.as_dict(private=True))


def key_of_another(hub: Production) -> httpx.Response:
    """A proof that names a key that did not sign it."""
    return hub.resource_header(jwk=ECKey.generate_key("P-256").as_dict(private=False))


RESOURCE_REFUSED: list[tuple[str, str, Callable[[Production], httpx.Response]]] = [
    (f"{PREFIX}ensure-holder-of-key-required", "no proof", no_proof),
    (NEGATIVE, "Bearer instead of DPoP", downgraded),
    (NEGATIVE, "several proofs", two_proofs),
    (NEGATIVE, "another key than the token's", another_key),
    (NEGATIVE, "no typ", lambda hub: hub.resource_header(typ=None)),
    (NEGATIVE, "wrong typ", lambda hub: hub.resource_header(typ="JWT")),
    (NEGATIVE, "no alg", lambda hub: hub.resource_header(alg=None)),
    (NEGATIVE, "alg none", lambda hub: hub.resource_header(alg="none")),
    (NEGATIVE, "symmetric alg", lambda hub: hub.resource_header(alg="HS256")),
    (NEGATIVE, "RS256", lambda hub: hub.resource_header(alg="RS256")),
    (NEGATIVE, "no jwk", lambda hub: hub.resource_header(jwk=None)),
    (NEGATIVE, "private key in jwk", private_key),
    (NEGATIVE, "jwk that did not sign", key_of_another),
    (NEGATIVE, "invalid signature", broken_signature),
    (NEGATIVE, "no jti", lambda hub: hub.resource(jti=None)),
    (NEGATIVE, "second use of a jti", same_id),
    (NEGATIVE, "no htm", lambda hub: hub.resource(htm=None)),
    (NEGATIVE, "wrong htm", lambda hub: hub.resource(htm="PUT")),
    (NEGATIVE, "no htu", lambda hub: hub.resource(htu=None)),
    (NEGATIVE, "wrong htu", lambda hub: hub.resource(htu=f"{ISSUER}/v1/feed")),
    (NEGATIVE, "no iat", lambda hub: hub.resource(iat=None)),
    (NEGATIVE, "iat long ago", lambda hub: hub.resource(iat=hub.now() - 3600)),
    (NEGATIVE, "iat far ahead", lambda hub: hub.resource(iat=hub.now() + 3600)),
    (NEGATIVE, "no ath", lambda hub: hub.resource(ath=None)),
    (NEGATIVE, "ath of another token", lambda hub: hub.resource(ath=token_hash("x"))),
    (NEGATIVE, "exp in the past", lambda hub: hub.resource(exp=hub.now() - 5)),
    (NEGATIVE, "nbf far ahead", lambda hub: hub.resource(nbf=hub.now() + 3600)),
]


def scheme_in_other_case(hub: Production) -> httpx.Response:
    """The scheme's name in inverted case."""
    token = hub.token()
    return hub.call(token, hub.forger.proof("GET", URL, token), scheme="dPoP")


def proven_at_both(
    **changes: Callable[[Production], int],
) -> Callable[[Production], httpx.Response]:
    """A token and a call with proofs that are changed alike."""

    def asked(hub: Production) -> httpx.Response:
        made: dict[str, Any] = {name: change(hub) for name, change in changes.items()}
        answer = hub.request(hub.forger.proof("POST", TOKEN_URL, **made))
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        return hub.call(token, hub.forger.proof("GET", URL, token, **made))

    return asked


ACCEPTED: list[tuple[str, str, Callable[[Production], httpx.Response]]] = [
    (f"{PREFIX}happy-flow", "a token and a call", lambda hub: hub.resource()),
    (INVALID_CLIENT, "valid assertion", lambda hub: hub.assertion()),
    (INVALID_CLIENT, "iat and nbf 8 s ahead", ahead(8)),
    (
        f"{PREFIX}check-dpop-proof-nbf-exp",
        "nbf now, exp in a minute",
        proven_at_both(nbf=Production.now, exp=lambda hub: hub.now() + 60),
    ),
    (
        f"{PREFIX}ensure-dpopproof-with-iat-10seconds-before-succeeds",
        "iat",
        proven_at_both(iat=lambda hub: hub.now() - 10),
    ),
    (
        f"{PREFIX}ensure-dpopproof-with-iat-10seconds-after-succeeds",
        "iat",
        proven_at_both(iat=lambda hub: hub.now() + 8),
    ),
    (
        f"{PREFIX}access-token-type-header-case-sensitivity",
        "inverted case",
        scheme_in_other_case,
    ),
    (
        NEGATIVE,
        "htu in another spelling",
        lambda hub: hub.resource(htu=f"HTTPS://HUB.Example.org:443{ME}"),
    ),
]


def named(rows: list[tuple[str, str, Any]]) -> list[str]:
    """Module and case, as the suite's log has them."""
    return [f"{module.removeprefix(PREFIX)}: {case}" for module, case, _ in rows]


@pytest.mark.parametrize(("module", "case", "run"), TOKEN_REFUSED, ids=named(TOKEN_REFUSED))
def test_no_token_for(
    production: Production, module: str, case: str, run: Callable[[Production], httpx.Response]
) -> None:
    """RFC 6749 §5.2: 400 or 401 in OAuth's own words."""
    answer = run(production)

    assert answer.status_code in (400, 401), (module, case)
    assert answer.json()["error"] in ("invalid_client", "invalid_request")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("module", "case", "run"), RESOURCE_REFUSED, ids=named(RESOURCE_REFUSED))
def test_no_answer_for(
    production: Production, module: str, case: str, run: Callable[[Production], httpx.Response]
) -> None:
    """RFC 9449 §7.1: 401 with a challenge of the scheme DPoP."""
    answer = run(production)

    assert answer.status_code == 401, (module, case)
    assert any(
        one.startswith("DPoP ") and "error=" in one
        for one in answer.headers.get_list("www-authenticate")
    )


@pytest.mark.parametrize(("module", "case", "run"), ACCEPTED, ids=named(ACCEPTED))
def test_an_answer_for(
    production: Production, module: str, case: str, run: Callable[[Production], httpx.Response]
) -> None:
    """What the profile allows is allowed, so that the refusals above mean something."""
    assert run(production).status_code == 200, (module, case)


def test_the_rows_are_different() -> None:
    """No module's case stands here twice."""
    rows = named(TOKEN_REFUSED) + named(RESOURCE_REFUSED) + named(ACCEPTED)
    twice = {row for row in rows if rows.count(row) > 1}

    assert twice <= {"ensure-holder-of-key-required: no proof"}
