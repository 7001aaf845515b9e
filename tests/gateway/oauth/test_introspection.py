"""Asking issuers about tokens: what strangers send stops nobody whom the hub knows."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from gateway.errors import IssuerUnavailable
from gateway.exchange.credentials import new_private_jwk
from gateway.exchange.trusted_issuers import Introspection
from gateway.oauth import introspection
from gateway.oauth.fetching import Fetcher, unavailable
from gateway.oauth.introspection import AT_ONCE, KEPT_SECONDS, PAUSE_SECONDS, Introspector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE, THERE = (
    Introspection(f"https://{one}.example.org/introspect", "schakel", one) for one in ("a", "b")
)
ACTIVE = {"active": True}
PARTNER, STRANGER = "of-a-partner", "of-a-stranger"


class ScriptedFetcher(Fetcher):
    """Answers each token as told: with a document, with None, with a reason, or when let go."""

    def __init__(self) -> None:
        super().__init__("test")
        self.answers: dict[str, Any] = {PARTNER: ACTIVE}
        self.asked: list[str] = []
        self.asked_at: list[str] = []
        self.let_go = threading.Event()

    def post(self, address: str, form: Mapping[str, str]) -> Any:
        """What the script says, at whichever issuer."""
        self.asked.append(form["token"])
        self.asked_at.append(address)
        answer = self.answers.get(form["token"], {"active": False})
        if answer == "hang":
            self.let_go.wait(30)
        if isinstance(answer, str):
            raise unavailable(answer)
        return answer


class Asking:
    """An introspector of a scripted issuer, and its clock."""

    def __init__(self) -> None:
        self.now = time.time()
        self.fetcher = ScriptedFetcher()
        key = ECKey.import_key(new_private_jwk())
        self.introspector = Introspector(self.fetcher, lambda: key, now=lambda: self.now)

    def ask(self, token: str, at: Introspection = HERE) -> bool:
        """Whether the issuer calls it active."""
        return bool(self.introspector.ask(at, token))

    def reason(self, token: str, at: Introspection = HERE) -> str:
        """Why it cannot be asked."""
        with pytest.raises(IssuerUnavailable) as refused:
            self.ask(token, at)
        return str(refused.value.facts["reason"])

    def know_the_partner(self) -> None:
        """Its token was active a while ago, and has to be asked about again."""
        assert self.ask(PARTNER)
        self.now += KEPT_SECONDS + 1


@pytest.fixture
def asking() -> Iterator[Asking]:
    """An issuer that calls the partner's token active and knows no other."""
    made = Asking()
    yield made
    made.fetcher.let_go.set()
    made.fetcher.close()


def test_a_token_that_the_issuer_refuses_is_not_active(asking: Asking) -> None:
    """400 is an answer about that token: remembered, and nobody waits for it."""
    asking.fetcher.answers[STRANGER] = None

    assert not asking.ask(STRANGER)
    assert not asking.ask(STRANGER)
    assert asking.ask(PARTNER)
    assert asking.fetcher.asked == [STRANGER, PARTNER]


@pytest.mark.parametrize("reason", ["status_401", "status_302", "content_type", "json"])
def test_an_answer_that_may_be_of_one_token_pauses_nothing(asking: Asking, reason: str) -> None:
    """A page or a redirect for one token says nothing of the next one."""
    asking.fetcher.answers[STRANGER] = reason

    assert asking.reason(STRANGER) == reason
    assert asking.ask(PARTNER)


@pytest.mark.parametrize("reason", ["status_500", "status_503", "transport_ReadTimeout"])
def test_an_issuer_that_is_away_is_left_alone_for_a_while(asking: Asking, reason: str) -> None:
    """Its next token is refused without a question; afterwards it is asked again."""
    asking.fetcher.answers[STRANGER] = reason

    assert asking.reason(STRANGER) == reason
    assert asking.reason(PARTNER) == "paused"
    asking.now += PAUSE_SECONDS
    assert asking.ask(PARTNER)


def test_an_issuer_that_is_away_stops_no_other(asking: Asking) -> None:
    """Each has its own pause and its own places."""
    asking.fetcher.answers[STRANGER] = "status_500"
    asking.reason(STRANGER)

    assert asking.ask(PARTNER, THERE)
    assert asking.fetcher.asked_at == [HERE.endpoint, THERE.endpoint]


def test_a_stranger_cannot_pause_a_token_that_was_active(asking: Asking) -> None:
    """Its token broke the issuer; the partner's is asked about all the same."""
    asking.know_the_partner()
    asking.fetcher.answers[STRANGER] = "status_500"
    asking.reason(STRANGER)

    assert asking.reason("of-another-stranger") == "paused"
    assert asking.ask(PARTNER)


def test_strangers_cannot_take_the_places_of_tokens_that_were_active(asking: Asking) -> None:
    """Slow questions about unknown tokens fill their own places only."""
    asking.know_the_partner()
    waiting = [f"{STRANGER}-{number}" for number in range(AT_ONCE)]
    asking.fetcher.answers.update(dict.fromkeys(waiting, "hang"))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for one in waiting:
            threads.submit(asking.reason, one)
        until = time.monotonic() + 10
        while len(asking.fetcher.asked) <= AT_ONCE and time.monotonic() < until:
            time.sleep(0.01)

        assert asking.reason("of-another-stranger") == "too_many_questions"
        assert asking.ask(PARTNER)
        asking.fetcher.let_go.set()


def test_no_number_of_unknown_tokens_makes_one_forgotten(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers of the two kinds are kept apart."""
    monkeypatch.setattr(introspection, "KEPT_MAX", 3)
    assert asking.ask(PARTNER)
    for number in range(5):
        assert not asking.ask(f"{STRANGER}-{number}")
    before = len(asking.fetcher.asked)

    assert asking.ask(PARTNER)
    assert not asking.ask(f"{STRANGER}-4")
    assert len(asking.fetcher.asked) == before


def test_a_token_that_is_active_no_longer_is_a_strangers(asking: Asking) -> None:
    """Taken back, it has no places of its own any more."""
    asking.know_the_partner()
    asking.fetcher.answers[PARTNER] = {"active": False}
    assert not asking.ask(PARTNER)
    asking.now += KEPT_SECONDS + 1
    asking.fetcher.answers[STRANGER] = "status_500"
    asking.reason(STRANGER)

    assert asking.reason(PARTNER) == "paused"
