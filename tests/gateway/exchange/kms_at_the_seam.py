"""A key management service at the seam: keys that never leave it, and that it destroys itself."""

from __future__ import annotations

import secrets
import threading

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.exchange.encryption import KEY_BYTES, unusable, unwrap, wrap


class LocalKms:
    """The service, with every request on a thread of its own as behind a socket."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, AESGCM] = {}
        self.renew()

    @property
    def current_id(self) -> str:
        """The newest key."""
        return self.ids()[-1]

    def ids(self) -> tuple[str, ...]:
        """In the order in which they were made."""
        with self._lock:
            return tuple(self._keys)

    def wrap(self, key: bytes, bound_to: str) -> bytes:
        """With the newest."""
        with self._lock:
            return wrap(self._keys[next(reversed(self._keys))], key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: str) -> bytes:
        """With the one that is named."""
        with self._lock:
            found = self._keys.get(key_id)
        if found is None:
            raise unusable("onbekend", "the service has no such key")
        return unwrap(found, wrapped, bound_to)

    def renew(self) -> str:
        """Another one."""
        name = secrets.token_hex(4)
        with self._lock:
            self._keys[name] = AESGCM(secrets.token_bytes(KEY_BYTES))
        return name

    def destroy(self, key_id: str) -> None:
        """Unless it is the newest."""
        if key_id == self.current_id:
            raise unusable("huidig", "it is the current key")
        with self._lock:
            self._keys.pop(key_id, None)
