"""What a JWT has to look like before any library reads it: one text, one meaning.

The library verifies signatures and trusts that the rest is sane: a `crit` that is a number or a
payload nested too deeply raises errors of Python's own there. So text is judged here first.
"""

from __future__ import annotations

import base64
from typing import Final

from schemas import strictjson
from schemas.errors import StrictJsonError

JSON_DEPTH: Final = 8
SEGMENTS: Final = 3


class MalformedJwtError(Exception):
    """A JWT is not as it must be; the text is a reason, never what was sent."""


def decoded(segment: bytes) -> bytes:
    """The bytes of a base64url segment in its only spelling.

    Raises:
        MalformedJwtError: padding, foreign characters or stray bits at the end.
    """
    try:
        raw = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except ValueError as error:
        raise MalformedJwtError("encoding") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != segment:
        raise MalformedJwtError("encoding")
    return raw


def check_jwt(text: str) -> None:
    """Return when a text is a signed JWT of strict JSON without critical extensions.

    Raises:
        MalformedJwtError: it is not; no signature was looked at.
    """
    segments = text.encode("ascii", "replace").split(b".")
    if len(segments) != SEGMENTS:
        raise MalformedJwtError("segments")
    header, payload, _ = (decoded(one) for one in segments)
    members = _object(header)
    _object(payload)
    # This hub knows no extension, so it cannot understand what needs one (RFC 7515 §4.1.11).
    if members.keys() & {"crit", "b64"}:
        raise MalformedJwtError("crit")


def _object(body: bytes) -> dict[str, object]:
    try:
        found = strictjson.loads(body, JSON_DEPTH)
    except StrictJsonError as error:
        raise MalformedJwtError("json") from error
    if not isinstance(found, dict):
        raise MalformedJwtError("json")
    return found
