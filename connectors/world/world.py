"""A world on disk: its registry, its clients' keys, and its play, one step a line.

    registry.yaml    what `schakel registry apply` takes
    clients/         a credentials file for each participant, as `HubClient` takes it
    steps.ndjson     who sends what when, what the hub has to answer, and what others have to see
    world.json       seed, counts, and that all of it is invented

One seed and one number of people give the same bytes, whenever and wherever.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from connectors.errors import WorldUnreadable
from connectors.world import crowd, journeys, registry
from connectors.world.keys import private_jwk
from connectors.world.organisations import ORGANISATIONS
from connectors.world.script import CROWD, Change, Order, Sending, Sight
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from connectors.world.script import Step

VERSION = 1
INVENTED = {
    "nl": "Alles in deze wereld is verzonnen: niemand bestaat, geen cijfer is echt.",
    "en": "Everything in this world is invented: nobody exists, no figure is real.",
}
REGISTRY, CLIENTS, STEPS, WORLD = "registry.yaml", "clients", "steps.ndjson", "world.json"
KINDS: dict[str, type[Sending | Sight | Change | Order]] = {
    "send": Sending,
    "see": Sight,
    "change": Change,
    "erase": Order,
}
REPORT_EVERY = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One step, and where it stands among those of its moment."""

    at: datetime
    number: int
    text: bytes


def generate(
    seed: int, people: int, folder: Path, report: Callable[[int], None] = lambda _done: None
) -> dict[str, Any]:
    """Write the world of this seed; returns its summary.

    Args:
        seed: any number.
        people: how many besides those of the journeys.
        folder: made when missing; what is in it of another world is overwritten.
        report: takes how many people are done, now and then.

    Raises:
        OSError: it cannot be written.
    """
    lines: list[Line] = []
    counts: Counter[str] = Counter()
    for steps in _cases(seed, people, report):
        counts["cases"] += 1
        for step in steps:
            counts["events" if isinstance(step, Sending) else "checks"] += 1
            lines.append(Line(step.at, len(lines), line_of(step)))
    lines.sort(key=lambda one: (one.at, one.number))
    folder.mkdir(parents=True, exist_ok=True)
    summary = {
        "invented": INVENTED,
        "version": VERSION,
        "seed": seed,
        "people": people,
        "journeys": list(journeys.JOURNEYS),
        "participants": len(ORGANISATIONS),
        "from": lines[0].at.date().isoformat(),
        "to": lines[-1].at.date().isoformat(),
        **{name: counts[name] for name in ("cases", "events", "checks")},
    }
    with (folder / STEPS).open("wb") as file:
        file.writelines(one.text + b"\n" for one in lines)
    (folder / REGISTRY).write_text(_registry_text(seed), encoding="utf-8")
    (folder / WORLD).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")
    _write_clients(seed, folder / CLIENTS)
    return summary


def _cases(seed: int, people: int, report: Callable[[int], None]) -> Iterator[list[Step]]:
    for one in journeys.JOURNEYS.values():
        yield journeys.scripted(seed, one).steps
    for number in range(people):
        if number % REPORT_EVERY == 0:
            report(number)
        yield crowd.scripted(seed, number)[0].steps


def is_of_journey(case: str) -> bool:
    """Whether a case belongs to a journey; everybody else has a number."""
    return not case.startswith(CROWD)


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Steps by their moment; those of one moment stay as they are."""
    return sorted(steps, key=lambda one: one.at)


def line_of(step: Step) -> bytes:
    """A step as its line."""
    kind = next(name for name, one in KINDS.items() if isinstance(step, one))
    kept = {
        one.name: getattr(step, one.name)
        for one in fields(step)
        if getattr(step, one.name) not in (one.default, (), {})
    }
    return orjson.dumps({"step": kind, **kept}, option=orjson.OPT_UTC_Z)


def step_of(line: bytes) -> Step:
    """A step from its line.

    Raises:
        WorldUnreadable: it is none.
    """
    try:
        found = orjson.loads(line)
        kind = KINDS[found.pop("step")]
        found["at"] = datetime.fromisoformat(found["at"])
        if "withheld" in found:
            found["withheld"] = tuple(found["withheld"])
        return kind(**found)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable() from error


def read_summary(folder: Path) -> dict[str, Any]:
    """What `world.json` says.

    Raises:
        WorldUnreadable: there is none, or of another version.
    """
    try:
        found: dict[str, Any] = orjson.loads((folder / WORLD).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unreadable() from error
    if found.get("version") != VERSION:
        raise _unreadable()
    return found


def read_steps(folder: Path) -> Iterator[Step]:
    """The steps of a world, in order. Raises as `step_of`."""
    with (folder / STEPS).open("rb") as file:
        for line in file:
            yield step_of(line)


def read_registry(folder: Path) -> dict[str, Any]:
    """The content of a world's registry file."""
    found: dict[str, Any] = yaml.safe_load((folder / REGISTRY).read_text("utf-8"))
    return found


def _registry_text(seed: int) -> str:
    heading = "".join(f"# {sentence}\n" for sentence in INVENTED.values())
    content = registry.document(seed)
    return heading + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)


def _write_clients(seed: int, folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for one in ORGANISATIONS:
        client = registry.client_id(one.id)
        document = {
            "client_id": client,
            "participant": one.id,
            "private_key": private_jwk(seed, client),
        }
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
        path = folder / f"{one.id}.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)


def _unreadable() -> WorldUnreadable:
    return WorldUnreadable(
        Message(
            nl="In deze map staat geen wereld van deze versie. Maak er een met "
            "`schakel world generate`.",
            en="This folder holds no world of this version. Make one with "
            "`schakel world generate`.",
        )
    )
