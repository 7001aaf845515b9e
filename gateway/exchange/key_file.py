"""The key-encryption key in a file: `<id> <base64>` a line, the last one current, mode 0600.

The file is replaced whole or not at all, and what is read is never older than the last replacement.
Replacing it writes zeros over the old one first; a disk that keeps old blocks needs an encrypted
volume or a KMS.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.exchange.encryption import KEY_BYTES, unusable, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.errors import KeysUnusable

log = structlog.get_logger(__name__)

Stamp = tuple[int, int, int]


def always() -> bool:
    """A missing file may be made."""
    return True


class FileKeyEncryption:
    """A `KeyLife` in a file; safe from several threads and processes at once.

    A missing file is made, whole or not at all, also when two processes start at once; it says so.
    Raises KeysUnusable when it cannot be read, is not ours alone, holds no key, or is missing and
    may not be made.

    Args:
        path: of the file.
        may_create: whether a missing one may be made; no when keys exist that an older one wrapped.
    """

    def __init__(self, path: Path, *, may_create: Callable[[], bool] = always) -> None:
        self._path = path
        self._lock = threading.Lock()
        if not path.exists():
            if not may_create():
                raise _lost(path)
            _replace(path, {}, _fresh_key())
            log.warning("key_file_made", path=str(path))
        self._stamp, self._ciphers = _ciphers(path)

    @property
    def current_id(self) -> str:
        """The id on the last line, as the file is now."""
        return next(reversed(self._now()))

    def ids(self) -> tuple[str, ...]:
        """In the order of the lines."""
        return tuple(self._now())

    def wrap(self, key: bytes, bound_to: str) -> bytes:
        """AES-256-GCM; the nonce comes first."""
        ciphers = self._now()
        return wrap(ciphers[next(reversed(ciphers))], key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: str) -> bytes:
        """The inverse of `wrap`."""
        cipher = self._ciphers.get(key_id) or self._now().get(key_id)
        if cipher is None:
            raise unusable("sleutel ontbreekt", "the key-encryption key is gone")
        return unwrap(cipher, wrapped, bound_to)

    def renew(self) -> str:
        """Add a line."""
        made = _fresh_key()
        with self._lock:
            _, known = _read(self._path)
            _replace(self._path, known, made)
        return made[0]

    def destroy(self, key_id: str) -> None:
        """Take a line away; also out of this process's memory."""
        with self._lock:
            _, known = _read(self._path)
            if key_id == next(reversed(known)):
                raise unusable(
                    "de huidige sleutel blijft nodig", "the current key cannot be destroyed"
                )
            if known.pop(key_id, None) is not None:
                _replace(self._path, known)
        self._now()

    def _now(self) -> dict[str, AESGCM]:
        """The keys, read again when the file is another one."""
        try:
            stamp = _stamp(self._path)
        except OSError as error:
            raise _unreadable(self._path) from error
        with self._lock:
            if stamp != self._stamp:
                self._stamp, self._ciphers = _ciphers(self._path)
            return self._ciphers


def _fresh_key() -> tuple[str, bytes]:
    return secrets.token_hex(4), secrets.token_bytes(KEY_BYTES)


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _replace(
    path: Path, known: Mapping[str, bytes], added: tuple[str, bytes] | None = None
) -> None:
    """Write the file anew, whole or not at all; the first one only where there is none."""
    keys = dict(known) if added is None else {**known, added[0]: added[1]}
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes mode 0600; the link fails when another process was first: its key holds.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.writelines(f"{one} {base64.b64encode(keys[one]).decode()}\n" for one in keys)
            file.flush()
            os.fsync(file.fileno())
        if known:
            _put(Path(name), path)
        else:
            with suppress(FileExistsError):
                os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _put(new: Path, path: Path) -> None:
    """Rename over the old file, then blank what it held: its name may be gone, its blocks not."""
    with path.open("r+b") as old:
        new.replace(path)
        size = old.seek(0, os.SEEK_END)
        old.seek(0)
        old.write(bytes(size))
        old.flush()
        os.fsync(old.fileno())


def _ciphers(path: Path) -> tuple[Stamp, dict[str, AESGCM]]:
    stamp, keys = _read(path)
    return stamp, {name: AESGCM(key) for name, key in keys.items()}


def _read(path: Path) -> tuple[Stamp, dict[str, bytes]]:
    """The keys by id; again when the file was replaced, and so blanked, while it was read."""
    while True:
        try:
            before = _stamp(path)
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise unusable(
                    f"{path} is leesbaar voor anderen (chmod 600)",
                    f"{path} may be read by others (chmod 600)",
                )
            text = path.read_bytes()
            after = _stamp(path)
        except OSError as error:
            raise _unreadable(path) from error
        if before == after:
            return before, _parsed(path, text)


def _parsed(path: Path, text: bytes) -> dict[str, bytes]:
    try:
        pairs = (line.split() for line in text.decode("ascii").split("\n") if line.strip())
        keys = {name: base64.b64decode(key, validate=True) for name, key in pairs}
    except ValueError as error:
        raise _unreadable(path) from error
    if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise unusable(f"{path} bevat geen sleutel", f"{path} holds no key of {KEY_BYTES} bytes")
    return keys


def _unreadable(path: Path) -> KeysUnusable:
    return unusable(f"{path} is onleesbaar", f"{path} cannot be read")


def _lost(path: Path) -> KeysUnusable:
    return unusable(
        f"{path} ontbreekt. Zet het terug: een nieuw bestand opent niets wat dit verpakte",
        f"{path} is missing. Put it back: a new file opens nothing that this one wrapped",
    )
