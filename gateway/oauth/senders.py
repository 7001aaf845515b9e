"""Who may use a token: the holder of the key, or of the certificate, that it was made for.

RFC 9449 binds a token to a key (`cnf.jkt`), RFC 8705 to a client certificate (`cnf.x5t#S256`). In
production every token is bound to one of the two; no setting changes that.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from gateway import errors
from gateway.oauth.proofs import invalid_proof
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.oauth.proofs import Proofs

CERTIFICATE: Final = "schakel.certificate"
"""Where an ASGI scope keeps the thumbprint of the caller's certificate; absent without one.

Whoever accepts the connection writes it (`gateway/api/client_certificates.py`), nobody else."""

BEARER, DPOP = "bearer", "dpop"
_THUMBPRINT_LENGTH: Final = 43


class Sender(Struct, frozen=True, gc=False):
    """How a request was sent.

    Attributes:
        method: of the request.
        path: as it was sent, escapes included and without the query.
        scheme: of the Authorization header, in lower case; empty without one.
        proofs: every `DPoP` header, in order.
        certificate: the SHA-256 thumbprint of the client certificate, base64url; None without.
    """

    method: str = ""
    path: str = ""
    scheme: str = BEARER
    proofs: tuple[str, ...] = ()
    certificate: str | None = None


BEARER_SENDER: Final = Sender()
"""A sender that shows nothing but the token."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a token is bound to: a key, a certificate, or nothing.

    Attributes:
        key: the `jkt`.
        certificate: the `x5t#S256`.
    """

    key: str | None = None
    certificate: str | None = None

    def claim(self) -> dict[str, dict[str, str]]:
        """The `cnf` claim as members of a token; empty for a token that is bound to nothing."""
        if self.key is not None:
            return {"cnf": {"jkt": self.key}}
        return {} if self.certificate is None else {"cnf": {"x5t#S256": self.certificate}}


UNBOUND: Final = Binding()


def sender_of(scope: Mapping[str, Any]) -> tuple[Sender, str]:
    """The sender of an ASGI request, and the token or other value after its scheme."""
    authorization, proofs = b"", []
    for name, value in scope["headers"]:
        if name == b"authorization" and not authorization:
            authorization = value
        elif name == b"dpop":
            proofs.append(value.decode("latin-1"))
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    raw_path = scope.get("raw_path") or scope["path"].encode()
    sender = Sender(
        scope["method"],
        raw_path.partition(b"?")[0].decode("latin-1"),
        scheme.lower(),
        tuple(proofs),
        scope.get(CERTIFICATE),
    )
    return sender, token.strip()


def binding_of(claims: Mapping[str, Any]) -> Binding:
    """What the `cnf` of a verified token says.

    Raises:
        InvalidToken: 401, a confirmation that this hub does not make, and so cannot hold to.
    """
    found = claims.get("cnf")
    if found is None and "cnf" not in claims:
        return UNBOUND
    if not isinstance(found, dict) or len(found) != 1:
        raise not_for("confirmation")
    ((name, value),) = found.items()
    if name not in ("jkt", "x5t#S256") or not isinstance(value, str):
        raise not_for("confirmation")
    if len(value) != _THUMBPRINT_LENGTH:
        raise not_for("confirmation")
    return Binding(key=value) if name == "jkt" else Binding(certificate=value)


class Senders:
    """Holds a request against what its token is bound to; safe from any thread.

    Args:
        proofs: judges DPoP proofs.
    """

    def __init__(self, proofs: Proofs) -> None:
        self._proofs = proofs

    def check(
        self,
        sender: Sender,
        binding: Binding,
        *,
        token_hash: str,
        client_id: str,
        is_production: bool,
    ) -> None:
        """Return when the request comes from whom the token was made for.

        A certificate costs one comparison, a key one signature.

        Raises:
            InvalidToken: 401, another certificate or none, a bound token as a bearer's, or in
                production a token that is bound to nothing.
            InvalidProof: 401, the proof is missing, wrong, used before, or of another key.
            NonceRequired: 401, with the nonce to use.
            TooManyCalls, Overloaded: no room to remember the proof.
        """
        if binding.key is not None:
            self._check_key(sender, binding.key, token_hash, client_id)
        elif sender.scheme != BEARER:
            raise not_for("not_bound_to_a_key")
        elif binding.certificate is not None:
            _check_certificate(sender.certificate, binding.certificate)
        elif is_production:
            raise not_for("not_sender_constrained")

    def _check_key(self, sender: Sender, key: str, token_hash: str, client_id: str) -> None:
        if sender.scheme != DPOP:
            raise not_for("bound_to_a_key")
        proof = self._proofs.check(
            only_proof(sender.proofs), sender.method, sender.path, token_hash
        )
        if not hmac.compare_digest(proof.thumbprint, key):
            raise invalid_proof("other_key")
        self._proofs.use(proof, client_id)


def only_proof(proofs: tuple[str, ...]) -> str:
    """The one proof of a request.

    Raises:
        InvalidProof: 401, there is none, or more than one.
    """
    if len(proofs) != 1:
        raise invalid_proof("several" if proofs else "missing")
    return proofs[0]


def _check_certificate(shown: str | None, wanted: str) -> None:
    if shown is None:
        raise not_for("no_certificate")
    if not hmac.compare_digest(shown, wanted):
        raise not_for("other_certificate")


def not_for(reason: str) -> errors.InvalidToken:
    """The refusal of a token that is good, but not for who sent it."""
    return errors.InvalidToken(
        Message(
            nl="Dit token is aan een sleutel of certificaat gebonden dat hier niet getoond wordt.",
            en="This token is bound to a key or certificate that is not shown here.",
        )
        if reason != "not_sender_constrained"
        else Message(
            nl="Vraag een token met een DPoP-bewijs of een clientcertificaat.",
            en="Ask for a token with a DPoP proof or a client certificate.",
        ),
        facts={"reason": reason},
    )
