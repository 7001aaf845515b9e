"""The seam between the HTTP framework and Authlib: a form comes in, an answer goes out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization

from gateway.oauth.senders import BEARER_SENDER, UNBOUND, Sender

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = "application/x-www-form-urlencoded"
FORM_MAX_BYTES = 16_384
FIELDS_MAX = 32
# Authlib refuses plain http by the address it is told. Where TLS ends and which issuer addresses
# are allowed is settled when the hub starts, so it is told this one.
ENDPOINT = "https://hub.invalid/oauth"


@dataclass(frozen=True, slots=True)
class HttpForm:
    """A POST as the route received it; header names are lower case."""

    body: bytes
    headers: Mapping[str, str]
    sender: Sender = BEARER_SENDER


@dataclass(frozen=True, slots=True)
class Answer:
    """What the route sends back, as JSON."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str]


class FormRequest(OAuth2Request):  # type: ignore[misc] # Authlib has no types
    """A token or revocation request. Made by `read_form`, which checks the form first.

    `binding` is what its token will be bound to, once the client and its proof are known.
    """

    def __init__(self, fields: dict[str, str], headers: Mapping[str, str], sender: Sender) -> None:
        super().__init__("POST", ENDPOINT, headers={"Authorization": headers.get("authorization")})
        self._fields = fields
        self.sender = sender
        self.binding = UNBOUND
        self.payload = BasicOAuth2Payload(fields)

    @property
    def form(self) -> dict[str, str]:
        """The form's fields."""
        return self._fields

    @property
    def uses_header(self) -> bool:
        """Whether the client authenticates by the Authorization header."""
        return self.headers["Authorization"] is not None


def read_form(http: HttpForm) -> FormRequest:
    """Read a form strictly.

    Raises:
        InvalidRequestError: wrong media type, too long, not UTF-8, a field given twice, or an
            Authorization header of Basic that cannot be read.
    """
    media_type = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise InvalidRequestError(f"The body must be {FORM}.")
    if len(http.body) > FORM_MAX_BYTES:
        raise InvalidRequestError("The form is too long.")
    try:
        pairs = parse_qsl(
            http.body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX
        )
    except ValueError as error:
        raise InvalidRequestError("The form cannot be read.") from error
    _check_basic(http.headers)
    if any(count > 1 for count in Counter(name for name, _ in pairs).values()):
        raise InvalidRequestError("A form field is given more than once.")
    return FormRequest({name: value for name, value in pairs if value}, http.headers, http.sender)


def _check_basic(headers: Mapping[str, str]) -> None:
    """Authlib reads it when it looks for the client, and takes it for base64 of UTF-8."""
    try:
        extract_basic_authorization({"Authorization": headers.get("authorization")})
    except ValueError as error:
        raise InvalidRequestError("The Authorization header cannot be read.") from error
