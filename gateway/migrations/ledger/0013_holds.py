"""What persons said no to, as doors read it; and cases whose queued events are looked at again.

A review is left by the event that ends a membership or changes what a person said no to. `mark`
tells one leaving of it from the next, so that only the one that was done is removed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_holds",
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("holds", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "reviews",
        sa.Column("trajectory_id", sa.Text, primary_key=True),
        sa.Column("mark", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("reviews")
    op.drop_table("person_holds")
