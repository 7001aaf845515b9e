"""The daily run that destroys what is not kept any longer: how far it has got."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_runs",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("keys", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
    )


def downgrade() -> None:
    op.drop_table("retention_runs")
