"""When the earliest clock of each trajectory and offer is due.

`refused` counts how often the hub's event was refused since, so that it is tried ever more seldom.
`clock_sweep` keeps under which rules every row was last derived; another answer derives all anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clocks",
        sa.Column("target_id", sa.Text, primary_key=True),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("refused", sa.Integer, nullable=False),
    )
    op.create_index("clocks_due", "clocks", ["due_at"])
    op.create_table(
        "clock_sweep",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("rules", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("clock_sweep")
    op.drop_table("clocks")
