"""How the gateway and the processes beside it wake one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.deliver import NAME as DELIVER
from consumers.wake import wakers

if TYPE_CHECKING:
    from gateway.settings import HubSettings


class WakeParts:
    """The gateway's end of every wake-up.

    Attributes:
        relay: says that the outbox has something.
        deliver: says that a subscription changed.
        feed: says that an inbox has something.
        feed_heard: hears that of any process.
        published: hears what the relay published; None where the relay deletes its rows itself.
    """

    def __init__(self, settings: HubSettings) -> None:
        woken = wakers(settings.stores, settings.run_dir)
        self.relay = woken.waker("relay")
        self.deliver = woken.waker(DELIVER)
        self.feed = woken.waker("feed")
        self.feed_heard = woken.listener("feed")
        self.published = None if settings.stores.is_postgres else woken.listener("ledger")

    def close(self) -> None:
        """Give up every socket and connection."""
        for one in (self.relay, self.feed, self.deliver, self.feed_heard, self.published):
            if one is not None:
                one.close()
