"""The key-encryption key as the key store sees it: wraps subject keys and the hub's own keys.

`KeyEncryption` and `KeyLife` are the seam: `key_file.py` is a file, and a KMS fits behind them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag

from gateway.errors import KeysUnusable
from schemas.errors import Message

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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


class KeyLife(KeyEncryption, Protocol):
    """A key-encryption key that can be replaced; its file, or a KMS behind the same calls."""

    def ids(self) -> tuple[str, ...]:
        """The keys that unwrap, the oldest first and the current one last."""
        ...

    def renew(self) -> str:
        """Make a new current key; its id. The older ones still unwrap. Durable when it returns."""
        ...

    def destroy(self, key_id: str) -> None:
        """Destroy a key for good, so that nothing it wrapped opens again. Idempotent.

        Raises:
            KeysUnusable: it is the current one, or it cannot be destroyed.
        """
        ...


def wrap_named(encryption: KeyEncryption, key: bytes, bound_to: str) -> tuple[str, bytes]:
    """The id of the key that wrapped, and the wrapped key; also while another is made current."""
    while True:
        before = encryption.current_id
        wrapped = encryption.wrap(key, bound_to)
        if encryption.current_id == before:
            return before, wrapped


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
