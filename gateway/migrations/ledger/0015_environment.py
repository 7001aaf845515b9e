"""Which environment an installation is of, kept from its first start on."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("installation")
