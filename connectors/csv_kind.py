"""The kind csv: what its `connector.yaml` says, made into a connector without code.

    name: ocmw-tienen
    kind: csv
    settings: {drop: drop, inbox: inbox, every: 2s, delimiter: ";"}
    in:
      - {file: "toeleiding*.csv", name: toeleidingen, event: referral.created, id: [...], ...}
    out:
      - {file: antwoorden.csv, events: [referral.accepted], columns: {...}}

`in` holds maps (`connectors/mapping.py`), `out` layouts (`connectors/csv_sink.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectors.csv_files import DropFolder
from connectors.csv_sink import OTHER_FILE, CsvSink, Layout
from connectors.csv_source import CsvSource
from connectors.errors import InvalidConnector
from connectors.expressions import fault, parse_expression
from connectors.mapping_file import parse_row_map
from connectors.runner import Plan
from connectors.schema_fit import event_type
from connectors.sdk import Config, Connector, duration_seconds
from schemas.errors import Message

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.expressions import Function
    from connectors.mapping import RowMap
    from schemas.errors import InvalidParam

DEFAULTS = {
    "drop": "drop",
    "inbox": "inbox",
    "every": "2s",
    "look": "500ms",
    "delimiter": ";",
    "page": 100,
}
_KEYS = frozenset({"name", "kind", "settings", "in", "out"})
_FILE = re.compile(r"^[\w][\w .-]{0,100}\.csv$")


def build(
    document: Mapping[str, Any],
    files: Path,
    functions: Mapping[str, Function],
    overrides: Mapping[str, str],
) -> Plan:
    """Make a plan of a csv connector's document.

    Args:
        document: the parsed `connector.yaml`.
        files: what relative folders are relative to.
        functions: what `call` may name.
        overrides: settings of this run.

    Raises:
        InvalidConnector: with every fault.
    """
    faults: list[InvalidParam] = [
        fault(key, "unknown_key", "is onbekend", "is unknown")
        for key in sorted(set(document) - _KEYS)
    ]
    given = {**dict(document.get("settings") or {}), **overrides}
    faults.extend(
        fault(f"settings.{key}", "unknown_setting", "is onbekend", "is unknown")
        for key in sorted(set(given) - set(DEFAULTS))
    )
    settings = {**DEFAULTS, **given}
    maps = _maps(_listed(document.get("in")), functions, faults)
    layouts = [_layout(entry, faults) for entry in _listed(document.get("out"))]
    if faults:
        raise invalid(faults)
    connector = Connector(str(document.get("name", "")))
    if maps:
        look_seconds = duration_seconds(str(settings["look"]))
        drop = DropFolder(files / settings["drop"], list(maps), look_seconds=look_seconds)
        source = CsvSource(drop, maps, str(settings["delimiter"]))
        connector.sources.append(source.source(duration_seconds(str(settings["every"]))))
    if layouts:
        sink = CsvSink(files / settings["inbox"], layouts)
        connector.sinks.append(sink.sink(int(settings["page"])))
    return Plan(connector, Config(settings), {one.name: one for one in maps.values()})


def invalid(faults: Sequence[InvalidParam]) -> InvalidConnector:
    """All faults of one connector."""
    return InvalidConnector(
        Message(nl="De koppeling klopt niet.", en="The connector is wrong."), invalid=faults
    )


def _maps(
    entries: Sequence[Any], functions: Mapping[str, Function], faults: list[InvalidParam]
) -> dict[str, RowMap]:
    maps: dict[str, RowMap] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("file"), str):
            faults.append(fault(f"in[{number}].file", "no_file", "ontbreekt", "is missing"))
            continue
        name = str(entry.get("name") or entry["file"])
        rest = {key: value for key, value in entry.items() if key not in {"file", "name"}}
        try:
            maps[entry["file"]] = parse_row_map(name, rest, functions)
        except InvalidConnector as error:
            faults.extend(error.invalid)
    return maps


def _layout(entry: Any, faults: list[InvalidParam]) -> Layout:
    found = entry if isinstance(entry, Mapping) else {}
    file = str(found.get("file", ""))
    where = f"out.{file or '?'}"
    if not _FILE.fullmatch(file) or file == OTHER_FILE:
        faults.append(fault(where, "file", "is geen bestandsnaam", "is no file name"))
    events = [str(event) for event in _listed(found.get("events"))]
    faults.extend(
        fault(f"{where}.events", "unknown_event", f"kent {event} niet", f"has no {event}")
        for event in events
        if event_type(event) is None
    )
    columns = {
        str(heading): parse_expression(given, f"{where}.columns.{heading}", {}, faults)
        for heading, given in dict(found.get("columns") or {}).items()
    }
    faults.extend(_unknown_paths(where, events, columns))
    return Layout(file, frozenset(events), columns)


def _unknown_paths(
    where: str, events: Sequence[str], columns: Mapping[str, Any]
) -> list[InvalidParam]:
    """Columns that no event of the layout could ever fill."""
    found = [one for one in map(event_type, events) if one is not None]
    known = {field.path for event in found for field in event.fields}
    faults = []
    for heading, expression in columns.items():
        for path in expression.columns:
            general = re.sub(r"\[\d+\]", "[]", path)
            if path.startswith("ce.") or general in known:
                continue
            faults.append(
                fault(f"{where}.columns.{heading}", "unknown_field", "bestaat niet", "is no field")
            )
    return faults


def _listed(found: Any) -> Sequence[Any]:
    return found if isinstance(found, Sequence) and not isinstance(found, str) else ()
