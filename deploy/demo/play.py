"""`make demo`: one person's way, through real csv connectors, from a file to an inbox and back.

Journey A of the domain: OCMW Tienen refers, an organiser places and guides, VDAB takes the case
over, the organiser records the outcome and VDAB confirms it. Every step is a file that somebody
drops; every answer is a file that somebody finds. Nothing here talks to the hub but the commands.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from gateway.embedded.hub import HUB_LOCK
from gateway.embedded.locks import is_locked

HERE = Path(__file__).parent
SCHAKEL = str(Path(sys.executable).parent / "schakel")
PARTNERS = {
    "ocmw-tienen": "ocmw-tienen-connector",
    "wijk-werk-hageland": "wijkwerk-hageland-connector",
    "vdab": "vdab-connector",
}
OWN_COLUMNS = {
    "ocmw-tienen": "dossiernummer",
    "wijk-werk-hageland": "klantnummer",
    "vdab": "mlp-nummer",
}
PATIENCE_SECONDS = 30.0
TODAY = date.today()  # noqa: DTZ011 - the day on the partners' calendars
OWN_NUMBER = "TIE-2026-0042"
MARKER = ".schakel-demo"
"""Stands in a folder that this program made: no other one is ever emptied."""


def day(days: int) -> str:
    """A date as a Dutch spreadsheet writes it."""
    return (TODAY + timedelta(days=days)).strftime("%d/%m/%Y")


def say(sentence: str) -> None:
    """A line of the story."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


class Stuck(Exception):  # noqa: N818 - what happened, in a word
    """A file that had to come did not."""


@dataclass
class Demo:
    """The running demonstration: the hub, the connectors and their folders."""

    folder: Path
    port: int | None
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    where: dict[str, str] = field(default_factory=dict)

    @property
    def hub_data(self) -> Path:
        """The hub's data folder."""
        return self.folder / "hub"

    def start(self) -> None:
        """Start the hub and wait for its ready line, then the three connectors."""
        command = [SCHAKEL, "up", "--data", str(self.hub_data), "--with", "demo"]
        if self.port is not None:
            command += ["--port", str(self.port)]
        log = (self.folder / "hub.log").open("a", encoding="utf-8")
        hub = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.processes.append(hub)
        line = "" if hub.stdout is None else hub.stdout.readline()
        if not line:
            raise Stuck(f"The hub did not start; see {self.folder / 'hub.log'}")
        self.where = json.loads(line)
        say(f"The hub runs at {self.where['gateway']}, Kafka at {self.where['kafka']}.")
        for partner, client in PARTNERS.items():
            self._start_connector(partner, client)
        say("Three csv connectors run, each a process of its own with its partner's key.\n")

    def _start_connector(self, partner: str, client: str) -> None:
        files = self.folder / partner
        for name in ("drop", "inbox"):
            (files / name).mkdir(parents=True, exist_ok=True)
        log = (self.folder / f"{partner}.log").open("a", encoding="utf-8")
        command = [SCHAKEL, "connector", "run", str(HERE / "connectors" / partner)]
        command += ["--data", str(self.folder / "state" / partner), "--files", str(files)]
        command += ["--credentials", str(self.hub_data / "clients" / f"{client}.json")]
        self.processes.append(
            subprocess.Popen(command, stdout=log, stderr=log, text=True)  # noqa: S603
        )

    def stop(self) -> None:
        """Ask everybody to finish, connectors first."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()

    def drop(self, partner: str, name: str, rows: list[dict[str, str]]) -> None:
        """Put a file in a partner's drop folder, whole, as a spreadsheet would save it."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        target = self.folder / partner / "drop" / name
        partial = target.with_name(f".{name}.partial")
        partial.write_bytes(text.getvalue().encode("cp1252"))
        partial.replace(target)
        say(f"  {partner} drops {name}")

    def wait(self, partner: str, name: str, **wanted: str) -> dict[str, str]:
        """The row that a partner finds in its inbox.

        Raises:
            Stuck: it did not come.
        """
        path = self.folder / partner / "inbox" / name
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for row in read(path):
                if all(row.get(column) == value for column, value in wanted.items()):
                    shown = ", ".join(f"{key} {value}" for key, value in wanted.items())
                    say(f"  {partner} finds {name}: {shown or 'a new row'}")
                    return row
            time.sleep(0.1)
        raise Stuck(f"{partner} did not find {wanted} in {path}{self._reports(partner)}")

    def _reports(self, partner: str) -> str:
        """What the connectors' reports say, when something did not come."""
        del partner
        found = sorted(self.folder.glob("*/**/*.verslag.csv"))
        return "".join(f"\n--- {path}\n{path.read_text('utf-8-sig')}" for path in found[-6:])


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a partner's file; none while it is not there."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        text = path.read_bytes().decode("cp1252")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def play(demo: Demo) -> str:
    """The whole journey; returns the trajectory id."""
    say("1. OCMW Tienen refers Amina to the organiser.")
    demo.drop("ocmw-tienen", "toeleiding.csv", [referral()])
    referred = demo.wait("wijk-werk-hageland", "toeleidingen.csv", wat="nieuw")
    say("2. The organiser answers.")
    answer = {"toeleiding": referred["toeleiding"], "klantnummer": "WWH-7"}
    demo.drop("wijk-werk-hageland", "antwoord-1.csv", [answered(answer)])
    demo.wait("ocmw-tienen", "opvolging.csv", wat="aanvaard")
    say("3. Plan and start, with mentor, insurance and declaration.")
    for step in ("gepland", "gestart"):
        demo.drop("wijk-werk-hageland", f"plaatsing-{step}.csv", [placement(answer, step)])
        demo.wait("ocmw-tienen", "plaatsingen.csv", wat=step)
    say("4. Guidance and hours.")
    demo.drop("wijk-werk-hageland", "begeleiding.csv", [contact()])
    demo.drop("wijk-werk-hageland", "uren.csv", [hours()])
    say("5. OCMW Tienen hands the case over to VDAB, which takes it.")
    demo.drop("ocmw-tienen", "overdracht.csv", [handover()])
    demo.wait("vdab", "dossiers.csv", wat="overdracht aangeboden")
    demo.drop("vdab", "dossierhouder.csv", [takeover(referred["traject"])])
    demo.wait("wijk-werk-hageland", "dossierhouders.csv")
    say("6. The organiser records the outcome, and VDAB confirms it.")
    demo.drop("wijk-werk-hageland", "uitstroom.csv", [outcome()])
    demo.wait("vdab", "uitstroom.csv", uitstroom="regular_job")
    demo.drop("vdab", "bevestiging.csv", [confirmation()])
    demo.wait("ocmw-tienen", "uitstroom.csv", wat="bevestigd")
    return referred["traject"]


def referral() -> dict[str, str]:
    """A row of the OCMW's own register; the person is invented."""
    return {
        "dossiernummer": OWN_NUMBER,
        "programma": "wijk-werken",
        "redenen": "arbeidsritme, eerste werkvloer",
        "organisator": "wijk-werk hageland",
        "voornaam": "Amina",
        "familienaam": "Testkanarie",
        "geboortedatum": "12/04/1990",
        "postcode": "3300",
        "telefoon": "+32 000 98 76 54",
        "e-mail": "amina@example.org",
        "taal": "nederlands",
        "inkomen": "leefloon",
        "uren per week": "12",
        "maatschappelijk werker": "Onthaal activering",
        "telefoon dienst": "+32 000 16 00 01",
        "geïnformeerd op": day(-2),
        "toelichting": "Begint graag met halve dagen.",
        "status": "nieuw",
        "interne nota": "blijft bij het OCMW",
    }


def answered(answer: dict[str, str]) -> dict[str, str]:
    """The organiser accepts; its own number is linked from now on."""
    return {
        **answer,
        "antwoord": "aanvaard",
        "coach": "Coach Hageland",
        "eerste contact": day(3),
        "antwoord voor": "",
        "reden": "",
    }


def placement(answer: dict[str, str], step: str) -> dict[str, str]:
    """The agreement of person and organiser."""
    return {
        **answer,
        "plaatsing": "1",
        "stap": step,
        "gebruiker": "wzc de linde",
        "werkplek": "Groendienst",
        "gemeente (NIS)": "24107",
        "mentor": "Ploegbaas Testveld",
        "telefoon mentor": "+32 000 16 00 09",
        "startdatum": day(0),
        "gepland einde": day(180),
        "uren per week": "12",
        "coach": "Coach Hageland",
        "perspectief": "reguliere job",
        "verzekerd": "ja",
        "niet-verdringing verklaard": "ja" if step == "gestart" else "",
        "verklaard door": "diensthoofd" if step == "gestart" else "",
        "verklaard op": day(-1) if step == "gestart" else "",
        "einddatum": "",
        "reden": "",
        "vroegtijdig": "",
    }


def contact() -> dict[str, str]:
    """A talk on the work floor."""
    return {
        "klantnummer": "WWH-7",
        "datum": day(0),
        "soort": "bezoek",
        "minuten": "45",
        "volgende": day(28),
        "onderwerpen": "arbeidsritme, samenwerken",
        "signaal": "geen",
    }


def hours() -> dict[str, str]:
    """The hours of this month."""
    return {
        "klantnummer": "WWH-7",
        "plaatsing": "1",
        "maand": f"{TODAY:%Y-%m}",
        "uren": "12,50",
        "cheques": "13",
    }


def handover() -> dict[str, str]:
    """The OCMW offers the case."""
    return {
        "dossiernummer": OWN_NUMBER,
        "naar": "vdab",
        "reden": "afspraak",
        "ingangsdatum": day(1),
    }


def takeover(trajectory: str) -> dict[str, str]:
    """VDAB takes it: that is the acceptance."""
    return {
        "mlp-nummer": "MLP-99001",
        "traject": trajectory,
        "van": "ocmw tienen",
        "reden": "afspraak",
        "ingangsdatum": day(1),
        "bemiddelaar": "Bemiddeling Vlaams-Brabant",
        "telefoon": "+32 000 16 00 03",
    }


def outcome() -> dict[str, str]:
    """The organiser reports a regular job."""
    return {
        "klantnummer": "WWH-7",
        "datum": day(0),
        "uitstroom": "reguliere job",
        "contract": "onbepaalde duur",
        "uren per week": "19,00",
    }


def confirmation() -> dict[str, str]:
    """VDAB confirms on the employment declaration."""
    return {
        "mlp-nummer": "MLP-99001",
        "datum": day(0),
        "bewijs": "dimona",
        "opmerking": "",
    }


def tell(demo: Demo, trajectory: str) -> None:
    """What each organisation saw, and the trace of the whole case.

    Raises:
        Stuck: a line lacks the partner's own number, so that it cannot be tied to a person.
    """
    say("\nWhat each organisation holds now (its own files):")
    for partner in PARTNERS:
        say(f"\n  {partner}")
        for path in sorted((demo.folder / partner / "inbox").glob("*.csv")):
            rows = read(path)
            own = OWN_COLUMNS[partner]
            if any(row.get(own) == "" for row in rows):
                raise Stuck(f"{path} has a line without {own}")
            tied = f", each with its {own}" if rows and own in rows[0] else ""
            say(f"    {path.name}: {len(rows)} row(s){tied}")
            for row in rows[:1]:
                if row.get("niet gekregen"):
                    say(f"      not received: {row['niet gekregen']}")
    say("\nThe way of the case, as the hub's administrator sees it (no personal data):\n")
    sys.stdout.write(trace(demo, trajectory))
    first = json.loads(trace(demo, trajectory, "--json"))["events"][0]["event_id"]
    say("\nThe first event alone, with the time that each part took:\n")
    sys.stdout.write(trace(demo, first))
    say("\nWhat the organiser may count of its own cases, and nobody else can:\n")
    sys.stdout.write(figures(demo))


def figures(demo: Demo) -> str:
    """The organiser's exits, once they were counted.

    Raises:
        Stuck: they did not come.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    own = str(demo.hub_data / "clients" / f"{PARTNERS['wijk-werk-hageland']}.json")
    asked = ("exits", "--by", "year,municipality,reason", "--credentials", own)
    while time.monotonic() < deadline:
        found = command_output(demo, "evidence", *asked)
        if "Regular job" in found:
            return found
        time.sleep(0.3)
    raise Stuck("The organiser's exit was not counted")


def trace(demo: Demo, wanted: str, *options: str) -> str:
    """What `schakel trace` prints."""
    return command_output(demo, "trace", wanted, *options)


def command_output(demo: Demo, name: str, *options: str) -> str:
    """What a command prints, in English."""
    command = [SCHAKEL, name, "--data", str(demo.hub_data), *options]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "SCHAKEL_LANGUAGE": "en", "COLUMNS": "110"},
    )
    return done.stdout


def make_empty(folder: Path) -> str | None:
    """Make the folder, or empty it when an earlier demonstration made it; or say why not."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            return f"{folder} is no folder of a demonstration; remove it, or choose another --data."
        if is_locked(folder / "hub" / HUB_LOCK):
            return f"A hub runs on {folder / 'hub'}; stop it, or choose another --data."
        shutil.rmtree(folder)
    elif folder.exists() and not folder.is_dir():
        return f"{folder} is no folder; choose another --data."
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / MARKER).touch()
    return None


def main() -> int:
    """Run the demonstration; 0 when every step arrived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("demo-data"))
    parser.add_argument("--port", type=int)
    parser.add_argument("--keep", action="store_true", help="stay up until Ctrl-C")
    arguments = parser.parse_args()
    folder = arguments.data.resolve()
    why_not = make_empty(folder)
    if why_not is not None:
        sys.stderr.write(f"{why_not}\n")
        return 1
    demo = Demo(folder, arguments.port)
    try:
        demo.start()
        tell(demo, play(demo))
        if arguments.keep:
            say(f"\nThe hub stays up; credentials are in {demo.hub_data}. Ctrl-C ends it.")
            signal.pause()
    except KeyboardInterrupt:
        pass
    except Stuck as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    finally:
        demo.stop()
    say("\nDone: a file became somebody's work, and the answer came back.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
