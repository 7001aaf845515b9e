"""Facts of the evidence, each once by its place in the log, and whose own case each is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.String(120), nullable=False),
        sa.Column("indicator", sa.String(40), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("nis", sa.String(5), nullable=False),
        sa.Column("programme", sa.String(40)),
        sa.Column("channel", sa.String(10)),
        sa.Column("code", sa.String(80)),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("days", sa.BigInteger),
        sa.Column("detail", sa.String(80)),
        sa.Column("value", sa.BigInteger),
        sa.Column("rule_set", sa.String(80)),
        sa.PrimaryKeyConstraint("topic", "partition", "record_offset"),
    )
    op.create_index("facts_by_indicator", "facts", ["indicator", "month"])
    op.create_table(
        "fact_owners",
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("topic", sa.String(120), nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("participant", "topic", "partition", "record_offset"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("fact_owners", "facts"):
        op.drop_table(table)
