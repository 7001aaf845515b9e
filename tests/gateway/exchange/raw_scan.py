"""Looks for wrapped keys at every byte of every file, as somebody with the whole disk would."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.exchange.encryption import KEY_BYTES, NONCE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + 16
LEAST_DISTINCT = 40
"""Sixty random bytes have 54 different ones, give or take two; text and empty pages have fewer."""


def found(folder: Path, keys: Iterable[bytes], bound_to: str) -> set[bytes]:
    """What any of these keys unwraps for that purpose, anywhere in the folder."""
    return unwrapped(
        candidates(path for path in folder.rglob("*") if path.is_file()), keys, bound_to
    )


def unwrapped(wrapped: Iterable[bytes], keys: Iterable[bytes], bound_to: str) -> set[bytes]:
    """What any of these keys unwraps of these for that purpose."""
    ciphers = [AESGCM(key) for key in keys]
    purpose = bound_to.encode()
    return {
        key
        for one in wrapped
        for cipher in ciphers
        if (key := _opened(cipher, one, purpose)) is not None
    }


def candidates(paths: Iterable[Path]) -> set[bytes]:
    """Whatever in these files could be a wrapped key, at any byte; each once."""
    return {window for path in paths for window in _windows(path.read_bytes().rstrip(b"\0"))}


def key_files(folder: Path) -> list[bytes]:
    """Every key-encryption key that can be read from a file of lines."""
    return [
        base64.b64decode(line.split()[1])
        for path in folder.rglob("kek*")
        for line in path.read_text("ascii").splitlines()
    ]


def _windows(content: bytes) -> Iterator[bytes]:
    """The parts that are as long as a wrapped key and as random."""
    counts, distinct = [0] * 256, 0
    for place, came in enumerate(content):
        distinct += not counts[came]
        counts[came] += 1
        begins = place + 1 - WRAPPED_BYTES
        if begins > 0:
            went = content[begins - 1]
            counts[went] -= 1
            distinct -= not counts[went]
        if distinct >= LEAST_DISTINCT and begins >= 0:
            yield content[begins : place + 1]


def _opened(cipher: AESGCM, wrapped: bytes, purpose: bytes) -> bytes | None:
    try:
        return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], purpose)
    except InvalidTag:
        return None
