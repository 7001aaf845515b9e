"""The gateway's verifier: every forged token is refused, a good one is remembered for a while."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, import_key

from gateway.errors import InvalidToken
from gateway.exchange.credentials import new_private_jwk
from gateway.oauth.proofs import Proofs
from gateway.oauth.senders import Senders
from gateway.oauth.tokens import GATEWAY, KAFKA, mint
from gateway.oauth.verifier import Verifier
from tests.hub_front import ADMIN, ISSUER, KAFKA_CLIENT, PARTNER, HubFront

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

    from gateway.exchange.registry import Registry

ANYBODY = Senders(Proofs([ISSUER]))


def forged(front: HubFront, **changes: Any) -> str:
    """A token signed with the hub's own key, right but for what the test changes."""
    now = int(time.time())
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
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    key = front.signing.current()
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": key.kid}, claims, key)


def reason(front: HubFront, token: str) -> str:
    """Why a token is refused."""
    with pytest.raises(InvalidToken) as refused:
        front.verifier.verify(token)
    assert not token or token not in f"{refused.value} {refused.value.facts}"
    return str(refused.value.facts["reason"])


def test_a_good_token_tells_who_calls(front: HubFront) -> None:
    """The principal has the participant, its role and the scopes the client has."""
    principal = front.verifier.verify(front.token(scope="sj_feed_read sj_offer_write"))

    assert (principal.client_id, principal.participant, principal.role) == (
        PARTNER,
        "ocmw-tienen",
        "O",
    )
    assert principal.scopes == {"sj_feed_read", "sj_offer_write"}
    assert principal.trusted_trace


def test_the_forger_of_these_tests_can_succeed(front: HubFront) -> None:
    """Without a change the forged token is accepted, so the refusals below mean something."""
    assert front.verifier.verify(forged(front)).participant == "ocmw-tienen"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://other.example.org"}, "wrong_issuer"),
        ({"iss": f"{ISSUER}/"}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"aud": "kafka"}, "wrong_audience"),
        ({"aud": ISSUER}, "wrong_audience"),
        ({"aud": [GATEWAY.audience]}, "wrong_audience"),
        ({"aud": [GATEWAY.audience, "kafka"]}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"sub": None}, "no_sub"),
        ({"sub": ""}, "no_sub"),
        ({"sub": 5}, "no_sub"),
        ({"sub": "vdab-connector"}, "no_sub"),
        ({"client_id": None}, "no_client_id"),
        ({"jti": None}, "no_jti"),
        ({"scope": None}, "no_scope"),
        ({"scope": ["sj_admin"]}, "no_scope"),
        ({"participant": None}, "no_participant"),
        ({"participant": "vdab"}, "participant_changed"),
        ({"sub": "nobody", "client_id": "nobody"}, "client_inactive"),
        ({"sub": "ANONYMOUS", "client_id": "ANONYMOUS"}, "client_inactive"),
        ({"exp": None}, "no_times"),
        ({"exp": "soon"}, "no_times"),
        ({"exp": True}, "no_times"),
        ({"exp": 1e300}, "no_times"),
        ({"iat": None}, "no_times"),
        ({"exp": 1_000, "iat": 900}, "expired"),
        ({"iat": 32_503_680_000, "exp": 32_503_680_300}, "not_yet_valid"),
        ({"nbf": 32_503_680_000}, "not_yet_valid"),
        ({"exp": 32_503_680_000}, "lives_too_long"),
        ({"act": {"sub": "vdab-connector"}}, "acts_for_another"),
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(front: HubFront, changes: dict[str, Any], expected: str) -> None:
    """A token of the hub's own key is still refused for any claim that is not right."""
    assert reason(front, forged(front, **changes)) == expected


def test_a_token_for_kafka_is_refused(front: HubFront) -> None:
    """The broker's token does not open the gateway."""
    assert reason(front, front.token(KAFKA_CLIENT, resource=KAFKA.indicator)) == "wrong_audience"


def test_unsigned_tokens_are_refused(front: HubFront) -> None:
    """`alg: none` in any spelling, with or without a signature, is refused."""
    good = front.token()
    _, payload, signature = good.split(".")
    for name in ("none", "None", "NoNe", ""):
        for left in ("", signature):
            header = orjson.dumps({"alg": name, "typ": "at+jwt"})
            text = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
            assert reason(front, f"{text}.{payload}.{left}") == "not_signed_by_this_hub"


def test_the_public_key_is_no_shared_secret(front: HubFront) -> None:
    """HS256 over the published key, as JWK or as PEM, is refused."""
    claims = jwt.decode(front.token(), front.signing.published()).claims
    current = front.signing.current()
    for secret in (orjson.dumps(current.as_dict(private=False)), current.as_pem(private=False)):
        key = OctKey.import_key(base64.urlsafe_b64encode(secret))
        header = {"alg": "HS256", "typ": "at+jwt", "kid": current.kid}
        token = jwt.encode(header, claims, key, algorithms=["HS256"])
        assert reason(front, token) == "not_signed_by_this_hub"


@pytest.mark.parametrize("kid", ["own", "of-the-hub", "unknown", None])
def test_a_foreign_key_is_refused(front: HubFront, kid: str | None) -> None:
    """A key that the hub did not publish signs nothing, whatever key id it claims."""
    claims = jwt.decode(front.token(), front.signing.published()).claims
    key = ECKey.import_key(new_private_jwk())
    named = {"own": key.kid, "of-the-hub": front.signing.current().kid}.get(kid or "", kid)
    header = {"alg": "ES256", "typ": "at+jwt", **({"kid": named} if named else {})}

    assert reason(front, jwt.encode(header, claims, key)) == "not_signed_by_this_hub"


@pytest.mark.parametrize(
    "extra", [{"jwk": {}}, {"jku": "https://x.example.org"}, {"x5u": "https://x.example.org"}]
)
def test_keys_that_come_along_are_not_used(front: HubFront, extra: dict[str, Any]) -> None:
    """A key, or where to get one, in the header changes nothing."""
    private = new_private_jwk()
    key = import_key(private)
    if "jwk" in extra:
        extra = {"jwk": key.as_dict(private=False)}
    claims = jwt.decode(front.token(), front.signing.published()).claims
    token = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "x", **extra}, claims, key)

    assert reason(front, token) == "not_signed_by_this_hub"


@pytest.mark.parametrize("typ", ["JWT", "dpop+jwt", "client-authentication+jwt"])
def test_another_kind_of_jwt_is_refused(front: HubFront, typ: str) -> None:
    """Only `at+jwt` is an access token, also when the hub's key signed it."""
    key = front.signing.current()
    claims = jwt.decode(front.token(), front.signing.published()).claims
    token = jwt.encode({"alg": "ES256", "typ": typ, "kid": key.kid}, claims, key)

    assert reason(front, token) == "not_an_access_token"


def test_a_changed_token_is_refused(front: HubFront) -> None:
    """One changed payload, a cut signature or more text behind it breaks the token."""
    header, payload, signature = front.token().split(".")
    other = forged(front, participant="vdab").split(".")[1]
    for token in (
        f"{header}.{other}.{signature}",
        f"{header}.{payload}.{signature[:-4]}",
        f"{header}.{payload}.{signature}.x",
        f"{header}.{payload}.",
        f"{header}.{payload}.{base64.urlsafe_b64encode(bytes(64)).decode().rstrip('=')}",
        "",
        "x",
        "a" * 5000,
        "é.é.é",
    ):
        assert reason(front, token) in ("not_signed_by_this_hub", "too_long")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.one_of(st.text(), st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True)))
def test_no_text_breaks_the_verifier(front: HubFront, text: str) -> None:
    """Whatever comes in, the answer is `InvalidToken` and nothing else."""
    with pytest.raises(InvalidToken):
        front.verifier.verify(text)


def test_times_have_ten_seconds_of_leeway(front: HubFront) -> None:
    """A token of a clock a little ahead is accepted, and ends ten seconds late at most."""
    token = front.token()
    for ahead, good in ((-9, True), (-12, False), (309, True), (311, False)):
        front.time.ahead_seconds = ahead
        fresh = Verifier(
            issuer=ISSUER,
            keys=front.signing,
            registry=front.live.current,
            senders=ANYBODY,
            now=front.time.now,
        )
        if good:
            assert fresh.verify(token).client_id
        else:
            with pytest.raises(InvalidToken):
                fresh.verify(token)


def test_a_remembered_token_ends_in_time(front: HubFront) -> None:
    """Remembering does not make a token live longer."""
    token = front.token()
    front.verifier.verify(token)
    front.time.ahead_seconds = 311

    assert reason(front, token) == "expired"


def test_remembering_is_cheap(front: HubFront) -> None:
    """A second look at a token checks no signature: the keys are not even asked for."""
    text = front.token().encode()
    keys = _Counted(front)
    verifier = Verifier(issuer=ISSUER, keys=keys, registry=front.live.current, senders=ANYBODY)
    first = verifier.verify(text.decode())
    asked = keys.asked
    again = [verifier.verify(text.decode()) for _ in range(100)]  # as requests: new strings

    assert asked == keys.asked == 1
    assert again == [first] * 100


class _Counted:
    """The hub's public keys; counts how often they are asked for."""

    def __init__(self, front: HubFront) -> None:
        self._keys = front.signing
        self.asked = 0

    def published(self) -> KeySet:
        """As known here."""
        self.asked += 1
        return self._keys.published()

    def refresh(self) -> bool:
        """Look for newer ones."""
        return self._keys.refresh()


def test_a_revoked_client_is_refused_within_the_poll(front: HubFront) -> None:
    """A remembered token of a client revoked elsewhere is refused by the next poll."""
    token = front.token()
    front.verifier.verify(token)
    front.live.start()
    front.store.revoke_client(PARTNER, "another gateway")
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and accepts(front, token):
        time.sleep(0.02)

    assert reason(front, token) == "client_inactive"


def accepts(front: HubFront, token: str) -> bool:
    """Whether the verifier takes a token now."""
    try:
        front.verifier.verify(token)
    except InvalidToken:
        return False
    return True


def test_scopes_taken_away_are_gone(front: HubFront) -> None:
    """A token's scopes count only as far as the client still has them."""
    from dataclasses import replace  # noqa: PLC0415 - only here

    token = front.token()
    registry = front.live.current()
    client = registry.client(PARTNER)
    assert client is not None
    narrowed = replace(client, scopes=frozenset({"sj_feed_read"}))
    later = replace(registry, clients={**registry.clients, PARTNER: narrowed})
    verifier = Verifier(issuer=ISSUER, keys=front.signing, registry=lambda: later, senders=ANYBODY)

    assert verifier.verify(token).scopes == {"sj_feed_read"}


def test_a_token_taken_back_is_refused(front: HubFront) -> None:
    """RFC 7009: its client can take a token back; another's is refused, nonsense is no error."""
    token, other = front.token(), front.token()
    foreign = front.ask(front.assertion("vdab-connector"), "/oauth/revoke", token=token)
    nonsense = front.ask(front.assertion(), "/oauth/revoke", token="no.such.token")
    missing = front.ask(front.assertion(), "/oauth/revoke")
    revoked = front.ask(front.assertion(), "/oauth/revoke", token=token)
    front.live.refresh()

    assert (foreign.status_code, foreign.json()["error"]) == (400, "invalid_grant")
    assert (nonsense.status_code, missing.status_code, revoked.status_code) == (200, 400, 200)
    assert reason(front, token) == "revoked"
    assert front.verifier.verify(other).client_id


def test_unknown_key_ids_do_not_make_the_database_busy(front: HubFront) -> None:
    """Invented key ids cause one look for new keys a second at most."""

    class Counting:
        """The signing keys, with refreshes counted."""

        refreshed = 0

        def published(self) -> KeySet:
            return front.signing.published()

        def refresh(self) -> bool:
            done = front.signing.refresh()
            self.refreshed += done
            return done

    def registry() -> Registry:
        return front.live.current()

    keys = Counting()
    verifier = Verifier(issuer=ISSUER, keys=keys, registry=registry, senders=ANYBODY)
    client = front.live.current().client(ADMIN)
    assert client is not None
    stranger = ECKey.import_key(new_private_jwk())
    for _ in range(50):
        token = mint(
            stranger,
            client,
            issuer=ISSUER,
            resource=GATEWAY,
            scope="",
            now_seconds=time.time(),
        )
        with pytest.raises(InvalidToken):
            verifier.verify(token)

    assert keys.refreshed <= 2
