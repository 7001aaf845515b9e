"""What a registry file says, as values: one entry for each thing it names, with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.errors import Message

if TYPE_CHECKING:
    from gateway.exchange.registry import ClientAuth, Credential, Organisation, Participant
    from gateway.exchange.registry_trust import DelegationEntry, IssuerEntry
    from schemas.agreement import Agreement

_ID = re.compile(r"[a-z0-9-]{3,40}", re.ASCII)
# OAuth clients and certificates share one name space at the broker, where some names are super
# users; the pattern keeps ANONYMOUS and CN=… out, and these are kept out for whoever renames one.
RESERVED_IDS = frozenset({"hub", "admin", "anonymous", "broker", "controller", "kafka", "root"})
ID_HINT = Message(
    nl="Gebruik 3 tot 40 kleine letters, cijfers of streepjes, en geen voorbehouden naam.",
    en="Use 3 to 40 lower-case letters, digits or hyphens, and no reserved name.",
)
KEYS_MAX = 4


def is_identifier(text: str) -> bool:
    """Whether a text may be the id of a participant or a client."""
    return _ID.fullmatch(text) is not None and text not in RESERVED_IDS


@dataclass(frozen=True, slots=True)
class OrganisationEntry:
    """An organisation as the file has it; `revoked` and `keys` are None when it does not say."""

    path: str
    organisation: Organisation
    revoked: bool | None
    keys: tuple[Credential, ...] | None = None


@dataclass(frozen=True, slots=True)
class ParticipantEntry:
    """A participant as the file has it."""

    path: str
    participant: Participant
    revoked: bool | None


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """A client as the file has it; `keys` is None when the file leaves its keys as they are."""

    path: str
    id: str
    name: str
    participant: str
    auth: ClientAuth
    scopes: frozenset[str]
    trusted_trace: bool
    keys: tuple[Credential, ...] | None
    revoked: bool | None


@dataclass(frozen=True, slots=True)
class AgreementEntry:
    """An agreement as the file has it: its content, and the status beside it."""

    path: str
    agreement: Agreement
    document: dict[str, Any]
    status: str


@dataclass(frozen=True, slots=True)
class RegistryDocument:
    """A registry file that is right in itself."""

    organisations: tuple[OrganisationEntry, ...]
    participants: tuple[ParticipantEntry, ...]
    clients: tuple[ClientEntry, ...]
    agreements: tuple[AgreementEntry, ...]
    issuers: tuple[IssuerEntry, ...] = ()
    delegations: tuple[DelegationEntry, ...] = ()
