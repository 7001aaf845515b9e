"""What is stopped is found without going through every inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STOPPED = sa.text("status = 'stopped'")


def upgrade() -> None:
    op.create_index(
        "inbox_stopped",
        "inbox",
        ["participant", "seq"],
        sqlite_where=STOPPED,
        postgresql_where=STOPPED,
    )


def downgrade() -> None:
    op.drop_index("inbox_stopped", "inbox")
