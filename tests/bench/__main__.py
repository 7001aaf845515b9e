"""`make bench`: publishing through a whole hub, beside bare endpoints measured in the same run.

Figures are for ratios inside one run: machines here are shared and noisy.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from fastapi import FastAPI, Request

from connectors.credentials import load_credentials
from connectors.tokens import TokenSource
from tests.e2e.running_hub import OCMW, referral, running_hub

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 3.0
BATCH = 100
PEOPLE = itertools.count()
"""Another person for each referral: one person with thousands of cases is no measure."""
ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"


async def _bare(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer: the floor."""
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


def _serve(port: int, kind: str) -> None:
    app: Any = _bare if kind == "bare" else _framework()
    uvicorn.run(
        app, port=port, http="httptools", loop="uvloop", log_level="error", access_log=False
    )


def _request(port: int, kind: str, token: str, body: bytes) -> bytes:
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _connection(
    port: int, make: Callable[[], bytes], until: float, counts: list[int]
) -> None:
    """One keep-alive connection that asks again as soon as it is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until:
        writer.write(make())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        counts[0 if head[9:12] in (b"200", b"201") else 1] += 1
    writer.close()


async def _rate(port: int, make: Callable[[], bytes], connections: int) -> float:
    """Requests answered with success in a second."""
    counts = [0, 0]
    started = time.monotonic()
    until = started + SECONDS
    await asyncio.gather(*(_connection(port, make, until, counts) for _ in range(connections)))
    if counts[1]:
        sys.stderr.write(f"{counts[1]} refused of {sum(counts)}\n")
    return counts[0] / (time.monotonic() - started)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def _floor(kind: str, make_for: Callable[[int], Callable[[], bytes]]) -> dict[str, float]:
    """The same requests on an endpoint that only reads them."""
    port = _free_port()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(port, kind))
    process.start()
    try:
        _wait_for(port)
        make = make_for(port)
        return {f"{kind} x{size}": asyncio.run(_rate(port, make, size)) for size in (1, 16, 64)}
    finally:
        process.terminate()
        process.join()


def measure() -> dict[str, float]:
    """All figures of one run, in requests a second; batches in events a second."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, running_hub(Path(folder) / "data") as hub:
        credentials = load_credentials(hub.data / "clients" / f"{OCMW}-connector.json")
        url = str(hub.where["gateway"])
        with httpx.Client(base_url=url) as http:
            token = TokenSource(http, credentials).token()
        port = int(url.rsplit(":", 1)[1])

        def one_for(at: int) -> Callable[[], bytes]:
            return lambda: _request(at, ONE, token, json.dumps(referral(next(PEOPLE))).encode())

        def many() -> bytes:
            return _request(
                port,
                MANY,
                token,
                json.dumps([referral(next(PEOPLE)) for _ in range(BATCH)]).encode(),
            )

        for kind in ("bare", "fastapi"):
            figures.update(_floor(kind, one_for))
        for size in (1, 16, 64):
            figures[f"publish x{size}"] = asyncio.run(_rate(port, one_for(port), size))
        figures["publish batches of 100 x8, events"] = BATCH * asyncio.run(_rate(port, many, 8))
    return figures


def main() -> None:
    """Print one line a figure, or with --json one document."""
    figures = measure()
    for size in (16, 64):
        figures[f"publish x{size} / bare"] = figures[f"publish x{size}"] / figures[f"bare x{size}"]
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{name:<36}{value:>12.2f}\n")


if __name__ == "__main__":
    main()
