"""The parts that the gateway and the route share, made once per process from its settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consumers import subscriptions
from consumers.addresses import AddressPolicy, SystemResolver
from consumers.clock import Clock, RowClock, SystemClock
from consumers.database import open_engine
from consumers.deliver import NAME as DELIVER
from consumers.posting import Poster
from consumers.receiver_tokens import ReceiverTokens
from consumers.sending import Sender
from consumers.spans import Tracing
from consumers.wake import wakers
from gateway.api import (
    administration,
    agreements,
    audit,
    backfill,
    disclosures,
    erasures,
    programmes,
    records,
    stopped,
    subscription_desk,
)
from gateway.api import subscriptions as subscription_routes
from gateway.api.cases import Cases
from gateway.api.client_certificates import ClientCertificates
from gateway.api.collaborators import Collaborators, TokenVerifier
from gateway.api.completions import Completions
from gateway.api.evidence import StoredFigures
from gateway.api.fair_use import FairUse
from gateway.api.inboxes import InboxFeed
from gateway.api.offer_book import OfferBook
from gateway.exchange.agreement_expiry import AgreementExpiry
from gateway.exchange.agreement_store import AgreementStore
from gateway.exchange.budgets import Limits, Rate
from gateway.exchange.chores import Chores
from gateway.exchange.conversion_survey import survey
from gateway.exchange.decide import decide
from gateway.exchange.disclosure_shapes import sealed_with
from gateway.exchange.erasure_store import ErasureStore
from gateway.exchange.erasures import Erasures
from gateway.exchange.exchange_records import ExchangeRecords
from gateway.exchange.handover import HandOver
from gateway.exchange.heads import HeadSigner
from gateway.exchange.journey import Journeys
from gateway.exchange.key_erasure import KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import KeyRotation, holds_keys
from gateway.exchange.key_watch import KeyWatch
from gateway.exchange.keys import KeyStore
from gateway.exchange.ledger import Ledger
from gateway.exchange.locating import Locator
from gateway.exchange.proof_keys import ProofKeys
from gateway.exchange.refill import Refill
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.render import Renderer
from gateway.exchange.retention_job import RetentionJob
from gateway.exchange.review_store import ReviewStore
from gateway.exchange.round_store import RoundStore
from gateway.exchange.rule_store import RuleStore
from gateway.exchange.sweeper import Sweeper
from gateway.exchange.text_seal import TextSeal
from gateway.exchange.timer_store import TimerStore
from gateway.exchange.timers import Timers
from gateway.oauth.assertions import UsedAssertions
from gateway.oauth.fetching import Fetcher
from gateway.oauth.foreign_keys import ForeignKeys
from gateway.oauth.foreign_tokens import ForeignTokens
from gateway.oauth.introspection import Introspector
from gateway.oauth.issuer import Issuer
from gateway.oauth.keys import SigningKeys
from gateway.oauth.proofs import Proofs
from gateway.oauth.revocation import RevokedTokens
from gateway.oauth.routes import oauth_router
from gateway.oauth.senders import Senders
from gateway.oauth.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import APIRouter
    from sqlalchemy.engine import Engine

    from gateway.exchange.writer import Answer
    from gateway.settings import HubSettings


def business_clock(settings: HubSettings, ledger: Engine, writer: Engine | None = None) -> Clock:
    """System time; in test installations moved by the row that `POST /clock` writes.

    Args:
        settings: say which installation it is.
        ledger: reads the row. A writing engine would wait for the lock that the ledger holds while
            it asks the time.
        writer: writes it, in the process that management moves.
    """
    if settings.environment != "test":
        return SystemClock()
    return RowClock(ledger, writer=writer)


def key_encryption(settings: HubSettings, keys: Engine, ledger: Engine) -> FileKeyEncryption:
    """The key-encryption key; a missing file is made only while nothing needs an older one."""
    return FileKeyEncryption(settings.key_file, may_create=lambda: not holds_keys(keys, ledger))


def usual_limits(settings: HubSettings) -> Limits:
    """What a participant may ask when the registry says nothing else of it."""
    return Limits(
        events=Rate(settings.budget_events_at_once, settings.budget_events_per_second),
        content=Rate(settings.budget_bytes_at_once, settings.budget_bytes_per_second),
        calls=Rate(settings.budget_calls_at_once, settings.budget_calls_per_second),
        concurrent=settings.budget_concurrent,
    )


class RegistryParts:
    """The registry as every process reads it."""

    def __init__(self, settings: HubSettings) -> None:
        stores = settings.stores
        self.ledger_engine = open_engine(stores.ledger)
        self.ledger_reader = open_engine(stores.ledger, read_only=True)
        self.store = RegistryStore(
            self.ledger_engine, environment=settings.environment, reader=self.ledger_reader
        )
        self.live = LiveRegistry(self.store)


class GatewayParts:
    """Everything the gateway's process is made of. `start` before serving, `stop` after."""

    def __init__(self, settings: HubSettings, registry: RegistryParts) -> None:
        stores = settings.stores
        self._settings = settings
        self.registry = registry
        self.consumers_engine = open_engine(stores.consumers)
        self.consumers_reader = open_engine(stores.consumers, read_only=True)
        self.keys_engine = open_engine(stores.keys)
        self._encryption = key_encryption(settings, self.keys_engine, registry.ledger_reader)
        self._keys = KeyStore(self.keys_engine, self._encryption)
        self.clock = business_clock(settings, registry.ledger_reader, registry.ledger_engine)
        self._wakers = wakers(stores, settings.run_dir)
        self.completions = Completions()
        self.tracing = Tracing(
            "gateway", stores.spans, settings.otlp_endpoint, settings.trace_ratio
        )
        self._relay_waker = self._wakers.waker("relay")
        self._deliver_waker = self._wakers.waker(DELIVER)
        self._addresses = AddressPolicy(allows_loopback=settings.webhook_loopback)
        self._poster = Poster(self._addresses, SystemResolver())
        self._feed_wake = self._wakers.listener("feed")
        self._feed_waker = self._wakers.waker("feed")
        self._published = None if stores.is_postgres else self._wakers.listener("ledger")
        self.ledger = self._ledger()
        self._proof_keys = ProofKeys(registry.ledger_engine, self._encryption)
        self._heads = HeadSigner(
            registry.ledger_engine,
            registry.ledger_reader,
            keys=self._proof_keys,
            hub=settings.issuer,
        )
        self.timers = Timers(
            TimerStore(registry.ledger_reader, registry.ledger_engine),
            RoundStore(registry.ledger_reader, registry.ledger_engine),
            self.ledger.submit,
            self.clock,
            registry.live.current,
        )
        self._agreements = AgreementStore(
            registry.ledger_engine,
            registry.ledger_reader,
            environment=settings.environment,
            clock=self.clock,
        )
        self.sweeper = Sweeper(
            registry=registry.live.current,
            clock=self.clock,
            reviews=ReviewStore(registry.ledger_reader, registry.ledger_engine),
            ledger=registry.ledger_reader,
            reading=self.consumers_reader,
            writing=self.consumers_engine,
            wake=self._feed_waker.wake,
        )
        registry.live.on_change(self.sweeper.nudge)
        self._signing = SigningKeys(registry.ledger_engine, self._encryption)
        registry.live.before_change(self._signing.reload)
        self._fair_use = FairUse(
            registry.live.current, usual_limits(settings), gateways=settings.gateways
        )
        self._fetcher = Fetcher(settings.environment)
        self._foreign_keys = ForeignKeys(self._fetcher, registry.live.current)
        self._proofs = Proofs(settings.addresses)
        self._key_watch = KeyWatch(self.keys_engine, self._keys)
        self._rotation = KeyRotation(
            self.keys_engine,
            self._encryption,
            registry.ledger_engine,
            (
                self._signing.rewrap,
                self._proof_keys.rewrap,
                partial(subscriptions.rewrap, self.consumers_engine, TextSeal(self._encryption)),
            ),
        )
        expiry = AgreementExpiry(self._agreements, registry.live)
        self._erasures = Erasures(
            ErasureStore(registry.ledger_engine),
            KeyEraser(self.keys_engine, self._encryption),
            self.keys_engine,
            self.consumers_reader,
            registry.live.current,
        )
        self._chores = Chores(
            {
                "key_rotation": self._rotation.when_due,
                "agreement_expiry": expiry.when_due,
                "erasures": self._erasures.when_due,
                "retention": RetentionJob(
                    registry.ledger_engine,
                    self.consumers_engine,
                    KeyEraser(self.keys_engine, self._encryption),
                    registry.live.current,
                ).when_due,
            },
            self.clock,
        )

    @property
    def movable_clock(self) -> RowClock | None:
        """The clock that management may move; none in production.

        It is the one that this process reads, so that a move counts here at once.
        """
        return self.clock if isinstance(self.clock, RowClock) else None

    def start(self) -> None:
        """Start the threads that read the registry, write the ledger and send what is due."""
        self.registry.live.start()
        self.ledger.start()
        self.timers.start()
        self._key_watch.start()
        self._chores.start()
        self._heads.start()
        self.sweeper.start()
        self._foreign_keys.start()

    def stop(self) -> None:
        """Finish what waits, then end the threads."""
        self._foreign_keys.stop()
        self._fetcher.close()
        self.sweeper.stop()
        self._heads.stop()
        self._chores.stop()
        self._key_watch.stop()
        self.timers.stop()
        self.ledger.stop()
        self.registry.live.stop()
        self.tracing.close()
        self._relay_waker.close()
        self._feed_waker.close()
        self._deliver_waker.close()
        self._poster.close()
        self._feed_wake.close()
        if self._published is not None:
            self._published.close()

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows."""
        return {
            "ledger_waiting": float(self.ledger.waiting),
            "answers_waiting": float(self.completions.waiting),
            "registry_version": float(self.registry.live.current().version),
            "proofs_remembered": float(self._proofs.remembered),
            "spans_dropped_total": float(self.tracing.dropped),
            "proof_tree_differs": float(self._heads.differs),
            "proof_waiting": float(self._heads.waiting),
            "issuer_keys_age_seconds": self._foreign_keys.oldest_seconds(),
            **self._fair_use.figures(),
            **self.timers.figures(),
            **self.sweeper.figures(),
        }

    def verifier(self) -> Verifier:
        """Verifies the tokens of this hub's own issuer, and of those that the registry trusts."""
        issuer, registry = self._settings.issuer, self.registry.live.current
        senders = Senders(self._proofs)
        return Verifier(
            issuer=issuer,
            keys=self._signing,
            registry=registry,
            senders=senders,
            foreign=ForeignTokens(
                self._foreign_keys, Introspector(self._fetcher, self._signing.current)
            ),
        )

    def collaborators(self, verifier: TokenVerifier) -> Collaborators:
        """What the HTTP interface is given."""
        settings, registry = self._settings, self.registry.live.current
        reader, inboxes = self.registry.ledger_reader, self.consumers_reader
        cases = Cases(reader, inboxes, Locator(self._keys.blind_index_key()))
        return Collaborators(
            environment=settings.environment,
            verifier=verifier,
            registry=registry,
            ledger=self.ledger,
            completions=self.completions,
            clock=self.clock,
            feed=InboxFeed(self._hand_over(), inboxes),
            cases=cases,
            journeys=Journeys(
                registry,
                self.clock,
                reader,
                inboxes,
                open_engine(settings.stores.spans, read_only=True),
            ),
            tracing=self.tracing,
            offers=OfferBook(reader),
            wake=self._feed_wake,
            figures=StoredFigures(inboxes) if settings.has_evidence else None,
            certificates=ClientCertificates(settings.proxy_networks),
            fair_use=self._fair_use,
            public_url=settings.base_url,
            kafka_address=settings.kafka_client_address,
            routers=(
                oauth_router(self._issuer()),
                self._administration(verifier),
                self._programmes(verifier),
                agreements.router(
                    live=self.registry.live,
                    store=self._agreements,
                    verifier=verifier,
                    clock=self.clock,
                ),
                audit.router(reader=reader, verifier=verifier),
                erasures.router(self._erasure_desk(verifier, cases)),
                records.router(records=self._records(), verifier=verifier),
                disclosures.router(self._disclosures(verifier, cases)),
                stopped.router(reader=inboxes, verifier=verifier),
                subscription_routes.router(self._subscriptions(verifier)),
                backfill.router(refill=self._refill(), verifier=verifier),
            ),
        )

    def _ledger(self) -> Ledger:
        return Ledger(
            self.registry.ledger_engine,
            keys=self._keys,
            decide=decide,
            registry=self.registry.live.current,
            clock=self.clock,
            environment=self._settings.environment,
            complete=self._complete,
            wake=self._relay_waker.wake,
            matching=self._settings.matches_persons,
            published=self._published,
        )

    def _complete(self, settled: Sequence[tuple[object, Answer]]) -> None:
        """Answers go to whoever asked: a request, or the timers."""
        self.completions.complete(settled)
        self.timers.complete(settled)

    def _hand_over(self) -> HandOver:
        return HandOver(
            Renderer(self.registry.live.current, self._keys, self.clock),
            self.registry.ledger_reader,
            self.consumers_reader,
            self.consumers_engine,
            self.clock,
        )

    def _disclosures(self, verifier: TokenVerifier, cases: Cases) -> disclosures.Desk:
        return disclosures.Desk(
            log=self.consumers_reader,
            ledger=self.registry.ledger_engine,
            cases=cases,
            registry=self.registry.live.current,
            seal=sealed_with(self._keys.disclosure_log_key()),
            verifier=verifier,
            clock=self.clock,
            hub=self._settings.issuer,
        )

    def _refill(self) -> Refill:
        return Refill(
            self.registry.ledger_reader,
            self.consumers_engine,
            self.registry.live.current,
            self.clock,
            (self._feed_waker,),
        )

    def _records(self) -> ExchangeRecords:
        reader, hub = self.registry.ledger_reader, self._settings.issuer
        return ExchangeRecords(reader, self._keys, self._proof_keys, hub)

    def _issuer(self) -> Issuer:
        return Issuer(
            url=self._settings.issuer,
            keys=self._signing,
            registry=self.registry.live.current,
            used=UsedAssertions(self.registry.ledger_engine),
            revoked=RevokedTokens(self.registry.ledger_engine),
            proofs=self._proofs,
            takes_certificates=self._settings.takes_certificates,
        )

    def _programmes(self, verifier: TokenVerifier) -> APIRouter:
        registry = self.registry
        return programmes.router(
            live=registry.live,
            store=RuleStore(
                registry.ledger_engine,
                registry.ledger_reader,
                environment=self._settings.environment,
                clock=self.clock,
            ),
            survey=partial(survey, registry.ledger_reader),
            verifier=verifier,
            clock=self.clock,
        )

    def _erasure_desk(self, verifier: TokenVerifier, cases: Cases) -> erasures.Desk:
        return erasures.Desk(
            erasures=self._erasures,
            store=ErasureStore(self.registry.ledger_engine),
            cases=cases,
            registry=self.registry.live.current,
            pseudonym_key=self._keys.pseudonym_key,
            sign=self._proof_keys.sign_document,
            verifier=verifier,
            clock=self.clock,
            hub=self._settings.issuer,
        )

    def _subscriptions(self, verifier: TokenVerifier) -> subscription_desk.Desk:
        return subscription_desk.Desk(
            reading=self.consumers_reader,
            writing=self.consumers_engine,
            ledger=self.registry.ledger_engine,
            sender=Sender(self._poster, ReceiverTokens(self._poster)),
            seal=TextSeal(self._encryption),
            policy=self._addresses,
            registry=self.registry.live.current,
            clock=self.clock,
            wake=self._deliver_waker.wake,
            verifier=verifier,
        )

    def _administration(self, verifier: TokenVerifier) -> APIRouter:
        return administration.router(
            live=self.registry.live,
            store=self.registry.store,
            signing=self._signing,
            verifier=verifier,
        )
