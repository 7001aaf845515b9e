"""`schakel agreement`, against a served hub: a draft, two signatures, an event, an end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from consumers.database import Stores
from gateway.exchange.registry_document import parse
from gateway.exchange.render import Rendered
from schemas import cli
from schemas.agreement import document_hash
from tests.agreement_parties import OCMW, ORGANISER, draft
from tests.gateway.exchange.exchange_world import OCMW as SENDER
from tests.gateway.exchange.exchange_world import ORGANISER as READER
from tests.gateway.exchange.exchange_world import REFERRAL, exchange
from tests.hub_front import ISSUER, HubFront, hub_front
from tests.registry_fixtures import demo_content
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS, THEIRS = "ocmw-tienen-connector", "wijkwerk-hageland-connector"
CLIENT_OF = {OCMW: OURS, ORGANISER: THEIRS}
PROTOCOL = "demo-ocmw-organiser-2026"


class Terminal:
    """Two organisations at their terminals, and the hub they speak to."""

    def __init__(self, front: HubFront, folder: Path, shown: pytest.CaptureFixture[str]) -> None:
        self.front = front
        self.folder = folder
        self._shown = shown
        for client in CLIENT_OF.values():
            credentials = {
                "gateway": str(front.client.base_url),
                "issuer": ISSUER,
                "client_id": client,
                "private_key": front.private_keys[client],
            }
            (folder / f"{client}.json").write_text(json.dumps(credentials))

    def run(self, *arguments: str, party: str | None = None) -> tuple[int, str]:
        """Exit code and what was written to standard output."""
        known = [] if party is None else ["--credentials", f"{self.folder}/{CLIENT_OF[party]}.json"]
        self._shown.readouterr()
        code = cli.run(["agreement", *arguments, *known])
        return code, self._shown.readouterr().out

    def key(self, party: str) -> str:
        """The path of a party's key file; made and registered the first time."""
        path = self.folder / f"{party.rpartition(':')[2]}.key.json"
        if not path.exists():
            code, printed = self.run("key", party, "--out", str(path))
            assert (code, path.stat().st_mode & 0o077) == (0, 0)
            content = demo_content()
            del content["agreements"]
            entry = next(one for one in content["organisations"] if one["urn"] == party)
            entry |= json.loads(printed)
            self.front.store.apply(parse(content, "test"), "test")
            self.front.live.refresh()
        return str(path)

    def file(self, name: str, document: dict[str, Any]) -> str:
        """An agreement file."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(document))
        return str(path)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """Migrated stores on SQLite."""
    return migrated(Stores.sqlite(tmp_path / "data"))


@pytest.fixture
def terminal(
    stores: Stores,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Terminal]:
    """Terminals in English."""
    monkeypatch.setenv("SCHAKEL_LANGUAGE", "en")
    for name in ("SCHAKEL_DATA", "SCHAKEL_CREDENTIALS", "SCHAKEL_HUB"):
        monkeypatch.delenv(name, raising=False)
    with hub_front(stores.ledger, tmp_path) as front:
        yield Terminal(front, tmp_path, capsys)


def test_a_draft_becomes_an_agreement_carries_an_event_and_ends(
    terminal: Terminal, stores: Stores
) -> None:
    """From `new` to `revoke`: a referral flows while it is active, the next is `no_agreement`."""
    content = demo_content()
    for one in content["agreements"]:
        one["status"] = "revoked"
    terminal.front.store.apply(parse(content, "test"), "test")
    document = draft("test-2026-001")
    file = terminal.file("draft.yaml", document)
    keys = {party: terminal.key(party) for party in (OCMW, ORGANISER)}
    with exchange(stores, terminal.folder) as world:

        def refer() -> str | None:
            world.registry = terminal.front.live.refresh()
            outcome = world.try_send("referral.created", SENDER, REFERRAL)
            return outcome.error.code if outcome.error else None

        assert refer() == "no_agreement"
        assert terminal.run("check", file)[0] == 0
        assert terminal.run("sign", file, "--key", keys[OCMW], "--yes", party=OCMW)[0] == 0
        assert refer() == "no_agreement"
        _, listed = terminal.run("list", "--status", "proposed", party=ORGANISER)
        code, signed = terminal.run(
            "sign", "test-2026-001", "--key", keys[ORGANISER], "--yes", party=ORGANISER
        )
        assert (code, "test-2026-001" in listed, "active" in signed) == (0, True, True)

        assert refer() is None
        world.deliver()
        copies = [one for one in world.fetch(READER) if isinstance(one, Rendered)]
        told = ["agreement.proposed", "agreement.accepted", "agreement.accepted"]
        assert [one.row.event_name for one in copies] == [*told, "referral.created"]
        copy = copies[-1]
        assert copy.event.agreementid == "test-2026-001"
        assert copy.event.agreementhash == document_hash(document)

        code, _ = terminal.run(
            "revoke", "test-2026-001", "--key", keys[ORGANISER], "--yes", party=ORGANISER
        )
        assert code == 0
        assert refer() == "no_agreement"
        world.deliver()
        left = [one for one in world.fetch(READER) if isinstance(one, Rendered)]
        assert [one.row.event_name for one in left] == [*told, "agreement.revoked"]
        assert not world.names("stad-tienen")

    late, _ = terminal.run("sign", "test-2026-001", "--key", keys[OCMW], "--yes", party=OCMW)
    assert late == 1
    _, shown = terminal.run("show", "test-2026-001", "--json", party=OCMW)
    acts = json.loads(shown)["acts"]
    assert [(one["act"], one["party"]) for one in acts] == [
        ("accept", OCMW),
        ("accept", ORGANISER),
        ("revoke", ORGANISER),
    ]
    _, text = terminal.run("show", "test-2026-001", party=OCMW)
    assert f"grant from {OCMW} to organiser for activation_referral: referral.*" in text
    _, text = terminal.run("show", "test-2026-001", "--document", party=ORGANISER)
    assert document_hash(json.loads(text)) == document_hash(document)


def test_the_template_is_a_draft_without_faults(terminal: Terminal) -> None:
    """`new` writes what `check` accepts, never over a file, and needs two parties."""
    path = str(terminal.folder / "new.yaml")
    parties = ["--party", OCMW, "--party", ORGANISER]
    assert terminal.run("new", "test-2026-001", *parties, "--out", path)[0] == 0
    assert terminal.run("new", "test-2026-001", *parties, "--out", path)[0] == cli.WRONG_USE
    assert terminal.run("new", "test-2026-001", *parties[:2])[0] == cli.WRONG_USE
    assert terminal.run("check", path) == (0, "0 faults.\n")


def test_every_fault_is_shown_with_its_line(terminal: Terminal) -> None:
    """Exit code 1, in words and as JSON."""
    document = draft(colour="red")
    document["grants"][0]["doors"] = ["window"]
    file = terminal.file("draft.yaml", document)
    code, text = terminal.run("check", file)
    _, as_json = terminal.run("check", file, "--json")
    found = json.loads(as_json)

    assert code == 1
    assert f"{file}:2: colour: There is no such key." in text
    assert [one["field"] for one in found["found"]] == ["colour", "grants[0].doors[0]"]
    assert found["ok"] is False


def test_a_draft_is_tried_on_an_example(terminal: Terminal) -> None:
    """Each field with what withholds it; elsewhere nothing, with the leg."""
    file = terminal.file("draft.yaml", draft())
    asked = ["check", file, "--event", "referral.created", "--for", READER, "--as", "target"]
    code, text = terminal.run(*asked, "--example", "complete", "--nis", "24107", party=OCMW)
    _, elsewhere = terminal.run(*asked, "--nis", "24062", party=OCMW)
    _, as_json = terminal.run(*asked, "--nis", "24107", "--json", party=OCMW)
    missing, _ = terminal.run(*asked, "--example", "none", party=OCMW)
    halfway, _ = terminal.run(*asked[:4], party=OCMW)

    assert code == 0
    assert text.startswith("referral.created -> wijkwerk-hageland: 31 of 46 fields delivered")
    said = [" ".join(line.split()) for line in text.splitlines()]
    assert "person.given_name name x field set not granted" in said
    assert "work_limits work_limits x not meant for this reader" in said
    assert "work_limits: only for case_holder, handler" in said
    assert elsewhere == "nothing is delivered: territory (outside the territory)\n"
    assert json.loads(as_json)["delivered"] is True
    assert (missing, halfway) == (1, cli.WRONG_USE)


def test_a_signature_can_be_made_away_from_the_network(terminal: Terminal) -> None:
    """`sign --print` sends nothing; what it prints is what the hub takes."""
    document = draft()
    file = terminal.file("draft.yaml", document)
    key = terminal.key(OCMW)
    code, jws = terminal.run("sign", file, "--key", key, "--print")
    proposed = terminal.front.administer("/v1/agreements", document, OURS)
    taken = terminal.front.administer(
        "/v1/agreements/test-2026-001/accept", {"jws": jws.strip()}, OURS
    )

    assert (code, proposed.status_code, taken.status_code) == (0, 201, 200)
    assert [one["act"] for one in taken.json()["acts"]] == ["accept"]


def test_a_proposal_is_rejected_with_a_reason(terminal: Terminal) -> None:
    """It is over; signing it afterwards fails, and says what is possible."""
    terminal.front.administer("/v1/agreements", draft(), OURS)
    key = terminal.key(ORGANISER)
    reason = ["--reason", "terms_not_accepted"]
    code, text = terminal.run("reject", "test-2026-001", "--key", key, *reason, party=ORGANISER)
    late, _ = terminal.run("sign", "test-2026-001", "--key", key, "--yes", party=ORGANISER)

    assert (code, late) == (0, 1)
    assert "rejected" in text


def test_two_drafts_are_compared_in_words(terminal: Terminal) -> None:
    """Files need no hub; an id is asked for at the hub."""
    wider = draft("test-2026-002")
    wider["grants"][0]["doors"] = ["feed", "kafka"]
    first, second = terminal.file("a.yaml", draft()), terminal.file("b.yaml", wider)
    terminal.front.administer("/v1/agreements", draft(), OURS)
    sentence = "grants[0].doors: added: door kafka\n"

    assert terminal.run("diff", first, second) == (0, sentence)
    assert terminal.run("diff", "test-2026-001", second, party=ORGANISER) == (0, sentence)
    assert terminal.run("diff", first, first) == (0, "No differences.\n")


def test_a_key_that_others_can_read_is_refused(terminal: Terminal) -> None:
    """And a key is never written over."""
    key = terminal.key(OCMW)
    assert terminal.run("key", OCMW, "--out", key)[0] == cli.WRONG_USE
    (terminal.folder / "1999000150.key.json").chmod(0o644)
    file = terminal.file("draft.yaml", draft())

    assert terminal.run("sign", file, "--key", key, "--print")[0] == 1
