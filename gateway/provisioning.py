"""Topics and access entries of the hub's own services, made from `schemas/topics/`; idempotent.

Topics of participants follow the registry: the Kafka door makes them and lets their owners read.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from consumers.errors import LogError
from consumers.log_admin import LogAdmin
from schemas.topics import topics

if TYPE_CHECKING:
    from gateway.settings import HubSettings

PREFIX = "activation."
OWN = "out."
RELAY = "CN=relay"
ROUTE = "CN=route"
DOOR = "CN=kafka-door"
ADMIN = "admin"
PAUSE_SECONDS = 0.25


def provision(settings: HubSettings, patience_seconds: float = 120.0) -> None:
    """Make the topics and let relay write and route read them; waits for the broker.

    Raises:
        LogError: the broker did not do it within the patience.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            _provision(settings)
        except LogError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _provision(settings: HubSettings) -> None:
    admin = LogAdmin(settings.log_settings(ADMIN))
    try:
        shared = [one for one in topics() if not one.is_per_participant]
        admin.ensure_topics(shared, replication=settings.replication)
        admin.grant_write(RELAY, PREFIX)
        admin.grant_consume(ROUTE, PREFIX, "route")
        admin.grant_door(DOOR, OWN)
    finally:
        admin.close()
