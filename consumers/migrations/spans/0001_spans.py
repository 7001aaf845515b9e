"""Spans: short-lived detail about one hop, nothing personal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spans",
        sa.Column("span_id", sa.String(16), primary_key=True),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("parent_id", sa.String(16)),
        sa.Column("service", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
    )
    op.create_index("spans_by_trace", "spans", ["trace_id", "started_at"])
    op.create_index("spans_by_time", "spans", ["started_at"])
    op.create_table(
        "span_links",
        sa.Column("linked_trace_id", sa.String(32), nullable=False),
        sa.Column("span_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("linked_trace_id", "span_id"),
    )


def downgrade() -> None:
    op.drop_table("span_links")
    op.drop_table("spans")
