"""The key-encryption key: one file, ours alone, and nothing opens under another."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gateway.errors import KeysUnusable
from gateway.exchange.encryption import KEY_BYTES
from gateway.exchange.key_file import FileKeyEncryption

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"k" * KEY_BYTES
AT_ONCE = 8


def line(name: str, key: bytes) -> str:
    """A line of the file."""
    return f"{name} {base64.b64encode(key).decode()}\n"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    """A file with this text."""
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_the_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """A second process reads what the first one wrote, and nothing else is left in the folder."""
    path = tmp_path / "secrets" / "kek"

    first, second = FileKeyEncryption(path), FileKeyEncryption(path)

    assert first.current_id == second.current_id
    assert second.unwrap(first.current_id, first.wrap(KEY, "s"), "s") == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    """Whoever was first, all of them use its key."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        made = list(pool.map(FileKeyEncryption, [tmp_path / "kek"] * AT_ONCE))

    assert len({one.current_id for one in made}) == 1
    assert {one.unwrap(one.current_id, made[0].wrap(KEY, "s"), "s") for one in made} == {KEY}


def test_the_last_line_wraps_and_all_of_them_unwrap(tmp_path: Path) -> None:
    """After a rotation old keys still open, and new ones are under the new key."""
    before = FileKeyEncryption(written(tmp_path / "old", line("a", b"a" * KEY_BYTES)))
    wrapped = before.wrap(KEY, "s")

    after = FileKeyEncryption(
        written(tmp_path / "new", line("a", b"a" * KEY_BYTES) + line("b", b"b" * KEY_BYTES))
    )

    assert (before.current_id, after.current_id) == ("a", "b")
    assert after.unwrap("a", wrapped, "s") == KEY
    with pytest.raises(KeysUnusable):
        before.unwrap("b", after.wrap(KEY, "s"), "s")


def test_a_wrapped_key_is_never_the_same_twice(tmp_path: Path) -> None:
    """Wrapping hides which keys are equal, and the key itself."""
    kek = FileKeyEncryption(tmp_path / "kek")

    first, second = kek.wrap(KEY, "s"), kek.wrap(KEY, "s")

    assert first != second
    assert KEY not in first + second


def test_a_wrapped_key_opens_for_what_it_is_for_only(tmp_path: Path) -> None:
    """Moved to another person or changed by a bit it is refused, with a code and no key in it."""
    kek = FileKeyEncryption(tmp_path / "kek")
    wrapped = kek.wrap(KEY, "subject-a")
    changed = wrapped[:-1] + bytes([wrapped[-1] ^ 1])

    for given, bound_to in ((wrapped, "subject-b"), (changed, "subject-a"), (b"", "subject-a")):
        with pytest.raises(KeysUnusable) as refused:
            kek.unwrap(kek.current_id, given, bound_to)
        assert refused.value.code == "keys_unusable"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        line("a", b"short"),
        "a not-base64!\n",
        "a\n",
        f"a b {base64.b64encode(KEY).decode()}\n",
        "é\n",
        line("a", KEY) + line("b", b"short"),
    ],
)
def test_a_file_without_a_usable_key_is_refused(tmp_path: Path, text: str) -> None:
    """It is named and left as it is, and what stands in it is not repeated."""
    path = written(tmp_path / "kek", text)

    with pytest.raises(KeysUnusable) as refused:
        FileKeyEncryption(path)

    assert str(path) in refused.value.detail.en
    assert path.read_text("utf-8") == text
    assert base64.b64encode(KEY).decode() not in str(refused.value.detail)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """The sentence says what to do."""
    with pytest.raises(KeysUnusable) as refused:
        FileKeyEncryption(written(tmp_path / "kek", line("a", KEY), mode))

    assert "chmod 600" in refused.value.detail.nl
