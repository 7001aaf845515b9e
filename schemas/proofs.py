"""DPoP proofs (RFC 9449) as both sides agree on them, and how a client makes one.

A proof is a small JWT, signed anew for each request with a key that never leaves the process: it
names the method and the address, and the token by its hash. Whoever steals the token alone can
send nothing. The hub's side, which checks them, is `gateway/oauth/proofs.py`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADER: Final = "dpop"
NONCE_HEADER: Final = "dpop-nonce"
SCHEME: Final = "DPoP"
TYPE: Final = "dpop+jwt"
THUMBPRINT_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
RSA_MEMBERS: Final = ("e", "kty", "n")
_ASKS_AGAIN: Final = frozenset({400, 401})
_PORTS: Final = {"http": 80, "https": 443}
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_ESCAPED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")
_ES256 = ec.ECDSA(SHA256())


def encoded(raw: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The `jkt` of a public key: its RFC 7638 thumbprint with SHA-256.

    The members must be checked already; a KeyError says that one is missing.
    """
    names = THUMBPRINT_MEMBERS.get(jwk["kty"], RSA_MEMBERS)
    return encoded(hashlib.sha256(orjson.dumps({name: jwk[name] for name in names})).digest())


def token_hash(token: str) -> str:
    """The `ath` of an access token (RFC 9449 §4.2); the token is ASCII."""
    return encoded(hashlib.sha256(token.encode("ascii")).digest())


def target(url: str) -> str:
    """An `htu` in its one normal form: RFC 3986 §6.2.2 and §6.2.3, without query and fragment.

    Raises:
        ValueError: no absolute http or https address, or one that names a user.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("no address") from error
    default = _PORTS.get(parts.scheme)  # urlsplit gives scheme and host in lower case
    if default is None or not parts.hostname or "@" in parts.netloc or "%" in parts.netloc:
        raise ValueError("no address of a server")
    if not _VISIBLE.fullmatch(url):  # urlsplit drops line breaks in silence
        raise ValueError("no address in plain characters")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in (None, default) else f":{port}"
    return f"{parts.scheme}://{host}{shown}{_normal_path(parts.path)}"


def _normal_path(path: str) -> str:
    """A path with its escapes decoded where that changes nothing, and without dot segments."""
    segments = _ESCAPED.sub(_normal_escape, path).split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _normal_escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0].upper()


class Prover:
    """A client's key, made here and never written, and the nonce that the hub gave last.

    Args:
        now: real time in seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": encoded(numbers.x.to_bytes(32)),
            "y": encoded(numbers.y.to_bytes(32)),
        }
        header = {"typ": TYPE, "alg": "ES256", "jwk": self.jwk}
        self._header = encoded(orjson.dumps(header)).encode()
        self._nonce: str | None = None

    def headers(self, method: str, url: str, token: str | None = None) -> dict[str, str]:
        """The headers that prove one request; with a token they also hold `Authorization`.

        Each call gives a new proof, which is good for one request within a minute.
        """
        proof = {HEADER: self._proof(method, url, token)}
        return proof if token is None else {"authorization": f"{SCHEME} {token}", **proof}

    def should_repeat(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether the hub asks for the same request with the nonce that this answer brought.

        Keeps the nonce of any answer. Ask once a request: a second refusal is final.

        Args:
            status: of the answer.
            headers: of the answer; names are looked up in lower case.
        """
        given = headers.get(NONCE_HEADER)
        is_new = given is not None and given != self._nonce
        if is_new:
            self._nonce = given
        return is_new and status in _ASKS_AGAIN

    def _proof(self, method: str, url: str, token: str | None) -> str:
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url.partition("?")[0].partition("#")[0],
            "iat": int(self._now()),
        }
        if token is not None:
            claims["ath"] = token_hash(token)
        if self._nonce is not None:
            claims["nonce"] = self._nonce
        signed = self._header + b"." + encoded(orjson.dumps(claims)).encode()
        r, s = decode_dss_signature(self._key.sign(signed, _ES256))
        return f"{signed.decode()}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"
