"""The tables of the consumers' store, as the migrations leave them.

Every table with a `participant` column holds what belongs to one participant: it may only be
read through `consumers.scope`, which `tests/test_scoping_lint.py` enforces.
Times are microseconds since the epoch, UTC.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

inbox_counters = sa.Table(
    "inbox_counters",
    metadata,
    sa.Column("participant", sa.String(40), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    # The newest row that retention removed, and when it had come; rows taken back do not count.
    sa.Column("forgotten", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("forgotten_at", sa.BigInteger, nullable=False, server_default="0"),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("participant", sa.String(40), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("event_name", sa.String(80), nullable=False),
    sa.Column("trajectory_id", sa.String(36)),
    sa.Column("agreement_id", sa.String(80)),
    sa.Column("relations", sa.Text, nullable=False),
    sa.Column("nis", sa.String(5), nullable=False),
    sa.Column("programme", sa.String(40)),
    sa.Column("backfill", sa.Boolean, nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("stopped_leg", sa.String(40)),
    sa.Column("recorded_at", sa.BigInteger, nullable=False),
    sa.Column("routed_at", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("participant", "seq"),
    # Event first: the same index answers "who has this event" and keeps a replay from writing.
    sa.UniqueConstraint("event_id", "participant", name="inbox_once"),
    sa.Index(
        "inbox_stopped",
        "participant",
        "seq",
        sqlite_where=sa.text("status = 'stopped'"),
        postgresql_where=sa.text("status = 'stopped'"),
    ),
    sqlite_with_rowid=False,
)

# Lines are added and never changed: `revision` counts copies that held more than those before.
disclosures = sa.Table(
    "disclosures",
    metadata,
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
    sa.Index("disclosures_by_subject", "subject_id", "disclosed_at"),
    sa.Index("disclosures_by_case", "trajectory_id", "disclosed_at"),
    sa.Index("disclosures_by_time", "disclosed_at"),
    sqlite_with_rowid=False,
)

parked = sa.Table(
    "parked",
    metadata,
    sa.Column("topic", sa.String(120), nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("record_offset", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.String(36)),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("parked_at", sa.BigInteger, nullable=False),
    sa.Column("resolved_at", sa.BigInteger),
    sa.PrimaryKeyConstraint("topic", "partition", "record_offset"),
)

facts = sa.Table(
    "facts",
    metadata,
    # The place in the log: a fact that is read again is the same fact.
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("record_offset", sa.BigInteger, nullable=False),
    sa.Column("topic", sa.String(120), nullable=False),
    sa.Column("indicator", sa.String(40), nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("nis", sa.String(5), nullable=False),
    sa.Column("programme", sa.String(40)),
    sa.Column("channel", sa.String(10)),
    sa.Column("code", sa.String(80)),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("days", sa.BigInteger),
    sa.Column("detail", sa.String(80)),
    sa.Column("value", sa.BigInteger),
    sa.Column("rule_set", sa.String(80)),
    sa.PrimaryKeyConstraint("topic", "partition", "record_offset"),
    sa.Index("facts_by_indicator", "indicator", "month"),
)

fact_owners = sa.Table(
    "fact_owners",
    metadata,
    sa.Column("participant", sa.String(40), nullable=False),
    sa.Column("topic", sa.String(120), nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("record_offset", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("participant", "topic", "partition", "record_offset"),
    sqlite_with_rowid=False,
)

kafka_positions = sa.Table(
    "kafka_positions",
    metadata,
    # The last inbox row that is in the participant's own topic, or was stopped on its way there.
    sa.Column("participant", sa.String(40), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
