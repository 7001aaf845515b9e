"""The digests of a person are found by the person, for retention, which asks each day."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("blind_index_subject", "blind_index", ["subject_id"])


def downgrade() -> None:
    op.drop_index("blind_index_subject", "blind_index")
