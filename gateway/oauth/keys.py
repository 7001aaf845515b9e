"""The issuer's signing keys: one signs, the next is published already, so that rotating is a step.

All gateways share them through the ledger's store, where each private key lies sealed under the
key-encryption key that the gateways share anyway: a copy of the database alone signs nothing, and
no gateway needs a key file of its own. Every change bumps the registry's version, which is how
other gateways hear of it. Real time only.

The life of a key: `next` (published, signs nothing yet) → `current` (signs) → `retired` (published
until every token it signed has ended) → gone. An emergency rotation skips `retired`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import delete, insert, select, update

from gateway.errors import RotationTooSoon
from gateway.exchange import registry_tables as tables
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.encryption import wrap_named
from gateway.exchange.registry_rows import bump
from gateway.oauth.tokens import GATEWAY
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection, Engine, Row

    from gateway.exchange.encryption import KeyEncryption

JWKS_MAX_AGE_SECONDS = 300
PUBLISH_AHEAD_SECONDS = JWKS_MAX_AGE_SECONDS + 60
RETIRED_SECONDS = GATEWAY.lifetime_seconds + 60
REFRESH_INTERVAL_SECONDS = 1.0
BOUND_TO = "oauth signing key "


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys at one moment: the one that signs, and all that are published."""

    current: ECKey
    published: KeySet
    jwks: bytes


class SigningKeys:
    """The signing keys as this process knows them; safe from any thread.

    Construction makes the first pair of keys when there is none.

    Args:
        engine: the ledger's store, writable.
        encryption: the key-encryption key, which seals private keys at rest.
        now: real time in seconds since the epoch.
        publish_ahead_seconds: how long a key is published before it may sign.
    """

    def __init__(
        self,
        engine: Engine,
        encryption: KeyEncryption,
        *,
        now: Callable[[], float] = time.time,
        publish_ahead_seconds: int = PUBLISH_AHEAD_SECONDS,
    ) -> None:
        self._engine = engine
        self._encryption = encryption
        self._now = now
        self._publish_ahead_seconds = publish_ahead_seconds
        self._refreshing = threading.Lock()
        self._refreshed_at = float("-inf")
        self._ring = self._opened()

    def current(self) -> ECKey:
        """The private key that signs now."""
        return self._ring.current

    def published(self) -> KeySet:
        """All keys that tokens in use may be signed with, and the next."""
        return self._ring.published

    def jwks(self) -> bytes:
        """The JSON Web Key Set document: the current key first, then the next, then retired."""
        return self._ring.jwks

    def refresh(self) -> bool:
        """Read the keys again unless that happened within a second; True when it was done.

        Limited so that tokens with invented key ids cannot make the database busy. Blocks.
        """
        with self._refreshing:
            moment = time.monotonic()
            if moment - self._refreshed_at < REFRESH_INTERVAL_SECONDS:
                return False
            self._refreshed_at = moment
        self.reload()
        return True

    def reload(self) -> None:
        """Read the keys again; a `LiveRegistry` calls this before it uses a newer version."""
        self._ring = self._opened()

    def rotate(self, *, actor: str, emergency: bool = False) -> tuple[str, str]:
        """Let the next key sign and publish a fresh next one; gives the two key ids.

        Planned: tokens of the old key stay good until they end, nobody notices.
        Emergency: the old key and all retired ones leave the JWKS, their tokens are refused by
        every gateway within its poll, and by the broker at its next look at the JWKS, which
        comes every ten seconds (`deploy/kafka/server.properties`).

        Raises:
            RotationTooSoon: planned, and the next key is not published long enough.
        """
        with self._engine.begin() as connection:
            bump(
                connection,
                actor=actor,
                changes=[{"kind": "signing_key", "action": "emergency" if emergency else "rotate"}],
                now_us=int(self._now() * 1_000_000),
            )
            kids = self._rotated(connection, emergency=emergency)
        self.reload()
        return kids

    def rewrap(self) -> None:
        """Seal every key with the newest key-encryption key; part of rotating that one."""
        table = tables.SIGNING_KEYS
        with self._engine.begin() as connection:
            # Whoever makes a signing key holds this row, so none comes under the older key.
            connection.execute(update(tables.STATE).values(version=tables.STATE.c.version))
            for row in _rows(connection):
                name, sealed = wrap_named(self._encryption, self._unsealed(row), BOUND_TO + row.kid)
                connection.execute(
                    update(table)
                    .where(table.c.kid == row.kid)
                    .values(sealed=sealed, sealed_with=name)
                )

    def _unsealed(self, row: Row[Any]) -> bytes:
        return self._encryption.unwrap(row.sealed_with, row.sealed, BOUND_TO + row.kid)

    def _rotated(self, connection: Connection, *, emergency: bool) -> tuple[str, str]:
        keys = {row.status: row for row in _rows(connection) if row.status != "retired"}
        age = self._now() - keys["next"].published_at_seconds
        if not emergency and age < self._publish_ahead_seconds:
            raise _too_soon(self._publish_ahead_seconds - int(age))
        table = tables.SIGNING_KEYS
        if emergency:
            connection.execute(delete(table).where(table.c.status != "next"))
        else:
            connection.execute(
                update(table)
                .where(table.c.status == "current")
                .values(status="retired", retired_at_seconds=int(self._now()))
            )
            connection.execute(
                delete(table).where(table.c.retired_at_seconds < self._now() - RETIRED_SECONDS)
            )
        connection.execute(update(table).where(table.c.status == "next").values(status="current"))
        return keys["next"].kid, self._add(connection, "next")

    def _opened(self) -> KeyRing:
        with self._engine.begin() as connection:
            rows = _rows(connection)
            if not rows:
                # The row's lock makes two gateways that start at once agree on one pair.
                connection.execute(update(tables.STATE).values(version=tables.STATE.c.version))
                rows = _rows(connection)
            if not rows:
                self._add(connection, "current")
                self._add(connection, "next")
                rows = _rows(connection)
        return self._ring_of(rows)

    def _add(self, connection: Connection, status: str) -> str:
        private = new_private_jwk()
        kid = str(private["kid"])
        name, sealed = wrap_named(self._encryption, orjson.dumps(private), BOUND_TO + kid)
        connection.execute(
            insert(tables.SIGNING_KEYS).values(
                kid=kid,
                status=status,
                public=public_part(private),
                sealed=sealed,
                sealed_with=name,
                published_at_seconds=int(self._now()),
            )
        )
        return kid

    def _ring_of(self, rows: Sequence[Row[Any]]) -> KeyRing:
        signing = next(row for row in rows if row.status == "current")
        private = orjson.loads(self._unsealed(signing))
        horizon = self._now() - RETIRED_SECONDS
        published = [
            {**row.public, "use": "sig", "alg": "ES256"}
            for row in rows
            if row.retired_at_seconds is None or row.retired_at_seconds >= horizon
        ]
        return KeyRing(
            current=ECKey.import_key(private),
            published=KeySet([ECKey.import_key(one) for one in published]),
            jwks=orjson.dumps({"keys": published}),
        )


def _rows(connection: Connection) -> Sequence[Row[Any]]:
    order = ["current", "next", "retired"]
    rows = connection.execute(select(tables.SIGNING_KEYS)).all()
    return sorted(rows, key=lambda row: (order.index(row.status), -row.published_at_seconds))


def _too_soon(seconds: int) -> RotationTooSoon:
    return RotationTooSoon(
        Message(
            nl=f"De volgende sleutel is nog niet lang genoeg bekend; wacht {seconds} seconden, "
            "of wissel als noodmaatregel.",
            en=f"The next key is not published long enough; wait {seconds} seconds, "
            "or rotate as an emergency.",
        ),
        facts={"wait_seconds": seconds},
    )
