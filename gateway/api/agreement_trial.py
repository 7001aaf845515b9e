"""`/v1/agreements/preview`: what would a participant see of an event under a draft, and why not.

Nothing is written, and no real person's data is needed for it.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from consumers.clock import Clock, date_of
from gateway.api import parameters
from gateway.api.documented import refusals
from gateway.exchange.agreement_draft import check_draft
from gateway.exchange.agreement_store import Caller
from gateway.exchange.registry import Participant, Registry
from gateway.exchange.registry_live import LiveRegistry
from schemas import territory
from schemas.agreement import parse_agreement
from schemas.agreement_preview import REASONS, Preview, Question, Sender, preview

Tried = Annotated[dict[str, Any], WithJsonSchema({"$ref": "#/components/schemas/AgreementPreview"})]


class Trial(BaseModel):
    """What would a participant see of an event under this draft?

    Attributes:
        sender: URN of the organisation whose event it is; the caller's when left out.
        to: participant id of the reader.
        relations: of the reader to the case; every one when left out.
        data: an example of the event's data; no real person's.
    """

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any]
    event: Annotated[str, Field(max_length=80)]
    to: Annotated[str, Field(max_length=40)]
    sender: Annotated[str | None, Field(max_length=80)] = None
    relations: Annotated[list[str] | None, Field(max_length=20)] = None
    territory: Annotated[str | None, Field(max_length=5)] = None
    on: date | None = None
    door: Literal["feed", "webhook", "kafka"] | None = None
    age_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    data: dict[str, Any] | None = None


def add_trial(
    routes: APIRouter,
    signatory: Callable[[Request], Caller],
    live: LiveRegistry,
    clock: Clock,
) -> None:
    """Add the one route; `signatory` says who calls, and refuses who may not propose."""

    @routes.post(
        "/v1/agreements/preview",
        summary="What a participant would see of an event under a draft, and why not the rest",
        responses=refusals(404, 422),
    )
    def trial(caller: Annotated[Caller, Depends(signatory)], wanted: Trial) -> Tried:
        agreement = parse_agreement(wanted.document)
        registry = live.current()
        check_draft(registry, agreement, caller.organisation, date_of(clock.now_us()))
        asked = _question(wanted, caller, registry, date_of(clock.now_us()))
        found = preview(agreement, asked, wanted.data)
        return {"event": wanted.event, "to": wanted.to, "on": asked.on.isoformat(), **_told(found)}


def _question(wanted: Trial, caller: Caller, registry: Registry, today: date) -> Question:
    reader = _reader(wanted.to, registry)
    sender = wanted.sender or caller.organisation
    organisation = registry.organisation(sender)
    if wanted.territory is not None and wanted.territory not in territory.known_codes():
        raise parameters.invalid(
            "territory", "unknown_municipality", "Onbekende NIS-code.", "Unknown NIS code."
        )
    return Question(
        event=wanted.event,
        from_org=sender,
        to_org=reader.organisation,
        to_role=reader.role,
        on=wanted.on or today,
        senders=tuple(Sender(sender, one.role) for one in registry.participants_of(sender)),
        relations=None if wanted.relations is None else frozenset(wanted.relations),
        territory=wanted.territory,
        door=wanted.door,
        age_days=wanted.age_days,
        is_sensitive=organisation is not None and organisation.sensitive_sender,
    )


def _reader(participant_id: str, registry: Registry) -> Participant:
    found = registry.participant(participant_id)
    if found is None:
        raise parameters.invalid(
            "to", "unknown_participant", "Onbekende deelnemer.", "Unknown participant."
        )
    return found


def _told(found: Preview) -> dict[str, Any]:
    grant = found.grant
    return {
        "delivered": found.leg is None,
        "leg": found.leg,
        "reason": None if found.leg is None else asdict(REASONS[found.leg]),
        "grant": None
        if grant is None
        else {
            "purpose": grant.purpose,
            "legal_basis": grant.legal_basis,
            "fieldsets": sorted(grant.fieldsets),
            "doors": sorted(grant.doors),
            "no_sanction_use": grant.no_sanction_use,
            "secrecy_bound": grant.secrecy_bound,
        },
        "fields": [
            {
                "path": one.path,
                "fieldset": one.fieldset,
                "delivered": one.leg is None,
                "leg": one.leg,
                "reason": None if one.leg is None else asdict(REASONS[one.leg]),
                "readers": list(one.readers),
                "has_value": one.has_value,
            }
            for one in found.fields
        ],
        "data": found.data,
    }
