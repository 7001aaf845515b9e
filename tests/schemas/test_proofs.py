"""DPoP proofs on paper: the examples of RFC 9449, one spelling of an address, and what we send."""

from __future__ import annotations

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.jws import extract_compact

from schemas import proofs

RFC_KEY = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}
URL = "https://hub.example.org/v1/events"


def test_the_thumbprint_of_the_standard() -> None:
    """RFC 9449 figure 9: the `jkt` of the key of figure 2."""
    assert proofs.thumbprint(RFC_KEY) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_token_hash_of_the_standard() -> None:
    """RFC 9449 figures 12 and 13: the `ath` of its access token."""
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"

    assert proofs.token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


@pytest.mark.parametrize("kind", [ECKey, OKPKey, RSAKey])
def test_thumbprints_agree_with_another_reader(kind: type[ECKey | OKPKey | RSAKey]) -> None:
    """Every kind of key has the thumbprint that joserfc gives it."""
    size = {ECKey: "P-256", OKPKey: "Ed25519", RSAKey: 2048}[kind]
    key = kind.generate_key(size)  # type: ignore[arg-type] # each kind has its own sizes

    assert proofs.thumbprint(key.as_dict(private=False)) == key.thumbprint()


@pytest.mark.parametrize(
    "spelling",
    [
        "https://hub.example.org/v1/events",
        "HTTPS://HUB.Example.org/v1/events",
        "https://hub.example.org:443/v1/events",
        "https://hub.example.org/v1/events?dry_run=true",
        "https://hub.example.org/v1/events#here",
        "https://hub.example.org/v1/./x/../events",
        "https://hub.example.org/%76%31/events",
    ],
)
def test_spellings_of_one_address(spelling: str) -> None:
    """RFC 3986 §6.2.2 and §6.2.3 make one address of them."""
    assert proofs.target(spelling) == URL


@pytest.mark.parametrize(
    "other",
    [
        "http://hub.example.org/v1/events",
        "https://hub.example.org:8443/v1/events",
        "https://hub.example.org/v1/Events",
        "https://hub.example.org/v1/events/",
        "https://hub.example.org/v1%2Fevents",
        "https://hub.example.org.evil.example/v1/events",
    ],
)
def test_other_addresses_stay_other(other: str) -> None:
    """What a server may tell apart is not made the same."""
    assert proofs.target(other) != URL


@pytest.mark.parametrize(
    "nothing",
    [
        "",
        "/v1/events",
        "hub.example.org/v1/events",
        "ftp://hub.example.org/",
        "https:///v1/events",
        "https://me@hub.example.org/v1/events",
        "https://hub.example.org:port/",
        "https://hub.example.org:99999/",
        "https://[::1/",
        "https://hub.example.org/v1/\nevents",
        "https://hüb.example.org/",
    ],
)
def test_no_address(nothing: str) -> None:
    """Whatever names no place of a server is told apart from all places."""
    with pytest.raises(ValueError, match="no address"):
        proofs.target(nothing)


def test_an_empty_path_is_the_root() -> None:
    """`https://x` and `https://x/` are one, also with an IPv6 address."""
    assert proofs.target("https://[::1]:8443") == proofs.target("https://[::1]:8443/")


def test_a_proof_says_what_the_standard_asks() -> None:
    """Type, algorithm, public key, method, address without query, time, id and token hash."""
    prover = proofs.Prover(now=lambda: 1_790_000_000.9)

    first = prover.headers("POST", f"{URL}?dry_run=true", "a.b.c")
    second = prover.headers("POST", URL)

    found = extract_compact(first["dpop"].encode())
    header, claims = found.headers(), orjson.loads(found.payload)
    assert header == {"typ": "dpop+jwt", "alg": "ES256", "jwk": prover.jwk}
    assert jwt.decode(first["dpop"], import_key(dict(prover.jwk))).claims == claims
    assert first["authorization"] == "DPoP a.b.c"
    assert claims["ath"] == proofs.token_hash("a.b.c")
    assert (claims["htm"], claims["htu"], claims["iat"]) == ("POST", URL, 1_790_000_000)
    other = orjson.loads(extract_compact(second["dpop"].encode()).payload)
    assert "authorization" not in second
    assert "ath" not in other
    assert other["jti"] != claims["jti"]


def test_a_nonce_is_asked_for_once() -> None:
    """A new nonce with a refusal means: once more; the same one again does not."""
    prover = proofs.Prover()

    assert not prover.should_repeat(401, {})
    assert prover.should_repeat(401, {"dpop-nonce": "one"})
    assert not prover.should_repeat(401, {"dpop-nonce": "one"})
    assert not prover.should_repeat(200, {"dpop-nonce": "two"})
    proof = prover.headers("GET", URL)["dpop"]
    assert orjson.loads(extract_compact(proof.encode()).payload)["nonce"] == "two"
