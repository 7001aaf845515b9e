"""Tokens that are their sender's: at the token endpoint, at a resource, in test and production."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import pytest
from joserfc.jws import extract_compact
from msgspec import structs

from gateway import errors
from gateway.oauth.proofs import Proofs
from gateway.oauth.request import HttpForm
from gateway.oauth.senders import Binding, Sender, Senders, binding_of
from gateway.oauth.tokens import GATEWAY, KAFKA, mint
from gateway.oauth.used_proofs import UsedProofs
from gateway.oauth.verifier import Verifier
from schemas.errors import Message
from tests.hub_front import (
    ADMIN,
    ASSERTION_TYPE,
    ISSUER,
    KAFKA_CLIENT,
    PARTNER,
    HubFront,
    hub_front,
)
from tests.proof_forger import Forger
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.oauth.request import Answer

TOKEN_URL = f"{ISSUER}/oauth/token"
PATH = "/v1/clients"
URL = f"{ISSUER}{PATH}"
CERTIFICATE = "A" * 43
OTHER_CERTIFICATE = "B" * 43


@pytest.fixture
def production(tmp_path: Path) -> Iterator[HubFront]:
    """A front of a production installation."""
    folder = tmp_path / "production"
    folder.mkdir()
    with hub_front(sqlite_url(folder), folder, environment="production") as opened:
        yield opened


def claims_of(token: str) -> dict[str, Any]:
    """Claims, unverified."""
    claims: dict[str, Any] = orjson.loads(extract_compact(token.encode()).payload)
    return claims


def sent(forger: Forger, token: str, **changes: Any) -> Sender:
    """A GET with a proof for a token."""
    proof = forger.proof("GET", URL, token, **changes)
    return Sender("GET", PATH, "dpop", (proof,))


def reason(front: HubFront, token: str, sender: Sender) -> str:
    """Why a request with a token is refused."""
    with pytest.raises(errors.AccessError) as refused:
        front.verifier.verify(token, sender)
    assert refused.value.status == 401
    return str(refused.value.facts["reason"])


def bound(front: HubFront, binding: Binding, client_id: str = PARTNER) -> str:
    """A good token with some binding."""
    client = front.live.current().client(client_id)
    assert client is not None
    return mint(
        front.signing.current(),
        client,
        issuer=ISSUER,
        resource=GATEWAY,
        scope=" ".join(client.scopes),
        now_seconds=front.time.now(),
        binding=binding,
    )


def test_a_proof_makes_a_token_of_its_key(front: HubFront) -> None:
    """RFC 9449 §5: type `DPoP`, the key's thumbprint inside, a nonce for what follows."""
    forger = front.forger()
    answer = front.ask_with([forger.proof("POST", TOKEN_URL)], front.assertion())

    body = answer.json()
    assert (answer.status_code, body["token_type"]) == (200, "DPoP")
    assert claims_of(body["access_token"])["cnf"] == {"jkt": forger.thumbprint}
    assert answer.headers["dpop-nonce"]
    principal = front.verifier.verify(body["access_token"], sent(forger, body["access_token"]))
    assert principal.client_id == PARTNER


def test_a_first_request_is_told_the_nonce(front: HubFront) -> None:
    """RFC 9449 §8: 400 `use_dpop_nonce`, and the assertion can be sent again."""
    forger = Forger()
    assertion = front.assertion()

    first = front.ask_with([forger.proof("POST", TOKEN_URL)], assertion)
    forger.nonce = first.headers["dpop-nonce"]
    second = front.ask_with([forger.proof("POST", TOKEN_URL)], assertion)

    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    assert first.headers["cache-control"] == "no-store"
    assert second.status_code == 200


def test_a_proof_of_a_token_request_counts_once(front: HubFront) -> None:
    """The same proof with another assertion gives no token."""
    proof = front.forger().proof("POST", TOKEN_URL)

    first = front.ask_with([proof], front.assertion())
    second = front.ask_with([proof], front.assertion())

    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]) == (400, "invalid_dpop_proof")


def test_only_clients_fill_the_memory_of_proofs(front: HubFront) -> None:
    """Whoever cannot prove to be a client uses up nothing: its proof stays unused."""
    proof = front.forger().proof("POST", TOKEN_URL)

    refused = front.ask_with([proof], front.assertion(iss="nobody"))
    taken = front.ask_with([proof], front.assertion())

    assert (refused.status_code, taken.status_code) == (401, 200)


def test_two_proofs_are_refused(front: HubFront) -> None:
    """RFC 9449 §4.3: not more than one, neither for a token nor with one."""
    forger = front.forger()
    proofs = [forger.proof("POST", TOKEN_URL), forger.proof("POST", TOKEN_URL)]
    answer = front.ask_with(proofs, front.assertion())
    token = front.bound_token(forger)
    both = Sender("GET", PATH, "dpop", (sent(forger, token).proofs[0],) * 2)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert reason(front, token, both) == "several"


def test_a_stolen_token_is_worth_nothing(front: HubFront) -> None:
    """Without the key: as a bearer's, without a proof, with another key's, for another token."""
    owner, thief = front.forger(), front.forger()
    token, own = front.bound_token(owner), front.bound_token(thief)

    assert reason(front, token, Sender("GET", PATH)) == "bound_to_a_key"
    assert reason(front, token, Sender("GET", PATH, "dpop")) == "missing"
    assert reason(front, token, sent(thief, token)) == "other_key"
    assert reason(front, token, sent(thief, own)) == "ath"
    assert reason(front, token, sent(owner, own)) == "ath"
    assert front.verifier.verify(token, sent(owner, token)).client_id == PARTNER


def test_a_stolen_proof_is_worth_nothing(front: HubFront) -> None:
    """The same request once more, another method, another path: all refused."""
    forger = front.forger()
    token = front.bound_token(forger)
    request = sent(forger, token)
    front.verifier.verify(token, request)

    assert reason(front, token, request) == "used_before"
    assert reason(front, token, Sender("POST", PATH, "dpop", request.proofs)) == "htm"
    assert reason(front, token, Sender("GET", "/v1/feed", "dpop", request.proofs)) == "htu"


@pytest.mark.parametrize("kind", ["client", "request", "again", "stolen", "audience"])
def test_a_hundred_replays_of_each_kind_are_refused(front: HubFront, kind: str) -> None:
    """F16: another client, another method or path, the same proof, no key, another audience."""
    owner, thief = front.forger(), front.forger()
    token = bound(front, Binding(key=owner.thumbprint))
    others = bound(front, Binding(key=thief.thumbprint), "vdab-connector")
    kafka = front.bound_token(owner, KAFKA_CLIENT, resource=KAFKA.indicator)
    refused = 0
    for number in range(100):
        good = sent(owner, token)
        attempt = {
            "client": (others, good),
            "request": (
                token,
                structs.replace(good, method="POST")
                if number % 2
                else structs.replace(good, path=f"/v1/{number}"),
            ),
            "again": (token, good),
            "stolen": (token, sent(thief, token, jti=f"attempt-{number}")),
            "audience": (kafka, sent(owner, kafka)),
        }[kind]
        if kind == "again":
            assert front.verifier.verify(*attempt).client_id == PARTNER
        refused += bool(reason(front, *attempt))

    assert refused == 100


def test_a_proof_is_checked_for_a_remembered_token_too(front: HubFront) -> None:
    """Remembering a token never means that anybody may use it."""
    forger = front.forger()
    token = front.bound_token(forger)
    for _ in range(3):
        front.verifier.verify(token, sent(forger, token))

    assert reason(front, token, Sender("GET", PATH)) == "bound_to_a_key"


def test_a_replay_at_another_gateway_is_challenged(front: HubFront) -> None:
    """Two gateways share nothing: the second wants its own nonce, the first takes no copy."""
    forger = front.forger()
    token = front.bound_token(forger)
    second = Verifier(
        issuer=ISSUER,
        keys=front.signing,
        registry=front.live.current,
        senders=Senders(Proofs([ISSUER])),
    )
    request = sent(forger, token)
    front.verifier.verify(token, request)

    with pytest.raises(errors.NonceRequired) as challenged:
        second.verify(token, request)
    forger.nonce = challenged.value.facts["nonce"]
    there = sent(forger, token)
    assert second.verify(token, there).client_id == PARTNER
    with pytest.raises(errors.NonceRequired):
        front.verifier.verify(token, there)
    with pytest.raises(errors.InvalidProof, match="used_before"):
        second.verify(token, there)


def test_a_token_of_a_certificate_is_for_that_certificate(front: HubFront) -> None:
    """RFC 8705 §3: with another one, or none, it is refused; a proof does not help."""
    token = bound(front, Binding(certificate=CERTIFICATE))
    shown = Sender("GET", PATH, certificate=CERTIFICATE)

    assert claims_of(token)["cnf"] == {"x5t#S256": CERTIFICATE}
    assert front.verifier.verify(token, shown).client_id == PARTNER
    other = Sender("GET", PATH, certificate=OTHER_CERTIFICATE)
    assert reason(front, token, other) == "other_certificate"
    assert reason(front, token, Sender("GET", PATH)) == "no_certificate"
    assert reason(front, token, sent(front.forger(), token)) == "not_bound_to_a_key"


@pytest.mark.parametrize(
    "confirmation",
    [
        None,
        [],
        {},
        "A" * 43,
        {"jkt": 5},
        {"jkt": "short"},
        {"jkt": None},
        {"x5t": "A" * 43},
        {"jwk": {}},
        {"jkt": "A" * 43, "x5t#S256": "A" * 43},
        {"jkt": "A" * 43, "kid": "x"},
    ],
    ids=str,
)
def test_an_unknown_binding_is_refused(confirmation: Any) -> None:
    """A binding that this hub does not make is one that it cannot hold to."""
    with pytest.raises(errors.InvalidToken):
        binding_of({"cnf": confirmation})


def test_bearers_exist_in_test_installations_only(front: HubFront, production: HubFront) -> None:
    """Production gives no token without a proven sender, and takes none, not even its own."""
    answer = production.ask(production.assertion(ADMIN))
    unbound = bound(production, Binding(), ADMIN)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert reason(production, unbound, Sender("GET", PATH)) == "not_sender_constrained"
    forger = production.forger()
    token = production.bound_token(forger, ADMIN)
    assert production.verifier.verify(token, sent(forger, token)).client_id == ADMIN
    assert front.verifier.verify(front.token(), Sender("GET", PATH)).client_id == PARTNER


def test_kafka_tokens_are_for_proven_senders(front: HubFront, production: HubFront) -> None:
    """The broker cannot tell senders apart, so the issuer does, and the token says no more."""
    form = {"resource": KAFKA.indicator}
    with_proof = [front.forger().proof("POST", TOKEN_URL)]
    here = front.ask_with(with_proof, front.assertion(KAFKA_CLIENT), **form).json()
    there = production.ask(production.assertion(ADMIN), resource=KAFKA.indicator)

    assert here["token_type"] == "Bearer"
    assert "cnf" not in claims_of(here["access_token"])
    assert there.json()["error"] == "invalid_request"


def test_production_makes_kafka_tokens_for_either_proof(front: HubFront) -> None:
    """By a key or by a certificate; with neither there is none, whatever the client may read."""
    registry = replace(front.live.current(), environment="production")
    issuer = front.issuer_with(registry=lambda: registry)

    def asked(**shown: Any) -> Answer:
        assertion = front.assertion(KAFKA_CLIENT)
        return issuer.token(token_form(assertion, resource=KAFKA.indicator, **shown))

    by_key = asked(proofs=(front.forger().proof("POST", TOKEN_URL),))
    by_certificate = asked(certificate=CERTIFICATE)
    by_nothing = asked()

    assert [one.status for one in (by_key, by_certificate, by_nothing)] == [200, 200, 400]
    for answer in (by_key, by_certificate):
        assert answer.body["token_type"] == "Bearer"
        assert claims_of(str(answer.body["access_token"]))["aud"] == "kafka"


def test_a_full_memory_is_told_in_oauths_words(front: HubFront) -> None:
    """No room to remember a proof: no token, and when to ask again."""
    proofs = Proofs([ISSUER], now=front.time.now, used=_Full(front.time.now))
    forger = Forger(now=front.time.now, nonce=proofs.fresh_nonce())
    issuer = front.issuer_with(proofs=proofs)
    shown = (forger.proof("POST", TOKEN_URL),)
    answer = issuer.token(token_form(front.assertion(), proofs=shown))

    assert (answer.status, answer.body["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def token_form(assertion: str, *, resource: str = "", **shown: Any) -> HttpForm:
    """What a client posts for a token; `shown` is how it proves to be the sender."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    if resource:
        form["resource"] = resource
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return HttpForm(urlencode(form).encode(), headers, Sender("POST", "/oauth/token", "", **shown))


class _Full(UsedProofs):
    """A memory of proofs without room."""

    def use(self, *_: object) -> bool:
        """Refuse."""
        raise errors.Overloaded(Message(nl="Vol.", en="Full."))
