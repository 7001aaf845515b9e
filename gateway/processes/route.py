"""The process `route`: from the log to the inboxes, and to the facts that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumers import evidence
from consumers.database import open_engine
from consumers.log import LogConsumer
from consumers.spans import Tracing
from consumers.wake import wakers
from gateway.companion import start_companion
from gateway.exchange import route as routing
from gateway.processes.background import step_back
from gateway.processes.collector import spare_collections
from gateway.registry_parts import RegistryParts, business_clock
from schemas.topics import topics

if TYPE_CHECKING:
    import threading

    from gateway.settings import HubSettings

ROUTE: Final = "route"
DOORS: Final = ("feed", "deliver", "kafka-door")
"""Who is woken by what was placed."""
FACTS: Final = "activation.fact.v1"


def run(settings: HubSettings) -> None:
    """Place every event in the inboxes of those who may have it, and keep the facts."""
    stop = step_back()
    stores = settings.stores
    registry = RegistryParts(settings)
    names = [one.name for one in topics() if one.name != FACTS and not one.is_per_participant]
    log = LogConsumer(settings.log_settings(ROUTE), names, ROUTE, f"{ROUTE}-1")
    tracing = Tracing(ROUTE, stores.spans, settings.otlp_endpoint, settings.trace_ratio)
    woken = wakers(stores, settings.run_dir)
    registry.live.start()
    placing = routing.Route(
        log=log,
        ledger=registry.ledger_reader,
        consumers=open_engine(stores.consumers),
        registry=registry.live.current,
        clock=business_clock(settings, registry.ledger_reader),
        wakers=tuple(woken.waker(one) for one in DOORS),
        tracing=tracing,
    )
    # Switched off, facts wait in the log.
    counting = _counting(settings, placing, stop) if settings.has_evidence else None
    spare_collections()
    try:
        routing.run(placing, stop)
    finally:
        stop.set()
        if counting is not None:
            counting.join()
        log.close()
        tracing.close()
        registry.live.stop()
        placing.consumers.dispose()
        registry.close()


def _counting(
    settings: HubSettings, placing: routing.Route, stop: threading.Event
) -> threading.Thread:
    """Keep facts beside the route, in a thread with a consumer of its own."""
    log = LogConsumer(settings.log_settings(ROUTE), [FACTS], evidence.GROUP, f"{ROUTE}-evidence-1")
    keeping = evidence.Evidence(log, placing.consumers, placing.clock)

    def keep() -> None:
        try:
            evidence.run(keeping, stop)
        finally:
            log.close()

    return start_companion("evidence", keep, stop)
