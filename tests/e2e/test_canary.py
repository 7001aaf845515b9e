"""One person in the world on a real hub: every trace of it stands where an agreement put it.

Then one controller has its data erased and the keys are replaced: nothing of it is left in any
copy, and what others said of the person still opens.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.credentials import load_credentials
from connectors.world.organisations import (
    CAW,
    HAGELAND,
    OCMW_TIENEN,
    TOWN_TIENEN,
    VDAB,
    urn,
)
from connectors.world.own_hub import Installation
from gateway.exchange.encryption import wrap
from gateway.exchange.keys import purpose_of
from tests.e2e import canary_keys, canary_search
from tests.e2e.canary_play import AFTER, play
from tests.e2e.canary_values import (
    OF_CAW_ALONE,
    OF_OTHERS,
    VALUES,
)
from tests.e2e.canary_world import CanaryWorld
from tests.e2e.running_hub import running_hub
from tests.gateway.exchange import raw_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.canary_search import Found

FORMS: Final = {name: canary_search.forms(one.text) for name, one in VALUES.items()}
GIVEN_AFTER: Final = {("answers", AFTER), ("commands", AFTER)}


@dataclass(frozen=True)
class Places:
    """Where the search looked, and what it found."""

    folder: Path
    found: list[Found]

    def of(self, name: str) -> set[tuple[str, ...]]:
        """The places in which one value stands, as the parts of their folders."""
        return {one.path.relative_to(self.folder).parts for one in self.found if one.name == name}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Play everything, erase, let the hub end, and search."""
    folder = tmp_path_factory.mktemp("canary")
    with ExitStack() as stack:
        settings = stack.enter_context(pytest.MonkeyPatch.context())
        settings.setenv("SCHAKEL_WEBHOOK_LOOPBACK", "true")
        hub = stack.enter_context(running_hub(folder / "hub", "--data", str(folder / "hub")))
        gateway, management = str(hub.where["gateway"]), str(hub.where["management"])
        administrator = load_credentials(hub.data / "admin.json")
        where = Installation(gateway, management, administrator, hub.data)
        http = stack.enter_context(httpx.Client(base_url=gateway, timeout=30.0))
        play(CanaryWorld(folder, where, http), stack)
    return Places(folder, canary_search.search(folder, FORMS))


@dataclass(frozen=True)
class Kind:
    """What stands in files of one kind.

    Attributes:
        reader: which part of the path names who reads it; None when nobody may, in the clear.
        why: the rule.
    """

    reader: int | None
    why: str


KINDS: Final = {
    "hub": Kind(None, "what the hub keeps is sealed or personal to nobody: stores, log, spans"),
    "hub-before": Kind(None, "the same, copied while it ran"),
    "hub.log": Kind(None, "ids and codes only"),
    "answers": Kind(2, "who asks is given what an agreement grants it"),
    "commands": Kind(2, "a command shows what its client is answered"),
    "deliveries": Kind(1, "as answers"),
    "partners": Kind(1, "a partner's own files: what it dropped, and what it was given"),
    "problems": Kind(None, "a problem names fields, and repeats no value"),
    "names": Kind(1, "an unknown field is named to whoever sent it"),
    "states": Kind(1, "a connector remembers digests, own numbers, and rows that were refused"),
    "definitions": Kind(None, "a connector's maps are about columns"),
    "credentials": Kind(None, "keys of clients"),
}
TOPIC: Final = "out."
"""How a participant's own topic begins: what is written there is delivered, under its grants."""
REMEMBERED: Final = ("refused row", "the OCMW's own number in its file")
SENT_AS_NAMES: Final = (CAW, TOWN_TIENEN)


def reader(place: tuple[str, ...]) -> str | None:
    """Who reads what stands there; None for what is nobody's to read in the clear."""
    topic = next((one for one in place if one.startswith(TOPIC)), None)
    if topic is not None:
        return topic.removeprefix(TOPIC).partition(".")[0]
    part = KINDS[place[0]].reader
    return None if part is None else place[part]


def leaks(places: Places, name: str) -> set[tuple[str, ...]]:
    """Where a value stands that no agreement put there."""
    return {place for place in places.of(name) if not _may_stand(place, name)}


def _may_stand(place: tuple[str, ...], name: str) -> bool:
    if place[0] == "names":
        return reader(place) in SENT_AS_NAMES
    if place[0] == "states" and name not in REMEMBERED:
        return False
    return reader(place) in VALUES[name].holders


@pytest.mark.parametrize("name", VALUES)
def test_a_value_stands_only_where_an_agreement_put_it(places: Places, name: str) -> None:
    """Every file and every answer, before the erasure and after it."""
    assert leaks(places, name) == set(), VALUES[name].why


@pytest.mark.parametrize("name", VALUES)
def test_whoever_may_have_a_value_has_it(places: Places, name: str) -> None:
    """So the search finds what is there, and the agreement gives what it says."""
    readers = {reader(place) for place in places.of(name) if place[0] in ("answers", "deliveries")}

    assert readers >= VALUES[name].given_to, VALUES[name].why


def test_a_topic_of_ones_own_holds_what_was_delivered_there(places: Places) -> None:
    """So the search reads the broker's segments: VDAB has that door, and nobody else."""
    topics = {part for name in VALUES for place in places.of(name) for part in place}

    assert {one for one in topics if one.startswith(TOPIC)} == {f"{TOPIC}{VDAB}.v1-0"}


@pytest.mark.parametrize("name", OF_CAW_ALONE)
def test_nobody_is_given_what_was_erased(places: Places, name: str) -> None:
    """Whatever is asked after the order, by anybody, in any form."""
    assert not [place for place in places.of(name) if place[:2] in GIVEN_AFTER]
    assert [place for place in places.of(name) if place[0] == "names"]


@pytest.mark.parametrize(("name", "who"), OF_OTHERS)
def test_what_others_said_is_given_all_the_same(places: Places, name: str, who: str) -> None:
    """Read again from the beginning of the inbox, after the order and with the new key."""
    assert [place for place in places.of(name) if place[:3] == ("answers", AFTER, who)]


def test_a_copy_from_before_yields_nothing_of_the_controller(places: Places) -> None:
    """Every ledger row and every Kafka record, with the key store of after."""
    copy, now = places.folder / "hub-before", places.folder / "hub"
    made_by = canary_keys.producers(copy)
    records = [*canary_keys.ledger(copy), *canary_keys.log(copy)]
    with canary_keys.key_store(now) as keys:
        after = {
            (one.store, made_by[one.event_id], canary_keys.opens(one, keys)) for one in records
        }
    with canary_keys.key_store(copy) as keys:
        before = {canary_keys.opens(one, keys) for one in records}

    assert before == {True}
    assert {(store, is_open) for store, made, is_open in after if made == urn(CAW)} == {
        ("ledger", False),
        ("log", False),
    }
    for other in (OCMW_TIENEN, HAGELAND, VDAB):
        assert {(store, is_open) for store, made, is_open in after if made == urn(other)} == {
            ("ledger", True),
            ("log", True),
        }


def test_no_key_on_disk_unwraps_a_copy_of_a_wrapped_key(places: Places) -> None:
    """At any byte of any file of both folders, but for the key store that was there before."""
    copy, now = places.folder / "hub-before", places.folder / "hub"
    data = [one for one in _files_of(copy) if not _is_key_store(one, copy)]
    data += [one for one in _files_of(now) if not _is_key_store(one, now)]
    store = raw_scan.candidates(one for one in _files_of(now) if _is_key_store(one, now))
    current = raw_scan.key_files(now)
    gone, kept = (canary_keys.data_keys(copy, urn(who))[0].need for who in (CAW, OCMW_TIENEN))
    with canary_keys.key_store(copy) as keys:
        known = keys.data_keys([kept])[kept].key

    assert raw_scan.unwrapped(raw_scan.candidates(data), current, gone.subject_id) == set()
    persons = raw_scan.unwrapped(store, current, gone.subject_id)
    assert known in raw_scan.unwrapped(store, persons, purpose_of(kept))
    for one in canary_keys.data_keys(copy, urn(CAW)):
        assert raw_scan.unwrapped(store, persons, purpose_of(one.need)) == set()


def test_the_older_key_is_in_no_file(places: Places) -> None:
    """Nor is what it was: with it the copy of before opens, so it worked."""
    (older,) = raw_scan.key_files(places.folder / "hub-before")
    spellings = {older, older.hex().encode(), base64.b64encode(older)}

    for path in _files_of(places.folder / "hub"):
        content = path.read_bytes()
        assert not [one for one in spellings if one in content], path


def _files_of(folder: Path) -> list[Path]:
    return [one for one in sorted(folder.rglob("*")) if one.is_file()]


def _is_key_store(path: Path, folder: Path) -> bool:
    return path.relative_to(folder).parts[0].startswith("keys")


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("cp1252"),
        lambda text: text.encode().hex().encode(),
        lambda text: base64.b64encode(b"x" + text.encode() + b"x"),
        lambda text: base64.urlsafe_b64encode(b"xx" + text.encode() + b"xx"),
        lambda text: urllib.parse.quote(text).encode(),
        lambda text: json.dumps({"text": text}).encode(),
        lambda text: text.encode("ascii", "xmlcharrefreplace"),
        lambda text: text.replace("ë", "e").encode(),
    ],
    ids=[
        "utf-8",
        "utf-16",
        "cp1252",
        "hex",
        "base64",
        "base64url",
        "url",
        "json",
        "html",
        "no accent",
    ],
)
@pytest.mark.parametrize("name", ["family name", "national number", "mentor's phone"])
def test_a_planted_leak_is_found(
    tmp_path: Path, name: str, written: Callable[[str], bytes]
) -> None:
    """In a log of the hub, in the answer of who may not have it, and after a broker's hole."""
    (tmp_path / "hub/kafka").mkdir(parents=True)
    answers = tmp_path / "answers" / AFTER / TOWN_TIENEN
    answers.mkdir(parents=True)
    said = b"{" + written(VALUES[name].text) + b"}"
    (answers / "0001").write_bytes(said)
    with (tmp_path / "hub/kafka/0.log").open("wb") as file:
        file.seek(1 << 20)
        file.write(said)
    places = Places(tmp_path, canary_search.search(tmp_path, FORMS))

    assert leaks(places, name) == {
        ("hub", "kafka", "0.log"),
        ("answers", AFTER, TOWN_TIENEN, "0001"),
    }


def test_a_planted_wrapped_key_is_found(tmp_path: Path) -> None:
    """At any byte, among other bytes."""
    key, person = AESGCM.generate_key(256), AESGCM.generate_key(256)
    file = tmp_path / "ledger.db-wal"
    file.write_bytes(b"\0" * 4099 + wrap(AESGCM(key), person, "subject") + b"text" * 9)

    assert raw_scan.unwrapped(raw_scan.candidates([file]), [key], "subject") == {person}
