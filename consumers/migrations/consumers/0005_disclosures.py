"""The disclosure log is only ever added to, and says under which document and to which client.

A copy that held more than those before it gets a line of its own, counted by `revision`.
The database itself refuses to change a line.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LOG = "disclosures"
KEPT = (
    "event_id, participant, door, disclosed_at, event_name, producer, producer_org, subject_id,"
    " trajectory_id, agreement_id, purpose, legal_basis, withheld, trace_id"
)
REFUSAL = "a line of the disclosure log stays as it was written"


def upgrade() -> None:
    op.execute(f"create table disclosures_before as select {KEPT} from {LOG}")  # noqa: S608
    op.drop_table("disclosures")
    op.create_table(
        "disclosures",
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("door", sa.String(10), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("disclosed_at", sa.BigInteger, nullable=False),
        sa.Column("event_name", sa.String(80), nullable=False),
        sa.Column("producer", sa.String(40), nullable=False),
        sa.Column("producer_org", sa.String(120), nullable=False),
        sa.Column("subject_id", sa.String(36)),
        sa.Column("trajectory_id", sa.String(36)),
        sa.Column("agreement_id", sa.String(80)),
        sa.Column("agreement_hash", sa.String(64)),
        sa.Column("actor", sa.String(128)),
        sa.Column("purpose", sa.String(40)),
        sa.Column("legal_basis", sa.String(40)),
        sa.Column("withheld", sa.Text, nullable=False),
        sa.Column("trace_id", sa.String(32)),
        sa.PrimaryKeyConstraint("event_id", "participant", "door", "revision"),
        sqlite_with_rowid=False,
    )
    op.create_index("disclosures_by_subject", "disclosures", ["subject_id", "disclosed_at"])
    op.create_index("disclosures_by_case", "disclosures", ["trajectory_id", "disclosed_at"])
    op.create_index("disclosures_by_time", "disclosures", ["disclosed_at"])
    op.execute(
        f"insert into disclosures ({KEPT}, revision) select {KEPT}, 0 from disclosures_before"  # noqa: S608
    )
    op.drop_table("disclosures_before")
    _guard()


def _guard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "create function disclosures_stay() returns trigger language plpgsql as"
            f" $$ begin raise exception '{REFUSAL}'; end $$"
        )
        op.execute(
            "create trigger disclosures_stay before update on disclosures"
            " for each statement execute function disclosures_stay()"
        )
    else:
        op.execute(
            "create trigger disclosures_stay before update on disclosures"
            f" begin select raise(abort, '{REFUSAL}'); end"
        )


def downgrade() -> None:
    op.drop_table("disclosures")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("drop function disclosures_stay()")
