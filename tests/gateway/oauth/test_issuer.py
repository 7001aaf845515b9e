"""The token endpoint: who gets a token, what is in it, and who is refused."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import extract_compact

from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry import Credential
from gateway.oauth.tokens import GATEWAY
from tests.hub_front import ISSUER, KAFKA_CLIENT, PARTNER, SECRET_CLIENT, HubFront, hub_front
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from pathlib import Path


def claims_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified."""
    import orjson  # noqa: PLC0415 - only here

    found = extract_compact(token.encode())
    return found.headers(), orjson.loads(found.payload)


def test_a_token_names_client_and_participant(front: HubFront) -> None:
    """The token is an RFC 9068 access token of at most 300 s for the gateway."""
    answer = front.ask(front.assertion())

    body = answer.json()
    header, claims = claims_of(body["access_token"])
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 300)
    assert answer.headers["cache-control"] == "no-store"
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert header["kid"] == front.signing.current().kid
    assert claims["iss"] == ISSUER
    assert claims["sub"] == claims["client_id"] == PARTNER
    assert claims["participant"] == "ocmw-tienen"
    assert claims["aud"] == "urn:schakel:gateway"
    assert claims["exp"] - claims["iat"] == 300
    assert claims["jti"]
    assert "sj_referral_write" in claims["scope"].split()


def test_a_kafka_token_is_short_and_for_kafka(front: HubFront) -> None:
    """The broker's token has another audience, two minutes and the one scope it needs."""
    answer = front.ask(front.assertion(KAFKA_CLIENT), resource="urn:schakel:kafka").json()

    _, claims = claims_of(answer["access_token"])
    said = (claims["aud"], claims["sub"], claims["scope"])
    assert said == ("kafka", KAFKA_CLIENT, "sj_kafka_read")
    assert claims["exp"] - claims["iat"] == 120


def test_kafkas_scope_alone_asks_for_kafka(front: HubFront) -> None:
    """Kafka's own clients cannot name a resource; beside other scopes it is the gateway's token."""
    said = claims_of(front.token(KAFKA_CLIENT, scope="sj_kafka_read"))[1]
    whole = claims_of(front.token(KAFKA_CLIENT))[1]
    other = claims_of(front.token(scope="sj_feed_read"))[1]

    assert said["aud"] == whole["aud"] == "kafka"
    assert other["aud"] == GATEWAY.audience


def test_a_narrower_scope_is_granted(front: HubFront) -> None:
    """A client may ask for less than it has."""
    answer = front.ask(front.assertion(), scope="sj_feed_read").json()

    assert answer["scope"] == "sj_feed_read"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "sj_admin"}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"resource": "urn:schakel:other"}, "invalid_target"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"client_id": "vdab-connector"}, "invalid_client"),
        ({"client_assertion_type": "urn:other"}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_assertion": "x" * 5000}, "invalid_client"),
    ],
)
def test_errors_have_oauths_own_shape(front: HubFront, form: dict[str, str], error: str) -> None:
    """A wrong request is told by OAuth's code, never cached, never with a token."""
    answer = front.ask(front.assertion(), **form)

    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": f"{ISSUER}/oauth/token"},
        {"aud": [ISSUER, f"{ISSUER}/oauth/token"]},
        {"aud": f"{ISSUER}/"},
        {"aud": []},
        {"aud": None},
        {"iss": "vdab-connector"},
        {"iss": None},
        {"sub": None},
        {"sub": "nobody-known"},
        {"sub": 5},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 129},
        {"jti": 7},
        {"exp": None},
        {"exp": True},
        {"exp": "tomorrow"},
        {"exp": 1},
        {"exp": 32_503_680_000},
        {"iat": 32_503_680_000},
        {"nbf": 32_503_680_000},
    ],
    ids=str,
)
def test_an_assertion_with_a_wrong_claim_is_refused(
    front: HubFront, changes: dict[str, Any]
) -> None:
    """Only the issuer is an audience, an assertion ends within a minute, and names itself."""
    answer = front.ask(front.assertion(**changes))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_single_valued_audience_list_is_refused(front: HubFront) -> None:
    """FAPI 2.0 takes the issuer as text and nothing else."""
    assert front.ask(front.assertion(aud=[ISSUER])).status_code == 401


def test_an_assertion_counts_once(front: HubFront, tmp_path: Path) -> None:
    """A replayed assertion is refused, by another gateway and after a restart too."""
    assertion = front.assertion()
    first = front.ask(assertion)
    again = front.ask(assertion)
    with hub_front(sqlite_url(tmp_path), tmp_path) as restarted:
        after_restart = restarted.ask(assertion)

    assert first.status_code == 200
    assert (again.status_code, after_restart.status_code) == (401, 401)
    assert "jti" in after_restart.json()["error_description"]


def test_two_clients_may_use_the_same_jti(front: HubFront) -> None:
    """Ids are remembered per client."""
    assert front.ask(front.assertion(jti="one")).status_code == 200
    assert front.ask(front.assertion("vdab-connector", jti="one")).status_code == 200


def test_a_foreign_key_proves_nothing(front: HubFront) -> None:
    """Another key, another client's key and the public key as a shared secret are refused."""
    import orjson  # noqa: PLC0415 - only here

    public = public_part(front.private_keys[PARTNER])
    shared = OctKey.import_key(orjson.dumps(public)).as_dict(private=True)
    for key, algorithm in (
        (new_private_jwk(), "ES256"),
        (front.private_keys["vdab-connector"], "ES256"),
        (shared, "HS256"),
    ):
        answer = front.ask(front.assertion(key=key, algorithm=algorithm))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_unsigned_assertion_proves_nothing(front: HubFront) -> None:
    """`alg: none` in any spelling is refused."""
    payload = front.assertion().split(".")[1]
    for name in ("none", "None", "NONE"):
        header = base64.urlsafe_b64encode(f'{{"alg":"{name}"}}'.encode()).rstrip(b"=").decode()
        assert front.ask(f"{header}.{payload}.").status_code == 401


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "logout+jwt"])
def test_another_kind_of_jwt_is_no_assertion(front: HubFront, typ: str) -> None:
    """A token or proof of another kind does not authenticate, even with the right key."""
    assert front.ask(front.assertion(header={"typ": typ})).status_code == 401


def test_an_embedded_key_is_not_believed(front: HubFront) -> None:
    """A key that comes with the assertion is not used to check it."""
    key = new_private_jwk()
    assertion = front.assertion(key=key, header={"jwk": public_part(key)})

    assert front.ask(assertion).status_code == 401


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048), "PS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
        (ECKey.generate_key("P-256"), "ES256"),
    ],
)
def test_the_listed_algorithms_are_accepted(front: HubFront, key: Any, algorithm: str) -> None:
    """ES256, PS256 and EdDSA keys authenticate; RS256 with a listed key does not."""
    public = Credential(jwk=public_part(key.as_dict(private=True)))
    front.store.rotate_client(PARTNER, public, "test", overlap_seconds=0)
    front.live.refresh()
    private = key.as_dict(private=True)

    assert front.ask(front.assertion(key=private, algorithm=algorithm)).status_code == 200
    if algorithm == "PS256":
        assert front.ask(front.assertion(key=private, algorithm="RS256")).status_code == 401


def test_both_keys_count_while_they_overlap(front: HubFront) -> None:
    """During the overlap of a rotation old and new key authenticate, afterwards the new one."""
    new = new_private_jwk()
    front.store.rotate_client(PARTNER, Credential(jwk=public_part(new)), "test", overlap_seconds=60)
    front.live.refresh()
    old = front.private_keys[PARTNER]

    def asked(key: dict[str, Any]) -> int:
        return front.ask(front.assertion(key=key, header={"kid": key["kid"]})).status_code

    assert (asked(old), asked(new)) == (200, 200)
    front.time.ahead_seconds = 61
    assert (asked(old), asked(new)) == (401, 200)


def test_a_revoked_client_gets_no_token(front: HubFront) -> None:
    """Once its revocation is known here, a client authenticates no more."""
    front.store.revoke_client(PARTNER, "test")
    front.live.refresh()

    assert front.ask(front.assertion()).status_code == 401


def test_a_secret_authenticates_in_test(front: HubFront) -> None:
    """`client_secret_basic` works in a test installation; a wrong secret gets a challenge."""
    form = {"grant_type": "client_credentials"}
    good = front.client.post("/oauth/token", data=form, auth=(SECRET_CLIENT, front.secret))
    bad = front.client.post("/oauth/token", data=form, auth=(SECRET_CLIENT, "x" * 43))
    unknown = front.client.post("/oauth/token", data=form, auth=("nobody-known", "x" * 43))
    key_client = front.client.post("/oauth/token", data=form, auth=(PARTNER, front.secret))

    assert good.json()["scope"] == "sj_feed_read"
    for refused in (bad, unknown, key_client):
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert refused.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "header", [b"Basic \xa0", b"Basic \xe9", b"Basic " + base64.b64encode(b"\xff:\xff")]
)
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
def test_an_unreadable_header_is_refused(front: HubFront, path: str, header: bytes) -> None:
    """What is no base64 of UTF-8 proves nothing, and is told so."""
    form = {"grant_type": "client_credentials", "token": "t"}
    answer = front.client.post(path, data=form, headers={b"authorization": header})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_secret_in_the_body_is_refused(front: HubFront) -> None:
    """`client_secret_post` is not a method here."""
    answer = front.client.post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_id": SECRET_CLIENT,
            "client_secret": front.secret,
        },
    )

    assert answer.status_code == 401


def test_two_ways_of_authenticating_at_once_are_refused(front: HubFront) -> None:
    """RFC 6749 §2.3: one method a request."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion": front.assertion(),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    answer = front.client.post("/oauth/token", data=form, auth=(SECRET_CLIENT, front.secret))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_production_knows_no_secrets(tmp_path: Path) -> None:
    """In production the method is neither offered nor accepted."""
    with hub_front(sqlite_url(tmp_path), tmp_path, environment="production") as front:
        form = {"grant_type": "client_credentials"}
        answer = front.client.post("/oauth/token", data=form, auth=("hub-admin", "x" * 43))
        metadata = front.client.get("/.well-known/oauth-authorization-server").json()

        assert answer.status_code == 401
        assert metadata["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        assert front.bound_token(front.forger(), "hub-admin")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"grant_type":"client_credentials"}'),
        ("application/x-www-form-urlencoded", b"grant_type=a&grant_type=b"),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"a=" + b"b" * 20_000),
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(40))),
    ],
)
def test_an_unreadable_form_is_refused(front: HubFront, content_type: str, body: bytes) -> None:
    """Another media type, repeated fields, bad UTF-8 and too much of anything are refused."""
    answer = front.client.post("/oauth/token", content=body, headers={"content-type": content_type})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_metadata_and_jwks_can_be_cached(front: HubFront) -> None:
    """RFC 8414 metadata names the endpoints; the JWKS holds two public keys; both revalidate."""
    metadata = front.client.get("/.well-known/oauth-authorization-server")
    jwks = front.client.get("/oauth/jwks")
    again = front.client.get("/oauth/jwks", headers={"if-none-match": jwks.headers["etag"]})

    document = metadata.json()
    keys = jwks.json()["keys"]
    assert document["issuer"] == ISSUER
    assert document["token_endpoint"] == f"{ISSUER}/oauth/token"
    assert document["jwks_uri"] == f"{ISSUER}/oauth/jwks"
    assert "max-age=300" in jwks.headers["cache-control"]
    assert len(keys) == 2
    assert all("d" not in key and key["alg"] == "ES256" and key["use"] == "sig" for key in keys)
    assert (again.status_code, again.content) == (304, b"")
