"""The moment events leave the hub through a door: rendered, disclosed, then handed over.

One query fetches the ledger rows of a batch, one what their persons said no to, one who takes part
in their cases now; every door goes through here, so none can leave that out. One transaction
writes the disclosure lines and marks what was stopped. It commits before this returns, so that no
byte leaves without its line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs
from sqlalchemy.exc import IntegrityError

from consumers import inbox, views
from consumers.disclosures import Disclosure, disclose
from consumers.scope import Scope
from consumers.traceparent import parse_traceparent
from gateway import errors
from gateway.exchange import records
from gateway.exchange.authorise import Stopped
from gateway.exchange.legs import reason
from gateway.exchange.render import Rendered
from gateway.exchange.standing import standings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from consumers.clock import Clock
    from consumers.views import HandOver as Given
    from consumers.views import InboxEntry
    from gateway.exchange.render import Renderer
    from gateway.exchange.standing import Standings
    from schemas.envelope import CloudEvent

MISSING = Stopped("ledger_row_missing")

Outcome = Rendered | Stopped
ATTEMPTS = 5


class _Reader(NamedTuple):
    """To whom, and how."""

    participant: str
    door: str
    actor: str | None


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hands inbox rows over; safe to use from several threads.

    Args:
        ledger: read-only engine of the ledger.
        reading: read-only engine of the consumers' store.
        writing: writing engine of the consumers' store.
    """

    renderer: Renderer
    ledger: sa.Engine
    reading: sa.Engine
    writing: sa.Engine
    clock: Clock

    def hand_over(
        self, participant: str, entries: Sequence[InboxEntry], door: str, actor: str | None = None
    ) -> list[Outcome]:
        """Render one participant's inbox rows; the result stands in their order.

        A row read again is rendered under today's grants, and disclosed once, or once more when it
        holds what no copy before it held. Such a copy says so in `redelivery`, as do all after it.

        Args:
            participant: whose inbox.
            entries: its rows.
            door: `feed`, `webhook` or `kafka`.
            actor: the client that reads; None where the hub writes to who is not there.

        Raises:
            SQLAlchemyError: a store does not answer; nothing may be handed over.
        """
        if not entries:
            return []
        ids = [entry.event_id for entry in entries]
        with self.ledger.connect() as connection:
            rows = records.rows_by_ids(connection, ids)
            now = standings(connection, rows.values())
        outcomes = [self._one(rows.get(entry.event_id), entry, door, now) for entry in entries]
        reader = _Reader(participant, door, actor)
        revisions = self._write(reader, _marks(entries, outcomes), outcomes)
        return [_numbered(one, revisions) for one in outcomes] if revisions else outcomes

    def copies(
        self, participant: str, entries: Sequence[InboxEntry], door: str
    ) -> list[CloudEvent | None]:
        """As `hand_over`, for a door at which nobody asks: each copy, None where a leg stops it.

        Raises:
            Unavailable: the ledger does not show one of them yet; that is no reason to skip it.
            SQLAlchemyError: a store does not answer; nothing may be handed over.
        """
        outcomes = self.hand_over(participant, entries, door)
        if MISSING in outcomes:
            raise errors.Unavailable(reason(MISSING.leg))
        return [None if isinstance(one, Stopped) else one.event for one in outcomes]

    def _one(
        self, row: records.LedgerRow | None, entry: InboxEntry, door: str, now: Standings
    ) -> Outcome:
        if row is None:
            return MISSING
        return self.renderer.render(
            row,
            entry.participant,
            frozenset(entry.relations),
            door,
            now.of(row),
            backfill=entry.backfill,
            nis=entry.nis,
        )

    def _write(
        self,
        reader: _Reader,
        marks: dict[str | None, list[int]],
        outcomes: Sequence[Outcome],
    ) -> dict[str, int]:
        """Write what is not written yet: a page read twice takes no write lock.

        Returns:
            The revision of each copy that is not of the first, by event.
        """
        for attempt in range(ATTEMPTS):
            lines, revisions = self._lines(reader, outcomes)
            if not lines and not marks:
                return revisions
            try:
                with self.writing.begin() as connection:
                    disclose(connection, lines)
                    for leg, seqs in marks.items():
                        inbox.mark(connection, reader.participant, seqs, leg)
            except IntegrityError:
                # The same page left through another process meanwhile: count on from its lines.
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return revisions
        raise AssertionError("the last attempt returns or raises")

    def _lines(
        self, reader: _Reader, outcomes: Sequence[Outcome]
    ) -> tuple[list[Disclosure], dict[str, int]]:
        """The lines of first copies and of copies that hold more than the earlier ones did.

        Beside them the revision of each copy that is not of the first, by event.
        """
        rendered = [one for one in outcomes if isinstance(one, Rendered)]
        if not rendered:
            return [], {}
        ids = [one.row.event_id for one in rendered]
        known: dict[str, list[Given]] = {}
        with self.reading.connect() as connection:
            for given in views.hand_overs_of(connection, Scope(reader.participant), ids):
                known.setdefault(given.event_id, []).append(given)
        now = self.clock.now_us()
        lines, revisions = [], {}
        for one in rendered:
            before = known.get(one.row.event_id)
            if before is None:
                lines.append(_line(one, reader, now))
                continue
            line, revision = _later(one, reader, before, now)
            lines += [] if line is None else [line]
            if revision:
                revisions[one.row.event_id] = revision
        return lines, revisions


def _later(
    rendered: Rendered, reader: _Reader, before: Sequence[Given], now: int
) -> tuple[Disclosure | None, int]:
    """The line that a copy needs after others, if any, and its revision.

    Revisions count over all doors, for whoever changes doors has one store. One that holds what no
    copy held is a new one; so is, at its own door alone, one that another door was before.
    """
    withheld = rendered.event.withheld
    never = set.intersection(*(set(one.withheld) for one in before))
    newest = max(one.revision for one in before)
    revision = newest + 1 if never - set(withheld) else newest
    own = next((one for one in before if one.door == reader.door), None)
    if own is None:
        return replace(_line(rendered, reader, now), revision=revision), revision
    if not set(own.withheld) - set(withheld):
        return None, revision
    revision = max(revision, own.revision + 1)
    kept = ",".join(path for path in withheld if path in own.withheld)
    line = _line(rendered, reader, now)
    return replace(line, revision=revision, withheld=kept), revision


def _numbered(outcome: Outcome, revisions: dict[str, int]) -> Outcome:
    """A copy with its revision, when it is not of the first."""
    if isinstance(outcome, Stopped) or outcome.row.event_id not in revisions:
        return outcome
    event = structs.replace(outcome.event, redelivery=revisions[outcome.row.event_id])
    return replace(outcome, event=event)


def _marks(
    entries: Sequence[InboxEntry], outcomes: Sequence[Outcome]
) -> dict[str | None, list[int]]:
    """The inbox rows whose status changes, by the leg that stops them now (None: no more)."""
    changed: dict[str | None, list[int]] = {}
    for entry, outcome in zip(entries, outcomes, strict=True):
        leg = outcome.leg if isinstance(outcome, Stopped) else None
        if leg != entry.stopped_leg:
            changed.setdefault(leg, []).append(entry.seq)
    return changed


def _line(rendered: Rendered, reader: _Reader, now: int) -> Disclosure:
    row, event = rendered.row, rendered.event
    grant = rendered.granted.grant
    context = parse_traceparent(row.traceparent)
    return Disclosure(
        event_id=row.event_id,
        participant=reader.participant,
        door=reader.door,
        revision=0,
        disclosed_at=now,
        event_name=row.event_name,
        producer=row.participant,
        producer_org=row.producer_org,
        subject_id=row.subject_id,
        trajectory_id=row.trajectory_id,
        agreement_id=grant.agreement_id if grant else None,
        agreement_hash=grant.agreement_hash if grant else None,
        actor=reader.actor,
        purpose=event.purpose,
        legal_basis=event.legalbasis,
        withheld=",".join(event.withheld),
        trace_id=context.trace_id if context else None,
    )
