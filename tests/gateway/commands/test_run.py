"""`schakel run` starts the process that it names, and loads no other's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.commands.run import RUNS, RoleName, process

INTERFACE = ("fastapi", "uvicorn", "alembic")
"""What only the gateway needs; it is half of what there is to load."""
LOADED = """
import sys
from gateway.commands.run import process
process(sys.argv[1])
print(*[one for one in sys.argv[2:] if one in sys.modules])
"""


def test_each_role_has_a_process() -> None:
    """Every name that the command takes runs something."""
    assert RUNS.keys() == set(RoleName)
    assert all(callable(process(role)) for role in RoleName)


@pytest.mark.parametrize(
    ("role", "loaded"),
    [(role, INTERFACE if role is RoleName.GATEWAY else ()) for role in RoleName],
)
def test_a_process_loads_what_it_needs(role: RoleName, loaded: tuple[str, ...]) -> None:
    """A process beside the gateway starts without the interface: it is there again sooner."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, role.value, *INTERFACE],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == list(loaded)
