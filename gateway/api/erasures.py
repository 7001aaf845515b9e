"""`/v1/erasures`: an organisation orders erasure of its own data about one person.

A person is named by a case, an own number or the caller's own reference, in the body and never by
a national number. The orderer reads how far it is and the signed report; whoever received something
finds the order by its id, or by the id of the `subject.erased` that told of it, and confirms.
For everybody else an order does not exist.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from consumers.clock import Clock
from gateway.api import parameters
from gateway.api.authentication import principal_with
from gateway.api.cases import Cases, Wanted
from gateway.api.collaborators import TokenVerifier
from gateway.api.documented import refusals
from gateway.api.problems import invalid_caller
from gateway.errors import UnknownRecord
from gateway.exchange.draft import unknown_case
from gateway.exchange.erasure import Erasure, Told
from gateway.exchange.erasure_store import ErasureStore
from gateway.exchange.erasures import Erasures
from gateway.exchange.pseudonym import pseudonym
from gateway.exchange.registry import Participant, Registry
from gateway.oauth.verifier import Principal
from schemas import erasure_report
from schemas.codelists import code_list
from schemas.errors import Message
from schemas.moments import to_rfc3339

SCOPE = "sj_referral_write"
MOST_CASES = 2_000
TRIED = "A dry run: what would be erased; nothing is written."
OrderId = Annotated[str, Path(max_length=64)]


class Order(BaseModel):
    """What is to be erased and why; exactly one of the three names the person.

    Attributes:
        trajectory_id: a case of the person.
        sourcerecordid: the caller's own number of one.
        subjectref: the person as the hub's events name them to the caller.
        legal_ground: code of `legal_ground`.
        reason: for the audit line, without any name or number.
    """

    model_config = ConfigDict(extra="forbid")

    trajectory_id: Annotated[str | None, Field(max_length=64)] = None
    sourcerecordid: Annotated[str | None, Field(max_length=128)] = None
    subjectref: Annotated[str | None, Field(max_length=100)] = None
    legal_ground: Annotated[str, Field(max_length=40)]
    reason: Annotated[str, Field(max_length=500)]

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if sum(one is not None for one in self._names()) != 1:
            raise ValueError("name the person once")
        return self

    def _names(self) -> tuple[str | None, ...]:
        return self.trajectory_id, self.sourcerecordid, self.subjectref


class Confirmation(BaseModel):
    """That the receiver erased its own copies."""

    model_config = ConfigDict(extra="forbid")

    erased: Annotated[bool, Field(strict=True)]


class Desk:
    """What the routes share.

    Args:
        pseudonym_key: of a participant's references.
        sign: a report of a kind as a compact JWS.
        hub: the installation, by its issuer identifier.
    """

    def __init__(
        self,
        *,
        erasures: Erasures,
        store: ErasureStore,
        cases: Cases,
        registry: Callable[[], Registry],
        pseudonym_key: Callable[[str], bytes],
        sign: Callable[[str, Mapping[str, Any]], str],
        verifier: TokenVerifier,
        clock: Clock,
        hub: str,
    ) -> None:
        self.erasures, self.store, self.cases = erasures, store, cases
        self.registry, self.pseudonym_key, self.sign = registry, pseudonym_key, sign
        self.caller = principal_with(verifier, SCOPE)
        self.clock, self.hub = clock, hub

    def participant(self, principal: Principal) -> Participant:
        """The calling participant."""
        found = self.registry().participant(principal.participant)
        if found is None:
            raise invalid_caller()
        return found

    def case_of(self, participant: Participant, wanted: Order) -> str:
        """The case by which the person is named; raises UnknownCase when there is none."""
        if wanted.trajectory_id is not None:
            return wanted.trajectory_id
        asked = Wanted(source_record_id=wanted.sourcerecordid, limit=MOST_CASES)
        key = self.pseudonym_key(participant.id)
        for case in self.cases.of(participant.id, asked):
            if wanted.subjectref in (None, pseudonym(key, case.subject_id)):
                return case.id
        raise unknown_case()

    def ordered(self, participant: Participant, order_id: str) -> Erasure:
        """An order of the caller's organisation; raises UnknownRecord otherwise."""
        found = self.store.find(order_id)
        if found is None or found.organisation != participant.organisation:
            raise _unknown()
        return found

    def shown(self, participant: Participant, found: Erasure) -> dict[str, Any]:
        """One order as its orderer sees it."""
        return self._document(participant, found, self.store.told(found.id))

    def report(self, participant: Participant, found: Erasure) -> dict[str, Any]:
        """The report with its text, and both in the signature."""
        document = self.shown(participant, found) | {
            "hub": self.hub,
            "issued_at": to_rfc3339(self.clock.now_us()),
        }
        document["text"] = erasure_report.text(document)
        return document | {"signature": self.sign(erasure_report.TYPE, document)}

    def _document(
        self, participant: Participant, found: Erasure, told: Sequence[Told]
    ) -> dict[str, Any]:
        key = self.pseudonym_key(participant.id)
        sometimes = {"number_index": found.number_kept, "own_topics": found.by_kafka}
        remains = [one for one in erasure_report.REMAINS if sometimes.get(one, True)]
        return {
            "erasure_id": found.id,
            "stage": found.stage,
            "ordered_by": found.organisation,
            "ordered_at": to_rfc3339(found.ordered_at),
            "legal_ground": found.legal_ground,
            "subjectref": pseudonym(key, found.subject_ids[0]),
            "cases": list(found.trajectory_ids),
            "erased": {
                "events": found.events,
                "keys_destroyed_at": _moment(found.destroyed_at),
                "final_at": _moment(found.completed_at),
            },
            "told": [self._receiver(one) for one in told],
            "remains": remains,
            "nature": erasure_report.NATURE,
        }

    def _receiver(self, one: Told) -> dict[str, Any]:
        found = self.registry().participant(one.participant)
        return {
            "participant": one.participant,
            "organisation": one.participant if found is None else found.organisation_name,
            "told_at": to_rfc3339(one.told_at),
            "confirmed_at": _moment(one.confirmed_at),
            "reminded": one.reminded,
        }


def router(desk: Desk) -> APIRouter:
    """All routes."""
    routes = APIRouter(tags=["erasures"])
    _add_orders(routes, desk)
    _add_receipts(routes, desk)
    return routes


def _add_orders(routes: APIRouter, desk: Desk) -> None:
    @routes.post(
        "/v1/erasures",
        status_code=201,
        summary="Order the erasure of the own data about one person",
        responses=refusals(404, 409, 422) | {200: {"description": TRIED}},
    )
    def order(
        principal: Annotated[Principal, Depends(desk.caller)],
        request: Request,
        response: Response,
        wanted: Order,
        dry_run: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query's flag
    ) -> dict[str, Any]:
        key = parameters.idempotency_key(request.headers.get("idempotency-key"), required=True)
        participant = desk.participant(principal)
        _check_ground(wanted.legal_ground)
        found = desk.erasures.order(
            participant,
            principal.client_id,
            desk.case_of(participant, wanted),
            wanted.legal_ground,
            reason=wanted.reason,
            key=str(key),
            now=desk.clock.now_us(),
            dry_run=dry_run,
        )
        if dry_run:
            response.status_code = 200
            return desk.shown(participant, found) | {"dry_run": True}
        return desk.shown(participant, found)

    @routes.get("/v1/erasures", summary="What the caller ordered, and what it has to confirm")
    def orders(principal: Annotated[Principal, Depends(desk.caller)]) -> dict[str, Any]:
        participant = desk.participant(principal)
        found = desk.store.listed(participant.organisation, participant.id)
        return {
            "ordered": [desk.shown(participant, one) for one, is_own in found if is_own],
            "to_confirm": [
                _notice(one, confirmed)
                for one, is_own in found
                if not is_own
                for confirmed in [_own_receipt(desk.store.told(one.id), participant.id)]
            ],
        }

    @routes.get("/v1/erasures/{order_id}", summary="One order", responses=refusals(404))
    def one(
        principal: Annotated[Principal, Depends(desk.caller)], order_id: OrderId
    ) -> dict[str, Any]:
        participant = desk.participant(principal)
        return desk.shown(participant, desk.ordered(participant, order_id))

    @routes.get(
        "/v1/erasures/{order_id}/report", summary="The signed report", responses=refusals(404)
    )
    def report(
        principal: Annotated[Principal, Depends(desk.caller)], order_id: OrderId
    ) -> dict[str, Any]:
        participant = desk.participant(principal)
        return desk.report(participant, desk.ordered(participant, order_id))


def _add_receipts(routes: APIRouter, desk: Desk) -> None:
    @routes.post(
        "/v1/erasures/{order_id}/receipts",
        summary="Confirm that the own copies are erased",
        responses=refusals(404),
    )
    def confirm(
        principal: Annotated[Principal, Depends(desk.caller)], order_id: OrderId, said: Confirmation
    ) -> dict[str, Any]:
        participant = desk.participant(principal)
        if not said.erased:
            raise parameters.invalid(
                "erased",
                "not_erased",
                "Bevestig met true, zodra de eigen kopieën gewist zijn.",
                "Confirm with true, once the own copies are erased.",
            )
        known = desk.store.behind_notice(order_id) or order_id
        if not desk.store.confirm(known, participant.id, desk.clock.now_us()):
            raise _unknown()
        confirmed = _own_receipt(desk.store.told(known), participant.id)
        return {"erasure_id": known, "confirmed_at": _moment(confirmed)}


def _own_receipt(told: Sequence[Told], participant: str) -> int | None:
    return next((one.confirmed_at for one in told if one.participant == participant), None)


def _notice(found: Erasure, confirmed: int | None) -> dict[str, Any]:
    """What a receiver may know of an order: no more than the event told it."""
    return {
        "erasure_id": found.id,
        "ordered_by": None if found.is_masked else found.organisation,
        "legal_ground": found.legal_ground,
        "confirmed_at": _moment(confirmed),
    }


def _check_ground(ground: str) -> None:
    if ground not in code_list("legal_ground").codes:
        codes = ", ".join(code_list("legal_ground").codes)
        raise parameters.invalid(
            "legal_ground", "unknown_code", f"Geef een van: {codes}.", f"Give one of: {codes}."
        )


def _moment(at: int | None) -> str | None:
    return None if at is None else to_rfc3339(at)


def _unknown() -> UnknownRecord:
    return UnknownRecord(
        Message(
            nl="Deze opdracht bestaat niet, of is niet van u. Controleer het nummer.",
            en="This order does not exist, or is none of yours. Check the identifier.",
        )
    )
