"""The registry file: what people write to say who takes part and what was agreed.

Reading it checks everything the file alone can be wrong about, all at once; `registry_plan` then
compares it with the registry. An entry that is left out stays as it is; taking something away is
said: `revoked: true`, and for an agreement `status: revoked`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from gateway.errors import InvalidRegistry
from gateway.exchange.budgets import KEYS as BUDGET_KEYS
from gateway.exchange.budgets import read_budget
from gateway.exchange.registry import Contact, Credential, Organisation, Participant
from gateway.exchange.registry_entries import (
    ID_HINT,
    AgreementEntry,
    ClientEntry,
    OrganisationEntry,
    ParticipantEntry,
    RegistryDocument,
    is_identifier,
)
from gateway.exchange.registry_keys import client_keys, signing_keys
from gateway.exchange.registry_trust import read_delegation_entry, read_issuer_entry
from gateway.exchange.scopes import allowed_scopes
from schemas import roles, territory
from schemas.agreement import EVERYWHERE, parse_agreement
from schemas.documents import Faults, Section, plain
from schemas.errors import InvalidAgreement, InvalidParam, Message
from schemas.identifiers import kbo, organisation_urn, ovo, vcode
from schemas.strict_yaml import StrictLoader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gateway.exchange.budgets import Budget
    from gateway.exchange.registry import ClientAuth, Environment
    from gateway.exchange.registry_trust import DelegationEntry, IssuerEntry

ROLE_NAMES = frozenset(roles.LETTER) - {"hub"}
AUTH_METHODS = frozenset({"private_key_jwt", "client_secret_basic", "external"})

ROOT_KEYS = ("environment", "organisations", "agreements", "issuers", "delegations")
ORGANISATION_KEYS = (
    "urn", "name", "kbo", "ovo", "vcode", "sensitive_sender", "private", "revoked", "keys",
    "participants",
)  # fmt: skip
PARTICIPANT_KEYS = (
    "id", "name", "role", "territory", "valid_from", "valid_to", "notice_version", "contact",
    "budget", "revoked", "clients",
)  # fmt: skip
CLIENT_KEYS = ("id", "name", "scopes", "trusted_trace", "auth", "jwks", "external", "revoked")
EXTERNAL_KEYS = ("issuer", "client_id")
CONTACT_KEYS = ("name", "phone", "email")


def read_yaml(path: Path) -> Any:
    """The content of a registry file, for `parse` or for the gateway.

    Raises:
        InvalidRegistry: the file is missing, is no YAML, or has a key twice.
    """
    try:
        return yaml.load(path.read_text("utf-8"), Loader=StrictLoader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(f"{path}: {type(error).__name__}") from error
    except yaml.YAMLError as error:
        raise _unreadable(f"{path}: {' '.join(str(error).split())}") from error


def parse(content: Any, environment: Environment) -> RegistryDocument:
    """Read a registry file's content.

    Raises:
        InvalidRegistry: with every fault there is, each with its path and what to do.
    """
    faults = Faults()
    parser = _Parser(environment, faults)
    document = parser.document(content)
    raise_if(faults)
    return document


def raise_if(faults: Faults) -> None:
    """Raise InvalidRegistry when there are faults."""
    if not faults.found:
        return
    count = len(faults.found)
    raise InvalidRegistry(
        Message(
            nl=f"Het registerbestand heeft {count} fout(en); er is niets gewijzigd.",
            en=f"The registry file has {count} fault(s); nothing was changed.",
        ),
        invalid=faults.found,
    )


class _Parser:
    """Gathers the entries of one file and the faults in them."""

    def __init__(self, environment: Environment, faults: Faults) -> None:
        self._environment = environment
        self._faults = faults
        self._organisations: list[OrganisationEntry] = []
        self._participants: list[ParticipantEntry] = []
        self._clients: list[ClientEntry] = []
        self._seen: dict[tuple[str, str], str] = {}

    def document(self, content: Any) -> RegistryDocument:
        root = self._section(content, "", ROOT_KEYS, ())
        said = root.text("environment")
        if said is not None and said != self._environment:
            self._faults.add(
                "environment",
                "wrong_environment",
                f"Dit bestand is voor {said}; deze hub is {self._environment}.",
                f"This file is for {said}; this hub is {self._environment}.",
            )
        for path, value in root.items("organisations"):
            self._organisation(path, value)
        agreements = [self._agreement(path, value) for path, value in root.items("agreements")]
        return RegistryDocument(
            tuple(self._organisations),
            tuple(self._participants),
            tuple(self._clients),
            tuple(one for one in agreements if one is not None),
            tuple(self._issuer(path, value) for path, value in root.items("issuers")),
            tuple(self._delegation(path, value) for path, value in root.items("delegations")),
        )

    def _section(
        self, value: Any, path: str, known: Iterable[str], required: Iterable[str]
    ) -> Section:
        return Section(
            value, path, known=frozenset(known), required=frozenset(required), faults=self._faults
        )

    def _organisation(self, path: str, value: Any) -> None:
        section = self._section(value, path, ORGANISATION_KEYS, ("urn", "name"))
        organisation = Organisation(
            urn=section.identifier("urn", organisation_urn) or "",
            name=section.text("name") or "",
            kbo=section.identifier("kbo", kbo),
            ovo=section.identifier("ovo", ovo),
            vcode=section.identifier("vcode", vcode),
            sensitive_sender=section.flag("sensitive_sender") or False,
            private=section.flag("private") or False,
        )
        self._once("organisation", organisation.urn, f"{path}.urn")
        keys = signing_keys(section, path, self._faults)
        revoked = section.flag("revoked")
        self._organisations.append(OrganisationEntry(path, organisation, revoked, keys))
        if section.raw("participants") == []:
            return
        for inner, participant in section.items("participants"):
            self._participant(inner, participant, organisation)

    def _participant(self, path: str, value: Any, organisation: Organisation) -> None:
        section = self._section(value, path, PARTICIPANT_KEYS, ("id", "role", "territory"))
        participant = Participant(
            id=self._id(section, path, "participant"),
            organisation=organisation.urn,
            organisation_name=organisation.name,
            role=roles.LETTER.get(section.one_of("role", ROLE_NAMES) or "", ""),
            name=section.text("name") or organisation.name,
            territory=self._territory(section),
            valid_from=section.day("valid_from"),
            valid_to=section.day("valid_to"),
            notice_version=section.text("notice_version"),
            contact=self._contact(section.raw("contact"), f"{path}.contact"),
            budget=self._budget(section.raw("budget"), f"{path}.budget"),
        )
        first, last = participant.valid_from, participant.valid_to
        if first and last and last < first:
            nl, en = "Ligt vóór het begin.", "Lies before the start."
            self._faults.add(f"{path}.valid_to", "before_start", nl, en)
        self._participants.append(ParticipantEntry(path, participant, section.flag("revoked")))
        if section.raw("clients") == []:
            return
        for inner, client in section.items("clients"):
            self._client(inner, client, participant)

    def _client(self, path: str, value: Any, participant: Participant) -> None:
        section = self._section(value, path, CLIENT_KEYS, ("id", "scopes"))
        identifier = self._id(section, path, "client")
        auth: ClientAuth = "private_key_jwt"
        if section.one_of("auth", AUTH_METHODS) == "client_secret_basic":
            auth = "client_secret_basic"
            self._secrets_only_in_test(f"{path}.auth")
        elif section.raw("auth") == "external":
            auth = "external"
        external = self._external(section.raw("external"), f"{path}.external", auth)
        jwks = section.raw("jwks")
        self._clients.append(
            ClientEntry(
                path=path,
                id=identifier,
                name=section.text("name") or identifier,
                participant=participant.id,
                auth=auth,
                scopes=frozenset(section.many_of("scopes", *_scopes_of(participant.role))),
                trusted_trace=section.flag("trusted_trace") or False,
                keys=external or client_keys(jwks, f"{path}.jwks", auth, self._faults),
                revoked=section.flag("revoked"),
            )
        )

    def _agreement(self, path: str, value: Any) -> AgreementEntry | None:
        document, status = plain(value), "active"
        if isinstance(document, dict):
            status = document.pop("status", "active")
        if status not in ("active", "revoked"):
            nl, en = "Kies active of revoked.", "Choose active or revoked."
            self._faults.add(f"{path}.status", "unknown_value", nl, en)
        try:
            agreement = parse_agreement(document)
        except InvalidAgreement as error:
            self._faults.found += [
                InvalidParam(f"{path}.{one.name}", one.code, one.reason) for one in error.invalid
            ]
            return None
        self._once("agreement", agreement.agreement_id, f"{path}.agreement_id")
        return AgreementEntry(path, agreement, document, status)

    def _id(self, section: Section, path: str, kind: str) -> str:
        identifier = section.text("id") or ""
        if identifier and not is_identifier(identifier):
            self._faults.add(f"{path}.id", "invalid_id", ID_HINT.nl, ID_HINT.en)
        self._once(kind, identifier, f"{path}.id")
        return identifier

    def _territory(self, section: Section) -> frozenset[str] | None:
        if section.raw("territory") == EVERYWHERE:
            return None
        hint = "NIS-code van 5 cijfers tussen aanhalingstekens / quoted five-digit NIS code"
        return frozenset(section.many_of("territory", territory.known_codes().__contains__, hint))

    def _contact(self, value: Any, path: str) -> Contact | None:
        if value is None:
            return None
        section = self._section(value, path, CONTACT_KEYS, ("name",))
        return Contact(section.text("name") or "", section.text("phone"), section.text("email"))

    def _budget(self, value: Any, path: str) -> Budget | None:
        if value is None:
            return None
        return read_budget(self._section(value, path, BUDGET_KEYS, ()), path, self._faults)

    def _external(self, value: Any, path: str, auth: ClientAuth) -> tuple[Credential, ...]:
        """The identity of a client whose tokens another issuer makes."""
        if (value is not None) != (auth == "external"):
            nl = "external hoort bij auth: external, en alleen daarbij."
            self._faults.add(path, "external", nl, "external goes with auth: external, only.")
        if value is None:
            return ()
        section = self._section(value, path, EXTERNAL_KEYS, EXTERNAL_KEYS)
        credential = Credential(issuer=section.text("issuer"), subject=section.text("client_id"))
        self._once("external client", f"{credential.issuer} {credential.subject}", path)
        return (credential,)

    def _issuer(self, path: str, value: Any) -> IssuerEntry:
        entry = read_issuer_entry(plain(value), path, self._faults, self._environment)
        self._once("issuer", entry.issuer.issuer, f"{path}.issuer")
        return entry

    def _delegation(self, path: str, value: Any) -> DelegationEntry:
        entry = read_delegation_entry(plain(value), path, self._faults)
        identifier = entry.delegation.id
        if identifier and not is_identifier(identifier):
            self._faults.add(f"{path}.id", "invalid_id", ID_HINT.nl, ID_HINT.en)
        self._once("delegation", identifier, f"{path}.id")
        return entry

    def _secrets_only_in_test(self, path: str) -> None:
        if self._environment == "production":
            self._faults.add(
                path,
                "secret_in_production",
                "Geheimen bestaan alleen in testinstallaties; gebruik private_key_jwt.",
                "Secrets exist in test installations only; use private_key_jwt.",
            )

    def _once(self, kind: str, identifier: str, path: str) -> None:
        first = self._seen.setdefault((kind, identifier), path)
        if identifier and first != path:
            nl, en = f"Staat al bij {first}; voeg samen.", f"Stands at {first} already; merge them."
            self._faults.add(path, "duplicate", nl, en)


def _scopes_of(role: str) -> tuple[Callable[[str], bool], str]:
    """What `Section.many_of` needs to know about a role's scopes."""
    allowed = allowed_scopes(role)
    return allowed.__contains__, ", ".join(sorted(allowed))


def _unreadable(reason: str) -> InvalidRegistry:
    return InvalidRegistry(
        Message(
            nl=f"Het registerbestand is niet leesbaar: {reason}",
            en=f"The registry file cannot be read: {reason}",
        )
    )
