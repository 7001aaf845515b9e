"""The published schemas as subjects with versions, as schema registries have them.

A subject is the full name of a record, which Avro clients call the record name strategy. Its
versions are the schemas that got an id in `ids.yaml`, oldest first; the file is append-only, so
that ids and versions are the same after every rebuild.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from schemas import avsc
from schemas.catalogue import published_schema, schema_ids
from schemas.fingerprint import fingerprint

COMPATIBILITY = "FULL_TRANSITIVE"


@dataclass(frozen=True, slots=True)
class SubjectVersion:
    """One schema of a subject.

    Attributes:
        version: counted from 1.
        id: stands in the five bytes before every Avro body.
        schema: self-contained Avro, as JSON text.
        fingerprint: `schemas.fingerprint` of it.
    """

    subject: str
    version: int
    id: int
    schema: str
    fingerprint: str


@cache
def subjects() -> dict[str, tuple[SubjectVersion, ...]]:
    """Return every subject with its versions, oldest first; reads the files once a process."""
    found: dict[str, list[SubjectVersion]] = {}
    for line in schema_ids():
        subject = f"{avsc.NAMESPACE}.{line.record}"
        versions = found.setdefault(subject, [])
        text = orjson.dumps(published_schema(line.id)).decode()
        versions.append(SubjectVersion(subject, len(versions) + 1, line.id, text, line.fingerprint))
    return {name: tuple(found[name]) for name in sorted(found)}


@cache
def by_id() -> dict[int, SubjectVersion]:
    """Return every version by its schema id."""
    return {one.id: one for versions in subjects().values() for one in versions}


def same_schema(subject: str, schema: dict[str, Any]) -> SubjectVersion | None:
    """Return the version of a subject that is this schema to every reader and writer."""
    wanted = fingerprint(schema)
    found = (one for one in subjects().get(subject, ()) if one.fingerprint == wanted)
    return next(found, None)
