"""Refusals of this kind: who asks, and whether they may."""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from gateway.refusals.root import GatewayError
from schemas.errors import Message


class AccessError(GatewayError):
    """The caller is not known, or may not make this call."""

    code = "access_denied"
    status = 403
    title = Message(nl="Geen toegang", en="Access denied")


class InvalidToken(AccessError):
    """No token, or one that is forged, expired, revoked, for someone else, or not its sender's."""

    code = "invalid_token"
    status = 401
    title = Message(nl="Ongeldig token", en="Invalid token")


class InvalidProof(AccessError):
    """The DPoP proof of the token's key is missing, wrong, or was used before (RFC 9449)."""

    code = "invalid_dpop_proof"
    status = 401
    title = Message(nl="Ongeldig DPoP-bewijs", en="Invalid DPoP proof")


class NonceRequired(InvalidProof):
    """The proof carries no nonce of this gateway; the fact `nonce` is one to use."""

    code = "use_dpop_nonce"
    title = Message(nl="Nonce nodig", en="Nonce required")


class ForeignSource(AccessError):
    """An event names another participant as its source than the client that sends it."""

    code = "foreign_source"
    status = 403
    title = Message(nl="Bron van een ander", en="Source of another")


class MissingScope(AccessError):
    """The token is good but lacks the scope this call needs."""

    code = "missing_scope"
    status = 403
    title = Message(nl="Scope ontbreekt", en="Missing scope")


class NotCaseHolder(AccessError):
    """The caller takes part in the case, but somebody else holds it."""

    code = "not_case_holder"
    status = 403
    title = Message(nl="Niet de dossierhouder", en="Not the case holder")


class FiguresRefused(AccessError):
    """The caller's role or territory is not for these figures."""

    code = "figures_refused"
    status = 403
    title = Message(nl="Cijfers niet toegestaan", en="Figures not allowed")


class EvidenceOff(AccessError):
    """Figures are switched off in this installation."""

    code = "evidence_off"
    status = 403
    title = Message(nl="Cijfers staan uit", en="Figures are off")
