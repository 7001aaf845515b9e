"""The credentials file of one client, as `schakel client create` writes it.

JSON with `client_id`, and either `client_secret` (test installations) or `private_key` (a JWK with
its `kid`, or PEM text).
Optional: `participant`, `issuer`, `scope` and `hub`, the address of the gateway.
The file must be the operator's alone: what others can read is refused.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.errors import InvalidCredentials
from connectors.sdk import Secret
from schemas.errors import Message

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """How one client proves who it is.

    Attributes:
        secret: for `client_secret_basic`, else None.
        private_key: for `private_key_jwt`: a JWK as JSON text or a PEM, else None.
        scope: what to ask for; None asks for all the client has.
    """

    client_id: str
    secret: Secret | None = None
    private_key: Secret | None = None
    participant: str | None = None
    issuer: str | None = None
    hub: str | None = None
    scope: str | None = None


def load_credentials(path: Path) -> Credentials:
    """Read the credentials file at `path`.

    Raises:
        InvalidCredentials: not there, readable by others, or not as this module says.
    """
    return parse_credentials(_private_text(path))


def parse_credentials(text: str) -> Credentials:
    """Read the JSON text of a credentials file; raises InvalidCredentials, without its content."""
    try:
        document = json.loads(text)
    except ValueError:
        raise _invalid("geen JSON", "it is not JSON") from None
    if not isinstance(document, Mapping):
        raise _invalid("geen JSON-object", "it is not a JSON object")
    client_id = _text(document, "client_id")
    if client_id is None:
        raise _invalid("geen client_id", "it has no client_id")
    secret = _text(document, "client_secret")
    key = _key(document)
    if (secret is None) == (key is None):
        raise _invalid(
            "precies één van client_secret en private_key is nodig",
            "exactly one of client_secret and private_key is needed",
        )
    return Credentials(
        client_id=client_id,
        secret=None if secret is None else Secret(secret),
        private_key=None if key is None else Secret(key),
        participant=_text(document, "participant"),
        issuer=_text(document, "issuer"),
        hub=_text(document, "hub") or _text(document, "gateway"),
        scope=_text(document, "scope"),
    )


def _key(document: Mapping[str, Any]) -> str | None:
    for name in ("private_key", "private_jwk", "jwk"):
        found = document.get(name)
        if isinstance(found, Mapping):
            return json.dumps(found)
        if isinstance(found, str) and found:
            return found
    return None


def _private_text(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _invalid(f"{path} kan niet gelezen worden", f"{path} cannot be read") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _invalid(f"{path} is geen gewoon bestand", f"{path} is no regular file")
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise _invalid(
                f"anderen kunnen {path} lezen; geef het de rechten 0600",
                f"others can read {path}; give it mode 0600",
            )
        content = file.read(MAX_BYTES)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _invalid(f"{path} is geen tekst", f"{path} is not text") from None


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def _invalid(nl: str, en: str) -> InvalidCredentials:
    return InvalidCredentials(
        Message(nl=f"Toegangsgegevens: {nl}.", en=f"Credentials: {en}."),
    )
