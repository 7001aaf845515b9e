"""An issuer of broker tokens for tests: it serves a key set on loopback and signs any claims."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey


class _KeySet(ThreadingHTTPServer):
    """Serves one JSON document."""

    daemon_threads = True
    document: bytes = b'{"keys": []}'


class _Answer(BaseHTTPRequestHandler):
    """Answers every GET with the key set."""

    server: _KeySet

    def do_GET(self) -> None:
        """Send the key set."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.document)))
        self.end_headers()
        self.wfile.write(self.server.document)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class TokenIssuer:
    """Signs tokens with a key of its own and serves its key set until the process ends."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self._server = _KeySet(("127.0.0.1", 0), _Answer)
        self.publish(self.key)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.jwks_url = f"{self.issuer}/oauth/jwks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self, *keys: ECKey) -> None:
        """Show these keys in the key set and no others."""
        shown = [one.as_dict(private=False) for one in keys]
        self._server.document = json.dumps({"keys": shown}).encode()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def claims(self, subject: str, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token, changed; a claim of None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "kafka",
            "sub": subject,
            "iat": now,
            "exp": now + 120,
            "jti": f"{subject}-{now}",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, subject: str, **changes: Any) -> str:
        """Return a signed token for a subject."""
        return self.sign(self.claims(subject, **changes))

    def sign(self, claims: dict[str, Any], *, key: ECKey | None = None, kid: str = "one") -> str:
        """Return the claims signed, by default with the key that the key set shows."""
        header = {"alg": "ES256", "kid": kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, key or self.key)


def segments(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return header and claims as a token without its signature part."""
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
