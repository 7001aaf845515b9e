"""`schakel connector` as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.connectors.stub_hub import StubHub, serve
from tests.connectors.workshop import CONNECTOR, row

if TYPE_CHECKING:
    from tests.connectors.workshop import Bench

ROOT = Path(__file__).parents[2]
DEMO = sorted((ROOT / "deploy" / "demo" / "connectors").iterdir())
SECRET = "geheim-kanarie-4711"
COMMAND = (sys.executable, "-c", "from connectors.commands import app; app()")


def arguments(bench: Bench, hub: StubHub) -> list[str]:
    """A `run` with credentials in a file."""
    path = bench.root / "credentials.json"
    path.touch(0o600)
    path.write_text(json.dumps({"client_id": "c", "client_secret": SECRET}))
    folders = ["--data", str(bench.data), "--files", str(bench.root)]
    given = ["--credentials", str(path), "--hub", hub.url, "--json"]
    return [*COMMAND, "run", str(bench.root / "connector"), *folders, *given]


def test_once_ends_and_says_what_it_moved(bench: Bench, hub: StubHub) -> None:
    """`--once` exits 0 with one JSON object on stdout."""
    bench.put("toeleidingen.csv", row(1), row(2, geboren="?"))
    command = [*arguments(bench, hub), "--once"]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert json.loads(ended.stdout) == {"records": 2, "delivered": 0, "dead_letters": 1}
    assert hub.events[0]["source"] == "urn:schakel:participant:ocmw-tienen"


def test_the_secret_is_written_nowhere(bench: Bench, hub: StubHub) -> None:
    """Neither the secret nor a row that was accepted stands in logs or state."""
    bench.put("toeleidingen.csv", row(1, "Kanarievogel"), row(2, geboren="?"))
    command = [*arguments(bench, hub), "--once"]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    state = b"".join(path.read_bytes() for path in bench.data.iterdir())
    report = (bench.drop / "toeleidingen.verslag.csv").read_bytes()
    for written in (ended.stdout.encode(), ended.stderr.encode(), state, report):
        assert SECRET.encode() not in written
        assert b"Kanarievogel" not in written
        assert b"Bearer" not in written


@pytest.mark.parametrize("is_held", [False, True])
def test_sigterm_ends_within_five_seconds(bench: Bench, *, is_held: bool) -> None:
    """A stop is quick, also while a call hangs, and loses and repeats nothing."""
    hold = threading.Event()
    with serve(StubHub(hold=hold)) as hub:
        if not is_held:
            hold.set()
        bench.put("toeleidingen.csv", *(row(number) for number in range(20)))
        process = subprocess.Popen(
            arguments(bench, hub), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(hub, "POST /v1/events")
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 5
        hold.set()
        bench.run(hub.url)
    assert sorted(event["sourcerecordid"] for event in hub.events) == sorted(
        f"D-{number}" for number in range(20)
    )


def wait_for(hub: StubHub, call: str) -> None:
    """Wait until the hub was called so."""
    until = time.monotonic() + 20
    while call not in hub.calls and time.monotonic() < until:
        time.sleep(0.02)
    assert call in hub.calls


@pytest.mark.parametrize("folder", DEMO, ids=lambda path: path.name)
def test_the_demo_connectors_fit_the_schemas(folder: Path) -> None:
    """Every shipped map is whole and legal."""
    ended = subprocess.run([*COMMAND, "check", str(folder), "--json"], check=True, cwd=ROOT)
    assert ended.returncode == 0


def test_check_lists_every_fault(bench: Bench) -> None:
    """A wrong map is refused before the first row, with all that is wrong."""
    wrong = json.loads(json.dumps(CONNECTOR))
    first = wrong["in"][0]
    first["set"]["no_such_field"] = "x"
    first["set"]["reason_codes"] = {"from": "programma", "enum": {"a": "no_such_code"}}
    first["set"]["person.email"] = {"from": "mail", "lower": True}
    del first["set"]["informed.on"]
    first["id"] = ["telefoon"]
    folder = bench.install(wrong)
    command = [*COMMAND, "check", str(folder), "--json"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 1
    codes = {fault["code"] for fault in json.loads(ended.stdout)["invalidParams"]}
    assert codes >= {
        "unknown_field",
        "not_in_list",
        "unknown_verb",
        "required",
        "identifying_key",
    }
