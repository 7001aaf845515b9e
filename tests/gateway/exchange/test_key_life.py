"""One suite for every key-encryption key: the file, and a service at the seam."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gateway.errors import KeysUnusable
from gateway.exchange.encryption import KEY_BYTES, wrap_named
from gateway.exchange.key_file import FileKeyEncryption
from tests.gateway.exchange.kms_at_the_seam import LocalKms

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.exchange.encryption import KeyLife

KEY = b"k" * KEY_BYTES


@pytest.fixture(params=["file", "service"])
def kek(request: pytest.FixtureRequest, tmp_path: Path) -> KeyLife:
    """Each implementation."""
    return LocalKms() if request.param == "service" else FileKeyEncryption(tmp_path / "kek")


def test_it_opens_what_it_wrapped_for_that_purpose_only(kek: KeyLife) -> None:
    """Whatever was moved or changed is refused with a code."""
    wrapped = kek.wrap(KEY, "subject-a")

    assert kek.unwrap(kek.current_id, wrapped, "subject-a") == KEY
    assert kek.wrap(KEY, "subject-a") != wrapped
    for given, bound_to in ((wrapped, "subject-b"), (wrapped[:-1], "subject-a")):
        with pytest.raises(KeysUnusable):
            kek.unwrap(kek.current_id, given, bound_to)


def test_a_renewed_key_wraps_and_the_older_one_opens_still(kek: KeyLife) -> None:
    """Until it is destroyed."""
    old = kek.current_id
    wrapped = kek.wrap(KEY, "s")
    new = kek.renew()

    assert (kek.ids(), kek.current_id) == ((old, new), new)
    assert kek.unwrap(old, wrapped, "s") == KEY
    name, again = wrap_named(kek, KEY, "s")
    assert (name, kek.unwrap(new, again, "s")) == (new, KEY)


def test_what_a_destroyed_key_wrapped_opens_no_more(kek: KeyLife) -> None:
    """What the others wrapped does; destroying again changes nothing."""
    old = kek.current_id
    wrapped = kek.wrap(KEY, "s")
    new = kek.renew()
    rewrapped = kek.wrap(KEY, "s")
    kek.destroy(old)
    kek.destroy(old)

    assert kek.ids() == (new,)
    assert kek.unwrap(new, rewrapped, "s") == KEY
    for name in (old, new):
        with pytest.raises(KeysUnusable):
            kek.unwrap(name, wrapped, "s")


def test_the_current_key_stays(kek: KeyLife) -> None:
    """Destroying it would lock everything."""
    with pytest.raises(KeysUnusable):
        kek.destroy(kek.current_id)

    assert len(kek.ids()) == 1


def test_the_id_always_fits_what_was_wrapped(kek: KeyLife) -> None:
    """Also while another key is made current at the same moment."""
    with ThreadPoolExecutor(4) as pool:
        renewing = pool.submit(lambda: [kek.renew() for _ in range(20)])
        made = list(pool.map(lambda _: wrap_named(kek, KEY, "s"), range(100)))
        renewing.result()

    assert {kek.unwrap(name, wrapped, "s") for name, wrapped in made} == {KEY}
