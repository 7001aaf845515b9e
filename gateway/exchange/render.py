"""The copy of an event that one participant gets: opened, filtered, under its own pseudonym.

Grants are evaluated at this moment. Only the parts of the sealed record that the recipient may
read are opened: the staff's part stays shut when no field in it is kept. Nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from consumers.clock import date_of
from gateway.exchange.authorise import Granted, Stopped, authorise
from gateway.exchange.pseudonym import as_seen_by, pseudonym
from gateway.exchange.sealing import BOTH_PARTS, MAIN, open_row
from schemas.catalogue import STAFF, catalogue
from schemas.envelope import MASKED_SOURCE, CloudEvent, event_type, participant_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from consumers.clock import Clock
    from gateway.exchange.keys import DataKey
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.registry import Registry
    from gateway.exchange.standing import Standing
    from schemas.catalogue import EventType
    from schemas.projection import Projection

CLASSIFICATIONS = ("public", "internal", "confidential", "confidential", "restricted")
"""The data classification of S0 to S4 (`domain.md` §3.3)."""

ONLY_MAIN = frozenset({MAIN})


class Keys(Protocol):
    """The part of the key store that rendering needs."""

    def ciphers(self, key_ids: Iterable[str]) -> dict[str, DataKey]:
        """Those of the data keys that still exist."""
        ...

    def pseudonym_key(self, participant: str) -> bytes:
        """The key of a participant's pairwise pseudonyms."""
        ...


@dataclass(frozen=True, slots=True)
class Rendered:
    """One participant's copy of one event, data included; never to be logged.

    Attributes:
        row: the ledger row it was made of.
        granted: under which grant.
    """

    event: CloudEvent = field(repr=False)
    row: LedgerRow = field(repr=False)
    granted: Granted


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders ledger rows; safe to use from several threads."""

    registry: Callable[[], Registry]
    keys: Keys
    clock: Clock

    def render(
        self,
        row: LedgerRow,
        participant: str,
        relations: frozenset[str],
        door: str,
        standing: Standing,
        *,
        backfill: bool = False,
        nis: str | None = None,
    ) -> Rendered | Stopped:
        """The copy for one participant through one door, or the leg that stops it.

        Args:
            row: what the ledger recorded.
            participant: the recipient.
            relations: of its inbox row.
            door: `feed`, `webhook` or `kafka`.
            standing: how the person and the case stand now (`standing.standings`); there is no
                default, so that no door can leave it out.
            backfill: the event is older than the membership.
            nis: the municipality that counts; the event's own when None.

        Raises:
            KeysUnusable: the record was tampered with.
            SQLAlchemyError: the key store does not answer.
        """
        now = self.clock.now_us()
        verdict = authorise(
            self.registry(),
            row,
            participant,
            relations,
            on=date_of(now),
            now=now,
            door=door,
            backfill=backfill,
            nis=nis,
            standing=standing,
        )
        if isinstance(verdict, Stopped):
            return verdict
        event = catalogue().event(row.event_name)
        parts = BOTH_PARTS if keeps_staff(event, verdict.projection) else ONLY_MAIN
        opened = open_row(row, self.keys, parts)
        if opened.data is None:
            return Stopped("erased")
        own_key = self.keys.pseudonym_key(participant)
        data = as_seen_by(own_key, row.event_name, verdict.projection.apply(opened.data))
        attributes = self._attributes(row, participant, verdict, backfill=backfill)
        classification = classify(event, verdict.projection, data)
        envelope = CloudEvent(data=data, dataclassification=classification, **attributes)
        return Rendered(envelope, row, verdict)

    def _attributes(
        self, row: LedgerRow, participant: str, granted: Granted, *, backfill: bool
    ) -> dict[str, Any]:
        grant, masked = granted.grant, granted.is_masked
        reference = None
        if row.subject_id is not None:
            reference = pseudonym(self.keys.pseudonym_key(participant), row.subject_id)
        return {
            "id": row.event_id,
            "source": MASKED_SOURCE if masked else participant_source(row.participant),
            "type": event_type(row.event_name),
            "time": row.occurred_at,
            "subject": row.aggregate_id,
            "dataschema": f"/schemas/ids/{row.schema_id}",
            "trajectoryid": row.trajectory_id,
            "causationid": row.causation_id,
            "onbehalfof": None if masked else row.on_behalf_of,
            "purpose": grant.purpose if grant else row.purpose,
            "legalbasis": (grant.legal_basis if grant else None) or row.legal_basis,
            # An agreement names its parties, so it would unmask a masked sender.
            "agreementid": grant.agreement_id if grant and not masked else None,
            "agreementhash": grant.agreement_hash if grant and not masked else None,
            "territorynis": row.territory_nis,
            "traceparent": row.traceparent,
            "aggregatetype": row.aggregate_type,
            "aggregateversion": row.aggregate_version,
            "recordedtime": row.recorded_at,
            "actorrole": row.actor_role,
            "subjectref": reference,
            "withheld": granted.projection.withheld,
            "ruleset": row.rule_set,
            "deliveredfor": participant,
            "backfill": True if backfill else None,
        }


def keeps_staff(event: EventType, projection: Projection) -> bool:
    """Whether anything of the staff's part is left for this reader."""
    return _keeps_staff(event, projection.delivered)


def classify(event: EventType, projection: Projection, data: dict[str, Any]) -> str:
    """The class of the most sensitive field that this copy may hold a value of."""
    classes = _classes(event, projection.delivered)
    return CLASSIFICATIONS[max((classes.get(name, 0) for name in data), default=0)]


@lru_cache(maxsize=10_000)
def _keeps_staff(event: EventType, delivered: frozenset[str]) -> bool:
    return any(one.fieldset == STAFF and one.path in delivered for one in event.fields)


@lru_cache(maxsize=10_000)
def _classes(event: EventType, delivered: frozenset[str]) -> dict[str, int]:
    """Of each top-level member the highest class among the leaves that are kept."""
    found: dict[str, int] = {}
    for one in event.fields:
        if one.path in delivered:
            name = one.path.partition(".")[0].removesuffix("[]")
            found[name] = max(found.get(name, 0), int(one.sensitivity[1:]))
    return found
