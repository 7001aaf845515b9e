"""The interface does what its description says, also for calls that nobody thought of."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.calling import ADMINISTRATOR, PARTNERS, Amount, call_all, listening
from tests.contract.described import with_choices

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Amount(examples=3, types=4)


@pytest.mark.parametrize("token", [PARTNERS[0], ADMINISTRATOR], ids=["partner", "administrator"])
def test_every_answer_is_described_and_none_is_a_failure(tmp_path: Path, token: str) -> None:
    """Every operation, with good, bad and no authorisation, right and wrong values: all checks."""
    seed = random.getrandbits(32)
    with listening(tmp_path) as address:
        found = call_all(address, tmp_path, token, SMALL, seed)

    assert found.returncode == 0, f"seed {seed}\n{found.stdout[-8000:]}{found.stderr[-2000:]}"
    assert re.search(r"Tested: (\d+)", found.stdout)
    selected, tested = (int(one) for one in re.findall(r"(?:Selected|Tested): (\d+)", found.stdout))
    assert tested == selected >= 28


def test_a_choice_of_events_takes_what_the_description_takes() -> None:
    """Each event type becomes one whole event with the data of that type."""
    types = [("a", "#/A"), ("b", "#/B")]
    conditions = [
        {
            "if": {"properties": {"type": {"const": name}}},
            "then": {"properties": {"data": {"$ref": data}}},
        }
        for name, data in types
    ]
    whole = {"type": "object", "properties": {"id": {}, "data": {}}, "allOf": conditions}
    document = {"components": {"schemas": {"SubmittedEvent": whole}}}

    changed = with_choices(document, random.Random(1))  # noqa: S311 - no secret

    choices = changed["components"]["schemas"]["SubmittedEvent"]["anyOf"]
    assert [one["properties"] for one in choices] == [
        {"id": {}, "type": {"const": name}, "data": {"$ref": data}} for name, data in types
    ]
    assert "allOf" in document["components"]["schemas"]["SubmittedEvent"]
