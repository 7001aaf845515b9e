"""A hub, the world's participants and their files, and everything that anybody is answered.

hub/                  the data folder
hub.log               what `schakel up` writes on standard error
partners/WHO/         drop, report, inbox; state and terminal of its csv connector beside it
answers/WHEN/WHO/     every answer of the interface, headers included
deliveries/WHO/       the inbox as it came while the person's case went on
problems/WHO/         answers to bad input with the canary in it
names/WHO/            the same, where the canary was the name of a field
commands/WHEN/WHO/    what commands print
states/WHO/           what a csv connector remembers
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectors.credentials import load_credentials
from connectors.tokens import TokenSource
from connectors.world import registry
from connectors.world.keys import private_jwk
from connectors.world.organisations import (
    CARE_HOME,
    CAW,
    HAGELAND,
    OCMW_LEUVEN,
    OCMW_TIENEN,
    TOWN_TIENEN,
    VDAB,
    urn,
)
from tests.e2e.canary_story import SEED
from tests.e2e.running_hub import SCHAKEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from connectors.world.own_hub import Installation

PARTIES: Final = (CAW, OCMW_TIENEN, HAGELAND, CARE_HOME, VDAB)
OUTSIDERS: Final = (TOWN_TIENEN, OCMW_LEUVEN)
ADMINISTRATOR: Final = "hub-admin"
CALLERS: Final = (*PARTIES, *OUTSIDERS, ADMINISTRATOR)
DEMO: Final = Path(__file__).parents[2] / "deploy" / "demo" / "connectors"
DEMO_ORGANISER: Final = "urn:be:kbo:1999000249"


@dataclass
class CanaryWorld:
    """The folder and who calls."""

    folder: Path
    where: Installation
    http: httpx.Client
    tokens: dict[str, TokenSource] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The hub's data folder."""
        return self.folder / "hub"

    def credentials(self, who: str) -> Path:
        """The credentials file of somebody."""
        if who == ADMINISTRATOR:
            return self.data / "admin.json"
        path = self.folder / "credentials" / f"{who}.json"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            client = registry.client_id(who)
            document = {
                "client_id": client,
                "participant": who,
                "private_key": private_jwk(SEED, client),
            }
            path.touch(mode=0o600)
            path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def call(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        """One call as somebody, whatever the answer, which has come whole."""
        headers = {**self.bearer(who), **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def bearer(self, who: str) -> dict[str, str]:
        """The header that says who calls."""
        if who not in self.tokens:
            self.tokens[who] = TokenSource(self.http, load_credentials(self.credentials(who)))
        return {"authorization": f"Bearer {self.tokens[who].token()}"}

    def keep(self, place: str, who: str, response: httpx.Response) -> httpx.Response:
        """Write an answer down as it came, and give it back."""
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.write(place, who, f"{response.status_code}\n{head}\n\n".encode() + response.content)
        return response

    def write(self, place: str, who: str, content: bytes) -> None:
        """Write something down where it was found."""
        folder = self.folder / place / who
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{len(list(folder.iterdir())):04d}").write_bytes(content)

    def connector(self, who: str, definition: str) -> dict[str, Any]:
        """Run a partner's csv connector of the demonstration once; its totals."""
        home = self.folder / "partners" / who
        text = (DEMO / definition / "connector.yaml").read_text("utf-8")
        text = text.replace(DEMO_ORGANISER, urn(HAGELAND))
        folder = self.folder / "definitions" / definition
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "connector.yaml").write_text(text, encoding="utf-8")
        for name in ("drop", "inbox"):
            (home / name).mkdir(parents=True, exist_ok=True)
        command = [SCHAKEL, "connector", "run", str(folder), "--once", "--json"]
        command += ["--data", str(self.folder / "states" / who), "--files", str(home)]
        command += ["--credentials", str(self.credentials(who)), "--hub", self.where.gateway]
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=120, env=_environment()
        )
        self.write("states", f"{who}-terminal", done.stdout + done.stderr)
        assert done.returncode == 0, done.stderr.decode()
        totals: dict[str, Any] = json.loads(done.stdout)
        return totals

    def drop(self, who: str, name: str, rows: list[Mapping[str, str]]) -> None:
        """Put a file in a partner's drop folder, as a spreadsheet saves it."""
        folder = self.folder / "partners" / who / "drop"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("w", encoding="cp1252", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)


def _environment() -> dict[str, str]:
    return {**os.environ, "SCHAKEL_LANGUAGE": "en"}
