"""The part of a receiver's answer that is kept with a failed attempt: short, and nobody in it.

Receivers repeat what they were sent when they refuse it. So whatever holds a word of the event, a
number, an address or a word about health is left out as a whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from schemas.free_text import holds_number, word_list

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 300
SCANNED: Final = 4096
LEFT_OUT: Final = "[withheld]"
_SHORTEST_VALUE: Final = 3
_PERSONAL: Final = re.compile(r"@|\d[\d ./-]{7,}\d")
_CONTROL: Final = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")


def excerpt(answer: bytes, sent: bytes) -> str | None:
    """The beginning of an answer, or that it was left out; None when it was empty.

    Args:
        answer: what came back, of which 4 KiB are looked at.
        sent: the JSON that was sent; none of its values may come back.
    """
    text = _CONTROL.sub(" ", answer[:SCANNED].decode("utf-8", "replace")).strip()
    if not text:
        return None
    if _PERSONAL.search(text) or holds_number(text) or word_list().mentions_health(text):
        return LEFT_OUT
    plain = text.casefold()
    if any(value in plain for value in _values(sent)):
        return LEFT_OUT
    return text[:LONGEST]


def _values(sent: bytes) -> set[str]:
    """The words of the event's data."""
    try:
        document = orjson.loads(sent)
    except orjson.JSONDecodeError:
        return set()
    data = document.get("data") if isinstance(document, dict) else None
    found = {word.casefold() for text in _texts(data) for word in (text, *text.split())}
    return {one for one in found if len(one) >= _SHORTEST_VALUE}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
