"""The process `kafka-door`: from the inboxes to participants' own topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.kafka_parts import KafkaDoorParts
from gateway.processes.background import step_back
from gateway.registry_parts import RegistryParts

if TYPE_CHECKING:
    from gateway.settings import HubSettings


def run(settings: HubSettings) -> None:
    """Write participants' copies to their own topics, and keep the broker to the registry."""
    stop = step_back()
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    KafkaDoorParts(settings, RegistryParts(settings)).run(stop)
