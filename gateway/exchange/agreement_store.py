"""Agreements that parties propose and sign: each act one transaction, with its event and its proof.

Whoever acts is decided by the signature and the registry under the registry's lock, so that two
gateways and two parties who act at once are one after the other. Every change raises the
registry's version: other processes see it within two seconds. Everything here blocks on the
database and may raise SQLAlchemyError when that is away.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from consumers.clock import MICROSECONDS_PER_DAY, date_of
from gateway.errors import (
    AgreementExists,
    TooManyCalls,
    UnknownRecord,
)
from gateway.exchange import agreement_life as life
from gateway.exchange import agreement_rows as rows
from gateway.exchange import registry_tables as tables
from gateway.exchange.agreement_draft import check_draft
from gateway.exchange.agreement_statement import Statement, read
from gateway.exchange.decision import Recipient
from gateway.exchange.registry import RegisteredAgreement
from gateway.exchange.registry_events import record
from gateway.exchange.registry_rows import bump, read_snapshot
from schemas.agreement import parse_agreement
from schemas.canonical import canonical
from schemas.documents import plain
from schemas.errors import Message
from schemas.identifiers import uuid7
from schemas.strictjson import loads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection, Engine

    from consumers.clock import Clock
    from gateway.exchange.registry import Environment, Registry
    from gateway.exchange.registry_events import AgreementEvent

PROPOSALS_A_DAY = 50
PROOF_PATH = "/v1/agreements/{}#{}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts: the organisation, and the client for the record."""

    organisation: str
    client_id: str


class AgreementStore:
    """Reads and writes agreements and what was signed about them.

    Args:
        engine: the ledger's store, writable.
        reader: a read-only engine on the same store.
        environment: of the installation; production asks for publication and advice.
        clock: business time, by whose day agreements begin and end.
        now_seconds: real time, by which keys and statements grow old.
    """

    def __init__(
        self,
        engine: Engine,
        reader: Engine,
        *,
        environment: Environment,
        clock: Clock,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._environment: Environment = environment
        self._clock = clock
        self._now_seconds = now_seconds

    def propose(self, content: Any, caller: Caller) -> bool:
        """Put a document before its parties; False when it was proposed before.

        Raises:
            StrictJsonError: 400, the document is no JSON that everybody reads alike.
            InvalidAgreement: 422, the document says what we would not keep, or is incomplete.
            NotAParty: 403, the caller's organisation does not stand in it.
            AgreementRefused: 422, the law or the registry does not allow it; every fault.
            AgreementExists: 409, the id has other content.
            TooManyCalls: 429, this organisation proposed too many in a day.
        """
        # Through its canonical form: what is kept and shown is exactly what the hash is of.
        document = loads(canonical(_unactivated(plain(content))))
        agreement = parse_agreement(document)
        now_us = self._clock.now_us()  # before the lock: a test's clock lies in the same store
        with self._engine.begin() as connection:
            registry = self._locked(connection)
            known = registry.agreement(agreement.agreement_id)
            if known is not None and caller.organisation in agreement.parties:
                if known.hash != agreement.document_hash:
                    raise _exists()
                return False
            check_draft(registry, agreement, caller.organisation, date_of(now_us))
            _spare_the_registry(connection, caller.organisation, now_us)
            made = RegisteredAgreement(agreement, life.PROPOSED, proposed_by=caller.organisation)
            line = {"kind": "agreement", "id": made.id, "action": "propose"}
            bump(connection, actor=caller.client_id, changes=[line], now_us=now_us)
            connection.execute(
                insert(tables.AGREEMENTS).values(
                    id=made.id,
                    hash=made.hash,
                    document=document,
                    status=made.status,
                    proposed_at=now_us,
                    proposed_by=caller.organisation,
                )
            )
            _tell(_Work(connection, registry, caller, now_us), made, life.proposed(made).events)
        return True

    def act(self, agreement_id: str, act: str, jws: str, caller: Caller) -> bool:
        """Take a party's signed act; False when that party did so before.

        Raises:
            UnknownRecord: 404, there is none, or the caller's organisation is no party.
            SignatureRefused: 422, the signature does not hold for this.
            AgreementStands: 409, the state does not allow it.
        """
        now_us = self._clock.now_us()
        with self._engine.begin() as connection:
            registry = self._locked(connection)
            agreement = seen(registry, agreement_id, caller.organisation)
            organisation = registry.organisation(caller.organisation)
            keys = organisation.keys if organisation and organisation.status == "active" else ()
            expected = Statement(agreement.id, agreement.hash, act, caller.organisation, 0)
            signed = read(jws, expected, keys, self._now_seconds())
            kept = rows.acts_of(connection, agreement_id)
            if any((one.act, one.party) == (act, caller.organisation) for one in kept):
                return False
            identifier = uuid7()
            turn = life.acted(
                agreement,
                signed.statement,
                {one.party for one in kept if one.act == "accept"},
                reference=PROOF_PATH.format(agreement_id, identifier),
                today=date_of(now_us),
            )
            line = {"kind": "agreement", "id": agreement.id, "action": act}
            bump(connection, actor=caller.client_id, changes=[line], now_us=now_us)
            rows.keep_act(connection, identifier, signed, caller.client_id, now_us)
            _turn(_Work(connection, registry, caller, now_us), agreement, turn)
        return True

    def expire(self) -> tuple[str, ...]:
        """End what has passed its last day, or was replaced, by the hub's clock; what ended now.

        Each once, however many hubs ask. Grants end by themselves, whether or not this ran.
        """
        now_us = self._clock.now_us()
        with self._engine.begin() as connection:
            registry = self._locked(connection)
            today, every = date_of(now_us), registry.agreements.values()
            turns = [(one, life.expired(one)) for one in every if life.is_past(one, today)]
            past = {one.id for one, _ in turns}
            turns += [
                (older, life.replaced(older, newer.agreement.parties[0], today))
                for older, newer in life.successors(every, today)
                if older.id not in past and newer.id not in past
            ]
            if turns:
                lines = [
                    {"kind": "agreement", "id": one.id, "action": turn.status}
                    for one, turn in turns
                ]
                bump(connection, actor="hub", changes=lines, now_us=now_us)
            work = _Work(connection, registry, Caller("", "hub"), now_us)
            for one, turn in turns:
                _turn(work, one, turn)
        return tuple(one.id for one, _ in turns)

    def acts(self, agreement_id: str) -> tuple[rows.KeptAct, ...]:
        """What parties signed about an agreement, the oldest first."""
        with self._reader.connect() as connection:
            return rows.acts_of(connection, agreement_id)

    def document(self, agreement_id: str) -> dict[str, Any]:
        """The document as its parties sign it, without what the hub noted beside it.

        Raises:
            UnknownRecord: there is none.
        """
        table = tables.AGREEMENTS
        with self._reader.connect() as connection:
            found = connection.execute(
                select(table.c.document).where(table.c.id == agreement_id)
            ).scalar()
        if found is None:
            raise unknown()
        document: dict[str, Any] = _unactivated(found)
        return document

    def _locked(self, connection: Connection) -> Registry:
        """The snapshot, with every other writer of the registry kept waiting."""
        connection.execute(select(tables.STATE).with_for_update())
        return read_snapshot(connection, self._environment)


@dataclass(frozen=True, slots=True)
class _Work:
    """One transaction: the snapshot under its lock, who acts and when."""

    connection: Connection
    registry: Registry
    caller: Caller
    now_us: int


def _turn(work: _Work, agreement: RegisteredAgreement, turn: life.Turn) -> None:
    """Write the new state, tell of it, and end what is replaced."""
    ended = {"status": life.REVOKED, "revoked_at": work.now_us}
    values: dict[str, Any] = ended if turn.status == life.REVOKED else {"status": turn.status}
    if turn.status == life.ACTIVE:
        values["activated_at"] = work.now_us
    rows.write(work.connection, agreement.id, values)
    _tell(work, agreement, turn.events)
    if turn.status != life.ACTIVE:
        return
    today = date_of(work.now_us)
    after = {**work.registry.agreements, agreement.id: replace(agreement, status=life.ACTIVE)}
    for older, newer in life.successors(after.values(), today):
        if newer.id == agreement.id:
            rows.write(work.connection, older.id, ended)
            _tell(work, older, life.replaced(older, work.caller.organisation, today).events)


def _tell(work: _Work, agreement: RegisteredAgreement, events: Sequence[AgreementEvent]) -> None:
    """Write what happened, for the topic and for the inboxes of the parties."""
    told = _participants(work, agreement.agreement.parties)
    record(
        work.connection,
        [replace(event, recipients=told) for event in events],
        rules=work.registry.rules,
        actor=work.caller.client_id,
        now_us=work.now_us,
    )


def _participants(work: _Work, parties: Sequence[str]) -> tuple[Recipient, ...]:
    today = date_of(work.now_us)
    return tuple(
        Recipient(participant=one.id, role=one.role, relations=("party",))
        for urn in parties
        for one in work.registry.participants_of(urn)
        if one.is_valid(today)
    )


def seen(registry: Registry, agreement_id: str, organisation: str) -> RegisteredAgreement:
    """The agreement as one of its parties may know it.

    Raises:
        UnknownRecord: 404; the same for one that does not exist and for one of others.
    """
    found = registry.agreement(agreement_id)
    if found is None or organisation not in found.agreement.parties:
        raise unknown()
    return found


def unknown() -> UnknownRecord:
    """The one answer for what does not exist and for what is not the caller's."""
    return UnknownRecord(
        Message(nl="Geen overeenkomst met dit id.", en="There is no agreement with this id.")
    )


def _spare_the_registry(connection: Connection, organisation: str, now_us: int) -> None:
    """Bound what one organisation adds: every process reads all agreements at each change."""
    if rows.proposals_since(connection, organisation, now_us - MICROSECONDS_PER_DAY) < (
        PROPOSALS_A_DAY
    ):
        return
    most = PROPOSALS_A_DAY
    raise TooManyCalls(
        Message(
            nl=f"Een organisatie stelt hoogstens {most} overeenkomsten per dag voor.",
            en=f"An organisation proposes {most} agreements a day at most.",
        ),
        facts={"retry_after": 3600},
    )


def _exists() -> AgreementExists:
    return AgreementExists(
        Message(
            nl="Onder dit id staat al een andere inhoud; kies een nieuw id en zeg supersedes.",
            en="This id has another content already; choose a new id and say supersedes.",
        )
    )


def _unactivated(document: Any) -> Any:
    """A document without what the hub adds once it is signed."""
    if not isinstance(document, dict):
        return document
    return {key: value for key, value in document.items() if key != "activated_at"}
