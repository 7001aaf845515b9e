"""The clock of a test installation, moved from the management port.

When it answers, whatever the hub itself has to do by then has been done.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from connectors.errors import HubUnavailable
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLE_SECONDS = 120.0
LONGEST_MOVE = timedelta(days=1)


class HubClock:
    """Moves a test installation's business time.

    Args:
        management: the address of the management port.
        transport: httpx's, for tests.
        monotonic: real seconds, to know how far the hub's time went on by itself.
    """

    def __init__(
        self,
        management: str,
        *,
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = httpx.Client(base_url=management, transport=transport, timeout=60.0)
        self._monotonic = monotonic

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def now(self) -> datetime:
        """The hub's business time."""
        return _time(self._post({"seconds": 0}))

    def begin_at(self, when: datetime) -> None:
        """Set the time, backwards too: where a play begins."""
        self._post({"seconds": (when - self.now()).total_seconds()})

    def move_to(self, when: datetime) -> None:
        """Let time pass, a day at a time, and let the hub do all that is due.

        Raises:
            HubUnavailable: it did not answer, or not all was done in two minutes.
        """
        now = self.now()
        while now < when:
            now = self._settle(min(when - now, LONGEST_MOVE))

    def _settle(self, by: timedelta) -> datetime:
        """Move on, wait until all is done that is due, and say what time it is."""
        deadline = self._monotonic() + SETTLE_SECONDS
        answer = self._post({"seconds": by.total_seconds(), "settle": True})
        while answer.get("left"):
            if self._monotonic() > deadline:
                raise HubUnavailable(
                    Message(
                        nl="De hub werkt niet af wat op die dag moet gebeuren.",
                        en="The hub does not finish what is due on that day.",
                    )
                )
            answer = self._post({"seconds": 0, "settle": True})
        return _time(answer)

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._http.post("/clock", json=body)
        except httpx.HTTPError as error:
            raise _no_clock() from error
        if response.is_error:
            raise _no_clock()
        answer: dict[str, Any] = response.json()
        return answer


def _time(answer: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(str(answer["now"])).astimezone(UTC)


def _no_clock() -> HubUnavailable:
    return HubUnavailable(
        Message(
            nl="Dit adres heeft geen klok die verzet kan worden. Geef met --management het "
            "beheeradres van een testinstallatie.",
            en="No clock at this address can be moved. Give the management address of a test "
            "installation with --management.",
        )
    )
