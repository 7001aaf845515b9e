"""The lifecycle tables as pictures: one Mermaid state diagram and one table an aggregate.

Made from the same values that `decide` walks, so that what people see is what holds. A test fails
when the committed page differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.catalogue import catalogue
from schemas.errors import UnknownEventType
from schemas.lifecycle import BEFORE, NONE, SAME, lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from schemas.lifecycle import Lifecycle, Transition

TITLES: Final = {
    "referral": "Toeleiding / Referral",
    "placement": "Plaatsing / Placement",
    "outcome": "Uitkomst / Outcome",
    "offer": "Aanbod / Offer",
    "right": "Verworven recht / Acquired right",
    "trajectory": "Traject / Trajectory",
    "mandate": "Mandaat van een organisator / Mandate of an organiser",
    "agreement": "Overeenkomst / Agreement",
}
HEAD: Final = """# Lifecycles

Written by `schakel schemas diagrams` from the tables in this folder; do not edit by hand.
An event that is not listed from a state is refused there with 409 and the events allowed now.
An event that keeps the state stands in the table and not in the picture.
"""
_COLUMNS: Final = "| gebeurtenis / event | van / from | naar / to | door / by | als / if |"
_BEFORE: Final = "de toestand ervoor / the state before"
_NEW: Final = "(nieuw / new)"
_SAME: Final = "dezelfde / the same"


def page() -> str:
    """The page of all lifecycles, as Markdown."""
    tables = lifecycles()
    parts = [HEAD]
    for aggregate, title in TITLES.items():
        parts.append(f"## {title}\n")
        parts.append(f"```mermaid\n{diagram(tables[aggregate])}```\n")
        parts.append("\n".join(_rows(tables[aggregate])) + "\n")
    return "\n".join(parts)


def diagram(table: Lifecycle) -> str:
    """One table as a Mermaid state diagram; events that keep the state are left out."""
    lines = ["stateDiagram-v2"]
    lines += [
        f'    state "{state.nl}<br/>{state.en}" as {state.name}' for state in table.states.values()
    ]
    arrows = _arrows(table)
    if any(target == BEFORE for _, target in arrows):
        lines.append(f'    state "{_BEFORE.replace(" / ", "<br/>")}" as {BEFORE}')
    lines += [
        f"    {source} --> {target}: {'<br/>'.join(events)}"
        for (source, target), events in arrows.items()
    ]
    lines += [f"    {one.name} --> [*]" for one in table.states.values() if one.kind == "terminal"]
    return "\n".join(lines) + "\n"


def _arrows(table: Lifecycle) -> dict[tuple[str, str], list[str]]:
    """Every way from a state to another, with the events that lead there."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in table.transitions:
        for source in _ordered(row.sources, table):
            for target in row.targets:
                if target in (SAME, source):
                    continue
                events = found.setdefault(("[*]" if source == NONE else source, target), [])
                if (name := _short(row.event)) not in events:
                    events.append(name)
    return found


def _rows(table: Lifecycle) -> Iterator[str]:
    yield _COLUMNS
    yield "| --- | --- | --- | --- | --- |"
    for row in table.transitions:
        names = {NONE: _NEW, SAME: _SAME, BEFORE: _BEFORE}
        cells = (
            f"`{row.event}`{_label(row)}",
            ", ".join(names.get(one, one) for one in _ordered(row.sources, table)),
            ", ".join(names.get(one, one) for one in row.targets),
            ", ".join(str(one) for one in row.by),
            ", ".join(f"`{one}`" for one in (*filter(None, [row.choose]), *row.guards)),
        )
        yield f"| {' | '.join(cells)} |"


def _label(row: Transition) -> str:
    """What the event says, for people; an event without a schema yet has no words."""
    try:
        label = catalogue().event(row.event).label
    except UnknownEventType:
        return ""
    return f"<br/>{label.nl} / {label.en}"


def _ordered(states: Iterable[str], table: Lifecycle) -> list[str]:
    """States in the order of their table."""
    places = {name: place for place, name in enumerate(table.states)}
    return sorted(states, key=lambda name: places.get(name, -1))


def _short(event: str) -> str:
    """The event's own word, which is enough inside the picture of its aggregate."""
    return event.partition(".")[2]
