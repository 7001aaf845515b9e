"""The fingerprint of a schema: what makes two schemas the same on the wire and to a reader.

Avro's own canonical form drops logical types and defaults, so a date that became a plain number
would keep its fingerprint; ours keeps them and drops only what no reader acts on (documentation
and our own properties).
It stands apart from `compatibility.py` so that a partner's side needs no second Avro library.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import orjson

_KEPT: Final = frozenset(
    {
        "type",
        "name",
        "namespace",
        "fields",
        "symbols",
        "items",
        "values",
        "size",
        "default",
        "logicalType",
        "precision",
        "scale",
        "aliases",
    }
)


def essence(schema: Any) -> Any:
    """Return `schema` without documentation and our own properties."""
    if isinstance(schema, list):
        return [essence(part) for part in schema]
    if isinstance(schema, dict):
        return {
            key: value if key == "default" else essence(value)
            for key, value in schema.items()
            if key in _KEPT
        }
    return schema


def fingerprint(schema: Any) -> str:
    """Return the SHA-256, in hex, of the schema's essence with its keys sorted."""
    return hashlib.sha256(orjson.dumps(essence(schema), option=orjson.OPT_SORT_KEYS)).hexdigest()
