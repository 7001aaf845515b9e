"""May this participant have this event, now? Asked again at every hand-over, at every door.

The ledger row says who was entitled when the event was accepted; participation, agreements and
doors are read from the registry of this moment, so that a revoked agreement stops what is still
on its way. A pure function of its arguments. Legs that can stop a hand-over:

    participant_inactive   unknown, revoked, or not valid on this day
    own_event              nobody gets its own events back
    host_referral          a host gets no referral events
    membership             it stands in no relation to this event
    agreement, event, validity, purpose, territory, door
                           no grant applies: the first that leaves none (`schemas.grants`)
    age                    the event is older than the grant lets through
    audience               nothing in the event is meant for its role and relations
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consumers.clock import MICROSECONDS_PER_DAY
from schemas.catalogue import STAFF, catalogue
from schemas.projection import Projection, projection

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Participant, Registry
    from schemas.catalogue import EventType
    from schemas.grants import Grant

HOST = "H"
ERASED = "subject.erased"
CASE_HOLDER = "case_holder"


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
    """
    participant = registry.participant(participant_id)
    if participant is None or not participant.is_valid(on):
        return Stopped("participant_inactive")
    leg = _barred(row, participant, relations)
    if leg is not None:
        return Stopped(leg)
    if not needs_grant(row, participant_id):
        return _projected(registry, row, participant, relations, None)
    grant = _applicable(
        registry, row, participant, _Asked(on, door, backfill, nis or row.territory_nis)
    )
    if isinstance(grant, Stopped):
        return grant
    if grant.max_age_days is not None and _age_days(row, now) > grant.max_age_days:
        return Stopped("age")
    return _projected(registry, row, participant, relations, grant)


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
    participant: Participant,
    relations: frozenset[str],
    grant: Grant | None,
) -> Verdict:
    event = catalogue().event(row.event_name)
    sender = registry.organisation(row.producer_org)
    is_masked = sender is not None and sender.sensitive_sender and CASE_HOLDER not in relations
    fieldsets = fieldsets_of(event) if grant is None else grant.fieldsets
    if is_masked:
        fieldsets -= {STAFF}  # a desk's address would say what the mask hides
    kept = projection(
        event,
        role=participant.role,
        relations=relations,
        fieldsets=fieldsets,
        has_art9_ground=grant is None or grant.art9_ground is not None,
    )
    if event.fields and not kept.delivered:
        return Stopped("audience")
    return Granted(grant, kept, is_masked)


def fieldsets_of(event: EventType) -> frozenset[str]:
    """All field sets that occur in an event."""
    return frozenset(field.fieldset for field in event.fields)
