"""Which proofs were used: each counts once (RFC 9449 §11.1), within a bound of memory.

Only proofs of a client that is known and whose key is right come here, so that nobody else fills
it. It fails closed: without room a good request is turned away, never let through unremembered.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway import errors
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITY: Final = 400_000
"""About 40 MB. Proofs count for 70 s, so this is more than 5,000 requests a second."""

SHARE: Final = 4
"""One client may take a quarter of it: 1,400 requests a second."""

BUCKET_SECONDS: Final = 10


@dataclass(slots=True)
class _Bucket:
    """What ends within the same ten seconds, and is forgotten as one."""

    digests: set[bytes] = field(default_factory=set)
    by_client: Counter[str] = field(default_factory=Counter)


class UsedProofs:
    """The memory of one gateway; safe from any thread.

    Args:
        now: real time in seconds since the epoch.
        capacity: how many proofs are remembered at most.
    """

    def __init__(self, now: Callable[[], float] = time.time, *, capacity: int = CAPACITY) -> None:
        self._now = now
        self._capacity = capacity
        self._buckets: dict[int, _Bucket] = {}
        self._lock = threading.Lock()

    def use(self, client_id: str, thumbprint: str, jti: str, until_seconds: int) -> bool:
        """Remember the proof with this `jti` of a key; False when it was used before.

        Args:
            client_id: whose share of the memory it takes.
            thumbprint: of the key; an id is one key's own.
            jti: the proof's id.
            until_seconds: the moment after which the proof is void by itself.

        Raises:
            TooManyCalls: 429, this client's share is full.
            Overloaded: 503, the memory is full.
        """
        digest = hashlib.blake2b(f"{thumbprint} {jti}".encode(), digest_size=16).digest()
        with self._lock:
            self._forget()
            if any(digest in one.digests for one in self._buckets.values()):
                return False
            self._make_sure_of_room(client_id)
            bucket = self._buckets.setdefault(until_seconds // BUCKET_SECONDS, _Bucket())
            bucket.digests.add(digest)
            bucket.by_client[client_id] += 1
        return True

    @property
    def remembered(self) -> int:
        """How many proofs are remembered now."""
        with self._lock:
            self._forget()
            return sum(len(one.digests) for one in self._buckets.values())

    def _forget(self) -> None:
        current = int(self._now()) // BUCKET_SECONDS
        for over in [one for one in self._buckets if one < current]:
            del self._buckets[over]

    def _make_sure_of_room(self, client_id: str) -> None:
        buckets = self._buckets.values()
        if sum(one.by_client[client_id] for one in buckets) >= self._capacity // SHARE:
            raise errors.TooManyCalls(
                Message(
                    nl="Deze client doet meer oproepen per minuut dan de hub kan onthouden.",
                    en="This client makes more calls a minute than the hub can remember.",
                ),
                facts={"retry_after": BUCKET_SECONDS},
            )
        if sum(len(one.digests) for one in buckets) >= self._capacity:
            raise errors.Overloaded(
                Message(
                    nl="De hub onthoudt geen bewijzen meer. Herhaal de oproep straks.",
                    en="The hub can remember no more proofs. Repeat the call in a moment.",
                )
            )
