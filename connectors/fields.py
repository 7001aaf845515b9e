"""Field paths such as `person.given_name` and `assignments[0].mentor.phone`: read and write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def parts_of(path: str) -> tuple[str | int, ...]:
    """The steps of a path: names as text, array positions as numbers."""
    return tuple(name or int(index) for name, index in _PART.findall(path))


def value_at(data: Any, path: str) -> Any:
    """The value at `path`, None when any step of it is absent."""
    found = data
    for part in parts_of(path):
        if isinstance(part, str):
            found = found.get(part) if isinstance(found, Mapping) else None
        elif isinstance(found, list) and part < len(found):
            found = found[part]
        else:
            return None
    return found


def assign(data: dict[str, Any], path: str, value: Any) -> None:
    """Put `value` at `path`, making the records and arrays on the way.

    An array position past the end appends: positions in a map are in order, and one whose cells
    are all empty leaves no hole.
    """
    parts = parts_of(path)
    here: Any = data
    for part, following in zip(parts, (*parts[1:], None), strict=True):
        if following is None:
            _put(here, part, value)
            return
        here = _step(here, part, [] if isinstance(following, int) else {})


def _step(here: Any, part: str | int, empty: Any) -> Any:
    if isinstance(part, str):
        return here.setdefault(part, empty)
    if part < len(here):
        return here[part]
    here.append(empty)
    return here[-1]


def _put(here: Any, part: str | int, value: Any) -> None:
    if isinstance(part, str) or part < len(here):
        here[part] = value
    else:
        here.append(value)
