"""Bounded HTTP towards a trusted issuer; the one module here that knows the HTTP library.

Each step (connecting, each read) ends within two seconds, a body within five and after one
mebibyte; no redirect is followed, and what is no JSON is refused. Environment proxies are not used.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpx

from gateway.errors import IssuerUnavailable
from gateway.exchange.trusted_issuers import is_safe_address
from schemas import strictjson
from schemas.errors import Message, StrictJsonError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from gateway.exchange.registry import Environment

MAX_BYTES: Final = 1024 * 1024
SECONDS: Final = 5.0
STEP_SECONDS: Final = 2.0
JSON_DEPTH: Final = 8
TYPES: Final = frozenset({"application/json", "application/jwk-set+json"})


@cache
def _trusted() -> ssl.SSLContext:
    """The library's authorities; reading all of them takes a while, so once a process."""
    return httpx.create_ssl_context(trust_env=False)


class Fetcher:
    """Asks trusted issuers; safe from any thread. Blocks.

    Args:
        environment: in `test` an address of this machine needs no TLS.
        seconds: how long a body may take in all.
        step_seconds: how long one step may take.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        seconds: float = SECONDS,
        step_seconds: float = STEP_SECONDS,
    ) -> None:
        self._environment = environment
        self._seconds = seconds
        self._client = httpx.Client(
            timeout=step_seconds,
            follow_redirects=False,
            trust_env=False,
            verify=_trusted(),
            headers={"accept": _ACCEPT},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, address: str) -> Any:
        """The JSON document at an address.

        Raises:
            IssuerUnavailable: 503; no answer in time, no 200, too large, or no JSON.
        """
        return self._asked("GET", address, None)

    def post(self, address: str, form: Mapping[str, str]) -> Any:
        """The JSON answer to a form, or None when that was refused with 400; raises as `get`."""
        return self._asked("POST", address, form)

    def _asked(self, method: str, address: str, form: Mapping[str, str] | None) -> Any:
        if not is_safe_address(address, self._environment):
            raise unavailable("address")
        until = time.monotonic() + self._seconds
        try:
            with self._client.stream(method, address, data=form) as answer:
                if form is not None and answer.status_code == httpx.codes.BAD_REQUEST:
                    return None
                _check_head(answer)
                body = _read(answer, until)
        except httpx.TransportError as error:
            raise unavailable(f"{_TRANSPORT}{type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise unavailable(type(error).__name__) from error
        try:
            return strictjson.loads(body, JSON_DEPTH)
        except StrictJsonError as error:
            raise unavailable("json") from error


_ACCEPT: Final = "application/json, application/jwk-set+json"
_TRANSPORT: Final = "transport_"
_AWAY: Final = (_TRANSPORT, "too_slow", "status_5")


def is_away(error: IssuerUnavailable) -> bool:
    """Whether the issuer is not there for anybody: no connection, no answer in time, or a 5xx.

    Everything else may have come of the one question that it answers.
    """
    return str(error.facts["reason"]).startswith(_AWAY)


def _check_head(answer: httpx.Response) -> None:
    if answer.status_code != httpx.codes.OK:
        raise unavailable(f"status_{answer.status_code}")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise unavailable("content_type")


def _read(answer: httpx.Response, until: float) -> bytes:
    """The body; a sender of one byte at a time is cut off as well."""
    parts, size = [], 0
    for chunk in answer.iter_bytes():
        size += len(chunk)
        if size > MAX_BYTES:
            raise unavailable("too_large")
        if time.monotonic() > until:
            raise unavailable("too_slow")
        parts.append(chunk)
    return b"".join(parts)


def unavailable(reason: str) -> IssuerUnavailable:
    """The refusal of a token that cannot be checked now; the reason is for the log."""
    return IssuerUnavailable(
        Message(
            nl="De uitgever van dit token antwoordt niet, zodat het niet te controleren is. "
            "Stuur dezelfde oproep straks opnieuw.",
            en="The issuer of this token does not answer, so that it cannot be checked. "
            "Send the same call again in a moment.",
        ),
        facts={"reason": reason},
    )
