"""Everything the gateway may refuse or fail with, as one tree.

    SchakelError
    └── GatewayError
        ├── RequestError                 the HTTP request itself is at fault
        │   ├── MalformedRequest         400 malformed_request
        │   ├── InvalidParameter         400 invalid_parameter
        │   ├── InvalidCursor            400 cursor_invalid
        │   ├── IdempotencyKeyRequired   400 idempotency_key_required
        │   ├── IdempotencyKeyReused     422 idempotency_key_reused
        │   ├── InvalidReferral          422 referral_invalid
        │   ├── TerritoryAmbiguous       422 territory_ambiguous
        │   ├── UnknownPath              404 not_found
        │   ├── UnknownRecord            404 not_found
        │   ├── MethodNotAllowed         405 method_not_allowed
        │   ├── NotAcceptable            406 not_acceptable
        │   ├── RequestTimeout           408 request_timeout
        │   ├── BodyTooLarge             413 body_too_large
        │   ├── BatchTooLarge            413 batch_too_large
        │   ├── UnsupportedMediaType     415 unsupported_media_type
        │   ├── TooManyCalls             429 too_many_calls
        │   ├── CertificateHeaderRefused 400 client_cert_refused
        │   ├── BudgetSpent              429 budget_spent
        │   ├── TooManyAtOnce            429 too_many_at_once
        │   └── HeadersTooLarge          431 headers_too_large
        ├── AccessError                  who asks, and whether they may
        │   ├── InvalidToken             401 invalid_token
        │   ├── InvalidProof             401 invalid_dpop_proof
        │   │   └── NonceRequired        401 use_dpop_nonce
        │   ├── ForeignSource            403 foreign_source
        │   ├── MissingScope             403 missing_scope
        │   ├── NotCaseHolder            403 not_case_holder
        │   ├── FiguresRefused           403 figures_refused
        │   └── EvidenceOff              403 evidence_off
        ├── RegistryError                the registry cannot be changed like that
        │   ├── InvalidRegistry          422 registry_invalid
        │   ├── ClientExists             409 client_exists
        │   ├── InvalidClient            422 client_invalid
        │   ├── RegistryChanged          409 registry_changed
        │   ├── AgreementRefused         422 agreement_refused
        │   ├── AgreementExists          409 agreement_exists
        │   ├── AgreementStands          409 agreement_state
        │   ├── NotAParty                403 not_a_party
        │   ├── SignatureRefused         422 signature_refused
        │   └── RotationTooSoon          409 rotation_too_soon
        ├── ExchangeError                the exchange refused an event, at a leg
        │   ├── ScopeRefused             403 missing_scope (leg scope)
        │   ├── RoleRefused              403 role_not_allowed (leg role)
        │   ├── UnknownCase              404 not_found (leg membership)
        │   ├── NoDelegation             403 no_delegation (leg delegation)
        │   ├── NoAgreement              403 no_agreement (leg agreement)
        │   ├── OutsideTerritory         403 outside_territory (leg territory)
        │   ├── ActorRefused             403 not_your_step (leg lifecycle)
        │   ├── NotAllowedNow            409 not_allowed_now (leg lifecycle)
        │   ├── VersionDiffers           409 version_differs (leg lifecycle)
        │   ├── ErasedHere               409 erased (leg lifecycle)
        │   ├── DutyToKeep               409 duty_to_keep (leg lifecycle)
        │   ├── ClockNotDue              409 clock_not_due (leg lifecycle; hub events only)
        │   ├── RuleBroken               422 rule_broken, or the rule's own code (leg rules)
        │   ├── EventIdReused            409 event_id_reused
        │   ├── EventTooLarge            413 event_too_large
        │   ├── IdentifierTaken          422 identifier_taken
        │   ├── Blocked                  409 blocked
        │   └── Unresolvable             an organisation's URN names no single participant
        │       ├── UnknownOrganisation  422 unknown_organisation
        │       └── TargetAmbiguous      422 target_ambiguous
        ├── EmbeddedError                the embedded broker cannot be had, started or reached
        │   ├── JavaUnsuitable           503 java_unsuitable
        │   ├── DownloadFailed           503 download_failed
        │   ├── ChecksumDiffers          503 checksum_differs
        │   ├── PortTaken                503 port_taken
        │   ├── DiskFull                 503 disk_full
        │   ├── CacheUnusable            503 cache_unusable
        │   ├── DataInUse                503 data_in_use
        │   ├── BrokerFailed             503 broker_failed
        │   ├── HubNotReady              503 hub_not_ready
        │   └── BrokerNotRunning         503 broker_not_running
        ├── CommandError                 a command cannot reach the hub, or was refused by it
        │   ├── CredentialsMissing       400 credentials_missing
        │   ├── HubUnreachable           503 hub_unreachable
        │   ├── RefusedByHub             the status and code of the hub's answer
        │   ├── FormIncomplete           400 form_incomplete
        │   └── NothingFound             404 nothing_found
        └── ServiceError                 the hub cannot answer now; retry the same call
            ├── InternalError            500 internal_error
            ├── Unavailable              503 unavailable
            ├── LedgerUnavailable        503 ledger_unavailable
            ├── KeysUnusable             503 keys_unusable
            ├── TreeDiffers              503 tree_differs
            ├── IssuerUnavailable        503 issuer_unavailable
            └── Overloaded               503 overloaded

Codes are stable and documented; sentences are for the partner's operator, in Dutch and English.
"""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.errors import InvalidParam, Message, SchakelError


class GatewayError(SchakelError):
    """The root of what the gateway raises."""

    code = "gateway_error"
    status = 500
    title = Message(nl="Fout in de hub", en="Hub error")


class RequestError(GatewayError):
    """The HTTP request is at fault; nothing was written."""

    code = "bad_request"
    status = 400
    title = Message(nl="Ongeldig verzoek", en="Bad request")


class MalformedRequest(RequestError):
    """The body or a header cannot be read as what it claims to be."""

    code = "malformed_request"
    title = Message(nl="Onleesbaar verzoek", en="Malformed request")


class InvalidParameter(RequestError):
    """A query parameter, path part or body member is missing or has a wrong form."""

    code = "invalid_parameter"
    title = Message(nl="Ongeldige parameter", en="Invalid parameter")


class InvalidCursor(RequestError):
    """The cursor was not made by this hub for this participant."""

    code = "cursor_invalid"
    title = Message(nl="Ongeldige cursor", en="Invalid cursor")


class IdempotencyKeyRequired(RequestError):
    """A creating call came without `Idempotency-Key`."""

    code = "idempotency_key_required"
    title = Message(nl="Idempotency-Key ontbreekt", en="Idempotency-Key missing")


class IdempotencyKeyReused(RequestError):
    """The same `Idempotency-Key` came before with another body."""

    code = "idempotency_key_reused"
    status = 422
    title = Message(nl="Idempotency-Key al gebruikt", en="Idempotency-Key already used")


class InvalidReferral(RequestError):
    """The seven-field referral misses a field or holds a wrong one."""

    code = "referral_invalid"
    status = 422
    title = Message(nl="Ongeldige doorverwijzing", en="Invalid referral")


class TerritoryAmbiguous(RequestError):
    """A postcode spans several municipalities; the facts name them."""

    code = "territory_ambiguous"
    status = 422
    title = Message(nl="Meerdere gemeenten mogelijk", en="Several municipalities possible")


class UnknownPath(RequestError):
    """No resource lives at this path."""

    code = "not_found"
    status = 404
    title = Message(nl="Niet gevonden", en="Not found")


class UnknownRecord(RequestError):
    """The record does not exist, or is not the caller's: the same answer on purpose."""

    code = "not_found"
    status = 404
    title = Message(nl="Niet gevonden", en="Not found")


class MethodNotAllowed(RequestError):
    """The path exists but not with this method."""

    code = "method_not_allowed"
    status = 405
    title = Message(nl="Methode niet toegestaan", en="Method not allowed")


class NotAcceptable(RequestError):
    """None of the media types in `Accept` can be served."""

    code = "not_acceptable"
    status = 406
    title = Message(nl="Geen passend antwoordformaat", en="Not acceptable")


class RequestTimeout(RequestError):
    """The request's head or body arrived too slowly."""

    code = "request_timeout"
    status = 408
    title = Message(nl="Verzoek te traag", en="Request timeout")


class BodyTooLarge(RequestError):
    """The body is longer than the limit."""

    code = "body_too_large"
    status = 413
    title = Message(nl="Inhoud te groot", en="Body too large")


class BatchTooLarge(RequestError):
    """A batch holds more events than the limit."""

    code = "batch_too_large"
    status = 413
    title = Message(nl="Te veel gebeurtenissen", en="Too many events")


class UnsupportedMediaType(RequestError):
    """The content type is not one this path reads."""

    code = "unsupported_media_type"
    status = 415
    title = Message(nl="Onbekend inhoudstype", en="Unsupported media type")


class TooManyCalls(RequestError):
    """More calls than one address without a token, or one client, may make; see `retry_after`."""

    code = "too_many_calls"
    status = 429
    title = Message(nl="Te veel oproepen", en="Too many calls")


class CertificateHeaderRefused(RequestError):
    """A `Client-Cert` header that no listed proxy sent, or that cannot be read (RFC 9440)."""

    code = "client_cert_refused"
    title = Message(nl="Certificaatheader geweigerd", en="Certificate header refused")


class BudgetSpent(RequestError):
    """A participant used up what it may ask; the facts name the budget and `retry_after`."""

    code = "budget_spent"
    status = 429
    title = Message(nl="Budget op", en="Budget spent")


class TooManyAtOnce(RequestError):
    """Too many calls of one client are under way."""

    code = "too_many_at_once"
    status = 429
    title = Message(nl="Te veel oproepen tegelijk", en="Too many calls at the same time")


class HeadersTooLarge(RequestError):
    """Too many or too long request headers."""

    code = "headers_too_large"
    status = 431
    title = Message(nl="Te veel headers", en="Headers too large")


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


class ExchangeError(GatewayError):
    """The exchange refused an event at one leg of the decision.

    Args:
        detail: the sentence for the partner.
        leg: scope, role, agreement, territory, membership, lifecycle or another documented leg.
        invalid: the fields at fault, when it is about fields.
        facts: further problem members, such as `allowed`, the events that may be sent now.
    """

    code = "refused"
    status = 409
    title = Message(nl="Geweigerd", en="Refused")

    def __init__(
        self,
        detail: Message,
        *,
        leg: str = "",
        invalid: Sequence[InvalidParam] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        members = dict(facts or {})
        if leg:
            members.setdefault("leg", leg)
        super().__init__(detail, invalid=invalid, facts=members)

    @property
    def leg(self) -> str:
        """The leg of the decision that failed, empty when none is named."""
        return str(self.facts.get("leg", ""))


class ScopeRefused(ExchangeError):
    """The client lacks the scope that this event type needs."""

    code = "missing_scope"
    status = 403
    title = Message(nl="Scope ontbreekt", en="Scope missing")


class RoleRefused(ExchangeError):
    """No table lets a participant in this role send this event type."""

    code = "role_not_allowed"
    status = 403
    title = Message(nl="Niet voor deze rol", en="Not for this role")


class UnknownCase(ExchangeError):
    """The case does not exist, or the sender is no part of it: the same answer on purpose."""

    code = "not_found"
    status = 404
    title = Message(nl="Dossier niet gevonden", en="Case not found")


class NoDelegation(ExchangeError):
    """The sender may not act for the organisation in `onbehalfof`, for this event or place."""

    code = "no_delegation"
    status = 403
    title = Message(nl="Geen volmacht", en="No delegation")


class NoAgreement(ExchangeError):
    """No active agreement covers this event, these organisations and this municipality."""

    code = "no_agreement"
    status = 403
    title = Message(nl="Geen overeenkomst", en="No agreement")


class OutsideTerritory(ExchangeError):
    """The sender does not serve the municipality of the case."""

    code = "outside_territory"
    status = 403
    title = Message(nl="Buiten werkingsgebied", en="Outside territory")


class ActorRefused(ExchangeError):
    """The state allows this event, but from somebody else in the case."""

    code = "not_your_step"
    status = 403
    title = Message(nl="Niet uw stap", en="Not your step")


class NotAllowedNow(ExchangeError):
    """The state does not allow this event; the facts list what is allowed now."""

    code = "not_allowed_now"
    status = 409
    title = Message(nl="Nu niet toegestaan", en="Not allowed now")


class VersionDiffers(ExchangeError):
    """The aggregate changed since the sender saw it; the facts hold the version it has now."""

    code = "version_differs"
    status = 409
    title = Message(nl="Intussen gewijzigd", en="Changed meanwhile")


class ErasedHere(ExchangeError):
    """The sender's organisation had its data in this case erased; it sends nothing more to it."""

    code = "erased"
    status = 409
    title = Message(nl="Gewist", en="Erased")


class DutyToKeep(ExchangeError):
    """The data may not be erased yet; `invalid` names each duty, and until when it lasts."""

    code = "duty_to_keep"
    status = 409
    title = Message(nl="Bewaarplicht", en="Duty to keep")


class ClockNotDue(ExchangeError):
    """The hub's own clock is not due: an event came before it. Nobody outside is ever told."""

    code = "clock_not_due"
    status = 409
    title = Message(nl="Niet meer nodig", en="No longer due")


class RuleBroken(ExchangeError):
    """A rule of the domain is not met; the fields and the fix are named."""

    code = "rule_broken"
    status = 422
    title = Message(nl="Regel niet nageleefd", en="Rule not met")


class EventIdReused(ExchangeError):
    """The sender used this event id before, for other content."""

    code = "event_id_reused"
    title = Message(nl="Gebeurtenisnummer al gebruikt", en="Event id already used")


class EventTooLarge(ExchangeError):
    """One event is larger than a record of the log may be, so nobody could ever get it."""

    code = "event_too_large"
    status = 413
    title = Message(nl="Gebeurtenis te groot", en="Event too large")


class IdentifierTaken(ExchangeError):
    """The id given to something new is not a UUID, or exists already."""

    code = "identifier_taken"
    status = 422
    title = Message(nl="Nummer niet bruikbaar", en="Identifier not usable")


class Blocked(ExchangeError):
    """An earlier event of the same case in the same request was refused."""

    code = "blocked"
    title = Message(nl="Niet behandeld", en="Not handled")


class Unresolvable(ExchangeError):
    """An organisation's URN in an event does not name exactly one participant."""

    code = "unresolvable"
    status = 422
    title = Message(nl="Organisatie niet bepaald", en="Organisation not resolved")


class UnknownOrganisation(Unresolvable):
    """The organisation is not registered, or not in a role and territory that fit."""

    code = "unknown_organisation"
    title = Message(nl="Onbekende organisatie", en="Unknown organisation")


class TargetAmbiguous(Unresolvable):
    """The organisation takes part in several roles that fit; `target_role` has to choose."""

    code = "target_ambiguous"
    title = Message(nl="Meerdere rollen mogelijk", en="Several roles possible")


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


class EmbeddedError(GatewayError):
    """The embedded broker cannot be had, started or reached; the sentence says what to do."""

    code = "embedded_error"
    status = 503
    title = Message(nl="Ingebouwde broker niet beschikbaar", en="Embedded broker unavailable")


class JavaUnsuitable(EmbeddedError):
    """The Java that was asked for does not run, or is older than 17."""

    code = "java_unsuitable"
    title = Message(nl="Java niet geschikt", en="Java not suitable")


class DownloadFailed(EmbeddedError):
    """A jar of the committed lock could not be fetched."""

    code = "download_failed"
    title = Message(nl="Ophalen mislukt", en="Download failed")


class ChecksumDiffers(EmbeddedError):
    """A jar is not the one that the committed lock names; nothing was started."""

    code = "checksum_differs"
    title = Message(nl="Controlesom verschilt", en="Checksum differs")


class PortTaken(EmbeddedError):
    """Another program listens on a port that the broker needs."""

    code = "port_taken"
    title = Message(nl="Poort bezet", en="Port taken")


class DiskFull(EmbeddedError):
    """The disk has too little room for the jars or the broker's data."""

    code = "disk_full"
    title = Message(nl="Schijf vol", en="Disk full")


class CacheUnusable(EmbeddedError):
    """The folder for downloads has a name that Java's class path cannot hold."""

    code = "cache_unusable"
    title = Message(nl="Cachemap niet bruikbaar", en="Cache folder unusable")


class DataInUse(EmbeddedError):
    """Another broker runs on the same data folder."""

    code = "data_in_use"
    title = Message(nl="Datamap in gebruik", en="Data folder in use")


class BrokerFailed(EmbeddedError):
    """The broker ended, or did not answer in time; its log says why."""

    code = "broker_failed"
    title = Message(nl="Broker niet gestart", en="Broker did not start")


class HubNotReady(EmbeddedError):
    """A process of the hub ended or did not answer while the hub started."""

    code = "hub_not_ready"
    title = Message(nl="Hub niet gestart", en="Hub did not start")


class BrokerNotRunning(EmbeddedError):
    """No broker runs on this data folder."""

    code = "broker_not_running"
    title = Message(nl="Broker draait niet", en="Broker not running")


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


class CommandError(GatewayError):
    """A command of `schakel` that speaks to the hub could not do what was asked."""

    code = "command_failed"
    title = Message(nl="Opdracht mislukt", en="Command failed")


class CredentialsMissing(CommandError):
    """No credentials were given, or the file cannot be used."""

    code = "credentials_missing"
    status = 400
    title = Message(nl="Toegangsgegevens ontbreken", en="Credentials missing")


class HubUnreachable(CommandError):
    """The hub does not answer at its address."""

    code = "hub_unreachable"
    status = 503
    title = Message(nl="Hub niet bereikbaar", en="Hub unreachable")


class RefusedByHub(CommandError):
    """The hub answered with a problem; `status` is the answer's."""

    code = "refused_by_hub"
    title = Message(nl="Geweigerd door de hub", en="Refused by the hub")

    def __init__(
        self, detail: Message, *, status: int, invalid: Sequence[InvalidParam] = ()
    ) -> None:
        super().__init__(detail, invalid=invalid)
        self.status = status  # type: ignore[misc]  # of this one answer, not of the class


class FormIncomplete(CommandError):
    """Fields of a form are missing and nobody can be asked for them."""

    code = "form_incomplete"
    status = 400
    title = Message(nl="Onvolledig formulier", en="Incomplete form")


class NothingFound(CommandError):
    """Nothing goes by that id or number, for this caller."""

    code = "nothing_found"
    status = 404
    title = Message(nl="Niets gevonden", en="Nothing found")
