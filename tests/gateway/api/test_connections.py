"""Raw bytes against a listening server: smuggling, limits on the head, slow senders."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
import uvicorn

from gateway.api import limits
from gateway.api.connections import server_config
from tests.gateway.api.conftest import PARTNER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.api.conftest import Interface

HOST = b"Host: hub.test\r\n"
TOKEN = f"Authorization: Bearer {PARTNER}\r\n".encode()
HEAD = b"POST /v1/events HTTP/1.1\r\n" + HOST + TOKEN
KIND = b"Content-Type: application/cloudevents+json\r\n"


@pytest.fixture
def address(interface: Interface) -> Iterator[tuple[str, int]]:
    """Where the interface listens, served by uvicorn as in production."""
    config = server_config(interface.app, host="127.0.0.1", port=0, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join()


def exchange(address: tuple[str, int], *parts: bytes, pause_seconds: float = 0.0) -> bytes:
    """Send the parts and read until the server closes, or says no more for a moment."""
    answer = b""
    with socket.create_connection(address, timeout=5) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_seconds)
        connection.settimeout(3)
        try:
            while chunk := connection.recv(65536):
                answer += chunk
                if b"\r\n0\r\n\r\n" in answer or answer.endswith(b"}"):
                    break
        except TimeoutError:
            pass
    return answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + KIND + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + KIND + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        HEAD + b"X-One: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X-One: a\nX-Two: b\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Bad Name: a\r\nContent-Length: 0\r\n\r\n",
        HEAD + KIND + b"Content-Length: -1\r\n\r\n",
        HEAD + KIND + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_requests_that_two_parsers_could_read_differently(
    address: tuple[str, int], request_bytes: bytes
) -> None:
    """Each is a 400 problem and the end of the connection."""
    answer = exchange(address, request_bytes)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    "headers",
    [
        b"X-Long: " + b"a" * limits.HEADER_BYTES + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(limits.HEADER_COUNT + 1)),
        b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(20)),
    ],
)
def test_a_large_head_is_431(address: tuple[str, int], headers: bytes) -> None:
    """Too many or too long headers are refused while they are read."""
    answer = exchange(address, HEAD + headers + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"headers_too_large" in answer


def test_a_header_without_end_is_431(address: tuple[str, int]) -> None:
    """A header that goes on is not kept in memory until its time is over."""
    answer = exchange(address, HEAD + b"X-Long: ", b"a" * 20_000, b"a" * 20_000, pause_seconds=0.1)

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_long_authorization_is_431(address: tuple[str, int]) -> None:
    """Authorization has a limit of its own."""
    token = b"Authorization: Bearer " + b"a" * limits.AUTHORIZATION_BYTES + b"\r\n"
    answer = exchange(address, b"GET /v1/feed HTTP/1.1\r\n" + HOST + token + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_an_announced_large_body_is_413(address: tuple[str, int]) -> None:
    """A length over 1 MiB is refused before the body comes."""
    answer = exchange(address, HEAD + KIND + b"Content-Length: 1048577\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", [b"/v1/events", b"/v1/referrals"])
def test_a_large_chunked_body_is_413(address: tuple[str, int], path: bytes) -> None:
    """A body that announces no length is counted, at bare and framework endpoints alike."""
    kind = KIND if path == b"/v1/events" else b"Content-Type: application/json\r\n"
    head = b"POST " + path + b" HTTP/1.1\r\n" + HOST + TOKEN + kind + b"Idempotency-Key: k\r\n"
    chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    answer = exchange(address, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 5)

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "started",
    [
        b"POST /v1/events HTTP/1.1\r\nHost:",
        b"",
        HEAD + KIND + b"Content-Length: 100\r\n\r\n{",
    ],
)
def test_slow_senders_get_408(
    address: tuple[str, int], started: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head or a body that does not become complete is cut off."""
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)

    answer = exchange(address, started)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in answer


@pytest.mark.parametrize("bound", ["CONNECTIONS", "CONNECTIONS_EACH"])
def test_connections_are_bounded_in_all_and_for_an_address(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """Past it a connection gets 503 before it asks anything; a closed one makes room."""
    monkeypatch.setattr(limits, bound, 2)
    asked = b"GET /v1/feed HTTP/1.1\r\n" + HOST + TOKEN + b"\r\n"
    idle = [socket.create_connection(address, timeout=5) for _ in range(2)]
    for one in idle:
        one.sendall(asked)
        assert one.recv(65536).startswith(b"HTTP/1.1 200 ")

    refused = exchange(address)
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after" in refused.lower()
    assert b"overloaded" in refused

    for one in idle:
        one.close()
    answers = (exchange(address, asked) for _ in range(20))
    assert any(one.startswith(b"HTTP/1.1 200 ") for one in answers)
