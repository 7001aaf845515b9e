"""Publishes rule files into the registry, and keeps what organisations say of them.

Everything here blocks on the database and may raise SQLAlchemyError when that is away. Other
processes see a publication when their `LiveRegistry` polls the registry's version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from consumers.clock import date_of
from gateway.errors import RegistryChanged, UnknownRecord
from gateway.exchange import registry_tables as tables
from gateway.exchange.registry_rows import bump, read_snapshot
from gateway.exchange.rule_plan import plan
from schemas.errors import Message
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.engine import Engine

    from consumers.clock import Clock
    from gateway.exchange.registry import Environment
    from gateway.exchange.rule_plan import RulePlan
    from schemas.rule_publication import RulePublication


@dataclass(frozen=True, slots=True)
class Comment:
    """What an organisation says of a publication, in one of its roles.

    Attributes:
        role: letter.
        said_at: microseconds since the epoch.
        said_by: the client that sent it.
    """

    reference: str
    organisation: str
    role: str
    text: str
    said_at: int
    said_by: str


class RuleStore:
    """Reads and writes publications of rules.

    Args:
        engine: the ledger's store, writable.
        reader: a read-only engine on the same store.
        environment: of the installation; production asks for notice.
        clock: business time, by whose day rules begin.
    """

    def __init__(
        self, engine: Engine, reader: Engine, *, environment: Environment, clock: Clock
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._environment = environment
        self._clock = clock

    def plan(self, publication: RulePublication) -> RulePlan:
        """What publishing would change.

        Raises:
            InvalidRuleFile: with everything that the rules there are do not allow.
        """
        now_us = self._clock.now_us()
        with self._reader.connect() as connection:
            registry = read_snapshot(connection, self._environment)
        return plan(registry, publication, date_of(now_us))

    def publish(
        self, publication: RulePublication, actor: str, *, expected_version: int | None = None
    ) -> RulePlan:
        """Publish a rule file, in one transaction; a second time nothing changes.

        Args:
            publication: the file.
            actor: who does it, for the record: a client id.
            expected_version: of the plan that was agreed to; None takes the registry as it is.

        Raises:
            InvalidRuleFile: with everything that the rules there are do not allow.
            RegistryChanged: the registry is no longer at the expected version; plan again.
        """
        now_us = self._clock.now_us()  # before the lock: a test's clock lies in the same store
        table = tables.RULE_PUBLICATIONS
        with self._engine.begin() as connection:
            connection.execute(select(tables.STATE).with_for_update())
            registry = read_snapshot(connection, self._environment)
            if expected_version not in (None, registry.version):
                raise _changed()
            changes = plan(registry, publication, date_of(now_us))
            if not changes.known:
                line = {"kind": "rules", "id": publication.reference, "action": "publish"}
                bump(connection, actor=actor, changes=[line], now_us=now_us)
                places = connection.execute(select(func.count()).select_from(table)).scalar_one()
                connection.execute(
                    insert(table).values(
                        reference=publication.reference,
                        place=places + 1,
                        document=publication.content,
                        hash=publication.hash,
                        published_on=date_of(now_us),
                        published_at=now_us,
                        published_by=actor,
                    )
                )
        return changes

    def published_on(self) -> dict[str, date]:
        """The day of each publication, by its reference, in order."""
        table = tables.RULE_PUBLICATIONS
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.reference, table.c.published_on).order_by(table.c.place)
            )
            return {row.reference: row.published_on for row in rows}

    def comment(self, comment: Comment) -> None:
        """Keep what an organisation says of a publication.

        Raises:
            UnknownRecord: nothing was published under this reference.
        """
        with self._engine.begin() as connection:
            known = select(tables.RULE_PUBLICATIONS.c.reference).where(
                tables.RULE_PUBLICATIONS.c.reference == comment.reference
            )
            if connection.execute(known).first() is None:
                raise UnknownRecord(
                    Message(
                        nl="Onder deze reference is niets gepubliceerd.",
                        en="Nothing was published under this reference.",
                    )
                )
            connection.execute(
                insert(tables.RULE_COMMENTS).values(
                    id=uuid7(),
                    reference=comment.reference,
                    organisation=comment.organisation,
                    role=comment.role,
                    text=comment.text,
                    said_at=comment.said_at,
                    said_by=comment.said_by,
                )
            )

    def comments(self) -> tuple[Comment, ...]:
        """Every comment, the oldest first."""
        table = tables.RULE_COMMENTS
        columns = [table.c[name] for name in Comment.__dataclass_fields__]
        with self._reader.connect() as connection:
            rows = connection.execute(select(*columns).order_by(table.c.said_at, table.c.id))
            return tuple(Comment(*row) for row in rows)


def _changed() -> RegistryChanged:
    return RegistryChanged(
        Message(
            nl="Het register is intussen gewijzigd; bekijk het plan opnieuw.",
            en="The registry was changed meanwhile; look at the plan again.",
        )
    )
