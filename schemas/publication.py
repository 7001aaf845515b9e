"""Give ids to new schemas: append a line to `ids.yaml` and keep the schema as it was.

An id never changes its meaning, so both are append-only; a test holds the repository to that.
Writes into the source tree: for maintainers, at a desk, before a release.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from schemas import avsc
from schemas.fingerprint import essence, fingerprint

HUB_RECORDS: Final = ("SealedEvent", "ActivationFact")
"""Records of the hub that travel in Kafka with an id of their own."""

_ROOT: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A schema that no id stands for yet."""

    record: str
    schema: dict[str, Any]


def framed_records() -> dict[str, dict[str, Any]]:
    """Return every self-contained schema that stands behind a schema id, by record name."""
    hub = {name: avsc.expand(name) for name in HUB_RECORDS}
    return hub | {name: avsc.expand(schema) for name, schema in avsc.event_records().items()}


def unpublished(root: Path = _ROOT) -> tuple[Unpublished, ...]:
    """Return the schemas whose fingerprint `ids.yaml` does not have."""
    known = {(line["record"], line["fingerprint"]) for line in _lines(root)}
    return tuple(
        Unpublished(record, schema)
        for record, schema in framed_records().items()
        if (record, fingerprint(schema)) not in known
    )


def publish(root: Path = _ROOT) -> tuple[int, ...]:
    """Append an id for every unpublished schema and return the new ids; nothing new is nothing."""
    lines = _lines(root)
    given = []
    (root / "avro" / "published").mkdir(exist_ok=True)
    for new in unpublished(root):
        number = len(lines) + 1
        lines.append({"id": number, "record": new.record, "fingerprint": fingerprint(new.schema)})
        text = orjson.dumps(essence(new.schema), option=orjson.OPT_INDENT_2) + b"\n"
        (root / "avro" / "published" / f"{number:04d}.avsc").write_bytes(text)
        given.append(number)
    if given:
        head = "# Append-only: an id that was given out never changes its meaning.\n"
        body = yaml.safe_dump(lines, sort_keys=False, width=120)
        (root / "ids.yaml").write_text(head + body, encoding="utf-8")
    return tuple(given)


def _lines(root: Path) -> list[dict[str, Any]]:
    path = root / "ids.yaml"
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or []) if path.exists() else []
