"""What the hub answers, as values: receipts, the items of a batch, a page of the feed.

The bodies come from another system, so every reader here takes what it knows and refuses a shape
that it cannot read; nothing is assumed to be there because it usually is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import HubUnavailable
from connectors.sdk import Event
from schemas.errors import InvalidParam, Message

TYPE_PREFIX = "be.schakel.activation.v1."


@dataclass(frozen=True, slots=True)
class Warned:
    """What the hub tells beside an acceptance.

    Attributes:
        code: stable.
        detail: a sentence in the client's language.
        rules: ids of the programme rules behind it.
    """

    code: str
    detail: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The hub's proof that an event is in its ledger; `body` is the whole receipt as it came.

    Attributes:
        is_duplicate: it was there before; only a single event's answer says so.
        warnings: what to look at; of a single event's answer only.
    """

    event_id: str
    trajectory_id: str | None
    aggregate_id: str | None
    # Not shown: its salt opens what the hub committed to.
    body: Mapping[str, Any] = field(repr=False)
    is_duplicate: bool = field(default=False, compare=False)
    warnings: tuple[Warned, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """The answer to one event: `status` is accepted, duplicate, rejected or blocked.

    Blocked is not an answer to the event itself: an earlier event of its trajectory in the same
    batch was refused. It may be sent again.
    """

    id: str
    status: str
    step: str | None = None
    code: str | None = None
    detail: str | None = None
    invalid: tuple[InvalidParam, ...] = ()
    allowed: tuple[str, ...] = ()
    receipt: Receipt | None = None
    warnings: tuple[Warned, ...] = ()

    @property
    def is_recorded(self) -> bool:
        """Whether the event is in the ledger, now or since an earlier try."""
        return self.status in {"accepted", "duplicate"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who would get an event of a dry run.

    Attributes:
        excluded: why not, a stable code; None when it would.
        withheld: paths of the fields that it would not get.
    """

    participant: str
    role: str
    agreement: str | None = None
    excluded: str | None = None
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """One event that would be recorded, the one sent or one that follows from it."""

    type: str
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What the hub would do with an event that it takes; nothing was written."""

    events: tuple[Decided, ...]
    warnings: tuple[Warned, ...]


@dataclass(frozen=True, slots=True)
class Refilled:
    """What one call for a backfill put back.

    Attributes:
        added: how many events came.
        more_from: from when there is more, RFC 3339; None when that was all.
    """

    added: int
    more_from: str | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """One step of a feed: an event, a cursor, or both.

    Attributes:
        event: None when only the position moved.
        cursor: after this step; None when the form of the feed tells it later.
        behind: how many more there are, when the hub said so with this step.
    """

    event: Event | None
    cursor: str | None = None
    behind: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the caller's inbox.

    Attributes:
        events: in the order of the inbox.
        next: the cursor after the last event of this page; opaque.
        behind: how many more there are, when the hub says so.
    """

    events: tuple[Event, ...]
    next: str | None
    behind: int


def receipt_of(body: Mapping[str, Any]) -> Receipt:
    """Read a receipt, either the body itself or its member `receipt`."""
    inner = body.get("receipt")
    found: Mapping[str, Any] = inner if isinstance(inner, Mapping) else body
    event_id = found.get("event_id")
    if not isinstance(event_id, str):
        raise unreadable()
    return Receipt(
        event_id=event_id,
        trajectory_id=_text(found, "trajectory_id") or _text(body, "trajectory_id"),
        aggregate_id=_text(found, "aggregate_id") or _text(body, "aggregate_id"),
        body=dict(found),
        is_duplicate=body.get("status") == "duplicate",
        warnings=warnings_of(body.get("warnings")),
    )


def item_of(body: Any) -> ItemAnswer:
    """Read one entry of a batch answer's `items`."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        raise unreadable()
    status = body.get("status")
    if status not in {"accepted", "duplicate", "rejected", "blocked"}:
        raise unreadable()
    receipt = body.get("receipt")
    if status in {"accepted", "duplicate"} and not isinstance(receipt, Mapping):
        raise unreadable()
    return ItemAnswer(
        id=body["id"],
        status=status,
        step=_text(body, "step"),
        code=_text(body, "code"),
        detail=_text(body, "detail"),
        invalid=invalid_params(body.get("invalidParams")),
        allowed=_texts(body.get("allowed")),
        receipt=receipt_of(receipt) if isinstance(receipt, Mapping) else None,
        warnings=warnings_of(body.get("warnings")),
    )


def warnings_of(found: Any) -> tuple[Warned, ...]:
    """Read `warnings`; entries that are no objects are left out."""
    return tuple(
        Warned(
            code=str(one.get("code", "")),
            detail=str(one.get("detail", "")),
            rules=_texts(one.get("rules")),
        )
        for one in _objects(found)
    )


def dry_run_of(body: Mapping[str, Any]) -> DryRun:
    """Read the answer to one event of a dry run."""
    return DryRun(
        events=tuple(
            Decided(
                type=str(one.get("type", "")),
                recipients=tuple(_recipient(who) for who in _objects(one.get("recipients"))),
            )
            for one in _objects(body.get("events"))
        ),
        warnings=warnings_of(body.get("warnings")),
    )


def _recipient(found: Mapping[str, Any]) -> Recipient:
    return Recipient(
        participant=str(found.get("participant", "")),
        role=str(found.get("role", "")),
        agreement=_text(found, "agreement"),
        excluded=_text(found, "excluded"),
        withheld=_texts(found.get("withheld")),
    )


def refilled_of(body: Mapping[str, Any]) -> Refilled:
    """Read the answer to a call for a backfill."""
    added = body.get("added")
    if not isinstance(added, int):
        raise unreadable()
    return Refilled(added, _text(body, "more_from"))


def page_of(body: Any) -> Page:
    """Read one page of the feed."""
    if not isinstance(body, Mapping) or not isinstance(body.get("events"), list):
        raise unreadable()
    following = body.get("next")
    behind = body.get("behind")
    return Page(
        events=tuple(event_of(entry) for entry in body["events"]),
        next=None if following is None else str(following),
        behind=behind if isinstance(behind, int) else 0,
    )


def event_of(body: Any) -> Event:
    """Read one delivered CloudEvent in structured form."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        raise unreadable()
    data = body.get("data")
    return Event(
        id=body["id"],
        type=str(body.get("type", "")).removeprefix(TYPE_PREFIX),
        attributes={name: value for name, value in body.items() if name != "data"},
        data=data if isinstance(data, Mapping) else {},
    )


def invalid_params(found: Any) -> tuple[InvalidParam, ...]:
    """Read `invalidParams`; entries that are no objects are left out."""
    if not isinstance(found, list):
        return ()
    entries = [entry for entry in found if isinstance(entry, Mapping)]
    return tuple(
        InvalidParam(
            name=str(entry.get("name", "")),
            code=str(entry.get("code", "")),
            reason=Message(nl=str(entry.get("reason", "")), en=str(entry.get("reason", ""))),
        )
        for entry in entries
    )


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None


def _objects(found: Any) -> list[Mapping[str, Any]]:
    listed = found if isinstance(found, list) else []
    return [one for one in listed if isinstance(one, Mapping)]


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def unreadable() -> HubUnavailable:
    """An answer that cannot be read: what was written is unknown, so the call is sent again."""
    return HubUnavailable(
        Message(
            nl="De hub antwoordde in een vorm die deze koppeling niet kan lezen.",
            en="The hub answered in a form that this connector cannot read.",
        )
    )
