"""Short secrets of others, sealed with the key-encryption key where only a text can be kept."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from gateway.exchange.encryption import unusable, wrap_named

if TYPE_CHECKING:
    from gateway.exchange.encryption import KeyLife


class TextSeal:
    """Seals and opens; `consumers.webhook_secrets.Seal` is what subscriptions know of it."""

    def __init__(self, encryption: KeyLife) -> None:
        self._encryption = encryption

    def seal(self, secret: bytes, bound_to: str) -> str:
        """A text that only `open` with the same `bound_to` gives back.

        Raises:
            KeysUnusable: the key-encryption key cannot be read.
        """
        key_id, sealed = wrap_named(self._encryption, secret, bound_to)
        return f"{key_id}:{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str, bound_to: str) -> bytes:
        """The inverse of `seal`.

        Raises:
            KeysUnusable: the key is gone, or the text is not what was sealed for `bound_to`.
        """
        key_id, _, text = sealed.partition(":")
        try:
            content = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise unusable("verzegelde tekst is stuk", "a sealed text is damaged") from error
        return self._encryption.unwrap(key_id, content, bound_to)

    def is_current(self, sealed: str) -> bool:
        """Whether the key that sealed it is the one that seals now."""
        return sealed.partition(":")[0] == self._encryption.current_id

    def is_lost(self, sealed: str) -> bool:
        """Whether the key that sealed it is gone for good. Raises KeysUnusable: unreadable now."""
        return sealed.partition(":")[0] not in self._encryption.ids()
