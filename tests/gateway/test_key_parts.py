"""A ledger from before a rotation is put back: the gateway says what to do, and that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consumers.database import Stores
from gateway.errors import KeysUnusable
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.proof_keys import ProofKeys
from gateway.hub_parts import GatewayParts
from gateway.oauth.keys import SigningKeys
from gateway.registry_parts import RegistryParts
from gateway.settings import HubSettings
from tests.store_fixtures import migrated, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine


@pytest.fixture
def settings(tmp_path: Path) -> HubSettings:
    """Of a hub whose key was replaced after its ledger was copied, and the copy put back."""
    found = HubSettings(data=tmp_path)
    migrated(Stores.sqlite(tmp_path))
    kek = FileKeyEncryption(found.key_file)
    with opened(found.stores.ledger) as engine:
        SigningKeys(engine, kek)
        ProofKeys(engine, kek)
    kek.renew()
    kek.destroy(kek.ids()[0])
    return found


@pytest.fixture
def ledger(settings: HubSettings) -> Iterator[Engine]:
    """Its ledger."""
    with opened(settings.stores.ledger) as engine:
        yield engine


def delete(ledger: Engine, *tables: str) -> None:
    """All rows of these tables, as an operator does."""
    with ledger.begin() as connection:
        for table in tables:
            connection.execute(sa.text(f"delete from {table}"))  # noqa: S608 - our own names


@pytest.mark.parametrize(
    ("deleted", "named"),
    [((), "signing_keys / proof_keys lies"), (("signing_keys",), "proof_keys lies")],
)
def test_a_gateway_that_cannot_sign_says_which_rows_to_delete(
    settings: HubSettings, ledger: Engine, deleted: tuple[str, ...], named: str
) -> None:
    """Both tables, for neither opens; and where that is told."""
    delete(ledger, *deleted)
    with pytest.raises(KeysUnusable) as refused:
        GatewayParts(settings, RegistryParts(settings))

    assert named in refused.value.detail.en
    for told in (refused.value.detail.nl, refused.value.detail.en):
        assert "signing_keys" in told
        assert "deploy/README.md" in told


def test_without_those_rows_it_makes_new_keys(settings: HubSettings, ledger: Engine) -> None:
    """It starts, and publishes a new key for proofs."""
    delete(ledger, "signing_keys", "proof_keys")
    settings.run_dir.mkdir()
    parts = GatewayParts(settings, RegistryParts(settings))
    parts.start()
    parts.stop()

    assert len(parts.workers.proof_keys.jwks()["keys"]) == 1
