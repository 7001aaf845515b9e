"""Which clocks of a case are put off, so that one that is refused holds up none of the others.

`refused` tells from here on how many of them are; `put_off` until when each, and how often it was
refused. Both begin anew when the case changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clocks", sa.Column("put_off", sa.LargeBinary))


def downgrade() -> None:
    op.drop_column("clocks", "put_off")
