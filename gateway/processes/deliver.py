"""The process `deliver`: from the inboxes to webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.processes.background import step_back
from gateway.registry_parts import RegistryParts
from gateway.webhook_parts import DeliverParts

if TYPE_CHECKING:
    from gateway.settings import HubSettings


def run(settings: HubSettings) -> None:
    """Send events to the receivers of webhook subscriptions."""
    stop = step_back()
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    DeliverParts(settings, RegistryParts(settings)).run(stop)
