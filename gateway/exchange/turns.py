"""What waits for the ledger's writer, taken in turns: one request of each sender at a time.

Whoever sends a night's load waits behind its own work, not in front of somebody else's single
event. Each sender's own requests keep their order. Pure; the caller locks.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue of queues.

    Args:
        most: how much may wait in all, in the unit of `size`.
        share: how much of that one sender may take.
    """

    def __init__(self, most: int, share: int) -> None:
        self._most = most
        self._share = share
        self._waiting: dict[str, deque[tuple[T, int]]] = {}
        self._sizes: dict[str, int] = {}
        self._order: deque[str] = deque()
        self.size = 0

    def __bool__(self) -> bool:
        """Whether anything is to be taken."""
        return bool(self._order)

    def put(self, sender: str, item: T, size: int) -> bool:
        """Add an item at the end of its sender's row; False when too much waits already.

        An item counts until it is `done`, so that what is being written takes room as well. One
        that is larger than the share is taken when its sender has nothing else waiting.
        """
        own = self._sizes.get(sender, 0)
        if self.size + size > self._most or (own and own + size > self._share):
            return False
        self._sizes[sender] = own + size
        self.size += size
        row = self._waiting.get(sender)
        if row is None:
            row = self._waiting[sender] = deque()
            self._order.append(sender)
        row.append((item, size))
        return True

    def take(self) -> tuple[T, int] | None:
        """The next item and its size: the oldest of the sender whose turn it is."""
        if not self._order:
            return None
        sender = self._order.popleft()
        row = self._waiting[sender]
        found = row.popleft()
        if row:
            self._order.append(sender)
        else:
            del self._waiting[sender]
        return found

    def done(self, sender: str, size: int) -> None:
        """Give back the room of an item that was taken and answered."""
        self.size -= size
        left = self._sizes[sender] - size
        if left:
            self._sizes[sender] = left
        else:
            del self._sizes[sender]
