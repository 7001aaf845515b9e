"""How the registry's rows become values and back; every function works inside a transaction."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import insert, select, update

from gateway.exchange import registry_moves
from gateway.exchange import registry_tables as tables
from gateway.exchange import registry_trust as trust
from gateway.exchange.budgets import Budget
from gateway.exchange.registry import (
    Client,
    Contact,
    Credential,
    Organisation,
    Participant,
    RegisteredAgreement,
    Registry,
)
from schemas.agreement import Agreement, parse_agreement
from schemas.errors import InvalidAgreement
from schemas.moments import to_rfc3339
from schemas.programmes import shipped_rules
from schemas.rule_publication import parse_publication

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Row, RowMapping

    from gateway.exchange.registry import Environment
    from gateway.exchange.registry_entries import AgreementEntry
    from gateway.exchange.registry_plan import Plan
    from gateway.exchange.territory_moves import Move
    from schemas.programmes import ProgrammeRules

log = structlog.get_logger(__name__)


def read_snapshot(connection: Connection, environment: Environment) -> Registry:
    """A snapshot whose rows all belong to one version, whatever the isolation level."""
    while True:
        before = read_version(connection)
        registry = _read(connection, before, environment)
        if read_version(connection) == before:
            return registry


def bump(connection: Connection, *, actor: str, changes: Sequence[Any], now_us: int) -> int:
    """Raise the version and record who changed what; call it first in a writing transaction.

    The row's lock makes writers of the registry wait for each other.
    """
    connection.execute(
        update(tables.STATE).values(version=tables.STATE.c.version + 1, changed_at=now_us)
    )
    version = read_version(connection)
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
    del row["organisation_name"], row["moves"]
    if participant.territory is not None:
        row["territory"] = sorted(participant.territory)
    return row


def organisation_row(organisation: Organisation) -> dict[str, Any]:
    """The columns of an organisation."""
    keys = [credential_value(one) for one in organisation.keys]
    return {**asdict(organisation), "keys": keys}


def write_plan(connection: Connection, changes: Plan, now_us: int) -> None:
    """Write what a plan leads to, parties before what belongs to them."""
    for organisation in changes.organisations:
        _put(connection, tables.ORGANISATIONS, "urn", organisation_row(organisation))
    for participant in changes.participants:
        _put(connection, tables.PARTICIPANTS, "id", participant_row(participant))
    for client in changes.clients:
        put_client(connection, client, now_us)
    for entry in changes.agreements:
        _put_agreement(connection, entry, now_us)
    for one in changes.issuers:
        _put(connection, tables.TRUSTED_ISSUERS, "id", one.row())
    for delegation in changes.delegations:
        _put(connection, tables.DELEGATIONS, "id", delegation.row())


def _put(connection: Connection, table: Table, key: str, row: dict[str, Any]) -> None:
    """Write a row over the one of the same key, or as a new one."""
    changed = connection.execute(update(table).where(table.c[key] == row[key]).values(**row))
    if changed.rowcount == 0:
        connection.execute(insert(table).values(**row))


def put_client(connection: Connection, client: Client, now_us: int) -> None:
    """Write a client, new or changed."""
    table = tables.CLIENTS
    row = {**client_row(client), "changed_at": now_us}
    changed = connection.execute(update(table).where(table.c.id == client.id).values(**row))
    if changed.rowcount == 0:
        connection.execute(insert(table).values(**row, created_at=now_us))


def _put_agreement(connection: Connection, entry: AgreementEntry, now_us: int) -> None:
    """Add an agreement, or change its status; content that is there is never written again."""
    table, agreement = tables.AGREEMENTS, entry.agreement
    status = {"status": entry.status, "revoked_at": now_us if entry.status == "revoked" else None}
    changed = connection.execute(
        update(table).where(table.c.id == agreement.agreement_id).values(**status)
    )
    if changed.rowcount == 0:
        document = {"activated_at": to_rfc3339(now_us), **entry.document}
        connection.execute(
            insert(table).values(
                id=agreement.agreement_id, hash=agreement.document_hash, document=document, **status
            )
        )


def read_version(connection: Connection) -> int:
    """The version as this transaction sees it."""
    return int(connection.execute(select(tables.STATE.c.version)).scalar_one())


def _read(connection: Connection, version: int, environment: Environment) -> Registry:
    organisations = [
        _organisation(row) for row in connection.execute(select(tables.ORGANISATIONS)).mappings()
    ]
    names = {one.urn: one.name for one in organisations}
    moves = registry_moves.read(connection)
    return Registry.build(
        version=version,
        environment=environment,
        organisations=organisations,
        participants=[
            _participant(row, names, moves)
            for row in connection.execute(select(tables.PARTICIPANTS)).mappings()
        ],
        clients=[_client(row) for row in connection.execute(select(tables.CLIENTS))],
        agreements=[_agreement(row) for row in connection.execute(select(tables.AGREEMENTS))],
        revoked_tokens=connection.execute(select(tables.REVOKED_TOKENS.c.jti)).scalars(),
        rules=_rules(connection),
        issuers=[
            trust.stored_issuer(row.document, row.status, environment)
            for row in connection.execute(select(tables.TRUSTED_ISSUERS))
        ],
        delegations=[
            trust.stored_delegation(row.document, row.status)
            for row in connection.execute(select(tables.DELEGATIONS))
        ],
    )


def _rules(connection: Connection) -> ProgrammeRules:
    """The shipped rules with everything that was published over them."""
    table = tables.RULE_PUBLICATIONS
    documents = connection.execute(select(table.c.document).order_by(table.c.place)).scalars()
    rules = shipped_rules()
    for document in documents:
        rules = rules.published(parse_publication(document))
    return rules


def _organisation(row: RowMapping) -> Organisation:
    keys = tuple(Credential(**one) for one in row["keys"])
    return Organisation(**{**row, "keys": keys})


def _participant(
    row: RowMapping, organisation_names: dict[str, str], moves: dict[str, tuple[Move, ...]]
) -> Participant:
    values: dict[str, Any] = {**row}
    territory, contact = values.pop("territory"), values.pop("contact")
    budget = values.pop("budget")
    return Participant(
        **values,
        organisation_name=organisation_names[values["organisation"]],
        territory=None if territory is None else frozenset(territory),
        contact=None if contact is None else Contact(**contact),
        budget=None if budget is None else Budget(**budget),
        moves=moves.get(values["id"], ()),
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
    agreement, is_evaluable = _evaluable(row)
    return RegisteredAgreement(
        agreement=agreement,
        status=row.status,
        revoked_at=row.revoked_at,
        proposed_by=row.proposed_by,
        is_evaluable=is_evaluable,
    )


def _evaluable(row: Row[Any]) -> tuple[Agreement, bool]:
    """The agreement, and whether all of it is understood.

    A document that was accepted once may hold what this version does not know. What it does not
    understand could be a constraint, so that such an agreement grants nothing at all.
    """
    document = dict(row.document)
    if row.activated_at is not None:
        document["activated_at"] = to_rfc3339(row.activated_at)
    try:
        return parse_agreement(document), True
    except InvalidAgreement:
        log.warning("agreement_not_evaluable", agreement=row.id)
    return (
        Agreement(
            agreement_id=row.id,
            parties=tuple(one for one in document.get("parties", ()) if isinstance(one, str)),
            legal={},
            valid_from=date.max,
            valid_to=None,
            activated_at=0,
            document_hash=row.hash,
            grants=(),
        ),
        False,
    )
