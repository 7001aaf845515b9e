"""The floors: what this machine does with the same bytes when nobody asks anything of them."""

from __future__ import annotations

import multiprocessing
import os
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpcore
import uvicorn
from fastapi import FastAPI, Request

from consumers.log import LogAdmin, Record, SupervisedProducer
from gateway.processes.background import BEHIND
from tests.bench import load
from tests.ports import distant_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gateway.settings import HubSettings

KINDS = ("bare", "fastapi")
ADMINISTRATOR = "admin"
PARTITIONS = 12
CHUNK = 1_000


async def _bare(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def _framework() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/events", status_code=201)
    async def read(request: Request) -> str:
        await request.body()
        return "ok"

    return app


def _serve(port: int, app: Any) -> None:
    uvicorn.run(
        app, port=port, http="httptools", loop="uvloop", log_level="error", access_log=False
    )


@contextmanager
def endpoint(kind: str) -> Iterator[int]:
    """An endpoint that only reads the body, in a process of its own; gives its port."""
    with served(_bare if kind == "bare" else _framework()) as port:
        yield port


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    """An endpoint that answers everything with these bytes, in a process of its own."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        del receive
        if scope["type"] == "http":
            headers = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    with served(answer) as port:
        yield port


@contextmanager
def served(app: Any) -> Iterator[int]:
    """An ASGI application in a process of its own; gives its port."""
    (port,) = distant_ports(1)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(port, app))
    process.start()
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.join()


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a floor's own."""

    name: str
    partitions: int
    configs: dict[str, str]
    retention_ms: int | None = None


def kafka_rate(settings: HubSettings, records: Sequence[Record], seconds: float) -> float:
    """Records a second that kafka-python gets acknowledged by all: these bytes, over and over."""
    topic = "bench.floor.v1"
    admin = LogAdmin(settings.log_settings(ADMINISTRATOR))
    admin.ensure_topics([Topic(topic, PARTITIONS, {})])
    admin.close()
    chunk = [replace(records[n % len(records)], topic=topic) for n in range(CHUNK)]
    producer = SupervisedProducer(settings.log_settings(ADMINISTRATOR))
    producer.publish(chunk)
    sent, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        producer.publish(chunk)
        sent += len(chunk)
    rate = sent / (time.perf_counter() - started)
    producer.close()
    return rate


@dataclass(frozen=True, slots=True)
class Posting:
    """What a bare client posts, over and over, on so many connections with a thread each."""

    url: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    connections: int
    authority: Path


def post_rate(posting: Posting, seconds: float) -> tuple[float, float]:
    """Posts a second and the client's processor seconds for one, in a process of its own.

    The library is the one that webhooks leave with. Nothing is read, rendered, signed or written.
    """
    found: tuple[float, float] = load.elsewhere(_post, posting, seconds)
    return found


def client(authority: Path, connections: int) -> httpcore.ConnectionPool:
    """A bare client of a receiver that this authority vouches for."""
    return httpcore.ConnectionPool(
        ssl_context=ssl.create_default_context(cafile=str(authority)),
        max_connections=connections,
        max_keepalive_connections=connections,
    )


def _post(posting: Posting, seconds: float) -> tuple[float, float]:
    os.nice(BEHIND)  # as the deliverer, so that a full machine slows both alike
    pool = client(posting.authority, posting.connections)
    counts = [0] * posting.connections
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        # One at least: on a full machine a thread may begin when the time is over.
        while not counts[place] or time.perf_counter() < until:
            pool.request("POST", posting.url, headers=posting.headers, content=posting.body)
            counts[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(counts))]
    started, used = time.perf_counter(), time.process_time()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    taken, used = time.perf_counter() - started, time.process_time() - used
    pool.close()
    return sum(counts) / taken, used / sum(counts)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
