"""What the HTTP interface is given, and the routers that only a whole hub has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consumers.database import open_engine
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
    subscriptions,
)
from gateway.api.cases import Cases
from gateway.api.client_certificates import ClientCertificates
from gateway.api.collaborators import Collaborators
from gateway.api.evidence import StoredFigures
from gateway.api.fair_use import FairUse
from gateway.api.inboxes import InboxFeed
from gateway.api.offer_book import OfferBook
from gateway.exchange.budgets import Limits, Rate
from gateway.exchange.conversion_survey import survey
from gateway.exchange.disclosure_shapes import sealed_with
from gateway.exchange.erasure_store import ErasureStore
from gateway.exchange.exchange_records import ExchangeRecords
from gateway.exchange.journey import Journeys
from gateway.exchange.locating import Locator
from gateway.exchange.refill import Refill
from gateway.exchange.rule_store import RuleStore
from gateway.exchange.text_seal import TextSeal
from gateway.oauth.routes import oauth_router
from gateway.webhook_parts import ReceiverParts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import APIRouter

    from consumers.spans import Tracing
    from gateway.api.collaborators import TokenVerifier
    from gateway.api.completions import Completions
    from gateway.door_parts import DoorParts
    from gateway.exchange.ledger import Ledger
    from gateway.issuer_parts import IssuerParts
    from gateway.settings import HubSettings
    from gateway.wake_parts import WakeParts
    from gateway.worker_parts import WorkerParts


def usual_limits(settings: HubSettings) -> Limits:
    """What a participant may ask when the registry says nothing else of it."""
    return Limits(
        events=Rate(settings.budget_events_at_once, settings.budget_events_per_second),
        content=Rate(settings.budget_bytes_at_once, settings.budget_bytes_per_second),
        calls=Rate(settings.budget_calls_at_once, settings.budget_calls_per_second),
        concurrent=settings.budget_concurrent,
    )


class InterfaceParts:
    """Makes the interface's collaborators of everything else that the gateway has."""

    def __init__(
        self,
        settings: HubSettings,
        doors: DoorParts,
        issuer: IssuerParts,
        workers: WorkerParts,
        wakes: WakeParts,
    ) -> None:
        self._settings = settings
        self._doors = doors
        self._issuer = issuer
        self._workers = workers
        self._wakes = wakes
        self._live = doors.registry.live
        self._reader = doors.registry.ledger_reader
        self._ledger_engine = doors.registry.ledger_engine
        self._cases = Cases(self._reader, doors.reading, Locator(doors.keys.blind_index_key()))
        self._spans = open_engine(settings.stores.spans, read_only=True)
        self._receivers = ReceiverParts(settings)
        self.fair_use = FairUse(
            self._live.current, usual_limits(settings), gateways=settings.gateways
        )

    def close(self) -> None:
        """End the connections to receivers of webhooks and to the spans."""
        self._receivers.close()
        self._spans.dispose()

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows of it."""
        return self.fair_use.figures()

    def collaborators(
        self, verifier: TokenVerifier, ledger: Ledger, completions: Completions, tracing: Tracing
    ) -> Collaborators:
        """What the HTTP interface is given."""
        settings, doors = self._settings, self._doors
        return Collaborators(
            environment=settings.environment,
            verifier=verifier,
            registry=self._live.current,
            ledger=ledger,
            completions=completions,
            clock=doors.clock,
            feed=InboxFeed(doors.hand_over, doors.reading),
            cases=self._cases,
            journeys=self._journeys(),
            tracing=tracing,
            offers=OfferBook(self._reader),
            wake=self._wakes.feed_heard,
            figures=StoredFigures(doors.reading) if settings.has_evidence else None,
            certificates=ClientCertificates(settings.proxy_networks),
            fair_use=self.fair_use,
            public_url=settings.base_url,
            kafka_address=settings.kafka_client_address,
            routers=self._routers(verifier),
        )

    def _routers(self, verifier: TokenVerifier) -> tuple[APIRouter, ...]:
        doors = self._doors
        return (
            oauth_router(self._issuer.issuer()),
            self._administration(verifier),
            self._programmes(verifier),
            agreements.router(
                live=self._live,
                store=self._workers.agreements,
                verifier=verifier,
                clock=doors.clock,
            ),
            audit.router(reader=self._reader, verifier=verifier),
            erasures.router(self._erasure_desk(verifier)),
            records.router(records=self._records(), verifier=verifier),
            disclosures.router(self._disclosures(verifier)),
            stopped.router(reader=doors.reading, clock=doors.clock, verifier=verifier),
            subscriptions.router(self._subscriptions(verifier)),
            backfill.router(refill=self._refill(), verifier=verifier),
        )

    def _journeys(self) -> Journeys:
        doors = self._doors
        return Journeys(self._live.current, doors.clock, self._reader, doors.reading, self._spans)

    def _administration(self, verifier: TokenVerifier) -> APIRouter:
        return administration.router(
            live=self._live,
            store=self._doors.registry.store,
            signing=self._issuer.signing,
            verifier=verifier,
        )

    def _programmes(self, verifier: TokenVerifier) -> APIRouter:
        return programmes.router(
            live=self._live,
            store=RuleStore(
                self._ledger_engine,
                self._reader,
                environment=self._settings.environment,
                clock=self._doors.clock,
            ),
            survey=partial(survey, self._reader),
            verifier=verifier,
            clock=self._doors.clock,
        )

    def _erasure_desk(self, verifier: TokenVerifier) -> erasures.Desk:
        return erasures.Desk(
            erasures=self._workers.erasures,
            store=ErasureStore(self._ledger_engine),
            cases=self._cases,
            registry=self._live.current,
            pseudonym_key=self._doors.keys.pseudonym_key,
            sign=self._workers.proof_keys.sign_document,
            verifier=verifier,
            clock=self._doors.clock,
            hub=self._settings.issuer,
        )

    def _records(self) -> ExchangeRecords:
        proof_keys, hub = self._workers.proof_keys, self._settings.issuer
        return ExchangeRecords(self._reader, self._doors.keys, proof_keys, hub)

    def _disclosures(self, verifier: TokenVerifier) -> disclosures.Desk:
        return disclosures.Desk(
            log=self._doors.reading,
            ledger=self._ledger_engine,
            cases=self._cases,
            registry=self._live.current,
            seal=sealed_with(self._doors.keys.disclosure_log_key()),
            verifier=verifier,
            clock=self._doors.clock,
            hub=self._settings.issuer,
        )

    def _subscriptions(self, verifier: TokenVerifier) -> subscription_desk.Desk:
        return subscription_desk.Desk(
            reading=self._doors.reading,
            writing=self._doors.writing,
            ledger=self._ledger_engine,
            sender=self._receivers.sender,
            seal=TextSeal(self._doors.encryption),
            policy=self._receivers.policy,
            registry=self._live.current,
            clock=self._doors.clock,
            wake=self._wakes.deliver.wake,
            verifier=verifier,
        )

    def _refill(self) -> Refill:
        doors, waker = self._doors, self._wakes.feed
        return Refill(self._reader, doors.writing, self._live.current, doors.clock, (waker,))
