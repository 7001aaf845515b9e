"""Mandates of organisers, and rounds: what the hub does on many cases, a page at a time.

A case's row says where and in what state it is, so that a round reads the cases of a territory.
A round that is done has no due time; its row stays, so that nothing begins it again.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PAGE = 1_000


def upgrade() -> None:
    for name in ("territory_nis", "status"):
        column = sa.Column(name, sa.Text, nullable=False, server_default="")
        op.add_column("trajectories", column)
    _fill()
    op.create_index("trajectories_place", "trajectories", ["territory_nis", "status"])
    op.create_table(
        "mandates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "rounds",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("round", sa.LargeBinary, nullable=False),
    )
    op.create_index("rounds_due", "rounds", ["due_at"])


def _fill() -> None:
    connection, after = op.get_bind(), ""
    query = sa.text("select id, state from trajectories where id > :after order by id limit :page")
    change = sa.text(
        "update trajectories set territory_nis = :nis, status = :status where id = :id"
    )
    while rows := connection.execute(query, {"after": after, "page": PAGE}).all():
        for one, state in rows:
            found = json.loads(bytes(state))
            values = {"id": one, "nis": found["territory_nis"], "status": found["state"]}
            connection.execute(change, values)
        after = rows[-1][0]


def downgrade() -> None:
    op.drop_table("rounds")
    op.drop_table("mandates")
    op.drop_index("trajectories_place", "trajectories")
    op.drop_column("trajectories", "status")
    op.drop_column("trajectories", "territory_nis")
