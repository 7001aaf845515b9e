"""The hub of a region in one process: everything real but Kafka and OAuth.

What the relay would publish is handed to the route straight from the ledger. Everything a test
does and sees goes through the public interface, and time passes through the hub's own clock.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from consumers.evidence import TOPIC, Evidence
from consumers.log_records import Fetched
from gateway.api.application import create_app
from gateway.exchange.registry_document import parse
from gateway.exchange.route import Route
from gateway.hub_parts import GatewayParts
from gateway.registry_parts import RegistryParts
from gateway.settings import HubSettings
from tests.gateway.api import fakes
from tests.gateway.api.asgi import AsgiClient
from tests.letter.partners import registry_content
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from consumers.clock import RowClock
    from gateway.exchange.registry import Registry
    from gateway.oauth.senders import Sender
    from gateway.oauth.verifier import Verifier

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday."""
PREFIX = "be.schakel.activation.v1."


_DOTS_OF_A_JWT = 2


class Readable:
    """Takes `<participant>` or `<participant>+<scope>` for a token, by the living registry.

    A token that the hub's own issuer gave is checked as it always is.
    """

    def __init__(self, registry: Any, issued: Verifier) -> None:
        self._registry = registry
        self._issued = issued

    def verify(self, token: str, sender: Sender) -> Any:
        """The principal that the token spells out, or stands for."""
        if token.count(".") == _DOTS_OF_A_JWT:
            return self._issued.verify(token, sender)
        known: Registry = self._registry()
        roles = {one.id: one.role for one in known.participants.values()}
        return fakes.ReadableTokens({**roles, "hub-admin": "A"}).verify(token, sender)

    def holds(self, token: str) -> bool:  # noqa: ARG002 - the interface's
        """Always: nobody takes one back here."""
        return True

    def may_block(self, token: str) -> bool:  # noqa: ARG002 - the interface's
        """Never: it is all in the token."""
        return False


class FactsOfOutbox:
    """The facts as the log would bring them, straight from what waits for the relay."""

    def __init__(self, ledger: sa.Engine) -> None:
        self._ledger = ledger
        self._read = 0

    def poll(self, timeout_seconds: float, /) -> list[Fetched]:  # noqa: ARG002 - never waits
        """What came since the last time."""
        query = sa.text("select seq, value from outbox where topic = :topic and seq > :seq")
        with self._ledger.connect() as connection:
            rows = connection.execute(query, {"topic": TOPIC, "seq": self._read}).all()
        self._read = max((seq for seq, _ in rows), default=self._read)
        return [Fetched(TOPIC, 0, seq, b"", value, (), 0) for seq, value in rows]

    def commit(self) -> None:
        """Nothing to note."""


@dataclass
class Region:
    """One hub and everybody around it."""

    client: AsgiClient
    route: Route
    parts: GatewayParts
    clock: RowClock
    evidence: Evidence
    _ids: Iterator[int] = field(default_factory=count)
    _routed: int = 0

    @property
    def today(self) -> datetime:
        """The hub's business time."""
        return datetime.fromtimestamp(self.clock.now_us() / 1_000_000, UTC)

    def day(self, days: int = 0) -> str:
        """A date so many days from the hub's today."""
        return (self.today + timedelta(days=days)).date().isoformat()

    def call(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One call as somebody; what it recorded is routed before this returns."""
        headers = {"authorization": f"Bearer {who}", **options.pop("headers", {})}
        response = self.client.call(method, path, headers=headers, **options)
        if method != "GET":
            self.deliver()
        return response

    def get(self, who: str, path: str) -> Any:
        """What somebody reads; it has to be there."""
        response = self.call(who, "GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def publish(
        self, who: str, name: str, data: dict[str, Any], **attributes: Any
    ) -> httpx.Response:
        """One event as somebody, whatever the answer."""
        sent = {
            "specversion": "1.0",
            "id": f"{who}-{next(self._ids)}",
            "source": f"urn:schakel:participant:{who}",
            "type": PREFIX + name,
            "time": self.today.isoformat().replace("+00:00", "Z"),
            "data": data,
            **attributes,
        }
        headers = {"content-type": "application/cloudevents+json"}
        return self.call(who, "POST", "/v1/events", content=orjson.dumps(sent), headers=headers)

    def send(self, who: str, name: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
        """One event that the hub accepts; its receipt, with `warnings`."""
        response = self.publish(who, name, data, **attributes)
        assert response.status_code == 201, f"{name}: {response.text}"
        receipt: dict[str, Any] = response.json()
        return receipt

    def refuse(
        self, who: str, name: str, data: dict[str, Any], **attributes: Any
    ) -> dict[str, Any]:
        """One event that the hub refuses; the problem."""
        response = self.publish(who, name, data, **attributes)
        assert 400 <= response.status_code < 500, f"{name}: {response.text}"
        problem: dict[str, Any] = response.json()
        return problem

    def refer(self, who: str, **form: Any) -> dict[str, Any]:
        """The seven-field form of somebody new, with the changes given; the answer."""
        response = self.form(who, **form)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def form(self, who: str, **changes: Any) -> httpx.Response:
        """The seven-field form, whatever the answer; a change to None leaves a field out."""
        number = next(self._ids)
        whole = {
            "programme": "samenlevingsjob",
            "reason": "work_rhythm",
            "given_name": "Amina",
            "family_name": f"Testers-{number}",
            "phone": f"+32 000 {number:06d}",
            "postcode": "3300",
            "informed_person_at": self.day(),
            **changes,
        }
        content = {name: value for name, value in whole.items() if value is not None}
        headers = {"content-type": "application/json", "idempotency-key": f"form-{number}"}
        return self.call(
            who, "POST", "/v1/referrals", content=orjson.dumps(content), headers=headers
        )

    def feed(self, who: str, trajectory: str | None = None) -> list[dict[str, Any]]:
        """All that somebody was given, of one case or of all."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.get(who, f"/v1/feed?limit=500{after}")
            found += page["events"]
            if not page["events"]:
                break
            after = f"&after={page['next']}"
        return [one for one in found if trajectory in (None, one.get("trajectoryid"))]

    def names(self, who: str, trajectory: str | None = None) -> list[str]:
        """The event names of a feed, in its order."""
        return [one["type"].removeprefix(PREFIX) for one in self.feed(who, trajectory)]

    def given(self, who: str, name: str, trajectory: str | None = None) -> dict[str, Any]:
        """The last event of a name in a feed."""
        found = [one for one in self.feed(who, trajectory) if one["type"] == PREFIX + name]
        assert found, f"{who} got no {name}: {self.names(who, trajectory)}"
        return found[-1]

    def case(self, who: str, trajectory: str) -> dict[str, Any]:
        """A case as somebody sees it."""
        found: dict[str, Any] = self.get(who, f"/v1/trajectories/{trajectory}")
        return found

    def state(self, who: str, trajectory: str, kind: str) -> list[str]:
        """The states of what a case holds of one kind."""
        return [
            one["state"] for one in self.case(who, trajectory)["aggregates"] if one["type"] == kind
        ]

    def figures(self, who: str, indicator: str, **asked: Any) -> list[dict[str, Any]]:
        """The cells of an indicator as somebody reads them."""
        asked.setdefault("from", "2026-01")
        asked.setdefault("to", self.today.strftime("%Y-%m"))
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        found = self.get(who, f"/v1/evidence?indicator={indicator}&{query}")
        cells: list[dict[str, Any]] = found["cells"]
        return cells

    def publish_rules(self, document: dict[str, Any]) -> None:
        """What the administrator does with a rule file."""
        plan = self.call("hub-admin+sj_admin", "POST", "/v1/programmes/plan", json=document)
        assert plan.status_code == 200, plan.text
        wanted = {"document": document, "expected_version": plan.json()["version"]}
        path = "/v1/programmes/publications"
        done = self.call("hub-admin+sj_admin", "POST", path, json=wanted)
        assert done.status_code == 200, done.text

    def wait(self, days: int) -> None:
        """Let days pass; the hub does all that was due in them, in order."""
        self.clock.move(timedelta(days=days).total_seconds())
        left = self.parts.workers.timers.settle(self.clock.now_us())
        assert left == 0
        self.deliver()

    def deliver(self) -> None:
        """Hand everything recorded since to the route, as the log would."""
        query = sa.text("select seq, event_id from ledger where seq > :seq order by seq")
        with self.route.ledger.connect() as connection:
            rows = connection.execute(query, {"seq": self._routed}).all()
        if rows:
            self._routed = rows[-1][0]
            self.route.reroute([event_id for _, event_id in rows])
        self.evidence.step(0.0)


@contextmanager
def region(folder: Path, **changes: Any) -> Iterator[Region]:
    """A fresh hub with everybody registered, at nine on a Monday; `changes` are of its settings."""
    settings = HubSettings(data=folder, **changes)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    migrated(settings.stores)
    registry = RegistryParts(settings)
    registry.store.apply(parse(registry_content(), "test"), "test")
    registry.live.refresh()
    parts = GatewayParts(settings, registry)
    clock = parts.movable_clock
    assert clock is not None
    clock.move(START.timestamp() - clock.now_us() / 1_000_000)
    with ExitStack() as stack:
        parts.start()
        stack.callback(parts.stop)
        verifier = Readable(registry.live.current, parts.verifier())
        app = create_app(parts.collaborators(verifier))
        client = stack.enter_context(AsgiClient(app))
        route = Route(
            fakes.NoLog(),
            registry.ledger_reader,
            parts.doors.writing,
            registry.live.current,
            parts.clock,
        )
        facts = FactsOfOutbox(registry.ledger_reader)
        evidence = Evidence(facts, parts.doors.writing, parts.clock)
        yield Region(client, route, parts, clock, evidence)
