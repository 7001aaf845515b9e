"""The sealer numbers every event once, in one tree, whatever is killed; on both databases."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import TreeDiffers
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.proof_keys import ProofKeys
from gateway.exchange.proof_tables import KEYS, LEAVES, NODES, UNSEALED
from schemas import merkle
from schemas.leaf import GENESIS
from tests.gateway.exchange.ledger_world import desk, submission
from tests.gateway.exchange.sealed_tree import HUB, Tree, tree
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table

    from consumers.database import Stores
    from tests.gateway.exchange.ledger_world import Desk

__all__ = ["stores"]

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 20.0


@pytest.fixture
def desk_of(stores: Stores, tmp_path: Path) -> Iterator[Desk]:
    """A ledger that records."""
    with desk(stores, tmp_path) as made:
        yield made


@pytest.fixture
def grove(stores: Stores, tmp_path: Path) -> Iterator[Tree]:
    """Its tree."""
    with tree(stores, tmp_path) as made:
        yield made


def test_every_event_becomes_a_leaf_of_one_signed_tree(desk_of: Desk, grove: Tree) -> None:
    """The hub's own events too; each participant's are numbered and chained from 1."""
    desk_of.publish(submission(), submission(of="partner-b"), submission())

    signer = grove.signer()
    signer.step()
    assert signer.waiting == 6
    assert (grove.waiting(), grove.seal(), grove.waiting()) == (6, 6, 0)
    leaves = grove.leaves()
    own = [one for one in leaves if one.participant == "partner-a"]
    _, head = grove.heads()
    hashes = [bytes(one.leaf_hash) for one in leaves]
    assert [one.idx for one in leaves] == list(range(6))
    assert {one.participant for one in leaves} == {"partner-a", "partner-b", "hub"}
    assert [one.count for one in own] == [1, 2]
    assert (head.hub, head.tree_size) == (HUB, 6)
    assert head.root_hash == merkle.root(6, merkle.of_leaves(hashes))


def test_a_tree_without_leaves_has_a_head(grove: Tree) -> None:
    """So that there always is one to prove growth from; it is signed once."""
    assert grove.seal() == grove.seal() == 0
    assert [(one.tree_size, one.root_hash) for one in grove.heads()] == [(0, merkle.EMPTY_ROOT)]


def test_trees_only_grow(desk_of: Desk, grove: Tree) -> None:
    """A sealer that begins anew carries on where another one stopped."""
    desk_of.publish(*(submission() for _ in range(5)))
    assert grove.sealer(chunk=4).step() == 4
    assert grove.signer().step()
    assert grove.seal() == 6
    old, new = grove.heads()
    subtree = merkle.of_leaves([bytes(one.leaf_hash) for one in grove.leaves()])

    path = merkle.consistency_path(old.tree_size, new.tree_size, subtree)
    assert (old.tree_size, new.tree_size) == (4, 10)
    assert merkle.is_consistent(old.tree_size, old.root_hash, 10, new.root_hash, path)
    assert old.timestamp < new.timestamp


def test_an_event_that_commits_late_is_numbered_late(desk_of: Desk, grove: Tree) -> None:
    """Events are found by their ids: a lower number of the ledger may appear after a higher one."""
    desk_of.publish(submission(), submission())
    with grove.engine.begin() as connection:
        held = connection.execute(select(UNSEALED.c.event_id).limit(1)).scalar_one()
        connection.execute(UNSEALED.delete().where(UNSEALED.c.event_id == held))
    assert grove.seal() == 3
    with grove.engine.begin() as connection:
        connection.execute(insert(UNSEALED).values(event_id=held))

    assert grove.seal() == 1
    assert len({one.seq for one in grove.leaves()}) == 4
    assert grove.leaves()[3].seq < max(one.seq for one in grove.leaves()[:3])


def test_whole_groups_of_nodes_are_kept(desk_of: Desk, grove: Tree) -> None:
    """256 leaves make one kept node, and a fresh sealer goes on from it."""
    for _ in range(2):
        desk_of.publish(*(submission() for _ in range(70)))
        grove.seal()
    hashes = [bytes(one.leaf_hash) for one in grove.leaves()]
    with grove.reader.connect() as connection:
        (node,) = connection.execute(select(NODES))

    assert (node.level, node.idx) == (8, 0)
    assert bytes(node.hash) == merkle.of_leaves(hashes)(8, 0)
    assert grove.heads()[-1].root_hash == merkle.root(280, merkle.of_leaves(hashes))


def test_two_sealers_that_both_think_they_are_the_one_make_one_tree(
    desk_of: Desk, grove: Tree
) -> None:
    """One of them is refused by the tables, begins anew, and nothing is numbered twice."""
    one, other = grove.sealer(chunk=3), grove.sealer(chunk=3)
    refused = 0
    for _ in range(4):
        desk_of.publish(submission(), submission(of="partner-b"))
        for sealer in (one, other, one):
            try:
                sealer.step()
            except IntegrityError:
                refused += 1
            grove.signer().step()
    grove.seal()

    assert refused > 0
    _is_whole(grove, events=16)


def test_only_one_of_two_sealers_has_the_seat(desk_of: Desk, grove: Tree) -> None:
    """The other takes it when the first leaves, once the database has ended its session."""
    desk_of.publish(submission())
    first, second = grove.sealer(), grove.sealer()
    assert first.seat.take()
    assert first.seat.take()
    assert not second.seat.take()
    first.seat.leave()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not second.seat.take():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    second.seat.leave()


def test_sealers_at_work_side_by_side_number_everything_once(desk_of: Desk, grove: Tree) -> None:
    """Two threads of sealers run while a ledger records."""
    sealers = [grove.sealer(chunk=5) for _ in range(2)]
    threads = [threading.Thread(target=one.run) for one in sealers]
    for one in threads:
        one.start()
    try:
        for _ in range(10):
            desk_of.publish(*(submission() for _ in range(3)))
    finally:
        for sealer in sealers:
            sealer.stop.set()
        for one in threads:
            one.join(30)
    grove.seal()

    _is_whole(grove, events=60)


@pytest.mark.parametrize("table", [LEAVES, NODES])
def test_a_tree_that_was_rewritten_is_never_signed(
    desk_of: Desk, grove: Tree, table: Table
) -> None:
    """Whoever changes a stored hash stops the signing, not the ledger."""
    desk_of.publish(*(submission() for _ in range(130)))
    grove.seal()
    column = table.c.leaf_hash if table is LEAVES else table.c.hash
    with grove.engine.begin() as connection:
        highest = select(table.c.idx).order_by(table.c.idx.desc()).limit(1).scalar_subquery()
        connection.execute(
            update(table).where(table.c.idx == highest).values({column.name: GENESIS})
        )
    desk_of.publish(submission())

    with pytest.raises(TreeDiffers):
        grove.seal()
    assert grove.heads()[-1].tree_size == 260


def test_processes_share_one_proof_key_that_survives_a_new_key_encryption_key(
    grove: Tree, tmp_path: Path
) -> None:
    """It is made once, sealed, and its public part alone is published."""
    encryption = FileKeyEncryption(tmp_path / "kek")
    again = ProofKeys(grove.engine, encryption)
    (published,) = again.jwks()["keys"]
    older, newer = encryption.current_id, encryption.renew()
    again.rewrap()
    encryption.destroy(older)
    with grove.reader.connect() as connection:
        (row,) = connection.execute(select(KEYS))

    assert row.sealed_with == newer
    assert again.jwks() == grove.keys.jwks() == ProofKeys(grove.engine, encryption).jwks()
    assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert b'"d"' not in bytes(row.sealed)


def test_a_killed_sealer_leaves_a_whole_tree_and_its_seat(
    desk_of: Desk, grove: Tree, stores: Stores
) -> None:
    """Killed between a leaf and its commit, twice; the next one carries on at once."""
    desk_of.publish(*(submission() for _ in range(4)))
    dying = [sys.executable, "-m", "tests.gateway.exchange.dying_sealer", stores.ledger]
    ended = [
        subprocess.run([*dying, str(grove.folder), finished], cwd=ROOT, check=False).returncode
        for finished in ("2", "1")
    ]
    grove.signer().step()
    numbered = len(grove.leaves())
    sealer = grove.sealer()
    assert sealer.turn() > 0
    sealer.seat.leave()
    grove.signer().step()

    assert ended == [-signal.SIGKILL] * 2
    assert numbered == 3
    _is_whole(grove, events=8)


def _is_whole(grove: Tree, events: int) -> None:
    """All events numbered once, and every head that was signed is one of the same tree."""
    leaves, heads = grove.leaves(), grove.heads()
    hashes = [bytes(one.leaf_hash) for one in leaves]
    subtree = merkle.of_leaves(hashes)
    assert [one.idx for one in leaves] == list(range(events))
    assert len({one.seq for one in leaves}) == events
    assert len({(one.participant, one.count) for one in leaves}) == events
    assert grove.waiting() == 0
    assert heads[-1].tree_size == events
    assert [one.root_hash for one in heads] == [
        merkle.root(one.tree_size, subtree) for one in heads
    ]
