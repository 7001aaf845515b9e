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


def found(folder: Path, keys: Iterable[bytes], bound_to: str) -> set[bytes]:
    """What any of these keys unwraps for that purpose, anywhere in the folder."""
    ciphers = [AESGCM(key) for key in keys]
    purpose = bound_to.encode()
    return {
        key
        for content in _contents(folder)
        for place in range(len(content) - WRAPPED_BYTES + 1)
        if any(content[place : place + NONCE_BYTES])  # a page's empty part holds no nonce
        for cipher in ciphers
        if (key := _opened(cipher, content[place : place + WRAPPED_BYTES], purpose)) is not None
    }


def key_files(folder: Path) -> list[bytes]:
    """Every key-encryption key that can be read from a file of lines."""
    return [
        base64.b64decode(line.split()[1])
        for path in folder.rglob("kek*")
        for line in path.read_text("ascii").splitlines()
    ]


def _contents(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def _opened(cipher: AESGCM, wrapped: bytes, purpose: bytes) -> bytes | None:
    try:
        return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], purpose)
    except InvalidTag:
        return None
