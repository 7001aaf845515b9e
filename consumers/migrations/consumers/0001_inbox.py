"""The inbox, its counters, the disclosure log and the parked records."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbox_counters",
        sa.Column("participant", sa.String(40), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("event_name", sa.String(80), nullable=False),
        sa.Column("trajectory_id", sa.String(36)),
        sa.Column("agreement_id", sa.String(80)),
        sa.Column("relations", sa.Text, nullable=False),
        sa.Column("nis", sa.String(5), nullable=False),
        sa.Column("programme", sa.String(40)),
        sa.Column("backfill", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("stopped_leg", sa.String(40)),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("routed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("participant", "seq"),
        sa.UniqueConstraint("event_id", "participant", name="inbox_once"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "disclosures",
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("door", sa.String(10), nullable=False),
        sa.Column("disclosed_at", sa.BigInteger, nullable=False),
        sa.Column("event_name", sa.String(80), nullable=False),
        sa.Column("producer", sa.String(40), nullable=False),
        sa.Column("producer_org", sa.String(120), nullable=False),
        sa.Column("subject_id", sa.String(36)),
        sa.Column("trajectory_id", sa.String(36)),
        sa.Column("agreement_id", sa.String(80)),
        sa.Column("purpose", sa.String(40)),
        sa.Column("legal_basis", sa.String(40)),
        sa.Column("withheld", sa.Text, nullable=False),
        sa.Column("trace_id", sa.String(32)),
        sa.PrimaryKeyConstraint("event_id", "participant", "door"),
        sqlite_with_rowid=False,
    )
    op.create_index("disclosures_by_subject", "disclosures", ["subject_id", "disclosed_at"])
    op.create_table(
        "parked",
        sa.Column("topic", sa.String(120), nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(36)),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("parked_at", sa.BigInteger, nullable=False),
        sa.Column("resolved_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("topic", "partition", "record_offset"),
    )


def downgrade() -> None:
    for table in ("parked", "disclosures", "inbox", "inbox_counters"):
        op.drop_table(table)
