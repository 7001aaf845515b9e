"""What a registry file would change: a pure comparison of the file with the registry.

A plan is shown before it is applied, and an empty plan is how "applied already" looks. Whoever
was revoked does not come back by being left in a file; identities do not move between parties;
what was agreed is never edited, only revoked and agreed anew.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from gateway.exchange.agreement_law import Ground, check
from gateway.exchange.registry import Client
from gateway.exchange.registry_document import raise_if
from schemas.documents import Faults

if TYPE_CHECKING:
    from gateway.exchange.registry import (
        Organisation,
        Participant,
        RegisteredAgreement,
        Registry,
    )
    from gateway.exchange.registry_entries import (
        AgreementEntry,
        ClientEntry,
        OrganisationEntry,
        ParticipantEntry,
        RegistryDocument,
    )
    from gateway.exchange.registry_trust import DelegationEntry, IssuerEntry

ENDED = frozenset({"revoked", "rejected"})
"""States of an agreement that no file brings it back from."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan.

    Attributes:
        kind: organisation, participant, client, agreement, issuer or delegation.
        action: add, change, revoke or reinstate.
        fields: what changes, by name; empty for anything but `change`.
    """

    kind: str
    id: str
    action: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, and the values they lead to.

    Attributes:
        version: of the registry it was compared with.
        without_key: clients that cannot ask for a token yet: they have no key and no secret.
    """

    version: int
    changes: tuple[Change, ...]
    organisations: tuple[Organisation, ...]
    participants: tuple[Participant, ...]
    clients: tuple[Client, ...]
    agreements: tuple[AgreementEntry, ...]
    issuers: tuple[IssuerEntry, ...] = ()
    delegations: tuple[DelegationEntry, ...] = ()
    without_key: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the registry is as the file wants it."""
        return not self.changes


def plan(registry: Registry, document: RegistryDocument) -> Plan:
    """Compare a file with the registry.

    Raises:
        InvalidRegistry: with everything in the file that the registry does not allow.
    """
    planner = _Planner(registry, document)
    planner.compare()
    raise_if(planner.faults)
    return planner.plan()


class _Planner:
    """Gathers changes and faults for one file."""

    def __init__(self, registry: Registry, document: RegistryDocument) -> None:
        self.faults = Faults()
        self._registry = registry
        self._document = document
        self._changes: list[Change] = []
        self._organisations: list[Organisation] = []
        self._participants: list[Participant] = []
        self._clients: list[Client] = []
        self._agreements: list[AgreementEntry] = []
        self._issuers: list[IssuerEntry] = []
        self._delegations: list[DelegationEntry] = []

    def compare(self) -> None:
        for organisation in self._document.organisations:
            self._organisation(organisation)
        for participant in self._document.participants:
            self._participant(participant)
        for client in self._document.clients:
            self._client(client)
        for agreement in self._document.agreements:
            self._agreement(agreement)
        for issuer in self._document.issuers:
            self._issuer(issuer)
        self._only_one_is_asked()
        for delegation in self._document.delegations:
            self._delegation(delegation)

    def plan(self) -> Plan:
        ready = {one.id for one in self._registry.clients.values() if one.credentials}
        ready |= {one.id for one in self._clients if one.credentials}
        return Plan(
            version=self._registry.version,
            changes=tuple(self._changes),
            organisations=tuple(self._organisations),
            participants=tuple(self._participants),
            clients=tuple(self._clients),
            agreements=tuple(self._agreements),
            issuers=tuple(self._issuers),
            delegations=tuple(self._delegations),
            without_key=tuple(
                one.id for one in self._document.clients if one.id not in ready and not one.revoked
            ),
        )

    def _organisation(self, entry: OrganisationEntry) -> None:
        urn = entry.organisation.urn
        known = self._registry.organisation(urn)
        status = self._status(entry.path, known.status if known else None, revoked=entry.revoked)
        keys = entry.keys
        if keys is None:
            keys = known.keys if known is not None else ()
        wanted = replace(entry.organisation, status=status, keys=keys)
        if self._differs("organisation", urn, known, wanted):
            self._organisations.append(wanted)
        if status == "revoked":
            self._revoke_participants(urn)

    def _revoke_participants(self, urn: str) -> None:
        """Revoke what takes part for a revoked organisation and is not in the file itself."""
        listed = {entry.participant.id for entry in self._document.participants}
        for one in self._registry.participants_of(urn):
            if one.id not in listed and one.status != "revoked":
                self._changes.append(Change("participant", one.id, "revoke"))
                self._participants.append(replace(one, status="revoked"))

    def _participant(self, entry: ParticipantEntry) -> None:
        wanted = entry.participant
        known = self._registry.participant(wanted.id)
        if known and (known.organisation, known.role) != (wanted.organisation, wanted.role):
            self.faults.add(
                f"{entry.path}.id",
                "identity_moved",
                f"{wanted.id} bestaat al voor {known.organisation} in rol {known.role}; "
                "kies een ander id.",
                f"{wanted.id} exists already for {known.organisation} in role {known.role}; "
                "choose another id.",
            )
        gone = any(
            one.revoked and one.organisation.urn == wanted.organisation
            for one in self._document.organisations
        )
        status = self._status(
            entry.path, known.status if known else None, revoked=gone or entry.revoked
        )
        # The name of the organisation is kept with the organisation.
        named = known and replace(known, organisation_name=wanted.organisation_name)
        wanted = replace(wanted, status=status)
        if self._differs("participant", wanted.id, named, wanted):
            self._participants.append(wanted)

    def _client(self, entry: ClientEntry) -> None:
        known = self._registry.client(entry.id)
        if known is not None and known.participant != entry.participant:
            self.faults.add(
                f"{entry.path}.id",
                "identity_moved",
                f"{entry.id} is al een client van {known.participant}; kies een ander id.",
                f"{entry.id} is a client of {known.participant} already; choose another id.",
            )
        if known is not None and known.status == "revoked" and not entry.revoked:
            self._stays_revoked(f"{entry.path}.id", entry.id)
        self._external_is_trusted(entry)
        wanted = _wanted_client(entry, known)
        if self._differs("client", wanted.id, known, wanted):
            self._clients.append(wanted)

    def _external_is_trusted(self, entry: ClientEntry) -> None:
        trusted = self._registry.issuers.keys() | {
            one.issuer.issuer for one in self._document.issuers
        }
        for one in entry.keys or ():
            if one.issuer is not None and one.issuer not in trusted:
                self.faults.add(
                    f"{entry.path}.external.issuer",
                    "unknown_issuer",
                    "Deze uitgever staat niet in het register; voeg hem toe bij issuers.",
                    "This issuer is not in the registry; add it under issuers.",
                )

    def _agreement(self, entry: AgreementEntry) -> None:
        agreement = entry.agreement
        known = self._registry.agreement(agreement.agreement_id)
        self._lawful(entry, known)
        if known is None:
            self._changes.append(Change("agreement", agreement.agreement_id, "add"))
            if entry.status == "revoked":
                self._changes.append(Change("agreement", agreement.agreement_id, "revoke"))
            self._agreements.append(entry)
        elif known.hash != agreement.document_hash:
            self.faults.add(
                f"{entry.path}.agreement_id",
                "agreement_immutable",
                "Deze overeenkomst heeft al een andere inhoud; geef de nieuwe een eigen id "
                "en herroep de oude met status: revoked.",
                "This agreement has another content already; give the new one an id of its own "
                "and revoke the old one with status: revoked.",
            )
        elif known.status in ENDED and entry.status == "active":
            self._stays_revoked(f"{entry.path}.agreement_id", agreement.agreement_id)
        elif known.status == "proposed" and entry.status == "active":
            self.faults.add(
                f"{entry.path}.agreement_id",
                "needs_signatures",
                "Deze overeenkomst is voorgesteld; de partijen tekenen ze zelf.",
                "This agreement was proposed; its parties sign it themselves.",
            )
        elif known.status == "active" and entry.status == "revoked":
            self._changes.append(Change("agreement", agreement.agreement_id, "revoke"))
            self._agreements.append(entry)

    def _issuer(self, entry: IssuerEntry) -> None:
        name = entry.issuer.issuer
        known = self._registry.issuers.get(name)
        status = self._status(entry.path, known.status if known else None, revoked=entry.revoked)
        wanted = replace(entry.issuer, status=status)
        if self._differs("issuer", name, known, wanted):
            self._issuers.append(replace(entry, issuer=wanted))

    def _only_one_is_asked(self) -> None:
        """An opaque token does not say whose it is, and goes to nobody but its own issuer."""
        issuers = dict(self._registry.issuers) | {
            one.issuer.issuer: one.issuer for one in self._issuers
        }
        asked = [one for one in issuers.values() if one.introspection and one.status == "active"]
        if len(asked) > 1:
            self.faults.add(
                "issuers",
                "two_introspections",
                "Hoogstens één uitgever kan bevraagd worden; de andere hebben sleutels.",
                "One issuer at most can be asked by introspection; others have keys.",
            )

    def _delegation(self, entry: DelegationEntry) -> None:
        found = entry.delegation
        known = self._registry.delegations.by_id.get(found.id)
        for key, urn in (("from", found.principal), ("to", found.agent)):
            if urn and self._party(urn) is None:
                self.faults.add(
                    f"{entry.path}.{key}",
                    "unknown_organisation",
                    f"{urn} staat niet in het register; voeg de organisatie toe.",
                    f"{urn} is not in the registry; add the organisation.",
                )
        if known and (known.principal, known.agent) != (found.principal, found.agent):
            self.faults.add(
                f"{entry.path}.id",
                "identity_moved",
                f"{found.id} bestaat al tussen andere partijen; kies een ander id.",
                f"{found.id} exists between other parties already; choose another id.",
            )
        status = self._status(entry.path, known.status if known else None, revoked=entry.revoked)
        wanted = replace(found, status=status)
        if self._differs("delegation", found.id, known, wanted):
            self._delegations.append(replace(entry, delegation=wanted))

    def _lawful(self, entry: AgreementEntry, known: RegisteredAgreement | None) -> None:
        """Check parties and instrument; in production a file only ends what parties signed."""
        if self._registry.environment == "production" and known is None:
            self.faults.add(
                f"{entry.path}.agreement_id",
                "needs_signatures",
                "In productie tekenen de partijen zelf: schakel agreement sign.",
                "In production the parties sign it themselves: schakel agreement sign.",
            )
        ground = Ground(self._registry.environment, self._party, self._roles_of)
        check(entry.agreement, ground, self.faults, f"{entry.path}.")

    def _party(self, urn: str) -> Organisation | None:
        for entry in self._document.organisations:
            if entry.organisation.urn == urn:
                return entry.organisation
        return self._registry.organisation(urn)

    def _roles_of(self, urn: str) -> frozenset[str]:
        named = [entry.participant for entry in self._document.participants]
        every = (*named, *self._registry.participants.values())
        return frozenset(one.role for one in every if one.organisation == urn)

    def _status(self, path: str, known: str | None, *, revoked: bool | None) -> str:
        if known == "revoked" and revoked is None:
            self.faults.add(
                f"{path}.revoked",
                "was_revoked",
                "Is herroepen; zeg revoked: true, of revoked: false om te herstellen.",
                "Is revoked; say revoked: true, or revoked: false to reinstate.",
            )
        return "revoked" if revoked else "active"

    def _stays_revoked(self, path: str, identifier: str) -> None:
        self.faults.add(
            path,
            "stays_revoked",
            f"{identifier} is herroepen en blijft dat; gebruik een nieuw id.",
            f"{identifier} is revoked and stays so; use a new id.",
        )

    def _differs(self, kind: str, identifier: str, known: Any, wanted: Any) -> bool:
        """Note how an entry differs from what is known; True when it does."""
        if known == wanted:
            return False
        if known is None:
            self._changes.append(Change(kind, identifier, "add"))
            return True
        changed = tuple(
            one.name
            for one in fields(wanted)
            if one.compare and getattr(known, one.name) != getattr(wanted, one.name)
        )
        if "status" in changed:
            action = "revoke" if wanted.status == "revoked" else "reinstate"
            self._changes.append(Change(kind, identifier, action))
        others = tuple(name for name in changed if name != "status")
        if others:
            self._changes.append(Change(kind, identifier, "change", others))
        return True


def _wanted_client(entry: ClientEntry, known: Client | None) -> Client:
    """The client as the file wants it; its keys stay when the file says nothing of them."""
    credentials = entry.keys
    if credentials is None:
        stays = known is not None and known.auth == entry.auth
        credentials = known.credentials if known is not None and stays else ()
    return Client(
        id=entry.id,
        participant=entry.participant,
        auth=entry.auth,
        scopes=entry.scopes,
        trusted_trace=entry.trusted_trace,
        status="revoked" if entry.revoked else "active",
        credentials=credentials,
        name=entry.name,
    )
