"""`schakel keys` at the machine: what waits is shown, a rotation is made, and nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from consumers import subscriptions
from consumers.database import Stores
from consumers.scope import WHOLE_HUB
from consumers.subscriptions import Wanted
from consumers.webhook_secrets import Oauth
from gateway.commands import db
from gateway.commands import keys as command
from gateway.errors import NoHubHere
from gateway.exchange import audit
from gateway.exchange.key_erasure import KeyEraser
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.keys import KeyNeed, KeyStore
from gateway.exchange.proof_keys import ProofKeys
from gateway.exchange.text_seal import TextSeal
from gateway.oauth.keys import SigningKeys
from tests.store_fixtures import migrated, opened

if TYPE_CHECKING:
    from pathlib import Path

    from typer import Typer

NEED = KeyNeed("subject-1", "referral-1", "urn:schakel:org:a", "main")
OTHER = NEED._replace(subject_id="subject-2", aggregate_id="referral-2")
SECRET = "whsec_" + "c2VjcmV0" * 4
OAUTH = Oauth("https://issuer.example.org/token", "hub", "s3cret")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's data folder, migrated and not running."""
    migrated(Stores.sqlite(tmp_path))
    FileKeyEncryption(tmp_path / "keys" / "kek.json")
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    return tmp_path


def run(data: Path, *options: str) -> dict[str, Any]:
    """The command's answer as JSON."""
    done = CliRunner().invoke(command.app, [*options, "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_erasure_waits_until_the_key_is_replaced(data: Path) -> None:
    """Without --now only when something waits; whoever is left still opens."""
    before = run(data, "status")
    assert (before["waiting"], before["rotated_at"]) == (0, None)
    assert run(data, "rotate")["keys"] == before["keys"]

    kek = FileKeyEncryption(data / "keys" / "kek.json")
    with opened(Stores.sqlite(data).keys) as engine:
        made = KeyStore(engine, kek).data_keys([NEED, OTHER])
        KeyEraser(engine, kek).erase(["subject-1"], NEED.producer_org, 1)
        assert run(data, "status")["waiting"] == 1
        after = run(data, "rotate", "--reason", "asked by the officer")
        assert (after["waiting"], len(after["keys"])) == (0, 1)
        assert after["keys"] != before["keys"]
        assert KeyStore(engine, kek).open(made[OTHER].key_id) == made[OTHER].key
    with opened(Stores.sqlite(data).ledger) as engine, engine.connect() as connection:
        (line,) = audit.lines(connection)
    assert (line.actor, line.reason) == ("operator", "asked by the officer")


def subscribe(engine: sa.Engine, seal: TextSeal) -> str:
    """A webhook with a secret, and with credentials at its receiver; its id."""
    with engine.begin() as connection:
        made, _ = subscriptions.create(
            connection,
            "ocmw-tienen",
            Wanted("https://receiver.example.org/", oauth=OAUTH),
            key="k-1",
            content_hash="h",
            secret=SECRET,
            seal=seal,
            position=0,
            now=1,
        )
    return made.id


def test_webhooks_sign_on_after_a_rotation(data: Path) -> None:
    """Their secrets, and credentials at their receivers, lie under the key too."""
    kek = FileKeyEncryption(data / "keys" / "kek.json")
    with opened(Stores.sqlite(data).consumers) as engine:
        made = subscribe(engine, TextSeal(kek))
        run(data, "rotate", "--now")
        with engine.connect() as connection:
            found = subscriptions.one(connection, WHOLE_HUB, made)

    assert found is not None
    assert subscriptions.signing_secrets(found, TextSeal(kek), 0) == [SECRET]
    assert subscriptions.oauth_of(found, TextSeal(kek)) == OAUTH


def naming(stores: Stores, key_id: str) -> set[str]:
    """Each column of any store in which something names a key-encryption key."""
    found = set()
    for name in ("ledger", "consumers", "keys", "spans"):
        with opened(getattr(stores, name), read_only=True) as engine, engine.connect() as reading:
            tables = sa.MetaData()
            tables.reflect(reading)
            for table in tables.tables.values():
                for row in reading.execute(sa.select(table)).mappings():
                    found |= {f"{table}.{one}" for one in row if key_id in str(row[one])}
    return found


def test_nothing_is_left_under_the_key_that_is_destroyed(data: Path) -> None:
    """One of everything that is sealed; what is forgotten here names a key that is gone."""
    kek, stores = FileKeyEncryption(data / "keys" / "kek.json"), Stores.sqlite(data)
    (old,) = kek.ids()
    with opened(stores.ledger) as ledger, opened(stores.keys) as keys:
        SigningKeys(ledger, kek)
        ProofKeys(ledger, kek)
        KeyStore(keys, kek).data_keys([NEED])
        KeyStore(keys, kek).blind_index_key()
    with opened(stores.consumers) as engine:
        subscribe(engine, TextSeal(kek))
    sealed = naming(stores, old)
    (new,) = run(data, "rotate", "--now")["keys"]

    assert sealed == {
        "signing_keys.sealed_with",
        "proof_keys.sealed_with",
        "subject_keys.kek_id",
        "hub_keys.kek_id",
        "subscriptions.secrets",
        "subscriptions.oauth",
    }
    assert naming(stores, old) == set()
    assert naming(stores, new) == {*sealed, "audit.target"}


def test_no_key_file_is_made_here(data: Path) -> None:
    """Whoever asks in the wrong folder, or lost the file, is told so."""
    (data / "keys" / "kek.json").unlink()
    done = CliRunner().invoke(command.app, ["status", "--data", str(data)])

    assert getattr(done.exception, "code", "") == "keys_unusable"
    assert not (data / "keys" / "kek.json").exists()


@pytest.mark.parametrize(
    ("app", "name"), [(command.app, "status"), (command.app, "rotate"), (db.app, "retention")]
)
def test_a_folder_without_a_hub_is_told_so(tmp_path: Path, app: Typer, name: str) -> None:
    """Nothing is made there, and nobody is told to put anything back."""
    done = CliRunner().invoke(app, [name, "--data", str(tmp_path)])

    assert isinstance(done.exception, NoHubHere)
    assert str(tmp_path) in done.exception.detail.en
    assert list(tmp_path.iterdir()) == []


def test_it_is_told_in_words(data: Path) -> None:
    """Labels in the terminal's language, ids and times only."""
    run(data, "rotate", "--now")
    done = CliRunner().invoke(command.app, ["status", "--data", str(data)])

    assert done.stdout.startswith("Current key: ")
    assert "Waiting for replacement: 0" in done.stdout
