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
        │   ├── KeptRefusal              what an earlier answer refused, told again
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
        │   ├── PortSettled              503 port_settled
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
        │   ├── NotConfirmed             400 not_confirmed
        │   ├── NoHubHere                404 no_hub_here
        │   └── NothingFound             404 nothing_found
        └── ServiceError                 the hub cannot answer now; retry the same call
            ├── InternalError            500 internal_error
            ├── Unavailable              503 unavailable
            ├── LedgerUnavailable        503 ledger_unavailable
            ├── KeysUnusable             503 keys_unusable
            ├── EnvironmentDiffers       503 environment_differs
            ├── TreeDiffers              503 tree_differs
            ├── IssuerUnavailable        503 issuer_unavailable
            └── Overloaded               503 overloaded

Codes are stable and documented; sentences are for the partner's operator, in Dutch and English.
The classes stand in `gateway/refusals/`, a module for each branch; others import them from here.
"""

from gateway.refusals.access import (
    AccessError,
    EvidenceOff,
    FiguresRefused,
    ForeignSource,
    InvalidProof,
    InvalidToken,
    MissingScope,
    NonceRequired,
    NotCaseHolder,
)
from gateway.refusals.command import (
    CommandError,
    CredentialsMissing,
    FormIncomplete,
    HubUnreachable,
    NoHubHere,
    NotConfirmed,
    NothingFound,
    RefusedByHub,
)
from gateway.refusals.embedded import (
    BrokerFailed,
    BrokerNotRunning,
    CacheUnusable,
    ChecksumDiffers,
    DataInUse,
    DiskFull,
    DownloadFailed,
    EmbeddedError,
    HubNotReady,
    JavaUnsuitable,
    PortSettled,
    PortTaken,
)
from gateway.refusals.exchange import (
    ActorRefused,
    Blocked,
    ClockNotDue,
    DutyToKeep,
    ErasedHere,
    EventIdReused,
    EventTooLarge,
    ExchangeError,
    IdentifierTaken,
    KeptRefusal,
    NoAgreement,
    NoDelegation,
    NotAllowedNow,
    OutsideTerritory,
    RoleRefused,
    RuleBroken,
    ScopeRefused,
    TargetAmbiguous,
    UnknownCase,
    UnknownOrganisation,
    Unresolvable,
    VersionDiffers,
)
from gateway.refusals.registry import (
    AgreementExists,
    AgreementRefused,
    AgreementStands,
    ClientExists,
    InvalidClient,
    InvalidRegistry,
    NotAParty,
    RegistryChanged,
    RegistryError,
    RotationTooSoon,
    SignatureRefused,
)
from gateway.refusals.request import (
    BatchTooLarge,
    BodyTooLarge,
    BudgetSpent,
    CertificateHeaderRefused,
    HeadersTooLarge,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    InvalidCursor,
    InvalidParameter,
    InvalidReferral,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    RequestError,
    RequestTimeout,
    TerritoryAmbiguous,
    TooManyAtOnce,
    TooManyCalls,
    UnknownPath,
    UnknownRecord,
    UnsupportedMediaType,
)
from gateway.refusals.root import (
    GatewayError,
)
from gateway.refusals.service import (
    EnvironmentDiffers,
    InternalError,
    IssuerUnavailable,
    KeysUnusable,
    LedgerUnavailable,
    Overloaded,
    ServiceError,
    TreeDiffers,
    Unavailable,
)

__all__ = [
    "AccessError",
    "ActorRefused",
    "AgreementExists",
    "AgreementRefused",
    "AgreementStands",
    "BatchTooLarge",
    "Blocked",
    "BodyTooLarge",
    "BrokerFailed",
    "BrokerNotRunning",
    "BudgetSpent",
    "CacheUnusable",
    "CertificateHeaderRefused",
    "ChecksumDiffers",
    "ClientExists",
    "ClockNotDue",
    "CommandError",
    "CredentialsMissing",
    "DataInUse",
    "DiskFull",
    "DownloadFailed",
    "DutyToKeep",
    "EmbeddedError",
    "EnvironmentDiffers",
    "ErasedHere",
    "EventIdReused",
    "EventTooLarge",
    "EvidenceOff",
    "ExchangeError",
    "FiguresRefused",
    "ForeignSource",
    "FormIncomplete",
    "GatewayError",
    "HeadersTooLarge",
    "HubNotReady",
    "HubUnreachable",
    "IdempotencyKeyRequired",
    "IdempotencyKeyReused",
    "IdentifierTaken",
    "InternalError",
    "InvalidClient",
    "InvalidCursor",
    "InvalidParameter",
    "InvalidProof",
    "InvalidReferral",
    "InvalidRegistry",
    "InvalidToken",
    "IssuerUnavailable",
    "JavaUnsuitable",
    "KeptRefusal",
    "KeysUnusable",
    "LedgerUnavailable",
    "MalformedRequest",
    "MethodNotAllowed",
    "MissingScope",
    "NoAgreement",
    "NoDelegation",
    "NoHubHere",
    "NonceRequired",
    "NotAParty",
    "NotAcceptable",
    "NotAllowedNow",
    "NotCaseHolder",
    "NotConfirmed",
    "NothingFound",
    "OutsideTerritory",
    "Overloaded",
    "PortSettled",
    "PortTaken",
    "RefusedByHub",
    "RegistryChanged",
    "RegistryError",
    "RequestError",
    "RequestTimeout",
    "RoleRefused",
    "RotationTooSoon",
    "RuleBroken",
    "ScopeRefused",
    "ServiceError",
    "SignatureRefused",
    "TargetAmbiguous",
    "TerritoryAmbiguous",
    "TooManyAtOnce",
    "TooManyCalls",
    "TreeDiffers",
    "Unavailable",
    "UnknownCase",
    "UnknownOrganisation",
    "UnknownPath",
    "UnknownRecord",
    "Unresolvable",
    "UnsupportedMediaType",
    "VersionDiffers",
]
