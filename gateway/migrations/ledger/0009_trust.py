"""Trust beyond the hub's own clients: issuers, delegations, budgets, and OVO codes.

An issuer and a delegation are kept as they stood in the registry file, beside their status.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("trusted_issuers", "delegations"):
        op.create_table(
            table,
            sa.Column("id", sa.Text, primary_key=True),
            sa.Column("document", sa.JSON, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
        )
    op.add_column("participants", sa.Column("budget", sa.JSON))
    op.add_column("organisations", sa.Column("ovo", sa.Text))


def downgrade() -> None:
    op.drop_column("organisations", "ovo")
    op.drop_column("participants", "budget")
    op.drop_table("delegations")
    op.drop_table("trusted_issuers")
