"""A token that a receiver refuses is replaced once for each message, and by nothing older."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from consumers.addresses import AddressPolicy, SystemResolver
from consumers.posting import Poster
from consumers.receiver_tokens import ReceiverTokens
from consumers.sending import Envelope, Sender
from consumers.webhook_secrets import Oauth
from tests.consumers.receivers import Got, Receiver, Reply
from tests.consumers.webhook_world import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

TOGETHER = 4


@pytest.fixture
def poster() -> Iterator[Poster]:
    """One for receivers on loopback, with the patience of a slow machine."""
    made = Poster(AddressPolicy(allows_loopback=True), SystemResolver(), seconds=30)
    yield made
    made.close()


@pytest.fixture
def issuer() -> Iterator[Receiver]:
    """A token endpoint that numbers its tokens."""

    def answer(_got: Got, number: int) -> Reply:
        token = {"access_token": f"token-{number}", "token_type": "Bearer"}
        return Reply(200, json.dumps(token).encode())

    with Receiver(answer) as made:
        yield made


def test_each_of_several_that_are_refused_together_is_sent_again(
    poster: Poster, issuer: Receiver
) -> None:
    """The receiver changes its keys while four are under way with one token."""
    together = threading.Barrier(TOGETHER)

    def answer(got: Got, number: int) -> Reply:
        if number == 0 or got.headers["authorization"] != "Bearer token-0":
            return Reply(200)
        together.wait(30)
        return Reply(401)

    with Receiver(answer, serial=False) as receiver:
        oauth = Oauth(issuer.url, "hub", "s3cret")
        envelope = Envelope("one", receiver.url, [SECRET], oauth)
        sender = Sender(poster, ReceiverTokens(poster))
        sender.send(envelope, "first", b"{}")
        with ThreadPoolExecutor(TOGETHER) as pool:
            names = [f"e-{number}" for number in range(TOGETHER)]
            tried = list(pool.map(lambda name: sender.send(envelope, name, b"{}"), names))

    assert [one.verdict.kind for one in tried] == ["delivered"] * TOGETHER
    assert len(receiver.got) == 1 + 2 * TOGETHER


def test_a_receiver_that_takes_no_token_is_asked_twice(poster: Poster, issuer: Receiver) -> None:
    """Then its 401 counts as any other refusal."""
    with Receiver(lambda _got, _number: Reply(401)) as receiver:
        envelope = Envelope("one", receiver.url, [SECRET], Oauth(issuer.url, "hub", "s3cret"))
        tried = Sender(poster, ReceiverTokens(poster)).send(envelope, "first", b"{}")

    assert (tried.verdict.kind, tried.verdict.code) == ("refused", "http_401")
    seen = [one.headers["authorization"] for one in receiver.got]
    assert seen == ["Bearer token-0", "Bearer token-1"]


def test_a_late_401_drops_no_newer_token(poster: Poster, issuer: Receiver) -> None:
    """Only the token that was refused is thrown away."""
    oauth = Oauth(issuer.url, "hub", "s3cret")
    tokens = ReceiverTokens(poster)
    first = tokens.bearer("one", oauth)
    tokens.forget("one", first)
    second = tokens.bearer("one", oauth)
    tokens.forget("one", first)

    assert (first, second) == ("token-0", "token-1")
    assert tokens.bearer("one", oauth) == second
