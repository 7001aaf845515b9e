"""An interface on fakes, for tests of what it does by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from consumers.clock import FixedClock
from gateway.api.application import Gateway, create_app
from gateway.api.collaborators import Collaborators
from gateway.api.completions import Completions
from gateway.api.fair_use import FairUse
from tests.gateway.api import fakes
from tests.gateway.api.asgi import AsgiClient
from tests.gateway.api.parties import PARTNER, roles
from tests.gateway.api.whole_hub import hub
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@dataclass(frozen=True, slots=True)
class Interface:
    """The application, a client of it, and the fakes behind it."""

    app: Gateway
    client: AsgiClient
    ledger: fakes.InstantLedger
    feed: fakes.ListFeed
    wake: fakes.QueueListener
    tracing: fakes.NoTracing
    collaborators: Collaborators
    tokens: fakes.ReadableTokens

    def post(self, path: str, body: bytes, content_type: str, **headers: str) -> httpx.Response:
        """POST as the partner."""
        sent = {"content-type": content_type, "authorization": f"Bearer {PARTNER}", **headers}
        return self.client.call("POST", path, content=body, headers=sent)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET as the partner."""
        return self.client.call(
            "GET", path, headers={"authorization": f"Bearer {PARTNER}", **headers}
        )


@pytest.fixture
def interface() -> Iterator[Interface]:
    """The whole interface on fakes, started."""
    completions = Completions()
    ledger = fakes.InstantLedger(completions)
    feed = fakes.ListFeed()
    wake = fakes.QueueListener()
    tracing = fakes.NoTracing()
    tokens = fakes.ReadableTokens(roles())
    collaborators = Collaborators(
        environment="test",
        verifier=tokens,
        registry=cast.registry,
        ledger=ledger,
        completions=completions,
        clock=FixedClock(cast.NOW),
        feed=feed,
        cases=fakes.NoCases(),  # type: ignore[arg-type] # a class of ours, faked whole
        journeys=fakes.NoJourneys(),
        tracing=tracing,
        offers=fakes.NoOffers(),  # type: ignore[arg-type] # a class of ours, faked whole
        wake=wake,
        fair_use=FairUse(cast.registry, now=lambda: 0.0),
    )
    app = create_app(collaborators)
    with AsgiClient(app) as client:
        yield Interface(app, client, ledger, feed, wake, tracing, collaborators, tokens)


__all__ = ["PARTNER", "Interface", "hub", "interface", "roles"]
