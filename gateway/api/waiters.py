"""Long polls that wait for their inbox to grow.

One thread listens for the router's wake-ups and passes each to the event loop; a call that finds
its inbox empty waits here under its participant's name. A wake-up may get lost (it is a datagram),
so the thread also looks every few seconds which inboxes grew, all of them in one query: hundreds of
waiting clients cost as much as one.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from consumers.wake import named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from gateway.api.collaborators import WakeListener
    from gateway.api.responses import Receive

LISTEN_SECONDS: Final = 0.25
FALLBACK_SECONDS: Final = 3.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiter:
    """One call that waits; made by `Waiters.waiting`."""

    _woken: asyncio.Event
    _gone: asyncio.Future[None]

    @property
    def is_gone(self) -> bool:
        """Whether the client hung up."""
        return self._gone.done()

    async def pause(self, seconds: float) -> bool:
        """Wait until the inbox may have grown or the client went; whether that came in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class Waiters:
    """Who waits for which inbox, in one gateway process.

    Args:
        listener: the source of wake-ups; None leaves only the fallback.
        positions: the newest row of each inbox named; called on the thread, so it may block.
    """

    def __init__(
        self,
        listener: WakeListener | None,
        positions: Callable[[Sequence[str]], Mapping[str, int]],
    ) -> None:
        self._listener = listener
        self._positions = positions
        self._seen: dict[str, int] = {}
        self._looked_at = 0.0
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_open(self) -> bool:
        """Whether long polls may still wait; false once the process drains."""
        return not self._stopping.is_set()

    def start(self) -> None:
        """Begin to listen and to look. Call on the event loop."""
        self._loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="feed-wake", daemon=True)
            self._thread.start()

    def release(self) -> None:
        """Let everybody go now and nobody wait again: the process drains. On the event loop."""
        self._stopping.set()
        self.wake(())

    def stop(self) -> None:
        """Release the waiters and end the thread; blocks at most `LISTEN_SECONDS` and a bit."""
        self.release()
        if self._thread is not None:
            self._thread.join(LISTEN_SECONDS * 2)
            self._thread = None

    @asynccontextmanager
    async def waiting(self, participant: str, receive: Receive) -> AsyncIterator[Waiter]:
        """A waiter on an inbox, for one call. Enter before reading it: nothing is then missed.

        It takes over the call's receive channel, to hear the client hang up.
        """
        woken = asyncio.Event()
        self._waiting.setdefault(participant, set()).add(woken)
        gone = asyncio.ensure_future(_disconnected(receive))
        gone.add_done_callback(lambda _done: woken.set())
        try:
            yield Waiter(woken, gone)
        finally:
            gone.cancel()
            self._forget(participant, woken)

    def wake(self, participants: Sequence[str]) -> None:
        """Wake the waiters of these inboxes, of all inboxes when none is named."""
        names = participants or tuple(self._waiting)
        for name in names:
            for event in self._waiting.get(name, ()):
                event.set()

    def _forget(self, participant: str, woken: asyncio.Event) -> None:
        waiting = self._waiting[participant]
        waiting.discard(woken)
        if not waiting:
            del self._waiting[participant]

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                payloads = self._heard()
                if payloads and self._loop is not None:
                    self._pass_on(named(payloads))
                if time.monotonic() - self._looked_at > FALLBACK_SECONDS:
                    self._look()
            except Exception as error:  # noqa: BLE001 - the edge of a thread: waiting goes on
                _log.warning("feed_wake_failed", error=type(error).__name__)
                self._stopping.wait(LISTEN_SECONDS)

    def _heard(self) -> Sequence[bytes]:
        if self._listener is not None:
            return self._listener.wait(LISTEN_SECONDS)
        self._stopping.wait(LISTEN_SECONDS)
        return ()

    def _look(self) -> None:
        """Wake whose inbox grew since the last look, and whoever came to wait since."""
        self._looked_at = time.monotonic()
        waiting = list(self._waiting)
        found = dict(self._positions(waiting)) if waiting else {}
        grown = [one for one in waiting if found.get(one, 0) != self._seen.get(one)]
        self._seen = {one: found.get(one, 0) for one in waiting}
        if grown:
            self._pass_on(tuple(grown))

    def _pass_on(self, names: tuple[str, ...]) -> None:
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.wake, names)
        except RuntimeError:
            # The loop has ended; nobody waits any more.
            self._stopping.set()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
