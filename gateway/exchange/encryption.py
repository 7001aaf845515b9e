"""The key-encryption key: wraps subject keys and the hub's own keys; a file now, a KMS by seam."""

from __future__ import annotations

import base64
import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import KeysUnusable
from schemas.errors import Message

KEY_BYTES = 32
NONCE_BYTES = 12


class KeyEncryption(Protocol):
    """Wraps and unwraps keys without showing the key that does it."""

    @property
    def current_id(self) -> str:
        """The id of the key that wraps now."""
        ...

    def wrap(self, key: bytes, bound_to: str) -> bytes:
        """Wrap with the current key; `bound_to` is authenticated."""
        ...

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: str) -> bytes:
        """Unwrap with the key of that id.

        Raises:
            KeysUnusable: the key is gone, or the bytes are not what it wrapped for `bound_to`.
        """
        ...


class FileKeyEncryption:
    """Keys in a file of mode 0600, one `<id> <base64>` a line, the last one current.

    The file is made on first start, whole or not at all, also when two processes start at once.
    Raises KeysUnusable when it cannot be read, is not ours alone, or holds no key.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _create(path)
        self._keys = _read(path)
        self._current = next(reversed(self._keys))

    @property
    def current_id(self) -> str:
        """The id on the last line."""
        return self._current

    def wrap(self, key: bytes, bound_to: str) -> bytes:
        """AES-256-GCM; the nonce comes first."""
        return wrap(self._keys[self._current], key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: str) -> bytes:
        """The inverse of `wrap`."""
        cipher = self._keys.get(key_id)
        if cipher is None:
            raise unusable("sleutel ontbreekt", "the key-encryption key is gone")
        return unwrap(cipher, wrapped, bound_to)


def wrap(cipher: AESGCM, key: bytes, bound_to: str) -> bytes:
    """A key under another key, bound to what it is for."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, key, bound_to.encode())


def unwrap(cipher: AESGCM, wrapped: bytes, bound_to: str) -> bytes:
    """The inverse of `wrap`; raises KeysUnusable for anything else."""
    try:
        return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:  # the latter when it is cut short
        raise unusable(
            "sleutel past niet", "a stored key does not fit the key that wrapped it"
        ) from error


def unusable(nl: str, en: str) -> KeysUnusable:
    """The error, with the reason for the operator."""
    return KeysUnusable(
        Message(nl=f"De sleutels zijn niet bruikbaar: {nl}.", en=f"Keys cannot be used: {en}.")
    )


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{secrets.token_hex(4)} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    # mkstemp makes mode 0600; the link fails when another process was first: its key holds.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> dict[str, AESGCM]:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise unusable(
                f"{path} is leesbaar voor anderen (chmod 600)",
                f"{path} may be read by others (chmod 600)",
            )
        lines = path.read_text("ascii").split("\n")
        pairs = (line.split() for line in lines if line.strip())
        keys = {name: base64.b64decode(key, validate=True) for name, key in pairs}
    except (OSError, ValueError) as error:
        raise unusable(f"{path} is onleesbaar", f"{path} cannot be read") from error
    if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise unusable(f"{path} bevat geen sleutel", f"{path} holds no key of {KEY_BYTES} bytes")
    return {name: AESGCM(key) for name, key in keys.items()}
