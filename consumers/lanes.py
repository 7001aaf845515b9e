"""Lanes of one turn, emptied by whoever has a hand free: order within a lane, none between them."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Lane = TypeVar("Lane")


class Hands(Protocol):
    """Threads that may help."""

    def lend(self, work: Callable[[], None], wanted: int) -> None:
        """Have `work` called by up to `wanted` other threads, soon or never; does not block."""
        ...


class Lanes(Generic[Lane]):
    """A turn's lanes.

    Args:
        lanes: in the order in which they are begun.
        work: does one lane.
        goes_on: asked before a lane is begun; once false, the rest is left.
    """

    def __init__(
        self, lanes: Iterable[Lane], work: Callable[[Lane], None], goes_on: Callable[[], bool]
    ) -> None:
        self._lanes = deque(lanes)
        self._work = work
        self._goes_on = goes_on
        self._changed = threading.Condition()
        self._running = 0
        self._failure: BaseException | None = None

    def run(self, hands: Hands, concurrency: int) -> None:
        """Do the lanes, here and on lent hands; returns when none runs any more.

        Raises:
            BaseException: the first that `work` raised, after the others have ended.
        """
        wanted = min(concurrency, len(self._lanes)) - 1
        if wanted > 0:
            hands.lend(self._drain, wanted)
        self._drain()
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
            # Hands that come after this find nothing.
            self._lanes.clear()
        if self._failure is not None:
            raise self._failure

    def _drain(self) -> None:
        while (lane := self._take()) is not None:
            try:
                self._work(lane)
            except BaseException as error:  # noqa: BLE001 - raised again by `run`
                self._failure = self._failure or error
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def _take(self) -> Lane | None:
        with self._changed:
            if not self._lanes or self._failure is not None or not self._goes_on():
                return None
            self._running += 1
            return self._lanes.popleft()
