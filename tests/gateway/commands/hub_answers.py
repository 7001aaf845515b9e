"""A hub that answers a command from canned documents, and remembers what it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from gateway.commands.hub_place import Place
from gateway.commands.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENT = "01a20b43-1827-76ac-9261-688a9606844f"
TRAJECTORY = "01a20b43-1826-7e2d-b345-6afdde7a5ffb"
SECRET = "geheim"
PLACE = Place("http://hub.test", {"client_id": "ocmw-connector", "client_secret": SECRET})

JOURNEY: dict[str, Any] = {
    "event_id": EVENT,
    "type": "referral.created",
    "trajectory_id": TRAJECTORY,
    "sender": "ocmw-tienen",
    "from": {"participant": "ocmw-tienen", "name": "OCMW Tienen", "role": "O"},
    "own": True,
    "complete": True,
    "territory_nis": "24107",
    "occurred_at": "2026-05-28T20:26:40Z",
    "recorded_at": "2026-05-28T20:26:40.250000Z",
    "published": True,
    "recipients": [
        {
            "participant": "wijkwerk-hageland",
            "name": "Wijk-werk Hageland",
            "role": "W",
            "relations": ["handler"],
            "state": "delivered",
            "routed_at": "2026-05-28T20:26:41Z",
            "doors": [{"door": "feed", "at": "2026-05-28T20:30:00Z"}],
            "withheld": ["insz", "income_status"],
        },
        {
            "participant": "vdab",
            "name": "VDAB",
            "role": "V",
            "relations": ["viewer"],
            "state": "excluded",
            "reason": "agreement",
            "doors": [],
            "withheld": [],
        },
    ],
    "spans": [
        {
            "span_id": "a" * 16,
            "service": "gateway",
            "name": "POST /v1/events",
            "started_at": "2026-05-28T20:26:40.100000Z",
            "duration_us": 8000,
            "status": "ok",
        },
        {
            "span_id": "b" * 16,
            "parent_id": "a" * 16,
            "service": "gateway",
            "name": "commit",
            "started_at": "2026-05-28T20:26:40.102000Z",
            "duration_us": 5000,
            "status": "Overloaded",
        },
        {
            "span_id": "c" * 16,
            "service": "gateway",
            "name": "GET /v1/feed",
            "started_at": "2026-05-28T20:30:00Z",
            "duration_us": 2000,
            "status": "ok",
        },
    ],
}


@dataclass
class Hub:
    """Answers by path; `answers` maps a path with its query to a document."""

    answers: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    tokens: int = 0
    revoked: bool = False

    def session(self) -> Session:
        """A session with this hub."""
        return Session(PLACE, "nl", httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        if path == "/oauth/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}"})
        self.asked.append(path)
        self.accepted.append(request.headers["accept"])
        if self.revoked and request.headers["authorization"] == "DPoP token-1":
            return httpx.Response(401, json={"detail": "verlopen"})
        if path in self.answers:
            return httpx.Response(200, content=json.dumps(self.answers[path]))
        return httpx.Response(404, json={"detail": "niet gevonden"})
