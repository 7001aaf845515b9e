"""Programme rules over HTTP: what holds on a day, what was published, and what is said of it.

Rules are public to every participant, proposals and comments included (R15); only the
administrator publishes. A rule file holds no data about anybody.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from consumers.clock import Clock, date_of
from gateway.api import parameters
from gateway.api.authentication import principal_with, require_scope
from gateway.api.collaborators import TokenVerifier
from gateway.api.documented import refusals
from gateway.api.problems import invalid_caller
from gateway.exchange.conversion_survey import Moved
from gateway.exchange.registry_live import LiveRegistry
from gateway.exchange.rule_plan import RulePlan
from gateway.exchange.rule_store import Comment, RuleStore
from gateway.oauth.verifier import Principal
from schemas.conversion import Conversion
from schemas.free_text import holds_number
from schemas.programmes import ProgrammeRules
from schemas.roles import LETTER, NAME
from schemas.rule_changes import plain_values
from schemas.rule_publication import parse_publication

SCOPE = "sj_admin"
Survey = Callable[[Sequence[Conversion]], tuple[Moved, ...]]


class Publication(BaseModel):
    """A rule file, and the version of the plan that was agreed to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    document: dict[str, Any]
    expected_version: int | None = None


class Remark(BaseModel):
    """What an organisation says of a publication; the administrator may say for whom it writes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, Field(min_length=1, max_length=2000)]
    organisation: str | None = None
    role: str | None = None


def router(
    *,
    live: LiveRegistry,
    store: RuleStore,
    survey: Survey,
    verifier: TokenVerifier,
    clock: Clock,
) -> APIRouter:
    """All routes. `survey` counts what conversions would move; it reads every case."""
    anybody, administrator = principal_with(verifier), principal_with(verifier, SCOPE)
    routes = APIRouter(tags=["programmes"], dependencies=[Depends(anybody)])
    _add_reading(routes, live, store, clock)
    _add_publishing(routes, administrator, live, store)
    _add_comments(routes, anybody, live, store, clock)

    @routes.get("/v1/programmes/conversions", summary="What published conversions would move now")
    def conversions(
        _principal: Annotated[Principal, Depends(administrator)],
        reference: Annotated[str | None, Query(max_length=64)] = None,
    ) -> dict[str, Any]:
        rules = live.current().rules
        named = [one for one in rules.publications if reference in (None, one.reference)]
        wanted = [one for one in rules.conversions() if any(one in of.conversions for of in named)]
        moved = survey(wanted)
        return {
            "conversions": len(wanted),
            "placements": sum(one.placements for one in moved),
            "moved": [asdict(one) for one in moved],
        }

    return routes


def _add_reading(routes: APIRouter, live: LiveRegistry, store: RuleStore, clock: Clock) -> None:
    @routes.get("/v1/programmes", summary="The rules of every programme on a day")
    def programmes(on: Annotated[parameters.Day | None, Query()] = None) -> dict[str, Any]:
        day = on or date_of(clock.now_us())
        rules = live.current().rules
        shown = [_shown(rules, code, day) for code in rules.programmes()]
        return {"on": day.isoformat(), "programmes": shown}

    @routes.get("/v1/programmes/publications", summary="What was published, with its comments")
    def publications() -> dict[str, Any]:
        days, comments = store.published_on(), store.comments()
        rules = live.refresh().rules
        return {
            "publications": [
                {
                    "reference": one.reference,
                    "title": asdict(one.title),
                    "published_on": days[one.reference].isoformat(),
                    "withdrawn": one.reference in rules.withdrawn(),
                    "document": one.content,
                    "comments": [
                        _said(said) for said in comments if said.reference == one.reference
                    ],
                }
                for one in rules.publications
                if one.reference in days
            ]
        }


def _add_publishing(
    routes: APIRouter, administrator: Any, live: LiveRegistry, store: RuleStore
) -> None:
    @routes.post(
        "/v1/programmes/plan",
        summary="What publishing a rule file would change",
        responses=refusals(422),
    )
    def plan(
        _principal: Annotated[Principal, Depends(administrator)],
        document: Annotated[dict[str, Any], Body()],
    ) -> dict[str, Any]:
        changes = store.plan(parse_publication(document))
        return _planned(changes, changes.version)

    @routes.post(
        "/v1/programmes/publications", summary="Publish a rule file", responses=refusals(409, 422)
    )
    def publish(
        principal: Annotated[Principal, Depends(administrator)], wanted: Publication
    ) -> dict[str, Any]:
        changes = store.publish(
            parse_publication(wanted.document),
            principal.client_id,
            expected_version=wanted.expected_version,
        )
        return _planned(changes, live.refresh().version)


def _add_comments(
    routes: APIRouter, anybody: Any, live: LiveRegistry, store: RuleStore, clock: Clock
) -> None:
    @routes.post(
        "/v1/programmes/publications/{reference}/comments",
        status_code=201,
        summary="Say something of a publication",
        responses=refusals(404),
    )
    def comment(
        principal: Annotated[Principal, Depends(anybody)], reference: str, remark: Remark
    ) -> dict[str, Any]:
        organisation, role = _speaker(principal, remark, live)
        if holds_number(remark.text):
            raise parameters.invalid(
                "text",
                "holds_number",
                "Laat nummers van personen en rekeningen weg.",
                "Leave out numbers of persons and accounts.",
            )
        said = Comment(
            reference, organisation, role, remark.text, clock.now_us(), principal.client_id
        )
        store.comment(said)
        return _said(said)


def _speaker(principal: Principal, remark: Remark, live: LiveRegistry) -> tuple[str, str]:
    """Organisation and role letter for which a comment is kept."""
    registry = live.current()
    if remark.organisation is None and remark.role is None:
        own = registry.participant(principal.participant)
        if own is None:
            raise invalid_caller()
        return own.organisation, own.role
    require_scope(principal, SCOPE)
    role = LETTER.get(remark.role or "")
    fitting = (one.role for one in registry.participants_of(remark.organisation or ""))
    if role is None or role not in fitting:
        raise parameters.invalid(
            "organisation",
            "unknown_organisation",
            "Deze organisatie neemt niet deel in die rol. Geef organisation en role.",
            "This organisation does not take part in that role. Give organisation and role.",
        )
    return remark.organisation or "", role


def _shown(rules: ProgrammeRules, code: str, day: date) -> dict[str, Any]:
    found = rules.rule_set(code, day)
    values = plain_values(found)
    del values["endorsement_required_from"]
    return {
        "code": code,
        "label": asdict(rules.label(code)),
        "status": found.status,
        "in_force": found.is_in_force,
        "version": found.version,
        "valid_from": found.valid_from.isoformat(),
        "valid_to": None if found.valid_to is None else found.valid_to.isoformat(),
        "legal_reference": found.legal_reference,
        "sources": list(found.sources),
        "endorsement_required_from": [NAME[one] for one in sorted(found.endorsement_required_from)],
        "values": values,
        "left_open": sorted(found.left_open),
    }


def _planned(changes: RulePlan, version: int) -> dict[str, Any]:
    return {
        "version": version,
        "reference": changes.reference,
        "published": changes.known,
        "changes": [
            {
                "programme": turn.programme,
                "rule_set": turn.version,
                "on": turn.on.isoformat(),
                "touches_people": turn.touches_people,
                "left_open": list(turn.left_open),
                "rules": [one.plain() for one in turn.changes],
            }
            for turn in changes.turns
        ],
    }


def _said(comment: Comment) -> dict[str, Any]:
    return {
        "organisation": comment.organisation,
        "role": NAME[comment.role],
        "on": date_of(comment.said_at).isoformat(),
        "text": comment.text,
    }
