"""`GET /v1/evidence` and `/v1/evidence/indicators`: figures instead of questionnaires (R15).

The scope is `sj_feed_read`: reading figures is reading what the hub has for the caller, and
`domain.md` §4 has no scope of its own for it. The administrator's `sj_admin` opens it too.
"""

from typing import Annotated, Any, Final

import orjson
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query
from fastapi.requests import Request
from fastapi.responses import Response

from consumers import figures, rollup
from consumers.clock import date_of
from consumers.figures import Cell, Question
from gateway import errors
from gateway.api.authentication import caller, require_scope
from gateway.api.collaborators import Collaborators, Figures
from gateway.api.evidence_answer import Answer, described
from gateway.api.evidence_question import Asked, places, question
from gateway.api.problems import invalid_caller, language_of
from gateway.exchange.registry import Participant
from gateway.oauth.verifier import Principal
from schemas.errors import Message
from schemas.indicators import indicators

SCOPE: Final = "sj_feed_read"
ADMIN_SCOPE: Final = "sj_admin"
CSV: Final = "text/csv"


class StoredFigures:
    """Figures of the facts in the consumers' store; safe from several threads."""

    def __init__(self, consumers: sa.Engine) -> None:
        self._consumers = consumers

    def cells(self, asked: Question, tree: rollup.Place) -> tuple[list[Cell], set[str]]:
        """The cells and the rule sets that applied; blocks on the store."""
        with self._consumers.connect() as connection:
            found = figures.read(connection, asked)
        return figures.cells(found, asked, tree), found.rule_sets


def router(collaborators: Collaborators) -> APIRouter:
    """The two routes."""
    routes = APIRouter()
    authenticated = caller(collaborators)

    @routes.get("/v1/evidence")
    def evidence(
        request: Request,
        principal: Annotated[Principal, Depends(authenticated)],
        asked_for: Annotated[Asked, Depends(_asked)],
    ) -> Response:
        store = _switched_on(collaborators)
        reader = _reader(collaborators, principal)
        registry, today = collaborators.registry(), date_of(collaborators.clock.now_us())
        asked = question(asked_for, reader, registry, today)
        is_csv = _wants_csv(request.headers.get("accept"))
        language = language_of(request.headers.get("accept-language"))
        cells, rule_sets = store.cells(asked, places(registry, asked.place, today))
        answer = Answer(asked, cells, rule_sets, registry, language)
        if not is_csv:
            return _json(answer.document())
        return Response(
            answer.csv(),
            media_type=f"{CSV}; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{asked.indicator.code}.csv"'},
        )

    @routes.get("/v1/evidence/indicators")
    def definitions(
        request: Request, principal: Annotated[Principal, Depends(authenticated)]
    ) -> dict[str, Any]:
        require_scope(principal, SCOPE, ADMIN_SCOPE)
        language = language_of(request.headers.get("accept-language"))
        return {"indicators": [described(one, language) for one in indicators().values()]}

    return routes


def _asked(  # noqa: PLR0917 - FastAPI gives them by name
    indicator: Annotated[str, Query(max_length=40)],
    first: Annotated[str | None, Query(alias="from", max_length=10)] = None,
    last: Annotated[str | None, Query(alias="to", max_length=10)] = None,
    by: Annotated[str | None, Query(max_length=120)] = None,
    nis: Annotated[str | None, Query(max_length=5)] = None,
    programme: Annotated[str | None, Query(max_length=40)] = None,
    own: Annotated[bool | None, Query()] = None,
) -> Asked:
    return Asked(indicator, first, last, by, nis, programme, own)


def _switched_on(collaborators: Collaborators) -> Figures:
    """Evidence is off in production until a controller is registered for it (`domain.md` §4)."""
    if collaborators.figures is None:
        raise errors.EvidenceOff(
            Message(
                nl="Cijfers staan uit tot een verantwoordelijke is aangewezen "
                "(SCHAKEL_EVIDENCE_CONTROLLER). Vraag het de beheerder van de hub.",
                en="Figures are off until a controller is designated "
                "(SCHAKEL_EVIDENCE_CONTROLLER). Ask the hub's administrator.",
            )
        )
    return collaborators.figures


def _reader(collaborators: Collaborators, principal: Principal) -> Participant:
    require_scope(principal, SCOPE, ADMIN_SCOPE)
    found = collaborators.registry().participant(principal.participant)
    if found is None:
        raise invalid_caller()
    return found


def _wants_csv(accept: str | None) -> bool:
    """Whether CSV is asked for before JSON.

    Raises:
        NotAcceptable: neither is.
    """
    kinds = [one.partition(";")[0].strip().lower() for one in (accept or "*/*").split(",")]
    for kind in kinds:
        if kind in (CSV, "text/*"):
            return True
        if kind in ("application/json", "application/*", "*/*"):
            return False
    raise errors.NotAcceptable(
        Message(
            nl="Vraag application/json of text/csv.", en="Ask for application/json or text/csv."
        )
    )


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
