"""The registry's rows: read as a snapshot, written with the version bumped in one transaction.

Everything here blocks on the database and may raise SQLAlchemyError when that is away. A change
is seen by other processes when their `LiveRegistry` polls the version.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from gateway.errors import RegistryChanged
from gateway.exchange import registry_tables as tables
from gateway.exchange.registry_clients import check_new, known_client, with_credential
from gateway.exchange.registry_events import agreement_events, record
from gateway.exchange.registry_plan import plan
from gateway.exchange.registry_rows import (
    bump,
    put_client,
    read_snapshot,
    read_version,
    write_plan,
)
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, Engine

    from gateway.exchange.registry import Client, Credential, Environment, Registry
    from gateway.exchange.registry_entries import RegistryDocument
    from gateway.exchange.registry_plan import Plan


def system_now_us() -> int:
    """Real time in microseconds: the registry keeps it for the record, no rule reads it."""
    return time.time_ns() // 1000


class RegistryStore:
    """Reads and writes the registry.

    Args:
        engine: the ledger's store, writable.
        environment: of the installation; production refuses client secrets.
        reader: a read-only engine on the same store, so that polling never waits for a writer.
        now_us: real time in microseconds, for the record of changes.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        environment: Environment,
        reader: Engine | None = None,
        now_us: Callable[[], int] = system_now_us,
    ) -> None:
        self._engine = engine
        self._reader = reader or engine
        self._now_us = now_us
        self.environment = environment

    def version(self) -> int:
        """The newest version; one row by its key, cheap enough to poll."""
        with self._reader.connect() as connection:
            return read_version(connection)

    def load(self) -> Registry:
        """The newest snapshot. Costs milliseconds per hundred organisations."""
        with self._reader.connect() as connection:
            return read_snapshot(connection, self.environment)

    def plan(self, document: RegistryDocument) -> Plan:
        """What applying a file would change.

        Raises:
            InvalidRegistry: with everything the registry does not allow.
        """
        return plan(self.load(), document)

    def apply(
        self, document: RegistryDocument, actor: str, *, expected_version: int | None = None
    ) -> Plan:
        """Make the registry as the file wants it, in one transaction; gives what was changed.

        Idempotent: a second time nothing changes and the version stays. What was agreed or ended
        leaves its events in the same transaction.

        Args:
            document: the file.
            actor: who does it, for the record: a client id.
            expected_version: of the plan that was agreed to; None takes the registry as it is.

        Raises:
            InvalidRegistry: with everything the registry does not allow; nothing was written.
            RegistryChanged: it is no longer at the expected version; plan again.
        """
        with self._engine.begin() as connection:
            registry = self._locked(connection)
            if expected_version not in (None, registry.version):
                raise _changed()
            changes = plan(registry, document)
            if not changes.is_empty:
                now_us = self._now_us()
                lines = [asdict(change) for change in changes.changes]
                bump(connection, actor=actor, changes=lines, now_us=now_us)
                write_plan(connection, changes, now_us)
                events = agreement_events(registry, changes, actor=actor, now_us=now_us)
                record(connection, events, rules=registry.rules, actor=actor, now_us=now_us)
        return changes

    def create_client(self, client: Client, actor: str) -> None:
        """Add a client.

        Raises:
            ClientExists, InvalidClient: see `registry_clients.check_new`.
        """
        with self._engine.begin() as connection:
            check_new(self._locked(connection), client)
            self._put_client(connection, client, actor, "add")

    def rotate_client(
        self, client_id: str, credential: Credential, actor: str, *, overlap_seconds: int
    ) -> Client:
        """Give a client a new key or secret; its older ones end after the overlap.

        Raises:
            UnknownRecord: no such client.
            InvalidClient: revoked, or the wrong kind of credential.
        """
        with self._engine.begin() as connection:
            client = with_credential(
                known_client(self._locked(connection), client_id),
                credential,
                now_seconds=self._now_us() / 1_000_000,
                overlap_seconds=overlap_seconds,
            )
            self._put_client(connection, client, actor, "rotate")
        return client

    def revoke_client(self, client_id: str, actor: str) -> Client:
        """Revoke a client for ever; doing it twice changes nothing.

        Raises:
            UnknownRecord: no such client.
        """
        with self._engine.begin() as connection:
            client = known_client(self._locked(connection), client_id)
            if client.status == "active":
                client = replace(client, status="revoked", credentials=())
                self._put_client(connection, client, actor, "revoke")
        return client

    def _locked(self, connection: Connection) -> Registry:
        """The snapshot, with every other writer of the registry kept waiting."""
        connection.execute(select(tables.STATE).with_for_update())
        return read_snapshot(connection, self.environment)

    def _put_client(self, connection: Connection, client: Client, actor: str, action: str) -> None:
        now_us = self._now_us()
        line = {"kind": "client", "id": client.id, "action": action}
        bump(connection, actor=actor, changes=[line], now_us=now_us)
        put_client(connection, client, now_us)


def _changed() -> RegistryChanged:
    return RegistryChanged(
        Message(
            nl="Het register is intussen gewijzigd; bekijk het plan opnieuw.",
            en="The registry was changed meanwhile; look at the plan again.",
        )
    )
