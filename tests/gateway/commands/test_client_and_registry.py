"""`schakel client` and `schakel registry`, against a served hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sqlalchemy import update

from consumers.database import open_engine
from gateway.errors import InvalidToken
from gateway.exchange.registry_tables import SIGNING_KEYS
from gateway.exchange.scopes import SCOPES
from schemas import cli
from tests.hub_front import ADMIN, ISSUER, PARTNER, HubFront, hub_front
from tests.registry_fixtures import DEMO, demo_content, sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubFront]:
    """A hub's front, with its administrator's credentials in SCHAKEL_DATA."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    monkeypatch.setenv("SCHAKEL_DATA", str(tmp_path))
    monkeypatch.delenv("SCHAKEL_CREDENTIALS", raising=False)
    monkeypatch.delenv("SCHAKEL_HUB", raising=False)
    with hub_front(sqlite_url(tmp_path), tmp_path) as opened:
        admin = {
            "gateway": str(opened.client.base_url),
            "token_url": f"{opened.client.base_url}/oauth/token",
            "issuer": ISSUER,
            "client_id": ADMIN,
            "private_key": opened.private_keys[ADMIN],
        }
        (tmp_path / "admin.json").write_text(json.dumps(admin))
        yield opened


def written(path: Path) -> dict[str, Any]:
    """A credentials file, which nobody else may read."""
    assert path.stat().st_mode & 0o077 == 0
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def create(tmp_path: Path, *more: str) -> int:
    """Make a second client of the OCMW."""
    return cli.run(
        [
            "client", "create", "ocmw-tienen-second", "--participant", "ocmw-tienen",
            "--scope", "sj_feed_read", "--out", str(tmp_path / "second.json"), *more,
        ]
    )  # fmt: skip


def test_a_client_is_made_with_its_credentials_file(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file that is written gets a token; the private key was never sent."""
    assert create(tmp_path) == 0
    made = written(tmp_path / "second.json")
    capsys.readouterr()
    code = cli.run(["client", "token", "--credentials", str(tmp_path / "second.json")])

    assert code == 0
    principal = front.verifier.verify(capsys.readouterr().out.strip())
    assert (principal.client_id, made["participant"]) == ("ocmw-tienen-second", "ocmw-tienen")
    client = front.live.current().client("ocmw-tienen-second")
    assert client is not None
    assert all("d" not in (one.jwk or {}) for one in client.credentials)


def test_the_help_names_every_scope(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever makes a client reads there what it may be given."""
    cli.run(["client", "create", "--help"])

    shown = capsys.readouterr().out
    assert [one for one in SCOPES if one not in shown] == []


def test_a_secret_works_in_test(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--secret` writes a secret instead of a key, and never prints it."""
    assert create(tmp_path, "--secret") == 0
    secret = written(tmp_path / "second.json")["client_secret"]
    shown = capsys.readouterr()
    cli.run(["client", "token", "--credentials", str(tmp_path / "second.json")])

    assert secret not in shown.out + shown.err
    assert front.verifier.verify(capsys.readouterr().out.strip()).client_id == "ocmw-tienen-second"


def test_a_refused_client_leaves_no_file(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the hub says is wrong is told field by field, and nothing is left behind."""
    code = create(tmp_path, "--scope", "sj_admin", "--participant", "ocmw-tienen")

    assert code == 1
    assert "sj_admin" in capsys.readouterr().err
    assert not list(tmp_path.glob("*second*"))
    assert front.live.current().client("ocmw-tienen-second") is None


def test_a_folder_that_cannot_be_written_changes_nothing(front: HubFront, tmp_path: Path) -> None:
    """The hub is asked only once the file is begun."""
    version = front.store.version()
    code = cli.run(
        ["client", "rotate", "vdab-connector", "--out", str(tmp_path / "none" / "x.json")]
    )

    assert code == 1
    assert front.store.version() == version


def test_a_client_is_rotated_and_revoked(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new key replaces the file; a revoked client gets no token any more (exit code 4)."""
    create(tmp_path)
    out = str(tmp_path / "second.json")
    before = written(tmp_path / "second.json")["private_key"]["kid"]
    assert cli.run(["client", "rotate", "ocmw-tienen-second", "--out", out]) == 0
    assert written(tmp_path / "second.json")["private_key"]["kid"] != before
    assert cli.run(["client", "token", "--credentials", out]) == 0
    assert cli.run(["client", "revoke", "ocmw-tienen-second", "--yes"]) == 0
    assert cli.run(["client", "token", "--credentials", out]) == 4

    capsys.readouterr()
    assert cli.run(["client", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["clients"]
    assert {one["status"] for one in listed if one["id"] == "ocmw-tienen-second"} == {"revoked"}
    assert front.live.current().client(PARTNER) is not None


def test_clients_are_listed_for_people(front: HubFront, capsys: pytest.CaptureFixture[str]) -> None:
    """A table names every client."""
    assert cli.run(["client", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name[:12] in shown for name in front.live.current().clients)


def test_a_partner_may_not_administer(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a partner's credentials every change is refused with exit code 4."""
    create(tmp_path)
    out = str(tmp_path / "second.json")
    capsys.readouterr()

    assert cli.run(["client", "list", "--credentials", out]) == 4
    assert cli.run(["registry", "apply", str(DEMO), "--yes", "--credentials", out]) == 4
    assert front.live.current().client(PARTNER) is not None


def test_a_registry_file_is_planned_and_applied_once(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run changes nothing, applying does, applying again finds nothing to do."""
    content = demo_content()
    content["organisations"][0]["participants"][0]["territory"] = ["24107", "24059"]
    file = tmp_path / "registry.yaml"
    file.write_text(yaml.safe_dump(content))
    version = front.store.version()

    assert cli.run(["registry", "apply", str(file), "--dry-run"]) == 0
    assert capsys.readouterr().out == "~ change participant ocmw-tienen: territory\n"
    assert front.store.version() == version

    assert cli.run(["registry", "apply", str(file), "--yes", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["applied"], shown["version"]) == (True, version + 1)

    assert cli.run(["registry", "apply", str(file), "--yes"]) == 0
    assert capsys.readouterr().out == "No changes.\n"
    assert front.store.version() == version + 1


def test_without_a_yes_nothing_is_applied(
    front: HubFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that nobody agrees to stays a plan."""
    import io  # noqa: PLC0415 - only here

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    content = demo_content()
    content["organisations"][0]["name"] = "anders"
    file = tmp_path / "registry.yaml"
    file.write_text(yaml.safe_dump(content))
    version = front.store.version()

    assert cli.run(["registry", "apply", str(file)]) == 1
    assert front.store.version() == version


def test_every_fault_of_a_file_is_shown(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each fault is a line with its path."""
    content = demo_content()
    content["organisations"][0]["colour"] = "red"
    content["organisations"][2]["participants"][0]["role"] = "boss"
    file = tmp_path / "registry.yaml"
    file.write_text(yaml.safe_dump(content))
    version = front.store.version()

    assert cli.run(["registry", "apply", str(file), "--yes"]) == 1
    shown = capsys.readouterr().err
    assert "organisations[0].colour" in shown
    assert "organisations[2].participants[0].role" in shown
    assert front.store.version() == version


def test_a_hub_that_does_not_answer_is_one_sentence(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No stack trace when the hub is away, and none when the key is no key."""
    assert cli.run(["client", "list", "--hub", "http://127.0.0.1:9"]) == 1
    assert "does not answer" in capsys.readouterr().err
    admin = json.loads((tmp_path / "admin.json").read_text())
    (tmp_path / "admin.json").write_text(json.dumps({**admin, "private_key": {"kty": "EC"}}))
    assert cli.run(["client", "list"]) == 1
    assert "not usable" in capsys.readouterr().err
    assert front.live.current().client(ADMIN) is not None


def test_the_signing_key_is_rotated_when_its_time_is_and_at_once_in_an_emergency(
    front: HubFront, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Too soon is refused with the seconds; an emergency refuses what the old key signed."""
    token = front.token()
    assert cli.run(["keys", "rotate-signing"]) == 1
    assert "rotate as an emergency" in capsys.readouterr().err
    assert front.verifier.verify(token).client_id

    assert cli.run(["keys", "rotate-signing", "--emergency", "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["current"], said["emergency"]) == (front.signing.current().kid, True)
    with pytest.raises(InvalidToken):
        front.verifier.verify(token)

    engine = open_engine(sqlite_url(tmp_path))
    with engine.begin() as connection:
        connection.execute(update(SIGNING_KEYS).values(published_at_seconds=0))
    engine.dispose()
    held = front.token()
    assert cli.run(["keys", "rotate-signing"]) == 0
    assert f"signs with {said['next']}" in capsys.readouterr().out
    assert front.verifier.verify(held).client_id


def test_an_emergency_is_asked_twice(front: HubFront) -> None:
    """Without --yes and an answer nothing happens."""
    before = front.signing.current().kid

    assert cli.run(["keys", "rotate-signing", "--emergency"]) != 0
    assert front.signing.current().kid == before
