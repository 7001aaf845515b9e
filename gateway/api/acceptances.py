"""`POST /v1/referrals/{id}/acceptance`: endorsement and acceptance in one click.

The OCMW that decides on a partner's referral and takes it up itself sends two events with one call
(`domain.md` §3.9). Where no decision is due any more, only the acceptance is sent.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from consumers.clock import date_of
from gateway import errors
from gateway.api import limits, outcomes, parameters, problems, traces
from gateway.api.authentication import caller
from gateway.api.collaborators import Collaborators
from gateway.api.next_events import on_referral
from gateway.api.referrals import SCOPE, check_content_type
from gateway.api.trajectories import viewer_of
from gateway.exchange.publication import ItemOutcome, PublishRequest
from gateway.exchange.submission import Submission, content
from gateway.oauth.verifier import Principal
from schemas import codec, strictjson
from schemas.catalogue import catalogue
from schemas.errors import Message

ENDORSED: Final = "referral.endorsed"
ACCEPTED: Final = "referral.accepted"
DECISION: Final = ("decision_ref", "conditions", "valid_until")
"""Members of the body that belong to the endorsement; all others are the acceptance's."""

_NOTHING_TO_ENDORSE: Final = frozenset({"not_allowed_now", "not_your_step", "role_not_allowed"})


def router(collaborators: Collaborators) -> APIRouter:
    """The one route; it needs `sj_referral_write` and an `Idempotency-Key`."""
    routes = APIRouter()
    authenticated = caller(collaborators, SCOPE)

    @routes.post("/v1/referrals/{referral_id}/acceptance", status_code=201)
    async def accept(
        principal: Annotated[Principal, Depends(authenticated)],
        referral_id: Annotated[str, Path(max_length=64)],
        request: Request,
        dry_run: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query's flag
    ) -> JSONResponse:
        key = parameters.idempotency_key(request.headers.get("idempotency-key"), required=True)
        check_content_type(request.headers.get("content-type", ""))
        call = _Call(
            principal=principal,
            referral_id=referral_id.lower(),
            key=str(key),
            language=problems.language_of(request.headers.get("accept-language")),
            traceparent=request.scope[traces.SCOPE_KEY].traceparent,
            body=await request.body(),
        )
        settled = await _settle(call, collaborators, dry_run=dry_run)
        answer = await run_in_threadpool(_answer, settled, call, collaborators, dry_run=dry_run)
        return JSONResponse(answer, 200 if dry_run else 201)

    return routes


@dataclass(frozen=True, slots=True)
class _Call:
    """One request while it is answered."""

    principal: Principal
    referral_id: str
    key: str
    language: str
    traceparent: str
    body: bytes = field(repr=False)


async def _settle(
    call: _Call, collaborators: Collaborators, *, dry_run: bool
) -> tuple[ItemOutcome, ...]:
    """Decide on both events first, so that none is written when one of them is refused."""
    sent = _submissions(call, collaborators)
    ledger, settle = collaborators.ledger, collaborators.completions.settle
    first, *rest = await settle(ledger, PublishRequest(sent, dry_run=True))
    if first.error is not None and first.error.code in _NOTHING_TO_ENDORSE:
        sent = sent[1:]
        (first,), rest = await settle(ledger, PublishRequest(sent, dry_run=True)), []
    _raise_refusal((first, *rest))
    if dry_run:
        return (first, *rest)
    digest = hashlib.sha256(call.referral_id.encode() + call.body).digest()
    request = PublishRequest(sent, idempotency_key=call.key, request_hash=digest)
    settled = await settle(ledger, request)
    _raise_refusal(settled)
    return settled


def _raise_refusal(settled: tuple[ItemOutcome, ...]) -> None:
    for outcome in settled:
        if outcome.error is not None:
            raise outcomes.refused(outcome.error, outcome.step)


def _submissions(call: _Call, collaborators: Collaborators) -> tuple[Submission, ...]:
    body = strictjson.loads(call.body, limits.JSON_DEPTH) if call.body.strip() else {}
    if not isinstance(body, dict):
        raise errors.MalformedRequest(
            Message(nl="Stuur één JSON-object.", en="Send one JSON object.")
        )
    decision = {name: value for name, value in body.items() if name in DECISION}
    acceptance = {name: value for name, value in body.items() if name not in DECISION}
    return (
        _submission(ENDORSED, decision, call, collaborators),
        _submission(ACCEPTED, acceptance, call, collaborators),
    )


def _submission(
    name: str, sent: dict[str, Any], call: _Call, collaborators: Collaborators
) -> Submission:
    event, now = catalogue().event(name), collaborators.clock.now_us()
    data = codec.parse(event, sent, environment=collaborators.environment, on=date_of(now))
    event_id = f"{name}-{hashlib.sha256(call.key.encode()).hexdigest()[:32]}"
    return Submission(
        participant=call.principal.participant,
        client_id=call.principal.client_id,
        scopes=call.principal.scopes,
        event=event,
        sender_event_id=event_id,
        occurred_at=now,
        data=data,
        canonical=content(event_id, name, call.referral_id, data),
        subject=call.referral_id,
        traceparent=call.traceparent,
    )


def _answer(
    settled: tuple[ItemOutcome, ...], call: _Call, collaborators: Collaborators, *, dry_run: bool
) -> dict[str, Any]:
    """The referral as it is now, with a receipt for each event. Blocks."""
    if dry_run:
        shown = [outcomes.decision(one, collaborators.registry()) for one in settled]
        return {"referral_id": call.referral_id, "events": [one for two in shown for one in two]}
    viewer = viewer_of(call.principal, collaborators)
    trajectory_id = settled[-1].receipt.trajectory_id if settled[-1].receipt else None
    case = collaborators.cases.one(viewer.participant.id, trajectory_id or "")
    if case is None:
        raise problems.internal_error()
    referral = case.referrals[call.referral_id]
    return {
        "referral_id": referral.id,
        "state": referral.state,
        "trajectory_id": case.id,
        "programme": referral.programme,
        "receipts": [outcomes.receipt(one.receipt) for one in settled if one.receipt],
        "next": list(on_referral(case, referral, viewer)),
        **outcomes.warnings(settled, call.language),
    }
