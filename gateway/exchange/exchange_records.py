"""A participant's own exchange records, with what proves them; reads, and signs accounts.

Every read is limited to one participant; a record of another and one that does not exist look the
same. A leaf is made again from the ledger's row, so that a row that was changed no longer fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from consumers.scope import Scope, scoped
from gateway.exchange import sealing
from gateway.exchange.proof_tables import LEAVES
from gateway.exchange.records import COLUMNS, row_from
from gateway.exchange.sealer import leaf_of
from gateway.exchange.stored_tree import StoredTree, head_of, newest_head
from schemas import merkle
from schemas.leaf import GENESIS
from schemas.record_file import Record
from schemas.tree_head import Account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Engine

    from gateway.exchange.proof_keys import ProofKeys
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.sealing import Ciphers
    from gateway.exchange.stored_tree import SignedHead

_LEDGER: Final = sa.table("ledger", *(sa.column(name) for name in COLUMNS))


class Proven(NamedTuple):
    """One record, and what only its sender is shown.

    Attributes:
        sender_id: the sender's own id of the event.
        salt: what opens the commitment; None when it was not asked for, or was erased.
    """

    record: Record
    sender_id: str
    salt: bytes | None


class Page(NamedTuple):
    """Records of one account, under one head."""

    head: SignedHead
    account: Account
    signed_account: str
    records: tuple[Proven, ...]


class ExchangeRecords:
    """Reads records; safe from several threads. Blocks on the ledger's store.

    Methods raise the driver's errors when the store does not answer, and TreeDiffers when it does
    not hold what was signed.

    Args:
        ledger: read-only engine of the ledger's store.
        keys: open the salts of events about persons.
        signer: signs accounts.
        hub: the installation, by its issuer identifier.
    """

    def __init__(self, ledger: Engine, keys: Ciphers, signer: ProofKeys, hub: str) -> None:
        self._ledger = ledger
        self._keys = keys
        self._signer = signer
        self._hub = hub

    def jwks(self) -> dict[str, Any]:
        """The keys that heads and accounts are signed with, as a JWK Set."""
        return self._signer.jwks()

    def head(self) -> SignedHead | None:
        """The head that was signed last; None in the first seconds of an installation."""
        with self._ledger.connect() as connection:
            return newest_head(connection)

    def growth(self, old: int, new: int) -> tuple[bytes, ...] | None:
        """The proof that the tree of one size begins with the other; None when it is no size of it.

        `new` must have a signed head, so that nothing is proven that was not signed.
        """
        with self._ledger.connect() as connection:
            if not 0 <= old <= new or head_of(connection, new) is None:
                return None
            return tuple(merkle.consistency_path(old, new, StoredTree(connection)))

    def page(
        self,
        participant: str,
        first: int,
        after: int,
        limit: int,
        tree_size: int | None = None,
        *,
        with_salts: bool = False,
    ) -> Page | None:
        """Records of a participant after record `after`; None when no such head was signed.

        Args:
            participant: whose.
            first: where the account begins.
            after: at least `first - 1`.
            limit: how many at most.
            tree_size: of the head to prove them under; the newest without it.
            with_salts: open the salts too.
        """
        with self._ledger.connect() as connection:
            head = newest_head(connection) if tree_size is None else head_of(connection, tree_size)
            if head is None:
                return None
            account = self._account(connection, participant, first, head)
            own = _own(participant, head.tree_size).where(LEAVES.c.count > after).limit(limit)
            rows = connection.execute(scoped(own, Scope(participant))).all()
            records = self._proven(connection, rows, head, with_salts=with_salts)
        return Page(head, account, self._signer.sign(account), records)

    def one(self, participant: str, event_id: str) -> tuple[SignedHead, Proven] | None:
        """One record by the hub's id of its event; None when it is not the participant's own."""
        with self._ledger.connect() as connection:
            head = newest_head(connection)
            if head is None:
                return None
            own = _own(participant, head.tree_size).where(_LEDGER.c.event_id == event_id)
            rows = connection.execute(scoped(own, Scope(participant))).all()
            found = self._proven(connection, rows, head, with_salts=True)
        return (head, found[0]) if found else None

    def _account(
        self, connection: Connection, participant: str, first: int, head: SignedHead
    ) -> Account:
        newest = sa.select(LEAVES.c.count, LEAVES.c.leaf_hash).where(LEAVES.c.idx < head.tree_size)
        newest = newest.order_by(LEAVES.c.count.desc()).limit(1)
        last = connection.execute(scoped(newest, Scope(participant))).first()
        count, last_hash = (last[0], bytes(last[1])) if last is not None else (0, GENESIS)
        # Whoever asks for what comes after all there is gets an account that says: nothing.
        first = min(first, count + 1)
        return Account(
            hub=self._hub,
            tree_size=head.tree_size,
            root_hash=bytes(head.root_hash),
            timestamp=head.signed_at,
            participant=participant,
            first=first,
            previous=_hash_of(connection, participant, first - 1),
            count=count,
            last=last_hash,
        )

    def _proven(
        self, connection: Connection, rows: Sequence[Any], head: SignedHead, *, with_salts: bool
    ) -> tuple[Proven, ...]:
        if not rows:
            return ()
        tree = StoredTree(connection)
        previous = _hash_of(connection, rows[0].participant, rows[0].count - 1)
        found = []
        for index, count, leaf_hash, *columns in rows:
            row = row_from(columns)
            path = tuple(merkle.inclusion_path(index, head.tree_size, tree))
            record = Record(index, leaf_of(row, count, previous), path)
            salt = self._salt(row) if with_salts else None
            found.append(Proven(record, row.sender_event_id, salt))
            previous = bytes(leaf_hash)
        return tuple(found)

    def _salt(self, row: LedgerRow) -> bytes | None:
        return sealing.open_row(row, self._keys, (sealing.MAIN,)).salt


def _own(participant: str, tree_size: int) -> sa.Select[Any]:
    columns = [_LEDGER.c[name] for name in COLUMNS]
    return (
        sa.select(LEAVES.c.idx, LEAVES.c.count, LEAVES.c.leaf_hash, *columns)
        .join(_LEDGER, _LEDGER.c.seq == LEAVES.c.seq)
        .where(LEAVES.c.idx < tree_size, _LEDGER.c.participant == participant)
        .order_by(LEAVES.c.count)
    )


def _hash_of(connection: Connection, participant: str, count: int) -> bytes:
    """Leaf hash of a participant's record; that of the beginning for number 0."""
    if count == 0:
        return GENESIS
    query = sa.select(LEAVES.c.leaf_hash).where(LEAVES.c.count == count)
    return bytes(connection.execute(scoped(query, Scope(participant))).scalar_one())
