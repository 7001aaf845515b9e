"""What a no of the person does: it counts at once, on every trajectory of the person.

Recorded by any member, for the person (`domain.md` §3.4, §4). The doors read it from the holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange import holds, objection_tasks
from gateway.exchange.draft import broken
from gateway.exchange.holds import CONSENT_WITHDRAWN, OBJECTION, Hold
from gateway.exchange.trajectory_effects import moved

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.exchange.draft import Draft, Move
    from gateway.exchange.holds import Holds


def objected(draft: Draft, move: Move) -> None:
    """Hold every delivery in the scope of the objection, and ask each controller to decide."""
    moved(draft, move)
    _add(draft, OBJECTION, move.data)
    objection_tasks.ask(draft, _scope(OBJECTION, move.data)[1])


def lifted(draft: Draft, move: Move) -> None:
    """Let through again what that objection held."""
    moved(draft, move)
    scope = _scope(OBJECTION, move.data)
    _change(draft, lambda held: holds.ended(held, scope, draft.context.now))
    objection_tasks.settle(draft)


def withdrawn(draft: Draft, move: Move) -> None:
    """Consent is no ground any more, from now on."""
    moved(draft, move)
    _add(draft, CONSENT_WITHDRAWN, move.data)


def consented(draft: Draft) -> None:
    """A new reference to consent means that it was given anew, to whoever submits it."""
    given = draft.data.get("consent_ref") or (draft.data.get("values") or {}).get("consent_ref")
    if draft.trajectory is None or not given:
        return
    organisation, now = draft.sender.organisation, draft.context.now
    if any(one.kind == CONSENT_WITHDRAWN for one in draft.person.holds):
        _change(draft, lambda held: holds.renewed(held, organisation, now))


def objection_in_force(draft: Draft, move: Move) -> None:
    """Only an objection that stands is lifted, in the scope in which it was recorded."""
    if holds.in_force(draft.person.holds, _scope(OBJECTION, move.data)):
        return
    raise broken(
        "no_such_objection",
        "Er staat geen bezwaar met dit scope open. Geef scope zoals het bezwaar genoteerd werd.",
        "No objection of this scope stands. Give scope as the objection was recorded.",
        "scope",
    )


def _add(draft: Draft, kind: str, data: dict[str, Any]) -> None:
    _, organisation, purpose = _scope(kind, data)
    now, subject = draft.context.now, draft.person.id
    hold = Hold(kind, subject, now, organisation, purpose)
    _change(draft, lambda held: holds.added(held, hold))


def _change(draft: Draft, change: Callable[[Holds], Holds]) -> None:
    """On this record of the person, and on every other that was linked to it."""
    own = draft.person
    draft.subject = replace(own, holds=change(own.holds))
    for one in draft.context.linked:
        draft.others.append(replace(one, holds=change(one.holds)))


def _scope(kind: str, data: dict[str, Any]) -> tuple[str, str | None, str | None]:
    scope = data.get("scope") or {}
    return kind, scope.get("organisation"), scope.get("purpose")
