"""An issuer of somebody else on this machine, which answers well, badly, or never."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from joserfc import jwt
from joserfc.jwk import import_key

from gateway.exchange.credentials import new_private_jwk, public_part

if TYPE_CHECKING:
    from collections.abc import Iterator

HUGE_BYTES = 100 * 1024 * 1024
AUDIENCE = "https://hub.example.org"


@dataclass
class ForeignIssuer:
    """What it knows, how it behaves, and what it was asked.

    Attributes:
        mode: good, 400, 500, html, empty, huge, redirect, or hang.
        sent_bytes: of the last huge answer.
    """

    url: str = ""
    mode: str = "good"
    key: dict[str, Any] = field(default_factory=new_private_jwk)
    tokens: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    fetched: int = 0
    sent_bytes: int = 0

    def jwks(self) -> dict[str, Any]:
        """Its key set."""
        return {"keys": [{**public_part(self.key), "use": "sig", "alg": "ES256"}]}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a good token, in the shape of ACM/IDM; None takes one away."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "client_id": "4711",
            "scope": "schakel_lezen vo_info",
            "vo_orgcode": "OVO002949",
            "iat": now,
            "exp": now + 3600,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A signed token."""
        wanted = {"alg": "ES256", "typ": "JWT", "kid": self.key["kid"], **(header or {})}
        return jwt.encode(wanted, self.claims(**changes), import_key(dict(self.key)))


@contextlib.contextmanager
def foreign_issuer() -> Iterator[ForeignIssuer]:
    """One that runs for the length of the block."""
    issuer = ForeignIssuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(issuer))
    server.daemon_threads = True
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        issuer.mode = "good"  # lets a handler that hangs go
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(issuer: ForeignIssuer) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"issuer": issuer})


class _Handler(BaseHTTPRequestHandler):
    issuer: ForeignIssuer

    def do_GET(self) -> None:
        self.issuer.fetched += 1
        self._behave(orjson.dumps(self.issuer.jwks()))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.issuer.asked.append(form)
        answer = self.issuer.tokens.get(form["token"], {"active": False})
        self._behave(orjson.dumps(answer))

    def _behave(self, good: bytes) -> None:
        mode = self.issuer.mode
        if mode == "hang":
            while self.issuer.mode == "hang":
                time.sleep(0.02)
        elif mode == "huge":
            self._huge()
        else:
            status = {"400": 400, "500": 500, "redirect": 302}.get(mode, 200)
            body = {"html": b"<html>Log in</html>", "empty": b'{"keys": []}'}.get(mode, good)
            self._head(status, "text/html" if mode == "html" else "application/json", len(body))
            self.wfile.write(body)

    def _huge(self) -> None:
        self._head(200, "application/json", HUGE_BYTES)
        self.issuer.sent_bytes = 0
        with contextlib.suppress(OSError):
            while self.issuer.sent_bytes < HUGE_BYTES:
                self.issuer.sent_bytes += self.wfile.write(b" " * 65_536)

    def _head(self, status: int, kind: str, length: int) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(length))
        self.send_header("location", f"{self.issuer.url}/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing."""
