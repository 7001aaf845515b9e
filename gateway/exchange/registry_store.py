"""The registry's rows: read as a snapshot, written with the version bumped in one transaction.

Everything here blocks on the database and may raise SQLAlchemyError when that is away. A change
is seen by other processes when their `LiveRegistry` polls the version.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from gateway.exchange import registry_tables as tables
from gateway.exchange.registry import (
    Client,
    Contact,
    Credential,
    Organisation,
    Participant,
    RegisteredAgreement,
    Registry,
)
from schemas.agreement import parse_agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection, Engine, Row, RowMapping

    from gateway.exchange.registry import Environment


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
            return _version(connection)

    def load(self) -> Registry:
        """The newest snapshot. Costs milliseconds per hundred organisations."""
        with self._reader.connect() as connection:
            return read_snapshot(connection, self.environment)


def read_snapshot(connection: Connection, environment: Environment) -> Registry:
    """A snapshot whose rows all belong to one version, whatever the isolation level."""
    while True:
        before = _version(connection)
        registry = _read(connection, before, environment)
        if _version(connection) == before:
            return registry


def bump(connection: Connection, *, actor: str, changes: Sequence[Any], now_us: int) -> int:
    """Raise the version and record who changed what; call it first in a writing transaction.

    The row's lock makes writers of the registry wait for each other.
    """
    connection.execute(
        update(tables.STATE).values(version=tables.STATE.c.version + 1, changed_at=now_us)
    )
    version = _version(connection)
    connection.execute(
        insert(tables.CHANGES).values(
            version=version, changed_at=now_us, actor=actor, changes=list(changes)
        )
    )
    return version


def client_row(client: Client) -> dict[str, Any]:
    """The columns of a client, without its times."""
    return {
        "id": client.id,
        "participant": client.participant,
        "name": client.name,
        "auth": client.auth,
        "scopes": sorted(client.scopes),
        "trusted_trace": client.trusted_trace,
        "credentials": [credential_value(one) for one in client.credentials],
        "status": client.status,
    }


def credential_value(credential: Credential) -> dict[str, Any]:
    """A credential as it is stored: only what is set."""
    return {key: value for key, value in asdict(credential).items() if value is not None}


def participant_row(participant: Participant) -> dict[str, Any]:
    """The columns of a participant."""
    row = asdict(participant)
    del row["organisation_name"]
    if participant.territory is not None:
        row["territory"] = sorted(participant.territory)
    return row


def organisation_row(organisation: Organisation) -> dict[str, Any]:
    """The columns of an organisation."""
    return asdict(organisation)


def _version(connection: Connection) -> int:
    return int(connection.execute(select(tables.STATE.c.version)).scalar_one())


def _read(connection: Connection, version: int, environment: Environment) -> Registry:
    organisations = [
        Organisation(**row) for row in connection.execute(select(tables.ORGANISATIONS)).mappings()
    ]
    names = {one.urn: one.name for one in organisations}
    return Registry.build(
        version=version,
        environment=environment,
        organisations=organisations,
        participants=[
            _participant(row, names)
            for row in connection.execute(select(tables.PARTICIPANTS)).mappings()
        ],
        clients=[_client(row) for row in connection.execute(select(tables.CLIENTS))],
        agreements=[_agreement(row) for row in connection.execute(select(tables.AGREEMENTS))],
        revoked_tokens=connection.execute(select(tables.REVOKED_TOKENS.c.jti)).scalars(),
    )


def _participant(row: RowMapping, organisation_names: dict[str, str]) -> Participant:
    values: dict[str, Any] = {**row}
    territory, contact = values.pop("territory"), values.pop("contact")
    return Participant(
        **values,
        organisation_name=organisation_names[values["organisation"]],
        territory=None if territory is None else frozenset(territory),
        contact=None if contact is None else Contact(**contact),
    )


def _client(row: Row[Any]) -> Client:
    return Client(
        id=row.id,
        participant=row.participant,
        auth=row.auth,
        scopes=frozenset(row.scopes),
        trusted_trace=row.trusted_trace,
        status=row.status,
        credentials=tuple(Credential(**one) for one in row.credentials),
        name=row.name,
    )


def _agreement(row: Row[Any]) -> RegisteredAgreement:
    return RegisteredAgreement(
        agreement=parse_agreement(row.document),
        hash=row.hash,
        status=row.status,
        activated_at=row.activated_at,
        revoked_at=row.revoked_at,
    )
