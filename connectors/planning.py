"""What a row asks the hub for, given what was acknowledged of it before: a pure policy.

    never acknowledged      the event of its map
    same content            nothing
    other content           the correction of its type: `subject.details_changed` for the person,
                            `referral.corrected` and the like for the rest; both when both changed
    other content, no such correction      refused, with what to do

A correction carries only the changed fields, and `cleared` names those that are gone.
The revision rises only past what was acknowledged: A, B, A, B are one event, three corrections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.errors import RowRefused
from connectors.fields import assign, value_at
from schemas.errors import Message

if TYPE_CHECKING:
    from connectors.checkpoint import Known
    from connectors.identity import Identities
    from connectors.mapping import Mapped

DETAILS_CHANGED = "subject.details_changed"
_PERSONAL = ("person", "insz")
_CORRECTIONS = {
    "referral.created": "referral.corrected",
    "placement.planned": "placement.corrected",
    "placement.started": "placement.corrected",
    "outcome.recorded": "outcome.corrected",
    "offer.published": "offer.updated",
}
# Sent again as a whole, naming the report that it replaces.
_REPLACED = frozenset({"placement.hours_reported"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to publish for a row.

    Attributes:
        id: derived; the same for every try.
        event: its name; for a correction another than the map's.
        data: the event data.
        changes: field path to the digest it has once this event is recorded, None when cleared.
        revision: the revision it makes.
    """

    id: str
    event: str
    data: Mapping[str, Any]
    changes: Mapping[str, str | None]
    revision: int


def plan(mapped: Mapped, known: Known | None, identities: Identities) -> tuple[Outgoing, ...]:
    """Return the events that this row asks for, none when nothing changed.

    Raises:
        RowRefused: the row changed and its event cannot be corrected by a row.
    """
    digests = _digests(mapped, identities)
    before: Mapping[str, str] = {} if known is None else known.digests
    changes: dict[str, str | None] = {
        path: digest for path, digest in digests.items() if before.get(path) != digest
    }
    changes |= dict.fromkeys(set(before) - set(digests))
    if known is not None and not changes:
        return ()
    revision = 1 if known is None else known.revision + 1
    return tuple(
        Outgoing(
            # The content is the changed part only: what was acknowledged apart must not alter it.
            id=identities.event_id(
                event,
                (mapped.event, *mapped.key),
                revision,
                identities.digest("content", sorted(part.items())),
            ),
            event=event,
            data=data,
            changes=part,
            revision=revision,
        )
        for event, data, part in _split(mapped, known, changes)
    )


def after(known: Known | None, outgoing: Outgoing) -> dict[str, str]:
    """The digests that are known of the row once `outgoing` is recorded."""
    before = {} if known is None else known.digests
    merged = {**before, **outgoing.changes}
    return {path: digest for path, digest in merged.items() if digest is not None}


def _digests(mapped: Mapped, identities: Identities) -> dict[str, str]:
    return {
        path: identities.digest("field", mapped.event, path, value)
        for path, value in mapped.values.items()
    }


_Part = tuple[str, Mapping[str, Any], Mapping[str, "str | None"]]


def _split(mapped: Mapped, known: Known | None, changes: Mapping[str, str | None]) -> list[_Part]:
    """The events, their data and what each of them tells."""
    if known is None:
        return [(mapped.event, mapped.data, changes)]
    if mapped.event in _REPLACED:
        return [(mapped.event, {**mapped.data, "correction_of": known.event_id}, changes)]
    correction = _CORRECTIONS.get(mapped.event)
    if correction is None:
        raise _not_correctable(mapped.event)
    personal: dict[str, str | None] = {}
    if mapped.event == "referral.created":
        personal = {
            path: digest for path, digest in changes.items() if path.split(".", 1)[0] in _PERSONAL
        }
    other = {path: digest for path, digest in changes.items() if path not in personal}
    parts = ((DETAILS_CHANGED, personal), (correction, other))
    return [(event, _changed_data(mapped, part), part) for event, part in parts if part]


def _changed_data(mapped: Mapped, part: Mapping[str, str | None]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for path in sorted(path for path, digest in part.items() if digest is not None):
        assign(data, path, value_at(mapped.data, path))
    cleared = sorted(path for path, digest in part.items() if digest is None)
    if cleared:
        data["cleared"] = cleared
    return data


def _not_correctable(event: str) -> RowRefused:
    return RowRefused(
        "row_changed",
        Message(
            nl=f"Deze rij werd al verstuurd als {event} en is nu anders; dat kan niet met een rij. "
            "Zet de rij terug of stuur de gebeurtenis die de nieuwe toestand meldt.",
            en=f"This row was sent as {event} before and differs now; a row cannot change that. "
            "Put the row back or send the event that tells the new state.",
        ),
    )
