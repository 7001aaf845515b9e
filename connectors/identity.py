"""Event ids are derived, not invented: the same row at the same revision is the same event.

An id is a keyed hash of connector, event type, natural key, revision and content, so that a replay
after a crash collapses at the hub and nobody without the key can test a guess about a row.
The key lives in its own file beside the state (0600); losing it would make every row a new event,
so a state without its key is refused rather than given another one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from typing import TYPE_CHECKING, Any

from connectors.errors import StateUnusable
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KEY_BYTES = 32
DIGEST_BYTES = 16
# Letters only: an id may then never look like a national number, whatever the hash.
_LETTERS = "bcdfghjklmnpqrst"
_ID_LETTERS = 40


class Identities:
    """Derives ids and digests under one key. Pure after construction; safe from any thread.

    Args:
        key: 32 secret bytes.
        connector: its name; part of every id.
    """

    def __init__(self, key: bytes, connector: str) -> None:
        self._key = key
        self._connector = connector

    def event_id(self, event: str, natural_key: Sequence[str], revision: int, content: str) -> str:
        """The id of this event: `c-` and 40 letters."""
        digest = self._hash("event", self._connector, event, list(natural_key), revision, content)
        letters = "".join(_LETTERS[byte >> 4] + _LETTERS[byte & 15] for byte in digest)
        return "c-" + letters[:_ID_LETTERS]

    def digest(self, kind: str, *parts: Any) -> str:
        """A short keyed digest of JSON values; `kind` keeps digests of different things apart."""
        return self._hash(kind, *parts)[:DIGEST_BYTES].hex()

    def content(self, digests: Mapping[str, str]) -> str:
        """One digest over a row's field digests, whatever their order."""
        return self.digest("content", sorted(digests.items()))

    def _hash(self, *parts: Any) -> bytes:
        # JSON of a list is unambiguous: no choice of values can imitate another split of them.
        message = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hmac.new(self._key, message.encode(), hashlib.sha256).digest()


def load_key(path: Path, *, may_create: bool) -> bytes:
    """Read the key file, or make it when `may_create` and it is not there.

    Raises:
        StateUnusable: missing while it must exist, readable by others, or of a wrong length.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        if not may_create:
            raise _unusable(
                f"de sleutel {path} ontbreekt; zet hem terug uit de reservekopie",
                f"the key {path} is missing; put it back from the backup",
            ) from None
        return _create(path)
    except OSError as error:
        raise _unusable(f"{path} kan niet gelezen worden", f"cannot read {path}") from error
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise _unusable(
                f"anderen kunnen {path} lezen; geef het de rechten 0600",
                f"others can read {path}; give it mode 0600",
            )
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise _unusable(f"{path} is geen sleutel", f"{path} is not a key")
    return key


def _create(path: Path) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    # Written aside and linked into place: a crash half-way may not leave a short key behind.
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(descriptor)
    fresh.rename(path)
    sync_folder(path.parent)
    return key


def sync_folder(folder: Path) -> None:
    """Make renames and new names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(nl: str, en: str) -> StateUnusable:
    return StateUnusable(Message(nl=f"Toestand: {nl}.", en=f"State: {en}."))
