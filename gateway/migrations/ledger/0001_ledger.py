"""The ledger, the states it decides from, and its outbox.

Rows of one trajectory are numbered under its lock, so that number order is commit order there.
Both numbered tables use AUTOINCREMENT on SQLite: a plain key starts again at 1 once the outbox is
empty, and rows would vanish unpublished.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _states()
    _ledger()
    _outbox()
    _once()
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("offset_us", sa.BigInteger, nullable=False),
    )


def _states() -> None:
    op.create_table(
        "subjects",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "trajectories",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_index("trajectories_subject", "trajectories", ["subject_id"])
    op.create_table(
        "offers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("territory_nis", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_index("offers_place", "offers", ["territory_nis", "status"])
    # Referrals, placements, outcomes and rights: on which trajectory each one lives.
    op.create_table(
        "aggregates",
        sa.Column("aggregate_id", sa.Text, primary_key=True),
        sa.Column("trajectory_id", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    # Keyed digests only: of an INSZ, of a sender's own number, of a natural key.
    # `target_id` is a trajectory, or an offer for an offer's own number.
    op.create_table(
        "blind_index",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("participant", sa.Text),
        sa.Column("subject_id", sa.Text),
        sa.Column("target_id", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("blind_index_target", "blind_index", ["target_id"])


def _ledger() -> None:
    text, number = sa.Text, sa.BigInteger
    op.create_table(
        "ledger",
        sa.Column("seq", NUMBER, sa.Identity(cache=1), primary_key=True),
        sa.Column("event_id", text, nullable=False, unique=True),
        sa.Column("participant", text, nullable=False),
        sa.Column("client_id", text, nullable=False),
        # "<participant>/<the sender's own event id>": what makes publishing idempotent.
        sa.Column("sender_key", text, nullable=False, unique=True),
        sa.Column("event_name", text, nullable=False),
        sa.Column("schema_id", sa.Integer, nullable=False),
        sa.Column("aggregate_type", text, nullable=False),
        sa.Column("aggregate_id", text, nullable=False),
        sa.Column("aggregate_version", number, nullable=False),
        sa.Column("trajectory_id", text),
        sa.Column("subject_id", text),
        sa.Column("producer_org", text, nullable=False),
        sa.Column("caused_by", text, nullable=False),
        sa.Column("actor_role", text, nullable=False),
        sa.Column("purpose", text),
        sa.Column("legal_basis", text),
        sa.Column("decision", text, nullable=False),
        sa.Column("agreement_id", text),
        sa.Column("agreement_hash", text),
        sa.Column("territory_nis", text, nullable=False),
        sa.Column("programme", text),
        sa.Column("rule_set", text, nullable=False),
        sa.Column("causation_id", text),
        sa.Column("on_behalf_of", text),
        sa.Column("occurred_at", number, nullable=False),
        sa.Column("recorded_at", number, nullable=False),
        sa.Column("traceparent", text),
        sa.Column("recipients", text, nullable=False),
        sa.Column("joined", text, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("record_sha256", sa.LargeBinary, nullable=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary),  # null in an event about a person: sealed in the record
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_trajectory", "ledger", ["trajectory_id", "seq"])
    no_trajectory = sa.text("trajectory_id is null")
    op.create_index(
        "ledger_offer",
        "ledger",
        ["aggregate_id", "seq"],
        sqlite_where=no_trajectory,
        postgresql_where=no_trajectory,
    )


def _outbox() -> None:
    # A row points to its ledger row, or holds a fact's own bytes.
    op.create_table(
        "outbox",
        sa.Column("seq", NUMBER, sa.Identity(cache=1), primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("value", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    # Rows that no broker will take, set aside so that the others go on.
    op.create_table(
        "outbox_parked",
        sa.Column("seq", NUMBER, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("value", sa.LargeBinary),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("parked_at", sa.BigInteger, nullable=False),
    )


def _once() -> None:
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text, primary_key=True),  # "<participant>/<Idempotency-Key>"
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("idempotency_age", "idempotency", ["created_at"])
    op.create_table(
        "jti",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("jti_age", "jti", ["expires_at"])


def downgrade() -> None:
    tables = "clock jti idempotency outbox_parked outbox ledger blind_index aggregates"
    for table in [*tables.split(), "offers", "trajectories", "subjects"]:
        op.drop_table(table)
