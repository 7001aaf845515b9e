"""The interface on the real exchange, on SQLite: everything but Kafka and OAuth."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consumers.addresses import AddressPolicy, SystemResolver
from consumers.clock import FixedClock
from consumers.database import Stores, open_engine
from consumers.posting import Poster
from consumers.receiver_tokens import ReceiverTokens
from consumers.sending import Sender
from consumers.subscriptions import agenda
from consumers.turn import After, Turns
from gateway.api import audit, disclosures, subscription_desk, subscriptions
from gateway.api.application import create_app
from gateway.api.cases import Cases
from gateway.api.collaborators import Collaborators
from gateway.api.completions import Completions
from gateway.api.inboxes import InboxFeed
from gateway.api.offer_book import OfferBook
from gateway.exchange.decide import decide
from gateway.exchange.disclosure_shapes import sealed_with
from gateway.exchange.handover import HandOver
from gateway.exchange.journey import Journeys
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.keys import KeyStore
from gateway.exchange.ledger import Ledger
from gateway.exchange.locating import Locator
from gateway.exchange.registry import Contact
from gateway.exchange.render import Renderer
from gateway.exchange.route import Route
from gateway.exchange.text_seal import TextSeal
from gateway.exchange.webhook_door import WebhookDoor
from tests.consumers.webhook_world import Never
from tests.gateway.api import fakes
from tests.gateway.api.asgi import AsgiClient
from tests.gateway.api.parties import PARTNER, roles
from tests.gateway.api.samples import ONE, body, form
from tests.gateway.exchange import cast
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    import sqlalchemy as sa

    from gateway.api.outward_calls import OutwardCalls
    from gateway.exchange.registry import Registry

LOOPBACK = AddressPolicy(allows_loopback=True)
OCMW = cast.RELATED["O"]
HUB = "https://hub.example.org"
STRANGER = cast.STRANGERS["W"]


CONTACT = "activering@ocmw.example.org"


def with_contact() -> Registry:
    """The registry of the cast, in which the OCMW has a desk that can be mailed."""
    found = cast.registry()
    desk = replace(found.participants[OCMW], contact=Contact("Desk", email=CONTACT))
    return replace(found, participants={**found.participants, OCMW: desk})


@dataclass(frozen=True, slots=True)
class Hub:
    """The interface and the route behind it."""

    client: AsgiClient
    route: Route
    keys: KeyStore
    key_engine: sa.Engine
    clock: FixedClock
    turns: Turns
    outward: OutwardCalls

    def deliver(self) -> None:
        """Turns of every subscription until nothing is due."""
        while True:
            with self.turns.reading.connect() as connection:
                found = agenda(connection, self.clock.now_us()).ready
            if not sum(self.turns.take(one) is After.MORE for one in found):
                return

    @contextmanager
    def without_keys(self) -> Iterator[None]:
        """The key store cannot be opened, and nothing of it is in memory."""
        path = Path(str(self.key_engine.url.database))
        away = path.with_suffix(".away")
        self.key_engine.dispose()
        path.rename(away)
        path.mkdir()
        self.keys.forget_cached()
        try:
            yield
        finally:
            path.rmdir()
            away.rename(path)

    def call(self, participant: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One call as a participant."""
        headers = {"authorization": f"Bearer {participant}", **options.pop("headers", {})}
        return self.client.call(method, path, headers=headers, **options)

    def refer(self, key: str = "k-1", **changes: Any) -> httpx.Response:
        """The partner's form."""
        headers = {"content-type": "application/json", "idempotency-key": key}
        content = body(form(**changes))
        return self.call(PARTNER, "POST", "/v1/referrals", content=content, headers=headers)

    def accept(
        self, referral: str, key: str = "k-a", *, by: str = OCMW, **given: Any
    ) -> httpx.Response:
        """The desk's one call."""
        headers = {"content-type": "application/json", "idempotency-key": key}
        path = f"/v1/referrals/{referral}/acceptance"
        return self.call(by, "POST", path, content=body(given), headers=headers)

    def timeline(self, participant: str, trajectory: str) -> list[dict[str, Any]]:
        """The events of a case that a participant knows."""
        found: list[dict[str, Any]] = self.call(
            participant, "GET", f"/v1/trajectories/{trajectory}"
        ).json()["timeline"]
        return found

    def publish(self, sent: Any, content_type: str = ONE) -> httpx.Response:
        """An event, or a batch, of the partner's."""
        headers = {"content-type": content_type}
        return self.call(PARTNER, "POST", "/v1/events", content=body(sent), headers=headers)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub without Kafka and OAuth, everything else real."""
    stores = migrated(Stores.sqlite(tmp_path))
    with ExitStack() as stack:

        def engine(url: str, *, read_only: bool = False) -> Any:
            made = open_engine(url, read_only=read_only)
            stack.callback(made.dispose)
            return made

        clock = FixedClock(cast.NOW)
        key_engine = engine(stores.keys)
        encryption = FileKeyEncryption(tmp_path / "kek")
        keys = KeyStore(key_engine, encryption)
        completions = Completions()
        ledger_engine = engine(stores.ledger)
        ledger = Ledger(
            ledger_engine,
            keys=keys,
            decide=decide,
            registry=cast.registry,
            clock=clock,
            environment="test",
            complete=completions.complete,
            wake=lambda: None,
        )
        ledger.start()
        stack.callback(ledger.stop)
        reader = engine(stores.ledger, read_only=True)
        inboxes = engine(stores.consumers, read_only=True)
        writing = engine(stores.consumers)
        renderer = Renderer(cast.registry, keys, clock)
        verifier = fakes.ReadableTokens(roles())
        cases = Cases(reader, inboxes, Locator(keys.blind_index_key()))
        log_desk = disclosures.Desk(
            log=inboxes,
            ledger=ledger_engine,
            cases=cases,
            registry=cast.registry,
            seal=sealed_with(keys.disclosure_log_key()),
            verifier=verifier,
            clock=clock,
            hub=HUB,
        )
        poster = Poster(LOOPBACK, SystemResolver(), seconds=5)
        stack.callback(poster.close)
        sender = Sender(poster, ReceiverTokens(poster))
        webhook_desk = subscription_desk.Desk(
            reading=inboxes,
            writing=writing,
            ledger=ledger_engine,
            sender=sender,
            seal=TextSeal(encryption),
            policy=LOOPBACK,
            registry=with_contact,
            clock=clock,
            wake=lambda: None,
            verifier=verifier,
        )
        turns = Turns(
            inboxes,
            writing,
            render=WebhookDoor(HandOver(renderer, reader, inboxes, writing, clock)),
            sender=sender,
            seal=TextSeal(encryption),
            clock=clock,
            hands=Never(),
            chance=lambda: 1.0,
        )
        app = create_app(
            Collaborators(
                environment="test",
                verifier=verifier,
                registry=cast.registry,
                ledger=ledger,
                completions=completions,
                clock=clock,
                feed=InboxFeed(HandOver(renderer, reader, inboxes, writing, clock), inboxes),
                cases=cases,
                journeys=Journeys(cast.registry, clock, reader, inboxes),
                tracing=fakes.NoTracing(),
                offers=OfferBook(reader),
                routers=(
                    disclosures.router(log_desk),
                    audit.router(reader=reader, verifier=verifier),
                    subscriptions.router(webhook_desk),
                ),
            )
        )
        client = stack.enter_context(AsgiClient(app))
        route = Route(fakes.NoLog(), reader, writing, cast.registry, clock)
        yield Hub(client, route, keys, key_engine, clock, turns, webhook_desk.outward)
