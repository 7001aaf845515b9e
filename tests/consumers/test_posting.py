"""A post goes to the judged address with the certificate checked, and always ends."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from consumers import retrying
from consumers.addresses import AddressPolicy, SystemResolver
from consumers.errors import NotSent
from consumers.posting import ANSWER_BYTES, Poster
from gateway.embedded.certificates import ensure_certificates
from tests.consumers.receivers import Receiver, Reply, always
from tests.consumers.test_addresses import Names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TESTING = AddressPolicy(allows_loopback=True)
OK = Reply(200, b"ok")


@pytest.fixture
def poster() -> Iterator[Poster]:
    """One for receivers on loopback, with little patience."""
    made = Poster(TESTING, SystemResolver(), seconds=0.5)
    yield made
    made.close()


def reason(poster: Poster, url: str) -> str:
    """Why a post had no answer."""
    with pytest.raises(NotSent) as caught:
        poster.post(url, {}, b"{}")
    return caught.value.reason


def test_what_was_sent_arrives_and_the_answer_comes_back(poster: Poster) -> None:
    """Headers and body as given; the connection serves a second request."""
    with Receiver(always(Reply(202, b"fine", {"Retry-After": "7"}))) as receiver:
        for _ in range(2):
            answer = poster.post(receiver.url, {"webhook-id": "e-1"}, b'{"a":1}')

    assert (answer.status, answer.body, answer.headers["retry-after"]) == (202, b"fine", "7")
    assert [one.body for one in receiver.got] == [b'{"a":1}'] * 2
    assert receiver.got[0].headers["webhook-id"] == "e-1"


def test_a_redirect_is_an_answer(poster: Poster) -> None:
    """Nobody goes where it points."""
    with Receiver(always(OK)) as inner:
        moved = Reply(307, headers={"Location": inner.url})
        with Receiver(always(moved)) as receiver:
            assert poster.post(receiver.url, {}, b"{}").status == 307
    assert inner.got == []


def test_an_endless_answer_is_cut(poster: Poster) -> None:
    """Of 100 MB only 64 KiB are taken, and the receiver is left alone with the rest."""
    with Receiver(always(Reply(200, chunks=1600))) as receiver:
        answer = poster.post(receiver.url, {}, b"{}")

    assert (answer.status, len(answer.body)) == (200, ANSWER_BYTES)
    assert receiver.sent_bytes < 50_000_000


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(200, b"half", promised=100), "answer_incomplete"),
        (Reply(200, b"ok", slowly=0.8), "timeout"),
        (Reply(200, b"0123456789", drip=0.2), "timeout"),
    ],
)
def test_an_answer_without_an_end(poster: Poster, reply: Reply, why: str) -> None:
    """It breaks off, it does not begin in time, or each byte comes just in time."""
    with Receiver(always(reply)) as receiver:
        assert reason(poster, receiver.url) == why


def test_a_receiver_that_is_away(poster: Poster) -> None:
    """Nobody listens, or the name is unknown."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert reason(poster, f"http://127.0.0.1:{port}/") == "connection_failed"
    assert reason(poster, "https://nowhere.invalid/") == "name_unknown"


def test_a_name_that_moves_inside_is_not_followed() -> None:
    """Public when it was judged, loopback when it is asked again: each connection is judged."""
    names = Names([["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"]])
    poster = Poster(TESTING, names, seconds=1)
    with Receiver(always(Reply(200, b"", {"Connection": "close"}))) as receiver:
        url = f"http://hook.example.org:{receiver.port}/hook"
        assert poster.post(url, {}, b"{}").status == 200
        assert len(names.asked) == 1
        assert [reason(poster, url) for _ in range(2)] == ["address_refused"] * 2
    assert len(receiver.got) == 1
    assert receiver.got[0].headers["host"] == f"hook.example.org:{receiver.port}"
    poster.close()


def test_production_calls_no_loopback() -> None:
    """Neither as written nor by a name that is rebound to it."""
    with Receiver(always(OK)) as receiver:
        poster = Poster(AddressPolicy(), Names([["127.0.0.1"]]), seconds=1)
        found = [
            reason(poster, f"{start}:{receiver.port}/")
            for start in ("http://127.0.0.1", "https://hook.example.org")
        ]
        found.append(reason(poster, "https://hook.example.org/"))
    poster.close()
    assert found == ["address_refused"] * 3
    assert receiver.got == []


def test_the_certificate_is_checked_for_the_name(tmp_path: Path) -> None:
    """The address comes from the resolver, the name in TLS from the URL; another name fails."""
    served, trusted = _contexts(tmp_path)
    poster = Poster(TESTING, Names([["127.0.0.1"]]), tls=trusted, seconds=2)
    strict = Poster(TESTING, Names([["127.0.0.1"]]), seconds=2)
    with Receiver(always(OK), tls=served) as receiver:
        good = f"https://localhost:{receiver.port}/hook"
        assert poster.post(good, {}, b"{}").status == 200
        assert reason(poster, f"https://hook.example.org:{receiver.port}/") == "tls_failed"
        assert reason(strict, good) == "tls_failed"
    assert len(receiver.got) == 1
    poster.close()
    strict.close()


TLS_ALERT = bytes([21, 3, 3, 0, 2, 2, 80])
"""A fatal one: internal_error."""
PLAIN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "said", [b"", TLS_ALERT, PLAIN], ids=["it closes", "an alert", "plain HTTP"]
)
def test_a_handshake_that_breaks_off_is_no_connection(said: bytes) -> None:
    """As at a balancer whose servers are being replaced: each of these may pass."""
    poster = Poster(TESTING, SystemResolver(), seconds=5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        breaking = threading.Thread(target=_break_off, args=(listening, said))
        breaking.start()
        why = reason(poster, f"https://127.0.0.1:{listening.getsockname()[1]}/")
        breaking.join()
    poster.close()

    assert why == "connection_failed"
    assert retrying.of_silence(why).kind == "retry"


def _break_off(listening: socket.socket, said: bytes) -> None:
    """Take one connection, hear how TLS begins, say this and close."""
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(said)


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for localhost, and a client's that trusts its authority."""
    made = ensure_certificates(folder, ("broker",))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(made.of("broker"))
    return served, ssl.create_default_context(cafile=str(made.authority))
