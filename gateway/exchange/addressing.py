"""Who gets an inbox row for an accepted event: from the ledger row, in order, backfill first.

Pure functions. The ledger row's own recipients were decided when the event was accepted and are
taken as they are; the hand-over asks again. A backfill is decided here, because the events are
older than the membership: it needs a grant from the organisation of each event's producer, or an
onward grant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumers.inbox import InboxRow
from gateway.exchange.authorise import Granted, Stopped, authorise
from gateway.exchange.responsible import RESPONSIBLE, TOLD
from gateway.exchange.standing import NOTHING_KNOWN
from schemas.catalogue import IN_TEAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from gateway.exchange.decision import Recipient
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Registry
    from gateway.exchange.standing import Standings


REFERRAL = "referral"
HANDLING = frozenset({"target", "handler"})
"""Relations to one referral, whatever others the case has."""


def addressed(row: LedgerRow) -> list[InboxRow]:
    """One inbox row for each recipient that nothing excludes; never one for the sender."""
    return [
        inbox_row(row, recipient.participant, recipient.relations, recipient.agreement_id)
        for recipient in row.recipients
        if recipient.excluded is None and recipient.participant != row.participant
    ]


def backfilled(
    registry: Registry,
    earlier: Iterable[LedgerRow],
    newcomer: Recipient,
    *,
    joined_by: str,
    on: date,
    now: int,
    nis: str,
) -> list[InboxRow]:
    """The earlier events of a trajectory that a new member may have, in their order.

    `joined_by` is the aggregate of the event by which it joined: whoever a referral was sent to
    reads that one as its target or handler, and others of the case as one of the team.

    Grants are asked for the municipality in which it joins: who takes over after a move needs the
    history, wherever that happened.
    """
    rows: list[InboxRow] = []
    for row in earlier:
        held = _held_then(row, newcomer, joined_by)
        relations = frozenset(held)
        verdict = authorise(
            registry, row, newcomer.participant, relations, on=on, now=now, backfill=True, nis=nis
        )
        if not isinstance(verdict, Granted):
            continue
        agreement_id = verdict.grant.agreement_id if verdict.grant else None
        rows.append(inbox_row(row, newcomer.participant, held, agreement_id, joined_in=nis))
    return rows


def _held_then(row: LedgerRow, newcomer: Recipient, joined_by: str) -> tuple[str, ...]:
    """Its relations to an earlier event.

    Without being responsible for what somebody else was told or asked; and what was written to who
    handles one referral is not for who handles another.
    """
    held = set(newcomer.relations)
    if row.event_name in TOLD:
        held.discard(RESPONSIBLE)
    if row.aggregate_type == REFERRAL and row.aggregate_id != joined_by and held & HANDLING:
        held = (held - HANDLING) | {IN_TEAM}
    return tuple(sorted(held))


def judged(
    rows: Iterable[LedgerRow],
    addresses: Iterable[InboxRow],
    standings: Standings,
    registry: Registry,
    *,
    on: date,
    now: int,
) -> list[InboxRow]:
    """The same inbox rows, stopped at once where the person or the case has moved on already."""
    known = {row.event_id: row for row in rows}
    found: list[InboxRow] = []
    for one in addresses:
        row = known[one.event_id]
        standing = standings.of(row)
        verdict = None
        if standing is not NOTHING_KNOWN:
            verdict = authorise(
                registry,
                row,
                one.participant,
                frozenset(one.relations),
                on=on,
                now=now,
                backfill=one.backfill,
                nis=one.nis,
                standing=standing,
            )
        if isinstance(verdict, Stopped):
            one = replace(one, stopped_leg=verdict.leg)  # noqa: PLW2901 - the same row, stopped
        found.append(one)
    return found


def newcomers(row: LedgerRow) -> Sequence[Recipient]:
    """The recipients that became members of the trajectory by this event."""
    if not row.joined or row.trajectory_id is None:
        return ()
    return [one for one in row.recipients if one.participant in row.joined]


def inbox_row(
    row: LedgerRow,
    participant: str,
    relations: tuple[str, ...],
    agreement_id: str | None,
    *,
    joined_in: str | None = None,
) -> InboxRow:
    """The pointer to one event in one inbox; a backfilled one when it joined in a municipality."""
    return InboxRow(
        participant=participant,
        event_id=row.event_id,
        event_name=row.event_name,
        trajectory_id=row.trajectory_id,
        agreement_id=agreement_id,
        relations=relations,
        nis=joined_in or row.territory_nis,
        programme=row.programme,
        backfill=joined_in is not None,
        recorded_at=row.recorded_at,
    )
