"""The settings of a hub on this machine, for commands that work on its stores themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import NoHubHere
from gateway.settings import HubSettings, load
from schemas.errors import Message

if TYPE_CHECKING:
    from pathlib import Path

_LEDGER: Final = "ledger.db"


def hub_here(data: Path | None) -> HubSettings:
    """The settings of the hub whose folder this is.

    Raises:
        NoHubHere: no hub ever ran in that folder.
    """
    settings = load(data)
    if not settings.stores.is_postgres and not (settings.data / _LEDGER).exists():
        raise NoHubHere(
            Message(
                nl=f"In {settings.data} staat geen hub. Geef zijn map met --data.",
                en=f"There is no hub in {settings.data}. Give its folder with --data.",
            )
        )
    return settings
