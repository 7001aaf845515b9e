"""What the author of a connector writes against; everything else of this package is the runner's.

    from connectors.sdk import Connector, Record, Reject, Retry, opt, secret

A **source** is a generator: it yields `Record(data, at=cursor)` in a stable order, and that is all.
A **sink** is a function of events, idempotent by `event.id`, that yields `Reject` for what can
never be written and raises `Retry` for what cannot be written now.
Neither can store a cursor: the checkpoint that outruns the delivery is the one bug that every
connector framework has had (see `connectors/runner.py`), so the interface has no word for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import InvalidConnector
from schemas.errors import Message

Cursor = Any
"""Any JSON value of at most 4 KiB; `None` is the beginning."""

_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{1,39}$")
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)$")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Secret:
    """A secret value that prints as `***`; only `reveal` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself; never log, store or format what this returns."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting: a secret (never in a file of the folder) or a value with a default."""

    default: Any = None
    is_secret: bool = False


def secret() -> Any:
    """Declare a secret; its value comes from a file or variable that the operator names."""
    return Setting(is_secret=True)


def opt(default: Any) -> Any:
    """Declare a setting with a default."""
    return Setting(default=default)


class Config:
    """The settings of one connector, read as attributes; secrets print as `***`."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        return f"Config({self._values!r})"


@dataclass(frozen=True, slots=True)
class Record:
    """One row as the source has it.

    Attributes:
        data: column name to value.
        at: what to pass as `since` to continue after this record.
        mapping: the map to use, when the source has more than one.
        unit: what it came in (a file), when rows are reported on per unit.
        row: its number within the unit, from 1, as its reader counts.
        raw: the bytes as they came, for the dead letter; by default the data as JSON.
        time: when it happened, RFC 3339, when the map does not say.
        fault: why the source itself could not read it; then `data` is not looked at.
    """

    data: Mapping[str, Any]
    at: Cursor
    mapping: str | None = None
    unit: str | None = None
    row: int | None = None
    raw: bytes | None = None
    time: str | None = None
    fault: Exception | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The unit holds no more records: once all are settled, `Source.finish` is called."""

    unit: str
    at: Cursor


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row; what a report is made of.

    Attributes:
        row: as in `Record.row`; 0 is the unit as a whole.
        result: sent, duplicate, unchanged or refused.
        event: the event name, empty when none was made.
        code: stable code of the refusal, or empty.
        advice: what to do, in Dutch, or empty.
    """

    row: int
    result: str
    event: str = ""
    code: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One delivered event: `id`, `type` (the event name), all attributes and the data.

    Its repr shows which one it is and nothing of the person.
    """

    id: str
    type: str
    attributes: Mapping[str, Any] = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)

    @property
    def redelivery(self) -> int:
        """Which copy of the event this is: one with a higher number holds more and replaces it."""
        number = self.attributes.get("redelivery", 0)
        return number if isinstance(number, int) else 0

    def __getitem__(self, key: str) -> Any:
        """Return `data` or an attribute by its CloudEvents name."""
        return self.data if key == "data" else self.attributes[key]


@dataclass(frozen=True, slots=True)
class Reject:
    """This event can never be written: it becomes a dead letter, the others go on."""

    event: Event
    why: object


class Retry(Exception):  # noqa: N818 - it asks for something, it reports no error
    """Nothing can be written now: the whole batch comes again, after `after` seconds or more.

    `what` names what is not ready, such as a file; it is logged, so it holds nothing of an event.
    """

    def __init__(self, after: float | None = None, *, what: str = "") -> None:
        super().__init__("retry")
        self.after = after
        self.what = what


ReadFunction = Callable[..., Iterable[Record | Finished]]
WriteFunction = Callable[..., "Iterator[Reject] | None"]
FinishFunction = Callable[[Config, str, Sequence[Result]], None]


@dataclass(frozen=True, slots=True)
class Source:
    """One source: `read(cfg, since)` is called every `every_seconds`, and at once while it yields.

    Attributes:
        name: names its cursor in the state; must not change.
        mapping: the default map of its records.
        finish: called with the results of a unit after its last record is settled; must be
            idempotent, because it is called again when the process died before the cursor was kept.
    """

    name: str
    mapping: str | None
    every_seconds: float
    read: ReadFunction
    finish: FinishFunction | None = None


@dataclass(frozen=True, slots=True)
class Sink:
    """One sink: `write(cfg, events)` gets the events named (all when empty), `batch` at a time."""

    name: str
    events: tuple[str, ...]
    batch: int
    write: WriteFunction


@dataclass(slots=True)
class Connector:
    """One connector: settings, maps, sources and sinks.

    Args:
        name: `[a-z0-9-]`, part of every event id it makes; must not change.
        config: setting name to `secret()`, `opt(default)` or a required type.
        map: map name to its document (see `connectors/mapping.py`); by default a map is named
            for its event.
        functions: what `call` in a map may name.
    """

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    map: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidConnector(
                Message(
                    nl="De naam van een koppeling bestaat uit kleine letters, cijfers en '-'.",
                    en="A connector's name consists of lower-case letters, digits and '-'.",
                )
            )

    def source(
        self, mapping: str | None = None, *, every: str = "15s", name: str | None = None
    ) -> Callable[[ReadFunction], ReadFunction]:
        """Make the decorated generator a source whose records use the map `mapping`."""

        def register(read: ReadFunction) -> ReadFunction:
            called = name or mapping or str(getattr(read, "__name__", "source"))
            self.sources.append(Source(called, mapping, duration_seconds(every), read))
            return read

        return register

    def sink(
        self, *events: str, batch: int = 100, name: str | None = None
    ) -> Callable[[WriteFunction], WriteFunction]:
        """Make the decorated function a sink of `events`; of all events when none is named."""

        def register(write: WriteFunction) -> WriteFunction:
            called = name or str(getattr(write, "__name__", "sink"))
            self.sinks.append(Sink(called, events, batch, write))
            return write

        return register


def duration_seconds(text: str) -> float:
    """Return `250ms`, `15s`, `5m` or `1h` in seconds; raises InvalidConnector."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidConnector(
            Message(
                nl="Een duur is een getal met ms, s, m of h, zoals 15s.",
                en="A duration is a number with ms, s, m or h, such as 15s.",
            )
        )
    return float(found[1]) * _UNIT_SECONDS[found[2]]
