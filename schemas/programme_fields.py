"""Which fields of an event name programmes: those of format `programme`.

A programme is an open code: the rules that are published say which there are (`domain.md` §3.7).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.catalogue import EventType


def programmes_named(event: EventType, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and code of every programme in an event's data, which have been validated."""
    for path in _paths(event):
        value: Any = data
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, list):
            yield from ((f"{path}[{place}]", code) for place, code in enumerate(value))


@cache
def _paths(event: EventType) -> tuple[str, ...]:
    return tuple(one.path for one in event.fields if one.format == "programme")
