"""Refusals of this kind: the registry and the agreements cannot be changed like that."""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from gateway.refusals.root import GatewayError
from schemas.errors import Message


class RegistryError(GatewayError):
    """The registry of organisations, clients and agreements refuses a change."""

    code = "registry_error"
    status = 409
    title = Message(nl="Register niet gewijzigd", en="Registry not changed")


class InvalidRegistry(RegistryError):
    """A registry file with faults; every fault is listed with its place and its remedy."""

    code = "registry_invalid"
    status = 422
    title = Message(nl="Ongeldig registerbestand", en="Invalid registry file")


class ClientExists(RegistryError):
    """A client of that id exists already."""

    code = "client_exists"
    title = Message(nl="Client bestaat al", en="Client exists")


class InvalidClient(RegistryError):
    """A client cannot be registered like that: its id, scopes, participant or key."""

    code = "client_invalid"
    status = 422
    title = Message(nl="Ongeldige client", en="Invalid client")


class RegistryChanged(RegistryError):
    """The registry is no longer at the version that a plan was made for."""

    code = "registry_changed"
    title = Message(nl="Register intussen gewijzigd", en="Registry changed meanwhile")


class AgreementRefused(RegistryError):
    """The law, or who the parties are, does not allow this agreement; every fault is listed."""

    code = "agreement_refused"
    status = 422
    title = Message(nl="Overeenkomst geweigerd", en="Agreement refused")


class AgreementExists(RegistryError):
    """An agreement of this id has other content; content is never edited."""

    code = "agreement_exists"
    title = Message(nl="Overeenkomst bestaat al", en="Agreement exists")


class AgreementStands(RegistryError):
    """The agreement's state does not allow this; the facts list what is allowed now."""

    code = "agreement_state"
    title = Message(nl="Nu niet mogelijk", en="Not possible now")


class NotAParty(RegistryError):
    """The caller's organisation is no party of the agreement that it proposes."""

    code = "not_a_party"
    status = 403
    title = Message(nl="Geen partij", en="Not a party")


class SignatureRefused(RegistryError):
    """A signature does not hold for this agreement, act and party."""

    code = "signature_refused"
    status = 422
    title = Message(nl="Handtekening geweigerd", en="Signature refused")


class RotationTooSoon(RegistryError):
    """The next signing key was published too recently for everybody to have it."""

    code = "rotation_too_soon"
    title = Message(nl="Te vroeg om te wisselen", en="Too soon to rotate")
