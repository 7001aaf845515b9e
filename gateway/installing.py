"""Making and upgrading the stores of an installation: what `schakel db upgrade` does, and more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import consumers
import gateway
from consumers.database import open_engine
from consumers.migrating import upgrade
from gateway.exchange.environment import keep_environment

if TYPE_CHECKING:
    from consumers.database import Stores
    from gateway.settings import HubSettings

GATEWAY_MIGRATIONS = Path(gateway.__path__[0]) / "migrations"
CONSUMERS_MIGRATIONS = Path(consumers.__path__[0]) / "migrations"


def upgrade_stores(stores: Stores) -> None:
    """Bring all four stores up to this version's tables; idempotent, safe when several start.

    Raises:
        SQLAlchemyError: a store cannot be reached, or a migration fails.
    """
    upgrade(stores.keys, GATEWAY_MIGRATIONS / "keys")
    upgrade(stores.ledger, GATEWAY_MIGRATIONS / "ledger")
    upgrade(stores.consumers, CONSUMERS_MIGRATIONS / "consumers")
    upgrade(stores.spans, CONSUMERS_MIGRATIONS / "spans")


def install(settings: HubSettings) -> None:
    """Bring the stores up to date, and let a new installation keep its environment.

    Only the gateway does this: whoever brings tables up to date need not know what they are of.
    Raises as `upgrade_stores` does.
    """
    upgrade_stores(settings.stores)
    ledger = open_engine(settings.stores.ledger)
    try:
        keep_environment(ledger, settings.environment)
    finally:
        ledger.dispose()
