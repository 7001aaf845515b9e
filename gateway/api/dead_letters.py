"""`/v1/subscriptions/{id}/dead-letters`: seen, redriven or discarded by owner or administrator.

Nobody sees a payload here. Every redrive and discard leaves a line for the auditors, written first.
"""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.engine import Connection

from consumers import dead_letters, deliveries
from consumers.dead_letters import Choice, DeadLetter
from consumers.scope import Scope
from gateway import errors
from gateway.api import letter_acts, subscription_documents
from gateway.api.documented import refusals
from gateway.api.letter_acts import Acted, Part
from gateway.api.subscription_desk import Desk, scope_of
from gateway.api.subscription_documents import Choosing
from gateway.oauth.verifier import Principal
from schemas.errors import Message

HERE: Final = "/v1/subscriptions/{subscription_id}/dead-letters"
REDRIVE, DISCARD = "dead_letters.redrive", "dead_letters.discard"

Id = Annotated[str, Path(max_length=36)]


def add_dead_letters(routes: APIRouter, desk: Desk, caller: Any) -> None:
    """The routes on dead letters. `caller` gives the principal and checks its scope."""
    _add_reading(routes, desk, caller)

    @routes.post(
        HERE + "/redrive",
        summary="Send the chosen ones again, rendered anew, under their own ids",
        responses=refusals(404),
    )
    def redrive(
        principal: Annotated[Principal, Depends(caller)], subscription_id: Id, wanted: Choosing
    ) -> Acted:
        found = desk.one(subscription_id, scope_of(principal))
        choice, after = letter_acts.chosen(wanted), letter_acts.placed(wanted.after)
        if wanted.dry_run:
            return letter_acts.redrive_tried(desk, found, choice)

        def act(connection: Connection, page: list[DeadLetter]) -> Part:
            kept = dead_letters.kept(connection, page)
            by, why = principal.client_id, wanted.reason.strip()
            again = dead_letters.redrive(connection, kept, by=by, why=why, now=desk.clock.now_us())
            return Part(again, len(page) - len(kept))

        desk.note(principal, REDRIVE, found, wanted.reason)
        done = letter_acts.act_on(desk, found, choice, after, act)
        desk.wake()
        return done

    @routes.post(
        HERE + "/discard", summary="Give the chosen ones up for good", responses=refusals(404)
    )
    def discard(
        principal: Annotated[Principal, Depends(caller)], subscription_id: Id, wanted: Choosing
    ) -> Acted:
        found = desk.one(subscription_id, scope_of(principal))
        choice, after = letter_acts.chosen(wanted), letter_acts.placed(wanted.after)
        if wanted.dry_run:
            return letter_acts.discard_tried(desk, found, choice)

        def act(connection: Connection, page: list[DeadLetter]) -> Part:
            by, why = principal.client_id, wanted.reason.strip()
            dead_letters.discard(connection, page, by=by, why=why, now=desk.clock.now_us())
            return Part(page)

        desk.note(principal, DISCARD, found, wanted.reason)
        return letter_acts.act_on(desk, found, choice, after, act)


def _add_reading(routes: APIRouter, desk: Desk, caller: Any) -> None:
    @routes.get(HERE, summary="What was given up on, the newest first", responses=refusals(404))
    def listed(  # noqa: PLR0917 - one parameter a filter
        principal: Annotated[Principal, Depends(caller)],
        subscription_id: Id,
        state: Literal["open", "redriven", "discarded"] | None = "open",
        code: Annotated[str | None, Query(max_length=40)] = None,
        before: Annotated[str | None, Query(max_length=36)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        found = desk.one(subscription_id, scope_of(principal))
        with desk.reading.connect() as connection:
            rows = dead_letters.find(
                connection,
                Scope(found.participant),
                found.id,
                Choice(code=code),
                state=state,
                limit=limit,
                before=before,
            )
        return {
            "dead_letters": [subscription_documents.dead_letter(one) for one in rows],
            "before": rows[-1].id if len(rows) == limit else None,
        }

    @routes.get(
        HERE + "/{letter_id}", summary="One, with all its attempts", responses=refusals(404)
    )
    def one(
        principal: Annotated[Principal, Depends(caller)], subscription_id: Id, letter_id: Id
    ) -> dict[str, Any]:
        found = desk.one(subscription_id, scope_of(principal))
        scope = Scope(found.participant)
        with desk.reading.connect() as connection:
            rows = dead_letters.find(
                connection, scope, found.id, Choice(ids=(letter_id,)), state=None, limit=1
            )
            if not rows:
                raise errors.UnknownRecord(
                    Message(
                        nl="Dit onbestelbaar bericht bestaat niet, of is niet van u.",
                        en="This dead letter does not exist, or is not yours.",
                    )
                )
            tried = deliveries.attempts_of(connection, scope, found.id, rows[0].seq)
        return subscription_documents.dead_letter(rows[0], tried)
