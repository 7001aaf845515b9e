"""What the hub answers, as values: receipts, the items of a batch, a page of the feed.

The bodies come from another system, so every reader here takes what it knows and refuses a shape
that it cannot read; nothing is assumed to be there because it usually is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.errors import HubUnavailable
from connectors.sdk import Event
from schemas.errors import InvalidParam, Message

TYPE_PREFIX = "be.schakel.activation.v1."


@dataclass(frozen=True, slots=True)
class Receipt:
    """The hub's proof that an event is in its ledger; `body` is the whole receipt as it came."""

    event_id: str
    trajectory_id: str | None
    aggregate_id: str | None
    body: Mapping[str, Any]


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

    @property
    def is_recorded(self) -> bool:
        """Whether the event is in the ledger, now or since an earlier try."""
        return self.status in {"accepted", "duplicate"}


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
        raise _unreadable()
    return Receipt(
        event_id=event_id,
        trajectory_id=_text(found, "trajectory_id") or _text(body, "trajectory_id"),
        aggregate_id=_text(found, "aggregate_id") or _text(body, "aggregate_id"),
        body=dict(found),
    )


def item_of(body: Any) -> ItemAnswer:
    """Read one entry of a batch answer's `items`."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        raise _unreadable()
    status = body.get("status")
    if status not in {"accepted", "duplicate", "rejected", "blocked"}:
        raise _unreadable()
    receipt = body.get("receipt")
    if status in {"accepted", "duplicate"} and not isinstance(receipt, Mapping):
        raise _unreadable()
    allowed = body.get("allowed")
    return ItemAnswer(
        id=body["id"],
        status=status,
        step=_text(body, "step"),
        code=_text(body, "code"),
        detail=_text(body, "detail"),
        invalid=invalid_params(body.get("invalidParams")),
        allowed=tuple(str(name) for name in allowed) if isinstance(allowed, list) else (),
        receipt=receipt_of(receipt) if isinstance(receipt, Mapping) else None,
    )


def page_of(body: Any) -> Page:
    """Read one page of the feed."""
    if not isinstance(body, Mapping) or not isinstance(body.get("events"), list):
        raise _unreadable()
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
        raise _unreadable()
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


def _unreadable() -> HubUnavailable:
    # An answer that cannot be read leaves unknown what was written, so the call is sent again.
    return HubUnavailable(
        Message(
            nl="De hub antwoordde in een vorm die deze koppeling niet kan lezen.",
            en="The hub answered in a form that this connector cannot read.",
        )
    )
