"""The commands have no way round the matrix: what they ask is in it, and it holds for them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from gateway.exchange.credentials import new_private_jwk, public_part
from tests.isolation import held
from tests.isolation.commands import COMMANDS, apps, asks_the_hub, tree
from tests.isolation.held import AGREEMENT, CANARY
from tests.isolation.ways import PUBLISH, WAYS
from tests.letter.partners import CAW, LEUVEN
from tests.letter.region import region
from tests.ports import distant_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.isolation.held import Held

_LOG = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
"""Where the hub's own log lines begin: it runs in this process."""
READING = [
    ("read", "events show {event_id}"),
    ("read", "agreement show {agreement_id}"),
    ("read", "agreement show {agreement_id} --document"),
    ("list", "agreement list --json"),
    ("list", "events tail -n 100 --json"),
    ("replay", "events tail -n 100 --data-too"),
    ("search", "trace {sourcerecordid}"),
    ("trace", "trace {event_id}"),
    ("trace", "trace {trajectory_id} --json"),
    ("list", "client list --json"),
    ("list", "subject erasures --json"),
    ("read", "subject report {order_id}"),
    ("list", "events records"),
    ("trace", "subject access {trajectory_id}"),
    ("list", "audit own --from 2026-01-01 --to 2030-01-01 --json"),
]


@dataclass(frozen=True)
class Terminal:
    """Runs commands against a hub that listens, as one of two participants."""

    address: str
    files: Mapping[str, Path]
    things: Held

    def run(self, who: str, words: str, *, made_up: bool = False) -> tuple[int, str]:
        """Exit code and everything that a command says; made-up names are put back."""
        names = self.things.made_up() if made_up else self.things.things
        first, *rest = [one.format_map(names) for one in words.split()]
        options = ["--hub", self.address, "--credentials", str(self.files[who])]
        done = CliRunner().invoke(apps()[first], [*rest, *options])
        spoken = [one for one in done.output.splitlines() if not _LOG.match(one)]
        said = "\n".join((*spoken, "" if done.exception is None else repr(done.exception)))
        for name, value in self.things.things.items():
            said = said.replace(names[name], value)
        return done.exit_code, said


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A hub with a partner's case, and the credentials of that partner and of an outsider."""
    folder = tmp_path_factory.mktemp("commands")
    (port,) = distant_ports(1)
    with region(folder / "hub", issuer=f"http://127.0.0.1:{port}") as around:
        things = held.referred_by_partner(around)
        with around.client.listening(port) as address:
            files = {who: _credentials(around, who, folder) for who in (CAW, LEUVEN)}
            yield Terminal(address, files, things)


def _credentials(around: Any, who: str, folder: Path) -> Path:
    """A file as `schakel client rotate` writes it, for the participant's client."""
    client, key = f"{who}-connector", new_private_jwk()
    path, body = f"/v1/clients/{client}/rotate", {"jwk": public_part(key)}
    done = around.call("hub-admin+sj_admin", "POST", path, json=body)
    assert done.status_code == 200, done.text
    issuer = around.get(who, "/.well-known/oauth-authorization-server")["issuer"]
    file = folder / f"{who}.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"client_id": client, "issuer": issuer, "private_key": key}))
    return file


def test_every_command_is_known_and_asks_only_what_is_in_the_matrix() -> None:
    """A new command has to say what it asks; one without `--hub` asks nothing."""
    commands = tree()

    assert commands.keys() == COMMANDS.keys()
    assert {name for name, one in commands.items() if asks_the_hub(one)} == {
        name for name, asked in COMMANDS.items() if asked
    }
    assert {one for asked in COMMANDS.values() for one in asked} <= WAYS.keys() | {PUBLISH}


@pytest.mark.parametrize(("act", "words"), READING, ids=[words for _, words in READING])
def test_a_command_tells_an_outsider_nothing(terminal: Terminal, act: str, words: str) -> None:
    """Another participant's things are to it as things that nobody has."""
    code, said = terminal.run(LEUVEN, words)
    secrets = terminal.things.marks["case"] - set(words.format_map(terminal.things.things).split())

    assert not [one for one in secrets if one in said], said
    assert (code, said) == terminal.run(LEUVEN, words, made_up=True), act


@pytest.mark.parametrize("words", ["events show {event_id}", "trace {sourcerecordid}"])
def test_a_command_tells_a_party_what_is_its_own(terminal: Terminal, words: str) -> None:
    """The same words, by whom it concerns: so the outsider was refused and not misunderstood."""
    code, said = terminal.run(CAW, words)

    assert code == 0, said
    assert terminal.things.things["event_id"][:8] in said or CANARY["family_name"] in said
    assert AGREEMENT in terminal.run(CAW, "agreement show {agreement_id}")[1]
