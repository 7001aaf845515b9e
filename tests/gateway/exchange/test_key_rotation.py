"""After a rotation everything opens that should, and nothing that was destroyed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.exchange import audit
from gateway.exchange.key_erasure import KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import HOUR_US, KeyRotation
from gateway.exchange.key_state import read_state
from gateway.exchange.keys import KeyNeed, KeyStore, purpose_of
from tests.gateway.exchange import dying_rotation, raw_scan
from tests.gateway.exchange.kms_at_the_seam import LocalKms
from tests.store_fixtures import engine_of, opened, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

    from consumers.database import Stores
    from gateway.exchange.encryption import KeyLife
    from gateway.exchange.keys import DataKey

__all__ = ["engine_of", "stores"]

NOW = 1_000_000
OURS, THEIRS = "urn:schakel:org:a", "urn:schakel:org:b"
NEED = KeyNeed("subject-1", "referral-1", OURS, "main")
OTHER = NEED._replace(producer_org=THEIRS)
MANY = [KeyNeed(f"subject-{one}", f"referral-{one}", OURS, "main") for one in range(2, 7)]
KILLED_AFTER = (0, 3, 7)
"""Right after the new key was made, between two slices, right after the old one was destroyed."""
SQLITE = pytest.mark.parametrize("stores", ["sqlite"], indirect=True)


@pytest.fixture(params=["file", "service"])
def kek(request: pytest.FixtureRequest, tmp_path: Path) -> KeyLife:
    """Each implementation."""
    return LocalKms() if request.param == "service" else FileKeyEncryption(tmp_path / "kek")


def rotation(engine_of: Callable[..., Engine], kek: KeyLife) -> KeyRotation:
    """With small slices, so that there are several."""
    return KeyRotation(engine_of("keys"), kek, engine_of("ledger"), slice_size=2)


def test_everything_opens_under_the_new_key_alone(
    engine_of: Callable[..., Engine], kek: KeyLife
) -> None:
    """Persons' keys and the hub's own; data keys stay what they were, and it is audited."""
    engine = engine_of("keys")
    keys = KeyStore(engine, kek)
    made, index = keys.data_keys([NEED, *MANY]), keys.blind_index_key()
    old = kek.current_id
    steps: list[tuple[int, int]] = []
    done = rotation(engine_of, kek).run(
        NOW, actor="operator", reason="yearly", progress=lambda *step: steps.append(step)
    )

    assert (done.destroyed, done.rewrapped) == ((old,), 7)
    assert kek.ids() == (done.current,)
    assert steps[-1] == (7, 7)
    other = KeyStore(engine, kek)
    assert other.data_keys([NEED, *MANY]) == made
    assert other.blind_index_key() == index
    with engine_of("ledger").connect() as connection:
        (line,) = audit.lines(connection)
    assert line[1:] == (NOW, "operator", "keys.rotate", done.current, "yearly")


def test_it_follows_an_erasure_by_the_clock(engine_of: Callable[..., Engine], kek: KeyLife) -> None:
    """Not at once, so that one serves several; within 24 hours, and once."""
    engine, due = engine_of("keys"), rotation(engine_of, kek)
    KeyStore(engine, kek).data_keys([NEED])
    assert not due.when_due(NOW)
    KeyEraser(engine, kek).erase(["subject-1"], OURS, NOW)

    assert not due.when_due(NOW + HOUR_US)
    assert due.when_due(NOW + 13 * HOUR_US)
    assert not due.when_due(NOW + 48 * HOUR_US)
    state = read_state(engine)
    assert (state.is_pending, state.rotated_at) == (False, NOW + 13 * HOUR_US)


def test_what_is_destroyed_meanwhile_waits_for_the_next_one(
    engine_of: Callable[..., Engine], kek: KeyLife
) -> None:
    """A key that was made before an erasure may still unwrap a copy of what was erased."""
    engine = engine_of("keys")
    KeyStore(engine, kek).data_keys([NEED, *MANY])
    kek.renew()  # as a rotation that was killed right after
    KeyEraser(engine, kek).erase(["subject-1"], OURS, NOW)
    begun = kek.current_id
    done = rotation(engine_of, kek).run(NOW, actor="operator", reason="resumed", only_needed=True)

    assert begun in done.destroyed
    assert not read_state(engine).is_pending


@SQLITE
def test_no_copy_in_any_file_opens_after_a_rotation(
    stores: Stores, engine_of: Callable[..., Engine], tmp_path: Path
) -> None:
    """Every byte of database, log and key file is tried; what was kept is found, and no more.

    Before the rotation the destroyed key is still found, so the search is known to find.
    """
    kek = FileKeyEncryption(tmp_path / "kek")
    with opened(stores.keys) as engine:
        made = KeyStore(engine, kek).data_keys([NEED, OTHER])
        KeyEraser(engine, kek).erase(["subject-1"], OURS, NOW)

        def reachable(need: KeyNeed) -> bool:
            subjects = raw_scan.found(tmp_path, raw_scan.key_files(tmp_path), "subject-1")
            return made[need].key in raw_scan.found(tmp_path, subjects, purpose_of(need))

        assert reachable(NEED)
        KeyRotation(engine, kek, engine_of("ledger")).run(NOW, actor="operator", reason="test")
        assert not reachable(NEED)
        assert reachable(OTHER)
        assert KeyStore(engine, kek).open(made[OTHER].key_id) == made[OTHER].key


@SQLITE
@pytest.mark.parametrize("calls", KILLED_AFTER)
def test_a_killed_rotation_goes_on(
    stores: Stores, engine_of: Callable[..., Engine], tmp_path: Path, calls: int
) -> None:
    """Killed with no warning at any step nothing is lost, and the next one finishes it."""
    file = tmp_path / "kek"
    engine = engine_of("keys")
    made = KeyStore(engine, file).data_keys([NEED, OTHER, *MANY])
    KeyEraser(engine, FileKeyEncryption(file)).erase(["subject-1"], OURS, NOW)
    (old,) = FileKeyEncryption(file).ids()
    arguments = [stores.keys, stores.ledger, str(file), str(calls)]
    program = [sys.executable, str(Path(dying_rotation.__file__)), *arguments]
    died = subprocess.run(program, check=False, capture_output=True)

    assert died.returncode == -9, died.stderr
    kek = FileKeyEncryption(file)
    assert _opens(engine, kek, made) == {OTHER, *MANY}
    KeyRotation(engine, kek, engine_of("ledger")).when_due(NOW + 13 * HOUR_US)
    assert len(kek.ids()) == 1
    assert old not in kek.ids()
    assert not read_state(engine).is_pending
    assert _opens(engine, kek, made) == {OTHER, *MANY}


def _opens(engine: Engine, kek: KeyLife, made: dict[KeyNeed, DataKey]) -> set[KeyNeed]:
    keys = KeyStore(engine, kek)
    return {need for need, key in made.items() if keys.open(key.key_id) == key.key}
