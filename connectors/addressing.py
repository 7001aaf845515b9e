"""Which aggregate an event is about, when the row only has the partner's own number.

Answers of the hub and delivered events say which trajectory a number belongs to and which
aggregates it has; that is remembered, so that a spreadsheet need not carry the hub's ids.
What cannot be known is left out: the hub then decides, or refuses and says what it misses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.schema_fit import event_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.checkpoint import Checkpoint, Known
    from connectors.identity import Identities
    from connectors.mapping import Mapped
    from connectors.planning import Outgoing

CREATING = frozenset(
    {
        "referral.created",
        "placement.planned",
        "outcome.recorded",
        "offer.published",
        "transition.right_registered",
    }
)
OPENING = "referral.created"


def address(
    mapped: Mapped, outgoing: Outgoing, known: Known | None, state: Checkpoint, ids: Identities
) -> dict[str, str]:
    """The attributes of one event: its map's, with `subject` and `trajectoryid` filled in."""
    attributes = dict(mapped.attributes)
    kind = aggregate_type(outgoing.event)
    trajectory = attributes.get("trajectoryid") or _trajectory(attributes, known, state, ids)
    if trajectory is not None and outgoing.event != OPENING:
        attributes["trajectoryid"] = trajectory
    if outgoing.event in CREATING or "subject" in attributes:
        return attributes
    subject = _subject(kind, trajectory, known, state)
    if subject is not None:
        attributes["subject"] = subject
    return attributes


def aggregate_type(event: str) -> str:
    """The kind of aggregate an event is about; empty for an event the catalogue lacks."""
    found = event_type(event)
    return "" if found is None else found.aggregate_type


def own_digest(attributes: Mapping[str, str], ids: Identities) -> str | None:
    """The digest of the partner's own number, when the map sets one."""
    own = attributes.get("sourcerecordid")
    return None if own is None else ids.digest("own", own)


def _trajectory(
    attributes: Mapping[str, str], known: Known | None, state: Checkpoint, ids: Identities
) -> str | None:
    if known is not None and known.trajectory_id is not None:
        return known.trajectory_id
    own = own_digest(attributes, ids)
    return None if own is None else state.trajectory(own)


def _subject(
    kind: str, trajectory: str | None, known: Known | None, state: Checkpoint
) -> str | None:
    if kind == "trajectory":
        return trajectory
    if known is not None and known.aggregate_id is not None:
        return known.aggregate_id
    if trajectory is None:
        return None
    found = state.aggregates(trajectory, kind)
    # Of several, the hub takes the one whose state allows the event, or says what it misses.
    return found[0] if len(found) == 1 else None
