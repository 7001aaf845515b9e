"""Add the registry: organisations, participants, clients, agreements; and the issuer's tables."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _state_and_organisations()
    _participants_and_clients()
    _agreements()
    _oauth()


def _state_and_organisations() -> None:
    state = op.create_table(
        "registry_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(state, [{"id": 1, "version": 1, "changed_at": 0}])
    op.create_table(
        "registry_changes",
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
    )
    op.create_table(
        "organisations",
        sa.Column("urn", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kbo", sa.Text),
        sa.Column("vcode", sa.Text),
        sa.Column("sensitive_sender", sa.Boolean, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )


def _participants_and_clients() -> None:
    op.create_table(
        "participants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, sa.ForeignKey("organisations.urn"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("territory", sa.JSON),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_to", sa.Date),
        sa.Column("notice_version", sa.Text),
        sa.Column("contact", sa.JSON),
        sa.Column("status", sa.Text, nullable=False),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("participant", sa.Text, sa.ForeignKey("participants.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("auth", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("trusted_trace", sa.Boolean, nullable=False),
        sa.Column("credentials", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )


def _agreements() -> None:
    op.create_table(
        "agreements",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )


def _oauth() -> None:
    op.create_table(
        "client_assertions",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("expires_at_seconds", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "ix_client_assertions_expires_at_seconds", "client_assertions", ["expires_at_seconds"]
    )
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("expires_at_seconds", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("public", sa.JSON, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("sealed_with", sa.Text, nullable=False),
        sa.Column("published_at_seconds", sa.BigInteger, nullable=False),
        sa.Column("retired_at_seconds", sa.BigInteger),
    )


def downgrade() -> None:
    for table in (
        "signing_keys",
        "revoked_tokens",
        "client_assertions",
        "agreements",
        "clients",
        "participants",
        "organisations",
        "registry_changes",
        "registry_state",
    ):
        op.drop_table(table)
