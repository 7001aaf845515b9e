"""The tables of the registry and of the OAuth issuer, in the ledger's store.

They are made by `0002_registry.py`, `0005_programmes.py`, `0009_trust.py` and
`0010_agreement_acts.py` in `gateway/migrations/ledger/`; this is how the code speaks of them.
Times are microseconds since the epoch unless a name says seconds.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

METADATA = MetaData()

# One row. `version` rises with every change of anything below but assertions.
STATE = Table(
    "registry_state",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

# Who changed what, one row a version; names and ids only, never a key.
CHANGES = Table(
    "registry_changes",
    METADATA,
    Column("version", BigInteger, primary_key=True),
    Column("changed_at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("changes", JSON, nullable=False),
)

ORGANISATIONS = Table(
    "organisations",
    METADATA,
    Column("urn", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kbo", Text),
    Column("ovo", Text),
    Column("vcode", Text),
    Column("sensitive_sender", Boolean, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("keys", JSON, nullable=False),
)

PARTICIPANTS = Table(
    "participants",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.urn"), nullable=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("territory", JSON(none_as_null=True)),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("notice_version", Text),
    Column("contact", JSON(none_as_null=True)),
    Column("status", Text, nullable=False),
    Column("budget", JSON(none_as_null=True)),
)

# As they stood in the registry file; the id of an issuer is its `iss`.
TRUSTED_ISSUERS = Table(
    "trusted_issuers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("status", Text, nullable=False),
)

DELEGATIONS = Table(
    "delegations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("status", Text, nullable=False),
)

CLIENTS = Table(
    "clients",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("participant", Text, ForeignKey("participants.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("auth", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("trusted_trace", Boolean, nullable=False),
    Column("credentials", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

AGREEMENTS = Table(
    "agreements",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("document", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("revoked_at", BigInteger),
    Column("proposed_at", BigInteger),
    Column("proposed_by", Text),
    Column("activated_at", BigInteger),
)

# What parties signed about an agreement: the signature as it came, and the key that it was made
# with, so that it can be checked after the key is gone from the registry.
AGREEMENT_ACTS = Table(
    "agreement_acts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("agreement_id", Text, ForeignKey("agreements.id"), nullable=False, index=True),
    Column("act", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("reason", Text),
    Column("signed_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("key", JSON, nullable=False),
    Column("jws", Text, nullable=False),
)

# Rule files laid over the rules that come with the hub, in the order of `place`.
RULE_PUBLICATIONS = Table(
    "rule_publications",
    METADATA,
    Column("reference", Text, primary_key=True),
    Column("place", Integer, nullable=False, unique=True),
    Column("document", JSON, nullable=False),
    Column("hash", Text, nullable=False),
    Column("published_on", Date, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", Text, nullable=False),
)

# What organisations say of a publication, in which role.
RULE_COMMENTS = Table(
    "rule_comments",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("reference", Text, ForeignKey("rule_publications.reference"), nullable=False),
    Column("organisation", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("said_at", BigInteger, nullable=False),
    Column("said_by", Text, nullable=False),
)

# An assertion's id counts once per client; rows go when the assertion could not be valid any more.
CLIENT_ASSERTIONS = Table(
    "client_assertions",
    METADATA,
    Column("client_id", Text, primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("expires_at_seconds", BigInteger, nullable=False, index=True),
)

REVOKED_TOKENS = Table(
    "revoked_tokens",
    METADATA,
    Column("jti", Text, primary_key=True),
    Column("expires_at_seconds", BigInteger, nullable=False),
)

# The issuer's keys. `sealed` is the private JWK under the key-encryption key of id `sealed_with`.
SIGNING_KEYS = Table(
    "signing_keys",
    METADATA,
    Column("kid", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("public", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sealed_with", Text, nullable=False),
    Column("published_at_seconds", BigInteger, nullable=False),
    Column("retired_at_seconds", BigInteger),
)
