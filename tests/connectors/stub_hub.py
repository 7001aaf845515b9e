"""A small real HTTP hub for connector tests: tokens, publishing with dedupe, a feed.

It keeps the promises of publishing (same id and content: duplicate; other content: 409; refused is
never written) and can be told to fail, refuse or answer late.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPACE = UUID("6b1a9a5e-0000-4000-8000-000000000000")
NOT_CONTENT = ("time", "traceparent")
Refusal = tuple[str, str]


@dataclass
class StubHub:
    """What the hub holds and was asked; `events` are the recorded ones in order."""

    participant: str = "ocmw-tienen"
    url: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    inbox: list[dict[str, Any]] = field(default_factory=list)
    failures: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    calls: list[str] = field(default_factory=list)
    tokens: list[dict[str, list[str]]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    duplicates: int = 0
    refuse: Callable[[dict[str, Any]], Refusal | None] = lambda _event: None
    lock: threading.Lock = field(default_factory=threading.Lock)
    hold: threading.Event | None = None
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    forgotten: int = 0

    def names(self) -> list[str]:
        """The recorded event names, in order."""
        return [event["type"].removeprefix("be.schakel.activation.v1.") for event in self.events]

    def answer(self, body: bytes, *, is_batch: bool) -> tuple[int, Any]:
        """Publish one body."""
        found = json.loads(body)
        if not is_batch:
            item = self.publish(found)
            if item["status"] == "rejected":
                return 422, item
            return (201 if item["status"] == "accepted" else 200), {**item, **item["receipt"]}
        broken: set[str] = set()
        items = []
        for event in found:
            case = str(event.get("sourcerecordid", event["id"]))
            if case in broken:
                items.append({"id": event["id"], "status": "blocked"})
                continue
            item = self.publish(event)
            if item["status"] == "rejected":
                broken.add(case)
            items.append(item)
        good = [item["status"] in {"accepted", "duplicate"} for item in items]
        status = 200 if all(good) else 207 if any(good) else 422
        return status, {"items": items}

    def publish(self, event: dict[str, Any]) -> dict[str, Any]:
        """Record one event, or say why not."""
        known = next((one for one in self.events if one["id"] == event["id"]), None)
        if known is not None:
            if content(known) != content(event):
                return rejected(event, "id_reused", "other content")
            self.duplicates += 1
            return {"id": event["id"], "status": "duplicate", "receipt": receipt(event)}
        refusal = self.refuse(event)
        if refusal is not None:
            return rejected(event, *refusal)
        self.events.append(event)
        return {"id": event["id"], "status": "accepted", "receipt": receipt(event)}

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """One page of the inbox; cursors are positions."""
        self.queries.append(query)
        after = int(query.get("after", ["0"])[0])
        limit = int(query.get("limit", ["100"])[0])
        events = self.inbox[after : after + limit]
        following = after + len(events)
        return {"events": events, "next": str(following), "behind": len(self.inbox) - following}


def content(event: dict[str, Any]) -> str:
    """What must be equal for two events of one id."""
    kept = {name: value for name, value in event.items() if name not in NOT_CONTENT}
    return json.dumps(kept, sort_keys=True)


def receipt(event: dict[str, Any]) -> dict[str, str]:
    """A receipt whose ids depend on the case, so that the tests can tell them."""
    case = str(event.get("trajectoryid") or event.get("sourcerecordid") or event["id"])
    is_uuid = len(case) == len(str(SPACE))
    return {
        "event_id": str(uuid5(SPACE, event["id"])),
        "trajectory_id": case if is_uuid else str(uuid5(SPACE, case)),
        "aggregate_id": event.get("subject") or str(uuid5(SPACE, "aggregate" + event["id"])),
    }


def rejected(event: dict[str, Any], code: str, detail: str) -> dict[str, Any]:
    """The item of a refused event."""
    return {
        "id": event["id"],
        "status": "rejected",
        "step": "lifecycle",
        "code": code,
        "detail": detail,
    }


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the hub of its class; `serve` makes a class per hub."""

    protocol_version = "HTTP/1.1"
    hub: StubHub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer discovery, who-am-I and the feed."""
        parts = urlsplit(self.path)
        self.hub.calls.append(f"GET {parts.path}")
        if parts.path == "/.well-known/oauth-authorization-server":
            self.reply(200, {"issuer": "https://issuer.test"})
        elif parts.path == "/v1/me":
            self.reply(200, {"participant": self.hub.participant, "environment": "test"})
        elif parts.path == "/v1/feed":
            self.feed(parse_qs(parts.query))
        else:
            self.reply(404, {"code": "not_found"})

    def feed(self, query: dict[str, list[str]]) -> None:
        """One answer of the feed, in the form asked for."""
        if 0 < int(query.get("after", ["0"])[0]) < self.hub.forgotten:
            self.reply(410, {"code": "cursor_expired", "detail": "gone"})
            return
        page = self.hub.page(query)
        form = self.headers["accept"]
        if form == "application/json":
            self.reply(200, page)
            return
        events, position = page.pop("events"), page
        if form == "application/x-ndjson":
            lines = "".join(json.dumps(one) + "\n" for one in [*events, position])
        else:
            first = int(position["next"]) - len(events) + 1
            lines = "retry: 2000\n\n" + "".join(
                f"id: {number}\ndata: {json.dumps(one)}\n\n"
                for number, one in enumerate(events, first)
            )
        self.send(200, form, lines.encode())

    def do_POST(self) -> None:
        """Give a token, or publish; told failures come first."""
        hub = self.hub
        body = self.rfile.read(int(self.headers["content-length"]))
        hub.calls.append(f"POST {self.path}")
        hub.authorizations.append(self.headers.get("authorization", ""))
        if self.path == "/oauth/token":
            hub.tokens.append(parse_qs(body.decode()))
            kind = "Bearer" if self.headers["dpop"] is None else "DPoP"
            token = {"access_token": f"t{len(hub.tokens)}", "token_type": kind, "expires_in": 300}
            self.reply(200, token)
            return
        hub.bodies.append((self.path, body))
        if hub.hold is not None:
            hub.hold.wait()
        if hub.failures:
            status, headers = hub.failures.popleft()
            self.reply(status, {"code": f"told_{status}", "detail": "told to"}, headers)
            return
        if self.path == "/v1/feed/backfill":
            hub.forgotten = 0
            self.reply(200, {"added": len(hub.inbox), "after": "0", "more_from": None})
            return
        with hub.lock:
            is_batch = "batch" in self.headers["content-type"]
            status, answer = hub.answer(body, is_batch=is_batch)
        self.reply(status, answer)

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Send one JSON answer."""
        self.send(status, "application/json", json.dumps(body).encode(), headers)

    def send(
        self, status: int, form: str, text: bytes, headers: dict[str, str] | None = None
    ) -> None:
        """Send one answer."""
        self.send_response(status)
        self.send_header("content-type", form)
        self.send_header("content-length", str(len(text)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def serve(hub: StubHub) -> Iterator[StubHub]:
    """Serve the hub on a port of its own until the block ends."""
    handler = type("HandlerOfHub", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        if hub.hold is not None:
            hub.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
