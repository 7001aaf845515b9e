"""The tables of the Merkle tree, in the ledger's store, as `0011_proof.py` leaves them.

Times are microseconds since the epoch, real time.
"""

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()

# Events that have no leaf yet; the ledger's writer adds, the sealer takes away.
UNSEALED = Table("unsealed", METADATA, Column("event_id", Text, primary_key=True))

# `count` numbers each participant's own from 1; the leaf itself is made from the ledger's row.
LEAVES = Table(
    "leaves",
    METADATA,
    Column("idx", BigInteger, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("participant", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
)

# Roots of whole subtrees at levels 8, 16, 24 and so on.
NODES = Table(
    "merkle_nodes",
    METADATA,
    Column("level", Integer, primary_key=True),
    Column("idx", BigInteger, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
)

HEADS = Table(
    "tree_heads",
    METADATA,
    Column("tree_size", BigInteger, primary_key=True),
    Column("root_hash", LargeBinary, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("signed", Text, nullable=False),
)

# The highest number signs; all are published.
KEYS = Table(
    "proof_keys",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("kid", Text, nullable=False),
    Column("public", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sealed_with", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
