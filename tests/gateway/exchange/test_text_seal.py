"""Secrets of subscriptions under the key-encryption key, also when that is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import KeysUnusable
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.text_seal import TextSeal

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_opens_for_what_it_was_sealed_for(tmp_path: Path) -> None:
    """Neither for another subscription nor when it was changed."""
    seal = TextSeal(FileKeyEncryption(tmp_path / "kek"))
    sealed = seal.seal(b"whsec_x", "webhook-secret:a")

    assert seal.open(sealed, "webhook-secret:a") == b"whsec_x"
    assert "whsec" not in sealed
    for text, bound in (
        (sealed, "webhook-secret:b"),
        (sealed[:-4] + "AAA=", "webhook-secret:a"),
        (sealed.partition(":")[0] + ":?", "webhook-secret:a"),
        ("nobody:" + sealed.partition(":")[2], "webhook-secret:a"),
        ("", "webhook-secret:a"),
    ):
        with pytest.raises(KeysUnusable):
            seal.open(text, bound)


def test_another_process_opens_it_and_a_newer_key_asks_for_a_new_seal(tmp_path: Path) -> None:
    """What an older key sealed opens while that key is there, and is told to be older."""
    encryption = FileKeyEncryption(tmp_path / "kek")
    sealed = TextSeal(encryption).seal(b"s", "x")
    other = TextSeal(FileKeyEncryption(tmp_path / "kek"))
    assert other.open(sealed, "x") == b"s"
    encryption.renew()

    assert TextSeal(encryption).open(sealed, "x") == b"s"
    assert not TextSeal(encryption).is_current(sealed)
    assert other.open(TextSeal(encryption).seal(b"t", "x"), "x") == b"t"


def test_what_a_destroyed_key_sealed_is_lost(tmp_path: Path) -> None:
    """Not before it is destroyed, and not while the file cannot be read: that may pass."""
    path = tmp_path / "kek"
    encryption = FileKeyEncryption(path)
    seal = TextSeal(encryption)
    sealed = seal.seal(b"s", "x")
    encryption.renew()
    assert not seal.is_lost(sealed)
    encryption.destroy(sealed.partition(":")[0])
    assert seal.is_lost(sealed)
    path.unlink()
    with pytest.raises(KeysUnusable):
        seal.is_lost(sealed)
