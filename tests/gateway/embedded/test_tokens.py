"""Tokens on the broker's client listener: the issuer's own come in, forged ones never do."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from gateway.embedded.broker import Broker
from gateway.embedded.resources import kafka_folder
from tests.kafka_fixtures import start_test_broker
from tests.sasl import accepts
from tests.token_issuer import TokenIssuer, segments

HANDLER = "listener.name.client.oauthbearer.sasl.server.callback.handler.class="

Forge = Callable[[TokenIssuer], str]


def unsigned(issuer: TokenIssuer) -> str:
    """A good token's claims under alg none, with an empty signature."""
    return segments({"alg": "none", "kid": "one"}, issuer.claims("acme")) + "."


def stripped(issuer: TokenIssuer) -> str:
    """A good token without its signature."""
    return issuer.token("acme").rpartition(".")[0] + "."


def public_key_as_secret(issuer: TokenIssuer) -> str:
    """HS256 with the public key, which everybody has, as the secret."""
    body = segments({"alg": "HS256", "kid": "one", "typ": "at+jwt"}, issuer.claims("acme"))
    secret = issuer.key.as_pem(private=False)
    signature = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def other_key(issuer: TokenIssuer) -> str:
    """The right kid over another key's signature."""
    return issuer.sign(issuer.claims("acme"), key=ECKey.generate_key("P-256"))


def unknown_kid(issuer: TokenIssuer) -> str:
    """Another key under a kid that the key set lacks."""
    return issuer.sign(issuer.claims("acme"), key=ECKey.generate_key("P-256"), kid="two")


FORGERIES: dict[str, Forge] = {
    "no signature": unsigned,
    "signature stripped": stripped,
    "HS256 with the public key": public_key_as_secret,
    "wrong key": other_key,
    "unknown kid": unknown_kid,
    "wrong issuer": lambda issuer: issuer.token("acme", iss="https://elsewhere.example"),
    "no issuer": lambda issuer: issuer.token("acme", iss=None),
    "wrong audience": lambda issuer: issuer.token("acme", aud="gateway"),
    "no audience": lambda issuer: issuer.token("acme", aud=None),
    "expired": lambda issuer: issuer.token("acme", exp=int(time.time()) - 5),
    "no expiry": lambda issuer: issuer.token("acme", exp=None),
    "not valid yet": lambda issuer: issuer.token("acme", nbf=int(time.time()) + 300),
    "no subject": lambda issuer: issuer.token("acme", sub=None),
    "empty subject": lambda issuer: issuer.token("acme", sub=""),
    "garbage": lambda _issuer: "a.b.c",
}


def test_the_issuers_own_token_comes_in(broker: Broker, token_issuer: TokenIssuer) -> None:
    """A token signed with the key that the key set shows is accepted."""
    assert accepts(broker.client_address, token_issuer.token("acme"))


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused(broker: Broker, token_issuer: TokenIssuer, forge: Forge) -> None:
    """No forgery of a good token lets its bearer in."""
    assert not accepts(broker.client_address, forge(token_issuer))


def test_a_key_taken_out_of_the_key_set_is_refused(
    broker: Broker, token_issuer: TokenIssuer
) -> None:
    """An emergency: the broker forgets the key at its next look, within the 30 seconds promised."""
    leaked = ECKey.generate_key("P-256", {"kid": "leaked", "use": "sig", "alg": "ES256"})
    token_issuer.publish(token_issuer.key, leaked)
    token = token_issuer.sign(token_issuer.claims("acme"), key=leaked, kid="leaked")
    assert _comes_to(lambda: accepts(broker.client_address, token))

    token_issuer.publish(token_issuer.key)

    assert _comes_to(lambda: not accepts(broker.client_address, token))
    assert accepts(broker.client_address, token_issuer.token("acme"))


def _comes_to(is_so: Callable[[], bool]) -> bool:
    """Whether it becomes so; it is asked again for 30 seconds."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(0.5)
    return False


def test_a_refused_tokens_claims_are_not_logged(broker: Broker, token_issuer: TokenIssuer) -> None:
    """Kafka would print a refused token's claims at every attempt; our log settings do not."""
    canary = "canary-9f3b1c"

    assert not accepts(
        broker.client_address, token_issuer.token("acme", aud="elsewhere", canary=canary)
    )

    assert canary not in broker.log.read_text(encoding="utf-8")


def test_without_the_prefixed_handler_alg_none_comes_in(tmp_path: Path) -> None:
    """The one line that keeps unsigned tokens out is known: without it they are accepted."""
    shipped = (kafka_folder() / "server.properties").read_text(encoding="utf-8").splitlines()
    weaker = [line for line in shipped if not line.startswith(HANDLER)]
    assert len(weaker) == len(shipped) - 1
    template = tmp_path / "server.properties"
    template.write_text("\n".join(weaker), encoding="utf-8")
    issuer = TokenIssuer()
    weak = start_test_broker(tmp_path / "data", issuer, template)
    try:
        assert accepts(weak.client_address, unsigned(issuer))
    finally:
        weak.stop()
        issuer.close()
