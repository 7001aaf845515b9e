"""Facts are told apart by their own id; those that have none keep their place in the log as such.

The tables are filled anew: their keys change, and SQLite changes none in place.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PLACE = ("topic", "partition", "record_offset")
PLACE_ID = "topic || '/' || partition || '/' || record_offset"
SAID = (
    "indicator", "month", "nis", "programme", "channel", "code", "count", "days", "detail",
    "value", "rule_set",
)  # fmt: skip


def upgrade() -> None:
    _set_aside()
    op.create_table("facts", _fact_id(), *_place(), *_said())
    op.create_index("facts_by_indicator", "facts", ["indicator", "month"])
    op.create_table(
        "fact_owners",
        sa.Column("participant", sa.String(40), nullable=False),
        sa.Column("fact_id", sa.String(160), nullable=False),
        sa.PrimaryKeyConstraint("participant", "fact_id"),
        sqlite_with_rowid=False,
    )
    columns = _names(*PLACE, *SAID)
    _take_back("facts", f"fact_id, {columns}", f"{PLACE_ID}, {columns}")
    _take_back("fact_owners", "participant, fact_id", f"participant, {PLACE_ID}")


def downgrade() -> None:
    """Of several at one place, in topics made one after the other, one is kept."""
    _set_aside()
    op.create_table("facts", *_place(), *_said(), sa.PrimaryKeyConstraint(*PLACE))
    op.create_index("facts_by_indicator", "facts", ["indicator", "month"])
    op.create_table(
        "fact_owners",
        sa.Column("participant", sa.String(40), nullable=False),
        *_place(),
        sa.PrimaryKeyConstraint("participant", *PLACE),
        sqlite_with_rowid=False,
    )
    columns, places = _names(*PLACE, *SAID), _names("participant", *PLACE)
    _take_back("fact_owners", places, places, "join facts_before using (fact_id)")
    _take_back("facts", columns, columns)


def _set_aside() -> None:
    for table in ("facts", "fact_owners"):
        op.execute(f"create table {table}_before as select * from {table}")  # noqa: S608
        op.drop_table(table)


def _take_back(table: str, columns: str, values: str, join: str = "") -> None:
    op.execute(
        f"insert into {table} ({columns}) select {values} from {table}_before {join} where true"  # noqa: S608
        " on conflict do nothing"
    )
    op.drop_table(f"{table}_before")


def _names(*columns: str) -> str:
    return ", ".join(f'"{one}"' for one in columns)


def _fact_id() -> sa.Column[str]:
    return sa.Column("fact_id", sa.String(160), primary_key=True)


def _place() -> list[sa.Column[object]]:
    return [
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.String(120), nullable=False),
    ]


def _said() -> list[sa.Column[object]]:
    return [
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
    ]
