"""The parts of the gateway's process, made once from its settings and joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.clock import RowClock
from consumers.spans import Tracing
from gateway.api.completions import Completions
from gateway.door_parts import DoorParts
from gateway.exchange.backlog import Backlog
from gateway.exchange.decide import decide
from gateway.exchange.ledger import Ledger
from gateway.interface_parts import InterfaceParts
from gateway.issuer_parts import IssuerParts
from gateway.key_parts import require_openable
from gateway.registry_parts import business_clock
from gateway.wake_parts import WakeParts
from gateway.worker_parts import WorkerParts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.api.collaborators import Collaborators, TokenVerifier
    from gateway.exchange.writer import Answer
    from gateway.oauth.verifier import Verifier
    from gateway.registry_parts import RegistryParts
    from gateway.settings import HubSettings


class GatewayParts:
    """Everything the gateway's process is made of. `start` before serving, `stop` after.

    Raises:
        KeysUnusable: what the hub signs with does not open; it says what to do.
    """

    def __init__(self, settings: HubSettings, registry: RegistryParts) -> None:
        self._settings = settings
        self.registry = registry
        self.clock = business_clock(settings, registry.ledger_reader, registry.ledger_engine)
        self.doors = DoorParts(settings, registry, self.clock)
        require_openable(registry.ledger_reader, self.doors.encryption)
        self.completions = Completions()
        self.tracing = Tracing(
            "gateway", settings.stores.spans, settings.otlp_endpoint, settings.trace_ratio
        )
        self._backlog = Backlog(registry.ledger_reader, self.doors.reading, self.clock)
        self._wakes = WakeParts(settings)
        self.ledger = self._ledger()
        self._issuer = IssuerParts(settings, registry, self.doors.encryption)
        self.workers = WorkerParts(settings, self.doors, self.ledger, self._wakes.feed.wake)
        self._interface = InterfaceParts(
            settings, self.doors, self._issuer, self.workers, self._wakes
        )

    @property
    def movable_clock(self) -> RowClock | None:
        """The clock that management may move; none in production.

        It is the one that this process reads, so that a move counts here at once.
        """
        return self.clock if isinstance(self.clock, RowClock) else None

    def start(self) -> None:
        """Start the threads that read the registry, write the ledger and send what is due."""
        self.doors.start()
        self.ledger.start()
        self.workers.start()
        self._issuer.start()

    def stop(self) -> None:
        """Finish what waits, then end the threads and close every connection."""
        self._issuer.stop()
        self.workers.stop()
        self.ledger.stop()
        self.doors.stop()
        self.tracing.close()
        self._interface.close()
        self._wakes.close()
        self.doors.close()

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows."""
        return {
            "ledger_waiting": float(self.ledger.waiting),
            "answers_waiting": float(self.completions.waiting),
            "registry_version": float(self.registry.live.current().version),
            "spans_dropped_total": float(self.tracing.dropped),
            **self._issuer.figures(),
            **self._interface.figures(),
            **self.workers.figures(),
            **self._backlog.figures(),
        }

    def verifier(self) -> Verifier:
        """Verifies the tokens of this hub's own issuer, and of those that the registry trusts."""
        return self._issuer.verifier()

    def collaborators(self, verifier: TokenVerifier) -> Collaborators:
        """What the HTTP interface is given."""
        return self._interface.collaborators(verifier, self.ledger, self.completions, self.tracing)

    def _ledger(self) -> Ledger:
        return Ledger(
            self.registry.ledger_engine,
            keys=self.doors.keys,
            decide=decide,
            registry=self.registry.live.current,
            clock=self.clock,
            environment=self._settings.environment,
            complete=self._complete,
            wake=self._wakes.relay.wake,
            matching=self._settings.matches_persons,
            published=self._wakes.published,
        )

    def _complete(self, settled: Sequence[tuple[object, Answer]]) -> None:
        """Answers go to whoever asked: a request, or the timers."""
        self.completions.complete(settled)
        self.workers.timers.complete(settled)
