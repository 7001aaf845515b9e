"""Orders to erase: one row each, with how far it has got; ids, codes and times only."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("ordered_at", sa.BigInteger, nullable=False),
        sa.Column("erasure", sa.LargeBinary, nullable=False),
    )
    op.create_index("erasures_due", "erasures", ["due_at"])
    op.create_index("erasures_of", "erasures", ["organisation", "ordered_at"])
    op.create_table(
        "erasure_told",
        sa.Column("erasure_id", sa.Text, primary_key=True),
        sa.Column("participant", sa.Text, primary_key=True),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger),
        sa.Column("reminded", sa.Integer, nullable=False),
    )
    op.create_index("erasure_told_to", "erasure_told", ["participant", "told_at"])


def downgrade() -> None:
    op.drop_table("erasure_told")
    op.drop_table("erasures")
