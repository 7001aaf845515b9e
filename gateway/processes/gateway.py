"""The process `gateway`: partners call it.

Nothing else of the gateway makes an engine, a key store or a server. `run` goes on until it is
asked to stop (SIGTERM, SIGINT) and finishes what it has begun.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gateway.api.application import create_app
from gateway.api.management import create_management
from gateway.bootstrap import ensure_administrator
from gateway.hub_parts import GatewayParts
from gateway.installing import install
from gateway.probes import LedgerProbe, StoreProbe
from gateway.processes.collector import spare_collections
from gateway.registry_parts import RegistryParts
from gateway.serving import serve

if TYPE_CHECKING:
    from gateway.settings import HubSettings


def run(settings: HubSettings) -> None:
    """Serve partners: OAuth, publishing, the feed and the rest of the interface; management."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    install(settings)
    registry = RegistryParts(settings)
    ensure_administrator(registry.store, settings)
    registry.live.refresh()
    parts = GatewayParts(settings, registry)
    parts.start()
    draining = threading.Event()
    probes = (
        StoreProbe("ledger", registry.ledger_reader, registry.ledger_engine),
        StoreProbe("consumers", parts.doors.reading, parts.doors.writing),
        StoreProbe("keys", parts.doors.keys_engine, parts.doors.keys_engine),
        LedgerProbe(parts.ledger),
    )
    management = create_management(
        probes,
        parts.figures,
        clock=parts.movable_clock,
        settle=parts.workers.settle,
        is_draining=draining.is_set,
    )
    application = create_app(parts.collaborators(parts.verifier()))
    spare_collections()
    try:
        serve(application, management, settings, draining)
    finally:
        parts.stop()
