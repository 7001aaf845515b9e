"""A webhook receiver that refuses whatever names the person, and repeats it in its answer."""

from __future__ import annotations

import html
import json
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

from consumers.challenge import TYPE
from tests.consumers.receivers import Reply
from tests.e2e.canary_values import PERSON, VALUES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.consumers.receivers import Got

REFUSED: Final = 400
SAYINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: json.dumps({"unknown": text}),
    lambda text: f"unknown: {urllib.parse.quote(text)}",
    lambda text: f"<p>unknown: {_in_html(text)}</p>",
)


def answer(got: Got, number: int) -> Reply:
    """Takes a challenge and what names nobody; says the name of whoever it refuses."""
    event: dict[str, Any] = json.loads(got.body)
    if event["type"] == TYPE:
        return Reply(body=json.dumps(event["data"]).encode())
    texts = (PERSON.family_name, *(one.text for one in VALUES.values()))
    named = next((one for one in texts if one in got.body.decode()), None)
    if named is None:
        return Reply()
    return Reply(REFUSED, SAYINGS[number % len(SAYINGS)](named).encode())


def _in_html(text: str) -> str:
    escaped = html.escape(text)
    return "".join(one if one.isascii() else f"&#{ord(one)};" for one in escaped)
