"""The key store: everything in it is wrapped, and none of it is in the data backup."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subject_keys",
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("kek_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "data_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("aggregate_id", sa.Text, nullable=False),
        sa.Column("producer_org", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("aggregate_id", "producer_org", "part"),
    )
    op.create_index("data_keys_subject", "data_keys", ["subject_id"])
    # Pairwise pseudonym keys (`pseudonym:<participant>`), `blind_index` and the like.
    op.create_table(
        "hub_keys",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("kek_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("hub_keys", "data_keys", "subject_keys"):
        op.drop_table(table)
