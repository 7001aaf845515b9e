"""A person's state for the rules over all its trajectories, and errands of the hub itself.

An errand is a hub event to be sent on another case or later; it is deleted once recorded.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subjects", sa.Column("state", sa.LargeBinary, nullable=False, server_default=""))
    op.add_column("aggregates", sa.Column("subject_id", sa.Text, nullable=False, server_default=""))
    document = """'{"id":"' || id || '","since":' || created_at || '}'"""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    state = f"cast({document} as blob)" if on_sqlite else f"convert_to({document}, 'UTF8')"
    op.execute(f"update subjects set state = {state}")  # noqa: S608 - our own names
    op.execute(
        "update aggregates set subject_id = coalesce((select t.subject_id from trajectories t"
        " where t.id = aggregates.trajectory_id), '')"
    )
    op.create_table(
        "errands",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("errand", sa.LargeBinary, nullable=False),
    )
    op.create_index("errands_due", "errands", ["due_at"])


def downgrade() -> None:
    op.drop_table("errands")
    op.drop_column("aggregates", "subject_id")
    op.drop_column("subjects", "state")
