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
    # Its own id, or its place in the log for one that has none: the same fact, sent or read again.
    sa.Column("fact_id", sa.String(160), primary_key=True),
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
    sa.Index("facts_by_indicator", "indicator", "month"),
)

fact_owners = sa.Table(
    "fact_owners",
    metadata,
    sa.Column("participant", sa.String(40), nullable=False),
    sa.Column("fact_id", sa.String(160), nullable=False),
    sa.PrimaryKeyConstraint("participant", "fact_id"),
    sqlite_with_rowid=False,
)

kafka_positions = sa.Table(
    "kafka_positions",
    metadata,
    # The last inbox row that is in the participant's own topic, or was stopped on its way there.
    sa.Column("participant", sa.String(40), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("alerted_at", sa.BigInteger),
    # Whether rows were given up on that no alert tells of yet.
    sa.Column("untold", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_with_rowid=False,
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("participant", sa.String(40), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("reason", sa.String(40)),
    # Comma-joined; empty lets everything through.
    sa.Column("event_names", sa.Text, nullable=False),
    sa.Column("programmes", sa.Text, nullable=False),
    sa.Column("municipalities", sa.Text, nullable=False),
    sa.Column("concurrency", sa.Integer, nullable=False),
    sa.Column("rate", sa.Integer, nullable=False),
    sa.Column("window_us", sa.BigInteger, nullable=False),
    # The last inbox row that was looked at: what follows has not been tried.
    sa.Column("position", sa.BigInteger, nullable=False),
    # Sealed; nothing here opens without the key-encryption key.
    sa.Column("secrets", sa.Text, nullable=False),
    sa.Column("oauth", sa.Text),
    sa.Column("creation_key", sa.String(128), nullable=False),
    sa.Column("creation_hash", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    # The breaker: failures without a success between them, and since when.
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failing_since", sa.BigInteger),
    # When something is due that no inbox row announces: a retry, a probe.
    sa.Column("due_at", sa.BigInteger),
    # Nothing is sent before it: the receiver asked for a pause.
    sa.Column("held_until", sa.BigInteger, nullable=False),
    sa.Column("delivered_at", sa.BigInteger),
    sa.Column("alerted_at", sa.BigInteger),
    # Where alerts go: none set means the contact of the registry, an empty text means nowhere.
    sa.Column("alert_email", sa.Text),
    sa.Column("alert_url", sa.Text),
    sa.UniqueConstraint("participant", "creation_key", name="subscription_once"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("subscription_id", sa.String(36), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("participant", sa.String(40), nullable=False),
    sa.Column("event_id", sa.String(36), nullable=False),
    # What order is kept within: the trajectory.
    sa.Column("lane", sa.String(36), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("first_at", sa.BigInteger),
    # Only the first pending one of a lane has it; the others wait for that one.
    sa.Column("next_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("code", sa.String(40)),
    sa.PrimaryKeyConstraint("subscription_id", "seq"),
    sa.Index("deliveries_due", "subscription_id", "state", "next_at"),
    sa.Index("deliveries_by_event", "event_id"),
    sqlite_with_rowid=False,
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("subscription_id", sa.String(36), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("participant", sa.String(40), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("duration_us", sa.BigInteger, nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("excerpt", sa.Text),
    sa.PrimaryKeyConstraint("subscription_id", "seq", "number"),
    sqlite_with_rowid=False,
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("participant", sa.String(40), nullable=False),
    sa.Column("subscription_id", sa.String(36), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("event_name", sa.String(80), nullable=False),
    sa.Column("trajectory_id", sa.String(36)),
    sa.Column("dataschema", sa.String(80)),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("excerpt", sa.Text),
    sa.Column("dead_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("ended_by", sa.String(80)),
    sa.Column("why", sa.Text),
    sa.Index("dead_letters_by_subscription", "subscription_id", "state", "dead_at"),
)

# What an owner has to be told, a row for each way of telling.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.String(36), nullable=False),
    sa.Column("channel", sa.String(10), nullable=False),
    sa.Column("participant", sa.String(40), nullable=False),
    # A subscription's id, or the Kafka door.
    sa.Column("about", sa.String(36), nullable=False),
    sa.Column("owed_at", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    # The mail server may have it from here on, so it is never given it again.
    sa.Column("handed_at", sa.BigInteger),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("outcome", sa.String(12)),
    sa.PrimaryKeyConstraint("id", "channel"),
    sa.Index("alerts_by_about", "participant", "about"),
    sa.Index(
        "alerts_owed",
        "next_at",
        sqlite_where=sa.text("ended_at is null"),
        postgresql_where=sa.text("ended_at is null"),
    ),
    sqlite_with_rowid=False,
)
