"""The issuer and the administrator's calls on a real store, for tests of OAuth and the commands."""

from __future__ import annotations

import copy
import ssl
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import httpx
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from joserfc import jwt
from joserfc.jwk import import_key
from sqlalchemy.engine import make_url

from consumers.clock import FixedClock
from consumers.database import open_engine
from gateway.api import administration, agreements, programmes
from gateway.api.framework import refuse
from gateway.api.strict_calls import strict_call
from gateway.exchange.agreement_store import AgreementStore
from gateway.exchange.conversion_survey import survey
from gateway.exchange.credentials import new_private_jwk, new_secret, public_part, secret_hash
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.registry import Client, Credential
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.rule_store import RuleStore
from gateway.oauth.assertions import UsedAssertions
from gateway.oauth.issuer import Issuer
from gateway.oauth.keys import SigningKeys
from gateway.oauth.proofs import Proofs
from gateway.oauth.revocation import RevokedTokens
from gateway.oauth.routes import oauth_router
from gateway.oauth.senders import Senders
from gateway.oauth.verifier import Verifier
from schemas.errors import SchakelError
from tests.proof_forger import Forger
from tests.registry_fixtures import demo_content, open_store, sqlite_url
from tests.store_fixtures import migrated_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.registry import Environment

ISSUER = "https://hub.example.org"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PARTNER, ADMIN, SECRET_CLIENT = "ocmw-tienen-connector", "hub-admin", "vdab-with-secret"
KAFKA_CLIENT = "vdab-kafka"
_NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, for plain HTTP: reading whom to trust takes longer than most tests."""
OPERATOR: dict[str, Any] = {
    "urn": "urn:schakel:org:hub",
    "name": "Schakel",
    "participants": [
        {
            "id": "hub-admin",
            "role": "hub_admin",
            "territory": "all",
            "clients": [{"id": "hub-admin", "scopes": ["sj_admin"]}],
        }
    ],
}


@dataclass
class Time:
    """Real time that a test can move forward."""

    ahead_seconds: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.ahead_seconds


@dataclass
class HubFront:
    """One gateway's issuer, verifier and administration, with two clients that have keys."""

    store: RegistryStore
    live: LiveRegistry
    signing: SigningKeys
    issuer: Issuer
    verifier: Verifier
    client: httpx.Client
    time: Time
    proofs: Proofs
    issuing: dict[str, Any] = field(repr=False)
    private_keys: dict[str, dict[str, Any]] = field(repr=False)
    secret: str = field(repr=False, default="")

    def assertion(
        self,
        client_id: str = PARTNER,
        *,
        key: Any = None,
        algorithm: str = "ES256",
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A client's assertion, right unless the test changes it; None takes a claim away."""
        now = int(self.time.now())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 50,
            "jti": str(uuid.uuid4()),
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        signing = import_key(key or self.private_keys[client_id])
        wanted = {"alg": algorithm, **(header or {})}
        return jwt.encode(wanted, claims, signing, algorithms=[algorithm])

    def issuer_with(self, **changes: Any) -> Issuer:
        """Another issuer on the same stores, with other collaborators where a test says so."""
        return Issuer(**{**self.issuing, **changes})

    def ask(self, assertion: str, path: str = "/oauth/token", **form: str) -> httpx.Response:
        """POST to an OAuth endpoint with an assertion."""
        return self.client.post(path, data=_fields(assertion, form))

    def ask_with(self, proofs: list[str], assertion: str, **form: str) -> httpx.Response:
        """Ask for a token with so many `DPoP` headers."""
        headers = [("dpop", one) for one in proofs]
        return self.client.post("/oauth/token", data=_fields(assertion, form), headers=headers)

    def forger(self) -> Forger:
        """A client's key for DPoP proofs, with a nonce of this gateway."""
        return Forger(now=self.time.now, nonce=self.proofs.fresh_nonce())

    def bound_token(self, forger: Forger, client_id: str = PARTNER, **form: str) -> str:
        """A good token that is bound to a forger's key."""
        proof = forger.proof("POST", f"{self.issuer.url}/oauth/token")
        answer = self.ask_with([proof], self.assertion(client_id), **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def token(self, client_id: str = PARTNER, **form: str) -> str:
        """A good token."""
        answer = self.ask(self.assertion(client_id), **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def administer(self, path: str, body: Any = None, client_id: str = ADMIN) -> httpx.Response:
        """Call as a client: POST a body, or GET without one."""
        headers = {"authorization": f"Bearer {self.token(client_id)}"}
        if body is None:
            return self.client.get(path, headers=headers)
        return self.client.post(path, json=body, headers=headers)


def _fields(assertion: str, form: dict[str, str]) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **form,
    }


@contextmanager
def hub_front(
    url: str, folder: Path, *, environment: Environment = "test", issuer_url: str = ISSUER
) -> Iterator[HubFront]:
    """A front on a migrated ledger store, loaded with the demonstration's registry."""
    filled = _fill(url, environment)
    engine = open_engine(url)
    clock = Time()
    store = RegistryStore(engine, environment=environment)
    private_keys, secret = filled or _load(store)
    live = LiveRegistry(store, poll_seconds=0.2)
    signing = SigningKeys(engine, FileKeyEncryption(folder / "kek"), now=clock.now)
    live.before_change(signing.reload)
    addresses = [issuer_url]
    proofs = Proofs(addresses, now=clock.now)
    issuing: dict[str, Any] = {
        "url": issuer_url,
        "keys": signing,
        "registry": live.current,
        "used": UsedAssertions(engine, now=clock.now),
        "revoked": RevokedTokens(engine, now=clock.now),
        "proofs": proofs,
        "now": clock.now,
    }
    issuer = Issuer(**issuing)
    verifier = Verifier(
        issuer=issuer_url,
        keys=signing,
        registry=live.current,
        senders=Senders(proofs),
        now=clock.now,
    )
    app = FastAPI(dependencies=[Depends(strict_call)])
    for kind in (SchakelError, RequestValidationError):
        app.add_exception_handler(kind, refuse)
    app.include_router(oauth_router(issuer))
    app.include_router(
        administration.router(live=live, store=store, signing=signing, verifier=verifier)
    )
    business = FixedClock()
    rules = RuleStore(engine, engine, environment=environment, clock=business)
    app.include_router(
        programmes.router(
            live=live,
            store=rules,
            survey=partial(survey, engine),
            verifier=verifier,
            clock=business,
        )
    )
    app.include_router(
        agreements.router(
            live=live,
            store=AgreementStore(
                engine, engine, environment=environment, clock=business, now_seconds=clock.now
            ),
            verifier=verifier,
            clock=business,
        )
    )
    with served(app) as address, httpx.Client(base_url=address, verify=_NO_TLS) as client:
        addresses.append(address)
        yield HubFront(
            store,
            live,
            signing,
            issuer,
            verifier,
            client,
            clock,
            proofs,
            issuing,
            private_keys,
            secret,
        )
    live.stop()
    engine.dispose()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address where an application answers, on a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _fill(url: str, environment: Environment) -> tuple[dict[str, dict[str, Any]], str] | None:
    """Make a new SQLite file what `_load` would, by copying one that it loaded before.

    Returns:
        What `_load` returns; None when the store is no new SQLite file.
    """
    parsed = make_url(url)
    file = Path(parsed.database or "")
    if parsed.get_backend_name() != "sqlite" or file.read_bytes() != migrated_file("ledger"):
        return None
    content, private_keys, secret = _loaded_file(environment)
    file.write_bytes(content)
    return copy.deepcopy(private_keys), secret


@cache
def _loaded_file(environment: Environment) -> tuple[bytes, dict[str, dict[str, Any]], str]:
    """A ledger store with the registry applied, made once a process; and what `_load` returns."""
    with TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder))
        with open_store(url, environment) as store:
            private_keys, secret = _load(store)
        return Path(folder, "ledger.db").read_bytes(), private_keys, secret


def _load(store: RegistryStore) -> tuple[dict[str, dict[str, Any]], str]:
    """Apply the registry with a key for every client; in test installations one has a secret."""
    secret = new_secret()
    if store.version() > 1:
        return {}, secret
    content = demo_content() if store.environment == "test" else {"organisations": []}
    content["organisations"].append(copy.deepcopy(OPERATOR))
    private_keys = {}
    for organisation in content["organisations"]:
        for client in organisation["participants"][0]["clients"]:
            private_keys[client["id"]] = new_private_jwk()
            client["jwks"] = {"keys": [public_part(private_keys[client["id"]])]}
    store.apply(parse(content, store.environment), "test")
    if store.environment == "test":
        private_keys[KAFKA_CLIENT] = new_private_jwk()
        public = Credential(jwk=public_part(private_keys[KAFKA_CLIENT]))
        reads = frozenset({"sj_kafka_read"})
        reader = Client(KAFKA_CLIENT, "vdab", "private_key_jwt", reads, credentials=(public,))
        store.create_client(reader, "test")
        store.create_client(
            Client(
                SECRET_CLIENT,
                "vdab",
                "client_secret_basic",
                frozenset({"sj_feed_read"}),
                credentials=(Credential(secret_hash=secret_hash(secret)),),
            ),
            "test",
        )
    return private_keys, secret
