"""The signing keys: shared, sealed, and rotated without anybody noticing, or at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from consumers.database import open_engine
from gateway.errors import InvalidToken, KeysUnusable, RotationTooSoon
from gateway.exchange import registry_tables as tables
from gateway.exchange.key_file import FileKeyEncryption
from gateway.oauth.keys import PUBLISH_AHEAD_SECONDS, SigningKeys
from tests.registry_fixtures import sqlite_url

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from tests.hub_front import HubFront


def test_gateways_share_one_pair_of_keys(engine: Engine, tmp_path: Path) -> None:
    """A second gateway on the same store and key file signs with the same key."""
    first = SigningKeys(engine, FileKeyEncryption(tmp_path / "kek"))
    second = SigningKeys(engine, FileKeyEncryption(tmp_path / "kek"))

    assert first.current().kid == second.current().kid
    assert first.jwks() == second.jwks()
    assert len(first.published().keys) == 2


def test_the_store_holds_no_readable_private_key(engine: Engine, tmp_path: Path) -> None:
    """A copy of the database signs nothing: without the key file the keys do not open."""
    keys = SigningKeys(engine, FileKeyEncryption(tmp_path / "kek"))
    private = str(keys.current().as_dict(private=True)["d"])
    with engine.connect() as connection:
        rows = connection.execute(select(tables.SIGNING_KEYS)).all()

    assert all(private not in str(row.public) for row in rows)
    assert all(private.encode() not in row.sealed for row in rows)
    with pytest.raises(KeysUnusable):
        SigningKeys(engine, FileKeyEncryption(tmp_path / "another"))


def test_a_key_is_published_before_it_signs(engine: Engine, tmp_path: Path) -> None:
    """A planned rotation waits until everybody can have the next key."""
    keys = SigningKeys(engine, FileKeyEncryption(tmp_path / "kek"))

    with pytest.raises(RotationTooSoon):
        keys.rotate(actor="test")


def test_sealing_again_keeps_the_keys(engine: Engine, tmp_path: Path) -> None:
    """After a rewrap the same keys open."""
    keys = SigningKeys(engine, FileKeyEncryption(tmp_path / "kek"))
    keys.rewrap()

    assert SigningKeys(engine, FileKeyEncryption(tmp_path / "kek")).jwks() == keys.jwks()


def test_a_planned_rotation_is_not_noticed(front: HubFront) -> None:
    """Tokens of the old key stay good, new ones are signed with the key that was next."""
    token = front.token()
    following = front.signing.published().keys[1].kid
    front.time.ahead_seconds = PUBLISH_AHEAD_SECONDS + 1
    old = front.token()
    current, _ = front.signing.rotate(actor="test")
    front.live.refresh()

    assert current == following == front.signing.current().kid
    assert front.verifier.verify(old).client_id
    assert front.verifier.verify(front.token()).client_id
    assert len(front.signing.published().keys) == 3
    with pytest.raises(InvalidToken):
        front.verifier.verify(token)  # its time is over by now


def test_a_retired_key_leaves_the_jwks_after_its_tokens(front: HubFront) -> None:
    """When the last token of a retired key has ended, the key is no longer published."""
    front.time.ahead_seconds = PUBLISH_AHEAD_SECONDS + 1
    retired = front.signing.current().kid
    front.signing.rotate(actor="test")
    front.time.ahead_seconds += 400
    front.signing.reload()

    assert retired not in [key.kid for key in front.signing.published()]


def test_an_emergency_rotation_refuses_at_once(front: HubFront) -> None:
    """The compromised key's tokens are refused, remembered ones too."""
    token = front.token()
    front.verifier.verify(token)
    front.signing.rotate(actor="test", emergency=True)
    front.live.refresh()

    with pytest.raises(InvalidToken):
        front.verifier.verify(token)
    assert front.verifier.verify(front.token()).client_id
    assert len(front.signing.published().keys) == 2


def test_another_gateway_accepts_a_key_it_has_not_seen(front: HubFront, tmp_path: Path) -> None:
    """A token signed after a rotation elsewhere is accepted before the next poll."""
    other = SigningKeys(
        open_engine(sqlite_url(tmp_path)), FileKeyEncryption(tmp_path / "kek"), now=front.time.now
    )
    other.rotate(actor="other", emergency=True)
    other.rotate(actor="other", emergency=True)
    front.issuer.keys = other
    token = front.token()

    assert front.verifier.verify(token).client_id
