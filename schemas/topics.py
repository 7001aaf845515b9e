"""Kafka topics as data, one file a topic under `topics/`; the hub makes and checks them from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from schemas.errors import Message

_DAY_MS: Final = 86_400_000
_PLACE: Final = "{participant}"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, or with a place for the participant in its name, a kind of topics.

    Attributes:
        key: what the record key holds; order is promised per key.
        record: record in the value; `typed` is the event's own.
        configs: broker settings, `retention.ms` included, as the broker takes them.
        personal_data: what in it is about persons, in words; `none` when nothing is.
        examples: event names whose examples show what is in it.
    """

    name: str
    description: Message
    owner: str
    key: str
    record: str
    partitions: int
    retention_ms: int
    configs: dict[str, str]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    compatibility: str
    legal_basis: str
    personal_data: str
    examples: tuple[str, ...]

    @property
    def is_per_participant(self) -> bool:
        """Whether there is one such topic for each participant that was granted the Kafka door."""
        return _PLACE in self.name

    def name_for(self, participant: str) -> str:
        """Return the name of a participant's own topic."""
        return self.name.replace(_PLACE, participant)


@cache
def topics() -> tuple[Topic, ...]:
    """Return every topic, the participants' own kind included, by file name."""
    found = [
        entry for entry in (files("schemas") / "topics").iterdir() if entry.name[-5:] == ".yaml"
    ]
    return tuple(
        _topic(yaml.safe_load(entry.read_text(encoding="utf-8")))
        for entry in sorted(found, key=lambda entry: entry.name)
    )


def _topic(document: dict[str, Any]) -> Topic:
    retention_ms = document.pop("retention_days") * _DAY_MS
    configs = {**document.pop("configs"), "retention.ms": str(retention_ms)}
    return Topic(
        description=Message(**document.pop("description")),
        retention_ms=retention_ms,
        configs=configs,
        producers=tuple(document.pop("producers")),
        consumers=tuple(document.pop("consumers")),
        examples=tuple(document.pop("examples")),
        **document,
    )
