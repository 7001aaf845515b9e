"""Agreements that their parties sign: keys of organisations, and what each party signed.

`activated_at` stands beside the document, which is never written again once it was proposed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ADDED = {"proposed_at": sa.BigInteger, "proposed_by": sa.Text, "activated_at": sa.BigInteger}


def upgrade() -> None:
    keys = sa.Column("keys", sa.JSON, nullable=False, server_default="[]")
    op.add_column("organisations", keys)
    for name, kind in ADDED.items():
        op.add_column("agreements", sa.Column(name, kind))
    op.create_table(
        "agreement_acts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("agreement_id", sa.Text, sa.ForeignKey("agreements.id"), nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("party", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("key", sa.JSON, nullable=False),
        sa.Column("jws", sa.Text, nullable=False),
        sa.UniqueConstraint("agreement_id", "party", "act"),
    )
    op.create_index("ix_agreement_acts_agreement_id", "agreement_acts", ["agreement_id"])


def downgrade() -> None:
    op.drop_table("agreement_acts")
    for name in ADDED:
        op.drop_column("agreements", name)
    op.drop_column("organisations", "keys")
