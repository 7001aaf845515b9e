"""`GET /v1/trajectories` and `/v1/trajectories/{id}`: own cases and what may follow."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query

from consumers.clock import date_of
from gateway import errors
from gateway.api import parameters
from gateway.api.authentication import caller, require_scope
from gateway.api.cases import Wanted
from gateway.api.collaborators import Collaborators
from gateway.api.next_events import NextEvents, Viewer, creatable, next_events
from gateway.api.problems import invalid_caller
from gateway.exchange.decision import HUB
from gateway.exchange.passages import Journey
from gateway.exchange.registry import Registry
from gateway.exchange.state import Trajectory
from gateway.oauth.verifier import Principal
from schemas.errors import Message
from schemas.lifecycle import lifecycles
from schemas.moments import to_rfc3339

SCOPE: Final = "sj_referral_read"
ADMIN_SCOPE: Final = "sj_admin"
_HUB: Final = {"participant": HUB, "name": "Schakel"}


def router(collaborators: Collaborators) -> APIRouter:
    """The two routes; both need `sj_referral_read`."""
    routes = APIRouter()
    authenticated = caller(collaborators, SCOPE)
    anybody = caller(collaborators)

    @routes.get("/v1/trajectories")
    def trajectories(
        principal: Annotated[Principal, Depends(authenticated)],
        sourcerecordid: Annotated[str | None, Query(max_length=128)] = None,
        state: Annotated[str | None, Query(max_length=40)] = None,
        updated_since: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        since = None
        if updated_since is not None:
            since = parameters.instant_us(updated_since, "updated_since")
        if state is not None and state not in lifecycles()["trajectory"].states:
            raise _unknown_state()
        wanted = Wanted(sourcerecordid, state, since, limit)
        registry = collaborators.registry()
        found = collaborators.cases.of(principal.participant, wanted)
        return {"trajectories": [_summary(one, registry) for one in found]}

    @routes.get("/v1/trajectories/{trajectory_id}")
    def trajectory(
        principal: Annotated[Principal, Depends(anybody)],
        trajectory_id: Annotated[str, Path(max_length=64)],
    ) -> dict[str, Any]:
        if ADMIN_SCOPE in principal.scopes:
            return _for_administrator(principal, trajectory_id, collaborators)
        require_scope(principal, SCOPE)
        found = collaborators.cases.one(principal.participant, trajectory_id)
        if found is None:
            raise unknown_case()
        viewer = viewer_of(principal, collaborators)
        entries = collaborators.journeys.trajectory(trajectory_id, principal.participant)
        return {
            **_summary(found, viewer.registry),
            "aggregates": [_aggregate(one) for one in next_events(found, viewer)],
            "next": list(creatable(found, viewer)),
            "timeline": [_entry(one, viewer.registry) for one in entries],
        }

    return routes


def _for_administrator(
    principal: Principal, trajectory_id: str, collaborators: Collaborators
) -> dict[str, Any]:
    """The way of a case for the operator: events and journeys, no state and no payload."""
    entries = collaborators.journeys.trajectory(trajectory_id, principal.participant)
    if not entries:
        raise unknown_case()
    registry = collaborators.registry()
    return {
        "trajectory_id": trajectory_id,
        "timeline": [_entry(one, registry) for one in entries],
    }


def viewer_of(principal: Principal, collaborators: Collaborators) -> Viewer:
    """Who asks, today.

    Raises:
        InvalidToken: 401, the registry no longer holds the participant.
    """
    registry = collaborators.registry()
    participant = registry.participant(principal.participant)
    if participant is None:
        raise invalid_caller()
    return Viewer(participant, registry, date_of(collaborators.clock.now_us()))


def unknown_case() -> errors.UnknownRecord:
    """The one answer for a case that does not exist and for a case of others."""
    return errors.UnknownRecord(
        Message(
            nl="Dit dossier bestaat niet, of u bent er geen partij in.",
            en="This case does not exist, or you are no party to it.",
        )
    )


def _unknown_state() -> errors.InvalidParameter:
    known = ", ".join(lifecycles()["trajectory"].states)
    return parameters.invalid(
        "state", "unknown_state", f"Geef één van: {known}.", f"Give one of: {known}."
    )


def _summary(trajectory: Trajectory, registry: Registry) -> dict[str, Any]:
    return {
        "trajectory_id": trajectory.id,
        "state": trajectory.state,
        "territory_nis": trajectory.territory_nis,
        "case_holder": _party(trajectory.holder, registry),
        "proposed_holder": _party(trajectory.proposed_holder, registry),
        "offered_holder": _party(trajectory.offered_holder, registry),
        "holder_due": trajectory.holder_due,
        "updated_at": to_rfc3339(trajectory.last_event_at),
    }


def _party(participant_id: str | None, registry: Registry) -> dict[str, str] | None:
    """A participant by id and name; a sensitive sender by neither."""
    participant = registry.participant(participant_id) if participant_id else None
    if participant is None:
        return None
    organisation = registry.organisation(participant.organisation)
    if organisation is not None and organisation.sensitive_sender:
        return None
    return {"participant": participant.id, "name": participant.name}


def _aggregate(one: NextEvents) -> dict[str, Any]:
    return {
        "type": one.aggregate_type,
        "id": one.aggregate_id,
        "state": one.state,
        "next": list(one.events),
    }


def _entry(one: Journey, registry: Registry) -> dict[str, Any]:
    row = one.row
    entry: dict[str, Any] = {
        "event_id": row.event_id,
        "type": row.event_name,
        "aggregate_id": row.aggregate_id,
        "occurred_at": to_rfc3339(row.occurred_at),
        "recorded_at": to_rfc3339(row.recorded_at),
        "from": _HUB if one.sender == HUB else _party(one.sender, registry),
        "own": one.is_own,
    }
    if one.is_own and row.participant != HUB:
        entry["id"] = row.sender_event_id
    return entry
