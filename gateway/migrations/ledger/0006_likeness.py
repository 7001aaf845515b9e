"""Traits that records of one person share, and the pseudonyms by which people are named.

Both hold no value of a person: keyed digests, and references that one participant alone knows.
A trait is shared by several subjects, so unlike `blind_index` its digest is no key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "likeness",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("likeness_subject", "likeness", ["subject_id"])
    op.create_table(
        "subject_references",
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("participant", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("subject_references_subject", "subject_references", ["subject_id"])


def downgrade() -> None:
    op.drop_table("subject_references")
    op.drop_table("likeness")
