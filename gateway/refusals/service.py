"""Refusals of this kind: the hub cannot answer now; the same call may be retried."""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from gateway.refusals.root import GatewayError
from schemas.errors import Message


class ServiceError(GatewayError):
    """The hub cannot answer now."""

    code = "service_error"
    status = 503
    title = Message(nl="Dienst niet beschikbaar", en="Service unavailable")


class InternalError(ServiceError):
    """A fault of the hub's own; the log has the cause, the answer has not."""

    code = "internal_error"
    status = 500
    title = Message(nl="Interne fout", en="Internal error")


class Unavailable(ServiceError):
    """A store cannot be reached: the outcome is unknown, the same call may be retried."""

    code = "unavailable"
    title = Message(nl="Tijdelijk niet beschikbaar", en="Temporarily unavailable")


class LedgerUnavailable(ServiceError):
    """The ledger cannot be written: the outcome is unknown, the same call may be retried."""

    code = "ledger_unavailable"
    title = Message(nl="Register tijdelijk niet beschikbaar", en="Ledger unavailable")


class KeysUnusable(ServiceError):
    """The key-encryption key cannot be read, or a key in the store does not fit it."""

    code = "keys_unusable"
    title = Message(nl="Sleutels niet bruikbaar", en="Keys not usable")


class EnvironmentDiffers(ServiceError):
    """The store is a test installation's and the settings say production, or the reverse."""

    code = "environment_differs"
    title = Message(nl="Andere omgeving", en="Another environment")


class TreeDiffers(ServiceError):
    """The stored Merkle tree is not the one whose head was signed: someone changed a table."""

    code = "tree_differs"
    title = Message(nl="Bewijsboom verschilt", en="Proof tree differs")


class IssuerUnavailable(ServiceError):
    """A trusted issuer does not answer, so that its token cannot be checked; retry."""

    code = "issuer_unavailable"
    title = Message(nl="Uitgever niet bereikbaar", en="Issuer unreachable")


class Overloaded(ServiceError):
    """More work waits than the hub takes; nothing was written, retry after a moment."""

    code = "overloaded"
    title = Message(nl="Te druk", en="Overloaded")
