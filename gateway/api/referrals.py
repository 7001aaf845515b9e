"""`POST /v1/referrals`: the first referral in minutes, a flat form of seven fields.

It becomes an ordinary `referral.created` and goes the way of every event; the answer says in one
sentence who will answer and by when.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from consumers.clock import date_of
from gateway import errors
from gateway.api import desk, limits, outcomes, parameters, problems, traces
from gateway.api.authentication import caller
from gateway.api.collaborators import Collaborators
from gateway.api.next_events import Viewer, on_referral
from gateway.api.trajectories import viewer_of
from gateway.exchange.publication import ItemOutcome, PublishRequest
from gateway.exchange.state import Referral, Trajectory
from gateway.exchange.submission import Submission
from gateway.oauth.verifier import Principal
from schemas import codec, envelope, strictjson
from schemas.catalogue import catalogue
from schemas.errors import Message, SchakelError
from schemas.programmes import ProgrammeRules

SCOPE: Final = "sj_referral_write"
EVENT: Final = "referral.created"
_MONTHS: Final = (
    Message("januari", "January"),
    Message("februari", "February"),
    Message("maart", "March"),
    Message("april", "April"),
    Message("mei", "May"),
    Message("juni", "June"),
    Message("juli", "July"),
    Message("augustus", "August"),
    Message("september", "September"),
    Message("oktober", "October"),
    Message("november", "November"),
    Message("december", "December"),
)


def router(collaborators: Collaborators) -> APIRouter:
    """The one route; it needs `sj_referral_write` and an `Idempotency-Key`."""
    routes = APIRouter()
    authenticated = caller(collaborators, SCOPE)

    @routes.post("/v1/referrals", status_code=201)
    async def refer(
        principal: Annotated[Principal, Depends(authenticated)],
        request: Request,
        dry_run: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query's flag
    ) -> JSONResponse:
        key = parameters.idempotency_key(request.headers.get("idempotency-key"), required=True)
        check_content_type(request.headers.get("content-type", ""))
        call = _Call(
            principal=principal,
            viewer=viewer_of(principal, collaborators),
            key=str(key),
            language=problems.language_of(request.headers.get("accept-language")),
            traceparent=request.scope[traces.SCOPE_KEY].traceparent,
            body=await request.body(),
        )
        submission = _submission(call, collaborators)
        outcome = await _settle(submission, call, collaborators, dry_run=dry_run)
        if dry_run:
            return JSONResponse(_shown(submission, outcome, call, collaborators))
        answer = await run_in_threadpool(_answer, outcome, call, collaborators)
        return JSONResponse(answer, 201)

    return routes


@dataclass(frozen=True, slots=True)
class _Call:
    """One request while it is answered."""

    principal: Principal
    viewer: Viewer
    key: str
    language: str
    traceparent: str
    body: bytes = field(repr=False)


def _submission(call: _Call, collaborators: Collaborators) -> Submission:
    """The event of one form; the key gives it its id, so that a retry is the same event."""
    form = desk.check_form(strictjson.loads(call.body, limits.JSON_DEPTH))
    place = desk.locate(form, call.viewer.registry, call.viewer.on)
    data = desk.event_data(form, place, call.viewer.participant)
    event_type = catalogue().event(EVENT)
    try:
        parsed = codec.parse(
            event_type, data, environment=collaborators.environment, on=call.viewer.on
        )
    except SchakelError as error:
        raise desk.in_form_names(error) from error
    event = envelope.CloudEvent(
        id="referral-" + hashlib.sha256(call.key.encode()).hexdigest()[:32],
        source=envelope.participant_source(call.principal.participant),
        type=envelope.event_type(EVENT),
        time=collaborators.clock.now_us(),
        sourcerecordid=form.get("sourcerecordid"),
        territorynis=place.nis,
    )
    return Submission(
        participant=call.principal.participant,
        client_id=call.principal.client_id,
        scopes=call.principal.scopes,
        event=event_type,
        sender_event_id=event.id,
        occurred_at=event.time,
        data=parsed,
        canonical=envelope.content(event, parsed),
        source_record_id=event.sourcerecordid,
        territory_nis=place.nis,
        traceparent=call.traceparent,
    )


async def _settle(
    submission: Submission, call: _Call, collaborators: Collaborators, *, dry_run: bool
) -> ItemOutcome:
    """Wait for the commit, or for the decision alone; raises the refusal."""
    digest = hashlib.sha256(call.body).digest()
    request = PublishRequest((submission,), idempotency_key=call.key, request_hash=digest)
    if dry_run:
        request = PublishRequest((submission,), dry_run=True)
    (outcome,) = await collaborators.completions.settle(collaborators.ledger, request)
    if outcome.error is not None:
        raise outcomes.refused(desk.renamed(outcome.error), outcome.step)
    return outcome


def _shown(
    submission: Submission, outcome: ItemOutcome, call: _Call, collaborators: Collaborators
) -> dict[str, Any]:
    """What would be recorded, who would answer and by when; nothing was written."""
    target = submission.data.get("target_org")
    organisation = call.viewer.registry.organisation(target) if target else None
    who = None if organisation is None else organisation.name
    due = _due(call.viewer.registry.rules, submission.data["programme"], call.viewer.on)
    return {
        "dry_run": True,
        "proposed_holder": who,
        "answer_due": None if due is None else due.isoformat(),
        "message": _sentence(who, due).text(call.language),
        "events": outcomes.decision(outcome, collaborators.registry()),
        **outcomes.warnings((outcome,), call.language),
    }


def _answer(outcome: ItemOutcome, call: _Call, collaborators: Collaborators) -> dict[str, Any]:
    """The answer in the caller's language, from the state that was just committed. Blocks."""
    receipt, viewer = outcome.receipt, call.viewer
    trajectory_id = receipt.trajectory_id if receipt else None
    case = collaborators.cases.one(viewer.participant.id, trajectory_id) if trajectory_id else None
    if receipt is None or case is None:
        raise problems.internal_error()
    referral = case.referrals[receipt.aggregate_id]
    due = _due(viewer.registry.rules, referral.programme, date_of(receipt.recorded_at))
    who = _who_answers(case, referral, viewer)
    return {
        "referral_id": referral.id,
        "state": referral.state,
        "trajectory_id": case.id,
        "proposed_holder": who,
        "answer_due": None if due is None else due.isoformat(),
        "message": _sentence(who, due).text(call.language),
        "receipt": {
            "event_id": receipt.event_id,
            "commitment": receipt.commitment.hex(),
            "agreement": receipt.agreement,
        },
        "next": list(on_referral(case, referral, viewer)),
        **outcomes.warnings((outcome,), call.language),
    }


def _due(rules: ProgrammeRules, programme: str, on: date) -> date | None:
    """By when somebody answers; None while the programme's rules leave it open."""
    days = rules.rule_set(programme, on).answer_days
    return None if days is None else on + timedelta(days=days)


def _who_answers(case: Trajectory, referral: Referral, viewer: Viewer) -> str | None:
    """The name of whoever has to answer first: endorser, handler, target, or holder."""
    named = (
        referral.endorser if referral.state == "pending_endorsement" else None,
        referral.handler,
        referral.target,
        case.proposed_holder,
        case.holder,
    )
    found = (viewer.registry.participant(one) for one in named if one)
    return next((one.name for one in found if one is not None), None)


def _sentence(who: str | None, due: date | None) -> Message:
    if due is None:
        return Message(
            nl=f"{who or 'Wie ze opneemt'} antwoordt; u ziet hier wanneer.",
            en=f"{who or 'Whoever takes it up'} answers; you see here when.",
        )
    month = _MONTHS[due.month - 1]
    if who is None:
        return Message(
            nl=f"De doorverwijzing staat open tot {due.day} {month.nl}; "
            "u ziet hier wie ze opneemt.",
            en=f"The referral is open until {due.day} {month.en}; you see here who takes it up.",
        )
    return Message(
        nl=f"{who} antwoordt vóór {due.day} {month.nl}; "
        "zo niet, dan herinneren wij hen en ziet u dat hier.",
        en=f"{who} answers before {due.day} {month.en}; "
        "if not, we remind them and you see it here.",
    )


def check_content_type(content_type: str) -> None:
    """Refuse a body that is not announced as JSON.

    Raises:
        UnsupportedMediaType: 415.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise errors.UnsupportedMediaType(
            Message(nl="Stuur application/json.", en="Send application/json."),
            facts={"accepts": ["application/json"]},
        )
