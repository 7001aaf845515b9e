"""What the exchange log proves: numbered leaves, the nodes above them, signed heads and their key.

`unsealed` holds the events that have no leaf yet. A row is written in the event's own transaction
and deleted with its leaf, because on PostgreSQL a lower number of the ledger may commit later.
Of the nodes only every eighth level is kept; those between follow from 256 hashes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "unsealed", sa.Column("event_id", sa.Text, primary_key=True), sqlite_with_rowid=False
    )
    op.execute("insert into unsealed (event_id) select event_id from ledger")
    op.create_table(
        "leaves",
        sa.Column("idx", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("participant", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("leaves_own", "leaves", ["participant", "count"], unique=True)
    op.create_index("leaves_event", "leaves", ["seq"], unique=True)
    op.create_table(
        "merkle_nodes",
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tree_heads",
        sa.Column("tree_size", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("root_hash", sa.LargeBinary, nullable=False),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.Column("signed", sa.Text, nullable=False),
    )
    op.create_table(
        "proof_keys",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("public", sa.JSON, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("sealed_with", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("proof_keys", "tree_heads", "merkle_nodes", "leaves", "unsealed"):
        op.drop_table(table)
