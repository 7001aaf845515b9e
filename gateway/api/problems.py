"""Problem details (RFC 9457): the one place where a refusal becomes an answer.

Routes raise; they never build error answers. A problem holds a stable `code`, a title and a detail
in Dutch or English by `Accept-Language`, and the names of the fields at fault. It never repeats a
value that was sent: a sentence may name a field, a code list or a municipality, not a person.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson

from gateway import errors
from gateway.exchange.driver import is_down
from gateway.oauth.proof_keys import ALGORITHMS
from schemas.errors import InvalidParam, Message, SchakelError

CONTENT_TYPE: Final = b"application/problem+json"
LANGUAGES: Final = ("nl", "en")

# The Belgian government's REST guide names these types; ours are in a name space of their own.
_BELGIF: Final = {
    "missing_scope": "urn:problem-type:belgif:missingScope",
    "bad_request": "urn:problem-type:belgif:badRequest",
    "invalid_token": "urn:problem-type:belgif:invalidAccessToken",
    "not_found": "urn:problem-type:belgif:resourceNotFound",
    "body_too_large": "urn:problem-type:belgif:payloadTooLarge",
    "unavailable": "urn:problem-type:belgif:serviceUnavailable",
    "overloaded": "urn:problem-type:belgif:serviceUnavailable",
    "internal_error": "urn:problem-type:belgif:internalServerError",
}
_RETRY_SECONDS: Final = (1, 4)
_BEARER: Final = b'Bearer realm="schakel"'
_DPOP: Final = b'DPoP realm="schakel", algs="%s"' % " ".join(ALGORITHMS).encode()


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal, ready to be sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


def language_of(accept_language: bytes | str | None) -> str:
    """The caller's language: the first of nl and en by weight, Dutch when neither is asked for."""
    if not accept_language:
        return LANGUAGES[0]
    text = (
        accept_language.decode("latin-1") if isinstance(accept_language, bytes) else accept_language
    )
    best, best_weight = LANGUAGES[0], 0.0
    for part in text[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower()[:2]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def type_of(code: str) -> str:
    """The problem type URI of a code: Belgif's where the guide has one, else ours."""
    return _BELGIF.get(code) or f"urn:problem-type:schakel:{code}"


def invalid_params(invalid: Iterable[InvalidParam], language: str) -> list[dict[str, str]]:
    """The fields at fault as `invalidParams`."""
    return [
        {"name": param.name, "code": param.code, "reason": param.reason.text(language)}
        for param in invalid
    ]


def members(error: SchakelError, language: str, trace_id: str) -> dict[str, Any]:
    """The members of the problem document."""
    document: dict[str, Any] = {
        "type": type_of(error.code),
        "title": error.title.text(language),
        "status": error.status,
        "detail": error.detail.text(language),
        "instance": f"urn:schakel:trace:{trace_id}",
        "code": error.code,
    }
    for name, value in error.facts.items():
        document.setdefault(name, value)
    if error.invalid:
        document["invalidParams"] = invalid_params(error.invalid, language)
    return document


def problem(error: SchakelError, *, language: str, trace_id: str) -> Problem:
    """The answer to a refused or failed request."""
    headers = [
        (b"content-language", language.encode()),
        (b"cache-control", b"no-store"),
        (b"belgov-trace-id", trace_id.encode()),
        *_headers_of(error),
    ]
    body = orjson.dumps(members(error, language, trace_id))
    return Problem(error.status, body, tuple(headers))


def _headers_of(error: SchakelError) -> list[tuple[bytes, bytes]]:
    if error.status == HTTPStatus.UNAUTHORIZED:
        return _challenges(error)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        # Jitter, so that callers turned away together do not come back together.
        seconds = random.uniform(*_RETRY_SECONDS)  # noqa: S311 - spreading load, not a secret
        return [(b"retry-after", b"%d" % round(seconds))]
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return [(b"retry-after", b"%d" % error.facts["retry_after"])]
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED and "allow" in error.facts:
        return [(b"allow", ", ".join(error.facts["allow"]).encode())]
    if error.status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        # What is left of the body is not read, so the connection cannot be used again.
        return [(b"connection", b"close")]
    return []


def _challenges(error: SchakelError) -> list[tuple[bytes, bytes]]:
    """How to authenticate (RFC 6750 §3, RFC 9449 §7.1), and what was wrong with the attempt."""
    if isinstance(error, errors.InvalidProof):
        headers = [(b"www-authenticate", _DPOP + b', error="%s"' % error.code.encode())]
        if isinstance(error, errors.NonceRequired):
            headers.append((b"dpop-nonce", error.facts["nonce"].encode()))
        return headers
    is_wrong = isinstance(error, errors.InvalidToken) and not error.facts.get("absent")
    suffix = b', error="invalid_token"' if is_wrong else b""
    return [(b"www-authenticate", scheme + suffix) for scheme in (_BEARER, _DPOP)]


def internal_error() -> errors.InternalError:
    """The hub's own fault: the caller learns that it happened, not what it was."""
    return errors.InternalError(
        Message(
            nl="Er ging iets mis in de hub. Vermeld de verwijzing (instance) aan de beheerder.",
            en="Something went wrong in the hub. Tell the operator the reference (instance).",
        )
    )


def from_failure(error: Exception) -> SchakelError:
    """What an endpoint raised, as one of our errors: only a defect of ours is a 500."""
    if isinstance(error, SchakelError):
        return error
    return unavailable() if is_down(error) else internal_error()


def unavailable() -> errors.Unavailable:
    """A store does not answer or cannot write; the caller repeats the same call."""
    return errors.Unavailable(
        Message(
            nl="Een gegevensbank antwoordt niet. Herhaal de oproep straks.",
            en="A database does not answer. Repeat the call in a moment.",
        )
    )


def from_status(status: int, *, allow: str | None = None) -> SchakelError:
    """What the web framework refused before a route of ours ran, as one of our errors."""
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = [method.strip() for method in (allow or "").split(",") if method.strip()]
        return errors.MethodNotAllowed(
            Message(nl="Dit pad kent die methode niet.", en="This path does not know that method."),
            facts={"allow": methods} if methods else None,
        )
    if status == HTTPStatus.NOT_FOUND:
        return errors.UnknownPath(
            Message(nl="Dit pad bestaat niet.", en="This path does not exist.")
        )
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return errors.UnsupportedMediaType(
            Message(nl="Dit inhoudstype wordt niet gelezen.", en="This content type is not read.")
        )
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.MalformedRequest(
            Message(nl="Het verzoek is niet leesbaar.", en="The request cannot be read.")
        )
    return internal_error()


def invalid_caller() -> errors.InvalidToken:
    """The refusal of a token whose participant the registry no longer holds."""
    return errors.InvalidToken(
        Message(
            nl="De deelnemer van dit token is niet meer ingeschreven.",
            en="The participant of this token is no longer registered.",
        )
    )
