"""The key that signs tree heads: its own, never the token issuer's, kept as that one is.

All processes share it through the ledger's store, where the private part lies sealed under the
key-encryption key. Every public part ever used stays published: an old file must go on to verify.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import insert, select, update

from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.encryption import wrap_named
from gateway.exchange.proof_tables import KEYS
from gateway.exchange.registry_tables import STATE
from schemas.tree_head import ProofKey, PublicKeys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection, Engine, Row

    from gateway.exchange.encryption import KeyEncryption
    from schemas.tree_head import Account, TreeHead

BOUND_TO = "proof key "


class ProofKeys:
    """The proof key as this process knows it; safe from any thread.

    Construction makes the first key when there is none; two processes agree on one.

    Args:
        engine: the ledger's store, writable.
        encryption: the key-encryption key.

    Raises:
        KeysUnusable: the sealed key does not fit the key-encryption key.
    """

    def __init__(self, engine: Engine, encryption: KeyEncryption) -> None:
        self._engine = engine
        self._encryption = encryption
        with engine.connect() as connection:
            rows = _rows(connection)
        if not rows:
            rows = self._made()
        self._key = ProofKey(orjson.loads(self._unsealed(rows[-1])))
        self._document = {"keys": [{**row.public, "use": "sig", "alg": "ES256"} for row in rows]}
        self._public = PublicKeys(self._document)

    def sign(self, statement: TreeHead | Account) -> str:
        """The statement as a compact JWS."""
        return self._key.sign(statement)

    def sign_document(self, kind: str, document: Mapping[str, Any]) -> str:
        """A document of another kind as a compact JWS of that `typ`."""
        return self._key.sign_document(kind, document)

    @property
    def public(self) -> PublicKeys:
        """What checks the signatures of this hub."""
        return self._public

    def jwks(self) -> dict[str, Any]:
        """The public parts as a JWK Set document, oldest first."""
        return self._document

    def rewrap(self) -> None:
        """Seal every key with the newest key-encryption key; part of rotating that one. Blocks."""
        with self._engine.begin() as connection:
            _be_alone(connection)
            for row in _rows(connection):
                name, sealed = wrap_named(self._encryption, self._unsealed(row), BOUND_TO + row.kid)
                connection.execute(
                    update(KEYS)
                    .where(KEYS.c.number == row.number)
                    .values(sealed=sealed, sealed_with=name)
                )

    def _made(self) -> list[Row[Any]]:
        private = new_private_jwk()
        kid = str(private["kid"])
        with self._engine.begin() as connection:
            _be_alone(connection)
            if not _rows(connection):
                name, sealed = wrap_named(self._encryption, orjson.dumps(private), BOUND_TO + kid)
                values = {
                    "number": 1,
                    "kid": kid,
                    "public": public_part(private),
                    "sealed": sealed,
                    "sealed_with": name,
                    "created_at": time.time_ns() // 1000,
                }
                connection.execute(insert(KEYS).values(values))
            return _rows(connection)

    def _unsealed(self, row: Row[Any]) -> bytes:
        return self._encryption.unwrap(row.sealed_with, row.sealed, BOUND_TO + row.kid)


def _be_alone(connection: Connection) -> None:
    """Wait for whoever makes or rewraps a key, so that none comes under an older one."""
    connection.execute(update(STATE).values(version=STATE.c.version))


def _rows(connection: Connection) -> list[Row[Any]]:
    return list(connection.execute(select(KEYS).order_by(KEYS.c.number)))
