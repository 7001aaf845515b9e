"""The whole HTTP interface with a front's real issuer and verifier; the rest are fakes."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from consumers.clock import FixedClock
from gateway.api.application import create_app
from gateway.api.client_certificates import ClientCertificates
from gateway.api.collaborators import Collaborators
from gateway.api.completions import Completions
from gateway.oauth.routes import oauth_router
from tests.gateway.api import fakes

if TYPE_CHECKING:
    from gateway.api.application import Gateway
    from tests.hub_front import HubFront


def app_of(front: HubFront, *networks: str) -> Gateway:
    """The interface, which trusts the `Client-Cert` of these networks."""
    completions = Completions()
    return create_app(
        Collaborators(
            environment="test",
            verifier=front.verifier,
            registry=front.live.current,
            ledger=fakes.InstantLedger(completions),
            completions=completions,
            clock=FixedClock(),
            feed=fakes.ListFeed(),
            cases=fakes.NoCases(),  # type: ignore[arg-type] # a class of ours, faked whole
            journeys=fakes.NoJourneys(),
            tracing=fakes.NoTracing(),
            offers=fakes.NoOffers(),  # type: ignore[arg-type] # a class of ours, faked whole
            routers=(oauth_router(front.issuer),),
            certificates=ClientCertificates([ip_network(one) for one in networks]),
        )
    )
