"""The audit lines: who did what to which record, and why; append-only, in the ledger's store.

For acts that are no events: a log that was read, keys that were rotated, an erasure that was
ordered. A line holds ids and codes, and a reason in somebody's words; never a value of a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from gateway.errors import InvalidParameter
from schemas.errors import InvalidParam, Message
from schemas.free_text import holds_number, word_list

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

HUB, OPERATOR = "hub", "operator"
"""Who acted when it was no client: the clock, or somebody at the machine itself."""
LONGEST_REASON = 500

_AUDIT = sa.table(
    "audit",
    *(sa.column(name) for name in ("seq", "at", "actor", "act", "target", "reason")),
)


class AuditLine(NamedTuple):
    """One act.

    Attributes:
        at: microseconds UTC, business time.
        actor: client id, `operator` at the machine itself, or `hub` for what the clock did.
        act: what was done, such as `subject.erase` or `keys.rotate`.
        target: id of what it was done to.
        reason: why, in the actor's own words or as a code.
    """

    seq: int
    at: int
    actor: str
    act: str
    target: str
    reason: str


def record(
    connection: Connection, *, actor: str, act: str, target: str, reason: str, now_us: int
) -> None:
    """Write one line in the caller's transaction, so that act and line stand or fall together.

    Args:
        connection: of the ledger's store, writing.
        actor: client id, `operator` or `hub`.
        act: dotted code of what is done.
        target: id of what it is done to; never a name or a number of a person.
        reason: why; 1 to 500 characters.
        now_us: business time.

    Raises:
        InvalidParameter: the reason is empty or too long, or reason or target holds an INSZ, an
            IBAN or a health word. Nothing is written, and the error repeats nothing.
    """
    kept = checked_reason(reason)
    if holds_number(target):
        raise _refused("target", "personal_number", "een nummer", "a number")
    connection.execute(
        sa.insert(_AUDIT).values(at=now_us, actor=actor, act=act, target=target, reason=kept)
    )


def lines(
    connection: Connection,
    *,
    before: int | None = None,
    limit: int = 100,
    act: str | None = None,
    target: str | None = None,
) -> list[AuditLine]:
    """The newest lines first; those before a line when `before` gives its number."""
    query = sa.select(_AUDIT).order_by(_AUDIT.c.seq.desc()).limit(limit)
    wanted: dict[str, Any] = {"act": act, "target": target}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(_AUDIT.c[name] == value)
    if before is not None:
        query = query.where(_AUDIT.c.seq < before)
    return [AuditLine(*row) for row in connection.execute(query)]


def checked_reason(reason: str) -> str:
    """The reason without space around it. Raises as `record`."""
    kept = reason.strip()
    if not 0 < len(kept) <= LONGEST_REASON:
        told = Message(
            nl=f"Geef een reden van 1 tot {LONGEST_REASON} tekens.",
            en=f"Give a reason of 1 to {LONGEST_REASON} characters.",
        )
        raise InvalidParameter(told, invalid=(InvalidParam("reason", "length", told),))
    if holds_number(kept):
        raise _refused("reason", "personal_number", "een nummer", "a number")
    if word_list().mentions_health(kept):
        raise _refused("reason", "health_word", "een gezondheidswoord", "a health word")
    return kept


def _refused(name: str, code: str, nl: str, en: str) -> InvalidParameter:
    told = Message(
        nl=f"{name} bevat {nl} over een persoon. Laat het weg: de regel blijft voor altijd.",
        en=f"{name} holds {en} about a person. Leave it out: the line stays for good.",
    )
    return InvalidParameter(told, invalid=(InvalidParam(name, code, told),))
