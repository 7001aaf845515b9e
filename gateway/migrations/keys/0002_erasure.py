"""What was destroyed, and whether the key-encryption key was renewed since.

A tombstone keeps an organisation's key about a person from being made again.
`key_state` counts destructions: those up to `covered` lie before the current key-encryption key was
made, and those up to `completed` can be undone by nobody, because the older ones are gone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased_keys",
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("producer_org", sa.Text, primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
    )
    op.create_index("data_keys_producer", "data_keys", ["producer_org", "subject_id"])
    state = op.create_table(
        "key_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("destroyed", sa.BigInteger, nullable=False),
        sa.Column("covered", sa.BigInteger, nullable=False),
        sa.Column("completed", sa.BigInteger, nullable=False),
        sa.Column("pending_since", sa.BigInteger),
        sa.Column("rotated_at", sa.BigInteger),
    )
    op.bulk_insert(state, [{"id": 1, "version": 1, "destroyed": 0, "covered": 0, "completed": 0}])


def downgrade() -> None:
    op.drop_table("key_state")
    op.drop_index("data_keys_producer", "data_keys")
    op.drop_table("erased_keys")
