"""What the HTTP interface needs from the rest of the hub, as arguments of one value.

`interface_parts.py` fills it once per process; tests fill it with fakes. The API makes no engines,
opens no sockets and reads no settings of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from consumers.views import EVERYTHING
from gateway.api.client_certificates import ClientCertificates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastapi import APIRouter

    from consumers.clock import Clock
    from consumers.figures import Cell, Question
    from consumers.rollup import Place
    from consumers.views import Wanted
    from gateway.api.cases import Cases
    from gateway.api.completions import Completions
    from gateway.api.fair_use import FairUse
    from gateway.api.inboxes import FeedPage
    from gateway.api.offer_book import OfferBook
    from gateway.api.traces import Tracing
    from gateway.exchange.passages import Journey
    from gateway.exchange.publication import PublishRequest
    from gateway.exchange.registry import Registry
    from gateway.oauth.senders import Sender
    from gateway.oauth.verifier import Principal


class TokenVerifier(Protocol):
    """Says who a token speaks for; cheap enough for the event loop: at most one signature."""

    def verify(self, token: str, sender: Sender) -> Principal:
        """Verify a token and that it is its sender's.

        Raises:
            InvalidToken: 401, for whatever reason.
            InvalidProof, NonceRequired: 401, its key is not proven.
            TooManyCalls, Overloaded: the proof cannot be remembered.
            IssuerUnavailable: 503, its issuer cannot be asked now.
        """
        ...

    def holds(self, token: str) -> bool:
        """Whether a token that was verified before still counts, whoever sends it."""
        ...

    def may_block(self, token: str) -> bool:
        """Whether these would wait for somebody else: then they are not for the event loop."""
        ...


class Submits(Protocol):
    """The ledger's way in."""

    def submit(self, request: PublishRequest, ticket: object) -> None:
        """Queue a request; never blocks. The outcome comes through `Completions.complete`.

        Raises:
            Overloaded: 503, too much waits already.
        """
        ...


class Feed(Protocol):
    """The feed door's read side."""

    def read(
        self, participant: str, after: int, limit: int, actor: str, wanted: Wanted = EVERYTHING
    ) -> FeedPage:
        """The next events of an inbox, rendered and disclosed to `actor`. Blocks on the stores.

        Raises:
            CursorExpired: 410, `after` lies before what is kept.
        """
        ...

    def positions(self, participants: Sequence[str]) -> Mapping[str, int]:
        """The newest row of each of these inboxes. Blocks."""
        ...

    def since(self, participant: str, moment_us: int) -> int:
        """The position before all that reached an inbox at or after a time. Blocks.

        Raises:
            CursorExpired: 410, the time lies before what is kept.
        """
        ...


class Journeys(Protocol):
    """Where events are; `gateway.exchange.journey.Journeys` is the real one. Both block."""

    def event(self, event_id: str, viewer: str) -> Journey | None:
        """One event's journey as its viewer may see it; None when unknown or not the viewer's."""
        ...

    def trajectory(self, trajectory_id: str, viewer: str) -> tuple[Journey, ...]:
        """The journeys of those events of a case that the viewer may know, in order."""
        ...


class Figures(Protocol):
    """Evidence; `gateway.api.evidence.StoredFigures` is the real one."""

    def cells(self, asked: Question, tree: Place) -> tuple[list[Cell], set[str]]:
        """The cells of a question and the rule sets that applied. Blocks on the store."""
        ...


class WakeListener(Protocol):
    """Tells which inboxes grew."""

    def wait(self, timeout_seconds: float) -> Sequence[bytes]:
        """The payloads that came within the time; empty when none. Blocks; from one thread."""
        ...


class Probe(Protocol):
    """One part whose health decides readiness."""

    name: str

    def check(self) -> None:
        """Return when the part answers; raise anything when it does not. Blocks briefly."""
        ...


@dataclass(frozen=True, slots=True)
class Collaborators:
    """Everything `create_app` composes.

    Attributes:
        environment: `test` or `production`.
        public_url: where partners reach this interface; named in the API description.
        kafka_address: where partners reach Kafka; named in the AsyncAPI description.
        registry: the newest snapshot, cheap to call.
        completions: the same object whose `complete` was handed to the ledger.
        cases: own trajectories; reads the ledger's tables.
        offers: published offers; reads the ledger's tables.
        wake: datagrams or notifications of grown inboxes; None falls back to polling.
        figures: evidence; None while it is switched off.
        certificates: whose certificate a request shows; from the connection alone by default.
        fair_use: counts what each participant asks; None lets everything in.
        routers: further routes, such as the OAuth issuer's and the administration's.
    """

    environment: str
    verifier: TokenVerifier
    registry: Callable[[], Registry]
    ledger: Submits
    completions: Completions
    clock: Clock
    feed: Feed
    cases: Cases
    journeys: Journeys
    tracing: Tracing
    offers: OfferBook
    wake: WakeListener | None = None
    public_url: str = "http://127.0.0.1:8080"
    kafka_address: str = "127.0.0.1:9092"
    routers: tuple[APIRouter, ...] = field(default=())
    figures: Figures | None = None
    certificates: ClientCertificates = field(default_factory=ClientCertificates)
    fair_use: FairUse | None = None
