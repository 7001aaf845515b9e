"""A play with all that it needs: clients, clock, registrar, and who lets go of them afterwards."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.client import HubClient
from connectors.errors import InvalidCredentials
from connectors.world.hub_clock import HubClock
from connectors.world.playing import Player
from connectors.world.registrar import Registrar
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors.credentials import Credentials
    from connectors.world.own_hub import Installation

REGISTRY_SECONDS = 2.5
"""After which every process of a hub has read a change of its registry (it looks every two)."""


@dataclass(slots=True)
class Clients:
    """One client for each participant, made when it is first asked for.

    Args:
        url: the gateway's address.
        credentials: those of a participant.
        stack: closes them.
        language: of the sentences in problems.
    """

    url: str
    credentials: Callable[[str], Credentials]
    stack: ExitStack
    language: str
    _made: dict[str, HubClient]
    _lock: threading.Lock

    def of(self, participant: str) -> HubClient:
        """The client of a participant; the same one each time."""
        with self._lock:
            if participant not in self._made:
                client = HubClient(self.url, self.credentials(participant), language=self.language)
                self._made[participant] = self.stack.enter_context(client)
            return self._made[participant]


@contextmanager
def performance(
    where: Installation,
    credentials: Callable[[str], Credentials],
    registry: Mapping[str, Any],
    *,
    language: str,
    report: Callable[[str, int], None],
    remembers: Callable[[str], bool],
) -> Iterator[Player]:
    """A player on an installation whose registry knows everybody; its connections end with it.

    Raises:
        HubRefused: the hub does not take the registry.
        HubUnavailable: no answer.
    """
    with ExitStack() as stack:
        clients = Clients(where.gateway, credentials, stack, language, {}, threading.Lock())
        clock = HubClock(where.management)
        stack.callback(clock.close)
        apply = _applier(where, stack)
        if where.administrator is not None:
            apply(registry)
        yield Player(clients.of, clock, apply, time.sleep, report=report, remembers=remembers)


def _applier(where: Installation, stack: ExitStack) -> Callable[[Mapping[str, Any]], None]:
    if where.administrator is None:
        return _refuse
    registrar = Registrar(where.gateway, where.administrator)
    stack.callback(registrar.close)

    def apply(document: Mapping[str, Any]) -> None:
        if registrar.apply(document):
            time.sleep(REGISTRY_SECONDS)

    return apply


def _refuse(_document: Mapping[str, Any]) -> None:
    raise InvalidCredentials(
        Message(
            nl="Deze wereld wijzigt het register. Geef met --credentials de beheerder van de hub.",
            en="This world changes the registry. Give the hub's administrator with --credentials.",
        )
    )
