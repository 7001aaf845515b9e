"""The hub's authorisation server: client credentials in, a short-lived access token out.

Authlib runs the protocol; this module says which clients there are, how they may authenticate in
this environment, for which resource a token is made, and how an error looks. No step here is
asynchronous, and issuing writes one row (the used assertion), so calls block on the database.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from gateway import errors
from gateway.exchange.scopes import SCOPES
from gateway.oauth import assertions
from gateway.oauth.client_view import ClientView
from gateway.oauth.request import Answer, FormRequest, HttpForm, read_form
from gateway.oauth.revocation import Revocation
from gateway.oauth.senders import UNBOUND, Binding, only_proof
from gateway.oauth.tokens import GATEWAY, KAFKA, RESOURCES, Resource, mint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.exchange.registry import Registry
    from gateway.oauth.assertions import UsedAssertions
    from gateway.oauth.keys import SigningKeys
    from gateway.oauth.proofs import Proofs
    from gateway.oauth.revocation import RevokedTokens

SECRET_METHOD = "client_secret_basic"  # noqa: S105 - the method's name
NONCE = "DPoP-Nonce"
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class InvalidTargetError(OAuth2Error):  # type: ignore[misc] # Authlib has no types
    """RFC 8707: the `resource` is not one this issuer makes tokens for."""

    error = "invalid_target"


class Issuer(AuthorizationServer):  # type: ignore[misc] # Authlib has no types
    """One installation's issuer; safe from any thread.

    Args:
        url: the issuer's identifier, also the base address of its endpoints.
        keys: the signing keys.
        registry: gives the newest snapshot.
        used: remembers assertion ids.
        revoked: where revoked tokens are written down.
        proofs: judges the DPoP proofs of token requests.
        takes_certificates: whether client certificates can reach this hub; told in the metadata.
        now: real time in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        url: str,
        keys: SigningKeys,
        registry: Callable[[], Registry],
        used: UsedAssertions,
        revoked: RevokedTokens,
        proofs: Proofs,
        takes_certificates: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(scopes_supported=sorted(SCOPES))
        self.url = url
        self.keys = keys
        self.takes_certificates = takes_certificates
        self._registry = registry
        self._proofs = proofs
        self._now = now
        self.auth_methods = [assertions.METHOD]
        if registry().environment == "test":
            self.auth_methods.append(SECRET_METHOD)
        self.register_client_auth_method(
            assertions.METHOD, assertions.PrivateKeyJwt(url, used, now)
        )
        self.register_grant(HubClientCredentials)
        self.register_endpoint(Revocation(self, revoked))

    def token(self, http: HttpForm) -> Answer:
        """Answer a POST to the token endpoint. Raises SQLAlchemyError when the database is away."""
        answer = self._answered(http, self.create_token_response)
        if answer.status == HTTPStatus.OK and http.sender.proofs:
            nonce = {NONCE: self._proofs.fresh_nonce()}
            answer = Answer(answer.status, answer.body, {**answer.headers, **nonce})
        return answer

    def revoke(self, http: HttpForm) -> Answer:
        """Answer a POST to the revocation endpoint (RFC 7009); blocks and raises as `token`."""
        return self._answered(
            http, lambda form: self.create_endpoint_response(Revocation.ENDPOINT_NAME, form)
        )

    def authenticated(self, form: FormRequest) -> ClientView:
        """The client that a request proves to come from, by exactly one method.

        Raises:
            InvalidRequestError: two methods at once.
            InvalidClientError: not proven.
        """
        if form.uses_header and "client_assertion" in form.form:
            raise InvalidRequestError("Authenticate by one method only.")
        client: ClientView = self.authenticate_client(form, self.auth_methods)
        if form.form.get("client_id", client.get_client_id()) != client.get_client_id():
            raise InvalidClientError(description="client_id is not the client that authenticated.")
        return client

    def proven(self, form: FormRequest) -> ClientView:
        """The client of a token request, and in the form what its token will be bound to.

        The proof is judged first, so that a request for a nonce leaves the assertion usable, and
        used last, so that only clients take room in the memory of proofs.

        Raises:
            InvalidRequestError: production, and neither a proof nor a certificate.
            InvalidProof, NonceRequired: the proof is wrong, or needs a nonce.
            TooManyCalls, Overloaded: the proof cannot be remembered.
            OAuth2Error: as `authenticated`.
        """
        sender, proof = form.sender, None
        if sender.proofs:
            given = only_proof(sender.proofs)
            proof = self._proofs.check(given, sender.method, sender.path, None)
        client = self.authenticated(form)
        if proof is not None:
            self._proofs.use(proof, client.get_client_id())
            form.binding = Binding(key=proof.thumbprint)
        elif sender.certificate is not None:
            form.binding = Binding(certificate=sender.certificate)
        elif self._registry().environment == "production":
            raise InvalidRequestError(
                "Production gives no bearer tokens: send a DPoP proof, or use a client certificate."
            )
        return client

    def minted(
        self, client: ClientView, scope: str | None, resource_name: str, binding: Binding
    ) -> dict[str, Any]:
        """The token response for an authenticated client."""
        resource = RESOURCES.get(resource_name)
        if resource is None:
            known = ", ".join(RESOURCES)
            raise InvalidTargetError(description=f"resource must be one of: {known}")
        granted = _granted(client, scope, resource)
        if not resource.checks_senders:
            binding = UNBOUND
        token = mint(
            self.keys.current(),
            client.client,
            issuer=self.url,
            resource=resource,
            scope=granted,
            now_seconds=self._now(),
            binding=binding,
        )
        return {
            "access_token": token,
            "token_type": "Bearer" if binding.key is None else "DPoP",
            "expires_in": resource.lifetime_seconds,
            "scope": granted,
        }

    def query_client(self, client_id: str) -> ClientView | None:
        """The client of that id if it, and its participant, are active."""
        registry = self._registry()
        client = registry.client(client_id)
        if client is None or client.status != "active":
            return None
        participant = registry.participant(client.participant)
        if participant is None or participant.status != "active":
            return None
        return ClientView(client, self._now)

    def save_token(self, token: dict[str, Any], request: FormRequest) -> None:
        """Nothing is kept: a token proves itself."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        """The request as it is: `read_form` made it."""
        return request

    def handle_response(
        self, status: int, body: dict[str, Any], headers: Iterable[tuple[str, str]]
    ) -> Answer:
        """The answer for the route to send; tokens and errors are never cached."""
        return Answer(status, body, {**dict(headers), **NO_STORE})

    def handle_error_response(self, request: FormRequest, error: OAuth2Error) -> Answer:
        """An error in OAuth's own shape (RFC 6749 §5.2)."""
        return _refused(error, challenge=request.uses_header)

    def _answered(self, http: HttpForm, answer: Callable[[FormRequest], Answer]) -> Answer:
        try:
            form = read_form(http)
        except OAuth2Error as error:
            return _refused(error, challenge=False)
        try:
            return answer(form)
        except (errors.InvalidProof, errors.TooManyCalls, errors.Overloaded) as error:
            return _refused_proof(error)


class HubClientCredentials(ClientCredentialsGrant):  # type: ignore[misc] # Authlib has no types
    """The only grant: a client acts for its own participant."""

    server: Issuer
    request: FormRequest

    def authenticate_token_endpoint_client(self) -> ClientView:
        """The client, by the methods of this environment, and what proves the sender."""
        return self.server.proven(self.request)

    def generate_token(self, scope: str | None = None, **_others: object) -> dict[str, Any]:
        """The token response for the resource that was asked for, or that its scopes are for."""
        client = self.request.client
        resource = self.request.form.get("resource") or _usual(client, scope)
        return self.server.minted(client, scope, resource, self.request.binding)


def _usual(client: ClientView, scope: str | None) -> str:
    """The resource of a request that names none.

    Kafka's own clients cannot name one (RFC 8707); a scope that only Kafka takes says as much.
    """
    asked = frozenset((client.get_allowed_scope(scope) or "").split())
    only_kafka = asked and KAFKA.scopes is not None and asked <= KAFKA.scopes
    return KAFKA.indicator if only_kafka else GATEWAY.indicator


def _granted(client: ClientView, scope: str | None, resource: Resource) -> str:
    """The scopes of the token; an unknown or foreign one is an error, never dropped in silence."""
    allowed = client.get_allowed_scope(scope)
    if allowed is None:
        raise InvalidScopeError(description="The client does not have every scope it asks for.")
    if resource.scopes is None:
        return allowed
    fitting = " ".join(one for one in allowed.split() if one in resource.scopes)
    if not fitting:
        needed = " ".join(sorted(resource.scopes))
        raise InvalidScopeError(description=f"This resource needs the scope {needed}.")
    return fitting


def _refused(error: OAuth2Error, *, challenge: bool) -> Answer:
    headers = dict(NO_STORE)
    status = int(error.status_code)
    if isinstance(error, InvalidClientError):
        status = 401
        if challenge:
            headers["WWW-Authenticate"] = 'Basic realm="schakel"'
    return Answer(status, dict(error.get_body()), headers)


def _refused_proof(error: errors.InvalidProof | errors.TooManyCalls | errors.Overloaded) -> Answer:
    """A refusal of the proof, as RFC 9449 §5 and §8 name it, or of remembering it."""
    headers = dict(NO_STORE)
    if isinstance(error, errors.InvalidProof):
        status, code = 400, error.code
    else:
        status, code = error.status, "temporarily_unavailable"
        headers["Retry-After"] = str(error.facts.get("retry_after", 1))
    if isinstance(error, errors.NonceRequired):
        headers[NONCE] = error.facts["nonce"]
    return Answer(status, {"error": code, "error_description": error.detail.en}, headers)
