"""The part of a receiver's answer that is kept with a failed attempt: short, and nobody in it.

Receivers repeat what they were sent when they refuse it, in whatever way their language writes it.
So whatever holds a word of the event, a number, an address or a word about health is left out as a
whole, also when it is escaped, in another encoding, or without its accents.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

import orjson

from schemas.free_text import holds_number, word_list

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 300
SCANNED: Final = 4096
LEFT_OUT: Final = "[withheld]"
_SHORTEST_VALUE: Final = 3
_PERSONAL: Final = re.compile(r"@|\d[\d ./-]{7,}\d")
_ESCAPED: Final = re.compile(r"\\[ux]((?<=u)[0-9a-fA-F]{4}|(?<=x)[0-9a-fA-F]{2})")
_CONTROL: Final = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")


def excerpt(answer: bytes, sent: bytes) -> str | None:
    """The beginning of an answer, or that it was left out; None when it was empty.

    Args:
        answer: what came back, of which 4 KiB are looked at.
        sent: the JSON that was sent; none of its values may come back.
    """
    looked_at = answer[:SCANNED]
    text = _CONTROL.sub(" ", looked_at.decode("utf-8", "replace")).strip()
    if not text:
        return None
    values = _values(sent)
    if any(_tells(reading, values) for reading in _readings(looked_at)):
        return LEFT_OUT
    return text[:LONGEST]


def _readings(answer: bytes) -> Iterator[str]:
    """The answer as each of the ways to write a text would have it read."""
    for encoding in ("utf-8", "cp1252", "utf-16-le", "utf-16-be"):
        text = answer.decode(encoding, "replace")
        yield text
        yield html.unescape(unquote_plus(_ESCAPED.sub(_character, text)))


def _character(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16))


def _tells(text: str, values: set[str]) -> bool:
    """Whether it may be about somebody."""
    if _PERSONAL.search(text) or holds_number(text) or word_list().mentions_health(text):
        return True
    plain = _folded(text)
    return any(value in plain for value in values)


def _folded(text: str) -> str:
    """Without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))


def _values(sent: bytes) -> set[str]:
    """The words of the event's data."""
    try:
        document = orjson.loads(sent)
    except orjson.JSONDecodeError:
        return set()
    data = document.get("data") if isinstance(document, dict) else None
    found = {_folded(word) for text in _texts(data) for word in (text, *text.split())}
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
