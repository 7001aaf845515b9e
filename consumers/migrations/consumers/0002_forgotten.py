"""What retention removed from each inbox, so that only those cursors expire."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("forgotten", "forgotten_at"):
        column = sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        op.add_column("inbox_counters", column)


def downgrade() -> None:
    for name in ("forgotten", "forgotten_at"):
        op.drop_column("inbox_counters", name)
