"""Who takes part and what was agreed, as one immutable snapshot (`design/domain.md` §3.2, §4).

`RegistryStore` loads a snapshot, `LiveRegistry` keeps the newest at hand, and everything that
decides, routes or verifies asks this one value: roles, agreements and revocation are always read
here, never from a token. All lookups are in memory and safe from any thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from gateway.errors import TargetAmbiguous, UnknownOrganisation
from gateway.exchange.delegations import Delegation, Delegations
from gateway.exchange.territory_moves import Move, last_move, served_on
from schemas import territory
from schemas.agreement import GrantIndex
from schemas.errors import Message
from schemas.programmes import ProgrammeRules, shipped_rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from gateway.exchange.budgets import Budget
    from gateway.exchange.trusted_issuers import TrustedIssuer
    from schemas.agreement import Agreement

Environment = Literal["test", "production"]
ClientAuth = Literal["private_key_jwt", "client_secret_basic", "external"]

MEMO_LIMIT = 10_000
"""Remembered answers of each question; past it they are forgotten, so that nothing grows."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The desk a partner may call; a function or desk rather than a person where possible."""

    name: str
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves a client: a public key (a JWK), a hashed secret, or an identity elsewhere.

    Organisations have keys alone, to sign agreements with.

    Attributes:
        issuer: the trusted issuer that knows the client as `subject`.
        not_after: seconds since the epoch after which it no longer counts; None for no end.
    """

    jwk: Mapping[str, Any] | None = None
    secret_hash: str | None = None
    not_after: int | None = None
    issuer: str | None = None
    subject: str | None = None

    def is_usable(self, now_seconds: float) -> bool:
        """Whether it may authenticate now (real time)."""
        return self.not_after is None or now_seconds < self.not_after


@dataclass(frozen=True, slots=True)
class Organisation:
    """A legal party.

    Attributes:
        urn: `urn:be:kbo:…`, `urn:be:ovo:…`, `urn:be:vcode:…` or `urn:schakel:org:…`.
        sensitive_sender: recipients other than the case holder see "local partner" instead.
        private: a private party; an agreement on ground of `protocol_art8` cannot bind it.
        keys: with which it signs agreements; several while one replaces another.
    """

    urn: str
    name: str
    kbo: str | None = None
    ovo: str | None = None
    vcode: str | None = None
    sensitive_sender: bool = False
    private: bool = False
    status: str = "active"
    keys: tuple[Credential, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """One organisation in one role: its own inbox, clients, pseudonyms and grants.

    Attributes:
        role: the letter of `schemas.roles`.
        territory: NIS codes it serves; None means all of Flanders and Brussels.
        notice_version: the notice its people read, filled into a seven-field referral.
        status: `active` or `revoked`; revoked participants are kept for the history's sake.
        budget: what it may ask of the hub, where that differs from everybody's.
        moves: changes of mandate over its territory, oldest first.
    """

    id: str
    organisation: str
    organisation_name: str
    role: str
    name: str
    territory: frozenset[str] | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    notice_version: str | None = None
    contact: Contact | None = None
    status: str = "active"
    budget: Budget | None = None
    moves: tuple[Move, ...] = field(default=(), compare=False)

    def is_valid(self, on: date) -> bool:
        """Whether it takes part on that day."""
        return (
            self.status == "active"
            and (self.valid_from is None or self.valid_from <= on)
            and (self.valid_to is None or on <= self.valid_to)
        )

    def serves(self, nis: str, on: date) -> bool:
        """Whether it serves the municipality on that day, mergers and mandates considered."""
        move = last_move(self.moves, nis, on) if self.moves else None
        if move is not None:
            return move.gained
        return self.territory is None or territory.covers(self.territory, nis, on)

    def territory_on(self, on: date) -> frozenset[str] | None:
        """The municipalities that it serves on a day; None means all that nobody else was given."""
        return served_on(self.territory, self.moves, on)


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client of one participant."""

    id: str
    participant: str
    auth: ClientAuth
    scopes: frozenset[str]
    trusted_trace: bool = False
    status: str = "active"
    credentials: tuple[Credential, ...] = field(default=(), repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class RegisteredAgreement:
    """An agreement's immutable content and its status, which alone may change.

    Attributes:
        status: a state of `schemas/lifecycles/agreement.yaml`.
        revoked_at: microseconds since the epoch.
        proposed_by: URN of the party that proposed it; None for one out of a registry file.
        is_evaluable: false when its stored document holds something that this version does not
            know; it then grants nothing.
    """

    agreement: Agreement
    status: str = "active"
    revoked_at: int | None = None
    proposed_by: str | None = None
    is_evaluable: bool = True

    @property
    def id(self) -> str:
        """The agreement's id."""
        return self.agreement.agreement_id

    @property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, of the document its parties signed."""
        return self.agreement.document_hash


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at one version. Make it with `build`; nothing in it ever changes.

    Attributes:
        version: rises with every change, revocations included; a verified token is only as
            good as the version it was checked against.
        revoked_tokens: ids (`jti`) of access tokens that were revoked before their end.
        rules: the rules of every programme, at every date.
        issuers: trusted issuers by `iss`, whatever their status.
        delegations: who may act for whom.
    """

    version: int
    environment: Environment
    organisations: Mapping[str, Organisation]
    participants: Mapping[str, Participant]
    clients: Mapping[str, Client]
    agreements: Mapping[str, RegisteredAgreement]
    grants: GrantIndex
    revoked_tokens: frozenset[str] = frozenset()
    rules: ProgrammeRules = field(default_factory=shipped_rules, repr=False)
    issuers: Mapping[str, TrustedIssuer] = field(default_factory=dict)
    delegations: Delegations = field(default_factory=lambda: Delegations(()), repr=False)
    _external: Mapping[tuple[str, str], Client] = field(default_factory=dict, repr=False)
    _by_organisation: Mapping[str, tuple[Participant, ...]] = field(
        default_factory=dict, repr=False
    )
    _by_role: Mapping[str, tuple[Participant, ...]] = field(default_factory=dict, repr=False)
    _memo: dict[tuple[str, str, date], tuple[Participant, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _competent: dict[tuple[str, str, date], Participant | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def build(
        cls,
        *,
        version: int,
        environment: Environment,
        organisations: Iterable[Organisation] = (),
        participants: Iterable[Participant] = (),
        clients: Iterable[Client] = (),
        agreements: Iterable[RegisteredAgreement] = (),
        revoked_tokens: Iterable[str] = (),
        rules: ProgrammeRules | None = None,
        issuers: Iterable[TrustedIssuer] = (),
        delegations: Iterable[Delegation] = (),
    ) -> Registry:
        """Index the parts once; costs milliseconds, done per change and never per event."""
        members = {one.id: one for one in participants}
        registered = {one.id: one for one in agreements}
        known = {one.id: one for one in clients}
        active = [one.agreement for one in registered.values() if one.status == "active"]
        return cls(
            version=version,
            environment=environment,
            organisations={one.urn: one for one in organisations},
            participants=members,
            clients=known,
            agreements=registered,
            grants=GrantIndex(active, members.values()),
            revoked_tokens=frozenset(revoked_tokens),
            rules=rules or shipped_rules(),
            issuers={one.issuer: one for one in issuers},
            delegations=Delegations(delegations),
            _external=_external(known.values()),
            _by_organisation=_grouped(members.values(), "organisation"),
            _by_role=_grouped(members.values(), "role"),
        )

    def organisation(self, urn: str) -> Organisation | None:
        """The organisation of that URN, whatever its status."""
        return self.organisations.get(urn)

    def participant(self, participant_id: str) -> Participant | None:
        """The participant of that id, whatever its status."""
        return self.participants.get(participant_id)

    def client(self, client_id: str) -> Client | None:
        """The client of that id, whatever its status."""
        return self.clients.get(client_id)

    def external_client(self, issuer: str, subject: str) -> Client | None:
        """The client that a trusted issuer knows by that id, whatever its status."""
        return self._external.get((issuer, subject))

    def agreement(self, agreement_id: str) -> RegisteredAgreement | None:
        """The agreement of that id, whatever its status."""
        return self.agreements.get(agreement_id)

    def participants_of(self, organisation: str) -> tuple[Participant, ...]:
        """All participants of an organisation, ordered by id, whatever their status."""
        return self._by_organisation.get(organisation, ())

    def in_role(self, role: str, nis: str, on: date) -> tuple[Participant, ...]:
        """Valid participants of a role letter whose territory covers a municipality, by id."""
        key = (role, nis, on)
        found = self._memo.get(key)
        if found is None:
            found = tuple(
                one
                for one in self._by_role.get(role, ())
                if one.is_valid(on) and one.serves(nis, on)
            )
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            self._memo[key] = found
        return found

    def competent(self, role: str, nis: str, on: date) -> Participant | None:
        """The OCMW (`O`) or VDAB (`V`) of a municipality; None when none takes part.

        A body of its own goes before a welfare association that serves several municipalities:
        the smallest territory wins, then the id.
        """
        key = (role, nis, on)
        if key not in self._competent:
            if len(self._competent) >= MEMO_LIMIT:
                self._competent.clear()
            self._competent[key] = min(self.in_role(role, nis, on), key=_narrowest, default=None)
        return self._competent[key]

    def resolve(
        self,
        organisation: str,
        roles: Collection[str],
        nis: str | None,
        on: date,
        target_role: str | None = None,
    ) -> Participant:
        """The participant that an organisation's URN in an event means (`domain.md` §3.2).

        Args:
            organisation: the URN.
            roles: the role letters that the field implies.
            nis: the municipality it has to serve; None leaves territory aside.
            on: the day on which it has to take part.
            target_role: the letter the sender chose among `roles`, if any.

        Raises:
            UnknownOrganisation: nobody fits, 422.
            TargetAmbiguous: several fit, 422.
        """
        wanted = {target_role} & set(roles) if target_role else set(roles)
        found = tuple(
            one
            for one in self.participants_of(organisation)
            if one.role in wanted and one.is_valid(on) and (nis is None or one.serves(nis, on))
        )
        if len(found) == 1:
            return found[0]
        raise _unknown(organisation, nis) if not found else _ambiguous(organisation, found)


def _grouped(
    participants: Iterable[Participant], attribute: str
) -> dict[str, tuple[Participant, ...]]:
    """Participants by one attribute, each group ordered by id."""
    groups: dict[str, list[Participant]] = {}
    for one in sorted(participants, key=lambda participant: participant.id):
        groups.setdefault(getattr(one, attribute), []).append(one)
    return {key: tuple(members) for key, members in groups.items()}


def _external(clients: Iterable[Client]) -> dict[tuple[str, str], Client]:
    return {
        (one.issuer, one.subject): client
        for client in clients
        for one in client.credentials
        if one.issuer is not None and one.subject is not None
    }


def _narrowest(participant: Participant) -> tuple[float, str]:
    size = float("inf") if participant.territory is None else len(participant.territory)
    return size, participant.id


def _unknown(organisation: str, nis: str | None) -> UnknownOrganisation:
    where = ("", "") if nis is None else (f" voor gemeente {nis}", f" for municipality {nis}")
    return UnknownOrganisation(
        Message(
            nl=f"{organisation} heeft geen deelnemer in een passende rol{where[0]}.",
            en=f"{organisation} has no participant in a fitting role{where[1]}.",
        ),
        facts={"organisation": organisation},
    )


def _ambiguous(organisation: str, found: tuple[Participant, ...]) -> TargetAmbiguous:
    names = ", ".join(one.id for one in found)
    return TargetAmbiguous(
        Message(
            nl=f"{organisation} neemt deel in meer dan één rol ({names}); geef target_role mee.",
            en=f"{organisation} takes part in more than one role ({names}); state target_role.",
        ),
        facts={"organisation": organisation, "participants": [one.id for one in found]},
    )
