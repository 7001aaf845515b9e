"""The served description as a generator of calls can use it: the same meaning, other words.

What follows from an event's type is sixty conditions there, which no generator gets through. Here
it is a choice between whole events, each with the data of its type; of some types, or of all.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random


def with_choices(
    document: dict[str, Any], chance: random.Random, types: int | None = None
) -> dict[str, Any]:
    """The description with so many event types to choose from, all when None."""
    changed = copy.deepcopy(document)
    schemas = changed["components"]["schemas"]
    whole = schemas["SubmittedEvent"]
    conditions = whole.pop("allOf")
    chosen = conditions if types is None else chance.sample(conditions, types)
    schemas["SubmittedEvent"] = {"anyOf": [_one(whole, condition) for condition in chosen]}
    return changed


def _one(whole: dict[str, Any], condition: dict[str, Any]) -> dict[str, Any]:
    name = condition["if"]["properties"]["type"]
    data = condition["then"]["properties"]["data"]
    return {**whole, "properties": {**whole["properties"], "type": name, "data": data}}
