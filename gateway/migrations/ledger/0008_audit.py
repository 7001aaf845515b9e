"""Who did what, and why: one line for every act that is not an event. Never changed or deleted.

The database itself refuses a change, so that no fault in the code can rewrite the past.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ACTS = ("update", "delete")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", NUMBER, sa.Identity(cache=1), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_target", "audit", ["target", "seq"])
    if op.get_bind().dialect.name == "sqlite":
        for act in ACTS:
            op.execute(
                f"create trigger audit_no_{act} before {act} on audit"
                " begin select raise(abort, 'audit lines are never changed'); end"
            )
        return
    op.execute(
        "create function audit_stays() returns trigger language plpgsql as"
        " $$ begin raise exception 'audit lines are never changed'; end $$"
    )
    op.execute(
        "create trigger audit_stays before update or delete on audit"
        " for each statement execute function audit_stays()"
    )


def downgrade() -> None:
    op.drop_table("audit")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("drop function audit_stays()")
