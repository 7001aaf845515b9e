"""Two gateways and two sealers on one PostgreSQL make one tree of everything that was accepted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from consumers.database import Stores
from schemas import merkle
from tests.gateway.exchange.published_order import accepted_by
from tests.gateway.exchange.sealed_tree import tree
from tests.gateway.exchange.two_gateways import beginnings, contacts, gateways
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.exchange.sealer import Sealer
    from tests.gateway.exchange.sealed_tree import Tree


@pytest.fixture
def stores(postgres_url: str) -> Stores:
    """An empty, migrated database."""
    return migrated(Stores.postgres(postgres_url))


def test_everything_is_numbered_once_whatever_commits_when(
    stores: Stores, postgres_url: str, tmp_path: Path
) -> None:
    """They write and seal at the same time; every head is one of the same tree."""
    with tree(stores, tmp_path) as grove, gateways(postgres_url, tmp_path) as both:
        sealers = [grove.sealer(chunk=20) for _ in both]
        threads = [threading.Thread(target=_seal, args=(one, grove)) for one in sealers]
        for one in threads:
            one.start()
        try:
            for name, gateway in zip(("a", "b"), both, strict=True):
                gateway.publish(beginnings(name))
            for gateway in both:
                gateway.finish()
            for name, gateway in zip(("a", "b"), both, strict=True):
                gateway.publish(contacts(name))
            for gateway in both:
                gateway.finish()
        finally:
            for sealer in sealers:
                sealer.stop.set()
            for one in threads:
                one.join(30)
        grove.seal()
        leaves, heads = grove.leaves(), grove.heads()
        accepted = accepted_by(grove.engine)

    subtree = merkle.of_leaves([bytes(one.leaf_hash) for one in leaves])
    roots = [merkle.root(one.tree_size, subtree) for one in heads]
    assert len(leaves) == len(accepted) == len({one.seq for one in leaves})
    assert [one.idx for one in leaves] == list(range(len(leaves)))
    assert heads[-1].tree_size == len(leaves)
    assert [one.root_hash for one in heads] == roots


def _seal(sealer: Sealer, grove: Tree) -> None:
    """Number and sign, without the waits of a hub that has nothing to do."""
    while not sealer.stop.wait(0.01):
        sealer.turn()
        grove.signer().step()
    sealer.seat.leave()
