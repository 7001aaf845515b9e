"""PostgreSQL goes away under load and comes back: 2xx, 4xx or 503, and nothing else.

2xx is committed in the ledger, 4xx was never written, 503 is unknown and the same call is repeated.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from connectors.errors import HubUnavailable
from gateway.bootstrap import ADMIN
from tests.e2e.running_hub import OCMW, referral
from tests.faults.lone_gateway import PATIENCE_SECONDS, LoneGateway, lone_gateway, publish
from tests.gateway.api.samples import form
from tests.postgres_fixtures import OwnServer, own_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

PUBLISHERS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A PostgreSQL of this module's own."""
    with own_server() as made:
        yield made


@pytest.fixture(scope="module")
def gateway(server: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneGateway]:
    """A gateway on it."""
    with lone_gateway(tmp_path_factory.mktemp("hub") / "data", server.url) as made:
        yield made


class Publisher(threading.Thread):
    """Publishes one event after the other; one that got a 503 is sent again until it is answered.

    Attributes:
        answers: every answer, in order.
        acknowledged: the own ids of the events that got a 2xx.
    """

    def __init__(self, gateway: LoneGateway, number: int) -> None:
        super().__init__(daemon=True)
        self._client = gateway.client(OCMW)
        self._number = number
        self.ending = threading.Event()
        self.answers: list[httpx.Response] = []
        self.acknowledged: list[str] = []

    def run(self) -> None:
        """Publish until asked to end."""
        with self._client as client:
            while not self.ending.is_set():
                self._until_answered(client, referral(self._number * 1000 + len(self.answers)))

    def _until_answered(self, client: httpx.Client, event: dict[str, Any]) -> None:
        while True:
            answer = publish(client, event)
            self.answers.append(answer)
            if answer.status_code != 503:
                self.acknowledged.append(event["id"])
                return
            self.ending.wait(0.02)

    def seen(self, status: int) -> bool:
        """Whether the newest answer had this status."""
        return bool(self.answers) and self.answers[-1].status_code == status


def _wait_until_all(publishers: list[Publisher], status: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(one.seen(status) for one in publishers):
        assert time.monotonic() < deadline, [one.answers[-1:] for one in publishers]
        time.sleep(0.01)


def _is_unknown(answer: httpx.Response, *codes: str) -> None:
    """A problem that says: unknown, send the same call again."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["code"] in codes


def test_publishing_has_three_outcomes(gateway: LoneGateway, server: OwnServer) -> None:
    """Under load every answer is 201, 200 or a 503 problem, and each event is recorded once."""
    publishers = [Publisher(gateway, number) for number in range(PUBLISHERS)]
    for one in publishers:
        one.start()
    _wait_until_all(publishers, 201)
    server.crash()
    _wait_until_all(publishers, 503)
    assert gateway.failing() == ["ledger", "consumers", "keys", "writer"]
    server.start()
    for one in publishers:
        one.ending.set()
    for one in publishers:
        one.join(PATIENCE_SECONDS)

    answers = [answer for one in publishers for answer in one.answers]
    acknowledged = [sent for one in publishers for sent in one.acknowledged]
    assert {answer.status_code for answer in answers} <= {200, 201, 503}
    for answer in answers:
        if answer.status_code == 503:
            _is_unknown(answer, "ledger_unavailable")
    assert gateway.recorded(OCMW, acknowledged) == dict.fromkeys(acknowledged, 1)
    assert gateway.rows("ledger where event_name = 'referral.created'") == len(acknowledged)
    gateway.wait_until_ready()


def _gives_no_token(gateway: LoneGateway) -> None:
    """The token endpoint refuses in OAuth's own form, to be asked again."""
    answers: list[httpx.Response] = []
    with pytest.raises(HubUnavailable):
        gateway.token(OCMW, answers)

    assert answers[-1].status_code == 503
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["error"] == "temporarily_unavailable"


def test_every_call_says_503_while_it_is_away(gateway: LoneGateway, server: OwnServer) -> None:
    """Feed, cases, journeys and administration answer with a coded problem; tokens as OAuth does.

    What needs no database goes on: who one is, and the keys that tokens are signed with.
    """
    with gateway.client(OCMW) as client, gateway.client(ADMIN) as administrator:
        server.crash()
        try:
            for path in ("/v1/feed", "/v1/trajectories", "/v1/events/r-1"):
                _is_unknown(client.get(path), "unavailable")
            _is_unknown(administrator.post("/v1/signing-keys/rotate"), "unavailable")
            headers = {"idempotency-key": "k-1"}
            answer = client.post("/v1/referrals", headers=headers, json=form())
            _is_unknown(answer, "ledger_unavailable")
            _gives_no_token(gateway)
            assert client.get("/v1/me").status_code == 200
            assert client.get("/oauth/jwks").status_code == 200
        finally:
            server.start()
        gateway.wait_until_ready()
        assert client.get("/v1/feed").status_code == 200
        assert gateway.token(OCMW)
