"""Fair use: what is let in, what is refused before a body is read, and what the caller is told.

Time stands still unless a test moves it, so every figure is exact.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from consumers.clock import FixedClock
from gateway import errors
from gateway.api.application import create_app
from gateway.api.collaborators import Collaborators
from gateway.api.completions import Completions
from gateway.api.fair_use import Admission, FairUse, admission_of
from gateway.exchange.budgets import Budget, Limits, Rate
from gateway.oauth.verifier import Principal
from tests.gateway.api import fakes
from tests.gateway.api.asgi import AsgiClient
from tests.gateway.api.conftest import PARTNER
from tests.gateway.api.parties import roles
from tests.gateway.api.samples import MANY, ONE, body, event
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from gateway.exchange.registry import Registry

QUIET = cast.RELATED["O"]
SMALL = Limits(events=Rate(10, 1), content=Rate(20_000, 1_000), calls=Rate(40, 2), concurrent=4)
ITEM = re.compile(r'"(calls|events|bytes)";r=\d+;t=\d+')
POLICY = re.compile(r'"(calls|events|bytes)";q=\d+;w=\d+(;qu="(requests|content-bytes)")?')


class Time:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        """The moment."""
        return self.seconds


def principal(participant: str = PARTNER, client: str = "one") -> Principal:
    """Somebody recognised."""
    return Principal(client, participant, frozenset(), trusted_trace=False, role="P")


def call(method: str = "POST", length: int | None = 100) -> dict[str, Any]:
    """An ASGI scope as far as budgets read it."""
    headers = [] if length is None else [(b"content-length", b"%d" % length)]
    return {"type": "http", "method": method, "headers": headers}


def registry_with(budget: Budget | None) -> Registry:
    """The cast, in which the partner has figures of its own."""
    known = cast.registry()
    one = replace(known.participants[PARTNER], budget=budget)
    return replace(known, participants={**known.participants, PARTNER: one})


def enter(fair: FairUse, scope: dict[str, Any], who: Principal) -> None:
    """Enter and leave at once."""
    fair.enter(scope, who)
    found = admission_of(scope)
    assert found is not None
    found.leave()


def test_a_spent_budget_refuses_and_flows_back() -> None:
    """Ten events at once, then one each second; the refusal says when and which."""
    time = Time()
    fair = FairUse(cast.registry, SMALL, now=time.now)
    for _ in range(10):
        enter(fair, call(), principal())
    with pytest.raises(errors.BudgetSpent) as refused:
        fair.enter(call(), principal())
    assert refused.value.facts == {"budget": "events", "retry_after": 1}

    time.seconds = 1.0
    enter(fair, call(), principal())
    with pytest.raises(errors.BudgetSpent):
        fair.enter(call(), principal())
    enter(fair, call("GET"), principal())  # reading costs no event


def test_a_batch_leaves_a_debt_that_flows_back_first() -> None:
    """A batch that is larger than what is left is taken once; then nothing until it is paid."""
    time = Time()
    fair = FairUse(cast.registry, SMALL, now=time.now)
    scope = call()
    fair.enter(scope, principal())
    admission = admission_of(scope)
    assert admission is not None
    admission.charge(events=29)
    admission.leave()

    with pytest.raises(errors.BudgetSpent) as refused:
        fair.enter(call(), principal())
    assert refused.value.facts["retry_after"] == 21
    time.seconds = 20.0
    with pytest.raises(errors.BudgetSpent):
        fair.enter(call(), principal())
    time.seconds = 21.0
    enter(fair, call(), principal())


def test_bytes_are_counted_as_announced() -> None:
    """The length in the head counts before a byte is read."""
    fair = FairUse(cast.registry, SMALL, now=Time().now)
    enter(fair, call(length=1_000_000), principal())

    with pytest.raises(errors.BudgetSpent) as refused:
        fair.enter(call(length=1), principal())
    assert refused.value.facts["budget"] == "bytes"


def test_calls_under_way_are_bounded_for_each_client() -> None:
    """A fifth at the same time is refused; another client, and one that left, are not."""
    fair = FairUse(cast.registry, SMALL, now=Time().now)
    scopes = [call("GET") for _ in range(4)]
    for scope in scopes:
        fair.enter(scope, principal())
    with pytest.raises(errors.TooManyAtOnce):
        fair.enter(call("GET"), principal())
    assert fair.figures() == {"calls_under_way": 4.0, "calls_refused_total": 1.0}
    enter(fair, call("GET"), principal(client="two"))

    left = admission_of(scopes[0])
    assert left is not None
    left.leave()
    enter(fair, call("GET"), principal())


def test_a_call_is_counted_once_however_often_it_is_asked_who_calls() -> None:
    """Two dependencies of one route that both recognise the caller leave nothing under way."""
    fair = FairUse(cast.registry, SMALL, now=Time().now)
    for _ in range(8):
        scope = call("GET")
        fair.enter(scope, principal())
        enter(fair, scope, principal())

    assert fair.figures() == {"calls_under_way": 0.0, "calls_refused_total": 0.0}
    assert (b"ratelimit", b'"calls";r=32;t=4, "events";r=10;t=0, "bytes";r=20000;t=0') in (
        _admission(scope).headers()
    )


def _admission(scope: dict[str, Any]) -> Admission:
    found = admission_of(scope)
    assert found is not None
    return found


def test_a_participants_own_figures_count_at_once_and_fill_no_bucket() -> None:
    """A larger budget lets more in from now on; it gives nothing back of what was spent."""
    current = [registry_with(None)]
    time = Time()
    fair = FairUse(lambda: current[0], SMALL, now=time.now)
    for _ in range(10):
        enter(fair, call(), principal())
    current[0] = registry_with(Budget(events_at_once=100, events_per_second=50))

    with pytest.raises(errors.BudgetSpent):
        fair.enter(call(), principal())
    time.seconds = 1.0
    for _ in range(32):
        enter(fair, call(), principal())
    with pytest.raises(errors.BudgetSpent) as refused:
        fair.enter(call(), principal())
    assert refused.value.facts["budget"] == "calls"


def test_each_of_several_gateways_gives_its_part() -> None:
    """Two gateways let in together what one would."""
    fair = FairUse(cast.registry, SMALL, gateways=2, now=Time().now)
    for _ in range(5):
        enter(fair, call(), principal())

    with pytest.raises(errors.BudgetSpent):
        fair.enter(call(), principal())


def test_threads_together_get_no_more_than_one() -> None:
    """Routes run on threads: what is let in is exact all the same."""
    fair = FairUse(cast.registry, replace(SMALL, concurrent=1_000), now=Time().now)
    entered: list[int] = []

    def ask() -> None:
        for _ in range(20):
            try:
                fair.enter(call(), principal())
            except errors.BudgetSpent:
                continue
            entered.append(1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(entered) == 10


class Served:
    """The interface under small figures."""

    def __init__(self, client: AsgiClient, ledger: fakes.InstantLedger, time: Time) -> None:
        self.client = client
        self.ledger = ledger
        self.time = time

    def publish(self, who: str, content: bytes, kind: str = ONE) -> httpx.Response:
        """Publish as a participant."""
        headers = {"authorization": f"Bearer {who}", "content-type": kind}
        return self.client.call("POST", "/v1/events", content=content, headers=headers)

    def get(self, path: str, who: str = PARTNER) -> httpx.Response:
        """Read as a participant."""
        return self.client.call("GET", path, headers={"authorization": f"Bearer {who}"})


@pytest.fixture
def served() -> Iterator[Served]:
    """The whole interface on fakes, with `SMALL` figures."""
    completions, time = Completions(), Time()
    ledger = fakes.InstantLedger(completions)
    app = create_app(
        Collaborators(
            environment="test",
            verifier=fakes.ReadableTokens(roles()),
            registry=cast.registry,
            ledger=ledger,
            completions=completions,
            clock=FixedClock(cast.NOW),
            feed=fakes.ListFeed(),
            cases=fakes.NoCases(),  # type: ignore[arg-type] # a class of ours, faked whole
            journeys=fakes.NoJourneys(),
            tracing=fakes.NoTracing(),
            offers=fakes.NoOffers(),  # type: ignore[arg-type] # a class of ours, faked whole
            fair_use=FairUse(cast.registry, SMALL, now=time.now),
        )
    )
    with AsgiClient(app) as client:
        yield Served(client, ledger, time)


def test_one_that_asks_fifty_times_its_budget_slows_nobody(served: Served) -> None:
    """500 for a budget of 10: ten are let in, the rest is 429; each of another's succeeds."""
    noisy, quiet = [], []
    for number in range(500):
        noisy.append(served.publish(PARTNER, body(event(PARTNER, f"n-{number}"))))
        if number % 50 == 0:
            quiet.append(served.publish(QUIET, body(event(QUIET, f"q-{number}"))))

    assert [one.status_code for one in quiet] == [201] * 10
    statuses = [one.status_code for one in noisy]
    assert (statuses.count(201), statuses.count(429)) == (10, 490)
    assert len(served.ledger.requests) == 20
    assert all(int(one.headers["retry-after"]) >= 1 for one in noisy if one.status_code == 429)


def test_a_refusal_says_what_to_do_in_both_languages(served: Served) -> None:
    """The problem names the budget, the seconds and the way out."""
    for number in range(10):
        served.publish(PARTNER, body(event(PARTNER, f"n-{number}")))
    refused = served.publish(PARTNER, body(event(PARTNER, "last")))

    problem = refused.json()
    assert (problem["code"], problem["budget"], problem["retry_after"]) == (
        "budget_spent",
        "events",
        1,
    )
    assert "beheerder" in problem["detail"]
    assert refused.headers["ratelimit"].split(", ")[1] == '"events";r=0;t=10'


def test_every_answer_says_what_is_left(served: Served) -> None:
    """Structured fields in the draft's syntax: on what is accepted, refused, unknown, and read."""
    answers = [
        served.publish(PARTNER, body(event(PARTNER))),
        served.publish(PARTNER, b"{}"),
        served.publish(PARTNER, b"[]", "text/plain"),
        served.get("/v1/feed"),
        served.get("/v1/me"),
        served.get("/v1/trajectories/0195550e-7c00-7000-8000-000000000001"),
    ]

    assert [one.status_code for one in answers] == [201, 400, 415, 200, 200, 404]
    for one in answers:
        assert all(ITEM.fullmatch(each) for each in one.headers["ratelimit"].split(", "))
        assert all(POLICY.fullmatch(each) for each in one.headers["ratelimit-policy"].split(", "))
    assert "ratelimit" not in served.client.call("GET", "/v1/feed").headers


def test_a_batch_counts_each_event(served: Served) -> None:
    """Ten in one batch use the budget up; the feed can be read all the same."""
    served.publish(PARTNER, body([event(PARTNER, f"b-{number}") for number in range(10)]), MANY)

    assert served.publish(PARTNER, body(event(PARTNER, "one"))).status_code == 429
    assert served.get("/v1/feed").status_code == 200


def test_reading_has_a_budget_too(served: Served) -> None:
    """Forty calls at once of any kind, then 429 on bare endpoints and on routes."""
    statuses = [served.get("/v1/feed").status_code for _ in range(20)]
    statuses += [served.get("/v1/me").status_code for _ in range(20)]

    assert set(statuses) == {200}
    assert [served.get(path).status_code for path in ("/v1/feed", "/v1/me")] == [429, 429]
    assert served.get("/v1/feed", QUIET).status_code == 200


async def _receives(scope: dict[str, Any], app: Any, chunks: list[bytes]) -> tuple[int, int]:
    """The status of one call without a length, and how many chunks of its body were read."""
    read, answered = 0, [0]

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        more = read < len(chunks)
        return {"type": "http.request", "body": chunks[read - 1], "more_body": more}

    async def send(message: Any) -> None:
        answered[0] = message.get("status", answered[0])

    await app(scope, receive, send)
    return answered[0], read


def test_a_chunked_body_is_charged_as_it_comes_and_refused_unread(served: Served) -> None:
    """Without a length the bytes count when they come; once in debt not one is read."""
    app = served.client.app
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/events",
        "query_string": b"",
        "headers": [
            (b"authorization", f"Bearer {PARTNER}".encode()),
            (b"content-type", ONE.encode()),
        ],
    }
    chunks = [b" " * 10_000] * 3
    first = served.client.run(_receives(dict(scope), app, chunks))
    second = served.client.run(_receives(dict(scope), app, chunks))

    assert first == (400, 3)
    assert second == (429, 0)


def test_a_call_that_ended_is_no_longer_under_way(served: Served) -> None:
    """Refused or answered, one after the other: the bound on calls at once is never reached."""
    for number in range(9):
        served.publish(PARTNER, b"{}" if number % 2 else body(event(PARTNER, f"x-{number}")))
    statuses = {served.get("/v1/feed").status_code for _ in range(8)}

    assert statuses == {200}
