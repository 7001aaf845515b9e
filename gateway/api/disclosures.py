"""The disclosure log over HTTP: for auditors, for each participant, and for a person's question.

`POST /v1/audit/disclosures` is for auditors and administrators, who say why; the reason is logged
before anything is read. `GET /v1/disclosures` is a participant's own: what it was given, or what
became of its events. `GET /v1/trajectories/{id}/disclosures` is what a case holder hands to the
person: who saw what of the case, and why.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import orjson
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field

from consumers import disclosure_log
from consumers.clock import Clock
from consumers.disclosure_log import Period, Place
from consumers.disclosures import Disclosure
from consumers.scope import WHOLE_HUB, Scope
from gateway import errors
from gateway.api import parameters
from gateway.api.authentication import principal_with, require_scope
from gateway.api.cases import Cases
from gateway.api.collaborators import TokenVerifier
from gateway.api.cursors import invalid_cursor
from gateway.api.documented import refusals
from gateway.api.problems import language_of
from gateway.api.trajectories import unknown_case
from gateway.exchange import audit
from gateway.exchange.disclosure_answer import Answer
from gateway.exchange.disclosure_shapes import SHAPES, Seals
from gateway.exchange.registry import Registry
from gateway.oauth.verifier import Principal
from schemas.errors import Message
from schemas.moments import to_rfc3339

AUDIT_SCOPES: Final = ("sj_audit", "sj_admin")
OWN_SCOPE: Final = "sj_feed_read"
CASE_SCOPE: Final = "sj_referral_read"
CONTROLLERS: Final = frozenset({"V", "O", "W"})
READ, ACCESS = "disclosures.read", "subject.access"
ACCESS_REASON: Final = "access request of the person (GDPR art. 15)"


class Reading(BaseModel):
    """What an auditor reads, and why.

    Attributes:
        since: first instant, RFC 3339.
        until: the instant after the last.
        after: `next` of the page before.
        reason: for the audit line, without any name or number.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    shape: Literal["auditregister", "logboek"]
    since: Annotated[str, Field(alias="from", max_length=40)]
    until: Annotated[str, Field(alias="to", max_length=40)]
    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
    after: Annotated[str | None, Field(max_length=300)] = None
    limit: Annotated[int, Field(ge=1, le=1000, strict=True)] = 500


class Desk:
    """What the routes share.

    Args:
        log: read-only engine of the consumers' store.
        ledger: the ledger's store, writing, for audit lines.
        cases: a participant's own.
        seal: encrypts the id of a person, for exports.
        hub: the installation, by its issuer identifier.
    """

    def __init__(
        self,
        *,
        log: sa.Engine,
        ledger: sa.Engine,
        cases: Cases,
        registry: Callable[[], Registry],
        seal: Seals,
        verifier: TokenVerifier,
        clock: Clock,
        hub: str,
    ) -> None:
        self.log, self.ledger, self.cases = log, ledger, cases
        self.registry, self.seal = registry, seal
        self.caller = principal_with(verifier)
        self.clock, self.hub = clock, hub

    def note(self, principal: Principal, act: str, target: str, reason: str) -> None:
        """Write the audit line, in a transaction of its own before anything is read."""
        with self.ledger.begin() as connection:
            audit.record(
                connection,
                actor=principal.client_id,
                act=act,
                target=target,
                reason=reason,
                now_us=self.clock.now_us(),
            )

    def export(self, principal: Principal, reading: Reading) -> dict[str, Any]:
        """A page for an auditor, noted first."""
        period = _period(reading.since, reading.until)
        after = None if reading.after is None else _place(reading.after)
        self.note(principal, READ, f"{reading.shape} {_told(period)}", reason=reading.reason)
        with self.log.connect() as connection:
            lines = disclosure_log.page(
                connection,
                WHOLE_HUB,
                period,
                after=after,
                limit=reading.limit,
                persons_only=True,
            )
        shape = SHAPES[reading.shape]
        return {
            "shape": reading.shape,
            "lines": [shape(one, self.seal, self.hub) for one in lines],
            "next": _next(lines, reading.limit),
        }

    def own(
        self, principal: Principal, side: str, period: Period, after: Place | None, limit: int
    ) -> dict[str, Any]:
        """A page of a participant's own, with the period's counts."""
        participant = principal.participant
        scope = Scope(participant) if side == "received" else Scope(participant, "producer")
        with self.log.connect() as connection:
            lines = disclosure_log.page(connection, scope, period, after=after, limit=limit)
            counts = disclosure_log.counts(connection, scope, period)
        answer = Answer(self.registry(), "nl")
        is_received = side == "received"
        return {
            "side": side,
            "counts": [answer.count(one, is_received=is_received) for one in counts],
            "lines": [answer.own_line(one, is_received=is_received) for one in lines],
            "next": _next(lines, limit),
        }

    def of_person(self, principal: Principal, trajectory_id: str, language: str) -> dict[str, Any]:
        """What whom saw of a case, for its holder to hand over; noted first.

        Raises:
            UnknownRecord: 404, no case of the caller's.
            NotCaseHolder: 403, a case that somebody else holds.
        """
        case = self.cases.one(principal.participant, trajectory_id)
        if case is None:
            raise unknown_case()
        if case.holder != principal.participant or principal.role not in CONTROLLERS:
            raise _not_holder()
        self.note(principal, ACCESS, trajectory_id, ACCESS_REASON)
        with self.log.connect() as connection:
            lines = disclosure_log.of_case(connection, WHOLE_HUB, trajectory_id)
        answer = Answer(self.registry(), language)
        return {
            "trajectory_id": trajectory_id,
            "asked_at": to_rfc3339(self.clock.now_us()),
            "lines": [answer.person_line(one) for one in lines],
            "note": answer.note,
        }


def router(desk: Desk) -> APIRouter:
    """The three routes."""
    routes = APIRouter(tags=["disclosures"])

    @routes.post(
        "/v1/audit/disclosures", summary="The disclosure log, for an auditor with a reason"
    )
    def read(
        reading: Reading, principal: Annotated[Principal, Depends(desk.caller)]
    ) -> dict[str, Any]:
        require_scope(principal, *AUDIT_SCOPES)
        return desk.export(principal, reading)

    @routes.get("/v1/disclosures", summary="What was given to the caller, or of the caller's")
    def own(  # noqa: PLR0917 - FastAPI gives them by name
        principal: Annotated[Principal, Depends(desk.caller)],
        since: Annotated[str, Query(alias="from", max_length=40)],
        until: Annotated[str, Query(alias="to", max_length=40)],
        side: Annotated[Literal["received", "given"], Query()] = "received",
        after: Annotated[str | None, Query(max_length=300)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        require_scope(principal, OWN_SCOPE)
        place = None if after is None else _place(after)
        return desk.own(principal, side, _period(since, until), place, limit)

    @routes.get(
        "/v1/trajectories/{trajectory_id}/disclosures",
        summary="Who saw what of a case, and why: the answer to a person's access request",
        responses=refusals(404),
    )
    def of_person(
        request: Request,
        principal: Annotated[Principal, Depends(desk.caller)],
        trajectory_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,64}$")],
    ) -> dict[str, Any]:
        require_scope(principal, CASE_SCOPE)
        language = language_of(request.headers.get("accept-language"))
        return desk.of_person(principal, trajectory_id, language)

    return routes


def _period(since: str, until: str) -> Period:
    found = Period(parameters.instant_us(since, "from"), parameters.instant_us(until, "to"))
    if found.since >= found.until:
        raise parameters.invalid("to", "not_later", "to moet na from liggen.", "to is not later.")
    return found


def _told(period: Period) -> str:
    return f"{to_rfc3339(period.since)}/{to_rfc3339(period.until)}"


def _next(lines: list[Disclosure], limit: int) -> str | None:
    if len(lines) < limit:
        return None
    packed = orjson.dumps([*disclosure_log.place_of(lines[-1])])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _place(text: str) -> Place:
    try:
        at, event_id, participant, door, revision = orjson.loads(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        )
    except (binascii.Error, ValueError, TypeError) as error:
        raise invalid_cursor() from error
    texts = all(isinstance(one, str) and "\0" not in one for one in (event_id, participant, door))
    if not texts or not _is_number(at) or not _is_number(revision):
        raise invalid_cursor()
    return Place(at, event_id, participant, door, revision)


def _is_number(found: Any) -> bool:
    return type(found) is int and 0 <= found < 2**31 * 2**31


def _not_holder() -> errors.NotCaseHolder:
    return errors.NotCaseHolder(
        Message(
            nl="Alleen VDAB, het OCMW of de organisator die het dossier houdt, beantwoordt dit. "
            "Stuur de vraag van de persoon naar die dossierhouder.",
            en="Only the VDAB, OCMW or organiser that holds the case answers this. "
            "Send the person's question to that case holder.",
        )
    )
