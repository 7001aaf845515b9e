"""Cases with a clock that was put off are few, and counted at every step of the timers."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    refused = sa.text("refused > 0")
    op.create_index(
        "clocks_refused", "clocks", ["refused"], sqlite_where=refused, postgresql_where=refused
    )


def downgrade() -> None:
    op.drop_index("clocks_refused", "clocks")
