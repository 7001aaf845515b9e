"""`make demo` from an empty folder, and where the person's data are found afterwards."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.embedded.hub import HUB_LOCK
from gateway.embedded.locks import hold
from tests.e2e import canary_search
from tests.e2e.running_hub import distant_port

ROOT = Path(__file__).parents[2]
CANARIES = ("Testkanarie", "+32 000 98 76 54", "+32000987654", "TIE-2026-0042")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that the demonstration left, and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "files"
    where = ("--data", str(folder), "--port", str(distant_port()))
    done = subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "demo" / "play.py"), *where],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder, done.stdout


def test_only_a_folder_of_a_demonstration_is_emptied(tmp_path: Path) -> None:
    """Somebody else's folder, or one whose hub runs, is left as it is, and that is said."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("years of work")
    running = tmp_path / "running"
    (running / "hub").mkdir(parents=True)
    (running / ".schakel-demo").touch()
    lock = hold(running / "hub" / HUB_LOCK)
    assert lock is not None

    for folder, why in ((own, "is no folder of a demonstration"), (running, "A hub runs on")):
        before = sorted(folder.rglob("*"))
        done = subprocess.run(
            [sys.executable, str(ROOT / "deploy" / "demo" / "play.py"), "--data", str(folder)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, sorted(folder.rglob("*"))) == (1, before)
        assert why in done.stderr
    os.close(lock)


def _holders(folder: Path, canary: str) -> set[str]:
    """The parts of the demonstration whose files hold a canary."""
    found = canary_search.search(folder, {canary: canary_search.forms(canary)})
    return {one.path.relative_to(folder).parts[0] for one in found}


def test_the_answer_comes_back(played: tuple[Path, str]) -> None:
    """Every step of the journey arrived, and the trace tells who did not get what."""
    _, printed = played

    assert "ocmw-tienen finds uitstroom.csv: wat bevestigd" in printed
    assert "not received:" in printed
    assert "not given" in printed


@pytest.mark.parametrize(
    ("partner", "column", "own"),
    [
        ("ocmw-tienen", "dossiernummer", "TIE-2026-0042"),
        ("wijk-werk-hageland", "klantnummer", "WWH-7"),
        ("vdab", "mlp-nummer", "MLP-99001"),
    ],
)
def test_what_is_received_bears_the_partners_own_number(
    played: tuple[Path, str], partner: str, column: str, own: str
) -> None:
    """Every line of a layout with such a column can be tied to a person of the partner's own."""
    folder, _ = played
    found = [line for path in (folder / partner / "inbox").glob("*.csv") for line in lines(path)]
    numbers = [line[column] for line in found if column in line]

    assert numbers
    assert set(numbers) == {own}


def lines(path: Path) -> list[dict[str, str]]:
    """The rows of a file of the inbox."""
    text = path.read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def test_the_exit_is_in_the_organisers_figures(played: tuple[Path, str]) -> None:
    """What was reported to the hub is a figure without a questionnaire (R15)."""
    _, printed = played
    told = printed.partition("What the organiser may count")[2]

    assert "Regular job" in told
    assert "Tienen" in told


@pytest.mark.parametrize("canary", CANARIES)
def test_personal_data_stand_only_with_those_who_may_have_them(
    played: tuple[Path, str], canary: str
) -> None:
    """The hub's files do not hold the person in the clear, a connector's state its own number."""
    folder, printed = played
    states = {"state"} if canary == "TIE-2026-0042" else set()

    assert _holders(folder, canary) <= {"ocmw-tienen", "wijk-werk-hageland", "vdab", *states}
    assert _holders(folder / "state", canary) <= {"ocmw-tienen"}
    assert canary not in printed


def test_phone_reaches_the_entitled_recipient_only(played: tuple[Path, str]) -> None:
    """The organiser was granted the phone number; VDAB was not."""
    folder, _ = played

    assert "wijk-werk-hageland" in _holders(folder, "+32000987654")
    assert "vdab" not in _holders(folder, "+32000987654")
