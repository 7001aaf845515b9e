"""Alerts about dead letters: where a subscription's owner wants them, and those that are owed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OWED = sa.text("ended_at is null")


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("alert_email", sa.Text))
    op.add_column("subscriptions", sa.Column("alert_url", sa.Text))
    op.add_column("kafka_positions", sa.Column("alerted_at", sa.BigInteger))
    op.add_column(
        "kafka_positions",
        sa.Column("untold", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("about", sa.String(36), nullable=False),
        sa.Column("owed_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("handed_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("outcome", sa.String(12)),
        sa.PrimaryKeyConstraint("id", "channel"),
        sqlite_with_rowid=False,
    )
    op.create_index("alerts_by_about", "alerts", ["participant", "about"])
    op.create_index("alerts_owed", "alerts", ["next_at"], sqlite_where=OWED, postgresql_where=OWED)


def downgrade() -> None:
    op.drop_table("alerts")
    op.drop_column("kafka_positions", "untold")
    op.drop_column("kafka_positions", "alerted_at")
    op.drop_column("subscriptions", "alert_url")
    op.drop_column("subscriptions", "alert_email")
