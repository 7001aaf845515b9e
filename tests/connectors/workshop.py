"""What connector tests work with: a small csv connector, its folders, and one run of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from connectors import definition
from connectors.checkpoint import Checkpoint, DeadLetter
from connectors.client import HubClient
from connectors.credentials import Credentials
from connectors.runner import HubDoor, Runner, Totals, open_state
from connectors.sdk import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.identity import Identities

HEADING = "dossiernummer;voornaam;geboren;postcode;telefoon;programma;uren;geïnformeerd;status"
CONNECTOR: dict[str, Any] = {
    "name": "test-ocmw",
    "kind": "csv",
    "settings": {"look": "1ms", "every": "50ms"},
    "in": [
        {
            "file": "toeleiding*.csv",
            "name": "toeleidingen",
            "event": "referral.created",
            "id": ["dossiernummer"],
            "attributes": {"sourcerecordid": "dossiernummer"},
            "set": {
                "programme": {"from": "programma", "enum": {"wijk-werken": "wijk_werken"}},
                "reason_codes": {"const": ["work_rhythm"]},
                "person.given_name": "voornaam",
                "person.birth_date": {"from": "geboren", "date": "%d/%m/%Y"},
                "person.postcode": "postcode",
                "person.phone": "telefoon",
                "availability.hours_per_week": "uren",
                "contact_person.name": {"const": "Onthaal"},
                "informed.on": {"from": "geïnformeerd", "date": "%d/%m/%Y"},
                "informed.channel": {"const": "oral"},
                "informed.notice_version": {"const": "1"},
                "informed.language": {"const": "nl"},
                "informed.by_role": {"const": "welfare_centre"},
            },
            "decisions": {"status": {"allow": ["nieuw"], "send": {"weg": "referral.withdrawn"}}},
            "drop": ["interne nota"],
        },
        {
            "file": "uren*.csv",
            "name": "uren",
            "event": "placement.hours_reported",
            "id": ["dossier", "maand"],
            "attributes": {"sourcerecordid": "dossier"},
            "set": {
                "assignment_id": {"from": "dossier", "call": "stable_uuid"},
                "period": "maand",
                "hours": {"from": "uren", "decimal": ","},
            },
        },
        {
            "file": "contact*.csv",
            "name": "contact",
            "event": "guidance.contact_recorded",
            "id": ["dossier"],
            "attributes": {"sourcerecordid": "dossier"},
            "set": {"kind": {"const": "phone"}, "on": {"from": "op", "date": "%d/%m/%Y"}},
        },
    ],
    "out": [
        {
            "file": "in.csv",
            "events": ["referral.accepted"],
            "columns": {
                "dossier": "ce.sourcerecordid",
                "eerste contact": {"from": "first_contact_on", "date": "%d/%m/%Y"},
                "opmerking": "remarks",
            },
        }
    ],
}


def row(number: int | str, name: str = "Amina", **changed: str) -> str:
    """One line of a referral file."""
    cells = {
        "dossiernummer": f"D-{number}",
        "voornaam": name,
        "geboren": "12/04/1971",
        "postcode": "3300",
        "telefoon": "+32 000 12 34 56",
        "programma": "wijk-werken",
        "uren": "20",
        "geïnformeerd": "02/03/2026",
        "status": "nieuw",
    }
    return ";".join((cells | changed).values())


@dataclass
class Bench:
    """One connector with its folders under `root`."""

    root: Path

    @property
    def drop(self) -> Path:
        """The drop folder."""
        return self.root / "drop"

    @property
    def data(self) -> Path:
        """The state folder."""
        return self.root / "state"

    def install(self, document: dict[str, Any] = CONNECTOR) -> Path:
        """Write the connector's folder and its drop folder."""
        folder = self.root / "connector"
        folder.mkdir(exist_ok=True)
        self.drop.mkdir(exist_ok=True)
        (folder / "connector.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
        return folder

    def put(self, name: str, *rows: str, heading: str = HEADING, encoding: str = "utf-8") -> None:
        """Put a file in the drop folder."""
        text = "\r\n".join((heading, *rows, ""))
        (self.drop / name).write_bytes(text.encode(encoding))

    def report(self, stem: str) -> list[list[str]]:
        """The cells of a report, heading left out."""
        path = self.drop / f"{stem}.verslag.csv"
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
        return [line.split(";") for line in lines[1:]]

    def run(self, url: str, *, batch: int = 100, document: dict[str, Any] = CONNECTOR) -> Totals:
        """One `--once` run in this process."""
        folder = self.install(document)
        state, ids = open_state(self.data, "test-ocmw")
        with state, HubClient(url, credentials()) as hub:
            runner = self.runner(folder, state, ids, hub, batch=batch)
            return runner.once()

    def runner(
        self, folder: Path, state: Checkpoint, ids: Identities, hub: HubDoor, *, batch: int = 100
    ) -> Runner:
        """A runner on an opened state."""
        plan = definition.load(folder, ids, files=self.root)
        return Runner(
            plan,
            state=state,
            ids=ids,
            hub=hub,
            participant="ocmw-tienen",
            stop=threading.Event(),
            give_up_seconds=20,
            batch=batch,
        )

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """What was given up on."""
        with Checkpoint(self.data) as state:
            return state.dead_letters()


def credentials() -> Credentials:
    """A client with a secret."""
    return Credentials("client-1", secret=Secret("geheim-kanarie"), participant="ocmw-tienen")
