"""Keep contacts of staff apart from the rest of an event's data.

They are sealed under a key of their own and live shorter (`domain.md` §3.3).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from schemas.catalogue import STAFF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.catalogue import EventType

Steps = tuple[str, ...]
"""Way to a staff contact: field names, `[]` for every item of a list."""

_EVERY: Final = "[]"


def split_staff(
    event: EventType, data: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the data without its staff contacts, and those by their path; None when it has none.

    A path is `contact_person` or `assignments[0].mentor`. What was given is not changed.
    """
    main = dict(data)
    staff: dict[str, Any] = {}
    for steps in _ways(event):
        if steps[0] in main:
            _take(main, steps, "", staff)
    return main, staff or None


def merge_staff(data: Mapping[str, Any], staff: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the data with its staff contacts back where they were; the inverse of the split.

    Raises:
        KeyError, IndexError: the data does not have what a path passes through.
    """
    merged = dict(data)
    for path, contact in (staff or {}).items():
        *parents, last = path.replace("[", ".[").split(".")
        inside: Any = merged
        for step in parents:
            # Copied on the way, so that the caller's data stays as it was.
            key: Any = int(step[1:-1]) if step.startswith("[") else step
            inside[key] = inside[key].copy()
            inside = inside[key]
        inside[last] = contact
    return merged


def _take(record: dict[str, Any], steps: Steps, prefix: str, staff: dict[str, Any]) -> None:
    """Move what is at the end of `steps` out of `record`, which is a copy already."""
    name, rest = steps[0], steps[1:]
    value = record.get(name)
    if value is None:
        return
    path = f"{prefix}{name}"
    if not rest:
        staff[path] = record.pop(name)
    elif rest[0] == _EVERY:
        items = record[name] = [dict(item) for item in value]
        for index, item in enumerate(items):
            _take(item, rest[1:], f"{path}[{index}].", staff)
    else:
        record[name] = inner = dict(value)
        _take(inner, rest, f"{path}.", staff)


@cache
def _ways(event: EventType) -> tuple[Steps, ...]:
    """Return the way to every record all of whose fields are staff contacts."""
    by_parent: dict[str, bool] = {}
    for field in event.fields:
        parent, _, _ = field.path.rpartition(".")
        by_parent[parent] = by_parent.get(parent, True) and field.fieldset == STAFF
    return tuple(
        tuple(parent.replace(_EVERY, f".{_EVERY}").split("."))
        for parent, is_staff in by_parent.items()
        if parent and is_staff
    )
