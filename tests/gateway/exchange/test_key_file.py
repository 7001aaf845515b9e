"""The key file: read anew when it was replaced, blanked when it was, and never made in vain."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from gateway.errors import KeysUnusable
from gateway.exchange.encryption import KEY_BYTES
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import holds_keys
from gateway.exchange.keys import KeyStore
from tests.store_fixtures import engine_of, stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Engine

__all__ = ["engine_of", "stores"]

KEY = b"k" * KEY_BYTES


def test_another_process_uses_the_new_key_at_once(tmp_path: Path) -> None:
    """It wraps with it, opens with it, and has forgotten the destroyed one."""
    mine, theirs = (FileKeyEncryption(tmp_path / "kek") for _ in range(2))
    old, wrapped = theirs.current_id, theirs.wrap(KEY, "s")
    new = mine.renew()
    mine.destroy(old)

    assert theirs.current_id == new
    assert mine.unwrap(new, theirs.wrap(KEY, "s"), "s") == KEY
    with pytest.raises(KeysUnusable):
        theirs.unwrap(old, wrapped, "s")


def test_a_replaced_file_is_blanked(tmp_path: Path) -> None:
    """Whoever still holds the old file open reads zeros, and nothing else is left in the folder."""
    path = tmp_path / "kek"
    kek = FileKeyEncryption(path)
    old = path.read_text("ascii").split()[1]
    with path.open("rb") as held:
        kek.renew()
        held.seek(0)
        content = held.read()

    assert set(content) == {0}
    assert base64.b64decode(old) not in content
    assert list(tmp_path.iterdir()) == [path]


def test_a_lost_file_is_not_made_anew(engine_of: Callable[..., Engine], tmp_path: Path) -> None:
    """While keys exist that it wrapped it is asked for, and made when there are none."""
    keys, ledger = engine_of("keys"), engine_of("ledger")
    path = tmp_path / "kek"

    def opened() -> FileKeyEncryption:
        return FileKeyEncryption(path, may_create=lambda: not holds_keys(keys, ledger))

    KeyStore(keys, opened()).blind_index_key()
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(KeysUnusable) as refused:
        opened()

    assert str(path) in refused.value.detail.en
    assert not path.exists()
    path.touch(0o600)
    path.write_bytes(kept)
    assert KeyStore(keys, opened()).blind_index_key()
