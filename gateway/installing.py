"""Making and upgrading the stores of an installation: what `schakel db upgrade` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import consumers
import gateway
from consumers.migrating import upgrade

if TYPE_CHECKING:
    from consumers.database import Stores

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
