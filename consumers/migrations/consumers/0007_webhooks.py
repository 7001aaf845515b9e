"""Webhooks: subscriptions, what became of each event for each of them, and dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("event_names", sa.Text, nullable=False),
        sa.Column("programmes", sa.Text, nullable=False),
        sa.Column("municipalities", sa.Text, nullable=False),
        sa.Column("concurrency", sa.Integer, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("window_us", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("oauth", sa.Text),
        sa.Column("creation_key", sa.String(128), nullable=False),
        sa.Column("creation_hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("held_until", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("alerted_at", sa.BigInteger),
        sa.UniqueConstraint("participant", "creation_key", name="subscription_once"),
    )
    op.create_table(
        "deliveries",
        sa.Column("subscription_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("lane", sa.String(36), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("first_at", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("code", sa.String(40)),
        sa.PrimaryKeyConstraint("subscription_id", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("deliveries_due", "deliveries", ["subscription_id", "state", "next_at"])
    op.create_index("deliveries_by_event", "deliveries", ["event_id"])
    op.create_table(
        "attempts",
        sa.Column("subscription_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("duration_us", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("excerpt", sa.Text),
        sa.PrimaryKeyConstraint("subscription_id", "seq", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("subscription_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("event_name", sa.String(80), nullable=False),
        sa.Column("trajectory_id", sa.String(36)),
        sa.Column("dataschema", sa.String(80)),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("excerpt", sa.Text),
        sa.Column("dead_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String(80)),
        sa.Column("why", sa.Text),
    )
    op.create_index(
        "dead_letters_by_subscription", "dead_letters", ["subscription_id", "state", "dead_at"]
    )


def downgrade() -> None:
    for table in ("dead_letters", "attempts", "deliveries", "subscriptions"):
        op.drop_table(table)
