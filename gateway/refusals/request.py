"""Refusals of this kind: the HTTP request itself is at fault; nothing was written."""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from gateway.refusals.root import GatewayError
from schemas.errors import Message


class RequestError(GatewayError):
    """The HTTP request is at fault; nothing was written."""

    code = "bad_request"
    status = 400
    title = Message(nl="Ongeldig verzoek", en="Bad request")


class MalformedRequest(RequestError):
    """The body or a header cannot be read as what it claims to be."""

    code = "malformed_request"
    title = Message(nl="Onleesbaar verzoek", en="Malformed request")


class InvalidParameter(RequestError):
    """A query parameter, path part or body member is missing or has a wrong form."""

    code = "invalid_parameter"
    title = Message(nl="Ongeldige parameter", en="Invalid parameter")


class InvalidCursor(RequestError):
    """The cursor was not made by this hub for this participant."""

    code = "cursor_invalid"
    title = Message(nl="Ongeldige cursor", en="Invalid cursor")


class IdempotencyKeyRequired(RequestError):
    """A creating call came without `Idempotency-Key`."""

    code = "idempotency_key_required"
    title = Message(nl="Idempotency-Key ontbreekt", en="Idempotency-Key missing")


class IdempotencyKeyReused(RequestError):
    """The same `Idempotency-Key` came before with another body."""

    code = "idempotency_key_reused"
    status = 422
    title = Message(nl="Idempotency-Key al gebruikt", en="Idempotency-Key already used")


class InvalidReferral(RequestError):
    """The seven-field referral misses a field or holds a wrong one."""

    code = "referral_invalid"
    status = 422
    title = Message(nl="Ongeldige doorverwijzing", en="Invalid referral")


class TerritoryAmbiguous(RequestError):
    """A postcode spans several municipalities; the facts name them."""

    code = "territory_ambiguous"
    status = 422
    title = Message(nl="Meerdere gemeenten mogelijk", en="Several municipalities possible")


class UnknownPath(RequestError):
    """No resource lives at this path."""

    code = "not_found"
    status = 404
    title = Message(nl="Niet gevonden", en="Not found")


class UnknownRecord(RequestError):
    """The record does not exist, or is not the caller's: the same answer on purpose."""

    code = "not_found"
    status = 404
    title = Message(nl="Niet gevonden", en="Not found")


class MethodNotAllowed(RequestError):
    """The path exists but not with this method."""

    code = "method_not_allowed"
    status = 405
    title = Message(nl="Methode niet toegestaan", en="Method not allowed")


class NotAcceptable(RequestError):
    """None of the media types in `Accept` can be served."""

    code = "not_acceptable"
    status = 406
    title = Message(nl="Geen passend antwoordformaat", en="Not acceptable")


class RequestTimeout(RequestError):
    """The request's head or body arrived too slowly."""

    code = "request_timeout"
    status = 408
    title = Message(nl="Verzoek te traag", en="Request timeout")


class BodyTooLarge(RequestError):
    """The body is longer than the limit."""

    code = "body_too_large"
    status = 413
    title = Message(nl="Inhoud te groot", en="Body too large")


class BatchTooLarge(RequestError):
    """A batch holds more events than the limit."""

    code = "batch_too_large"
    status = 413
    title = Message(nl="Te veel gebeurtenissen", en="Too many events")


class UnsupportedMediaType(RequestError):
    """The content type is not one this path reads."""

    code = "unsupported_media_type"
    status = 415
    title = Message(nl="Onbekend inhoudstype", en="Unsupported media type")


class TooManyCalls(RequestError):
    """More calls than one address without a token, or one client, may make; see `retry_after`."""

    code = "too_many_calls"
    status = 429
    title = Message(nl="Te veel oproepen", en="Too many calls")


class CertificateHeaderRefused(RequestError):
    """A `Client-Cert` header that no listed proxy sent, or that cannot be read (RFC 9440)."""

    code = "client_cert_refused"
    title = Message(nl="Certificaatheader geweigerd", en="Certificate header refused")


class BudgetSpent(RequestError):
    """A participant used up what it may ask; the facts name the budget and `retry_after`."""

    code = "budget_spent"
    status = 429
    title = Message(nl="Budget op", en="Budget spent")


class TooManyAtOnce(RequestError):
    """Too many calls of one client, or of one participant to its receivers, are under way."""

    code = "too_many_at_once"
    status = 429
    title = Message(nl="Te veel oproepen tegelijk", en="Too many calls at the same time")


class HeadersTooLarge(RequestError):
    """Too many or too long request headers."""

    code = "headers_too_large"
    status = 431
    title = Message(nl="Te veel headers", en="Headers too large")
