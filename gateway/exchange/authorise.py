"""May this participant have this event, now? Asked again at every hand-over, at every door.

The ledger row says who was entitled when the event was accepted; participation, agreements and
doors are read from the registry of this moment, so that a revoked agreement stops what is still
on its way. Who takes part in the case, and what the person has said no to, are of this moment too
(`standing.py`). A pure function of its arguments. Legs that can stop a hand-over:

    participant_inactive   unknown, revoked, or not valid on this day
    own_event              nobody gets its own events back
    host_referral          a host gets no referral events
    membership             it stands in no relation to this event
    membership_ended       it has left the case since the event was accepted
    territory_lost         it had this by its territory, which it has no longer
    agreement, event, validity, purpose, territory, door
                           no grant applies: the first that leaves none (`schemas.grants`)
    age                    the event is older than the grant lets through
    objection              the person objects to this processing
    consent_withdrawn      the person no longer consents, and consent is the ground
    audience               nothing in the event is meant for its role and relations

A duty of `schemas/duties.yaml` sets some of these aside, for the fields that it names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from consumers.clock import MICROSECONDS_PER_DAY
from gateway.exchange.holds import Handing, leg_of
from gateway.exchange.standing import CASE_HOLDER, NOTHING_KNOWN
from gateway.exchange.territory_moves import last_move
from schemas.catalogue import STAFF, catalogue
from schemas.duties import duty_of
from schemas.projection import Projection, projection

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Participant, Registry
    from gateway.exchange.standing import Standing
    from schemas.catalogue import EventType
    from schemas.duties import Duty
    from schemas.grants import Grant

HOST = "H"
ERASED = "subject.erased"
AT_THE_DOOR = frozenset({"door", "erased", "ledger_row_missing", "unpublishable"})
"""Legs that only a door can tell: they depend on which one it is, on keys and on what it finds."""
BY_TERRITORY = frozenset("VOWG")
"""Roles that somebody is given for a territory; who refers or hosts is where it is."""
OF_TERRITORY = frozenset(
    {"target", "handler", "endorser", "candidate", "proposed_holder", "organiser", "responsible",
     "verifier", "member"}
)  # fmt: skip
"""Relations that rest on serving the municipality. A referrer stands by what it did, and a case
holder stays responsible until somebody takes over."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The event may be handed over.

    Attributes:
        grant: the one grant that applies; None when none is needed: nobody's personal data, or
            the participant whose own event or timer caused this hub event.
        projection: what of the data it may read.
        is_masked: the sender is sensitive and the recipient does not hold the case, so it may
            not learn who sent this.
    """

    grant: Grant | None
    projection: Projection
    is_masked: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The event may not be handed over; `leg` names the first check that failed."""

    leg: str


Verdict = Granted | Stopped


@dataclass(frozen=True, slots=True)
class _Asked:
    """When, through which door, and whether as history."""

    on: date
    door: str | None
    backfill: bool
    nis: str


@dataclass(frozen=True, slots=True)
class _Reader:
    """A recipient, and what is left now of its relations to the event."""

    participant: Participant
    relations: frozenset[str]


def authorise(
    registry: Registry,
    row: LedgerRow,
    participant_id: str,
    relations: frozenset[str],
    *,
    on: date,
    now: int,
    door: str | None = None,
    backfill: bool = False,
    nis: str | None = None,
    standing: Standing = NOTHING_KNOWN,
) -> Verdict:
    """Decide about one event and one recipient.

    Args:
        registry: the snapshot of this moment.
        row: what the ledger recorded.
        participant_id: the recipient.
        relations: its relations to the trajectory, from the ledger row or its inbox row.
        on: today's date in Belgium.
        now: microseconds UTC, for the age of the event.
        door: `feed`, `webhook` or `kafka`; None leaves doors aside, as the route does.
        backfill: the event is older than the membership, so that an onward grant may serve.
        nis: the municipality that counts; the event's own when None.
        standing: how the person and the case stand now; every door gives it.
    """
    participant = registry.participant(participant_id)
    if participant is None or not participant.is_valid(on):
        return Stopped("participant_inactive")
    asked = _Asked(on, door, backfill, nis or row.territory_nis)
    relations = standing.relations(participant_id, relations)
    leg = _barred(row, participant, relations)
    if leg is not None:
        return Stopped(leg)
    grant = None
    if needs_grant(row, participant_id):
        found = _applicable(registry, row, participant, asked)
        if isinstance(found, Stopped):
            return found
        if found.max_age_days is not None and _age_days(row, now) > found.max_age_days:
            return Stopped("age")
        grant = found
    reader = _Reader(participant, relations)
    duties = _duties(row, reader, _ceased(row, reader, grant, asked, standing))
    if isinstance(duties, Stopped):
        return duties
    return _projected(registry, row, reader, grant, duties)


def needs_grant(row: LedgerRow, participant_id: str) -> bool:
    """Whether an agreement has to allow it: it is about a person and was caused by another.

    Whoever received something is told that it was erased, whatever the agreements say by then
    (GDPR art. 19).
    """
    if row.event_name == ERASED:
        return False
    return catalogue().event(row.event_name).personal and row.caused_by != participant_id


def _barred(row: LedgerRow, participant: Participant, relations: frozenset[str]) -> str | None:
    """The leg that no agreement can lift."""
    if row.participant == participant.id:
        return "own_event"
    if participant.role == HOST and row.event_name.startswith("referral."):
        return "host_referral"
    if not relations and needs_grant(row, participant.id):
        return "membership"
    return None


def _ceased(
    row: LedgerRow, reader: _Reader, grant: Grant | None, asked: _Asked, standing: Standing
) -> list[str]:
    """The legs by which the reader or the person has stepped back since."""
    participant, legs = reader.participant, []
    if standing.has_left(participant.id, row):
        legs.append("membership_ended")
    if _has_lost(row, reader, asked):
        legs.append("territory_lost")
    handing = Handing(
        from_org=row.producer_org,
        to_org=participant.organisation,
        purpose=grant.purpose if grant else row.purpose,
        legal_basis=(grant.legal_basis if grant else None) or row.legal_basis,
        recorded_at=row.recorded_at,
    )
    said_no = leg_of(standing.holds, handing) if standing.holds else None
    return legs if said_no is None else [*legs, said_no]


def _duties(row: LedgerRow, reader: _Reader, legs: list[str]) -> list[Duty] | Stopped:
    """The duties that set these legs aside, or the first leg that none does."""
    found = []
    for leg in legs:
        duty = duty_of(leg, row.event_name, reader.relations)
        if duty is None:
            return Stopped(leg)
        found.append(duty)
    return found


def _has_lost(row: LedgerRow, reader: _Reader, asked: _Asked) -> bool:
    """Whether it was addressed for its territory, and that was taken from it."""
    participant = reader.participant
    if participant.role not in BY_TERRITORY or not reader.relations <= OF_TERRITORY:
        return False
    move = last_move(participant.moves, row.territory_nis, asked.on)
    # A mandate that moved takes nothing of the time before: who gave it keeps reading its period.
    if move is not None or participant.serves(row.territory_nis, asked.on):
        return False
    return any(one.participant == participant.id and one.served for one in row.recipients)


def _applicable(
    registry: Registry, row: LedgerRow, participant: Participant, asked: _Asked
) -> Grant | Stopped:
    grant = _direct(registry, row.producer_org, row, participant, asked)
    if grant is None and asked.backfill:
        grant = _onward(registry, row, participant, asked)
    if grant is not None:
        return grant
    leg = registry.grants.failing_leg(
        from_org=row.producer_org,
        to_org=participant.organisation,
        to_role=participant.role,
        event=row.event_name,
        territory=asked.nis,
        on=asked.on,
        door=asked.door,
    )
    return Stopped(leg or "agreement")


def _direct(
    registry: Registry, from_org: str, row: LedgerRow, participant: Participant, asked: _Asked
) -> Grant | None:
    return registry.grants.applicable(
        from_org=from_org,
        to_org=participant.organisation,
        to_role=participant.role,
        event=row.event_name,
        territory=asked.nis,
        on=asked.on,
        door=asked.door,
    )


def _onward(
    registry: Registry, row: LedgerRow, participant: Participant, asked: _Asked
) -> Grant | None:
    """The grant of a member that was allowed to pass the event on; never more than both give."""
    for recipient in row.recipients:
        member = registry.participant(recipient.participant)
        if recipient.excluded is not None or member is None or member.id == participant.id:
            continue
        first = _direct(registry, row.producer_org, row, member, replace(asked, door=None))
        if first is None or not first.onward:
            continue
        second = _direct(registry, member.organisation, row, participant, asked)
        if second is not None:
            return replace(
                second,
                fieldsets=first.fieldsets & second.fieldsets,
                art9_ground=second.art9_ground if first.art9_ground else None,
            )
    return None


def _age_days(row: LedgerRow, now: int) -> int:
    return (now - row.recorded_at) // MICROSECONDS_PER_DAY


def _projected(
    registry: Registry,
    row: LedgerRow,
    reader: _Reader,
    grant: Grant | None,
    duties: list[Duty],
) -> Verdict:
    event, relations = catalogue().event(row.event_name), reader.relations
    sender = registry.organisation(row.producer_org)
    is_masked = sender is not None and sender.sensitive_sender and CASE_HOLDER not in relations
    fieldsets = fieldsets_of(event) if grant is None else grant.fieldsets
    if is_masked:
        fieldsets -= {STAFF}  # a desk's address would say what the mask hides
    may_read = partial(
        projection,
        event,
        role=reader.participant.role,
        relations=relations,
        has_art9_ground=grant is None or grant.art9_ground is not None,
    )
    kept = may_read(fieldsets=fieldsets)
    if event.fields and not kept.delivered:
        return Stopped("audience")
    if duties:
        fieldsets, only = _narrowed(row.event_name, fieldsets, duties)
        kept = may_read(fieldsets=fieldsets, only=only)
    return Granted(grant, kept, is_masked)


def _narrowed(
    name: str, fieldsets: frozenset[str], duties: list[Duty]
) -> tuple[frozenset[str], frozenset[str] | None]:
    """The field sets and top-level fields that all of these duties let through."""
    only: frozenset[str] | None = None
    for duty in duties:
        named = duty.events[name]
        if named is not None:
            only = named if only is None else only & named
        fieldsets = fieldsets if duty.fieldsets is None else fieldsets & duty.fieldsets
    return fieldsets, only


def fieldsets_of(event: EventType) -> frozenset[str]:
    """All field sets that occur in an event."""
    return frozenset(field.fieldset for field in event.fields)
