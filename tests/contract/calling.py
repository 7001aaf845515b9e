"""Calls made up from the description, by Schemathesis, against a hub that listens.

It is run as its own command, because it keeps much for its whole process. Nothing but its checks
decides: no server error, and no answer that the description does not name.
"""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import orjson

from gateway.exchange.scopes import SCOPES
from tests.contract.described import with_choices
from tests.letter.partners import CAW, OCMW, VDAB
from tests.letter.region import region

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = Path(__file__).parent / "schemathesis.toml"
COMMAND = str(Path(sys.executable).parent / "schemathesis")
PARTNERS = (OCMW, VDAB, CAW)
ADMINISTRATOR = "+".join(("hub-admin", *sorted(SCOPES)))
"""As tests spell a token: who it is, and every scope there is."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much to call.

    Attributes:
        examples: made-up calls of each operation.
        types: event types to choose from; None for all of them.
        seconds: go on for so long; None ends with the examples.
    """

    examples: int
    types: int | None
    seconds: int | None = None


@contextmanager
def listening(folder: Path) -> Iterator[str]:
    """The address of a hub with everybody around Tienen and one case."""
    with region(folder / "hub") as around:
        around.refer(CAW)
        with around.client.listening() as address:
            yield address


def call_all(
    address: str, folder: Path, token: str, amount: Amount, seed: int
) -> subprocess.CompletedProcess[str]:
    """Call every operation in every phase, with every check; blocks until it is done.

    Exit code 0 means that nothing was found; its words say what was, and how to repeat it.
    """
    document = httpx.get(f"{address}/openapi.json").json()
    chance = random.Random(seed)  # noqa: S311 - a choice of tests, no secret
    file = folder / "openapi.json"
    file.write_bytes(orjson.dumps(with_choices(document, chance, amount.types)))
    command = [COMMAND, "--config-file", str(CONFIG), "run", str(file), "--url", address]
    command += ["--header", f"Authorization: Bearer {token}"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--checks", "all"]
    command += ["--max-examples", str(amount.examples), "--seed", str(seed)]
    command += ["--continue-on-failure", "--no-color", "--generation-database", "none"]
    if amount.seconds is not None:
        command += ["--max-time", str(amount.seconds)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
