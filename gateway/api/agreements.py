"""`/v1/agreements`: organisations propose, sign and end what they share, and try it out before.

An agreement is seen by its parties only: for everybody else it does not exist. Reading needs a
client of a party; proposing and signing need the scope `sj_agreement_write`. What counts is the
signature, made with the organisation's own key: a token alone signs nothing.
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from consumers.clock import Clock
from gateway.api.agreement_trial import add_trial
from gateway.api.authentication import authenticate, require_scope
from gateway.api.collaborators import TokenVerifier
from gateway.api.documented import refusals
from gateway.api.problems import invalid_caller
from gateway.exchange import agreement_life as life
from gateway.exchange.agreement_store import AgreementStore, Caller, seen
from gateway.exchange.registry import RegisteredAgreement, Registry
from gateway.exchange.registry_live import LiveRegistry
from gateway.oauth.verifier import Principal
from schemas.agreement_diff import differences
from schemas.canonical import canonical
from schemas.moments import to_rfc3339

SCOPE = "sj_agreement_write"

_SCHEMAS = "#/components/schemas/"
Shown = Annotated[dict[str, Any], WithJsonSchema({"$ref": f"{_SCHEMAS}Agreement"})]
Listed = Annotated[dict[str, Any], WithJsonSchema({"$ref": f"{_SCHEMAS}AgreementList"})]
Compared = Annotated[dict[str, Any], WithJsonSchema({"$ref": f"{_SCHEMAS}AgreementDiff"})]
Document = Annotated[
    dict[str, Any],
    # Within a model pydantic looks a bare reference up among its own.
    WithJsonSchema({"allOf": [{"$ref": f"{_SCHEMAS}AgreementDocument"}]}),
]

PROPOSED_BEFORE: dict[str, Any] = {
    "description": "The same document was proposed before.",
    "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}Agreement"}}},
}
DOCUMENT: dict[str, Any] = {
    "description": "The document; its SHA-256 is the agreement's hash.",
    "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}AgreementDocument"}}},
}
SIGNING = """\
The body holds a compact JWS (RFC 7515). Its payload is the RFC 8785 form of a statement:
`{"act": "accept", "agreement_id": …, "at": "2026-03-02T10:00:00Z", "document_hash": …,
"party": URN}`, with a `reason` of the code list `agreement_reason` when it rejects or revokes.
`act` is the last part of the path, `document_hash` the SHA-256 in hexadecimal of the document's
RFC 8785 form. The header is `{"alg", "kid", "typ": "schakel-agreement+jws"}` and nothing else:
`kid` names a key of the organisation in the registry, `alg` follows from it (ES256, PS256, EdDSA).
The statement is signed at most a week ago. The same act of the same party again changes nothing.
"""

AgreementId = Annotated[str, Path(max_length=64)]
Act = Literal["accept", "reject", "revoke"]


class SignedAct(BaseModel):
    """What a party signed: a compact JWS over its statement."""

    model_config = ConfigDict(extra="forbid")

    jws: Annotated[str, Field(min_length=1, max_length=4096)]


class _Calls:
    """What the routes share."""

    def __init__(
        self, live: LiveRegistry, store: AgreementStore, verifier: TokenVerifier, clock: Clock
    ) -> None:
        self.live = live
        self.store = store
        self.verifier = verifier
        self.clock = clock

    def party(self, request: Request) -> Caller:
        """The organisation that calls."""
        return self._caller(authenticate(self.verifier, request.scope))

    def signatory(self, request: Request) -> Caller:
        """The organisation that calls, by a client that may propose and sign."""
        principal = authenticate(self.verifier, request.scope)
        require_scope(principal, SCOPE)
        return self._caller(principal)

    def _caller(self, principal: Principal) -> Caller:
        participant = self.live.current().participant(principal.participant)
        if participant is None:
            raise invalid_caller()
        return Caller(participant.organisation, principal.client_id)

    def seen(self, agreement_id: str, caller: Caller) -> RegisteredAgreement:
        """The agreement, which the caller is a party of; raises UnknownRecord otherwise."""
        return seen(self.live.refresh(), agreement_id, caller.organisation)

    def shown(self, agreement: RegisteredAgreement) -> dict[str, Any]:
        """One agreement as its parties see it, with every signature."""
        registry = self.live.current()
        return _shown(agreement, registry) | {
            "acts": [
                {
                    **asdict(one),
                    "signed_at": to_rfc3339(one.signed_at),
                    "recorded_at": to_rfc3339(one.recorded_at),
                }
                for one in self.store.acts(agreement.id)
            ]
        }


def router(
    *, live: LiveRegistry, store: AgreementStore, verifier: TokenVerifier, clock: Clock
) -> APIRouter:
    """All routes; every one refuses a caller without a token before it reads anything."""
    calls = _Calls(live, store, verifier, clock)
    routes = APIRouter(tags=["agreements"])
    _add_reading(routes, calls)
    _add_writing(routes, calls)
    add_trial(routes, calls.signatory, live, clock)
    return routes


def _add_reading(routes: APIRouter, calls: _Calls) -> None:
    @routes.get("/v1/agreements", summary="The agreements that the caller is a party of")
    def agreements(
        caller: Annotated[Caller, Depends(calls.party)],
        status: Annotated[str | None, Query(max_length=20)] = None,
    ) -> Listed:
        registry = calls.live.refresh()
        found = [
            one
            for one in sorted(registry.agreements.values(), key=lambda one: one.id)
            if caller.organisation in one.agreement.parties and status in (None, one.status)
        ]
        return {"agreements": [_shown(one, registry) for one in found]}

    @routes.get(
        "/v1/agreements/{agreement_id}",
        summary="One agreement, with its signatures",
        responses=refusals(404),
    )
    def agreement(
        caller: Annotated[Caller, Depends(calls.party)], agreement_id: AgreementId
    ) -> Shown:
        return calls.shown(calls.seen(agreement_id, caller))

    @routes.get(
        "/v1/agreements/{agreement_id}/document",
        summary="The document in its RFC 8785 form, over which its hash runs",
        responses={200: DOCUMENT, **refusals(404)},
    )
    def document(
        caller: Annotated[Caller, Depends(calls.party)], agreement_id: AgreementId
    ) -> Response:
        found = calls.seen(agreement_id, caller)
        body = canonical(calls.store.document(found.id))
        return Response(body, media_type="application/json", headers={"etag": f'"{found.hash}"'})

    @routes.get(
        "/v1/agreements/{agreement_id}/diff",
        summary="How it differs from another one",
        responses=refusals(404),
    )
    def diff(
        caller: Annotated[Caller, Depends(calls.party)],
        agreement_id: AgreementId,
        against: Annotated[str, Query(max_length=64)],
    ) -> Compared:
        newer, older = (calls.seen(one, caller) for one in (agreement_id, against))
        found = differences(older.agreement, newer.agreement)
        return {"older": older.id, "newer": newer.id, "differences": [asdict(one) for one in found]}


def _add_writing(routes: APIRouter, calls: _Calls) -> None:
    @routes.post(
        "/v1/agreements",
        status_code=201,
        summary="Put an agreement before its parties",
        responses={200: PROPOSED_BEFORE, **refusals(409, 422)},
    )
    def propose(
        caller: Annotated[Caller, Depends(calls.signatory)],
        document: Annotated[Document, Body()],
        response: Response,
    ) -> Shown:
        is_new = calls.store.propose(document, caller)
        if not is_new:
            response.status_code = 200
        return calls.shown(calls.seen(str(document["agreement_id"]), caller))

    for act in get_args(Act):
        _add_act(routes, calls, act)


def _add_act(routes: APIRouter, calls: _Calls, act: Act) -> None:
    """A path of its own for each act, so that no other path takes a POST for one."""

    @routes.post(
        f"/v1/agreements/{{agreement_id}}/{act}",
        summary=f"{act.capitalize()} it, signed",
        description=SIGNING,
        responses=refusals(404, 409, 422),
    )
    def sign(
        caller: Annotated[Caller, Depends(calls.signatory)],
        agreement_id: AgreementId,
        signed: SignedAct,
    ) -> Shown:
        calls.store.act(agreement_id, act, signed.jws, caller)
        return calls.shown(calls.seen(agreement_id, caller))


def _shown(found: RegisteredAgreement, registry: Registry) -> dict[str, Any]:
    agreement = found.agreement
    has_begun = found.is_evaluable and found.status not in {life.PROPOSED, life.REJECTED}
    return {
        "agreement_id": found.id,
        "status": found.status,
        "document_hash": found.hash,
        "parties": [
            {"organisation": urn, "name": _name(registry, urn)} for urn in agreement.parties
        ],
        "legal": dict(agreement.legal),
        "validity": {
            "from": agreement.valid_from.isoformat() if found.is_evaluable else None,
            "to": agreement.valid_to.isoformat() if agreement.valid_to else None,
        },
        "supersedes": agreement.supersedes,
        "proposed_by": found.proposed_by,
        "activated_at": to_rfc3339(agreement.activated_at) if has_begun else None,
        "revoked_at": None if found.revoked_at is None else to_rfc3339(found.revoked_at),
        "is_evaluable": found.is_evaluable,
        "allowed": list(life.allowed(found.status)),
    }


def _name(registry: Registry, urn: str) -> str | None:
    organisation = registry.organisation(urn)
    return None if organisation is None else organisation.name
