"""What every process reads of the ledger's store: the registry, and the time of business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.clock import Clock, RowClock, SystemClock
from consumers.database import open_engine
from gateway.exchange.environment import check_environment
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.registry_store import RegistryStore

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

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


class RegistryParts:
    """The registry as every process reads it.

    Raises:
        EnvironmentDiffers: the store is another environment's than the settings say.
    """

    def __init__(self, settings: HubSettings) -> None:
        stores = settings.stores
        self.ledger_engine = open_engine(stores.ledger)
        self.ledger_reader = open_engine(stores.ledger, read_only=True)
        check_environment(self.ledger_reader, settings.environment)
        self.store = RegistryStore(
            self.ledger_engine, environment=settings.environment, reader=self.ledger_reader
        )
        self.live = LiveRegistry(self.store)

    def close(self) -> None:
        """Close the connections to the ledger, once nothing uses them any more."""
        for engine in (self.ledger_engine, self.ledger_reader):
            engine.dispose()
