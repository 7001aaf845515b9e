"""The feed: how fast one recipient reads its inbox, beside the same bytes served by nobody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import httpx

from tests.bench import floors
from tests.e2e.running_hub import OCMW, VDAB

if TYPE_CHECKING:
    from tests.bench.cases import Bench

Figures = dict[str, float]

FORMS: Final = {"JSON": "application/json", "NDJSON": "application/x-ndjson"}
_EVENT: Final = b'"specversion":"1.0"'
_NEXT: Final = b'"next":"'


def figures(bench: Bench, seconds: float) -> Figures:
    """Events a second in both forms: an inbox that was never read, then one that was.

    What is read first is disclosed, which takes a line in a log for each event.
    """
    found: Figures = {}
    url = str(bench.hub.where["gateway"])
    for participant, (form, accept) in zip((OCMW, VDAB), FORMS.items(), strict=True):
        headers = {"authorization": f"Bearer {bench.token(participant)}", "accept": accept}
        with httpx.Client(base_url=url, timeout=60, headers=headers) as http:
            found[f"feed {form}, first time, events/s"], _ = _read(http, seconds)
            found[f"feed {form}, events/s"], page = _read(http, seconds, goes_round=True)
        with (
            floors.answering(page) as port,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as http,
        ):
            found[f"feed {form} bare, events/s"], _ = _read(http, seconds, goes_round=True)
    return found


def last_cursor(bench: Bench, participant: str) -> str:
    """Where a feed ends now."""
    headers = {"authorization": f"Bearer {bench.token(participant)}"}
    after = ""
    with httpx.Client(base_url=str(bench.hub.where["gateway"]), timeout=60) as http:
        while True:
            body = _page(http, after, headers)
            after = _cursor(body)
            if _EVENT not in body:
                return after


def _read(http: httpx.Client, seconds: float, *, goes_round: bool = False) -> tuple[float, bytes]:
    """Events a second in the time there is, or until the end of the inbox; a page of them.

    Nothing is parsed but the cursor, so that little of the time is the reader's.
    """
    read, after, kept = 0, "", b""
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        body = _page(http, after)
        many = body.count(_EVENT)
        if not many and not goes_round:
            break
        read += many
        kept = kept or body
        after = _cursor(body) if many else ""
    return read / (time.perf_counter() - started), kept


def _page(http: httpx.Client, after: str, headers: dict[str, str] | None = None) -> bytes:
    given: dict[str, str | int] = {"limit": 500} | ({"after": after} if after else {})
    answer = http.get("/v1/feed", params=given, headers=headers)
    answer.raise_for_status()
    return answer.content


def _cursor(body: bytes) -> str:
    return body.rpartition(_NEXT)[2].partition(b'"')[0].decode()
