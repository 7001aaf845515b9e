"""Rule files that were published over the rules that come with the hub, and what was said of them.

A publication is never changed; `place` keeps the order in which they were laid over each other.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_publications",
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, nullable=False, unique=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("published_on", sa.Date, nullable=False),
        sa.Column("published_at", sa.BigInteger, nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
    )
    op.create_table(
        "rule_comments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column(
            "reference", sa.Text, sa.ForeignKey("rule_publications.reference"), nullable=False
        ),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("said_at", sa.BigInteger, nullable=False),
        sa.Column("said_by", sa.Text, nullable=False),
    )
    op.create_index("rule_comments_of", "rule_comments", ["reference", "said_at"])


def downgrade() -> None:
    op.drop_table("rule_comments")
    op.drop_table("rule_publications")
