"""`schakel keys`: how the key-encryption key stands, and replacing it; at the hub's own machine.

`rotate-signing` is in `signing.py`: it asks a running hub.

It works on the stores and the key file themselves, so that it also serves while no gateway runs.
Running gateways read the new key by themselves.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from consumers.database import open_engine
from gateway.commands.hub_here import hub_here
from gateway.commands.options import AsJson  # noqa: TC001 - typer reads the annotations
from gateway.commands.signing import rotate_signing
from gateway.exchange import audit
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import ROTATE_AFTER_US
from gateway.exchange.key_state import KeyState, read_state
from gateway.key_parts import key_rotation
from gateway.registry_parts import business_clock
from schemas.cli import language
from schemas.errors import Message
from schemas.moments import to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Engine

    from consumers.clock import Clock
    from gateway.exchange.key_rotation import KeyRotation

app = typer.Typer(add_completion=False, no_args_is_help=True)

DataFolder = Annotated[
    Path | None, typer.Option("--data", envvar="SCHAKEL_DATA", help="Folder with hub.toml.")
]


app.command(name="rotate-signing")(rotate_signing)


@app.callback()
def keys() -> None:
    """The key-encryption key, which wraps every person's key; and the key that signs tokens."""


class _Opened:
    """The parts of one command."""

    def __init__(self, engines: Sequence[Engine], kek: FileKeyEncryption, clock: Clock) -> None:
        self.keys, self.ledger, self.consumers = engines
        self.kek, self.clock = kek, clock

    def rotation(self) -> KeyRotation:
        """Replaces the key for everything that it wraps."""
        return key_rotation(self.keys, self.ledger, self.consumers, self.kek)

    def described(self) -> dict[str, Any]:
        """How it stands, with ids and times only."""
        return {**_described(read_state(self.keys)), "keys": list(self.kek.ids())}


@contextmanager
def _opened(data: Path | None) -> Iterator[_Opened]:
    settings = hub_here(data)
    stores = settings.stores
    made = [open_engine(one) for one in (stores.keys, stores.ledger, stores.consumers)]
    try:
        kek = FileKeyEncryption(settings.key_file, may_create=lambda: False)
        yield _Opened(made, kek, business_clock(settings, made[1]))
    finally:
        for one in made:
            one.dispose()


@app.command()
def status(*, data: DataFolder = None, as_json: AsJson = False) -> None:
    """Show which keys there are, when they were replaced, and what waits for it."""
    with _opened(data) as opened:
        found = opened.described()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for line in _told(found, language()):
        typer.echo(line)


@app.command()
def rotate(
    *,
    now: Annotated[bool, typer.Option("--now", help="Also when nothing waits for it.")] = False,
    reason: Annotated[str, typer.Option(help="For the audit line.")] = "asked at the machine",
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Make a new key, wrap everything under it, and destroy the older ones.

    After an erasure the hub does so by itself within a day. Stopped half way, it goes on where it
    was when it is asked again. Events are not touched.
    """
    with _opened(data) as opened:
        state = read_state(opened.keys)
        if not now and not state.is_pending and len(opened.kek.ids()) == 1:
            told = Message(
                "Niets wacht op een nieuwe sleutel; --now vervangt hem toch.",
                "Nothing waits for a new key; --now replaces it all the same.",
            )
            typer.echo(told.text(language()), err=True)
        else:
            _rotate(opened, reason, only_needed=not now)
        found = opened.described()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for line in _told(found, language()):
        typer.echo(line)


def _rotate(opened: _Opened, reason: str, *, only_needed: bool) -> None:
    label = Message("Opnieuw verpakken", "Wrapping anew").text(language())
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        opened.rotation().run(
            opened.clock.now_us(),
            actor=audit.OPERATOR,
            reason=reason,
            only_needed=only_needed,
            progress=lambda done, whole: bar.update(task, completed=done, total=whole),
        )


def _described(state: KeyState) -> dict[str, Any]:
    since = state.pending_since
    return {
        "destroyed": state.destroyed,
        "waiting": state.destroyed - state.completed,
        "rotated_at": None if state.rotated_at is None else to_rfc3339(state.rotated_at),
        "rotation_due_at": None if since is None else to_rfc3339(since + ROTATE_AFTER_US),
    }


def _told(found: dict[str, Any], spoken: str) -> list[str]:
    *older, current = found["keys"]
    never = Message("nooit", "never").text(spoken)
    rows = [
        (Message("Huidige sleutel", "Current key"), current),
        (Message("Vervangen op", "Replaced at"), found["rotated_at"] or never),
        (Message("Wissingen", "Erasures"), str(found["destroyed"])),
        (Message("Wachten op vervanging", "Waiting for replacement"), str(found["waiting"])),
    ]
    if found["rotation_due_at"]:
        rows.append((Message("Vervanging ten laatste", "Due at"), found["rotation_due_at"]))
    if older:
        rows.append((Message("Nog te vernietigen", "Still to be destroyed"), ", ".join(older)))
    return [f"{label.text(spoken)}: {value}" for label, value in rows]
