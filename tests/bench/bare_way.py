"""The floor of the latencies: an event's hops from call to receiver, with nothing done at them.

An endpoint syncs each body to a file, answers, and publishes it to Kafka from a thread,
acknowledged by all; a process of its own reads the topic and posts what it reads to the receiver.
Nothing is parsed, decided, sealed, addressed, rendered, signed or remembered.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from consumers.log import LogAdmin, LogConsumer, Record, SupervisedProducer
from gateway.processes.background import BEHIND
from tests.bench import floors
from tests.bench.webhooks import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from consumers.log import Fetched, LogSettings

TOPIC: Final = "bench.way.v1"
POLL_SECONDS: Final = 0.5
END_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way.

    Attributes:
        settings: how both ends reach the broker.
        url: the receiver's.
        authority: whom the receiver's certificate is checked against.
        per_request: how many events a call counts as.
    """

    settings: LogSettings
    url: str
    authority: Path
    per_request: int


@contextmanager
def bare_way(way: Way) -> Iterator[int]:
    """The way, until the block ends; gives the endpoint's port."""
    context = multiprocessing.get_context("fork")
    stop, ready = context.Event(), context.Event()
    # Both are forked before this process has a thread, which a client of Kafka would be.
    poster = context.Process(target=_post_on, args=(way, stop, ready), daemon=True)
    poster.start()
    try:
        with floors.served(_Door(way)) as port:
            assert ready.wait(30), "the reader of the bare way never began"
            yield port
    finally:
        stop.set()
        poster.join(END_SECONDS)
        poster.kill()
        poster.join()


@dataclass
class _Door:
    """The endpoint; its thread begins with the first call, in the process that serves."""

    way: Way
    _waiting: SimpleQueue[tuple[bytes, asyncio.Future[bytes]]] = field(default_factory=SimpleQueue)
    _numbers: Iterator[int] = field(default_factory=count)
    _thread: threading.Thread | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer once the body is on the disk."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            got = await receive()
            body, more = body + got.get("body", b""), got.get("more_body", False)
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(loop,), daemon=True)
            self._thread.start()
        synced: asyncio.Future[bytes] = loop.create_future()
        self._waiting.put((body, synced))
        said = await synced
        headers = [(b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sync all that waits together, answer, hand it on."""
        published: SimpleQueue[list[Record]] = SimpleQueue()
        mine = os.getpid()  # what an earlier way sent to the same receiver is another's
        threading.Thread(target=self._publish, args=(published,), daemon=True).start()
        with tempfile.TemporaryFile() as file:
            while True:
                together = [self._waiting.get()]
                while not self._waiting.empty():
                    together.append(self._waiting.get())
                os.write(file.fileno(), b"".join(body for body, _ in together))
                os.fdatasync(file.fileno())
                many = range(self.way.per_request)
                ids = [[f"{mine}-{next(self._numbers)}" for _ in many] for _ in together]
                loop.call_soon_threadsafe(_answer, [one for _, one in together], ids)
                published.put(
                    [
                        Record(TOPIC, one.encode(), body[: len(body) // len(names)])
                        for (body, _), names in zip(together, ids, strict=True)
                        for one in names
                    ]
                )

    def _publish(self, published: SimpleQueue[list[Record]]) -> None:
        producer = SupervisedProducer(self.way.settings)
        producer.prepare(TOPIC)
        while True:
            records = published.get()
            while not published.empty():
                records += published.get()
            producer.publish(records)


def _answer(synced: list[asyncio.Future[bytes]], ids: list[list[str]]) -> None:
    """As the hub's answers look to who counts them."""
    for one, names in zip(synced, ids, strict=True):
        one.set_result(
            b"".join(b'"event_id":"%b","trajectory_id"' % name.encode() for name in names)
        )


def _post_on(way: Way, stop: Event, ready: Event) -> None:
    os.nice(BEHIND)  # as the deliverer
    admin = LogAdmin(way.settings)
    admin.ensure_topics([floors.Topic(TOPIC, floors.PARTITIONS, {})])
    admin.close()
    consumer = LogConsumer(way.settings, [TOPIC], "bench.way", "one")
    pool = floors.client(way.authority, CONNECTIONS)

    def post(record: Fetched) -> None:
        headers = [(b"webhook-id", record.key)]
        pool.request("POST", way.url, headers=headers, content=record.value)

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        while not stop.is_set():
            for _ in threads.map(post, consumer.poll(POLL_SECONDS)):
                pass
            if not ready.is_set() and consumer.lag():
                ready.set()
            consumer.commit()
    consumer.close()
    pool.close()
