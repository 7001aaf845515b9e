"""Tokens of trusted issuers, checked with keys and by asking, on a real server that misbehaves."""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, import_key

from gateway.errors import InvalidToken, IssuerUnavailable
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry import Client, Credential, Organisation, Participant, Registry
from gateway.exchange.trusted_issuers import Introspection, TrustedIssuer
from gateway.oauth.fetching import MAX_BYTES, Fetcher
from gateway.oauth.foreign_keys import KEPT_SECONDS, REFRESH_SECONDS, ForeignKeys
from gateway.oauth.foreign_tokens import ForeignTokens
from gateway.oauth.introspection import KEPT_SECONDS as ANSWER_SECONDS
from gateway.oauth.introspection import Introspector
from gateway.oauth.proofs import Proofs
from gateway.oauth.senders import Sender, Senders
from gateway.oauth.verifier import Verifier
from tests.gateway.oauth.foreign_issuer import (
    AUDIENCE,
    HUGE_BYTES,
    ForeignIssuer,
    foreign_issuer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


ISSUER = "https://hub.example.org"
BAD = ("500", "html", "empty", "huge", "redirect", "hang")


class NoKeys:
    """The hub's own issuer, which has signed nothing here."""

    def published(self) -> KeySet:
        """Nothing of use."""
        return KeySet([ECKey.import_key(public_part(new_private_jwk()))])

    def refresh(self) -> bool:
        """Nothing new."""
        return False


@dataclass
class Side:
    """A verifier that trusts one issuer, with a clock and a registry that a test moves."""

    issuer: ForeignIssuer
    registry: Registry
    verifier: Verifier
    keys: ForeignKeys
    key: dict[str, Any]
    ahead: float = 0.0

    def reason(self, token: str) -> str:
        """Why a token is refused."""
        with pytest.raises(InvalidToken) as refused:
            self.verifier.verify(token)
        assert token not in f"{refused.value} {refused.value.facts}"
        return str(refused.value.facts["reason"])


def registry_of(issuer: TrustedIssuer, version: int = 1, **changes: Any) -> Registry:
    """One organisation with one client that this issuer knows as 4711."""
    client = Client(
        id="leuven-acm",
        participant="ocmw-leuven",
        auth="external",
        scopes=frozenset({"sj_feed_read", "sj_offer_write"}),
        credentials=(Credential(issuer=issuer.issuer, subject="4711"),),
    )
    organisation = Organisation(
        urn="urn:be:kbo:0887010362", name="OCMW", kbo="0887010362", ovo="OVO002949"
    )
    return Registry.build(
        version=version,
        environment=changes.pop("environment", "test"),
        organisations=[organisation],
        participants=[
            Participant("ocmw-leuven", organisation.urn, "OCMW", "O", "OCMW", status="active")
        ],
        clients=[replace(client, **changes)],
        issuers=[issuer],
    )


def trusted(issuer: ForeignIssuer, **changes: Any) -> TrustedIssuer:
    """The issuer as the registry has it: by its key set, unless the test says otherwise."""
    return TrustedIssuer(
        **{
            "issuer": issuer.url,
            "audiences": frozenset({AUDIENCE}),
            "algorithms": ("ES256",),
            "types": frozenset({"JWT", "at+jwt"}),
            "jwks_uri": f"{issuer.url}/keys",
            "scopes": {"schakel_lezen": ("sj_feed_read",), "schakel_beheer": ("sj_admin",)},
            **changes,
        }
    )


def asking(issuer: ForeignIssuer) -> TrustedIssuer:
    """The issuer as one that is asked about its tokens."""
    at = Introspection(f"{issuer.url}/introspect", "schakel", issuer.url)
    return trusted(issuer, jwks_uri=None, algorithms=(), introspection=at)


@pytest.fixture
def issuer() -> Iterator[ForeignIssuer]:
    """One that answers well."""
    with foreign_issuer() as running:
        yield running


@pytest.fixture
def side(issuer: ForeignIssuer) -> Iterator[Side]:
    """A verifier that has read the issuer's keys."""
    fetcher = Fetcher("test", seconds=0.5, step_seconds=0.3)
    key = new_private_jwk()
    made: list[Side] = []

    def now() -> float:
        return time.time() + (made[0].ahead if made else 0.0)

    keys = ForeignKeys(fetcher, lambda: made[0].registry, now=now)
    private = import_key(dict(key))
    assert isinstance(private, ECKey)
    tokens = ForeignTokens(keys, Introspector(fetcher, lambda: private, now=now), now=now)
    verifier = Verifier(
        issuer=ISSUER,
        keys=NoKeys(),
        registry=lambda: made[0].registry,
        senders=Senders(Proofs([ISSUER])),
        foreign=tokens,
        now=now,
    )
    made.append(Side(issuer, registry_of(trusted(issuer)), verifier, keys, key))
    keys.refresh()
    yield made[0]
    fetcher.close()


def test_a_token_is_the_registered_clients(side: Side) -> None:
    """Client, participant and role are the registry's; scopes are those that both give."""
    principal = side.verifier.verify(side.issuer.token(scope="schakel_lezen schakel_beheer other"))

    assert (principal.client_id, principal.participant, principal.role) == (
        "leuven-acm",
        "ocmw-leuven",
        "O",
    )
    assert principal.scopes == {"sj_feed_read"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://other.example.org"}, "not_signed_by_this_hub"),
        ({"iss": None}, "not_signed_by_this_hub"),
        ({"aud": "https://elsewhere.example.org"}, "wrong_audience"),
        ({"aud": ["https://elsewhere.example.org"]}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"exp": None}, "no_times"),
        ({"exp": "9999999999"}, "no_times"),
        ({"exp": 9_999_999_999}, "lives_too_long"),
        ({"nbf": 9_999_999_999}, "not_yet_valid"),
        ({"iat": 9_999_999_999}, "not_yet_valid"),
        ({"client_id": "4712"}, "client_inactive"),
        ({"client_id": None}, "client_inactive"),
        ({"client_id": ["4711"]}, "client_inactive"),
        ({"vo_orgcode": "OVO000001"}, "other_organisation"),
        ({"vo_orgcode": "0887010363"}, "other_organisation"),
        ({"vo_orgcode": None}, "other_organisation"),
        ({"vo_ovocode": "OVO000001"}, "other_organisation"),
        ({"act": {"sub": "somebody"}}, "acts_for_another"),
        ({"cnf": {"unknown": "x"}}, "confirmation"),
    ],
)
def test_a_wrong_claim_is_refused(side: Side, changes: dict[str, Any], expected: str) -> None:
    """Signed by the right key, and still not good."""
    assert side.reason(side.issuer.token(**changes)) == expected


@pytest.mark.parametrize(
    "changes", [{"vo_orgcode": "0887.010.362"}, {"vo_orgcode": "x", "vo_ovocode": "ovo002949"}]
)
def test_an_organisation_is_named_by_its_kbo_or_ovo(side: Side, changes: dict[str, Any]) -> None:
    """`vo_ovocode` goes before `vo_orgcode`, as in the base registries."""
    assert side.verifier.verify(side.issuer.token(**changes)).participant == "ocmw-leuven"


def test_a_forged_signature_is_refused(side: Side) -> None:
    """Another key under the same id, a symmetric one made of the public key, none, a wrong type."""
    other = {**new_private_jwk(), "kid": side.issuer.key["kid"]}
    claims = side.issuer.claims()
    forged = jwt.encode({"alg": "ES256", "kid": other["kid"]}, claims, import_key(other))
    public = import_key(dict(public_part(side.issuer.key)))
    assert isinstance(public, ECKey)
    head = _encoded({"alg": "HS256", "typ": "JWT", "kid": other["kid"]})
    signed = f"{head}.{_encoded(claims)}"
    mac = hmac.digest(public.as_pem(private=False), signed.encode(), sha256)
    confused = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    good = side.issuer.token()
    none = f"eyJhbGciOiJub25lIn0.{good.split('.')[1]}."

    for token in (forged, confused, none):
        assert side.reason(token) == "not_signed_by_its_issuer"
    assert side.reason(side.issuer.token({"typ": "id+jwt"})) == "not_an_access_token"


def test_revocation_in_the_registry_counts_at_once(side: Side) -> None:
    """Client, issuer: known tokens are refused with the next version of the registry."""
    token = side.issuer.token()
    side.verifier.verify(token)
    side.registry = registry_of(trusted(side.issuer), 2, status="revoked")
    assert side.reason(token) == "client_inactive"

    side.registry = registry_of(replace(trusted(side.issuer), status="revoked"), 3)
    assert side.reason(token) == "not_signed_by_this_hub"


def test_production_takes_no_token_that_anybody_could_use(side: Side) -> None:
    """Without `cnf` it is refused; with one it is held against the sender like the hub's own."""
    side.registry = registry_of(trusted(side.issuer), environment="production")
    thumbprint = "A" * 43
    bound = side.issuer.token(cnf={"x5t#S256": thumbprint})

    assert side.reason(side.issuer.token()) == "not_sender_constrained"
    assert side.reason(bound) == "no_certificate"
    sender = Sender("GET", "/v1/feed", certificate=thumbprint)
    assert side.verifier.verify(bound, sender).client_id == "leuven-acm"


@pytest.mark.parametrize("mode", BAD)
def test_an_issuer_that_misbehaves_at_start_lets_nobody_in(
    issuer: ForeignIssuer, side: Side, mode: str
) -> None:
    """No keys were ever read: 503, and as soon as it answers well the token is good."""
    issuer.mode = mode
    fresh = TrustedIssuer(**{**_fields(trusted(issuer)), "jwks_uri": f"{issuer.url}/new"})
    side.registry = registry_of(fresh, 2)
    side.keys.refresh()

    with pytest.raises(IssuerUnavailable):
        side.verifier.verify(issuer.token())
    issuer.mode = "good"
    side.ahead = REFRESH_SECONDS + 1
    side.keys.refresh()
    assert side.verifier.verify(issuer.token()).client_id == "leuven-acm"


@pytest.mark.parametrize("mode", BAD)
def test_an_issuer_that_misbehaves_later_is_trusted_for_a_day(
    issuer: ForeignIssuer, side: Side, mode: str
) -> None:
    """The keys that were read last go on, another key never does, and after a day nothing does."""
    issuer.mode = mode
    side.ahead = REFRESH_SECONDS + 1
    side.keys.refresh()
    assert side.verifier.verify(issuer.token()).client_id == "leuven-acm"
    other = ForeignIssuer(url=issuer.url)
    assert side.reason(other.token()) == "not_signed_by_its_issuer"
    assert side.keys.oldest_seconds() == 0

    side.ahead = 3 * REFRESH_SECONDS
    assert side.keys.oldest_seconds() > 2 * REFRESH_SECONDS

    side.ahead = KEPT_SECONDS + 1
    with pytest.raises(IssuerUnavailable):
        side.verifier.verify(issuer.token(exp=int(issuer.claims()["exp"] + KEPT_SECONDS)))


def test_an_issuer_that_is_gone_lets_nobody_in() -> None:
    """Nothing listens there."""
    with foreign_issuer() as gone:
        pass
    fetcher = Fetcher("test")
    registry = registry_of(trusted(gone))
    keys = ForeignKeys(fetcher, lambda: registry)
    keys.refresh()

    with pytest.raises(IssuerUnavailable):
        keys.of(trusted(gone))
    fetcher.close()


def test_a_hundred_mebibytes_are_not_read(issuer: ForeignIssuer) -> None:
    """The connection is cut soon after the bound; the rest stays with the issuer."""
    issuer.mode = "huge"
    fetcher = Fetcher("test")
    with pytest.raises(IssuerUnavailable) as refused:
        fetcher.get(issuer.url)
    fetcher.close()

    assert refused.value.facts == {"reason": "too_large"}
    assert MAX_BYTES <= issuer.sent_bytes < HUGE_BYTES / 4


def test_a_key_taken_back_is_refused_within_a_minute(side: Side) -> None:
    """The next look at the key set, and the time a verified token is not looked at again."""
    old = side.issuer.token()
    side.verifier.verify(old)
    side.issuer.key = new_private_jwk()
    side.ahead = REFRESH_SECONDS + 1
    side.keys.refresh()

    assert side.reason(old) == "not_signed_by_its_issuer"
    assert side.verifier.verify(side.issuer.token()).client_id == "leuven-acm"


def test_keys_in_the_file_need_nobody(side: Side) -> None:
    """An issuer whose keys stand in the registry is never fetched from."""
    kept = (public_part(side.issuer.key),)
    before = side.issuer.fetched
    side.registry = registry_of(trusted(side.issuer, jwks_uri=None, jwks=kept), 2)
    side.ahead = REFRESH_SECONDS + 1
    side.keys.refresh()

    assert side.verifier.verify(side.issuer.token()).client_id == "leuven-acm"
    assert side.issuer.fetched == before


def test_an_address_that_is_not_safe_is_not_fetched() -> None:
    """Production fetches over TLS only, whatever stands in the registry."""
    with foreign_issuer() as running:
        fetcher = Fetcher("production")
        with pytest.raises(IssuerUnavailable):
            fetcher.get(running.url)
        fetcher.close()
        assert running.fetched == 0


def test_an_opaque_token_is_asked_about(side: Side) -> None:
    """The issuer says whose it is; the hub proves itself with its own key, for that issuer only."""
    side.registry = registry_of(asking(side.issuer), 2)
    side.issuer.tokens["opaque"] = {"active": True, **side.issuer.claims(iss=None)}

    assert side.verifier.may_block("opaque")
    assert side.verifier.verify("opaque").client_id == "leuven-acm"
    assert not side.verifier.may_block("opaque")
    (asked,) = side.issuer.asked
    assertion = jwt.decode(asked["client_assertion"], import_key(public_part(side.key)))
    assert (assertion.claims["iss"], assertion.claims["aud"]) == ("schakel", side.issuer.url)
    assert assertion.header["typ"] == "client-authentication+jwt"
    assert side.reason("unknown") == "not_active"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"active": "true"}, "not_active"),
        ({"active": 1}, "not_active"),
        ({}, "not_active"),
        ([True], "not_active"),
        ({"active": True}, "no_times"),
        ({"active": True, "iss": "https://other.example.org"}, "wrong_issuer"),
        ({"active": True, "exp": 1_700_000_000}, "expired"),
        ({"active": True, "exp": 0, "aud": AUDIENCE}, "expired"),
    ],
)
def test_any_doubt_in_an_answer_is_no(side: Side, answer: Any, expected: str) -> None:
    """Only a plain true counts, and issuer, audience and time are checked all the same."""
    side.registry = registry_of(asking(side.issuer), 2)
    side.issuer.tokens["opaque"] = answer

    assert side.reason("opaque") == expected


def test_a_question_that_the_issuer_refuses_is_about_that_token_alone(side: Side) -> None:
    """400 for one that it cannot read: not active, and the next token is asked about."""
    side.registry = registry_of(asking(side.issuer), 2)
    side.issuer.tokens["opaque"] = {"active": True, **side.issuer.claims()}
    side.issuer.mode = "400"
    assert side.reason("garbage") == "not_active"

    side.issuer.mode = "good"
    assert side.verifier.verify("opaque").client_id == "leuven-acm"


def test_an_answer_counts_for_half_a_minute(side: Side) -> None:
    """Within it nothing is asked; after it a token that was taken back is refused."""
    side.registry = registry_of(asking(side.issuer), 2)
    side.issuer.tokens["opaque"] = {"active": True, **side.issuer.claims()}
    for version in (3, 4):
        side.registry = registry_of(asking(side.issuer), version)
        side.verifier.verify("opaque")
    assert len(side.issuer.asked) == 1

    del side.issuer.tokens["opaque"]
    side.ahead = ANSWER_SECONDS + 1
    assert side.reason("opaque") == "not_active"


@pytest.mark.parametrize(
    ("mode", "questions"), [("500", 1), ("hang", 1), ("html", 2), ("huge", 2), ("redirect", 2)]
)
def test_an_issuer_that_cannot_be_asked_stops_its_own_tokens_only(
    side: Side, mode: str, questions: int
) -> None:
    """503 for an opaque token, at once the second time if it is away; one with keys goes on."""
    signing = ForeignIssuer(url="https://signing.example.org")
    inline = trusted(signing, jwks_uri=None, jwks=(public_part(signing.key),))
    known = registry_of(inline, 2)
    asked = asking(side.issuer)
    side.registry = replace(known, issuers={**known.issuers, asked.issuer: asked})
    side.issuer.mode = mode

    for token in ("opaque", "another"):
        with pytest.raises(IssuerUnavailable):
            side.verifier.verify(token)
    assert len(side.issuer.asked) == questions
    assert side.verifier.verify(signing.token()).client_id == "leuven-acm"
    assert not side.verifier.may_block(signing.token())


def _fields(issuer: TrustedIssuer) -> dict[str, Any]:
    return {one.name: getattr(issuer, one.name) for one in fields(issuer)}


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")
